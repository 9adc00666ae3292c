"""The feature rows of one school: pupil by pupil, each through all Mondays (compiled).

A pupil's days and sums stay in the processor's cache that way. What a pupil is compared with, the
others of the group, is added up on the way and taken in at the end.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from features.absence.features import (
    ABSENCE,
    Shares,
    absence_features,
    add_shares,
    advance,
    begin,
    deviate,
    room_for_shares,
)
from features.absence.planning import placement_on
from features.absence.pupil import Pupil
from features.absence.replay import School
from features.absence.schools import KnownSchool
from features.absence.windows import W12, W40
from features.build.career import CAREER, SchoolYear, YearGroups, career
from features.compiled import compiled
from features.elapsed import SchoolClock
from features.support import SUPPORT, SupportVersions, support

_SUPPORT = len(ABSENCE)
_CAREER = _SUPPORT + len(SUPPORT)
NAMES = (*ABSENCE, *SUPPORT, *CAREER)
"""Every feature in the order in which the rows of a school are written."""


class Mondays(NamedTuple):
    """What one school's Mondays are, one entry each.

    `is_known`: the school is. `windows` are weeks, [Mondays, WINDOWS, 2]; `before` the school weeks
    before each week, [Mondays, weeks + 1]. `began` and `last_began` are the first days of the
    school year and of the one before; `month` counts from year 0; `earliest` is the first day of
    enrolment that is known.
    """

    is_known: NDArray[np.bool_]
    windows: NDArray[np.int64]
    before: NDArray[np.int64]
    began: NDArray[np.int64]
    last_began: NDArray[np.int64]
    month: NDArray[np.int64]
    earliest: NDArray[np.int64]
    is_after_primary: NDArray[np.bool_]


class SchoolRows(NamedTuple):
    """The rows of one school: `values` [features, rows], pupil numbers and their placements."""

    values: NDArray[np.float32]
    pupil: NDArray[np.int32]
    placement: NDArray[np.int32]


def feature_rows(
    known: KnownSchool, mondays: Mondays, supported: SupportVersions, groups: YearGroups
) -> tuple[NDArray[np.int64], SchoolRows]:
    """How many rows each Monday has, and the rows, by Monday and then by pupil."""
    moments, number = len(mondays.is_known), known.school.known.plans.minutes.shape[1]
    counts = np.zeros(moments, np.int64)
    _count_rows(known.school, mondays.is_known, known.first, known.end, counts)
    rows = int(counts.sum())
    out = SchoolRows(
        np.empty((len(NAMES), rows), np.float32),
        np.empty(rows, np.int32),
        np.empty(rows, np.int32),
    )
    shares = room_for_shares(rows, moments, number)
    begin = np.cumsum(counts) - counts
    _write_rows(
        known.school,
        mondays,
        supported,
        groups,
        known.first,
        known.end,
        known.room,
        begin,
        shares,
        out,
    )
    deviate(known.school.known.placements, shares, counts, out.placement, out.values)
    return counts, out


@compiled
def _count_rows(
    school: School, is_known: NDArray[np.bool_], first: int, end: int, counts: NDArray[np.int64]
) -> None:
    today = school.known.today
    for pupil in range(first, end):
        for moment in range(len(is_known)):
            if is_known[moment]:
                placed = placement_on(school.known.placements, pupil, moment, today[moment])
                counts[moment] += placed >= 0


@compiled
def _write_rows(
    school: School,
    mondays: Mondays,
    supported: SupportVersions,
    groups: YearGroups,
    first: int,
    end: int,
    now: Pupil,
    row_of: NDArray[np.int64],
    shares: Shares,
    out: SchoolRows,
) -> None:
    """Write the rows of the pupils from `first` up to `end`; `row_of` is where Mondays begin."""
    known, values = school.known, out.values
    for pupil in range(first, end):
        begin(school, pupil, now)
        for moment in range(len(row_of)):
            advance(school, pupil, moment, now)
            if not mondays.is_known[moment]:
                continue
            placed = placement_on(known.placements, pupil, moment, known.today[moment])
            if placed < 0:
                continue
            row = row_of[moment]
            row_of[moment] += 1
            out.pupil[row], out.placement[row] = pupil, placed
            windows = mondays.windows[moment]
            plan = known.plans.number[moment]
            beside_free = known.plans.beside_free[plan]
            episode_days = known.plans.episode_days[plan]
            absence_features(now, windows, beside_free, episode_days, out.values, row)
            add_shares(now, windows, known.placements.group[placed], moment, shares, row)
            clock = SchoolClock(
                known.today[moment],
                known.weeks_over[moment],
                mondays.before[moment],
                7 * windows[W12, 0],
                7 * windows[W40, 0],
            )
            support(supported, pupil, moment, clock, values[_SUPPORT:], row)
            year = SchoolYear(
                mondays.began[moment],
                mondays.last_began[moment],
                mondays.month[moment],
                mondays.earliest[moment],
                mondays.is_after_primary[moment],
            )
            career(
                known.placements, groups, pupil, placed, moment, year, clock, values[_CAREER:], row
            )
