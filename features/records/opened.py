"""The tables of a log as they are now, kept open: looking again costs two questions to the disk.

Reading a Delta table's commits anew, or only asking the library whether there are any, takes
longer than reading a pupil. Pages ask at every look, many at once.
"""

import threading
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pyarrow as pa
from deltalake import DeltaTable

from features.records.layout import check_layout


@dataclass(frozen=True)
class TableNow:
    """One table in its newest state: `files` are its active files with their bounds."""

    table: DeltaTable
    version: int
    files: pl.DataFrame
    changed_at: int


class OpenTables:
    """The tables below one folder; several readers in several threads may share them."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._now: dict[str, TableNow] = {}
        self._alone = threading.Lock()  # a table may be asked by one thread at a time

    def now(self, table: str) -> TableNow | None:
        """The newest state of `table`; None while it does not exist."""
        path = self._root / table
        with self._alone:
            known = self._now.get(table)
            if known is not None and not _has_news(path, known):
                return known
            # Before reading: what is committed meanwhile is news the next time.
            changed_at = _changed_at(path)
            if known is not None:
                opened = known.table
                opened.update_incremental()
            elif DeltaTable.is_deltatable(str(path)):
                check_layout(self._root)
                opened = DeltaTable(str(path))
            else:
                return None
            files = pl.DataFrame(pa.table(opened.get_add_actions(flatten=True)))
            found = self._now[table] = TableNow(opened, opened.version(), files, changed_at)
            return found


def _has_news(path: Path, known: TableNow) -> bool:
    """Whether there may be a commit after the one known.

    The next one has a name of its own; the folder tells of one that was tidied away since.
    """
    following = path / "_delta_log" / f"{known.version + 1:020d}.json"
    return following.exists() or _changed_at(path) != known.changed_at


def _changed_at(path: Path) -> int:
    folder = path / "_delta_log"
    return folder.stat().st_mtime_ns if folder.exists() else -1
