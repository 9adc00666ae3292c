"""What pupils are called in the log: a name of their own domain, which no rotation changes.

The audit chain and the sets of the ledger are never rewritten. So a pupil stands there under a
random name, and only one small table leads to it: by a keyed hash of the pseudonym of now. When
pseudonyms are renewed the table follows; when a pupil is erased its row goes, and nothing leads
from the log to anyone.
"""

import hashlib
import secrets
from base64 import b32encode
from collections.abc import Iterable, Mapping
from pathlib import Path

from sqlalchemy import Connection, Engine, bindparam, delete, func, select, update

from features.errors import VaultError
from features.governance.database import keys_folder, ledger_pupils, log_names
from features.governance.keys import open_ledger_key
from features.governance.pseudonyms import is_pseudonym
from features.governance.pupil_sets import PupilSets
from features.vocabulary import PupilKey

_FEW = 500  # databases limit the number of parameters


class LogNames:
    """The names in the log of one ledger database; texts that are no pseudonym name themselves."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._key: bytes | None = None

    def given(self, connection: Connection, keys: Iterable[str]) -> dict[str, str]:
        """The name of each of `keys`; who has none yet gets one, in this transaction."""
        found = self.known(connection, keys)
        new = {key: _new_name() for key in keys if key not in found}
        if new:
            rows = [{"tag": self._tag(connection, key), "name": name} for key, name in new.items()]
            connection.execute(log_names.insert(), rows)
        return found | new

    def known(self, connection: Connection, keys: Iterable[str]) -> dict[str, str]:
        """The names of those of `keys` that have one."""
        others = {key: key for key in keys if not is_pseudonym(key)}
        tags = {self._tag(connection, key): key for key in keys if is_pseudonym(key)}
        query = select(log_names.c.tag, log_names.c.name)
        if len(tags) <= _FEW:
            query = query.where(log_names.c.tag.in_(tags))
        rows = connection.execute(query) if tags else ()
        return others | {tags[row.tag]: row.name for row in rows if row.tag in tags}

    def renew(self, connection: Connection, renewed: Mapping[PupilKey, PupilKey]) -> int:
        """Let each name be found by the new pseudonym only; how many were. Can be repeated."""
        before = connection.scalar(select(func.count()).select_from(log_names)) or 0
        if not renewed or not before:
            return 0
        moved = [
            {"old": self._tag(connection, old), "new": self._tag(connection, new)}
            for old, new in renewed.items()
        ]
        statement = (
            update(log_names)
            .where(log_names.c.tag == bindparam("old"))
            .values(tag=bindparam("new"))
        )
        return connection.execute(statement, moved).rowcount

    def forget(self, connection: Connection, key: str) -> int:
        """From now on nothing leads from this pseudonym to the log; 1 when something did."""
        gone = delete(log_names).where(log_names.c.tag == self._tag(connection, key))
        return connection.execute(gone).rowcount

    def _tag(self, connection: Connection, key: str) -> bytes:
        if self._key is None:
            folder = keys_folder(self._engine)
            if folder is None:
                raise VaultError(
                    "this ledger has no folder of keys; open it with open_ledger(home)"
                )
            secret = open_ledger_key(folder, used_before=_was_used(connection))
            _check_key(connection, folder)
            self._key = hashlib.sha256(b"names" + secret).digest()
        return hashlib.blake2b(key.encode(), digest_size=16, key=self._key).digest()


def _check_key(connection: Connection, folder: Path) -> None:
    """Refuse a key that opens none of the sealed sets at hand.

    Under another key every pupil would seem never to have been in the log. The oldest and the
    newest set are tried: one altered set does not stop the log, `Ledger.verify` tells of it.
    """
    ends = select(func.min(ledger_pupils.c.ledger)).union(select(func.max(ledger_pupils.c.ledger)))
    stored = select(ledger_pupils).where(ledger_pupils.c.ledger.in_(ends))
    rows = connection.execute(stored.order_by(ledger_pupils.c.ledger)).all()
    problems: list[VaultError] = []
    for row in rows:
        try:
            PupilSets(folder, sealed_before=True).count(row.sealed, row.ledger)
        except VaultError as problem:
            problems.append(problem)
    if rows and len(problems) == len(rows):
        raise problems[0]


def _was_used(connection: Connection) -> bool:
    return any(
        connection.execute(select(table).limit(1)).first() is not None
        for table in (log_names, ledger_pupils)
    )


def _new_name() -> str:
    return "l" + b32encode(secrets.token_bytes(16)).decode("ascii").lower()[:26]
