"""The versions of whole schools as one value, and at which of some moments each version counts."""

import functools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from features.records.log import ROWS_PER_DELIVERY, RecordLog
from features.records.schema import MOMENT, LogTable

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NEVER = np.iinfo(np.int64).max


@dataclass(frozen=True)
class PartitionTables:
    """All that features of some schools are computed from: versions with `superseded_at`.

    Features of a pupil need the whole school, because they compare a pupil with the group and
    find weeks in which nothing was registered.
    """

    absence: pa.Table
    support: pa.Table
    placements: pa.Table
    timetable: pa.Table
    calendar: pa.Table
    schools: pa.Table

    @property
    def school_codes(self) -> list[str]:
        """The schools of this partition, sorted."""
        return sorted(pc.unique(self.schools["school"]).to_pylist())

    def of_school(self, school: str) -> "PartitionTables":
        """The rows of one school."""
        wanted = pc.field("school") == school
        return PartitionTables(**{name: table.filter(wanted) for name, table in vars(self).items()})


_TABLES = {name: LogTable(name) for name in PartitionTables.__dataclass_fields__}


def read_partition(
    log: RecordLog, schools: str | Sequence[str], known_before: datetime
) -> PartitionTables:
    """Every version of the records of `schools` that was known before `known_before`."""
    wanted = [schools] if isinstance(schools, str) else list(schools)
    return PartitionTables(
        **{
            name: log.read_versions(table, schools=wanted, known_before=known_before)
            for name, table in _TABLES.items()
        }
    )


_OF_ABSENCE = (
    "school",
    "pupil_key",
    "starts_at",
    "ends_at",
    "minutes",
    "kind",
    "record_key",
    "known_at",
    "known_at_basis",
    "withdrawn",
    "sequence",
)


def read_for_features(
    log: RecordLog, schools: Sequence[str], known_before: datetime
) -> PartitionTables:
    """The same as `read_partition`, but of absence only what features are made of, in no order."""
    others = {
        name: log.read_versions(table, schools=schools, known_before=known_before)
        for name, table in _TABLES.items()
        if table is not LogTable.ABSENCE
    }
    absence = log.read_columns(
        LogTable.ABSENCE, _OF_ABSENCE, schools=schools, known_before=known_before
    )
    return PartitionTables(absence=absence, **others)


def read_each(
    log: RecordLog, schools: Sequence[str], known_before: datetime, together: int
) -> Iterator[tuple[str, PartitionTables]]:
    """Each of `schools` with its tables, in order; `together` of them are read in one go.

    Opening the tables of the log costs more than reading one school; memory holds one such part.
    """
    for first in range(0, len(schools), together):
        part = schools[first : first + together]
        yield from apart(read_partition(log, part, known_before), part)


def apart(tables: PartitionTables, schools: Sequence[str]) -> Iterator[tuple[str, PartitionTables]]:
    """The tables of each school, by one sort of each table instead of a search per school."""
    codes = pa.array(schools, pa.string())
    sorted_: dict[str, tuple[pa.Table, NDArray[np.int64]]] = {}
    for name, table in vars(tables).items():
        code = pc.fill_null(pc.index_in(table["school"], value_set=codes), -1).to_numpy()
        order = np.argsort(code, kind="stable")
        ends = np.searchsorted(code[order], np.arange(len(schools) + 1))
        sorted_[name] = table.take(pa.array(order)), ends
    for number, school in enumerate(schools):
        yield (
            school,
            PartitionTables(
                **{
                    name: table.slice(ends[number], ends[number + 1] - ends[number])
                    for name, (table, ends) in sorted_.items()
                }
            ),
        )


def earliest_news(log: RecordLog, after: int) -> dict[tuple[int, str], datetime]:
    """Per delivery after number `after` and school: since when the first thing it added was known.

    What was known at a moment is settled by the versions known strictly before it. So everything
    computed for a moment of a school from the first `after` deliveries stands, unless a later one
    added something to that school that was known before that moment: recorded late, corrected,
    withdrawn or delivered late.
    """
    earliest: dict[tuple[int, str], datetime] = {}
    for table in _TABLES.values():
        added = log.read_additions(table, after)
        number = pc.divide(added["sequence"], ROWS_PER_DELIVERY)
        found = added.append_column("number", number).group_by(["number", "school"])
        for row in found.aggregate([("known_at", "min")]).to_pylist():
            place = row["number"], row["school"]
            earliest[place] = min(row["known_at_min"], earliest.get(place, row["known_at_min"]))
    return earliest


def read_pupil(log: RecordLog, school: str, pupil_key: str, as_of: datetime) -> PartitionTables:
    """What was known at `as_of` about one pupil, with the calendar and timetable of the school.

    Enough for the days of that pupil, not for features, which need the whole school.
    """
    tables = {
        name: log.read_as_of(
            table,
            as_of,
            schools=[school],
            pupil_keys=[pupil_key] if table.is_about_pupils else None,
        )
        for name, table in _TABLES.items()
    }
    return PartitionTables(
        **{
            name: table.append_column("superseded_at", pa.nulls(table.num_rows, MOMENT))
            for name, table in tables.items()
        }
    )


@dataclass(frozen=True)
class Lifetimes:
    """Per version: the number of the first moment at which it counts, and of the first after it.

    A version counts at moment number k when `first <= k < end`; one that never counts has
    `end <= first`.
    """

    first: NDArray[np.int64]
    end: NDArray[np.int64]

    def at(self, moment: int) -> NDArray[np.bool_]:
        """Which versions count at moment number `moment`."""
        return (self.first <= moment) & (moment < self.end)

    def of(self, versions: NDArray[np.int64], moment: int) -> NDArray[np.bool_]:
        """Which of these `versions` count at moment number `moment`."""
        return (self.first[versions] <= moment) & (moment < self.end[versions])

    def ever(self) -> NDArray[np.bool_]:
        """Which versions count at one of the moments at least."""
        return self.first < self.end

    def changed_at(self, moment: int) -> NDArray[np.int64]:
        """The numbers of the versions that begin or cease to count at moment number `moment`."""
        versions, moments = self._changes
        low, high = np.searchsorted(moments, [moment, moment + 1])
        return versions[low:high]

    @functools.cached_property
    def _changes(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        ever = np.flatnonzero(self.ever())
        versions = np.concatenate([ever, ever])
        moments = np.concatenate([self.first[ever], self.end[ever]])
        order = np.argsort(moments, kind="stable")
        return versions[order], moments[order]


def lifetimes(versions: pa.Table, moments: Sequence[datetime]) -> Lifetimes:
    """At which of the ascending `moments` each version counts.

    A version counts at t when it was known strictly before t, was not superseded strictly before
    t, and does not withdraw its record.
    """
    edges = np.array([(m - _EPOCH) // timedelta(microseconds=1) for m in moments], dtype=np.int64)
    assert (np.diff(edges) > 0).all(), "moments must ascend"
    first = np.searchsorted(edges, _microseconds(versions["known_at"]), side="right")
    end = np.searchsorted(edges, _microseconds(versions["superseded_at"]), side="right")
    withdrawn = versions["withdrawn"].to_numpy()
    return Lifetimes(first.astype(np.int64), np.where(withdrawn, first, end).astype(np.int64))


def _microseconds(moments: pa.ChunkedArray) -> NDArray[np.int64]:
    filled = pc.fill_null(moments.cast(pa.int64()), _NEVER)
    values: NDArray[np.int64] = filled.to_numpy()
    return values
