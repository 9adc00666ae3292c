"""The days of pupils as known at one moment: for labels, and for a pupil's own calendar."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from features.absence.laid_out import SchoolDays, school_days
from features.absence.quantities import KINDS, TIMED
from features.absence.span import Span, span_between
from features.records.partition import PartitionTables
from features.school_weeks import SchoolWeeks
from features.vocabulary import ABSENT_KINDS, AbsenceKind, PupilKey


@dataclass(frozen=True)
class DayGrid:
    """Planned and absent minutes per pupil and day, from a Monday on, as known at one moment.

    Arrays are [pupils, days]. `minutes` holds the kinds of ABSENCE_PRIORITY; together they never
    exceed `planned`. `late` and `sent_out` are counts. `group` is a number in `group_names`, -1
    on days on which the pupil was not placed at this school. A day not yet over at that moment
    holds what was announced for it.
    """

    pupil_keys: list[PupilKey]
    first_day: date
    planned: NDArray[np.int16]
    minutes: Mapping[AbsenceKind, NDArray[np.int16]]
    late: NDArray[np.int16]
    sent_out: NDArray[np.int16]
    group: NDArray[np.int16]
    group_names: tuple[str, ...]
    school_weeks: SchoolWeeks

    @property
    def absent(self) -> NDArray[np.int16]:
        """Minutes not spent in education, all kinds that count as absent together."""
        return sum((self.minutes[kind] for kind in ABSENT_KINDS), np.zeros_like(self.planned))

    @property
    def dates(self) -> list[date]:
        """The date of every column."""
        return [self.first_day + timedelta(days=day) for day in range(self.planned.shape[1])]


def day_grid(
    tables: PartitionTables, school: str, as_of: datetime, first: date, last: date
) -> DayGrid:
    """The days of the whole weeks that hold `first` to `last`, as known before `as_of`.

    Open reports reach to the last day that was over at `as_of`. The grid begins no earlier than
    the first school year for which holidays are on file.
    """
    span = span_between(first, last)
    return grid_of(school_days(tables, school, span, as_of), span)


def grid_of(known: SchoolDays, span: Span, chosen: NDArray[np.bool_] | None = None) -> DayGrid:
    """The days of one school, of the `chosen` pupils (None: all) with a placement that is known."""
    is_known, days = known.has_placement, known.days
    if chosen is not None:
        is_known &= chosen
    # Most often everybody: then nothing is copied.
    rows: slice | NDArray[np.bool_] = slice(None) if is_known.all() else is_known
    return DayGrid(
        pupil_keys=[PupilKey(key) for key in known.keys.filter(pa.array(is_known)).to_pylist()],
        first_day=span.first_day,
        planned=days.planned[rows],
        minutes={kind: days.minutes[at][rows] for at, kind in enumerate(KINDS[:TIMED])},
        late=days.late[rows],
        sent_out=days.sent_out[rows],
        group=days.group[rows],
        group_names=known.group_names,
        school_weeks=known.weeks,
    )


@dataclass(frozen=True)
class PupilDays:
    """The days of one pupil, one entry per date: what the calendar of a pupil's page shows."""

    dates: tuple[date, ...]
    is_school_day: NDArray[np.bool_]
    planned: NDArray[np.int16]
    minutes: Mapping[AbsenceKind, NDArray[np.int16]]
    late: NDArray[np.int16]
    sent_out: NDArray[np.int16]


def pupil_days(
    tables: PartitionTables,
    school: str,
    pupil_key: str,
    as_of: datetime,
    monday: date,
    weeks: int = 40,
) -> PupilDays | None:
    """The last `weeks` school weeks before `monday` of one pupil, as known before `as_of`.

    The dates run from the first of those weeks to the Sunday before `monday`, holidays included.
    `tables` may hold the records of this pupil only. None: no placement of the pupil is known.
    """
    # A school year has about 40 school weeks: twice the calendar weeks and a summer are enough.
    first = monday - timedelta(weeks=2 * weeks + 12)
    grid = day_grid(tables, school, as_of, first, monday)
    if pupil_key not in grid.pupil_keys:
        return None
    pupil = grid.pupil_keys.index(PupilKey(pupil_key))
    begin = grid.school_weeks.window_start(monday, weeks) * 7
    end = grid.school_weeks.week_of(monday) * 7
    return PupilDays(
        dates=tuple(grid.dates[begin:end]),
        is_school_day=grid.school_weeks.school_days[begin:end],
        planned=grid.planned[pupil, begin:end],
        minutes={kind: days[pupil, begin:end] for kind, days in grid.minutes.items()},
        late=grid.late[pupil, begin:end],
        sent_out=grid.sent_out[pupil, begin:end],
    )
