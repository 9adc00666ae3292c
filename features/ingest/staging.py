"""Rows too many to hold, kept aside on disk until all are there; then a few schools at a time.

Only what the log will hold anyway lies there: no name, no number. What a killed run left behind
is removed by the next.
"""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.ipc

from features.ingest.checks import FILE
from features.ingest.reading import ROW
from features.records import LogTable
from features.records.schema import own_columns

ROWS_AT_ONCE = 500_000
_ASIDE = [FILE, ROW, "order", "record_key", "recorded_at", "withdrawn", "fingerprint"]
_HEX = "0123456789abcdef"


@dataclass(frozen=True)
class Share:
    """Some schools, and of them the records whose key begins with `prefix` (empty: all)."""

    schools: tuple[str, ...]
    prefix: str = ""


@dataclass(frozen=True)
class _Stretch:
    """Where some rows of one school lie: in which part, from which row, how many."""

    part: int
    first: int
    rows: int


@dataclass
class Staging:
    """The rows of one table, part by part in, and by schools out."""

    folder: Path
    table: LogTable
    _stretches: dict[str, list[_Stretch]] = field(default_factory=dict)
    _parts: int = 0

    @staticmethod
    def clear(folder: Path) -> None:
        """Remove what is there, also of a run that was killed."""
        shutil.rmtree(folder, ignore_errors=True)

    def add(self, rows: pl.DataFrame) -> None:
        """Keep `rows` aside, those of a school together, as they lie in memory."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        columns = list(dict.fromkeys([*_ASIDE, *own_columns(self.table)]))
        together = rows.select(columns).sort("school", maintain_order=True)
        # Words of this part only are written out: the next part has others.
        plain = together.with_columns(pl.col(pl.Enum).cast(pl.String))
        plain.write_ipc(self._path(self._parts))
        first = 0
        for school, count in plain.group_by("school", maintain_order=True).len().iter_rows():
            self._stretches.setdefault(school, []).append(_Stretch(self._parts, first, count))
            first += count
        self._parts += 1

    @property
    def schools(self) -> list[str]:
        """The schools that have rows here."""
        return sorted(self._stretches)

    def shares(self) -> Iterator[Share]:
        """Schools together as long as they are small; a very large one in sixteen parts."""
        together: list[str] = []
        rows = 0
        for school in self.schools:
            of_school = sum(stretch.rows for stretch in self._stretches[school])
            if of_school > 2 * ROWS_AT_ONCE:
                yield from (Share((school,), digit) for digit in _HEX)
                continue
            if together and rows + of_school > ROWS_AT_ONCE:
                yield Share(tuple(together))
                together, rows = [], 0
            together.append(school)
            rows += of_school
        if together:
            yield Share(tuple(together))

    def read(self, share: Share) -> pl.DataFrame:
        """The rows of one share, school by school, in the order in which they came."""
        parts: dict[int, pa.Table] = {}
        for one in (stretch for school in share.schools for stretch in self._stretches[school]):
            if one.part not in parts:
                parts[one.part] = _mapped(self._path(one.part))
        rows = pl.concat(
            pl.DataFrame(parts[one.part].slice(one.first, one.rows))
            for school in share.schools
            for one in self._stretches[school]
        )
        if share.prefix:
            rows = rows.filter(pl.col("record_key").str.starts_with(share.prefix))
        return rows.rechunk()

    def _path(self, part: int) -> Path:
        return self.folder / f"{self.table}-{part:05d}.arrow"


def _mapped(path: Path) -> pa.Table:
    """A part as it lies on disk: only the rows that are looked at come into memory."""
    with pyarrow.ipc.open_file(pa.memory_map(str(path))) as file:
        return file.read_all()
