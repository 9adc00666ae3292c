"""What one pupil had planned on which days, as known at one moment (compiled)."""

import numpy as np
from numpy.typing import NDArray

from features.absence.plans import OwnTimetables, Plans
from features.absence.pupils import Placements
from features.compiled import compiled

ENROLMENT_GAP_DAYS = 60
"""Placements at one school with no more days between them than a summer are one enrolment."""


@compiled
def plan_changes(
    plans: Plans, placements: Placements, own: OwnTimetables, pupil: int, moment: int
) -> bool:
    """Whether the days of a pupil may be planned otherwise at `moment` than at the one before."""
    if moment == 0 or plans.number[moment] != plans.number[moment - 1]:
        return True
    for row in range(placements.begin[pupil], placements.begin[pupil + 1]):
        first, end = placements.first[row], placements.end[row]
        if first < end and (first == moment or end == moment):
            return True
    for row in range(own.begin[pupil], own.begin[pupil + 1]):
        first, end = own.first[row], own.end[row]
        if first < end and (first == moment or end == moment):
            return True
    return False


@compiled
def placement_on(placements: Placements, pupil: int, moment: int, day: int) -> int:
    """The row of the placement that holds on `day`, as known at `moment`; -1 without one."""
    found = -1
    for row in range(placements.begin[pupil], placements.begin[pupil + 1]):
        is_known = placements.first[row] <= moment < placements.end[row]
        if is_known and placements.enrolled[row] <= day <= placements.left[row]:
            found = row
    return found


@compiled
def enrolment_start(placements: Placements, pupil: int, moment: int, row: int) -> int:
    """Since which day the pupil of placement `row` is at the school, as known at `moment`."""
    start, left = placements.enrolled[row], placements.enrolled[row]
    is_first = True
    for at in range(placements.begin[pupil], row + 1):
        if placements.first[at] <= moment < placements.end[at]:
            if is_first or placements.enrolled[at] - left > ENROLMENT_GAP_DAYS + 1:
                start = placements.enrolled[at]
            left, is_first = placements.left[at], False
    return int(start)


@compiled
def plan_days(
    plans: Plans,
    placements: Placements,
    own: OwnTimetables,
    pupil: int,
    moment: int,
    minutes: NDArray[np.int16],
    group: NDArray[np.int16],
) -> None:
    """Write the planned minutes and the group (-1: not placed) of every day of a pupil."""
    days, plan = len(minutes), plans.number[moment]
    for day in range(days):
        minutes[day], group[day] = 0, -1
    for row in range(placements.begin[pupil], placements.begin[pupil + 1]):
        if placements.first[row] <= moment < placements.end[row]:
            first = min(max(placements.enrolled[row], 0), days)
            end = min(max(placements.left[row] + 1, 0), days)
            for day in range(first, end):
                minutes[day] = plans.minutes[plan, placements.group[row], day]
                group[day] = placements.group[row]
    for row in range(own.begin[pupil], own.begin[pupil + 1]):
        if own.first[row] <= moment < own.end[row]:
            first = own.valid_from[row] + (own.weekday[row] - own.valid_from[row]) % 7
            for day in range(first, own.valid_to[row], 7):
                if group[day] >= 0 and plans.school_days[plan, day]:
                    minutes[day] = own.minutes[row]


@compiled
def group_of_week(minutes: NDArray[np.int16], group: NDArray[np.int16], week: int) -> int:
    """The group on the last planned day of a week; -1 without one."""
    for day in range(7 * week + 6, 7 * week - 1, -1):
        if minutes[day] > 0:
            return int(group[day])
    return -1
