"""The days of the pupils of one school as known at one moment."""

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from features.absence.cells import settle
from features.absence.planning import enrolment_start, placement_on
from features.absence.pupil import Pupil
from features.absence.pupils import Placements, Pupils
from features.absence.quantities import TIMED, UNREGISTERED
from features.absence.replay import School, advance, begin
from features.absence.schools import KnownSchool, KnownSchools
from features.absence.span import Span
from features.compiled import compiled
from features.records.partition import PartitionTables
from features.school_weeks import SchoolWeeks


class LaidOut(NamedTuple):
    """What each pupil's days come to: [pupils, days], `minutes` [kinds, pupils, days].

    `group` is -1 on days on which the pupil is not placed. `is_registered` marks the days of weeks
    that are not unregistered.
    """

    planned: NDArray[np.int16]
    group: NDArray[np.int16]
    minutes: NDArray[np.int16]
    late: NDArray[np.int16]
    sent_out: NDArray[np.int16]
    is_registered: NDArray[np.bool_]


def lay_out(known: KnownSchool) -> LaidOut:
    """The days of the pupils of one school at the first moment."""
    shape = (known.end - known.first, known.school.known.plans.minutes.shape[2])
    days = LaidOut(
        np.zeros(shape, np.int16),
        np.zeros(shape, np.int16),
        np.zeros((TIMED, *shape), np.int16),
        np.zeros(shape, np.int16),
        np.zeros(shape, np.int16),
        np.ones(shape, bool),
    )
    _lay_out(known.school, known.first, known.end, known.room, days)
    return days


@compiled
def _lay_out(school: School, first: int, end: int, pupil: Pupil, out: LaidOut) -> None:
    for at in range(end - first):
        begin(school, first + at, pupil)
        advance(school, first + at, 0, pupil)
        for day in range(out.planned.shape[1]):
            out.planned[at, day] = pupil.days.minutes[day]
            out.group[at, day] = pupil.days.group[day]
            out.is_registered[at, day] = pupil.weeks.sums[day // 7, UNREGISTERED] == 0
        cells = pupil.cells
        for cell in range(cells.number[0]):
            day, parts, last = cells.day[cell], cells.begin[cell], cells.begin[cell + 1]
            planned = cells.planned[cell]
            settle(cells.parts, parts, last, pupil.events.counts, planned, pupil.minutes)
            # Most are nothing, and memory that is never written to costs next to nothing.
            for kind in range(TIMED):
                if pupil.minutes[kind] > 0:
                    out.minutes[kind, at, day] = pupil.minutes[kind]
            if pupil.minutes[TIMED] > 0:
                out.late[at, day] = pupil.minutes[TIMED]
            if pupil.minutes[TIMED + 1] > 0:
                out.sent_out[at, day] = pupil.minutes[TIMED + 1]


@dataclass(frozen=True)
class SchoolDays:
    """One school as known at one moment; `days` has a row per pupil with a placement ever.

    These are the pupils of `pupils` from number `first` up to `end`. `episode_days` are [days]
    (`features.absence.episodes`).
    """

    pupils: Pupils
    first: int
    end: int
    group_names: tuple[str, ...]
    weeks: SchoolWeeks
    episode_days: NDArray[np.int32]
    days: LaidOut

    @property
    def keys(self) -> pa.Array:
        """The pupils of the rows."""
        return self.pupils.keys.slice(self.first, self.end - self.first)

    @property
    def has_placement(self) -> NDArray[np.bool_]:
        """Of which pupils a placement was known at that moment."""
        placements = self.pupils.placements
        is_known = (placements.first <= 0) & (placements.end > 0)
        begin = placements.begin[self.first : self.end]
        if not len(begin):
            return np.zeros(0, bool)
        own = np.append(is_known[: placements.begin[self.end]], False)
        return np.add.reduceat(own, begin, dtype=np.int64) > 0

    def placed_on(self, day: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Per pupil the row of the placement on `day` (-1: none), and since when at the school."""
        rows = np.full(self.end - self.first, -1, np.int64)
        starts = np.zeros(len(rows), np.int64)
        _place(self.pupils.placements, self.first, day, rows, starts)
        return rows, starts


def days_of_school(schools: KnownSchools, number: int) -> SchoolDays:
    """The days of school number `number` at the first moment."""
    one = schools.school(number)
    return SchoolDays(
        pupils=schools.pupils,
        first=one.first,
        end=one.end,
        group_names=tuple(schools.pupils.groups[number]),
        weeks=one.plans.weeks[0],
        episode_days=one.plans.plans.episode_days[0],
        days=lay_out(one),
    )


def school_days(tables: PartitionTables, school: str, span: Span, as_of: datetime) -> SchoolDays:
    """The days of `span` of one school as known before `as_of`."""
    return days_of_school(KnownSchools(tables.of_school(school), [school], span, [as_of]), 0)


@compiled
def _place(
    placements: Placements,
    first: int,
    day: int,
    rows: NDArray[np.int64],
    starts: NDArray[np.int64],
) -> None:
    for at in range(len(rows)):
        rows[at] = placement_on(placements, first + at, 0, day)
        if rows[at] >= 0:
            starts[at] = enrolment_start(placements, first + at, 0, rows[at])
