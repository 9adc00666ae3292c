"""The vault: the only place with names and pupil numbers, sealed, and the way from them to keys.

Each school has its own key; a master key, kept elsewhere, wraps those. A pupil is a random
identity that was never derived from a number; the pseudonym outside is a keyed hash of it.
"""

import hmac
import json
import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import polars as pl
import sqlalchemy as sa
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from features.errors import VaultError
from features.governance.journal import refuse_while_renewing
from features.governance.keys import create_key, decoded_key, read_key
from features.governance.pseudonyms import (
    FIRST_VERSION,
    Domain,
    domain_key,
    keyed_hashes,
    pupil_key,
)
from features.governance.vault_tables import LINKS, METADATA, PUPILS, RENEWED, WRAPPED_KEYS
from features.settings import Home
from features.vocabulary import PupilKey

MASTER_VARIABLE = "TIJDIG_MASTER_KEY"
NONCE_BYTES = 12
_OWN_ROW = "*"  # not a school code: the row of `wrapped_key` with the vault's own secret
_PSEUDONYMS = "*p"  # and a version: the secret of pseudonyms, which is destroyed when renewed
# The keys asked for are one parameter: their number is free, and the question is made once.
_KEYS = sa.select(sa.func.json_each(sa.bindparam("asked")).table_valued("value").c.value)
_ASKED_FOR = sa.select(PUPILS.c.uid, PUPILS.c.pupil_key, PUPILS.c.school, PUPILS.c.sealed).where(
    PUPILS.c.pupil_key.in_(_KEYS)
)
_MOVED = (
    sa.select(PUPILS.c.uid, LINKS.c.kept_key, PUPILS.c.school, PUPILS.c.sealed)
    .join_from(PUPILS, LINKS, LINKS.c.pupil_key == PUPILS.c.pupil_key)
    .where(LINKS.c.kept_key.in_(_KEYS))
)


@dataclass(frozen=True)
class Identity:
    """Who a pupil is, for the eyes of an authorised user only; never log or raise one."""

    given_name: str
    name_prefix: str
    family_name: str
    pupil_number: str

    @property
    def parts(self) -> tuple[str, str, str, str]:
        """The four values, in the order in which they are sealed."""
        return self.given_name, self.name_prefix, self.family_name, self.pupil_number

    def __repr__(self) -> str:
        """Nothing: a traceback or a log line that shows an identity must not tell it."""
        return "Identity(…)"


class Vault:
    """Names and numbers of pupils; open one with `Vault.open`."""

    def __init__(self, engine: sa.Engine, master: bytes) -> None:
        self._engine = engine
        self._master = AESGCM(master)
        with engine.begin() as connection:
            _, secret = self._data_key(_OWN_ROW, connection)
            self.version = _newest_version(connection) or FIRST_VERSION
            self._pseudonym_key = self._key_of(self.version, connection)
        self._source_key = domain_key(secret, Domain.SOURCE_IDS)
        self._number_key = domain_key(secret, Domain.NUMBERS)
        self._seal_key = domain_key(secret, Domain.SEALS)
        self._ciphers: dict[str, AESGCM] = {}

    @classmethod
    def open(
        cls, home: Home, environ: Mapping[str, str], *, while_renewing: bool = False
    ) -> "Vault":
        """Open the vault of `home` with the key from `environ` or from the key file.

        The key file is created only together with a new vault: a lost key is an error, never
        silently replaced by another. Refused while pseudonyms are being renewed, except to who
        renews them.
        """
        if not while_renewing:
            refuse_while_renewing(home)
        is_new = not home.vault.exists()
        master = _master_key(home, environ, create=is_new)
        if is_new:
            home.vault.parent.mkdir(parents=True, exist_ok=True)
            home.vault.touch(mode=0o600)
        engine = sa.create_engine(f"sqlite:///{home.vault}", poolclass=sa.NullPool)
        try:
            METADATA.create_all(engine)
            return cls(engine, master)
        except sa.exc.DatabaseError as problem:
            raise VaultError(
                f"{home.vault}: cannot be opened as a vault. Put it back from a backup."
            ) from problem

    def keys_for(
        self, school: str, numbers: Sequence[str], *, create: bool = False
    ) -> list[PupilKey | None]:
        """The pseudonyms of the pupils with these numbers at `school`, in the order asked.

        Leading zeros make no difference: spreadsheets drop them. An unknown number gives None,
        or with `create` a new pupil without a name. A pupil who was matched with one of another
        school has the key of that one.
        """
        tags = [self._number_tag(school, number) for number in numbers]
        query = sa.select(PUPILS.c.number_tag, PUPILS.c.pupil_key).where(PUPILS.c.school == school)
        with self._engine.begin() as connection:
            kept = _kept_keys(connection)
            keys = {tag: kept.get(key, key) for tag, key in connection.execute(query)}
            new = {
                tag: Identity("", "", "", number)
                for tag, number in zip(tags, numbers, strict=True)
                if create and tag not in keys
            }
            keys |= self._insert(connection, school, new)
        return [PupilKey(keys[tag]) if tag in keys else None for tag in tags]

    def remember(self, school: str, identities: Iterable[Identity]) -> set[str]:
        """Store new pupils and changed names of one school; gives the numbers that were changed.

        All of them or none. When a number comes twice, the last one counts.
        """
        wanted = {self._number_tag(school, one.pupil_number): one for one in identities}
        if not wanted:
            return set()
        query = sa.select(PUPILS.c.uid, PUPILS.c.number_tag, PUPILS.c.content_tag)
        with self._engine.begin() as connection:
            known = {
                row.number_tag: (row.uid, row.content_tag)
                for row in connection.execute(query.where(PUPILS.c.school == school))
            }
            new = {tag: one for tag, one in wanted.items() if tag not in known}
            self._insert(connection, school, new)
            changed = set()
            for tag, one in wanted.items():
                if tag in known and known[tag][1] != self._content_tag(school, one):
                    cipher = self._cipher(school, connection)
                    row = self._sealed_row(cipher, school, tag, one, known[tag][0])
                    connection.execute(PUPILS.update().where(PUPILS.c.uid == row["uid"]), [row])
                    changed.add(one.pupil_number)
        return changed

    def identities(self, pupil_keys: Sequence[PupilKey]) -> dict[PupilKey, Identity]:
        """Who these pupils are; a key that the vault does not know is left out."""
        found: dict[PupilKey, Identity] = {}
        asked = {"asked": json.dumps(list(pupil_keys))}
        with self._engine.connect() as connection:
            # A matched pupil is called as at the school of now.
            for query in (_ASKED_FOR, _MOVED):
                for uid, key, school, sealed in connection.execute(query, asked).all():
                    found[PupilKey(key)] = self._unsealed(connection, school, uid, sealed)
        return found

    def link(self, pairs: Sequence[tuple[PupilKey, PupilKey]]) -> None:
        """From now on each first key's pupil goes by the second: all of them or none.

        The second is the key of the earlier school, which keeps its history.
        """
        with self._engine.begin() as connection:
            for own, wanted in pairs:
                kept = _kept_keys(connection)
                final = kept.get(wanted, wanted)
                assert final != own, "a pupil cannot be linked to itself"
                connection.execute(LINKS.delete().where(LINKS.c.pupil_key == own))
                connection.execute(LINKS.insert(), [{"pupil_key": own, "kept_key": final}])
                connection.execute(
                    LINKS.update().where(LINKS.c.kept_key == own).values(kept_key=final)
                )

    def known_as(self, pupil_key: PupilKey) -> tuple[PupilKey, ...]:
        """Every pseudonym of one person, this one first: what an erasure must look for."""
        query = sa.select(LINKS.c.pupil_key, LINKS.c.kept_key)
        is_theirs = (LINKS.c.kept_key == pupil_key) | (LINKS.c.pupil_key == pupil_key)
        with self._engine.connect() as connection:
            kept = {row.kept_key for row in connection.execute(query.where(is_theirs))}
            rows = connection.execute(query.where(LINKS.c.kept_key.in_(kept)))
            others = {PupilKey(key) for row in rows for key in row}
        return pupil_key, *sorted(others - {pupil_key})

    def seal(self, text: str) -> str:
        """A keyed hash that only this vault can make: nobody alters a signed text unseen."""
        return hmac.digest(self._seal_key, text.encode(), "sha256").hex()

    def pupils_of(self, school: str) -> dict[PupilKey, Identity]:
        """Everyone the vault knows at `school`; to find one person, never to make a list."""
        found: dict[PupilKey, Identity] = {}
        query = sa.select(PUPILS).where(PUPILS.c.school == school)
        with self._engine.connect() as connection:
            kept = _kept_keys(connection)
            for row in connection.execute(query):
                key = PupilKey(kept.get(row.pupil_key, row.pupil_key))
                found[key] = self._unsealed(connection, school, row.uid, row.sealed)
        return found

    def forget(self, pupil_key: PupilKey) -> int:
        """Take a pupil out, so that no one can lead the pseudonym back to a person; rows gone."""
        with self._engine.begin() as connection:
            own = sa.select(LINKS.c.pupil_key).where(LINKS.c.kept_key == pupil_key)
            is_theirs = (PUPILS.c.pupil_key == pupil_key) | PUPILS.c.pupil_key.in_(own)
            gone = connection.execute(PUPILS.delete().where(is_theirs))
            is_link = (LINKS.c.kept_key == pupil_key) | (LINKS.c.pupil_key == pupil_key)
            connection.execute(LINKS.delete().where(is_link))
            return gone.rowcount

    def begin_renewal(self, strays: Iterable[PupilKey] = ()) -> dict[PupilKey, PupilKey]:
        """Which pseudonym becomes which under a new key; the same again until it is finished.

        `strays` stand in some store and belong to nobody the vault knows: they get a random one.
        """
        if begun := self.renewed():
            return begun
        version = self.version + 1
        with self._engine.begin() as connection:
            key = self._key_of(version, connection)
            known = connection.execute(sa.select(PUPILS.c.uid, PUPILS.c.pupil_key)).all()
            uids = {PupilKey(row.pupil_key): bytes(row.uid) for row in known}
            uids |= {one: secrets.token_bytes(16) for one in strays if one not in uids}
            rows = [
                {"old_key": old, "new_key": pupil_key(key, uid, version)}
                for old, uid in uids.items()
            ]
            if rows:
                connection.execute(RENEWED.insert(), rows)
            return _renewed_keys(connection)

    def renewed(self) -> dict[PupilKey, PupilKey]:
        """Which pseudonym becomes which, while that is going on; empty otherwise."""
        with self._engine.connect() as connection:
            return _renewed_keys(connection)

    def all_keys(self) -> set[PupilKey]:
        """Every pseudonym that belongs to someone."""
        with self._engine.connect() as connection:
            return {PupilKey(key) for key in connection.scalars(sa.select(PUPILS.c.pupil_key))}

    def finish_renewal(self) -> None:
        """Let every pupil go by the new pseudonym, and destroy the key of the older ones."""
        with self._engine.begin() as connection:
            newest = _newest_version(connection)
            for column in (PUPILS.c.pupil_key, LINKS.c.pupil_key, LINKS.c.kept_key):
                new = sa.select(RENEWED.c.new_key).where(RENEWED.c.old_key == column)
                is_old = column.in_(sa.select(RENEWED.c.old_key))
                change = {column.name: new.scalar_subquery()}
                connection.execute(column.table.update().where(is_old).values(change))
            connection.execute(RENEWED.delete())
            is_older = WRAPPED_KEYS.c.name.startswith(_PSEUDONYMS) & (
                WRAPPED_KEYS.c.name != f"{_PSEUDONYMS}{newest}"
            )
            connection.execute(WRAPPED_KEYS.delete().where(is_older))

    def record_keys(self, texts: pl.Series) -> pl.Series:
        """Keyed hashes of the ids of source records, the same for ever for the same text."""
        return keyed_hashes(self._source_key, texts)

    def _insert(
        self, connection: sa.Connection, school: str, new: Mapping[bytes, Identity]
    ) -> dict[bytes, str]:
        """Pupils that were not there yet, by the tags of their numbers; gives their keys."""
        if not new:
            return {}
        cipher = self._cipher(school, connection)
        rows = [
            self._sealed_row(cipher, school, tag, one, secrets.token_bytes(16))
            for tag, one in new.items()
        ]
        connection.execute(PUPILS.insert(), rows)
        return {tag: str(row["pupil_key"]) for tag, row in zip(new, rows, strict=True)}

    def _sealed_row(
        self, cipher: AESGCM, school: str, tag: bytes, one: Identity, uid: bytes
    ) -> dict[str, object]:
        nonce = secrets.token_bytes(NONCE_BYTES)
        plain = json.dumps(one.parts).encode()
        return {
            "uid": uid,
            "pupil_key": pupil_key(self._pseudonym_key, uid, self.version),
            "school": school,
            "number_tag": tag,
            "sealed": nonce + cipher.encrypt(nonce, plain, _context(school, uid)),
            "content_tag": self._content_tag(school, one),
        }

    def _unsealed(
        self, connection: sa.Connection, school: str, uid: bytes, sealed: bytes
    ) -> Identity:
        nonce, body = sealed[:NONCE_BYTES], sealed[NONCE_BYTES:]
        try:
            plain = self._cipher(school, connection).decrypt(nonce, body, _context(school, uid))
        except InvalidTag as problem:
            raise VaultError(
                f"the vault holds a row of school {school} that was altered or moved. "
                "Put the vault back from a backup."
            ) from problem
        return Identity(*json.loads(plain.decode()))

    def _cipher(self, school: str, connection: sa.Connection) -> AESGCM:
        if school not in self._ciphers:
            is_new, key = self._data_key(school, connection)
            if is_new:  # not kept: should the transaction fail, the key was never stored
                return AESGCM(key)
            self._ciphers[school] = AESGCM(key)
        return self._ciphers[school]

    def _key_of(self, version: int, connection: sa.Connection) -> bytes:
        _, secret = self._data_key(f"{_PSEUDONYMS}{version}", connection)
        return domain_key(secret, Domain.RECORDS)

    def _data_key(self, name: str, connection: sa.Connection) -> tuple[bool, bytes]:
        """Whether a key is made just now, in the transaction of `connection`, and the key."""
        query = sa.select(WRAPPED_KEYS.c.wrapped).where(WRAPPED_KEYS.c.name == name)
        wrapped = connection.execute(query).scalar()
        if is_new := wrapped is None:
            nonce, key = secrets.token_bytes(NONCE_BYTES), secrets.token_bytes(32)
            wrapped = nonce + self._master.encrypt(nonce, key, name.encode())
            connection.execute(WRAPPED_KEYS.insert(), [{"name": name, "wrapped": wrapped}])
        try:
            nonce, body = wrapped[:NONCE_BYTES], wrapped[NONCE_BYTES:]
            return is_new, self._master.decrypt(nonce, body, name.encode())
        except InvalidTag as problem:
            raise VaultError(
                "the master key does not fit this vault. Put back the key that belongs to it "
                f"(key file or {MASTER_VARIABLE}); without it the names cannot be read."
            ) from problem

    def _number_tag(self, school: str, number: str) -> bytes:
        text = f"number\x1f{school}\x1f{_without_zeros(number)}"
        return hmac.digest(self._number_key, text.encode(), "sha256")

    def _content_tag(self, school: str, one: Identity) -> bytes:
        text = "\x1f".join(("content", school, *one.parts))
        return hmac.digest(self._number_key, text.encode(), "sha256")


def _kept_keys(connection: sa.Connection) -> dict[str, str]:
    query = sa.select(LINKS.c.pupil_key, LINKS.c.kept_key)
    return {row.pupil_key: row.kept_key for row in connection.execute(query)}


def _newest_version(connection: sa.Connection) -> int:
    """The version of the newest key of pseudonyms; 0 while there is none."""
    query = sa.select(WRAPPED_KEYS.c.name).where(WRAPPED_KEYS.c.name.startswith(_PSEUDONYMS))
    names = [name.removeprefix(_PSEUDONYMS) for name in connection.scalars(query)]
    return max(map(int, names), default=0)


def _renewed_keys(connection: sa.Connection) -> dict[PupilKey, PupilKey]:
    return {
        PupilKey(row.old_key): PupilKey(row.new_key)
        for row in connection.execute(sa.select(RENEWED))
    }


def _context(school: str, uid: bytes) -> bytes:
    # Bound to school and pupil: a sealed name copied to another row does not open there.
    return b"identity|1|" + school.encode() + b"|" + uid


def _without_zeros(number: str) -> str:
    number = number.strip()
    return number.lstrip("0") or number if number.isdigit() else number


def _master_key(home: Home, environ: Mapping[str, str], *, create: bool) -> bytes:
    if environ.get(MASTER_VARIABLE):
        return decoded_key(environ[MASTER_VARIABLE], MASTER_VARIABLE)
    if create and not home.key.exists():
        return create_key(home.key)
    return read_key(
        home.key,
        f"The vault it opens is. Put the key back from its backup or set {MASTER_VARIABLE}; "
        "without it the names cannot be read.",
    )
