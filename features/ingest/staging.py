"""Rows too many to hold, kept aside on disk until all are there; then a few schools at a time.

Only what the log will hold anyway lies there: no name, no number. What a killed run left behind
is removed by the next.
"""

import shutil
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.ipc

from features.ingest.checks import FILE
from features.ingest.reading import ROW
from features.records import LogTable
from features.records.schema import own_columns

ROWS_AT_ONCE = 1 << 18
"""Two row groups of the log's files; three times as many are in memory at most: read, compared and
stored side by side."""
_BESIDE = [FILE, ROW, "order", "record_key", "recorded_at", "withdrawn", "fingerprint"]
_DIGITS = 4
_KEYS = 16**_DIGITS
_SCHOOLS = b"schools"


def columns_on_the_way(table: LogTable) -> list[str]:
    """What of a row goes on from its checks to the comparison with the log; the rest is left."""
    # A pupil who only got another name is told by the number; such a table is never long.
    named = ["pupil_number"] if table is LogTable.PLACEMENTS else []
    return list(dict.fromkeys([*_BESIDE, *own_columns(table), *named]))


@dataclass(frozen=True)
class Share:
    """Some schools, and of them the records with a key of at least `since` and below `until`.

    Both may be blank: no bound.
    """

    schools: tuple[str, ...]
    since: str = ""
    until: str = ""

    @property
    def is_whole(self) -> bool:
        """Whether all records of these schools are meant."""
        return not (self.since or self.until)

    def within(self, rows: pa.Table) -> pa.Table:
        """Those of `rows` with such a key."""
        if self.since:
            rows = rows.filter(pc.field("record_key") >= self.since)
        return rows.filter(pc.field("record_key") < self.until) if self.until else rows


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
        """Keep `rows` aside, each school's as a batch of its own, which can be read alone."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        together = rows.sort("school", maintain_order=True)
        # Words of this part only are written out: the next part has others.
        plain = together.with_columns(pl.col(pl.Enum).cast(pl.String)).rechunk()
        counts = dict(plain.group_by("school", maintain_order=True).len().iter_rows())
        # Which batch is whose stands in the file, not in memory: there is one per school and part.
        table = plain.to_arrow(compat_level=pl.CompatLevel.oldest())
        table = table.replace_schema_metadata({_SCHOOLS: "\n".join(counts)})
        first = 0
        with pyarrow.ipc.new_file(self._path(self._parts), table.schema) as file:
            for count in counts.values():
                file.write_table(table.slice(first, count))
                first += count
        self._rows.update(counts)
        self._parts += 1

    @property
    def schools(self) -> list[str]:
        """The schools that have rows here."""
        return sorted(self._rows)

    def shares(self) -> Iterator[Share]:
        """Schools together up to ROWS_AT_ONCE rows; a larger school in as many shares as needed."""
        together: list[str] = []
        rows = 0
        for school in self.schools:
            if together and rows + self._rows[school] > ROWS_AT_ONCE:
                yield Share(tuple(together))
                together, rows = [], 0
            if self._rows[school] > ROWS_AT_ONCE:
                yield from _shares_of(school, self._rows[school])
                continue
            together.append(school)
            rows += self._rows[school]
        if together:
            yield Share(tuple(together))

    def read(self, share: Share) -> pl.DataFrame:
        """The rows of one share, school by school, in the order in which they came."""
        found: dict[str, list[pa.Table]] = {school: [] for school in share.schools}
        for part in range(self._parts):
            with pyarrow.ipc.open_file(pa.OSFile(self._path(part))) as file:
                schools = file.schema.metadata[_SCHOOLS].decode().split("\n")
                for batch, school in enumerate(schools):
                    if school in found:
                        rows = pa.Table.from_batches([file.get_batch(batch)])
                        found[school].append(share.within(rows))
        together = pa.concat_tables([rows for parts in found.values() for rows in parts])
        return pl.DataFrame(together).rechunk()

    def _path(self, part: int) -> str:
        return str(self.folder / f"{self.table}-{part:05d}.arrow")


def _shares_of(school: str, rows: int) -> Iterator[Share]:
    """The records of one large school by their keys, which are spread evenly."""
    number = min(_KEYS, -(-rows // ROWS_AT_ONCE))
    edges = [f"{place * _KEYS // number:0{_DIGITS}x}" for place in range(1, number)]
    for since, until in pairwise(["", *edges, ""]):
        yield Share((school,), since, until)
