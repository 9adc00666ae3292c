"""The file of the online store, past Feast: it cannot erase, and is slow to read one pupil.

Nothing here imports Feast, which takes seconds: pages read one pupil at a time.
"""

import json
import math
import sqlite3
import struct
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pyarrow as pa

from features.errors import NotThere
from features.governance.database import canonical, rewrite_sqlite
from features.store.definitions import JOIN_KEY

ONLINE = "online.db"
LABEL = "listed.json"
"""The file that says what the online values are; there is none while they are being replaced."""
BEFORE_FLOAT = b"\x35"
"""A float32 in a value of Feast (its protobuf field 6) is this and then the four bytes."""
NO_VALUE = b""
_STRING = 2  # Feast's number for the type of a text
_FLOAT = struct.Struct("<f")


@dataclass(frozen=True)
class OnlineLabel:
    """What is online: of which Monday, by which versions of features, in which tables of the file.

    A version is the definition and the contract of a feature, as their hashes. No tables: the
    values are on a server, and Feast reads them.
    """

    as_of: date
    versions: Mapping[str, str]
    tables: tuple[str, ...] = ()

    def write(self, path: Path) -> None:
        """Keep it at `path`, whole or not at all."""
        told = {
            "as_of": self.as_of.isoformat(),
            "tables": list(self.tables),
            "versions": dict(self.versions),
        }
        draft = path.with_suffix(".next")
        draft.write_text(canonical(told), encoding="utf-8")
        draft.replace(path)

    @classmethod
    def read(cls, path: Path) -> "OnlineLabel | None":
        """The label at `path`; None before anything was put online."""
        try:
            told = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        as_of = date.fromisoformat(told["as_of"])
        return cls(as_of, told["versions"], tuple(told["tables"]))

    def refuse_others(self, versions: Mapping[str, str]) -> None:
        """Refuse when the values of these features are online by other versions, or not at all."""
        others = [name for name, version in versions.items() if self.versions.get(name) != version]
        if others:
            raise NotThere(
                f"the online values of {len(others)} features belong to other definitions or "
                f"contracts than those in force, the first {others[0]}; the next weekly run "
                "replaces them"
            )


def entity_key(pupil_key: str) -> bytes:
    r"""What Feast (serialization 3) calls a pupil in the online store.

    >>> entity_key("p1x")[-11:]
    b'\x02\x00\x00\x00\x03\x00\x00\x00p1x'
    """
    name, value = JOIN_KEY.encode(), pupil_key.encode()
    head = struct.pack("<III", 1, _STRING, len(name)) + name
    return head + struct.pack("<II", _STRING, len(value)) + value


def read_online(
    path: Path, tables: Sequence[str], pupil_keys: Sequence[str]
) -> list[dict[str, float]]:
    """The values of each of these pupils by feature, in one query each; empty: not online.

    The same as Feast gives; an undefined value is NaN, and so is one of a table without a row.
    """
    asked = " UNION ALL ".join(
        f'SELECT feature_name, value FROM "{table}" WHERE entity_key = ?1'  # noqa: S608
        for table in tables
    )
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        return [
            {name: _number(value) for name, value in connection.execute(asked, (key,))}
            for key in map(entity_key, pupil_keys)
        ]


def listed_table(
    folder: Path, label: OnlineLabel, pupil_keys: Sequence[str], names: Sequence[str]
) -> tuple[pa.Table, int]:
    """These features of these pupils as float32 columns, and how many of them are not online."""
    rows = read_online(folder / ONLINE, label.tables, pupil_keys)
    columns = {
        name: pa.array([row.get(name, math.nan) for row in rows], pa.float32()) for name in names
    }
    return pa.table(columns), sum(not row for row in rows)


def _number(value: bytes) -> float:
    if value == NO_VALUE:
        return math.nan
    if not value.startswith(BEFORE_FLOAT):
        raise ValueError("a value in the online store is not a float32")
    number: float = _FLOAT.unpack_from(value, 1)[0]
    return number


def erase_online(path: Path, pupil_key: str) -> int:
    """Remove every value of one pupil, also from pages the database no longer uses; values gone.

    Feast keys a row by a blob that holds the pseudonym as text.
    """
    if not path.exists():
        return 0
    gone = 0
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        names = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        for (name,) in names:
            columns = {row[1] for row in connection.execute(f'PRAGMA table_info("{name}")')}
            if "entity_key" in columns:
                found = connection.execute(
                    f'DELETE FROM "{name}" WHERE instr(entity_key, ?) > 0',  # noqa: S608
                    (pupil_key.encode(),),
                )
                gone += found.rowcount
    rewrite_sqlite(path)
    return gone
