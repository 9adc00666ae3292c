"""The record log: whole deliveries in, versions out; nothing is ever overwritten.

A delivery becomes visible by one commit to the small `deliveries` table, made after its rows were
appended to the other tables. Readers take only rows of deliveries named there, so what a killed
run left behind is never seen; the next append removes it.
"""

import contextlib
import fcntl
import json
import logging
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from urllib.parse import unquote

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset
from deltalake import ColumnProperties, DeltaTable, WriterProperties, write_deltalake

from features.errors import DeliveryRefused
from features.records.layout import mark_layout
from features.records.opened import OpenTables, TableNow
from features.records.row_groups import Limits, read_schema, read_within
from features.records.schema import DELIVERIES, MOMENT, LogTable, schema_of
from features.records.versions import in_order, superseded

log = logging.getLogger(__name__)

ROWS_PER_DELIVERY = 1 << 32
"""Room for the rows of one delivery within `sequence`."""

LARGE_FILE = 1 << 17
"""From so many rows on a file has row groups to choose from."""

_NEVER_TWICE = ColumnProperties(dictionary_enabled=False)
_WRITING = WriterProperties(
    compression="ZSTD",
    compression_level=1,
    max_row_group_size=1 << 17,  # so that a read for one school can skip the others' rows
    column_properties=dict.fromkeys(("record_key", "fingerprint", "sequence"), _NEVER_TWICE),
)


@dataclass(frozen=True)
class DeliveryRows:
    """The new versions that one delivery brings.

    `tables` holds the columns of `schema_of` except `delivery` and `sequence`, which the log
    gives out itself; among rows with the same `known_at`, a later row is the newer version.
    A table that is too large to hold comes in pieces, each record whole within one of them.
    `schools` are those it spoke of, also where it said nothing new.
    """

    received_at: datetime
    digest: str
    tables: Mapping[LogTable, pa.Table | Iterable[pa.Table]]
    schools: frozenset[str] = frozenset()


class RecordLog:
    """All versions of all records, below one folder.

    With `head`, the log is read as if only its first `head` deliveries had come in, which is how
    a list published after that delivery is made again.
    """

    def __init__(self, root: Path, head: int | None = None) -> None:
        self.root = root
        self._head = head
        self._opened = OpenTables(root)
        self._delivered: tuple[int, pa.Table] | None = None  # by version of its table

    def up_to(self, head: int | None) -> "RecordLog":
        """The same log after its first `head` deliveries (None: all); it shares what is open."""
        other = RecordLog(self.root, head)
        other._opened = self._opened
        return other

    @contextlib.contextmanager
    def writing(self) -> Iterator[None]:
        """Hold the log alone, from reading what it has to appending; a second writer is refused.

        The lock is the operating system's and ends with the process, also when it is killed.
        """
        self.root.mkdir(parents=True, exist_ok=True)
        with (self.root / "writer.lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as problem:
                raise DeliveryRefused(
                    f"{self.root}: another import is writing; nothing of this delivery was "
                    "stored. Wait until it is done and start again."
                ) from problem
            yield

    def append(self, delivery: DeliveryRows) -> int:
        """Store one delivery, whole or not at all, and give its number.

        The caller holds `writing()`.
        """
        assert self._head is None, "a log read up to a past delivery takes no new ones"
        self._remove_leftovers()
        number = self.head() + 1
        name = f"{number:06d}-{delivery.digest[:12]}"
        if number == 1:
            mark_layout(self.root)
        self._announce(name)
        schools = set(delivery.schools)
        rows = 0
        for table, content in delivery.tables.items():
            first = number * ROWS_PER_DELIVERY
            for piece in [content] if isinstance(content, pa.Table) else content:
                if piece.num_rows:
                    schools.update(pc.unique(piece["school"]).to_pylist())
                    self._append_rows(table, piece, name, first)
                    first += piece.num_rows
                    rows += piece.num_rows
        self._commit(delivery, number, name, sorted(schools), rows)
        self._pending.unlink()
        return number

    def head(self) -> int:
        """The number of the last delivery that is visible; 0 in an empty log."""
        numbers = self.deliveries()["number"]
        return int(pc.max(numbers).as_py()) if len(numbers) else 0

    def deliveries(self) -> pa.Table:
        """One row per visible delivery, in order: number, name, moment, digest, schools, rows."""
        stored = self._opened.now("deliveries")
        if stored is None:
            return DELIVERIES.empty_table()
        if self._delivered is None or self._delivered[0] != stored.version:
            files = self._dataset("deliveries", stored, None, DELIVERIES)
            self._delivered = stored.version, files.to_table().sort_by("number")
        found = self._delivered[1]
        return found if self._head is None else found.filter(pc.field("number") <= self._head)

    def schools(self) -> list[str]:
        """Every school the log has a description of, sorted."""
        found = self._versions(LogTable.SCHOOLS, pc.scalar(True), ["school"])
        return sorted(pc.unique(found["school"]).to_pylist())

    def read_as_of(
        self,
        table: LogTable,
        as_of: datetime,
        *,
        schools: Sequence[str] | None = None,
        pupil_keys: Sequence[str] | None = None,
    ) -> pa.Table:
        """Per record the newest version that was known strictly before `as_of`; not the withdrawn.

        Rows are sorted by `record_key`. A record that became known at `as_of` itself is not there.
        """
        wanted = pc.field("known_at") < _moment(as_of)
        versions = self._versions(table, wanted & _of_pupils(table, pupil_keys), schools=schools)
        if pupil_keys is not None:
            # The newest version of a record may be about another pupil: corrected, or matched.
            records = pc.unique(versions["record_key"])
            versions = self._versions(
                table, wanted & pc.field("record_key").isin(records), schools=schools
            )
        newest = (
            pl.DataFrame(versions)
            .sort("record_key", "known_at", "sequence")
            .unique("record_key", keep="last", maintain_order=True)
            .filter(~pl.col("withdrawn"))
        )
        if pupil_keys is not None:
            newest = newest.filter(pl.col("pupil_key").is_in(list(pupil_keys)))
        return newest.to_arrow(compat_level=pl.CompatLevel.oldest()).cast(schema_of(table))

    def read_versions(
        self,
        table: LogTable,
        *,
        schools: Sequence[str] | None = None,
        known_before: datetime | None = None,
    ) -> pa.Table:
        """All versions, also the withdrawn, with `superseded_at`: when the next one became known.

        A version counts at t when `known_at < t` and `superseded_at` is null or not before t.
        With `known_before`, later versions do not exist, and so supersede nothing. Rows are
        sorted by `record_key`, then from old to new.
        """
        wanted = pc.scalar(True)
        if known_before is not None:
            wanted = pc.field("known_at") < _moment(known_before)
        return in_order(self._versions(table, wanted, schools=schools), table)

    def read_columns(
        self,
        table: LogTable,
        columns: Sequence[str],
        *,
        schools: Sequence[str],
        known_before: datetime,
    ) -> pa.Table:
        """The same versions with `columns` of theirs only and `superseded_at`, in no order.

        Many times as fast. The columns that tell versions apart must be among them, `school` too.
        Texts of which there are few come as dictionaries.
        """
        visible = self.deliveries()["delivery"].combine_chunks()
        schema = read_schema(schema_of(table), columns)
        stored = self._opened.now(table)
        if not len(visible) or stored is None:
            return superseded(schema.empty_table())
        files = _of_schools(stored.files, schools)
        limits = Limits(pa.array(sorted(schools), pa.string()), visible, _moment(known_before))
        is_large = pl.col("num_records").fill_null(0) >= LARGE_FILE
        large, small = files.filter(is_large), files.filter(~is_large)
        found = read_within(self._paths(table, large), schema, limits)
        if len(small):
            # Of many small ones a scan is faster: it opens them side by side.
            scan = pyarrow.dataset.dataset(self._paths(table, small), schema=schema_of(table))
            rows = scan.to_table(columns=list(columns), filter=limits.as_filter())
            found = pa.concat_tables([found, rows.cast(schema)]).unify_dictionaries()
        return superseded(found)

    def sizes(self, table: LogTable, schools: Sequence[str]) -> dict[str, int]:
        """How many versions of `table` there are of each of `schools`."""
        found = self._versions(table, pc.scalar(True), ["school"], schools)["school"]
        counted = {row["values"]: row["counts"] for row in pc.value_counts(found).to_pylist()}
        return {school: counted.get(school, 0) for school in schools}

    def files(self, table: LogTable) -> list[str]:
        """The active Parquet files of a table, for an engine that reads them by itself.

        Rows of deliveries that are not in `deliveries()` were left behind by a killed run.
        """
        stored = self._opened.now(table)
        paths = [] if stored is None else stored.files["path"].to_list()
        return [str(self._path(table) / unquote(path)) for path in paths]

    def read_additions(self, table: LogTable, after: int) -> pa.Table:
        """What deliveries after number `after` added: `school`, `known_at` and `sequence` only."""
        columns = ["school", "known_at", "sequence"]
        newer = pc.field("sequence") >= (after + 1) * ROWS_PER_DELIVERY
        return self._versions(table, newer, columns)

    def read_fingerprints(
        self, table: LogTable, schools: Sequence[str], since: str = "", until: str = ""
    ) -> pa.Table:
        """What a new delivery is compared with: all versions of these schools, without content.

        Of the records with a key of at least `since` and below `until`; blank: no bound.
        """
        columns = ["school", "record_key", "recorded_at", "known_at", "sequence", "fingerprint"]
        spoken_of = pc.list_flatten(self.deliveries()["schools"]).to_pylist()
        if not set(spoken_of) & set(schools):
            # A school that is new to the log: nothing to look for.
            return pa.schema([schema_of(table).field(name) for name in columns]).empty_table()
        wanted = pc.field("record_key") >= since if since else pc.scalar(True)
        if until:
            wanted = wanted & (pc.field("record_key") < until)
        return self._versions(table, wanted, columns, schools)

    def schools_in(self, table: LogTable, schools: Sequence[str]) -> set[str]:
        """Which of `schools` have a version of any record in `table`."""
        return {
            school
            for school in schools
            if self._versions(table, pc.scalar(True), ["school"], [school]).num_rows
        }

    def _versions(
        self,
        table: LogTable,
        wanted: pc.Expression,
        columns: list[str] | None = None,
        schools: Sequence[str] | None = None,
    ) -> pa.Table:
        # What is visible is read first: rows that are committed after this are left out whole.
        visible = self.deliveries()["delivery"]
        schema = schema_of(table)
        stored = self._opened.now(table)
        if not len(visible) or stored is None:
            return schema.empty_table().select(columns or schema.names)
        if schools is not None:
            wanted = wanted & pc.field("school").isin(pa.array(schools, pa.string()))
        wanted = wanted & pc.field("delivery").isin(visible.combine_chunks())
        dataset = self._dataset(table, stored, schools, schema)
        return dataset.to_table(columns=columns or schema.names, filter=wanted)

    def _dataset(
        self, table: str, stored: TableNow, schools: Sequence[str] | None, schema: pa.Schema
    ) -> pyarrow.dataset.Dataset:
        """The active files that can hold rows of these schools.

        Chosen by the bounds Delta keeps of each file, all at once: `to_pyarrow_dataset` does so
        file by file, which takes longer than the reading.
        """
        files = stored.files if schools is None else _of_schools(stored.files, schools)
        return pyarrow.dataset.dataset(self._paths(table, files), schema=schema, format="parquet")

    def _paths(self, table: str, files: pl.DataFrame) -> list[str]:
        return [str(self._path(table) / unquote(path)) for path in files["path"].to_list()]

    def _append_rows(self, table: LogTable, content: pa.Table, name: str, first: int) -> None:
        assert first % ROWS_PER_DELIVERY + content.num_rows < ROWS_PER_DELIVERY
        stamped = content.append_column(
            "delivery", pa.repeat(pa.scalar(name), content.num_rows)
        ).append_column("sequence", pa.array(np.arange(first, first + content.num_rows)))
        schema = schema_of(table)
        # Sorted by school, so that a read for one school can skip the rest of a file.
        rows = stamped.select(schema.names).cast(schema)
        if not pl.Series(rows["school"]).is_sorted():
            rows = rows.sort_by("school")
        # A column that a later release added joins the table with the first delivery that has it.
        write_deltalake(
            str(self._path(table)),
            rows,
            mode="append",
            schema_mode="merge",
            writer_properties=_WRITING,
        )

    def _commit(
        self, delivery: DeliveryRows, number: int, name: str, schools: list[str], rows: int
    ) -> None:
        row = {
            "number": number,
            "delivery": name,
            "received_at": delivery.received_at,
            "digest": delivery.digest,
            "schools": schools,
            "rows": rows,
        }
        # Written whole each time: one small file, read at every look into the log.
        rows_so_far = pa.concat_tables([self.deliveries(), pa.Table.from_pylist([row], DELIVERIES)])
        write_deltalake(str(self._path("deliveries")), rows_so_far, mode="overwrite")
        log.info("delivery %s: %d new versions for %d schools", name, rows, len(schools))

    @property
    def _pending(self) -> Path:
        return self.root / "pending.json"

    def _announce(self, name: str) -> None:
        # On disk before the first row is: a killed run can always be told from a finished one.
        with self._pending.open("w", encoding="utf-8") as file:
            json.dump({"delivery": name}, file)
            file.flush()
            os.fsync(file.fileno())

    def _remove_leftovers(self) -> None:
        if not self._pending.exists():
            return
        try:
            name = str(json.loads(self._pending.read_text(encoding="utf-8"))["delivery"])
        except (ValueError, KeyError):
            # Killed while announcing: no row was written yet.
            name = ""
        visible = set(self.deliveries()["delivery"].to_pylist())
        if name and name not in visible:
            log.info("removing what an interrupted delivery %s left behind", name)
            for table in LogTable:
                if DeltaTable.is_deltatable(str(self._path(table))):
                    DeltaTable(str(self._path(table))).delete(f"delivery = '{name}'")
        self._pending.unlink()

    def _path(self, table: str) -> Path:
        return self.root / table


def _of_schools(files: pl.DataFrame, schools: Sequence[str]) -> pl.DataFrame:
    """The files that can hold rows of these schools, by the bounds Delta keeps of each."""
    low, high = pl.col("min.school"), pl.col("max.school")
    can_hold = [(low <= school) & (high >= school) for school in schools]
    return files.filter(pl.any_horizontal(pl.lit(False), *can_hold).fill_null(True))


def _moment(moment: datetime) -> pa.Scalar:
    assert moment.tzinfo is not None, "a moment without a time zone cannot be compared"
    return pa.scalar(moment, MOMENT)


def _of_pupils(table: LogTable, pupil_keys: Sequence[str] | None) -> pc.Expression:
    if pupil_keys is None:
        return pc.scalar(True)
    assert "pupil_key" in schema_of(table).names, f"{table} has no pupils"
    return pc.field("pupil_key").isin(pa.array(pupil_keys, pa.string()))
