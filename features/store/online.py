"""The file of the online store, past Feast: Feast can replace what is online, but not erase."""

import sqlite3
from contextlib import closing
from pathlib import Path

from features.governance.database import rewrite_sqlite

ONLINE = "online.db"


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
