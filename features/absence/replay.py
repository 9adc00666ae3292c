"""The days and weeks of one pupil, moved from moment to moment as knowledge comes in (compiled).

Of a pupil with a hundred records in three years one or two change from one Monday to the next. So
a step settles only the days that a version touches which begins or ceases to count, or whose
planned minutes changed, and adds up again only from the earliest week in which something did.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from features.absence.cells import day_of_part, measure_day, part_of, settle, write_parts
from features.absence.planning import group_of_week, plan_changes, plan_days
from features.absence.pupil import ANY, HALF, SICK, Cells, Pupil, Weeks, write_events
from features.absence.quantities import (
    ABSENT,
    ABSENT_DAYS,
    CORRECTED_RECORDS,
    COUNTED,
    ELSEWHERE,
    LATE_RECORDS,
    OF_DAYS,
    PLANNED,
    QUANTITIES,
    RECORDS,
    SCHEDULED_WEEKS,
    SICK_DAYS,
    TIMED_RECORDS,
    UNREGISTERED,
)
from features.absence.registration import Known, Silence, week_of_start
from features.absence.versions import Versions
from features.compiled import compiled

DAYS_UP_TO = np.array(
    [[(days & (2 << last) - 1).bit_count() for last in range(7)] for days in range(128)]
)
"""By the days of a week (a bit each, 1: Monday) and a weekday: how many there are up to it."""


class School(NamedTuple):
    """Everything known of one school at any of the moments."""

    known: Known
    silence: Silence


@compiled
def begin(school: School, pupil: int, now: Pupil) -> None:
    """Make room `now` the pupil before the first moment."""
    known, weeks = school.known, now.weeks
    write_events(known.versions, pupil, now.events)
    _write_cells(known.versions, pupil, known.today, now.cells)
    for week in range(len(weeks.minutes)):
        weeks.minutes[week], weeks.days[week], weeks.group[week] = 0, 0, -1
        for number in range(QUANTITIES):
            weeks.sums[week, number] = 0


@compiled
def _write_cells(versions: Versions, pupil: int, today: NDArray[np.int64], cells: Cells) -> None:
    weeks = len(cells.of_week) - 1
    parts = write_parts(versions, pupil, 7 * weeks, today, cells.parts)
    for week in range(weeks + 1):
        cells.of_week[week] = 0
    number, before = 0, -1
    for at in range(parts):
        day = day_of_part(cells.parts[at])
        if day != before:
            cells.begin[number], cells.day[number], cells.marks[number] = at, day, 0
            for quantity in range(OF_DAYS):
                cells.adds[number, quantity] = 0
            cells.of_week[day // 7 + 1] += 1
            number += 1
            before = day
    cells.begin[number] = parts
    cells.number[0] = number
    for week in range(weeks):
        cells.of_week[week + 1] += cells.of_week[week]


@compiled
def advance(school: School, pupil: int, moment: int, now: Pupil) -> int:
    """Move a pupil to `moment`, the next one; give the earliest week whose sums may differ."""
    known, silence = school.known, school.silence
    over = known.weeks_over[moment]
    before = known.weeks_over[moment - 1] if moment > 0 else 0
    earliest = before
    if plan_changes(known.plans, known.placements, known.own, pupil, moment):
        earliest = min(earliest, _plan(school, pupil, moment, now))
    if now.events.first[moment] >= 0:
        earliest = min(earliest, _take_news(school, pupil, moment, now))
    for at in range(silence.begin[moment], silence.begin[moment + 1]):
        week = silence.weeks[at]
        if _register(school, moment, week, now.weeks):
            earliest = min(earliest, week)
    for week in range(before, over):
        _register(school, moment, week, now.weeks)
    sums, totals = now.weeks.sums, now.weeks.totals
    for week in range(earliest, over):
        for number in range(QUANTITIES):
            totals[week + 1, number] = totals[week, number] + sums[week, number]
    _place(now, earliest, over)
    return earliest


@compiled
def _place(now: Pupil, first_week: int, end_week: int) -> None:
    """Number the days with a record among the days that count, in some weeks."""
    cells, weeks = now.cells, now.weeks
    for cell in range(cells.of_week[first_week], cells.of_week[max(first_week, end_week)]):
        day = cells.day[cell]
        week = day // 7
        in_week = DAYS_UP_TO[weeks.days[week], day % 7]
        cells.place[cell] = weeks.totals[week, COUNTED] + in_week


@compiled
def _plan(school: School, pupil: int, moment: int, now: Pupil) -> int:
    """Plan the days of the pupil anew; the earliest week in which something differs."""
    known, days, weeks, cells = school.known, now.days, now.weeks, now.cells
    plan_days(known.plans, known.placements, known.own, pupil, moment, days.minutes, days.group)
    earliest = len(weeks.minutes)
    for week in range(len(weeks.minutes) - 1, -1, -1):
        if _plan_week(now, week):
            if week < known.weeks_over[moment]:
                _register(school, moment, week, weeks)
            earliest = week
    for cell in range(cells.number[0]):
        planned = days.minutes[cells.day[cell]]
        if moment == 0:
            # Nothing counts yet.
            cells.planned[cell] = planned
        elif cells.planned[cell] != planned:
            earliest = min(earliest, _settle(school, moment, cell, now))
    return earliest


@compiled
def _plan_week(now: Pupil, week: int) -> bool:
    """Take over what is planned in a week; whether that is other than it was."""
    days, weeks = now.days, now.weeks
    minutes, planned = 0, 0
    for weekday in range(7):
        of_day = days.minutes[7 * week + weekday]
        minutes += of_day
        planned |= (of_day > 0) << weekday
    group = group_of_week(days.minutes, days.group, week)
    is_other = (
        minutes != weeks.minutes[week] or planned != weeks.days[week] or group != weeks.group[week]
    )
    weeks.minutes[week], weeks.days[week], weeks.group[week] = minutes, planned, group
    weeks.sums[week, SCHEDULED_WEEKS] = minutes > 0
    return is_other  # type: ignore[no-any-return]


@compiled
def _take_news(school: School, pupil: int, moment: int, now: Pupil) -> int:
    """Take over which versions begin and cease to count; the earliest week that they touch."""
    known, events, cells = school.known, now.events, now.cells
    versions, first = known.versions, known.versions.begin[pupil]
    weeks = len(now.weeks.minutes)
    earliest = weeks
    event = events.first[moment]
    while event >= 0:
        version = versions.order[first + event // 2]
        events.counts[event // 2] = event % 2 == 0
        week = week_of_start(versions, version)
        if 0 <= week < weeks:
            _count_record(versions, version, 1 - 2 * (event % 2), now.weeks.sums[week])
            earliest = min(earliest, week)
        event = events.following[event]
    event = events.first[moment]
    while event >= 0:
        part = part_of(versions, versions.order[first + event // 2], 7 * weeks, known.today)
        if part.first <= part.last:
            cell = cells.of_week[part.first // 7]
            while cells.day[cell] < part.first:
                cell += 1
            while cell < cells.number[0] and cells.day[cell] <= part.last:
                earliest = min(earliest, _settle(school, moment, cell, now))
                cell += 1
        event = events.following[event]
    return earliest


@compiled
def _count_record(versions: Versions, version: int, sign: int, sums: NDArray[np.int32]) -> None:
    sums[RECORDS] += sign
    if versions.is_timed[version]:
        sums[TIMED_RECORDS] += sign
    if versions.is_late[version]:
        sums[LATE_RECORDS] += sign
    if versions.is_corrected[version]:
        sums[CORRECTED_RECORDS] += sign


@compiled
def _settle(school: School, moment: int, cell: int, now: Pupil) -> int:
    """Settle one cell and the sums of its week, which is given."""
    cells, weeks = now.cells, now.weeks
    day = cells.day[cell]
    planned, week = now.days.minutes[day], day // 7
    first, end = cells.begin[cell], cells.begin[cell + 1]
    is_early = settle(cells.parts, first, end, now.events.counts, planned, now.minutes)
    measure_day(now.minutes, planned, is_early, now.adds)
    for number in range(OF_DAYS):
        weeks.sums[week, number] += now.adds[number] - cells.adds[cell, number]
        cells.adds[cell, number] = now.adds[number]
    cells.planned[cell] = planned
    cells.marks[cell] = (
        ANY * (now.adds[ABSENT] > 0) + HALF * now.adds[ABSENT_DAYS] + SICK * now.adds[SICK_DAYS]
    )
    if week < school.known.weeks_over[moment]:
        _register(school, moment, week, weeks)
    return week  # type: ignore[no-any-return]


@compiled
def _register(school: School, moment: int, week: int, weeks: Weeks) -> bool:
    """Set what counts as planned in a week that is over; whether that is other than it was."""
    sums, group = weeks.sums[week], weeks.group[week]
    # Absence that began in an earlier week is known time in this one.
    is_unregistered = (
        group >= 0
        and school.silence.is_silent[moment, week, group]
        and sums[ABSENT] == 0
        and sums[ELSEWHERE] == 0
    )
    minutes, days = weeks.minutes[week], DAYS_UP_TO[weeks.days[week], 6]
    if is_unregistered:
        minutes, days = 0, 0
    is_other = sums[PLANNED] != minutes or sums[UNREGISTERED] != is_unregistered
    sums[PLANNED], sums[COUNTED], sums[UNREGISTERED] = minutes, days, is_unregistered
    return is_other  # type: ignore[no-any-return]
