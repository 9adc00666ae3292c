"""Rows too many to hold, kept aside on disk until all are there; then a few schools at a time.

Only what the log will hold anyway lies there: no name, no number. What a killed run left behind
is removed by the next.
"""

import shutil
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from features.ingest.checks import FILE
from features.ingest.reading import ROW
from features.records import LogTable
from features.records.schema import own_columns

ROWS_AT_ONCE = 500_000
_ROWS_PER_GROUP = 50_000
_ASIDE = [FILE, ROW, "order", "record_key", "recorded_at", "withdrawn", "fingerprint"]
_HEX = "0123456789abcdef"


@dataclass(frozen=True)
class Share:
    """Some schools, and of them the records whose key begins with `prefix` (empty: all)."""

    schools: tuple[str, ...]
    prefix: str = ""


@dataclass
class Staging:
    """The rows of one table, part by part in, and by schools out."""

    folder: Path
    table: LogTable
    _rows: Counter[str] = field(default_factory=Counter)
    _parts: int = 0

    @staticmethod
    def clear(folder: Path) -> None:
        """Remove what is there, also of a run that was killed."""
        shutil.rmtree(folder, ignore_errors=True)

    def add(self, rows: pl.DataFrame) -> None:
        """Keep `rows` aside; in the order of their schools, so that a reader can skip the rest."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._rows.update(dict(rows.group_by("school").len().iter_rows()))
        columns = list(dict.fromkeys([*_ASIDE, *own_columns(self.table)]))
        rows.select(columns).sort("school", maintain_order=True).write_parquet(
            self.folder / f"{self.table}-{self._parts:05d}.parquet",
            row_group_size=_ROWS_PER_GROUP,
            compression="lz4",
        )
        self._parts += 1

    @property
    def schools(self) -> list[str]:
        """The schools that have rows here."""
        return sorted(self._rows)

    def shares(self) -> Iterator[Share]:
        """Schools together as long as they are small; a very large one in sixteen parts."""
        together: list[str] = []
        rows = 0
        for school in self.schools:
            if self._rows[school] > 2 * ROWS_AT_ONCE:
                yield from (Share((school,), digit) for digit in _HEX)
                continue
            if together and rows + self._rows[school] > ROWS_AT_ONCE:
                yield Share(tuple(together))
                together, rows = [], 0
            together.append(school)
            rows += self._rows[school]
        if together:
            yield Share(tuple(together))

    def read(self, share: Share) -> pl.DataFrame:
        """The rows of one share; of one school they are in the order in which they came."""
        is_there = pl.col("school").is_in(list(share.schools)) & pl.col(
            "record_key"
        ).str.starts_with(share.prefix)
        files = pl.scan_parquet(self.folder / f"{self.table}-*.parquet")
        return files.filter(is_there).collect()
