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
    """Where some rows of one school lie: in which part, as which batch of it, how many."""

    part: int
    batch: int
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
        """Keep `rows` aside, each school's as a batch of its own, which can be read alone."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        columns = list(dict.fromkeys([*_ASIDE, *own_columns(self.table)]))
        together = rows.select(columns).sort("school", maintain_order=True)
        # Words of this part only are written out: the next part has others.
        plain = together.with_columns(pl.col(pl.Enum).cast(pl.String)).rechunk()
        table = plain.to_arrow(compat_level=pl.CompatLevel.oldest())
        first = 0
        counts = plain.group_by("school", maintain_order=True).len()
        with pyarrow.ipc.new_file(self._path(self._parts), table.schema) as file:
            for batch, (school, count) in enumerate(counts.iter_rows()):
                file.write_table(table.slice(first, count))
                self._stretches.setdefault(school, []).append(_Stretch(self._parts, batch, count))
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
        wanted = [one for school in share.schools for one in self._stretches[school]]
        found: dict[_Stretch, pa.RecordBatch] = {}
        for part in sorted({one.part for one in wanted}):
            with pyarrow.ipc.open_file(pa.OSFile(self._path(part))) as file:
                found |= {one: file.get_batch(one.batch) for one in wanted if one.part == part}
        rows = pl.DataFrame(pa.Table.from_batches([found[one] for one in wanted]))
        if share.prefix:
            rows = rows.filter(pl.col("record_key").str.starts_with(share.prefix))
        return rows.rechunk()

    def _path(self, part: int) -> str:
        return str(self.folder / f"{self.table}-{part:05d}.arrow")
