"""Quantities counted from days of pupils: absent days, runs, episodes, fixed weekdays."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from features.absence.measures import FlaggedDays, flagged_days
from features.vocabulary import AbsenceKind
from models.evidence import Days, Flags, Numbers, Quantity

Window = Callable[[Days], slice]
MOST_WEEKS = 40


def last(weeks: int, skip: int = 0) -> Window:
    """The last `weeks` school weeks before the `skip` most recent ones."""
    return lambda days: days.last_weeks(weeks, skip)


def previous_year(days: Days) -> slice:
    """The days of last school year."""
    return days.previous_year()


def total(of_day: Callable[[Days], NDArray[np.generic]], window: Window) -> Quantity:
    """The sum of a quantity per day (a flag counts as one) over a window."""

    def value(days: Days) -> Numbers:
        chosen = window(days)
        return _known(days, chosen, of_day(days)[:, chosen].sum(axis=1, dtype=np.int64))

    return value


def share(minutes: Callable[[Days], NDArray[np.int16]], window: Window) -> Quantity:
    """Minutes of some kind divided by the planned minutes that count."""

    def value(days: Days) -> Numbers:
        chosen = window(days)
        missed = minutes(days)[:, chosen].sum(axis=1, dtype=np.int64)
        planned = np.where(days.counted, days.planned, 0)[:, chosen].sum(axis=1, dtype=np.int64)
        return _known(days, chosen, missed / np.maximum(planned, 1))

    return value


def flagged(flag: Callable[[Days], Flags], window: Window) -> Callable[[Days], Flags]:
    """The days with `flag` inside a window."""

    def chosen(days: Days) -> Flags:
        inside = np.zeros(days.planned.shape, np.bool_)
        inside[:, window(days)] = True
        return np.asarray(flag(days) & inside)

    return chosen


def is_absent(days: Days) -> Flags:
    """Days with at least half of the planned time absent."""
    return days.is_absent


def some_absence(days: Days) -> Flags:
    """Days with any time absent."""
    return np.asarray(days.absent > 0)


def part_day(days: Days) -> Flags:
    """Days with some time, but less than half, absent."""
    return some_absence(days) & ~days.is_absent


def sick(days: Days) -> Flags:
    """Days with any time sick."""
    return np.asarray(days.minutes[AbsenceKind.SICK] > 0)


def unauthorised(days: Days) -> NDArray[np.int16]:
    """Minutes absent without authorisation."""
    return days.unauthorised


def unverified(days: Days) -> NDArray[np.int16]:
    """Minutes absent for a reason not yet known."""
    return days.minutes[AbsenceKind.UNVERIFIED]


def unauthorised_hours(window: Window) -> Quantity:
    """Hours absent without authorisation."""
    minutes = total(unauthorised, window)
    return lambda days: minutes(days) / 60


def sick_episodes(window: Window) -> Quantity:
    """Stretches of sick days; a week-end, or by the school's setting a holiday, divides none."""

    def value(days: Days) -> Numbers:
        chosen = window(days)
        number = _days_in(days, chosen, sick(days)).episodes(days.episode_days)
        return _known(days, chosen, number)

    return value


def current_run(days: Days) -> Numbers:
    """Counted days in a row up to now with any time absent."""
    window = days.last_weeks(MOST_WEEKS)
    return _known(days, window, _days_in(days, window, some_absence(days)).current_run())


def current_run_days(days: Days) -> Flags:
    """The days of the current run of the first pupil."""
    flags = np.zeros(days.planned.shape, np.bool_)
    length = current_run(days)[0]
    if length > 0:
        flags[0, np.flatnonzero(days.counted[0])[-int(length) :]] = True
    return flags


def longest_run(window: Window) -> Quantity:
    """Most absent days in a row."""
    return lambda days: _known(
        days, window(days), _days_in(days, window(days), days.is_absent).longest_run()
    )


def longest_run_days(window: Window) -> Callable[[Days], Flags]:
    """The days of the longest run of the first pupil; of equal ones the first."""

    def chosen(days: Days) -> Flags:
        flags = np.zeros(days.planned.shape, np.bool_)
        inside = window(days)
        counted = np.flatnonzero(days.counted[0, inside]) + inside.start
        length, best = int(np.nan_to_num(longest_run(window)(days)[0])), 0
        for at, day in enumerate(counted):
            best = best + 1 if days.is_absent[0, day] else 0
            if length and best == length:
                flags[0, counted[at + 1 - length : at + 1]] = True
                break
        return flags

    return chosen


def single_days(window: Window) -> Callable[[Days], Flags]:
    """Absent days with no absent day on the counted day before or after them."""

    def chosen(days: Days) -> Flags:
        flags = np.zeros(days.planned.shape, np.bool_)
        single = _days_in(days, window(days), days.is_absent).single()
        flags[single.pupil, single.day] = True
        return flags

    return chosen


def edge_days(window: Window) -> Callable[[Days], Flags]:
    """Single days beside a day without school."""

    def chosen(days: Days) -> Flags:
        school = days.weeks.school_days[: days.planned.shape[1] + 1]
        free_before = np.r_[True, ~school[:-1]][: days.planned.shape[1]]
        free_after = ~np.r_[school, True][1 : days.planned.shape[1] + 1]
        return np.asarray(single_days(window)(days) & (free_before | free_after))

    return chosen


def weekday_share(days: Days) -> Numbers:
    """Largest share of one weekday among the days with any absence, of 12 school weeks."""
    window = days.last_weeks(12)
    return _days_in(days, window, some_absence(days)).weekday_concentration()


def _days_in(days: Days, window: slice, flag: Flags) -> FlaggedDays:
    # Flagged days keep their number among all days: `single_days` looks them up.
    number = np.arange(days.planned.shape[1], dtype=np.int64)[window]
    return flagged_days(days.counted[:, window].T, flag[:, window].T, number)


def _known(days: Days, window: slice, values: NDArray[np.generic]) -> Numbers:
    has_time = days.counted[:, window].any(axis=1)
    return np.where(has_time, values.astype(np.float64), np.nan)
