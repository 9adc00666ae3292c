"""How far two sick days lie apart, which decides whether they are one episode.

A source that reports illness anew each day tells of one illness many times. Sick days that follow
each other among the counted days are one *episode* if they lie at most EPISODE_GAP_DAYS apart. How
that is measured is up to the school (`episodes_over_holidays` of its description): whether its
reports run on through a holiday, or are made anew after it (decision 0020).
"""

import numpy as np
from numpy.typing import NDArray

from features.absence.span import Span
from features.school_weeks import first_day_of, school_year_of

EPISODE_GAP_DAYS = 5
"""Sick days no further apart than this (a week-end with public holidays) are one episode."""

WEEK_END_DAYS = 2


def episode_days(
    school_days: NDArray[np.bool_], span: Span, over_holidays: bool
) -> NDArray[np.int32]:
    """A number per day of `span`; the difference of two is how far these days lie apart.

    Plainly their difference in days, so that a holiday week divides. With `over_holidays` days in a
    row without school count as a week-end, two days, however many they are; except those around
    1 August, which keep their number: a new school year begins with new episodes.

    >>> from datetime import date
    >>> span = Span(date(2026, 10, 5), 3)
    >>> flags = np.array([1, 1, 1, 1, 1, 0, 0] + [0] * 7 + [1, 1, 1, 1, 1, 0, 0], bool)
    >>> for over_holidays in (False, True):
    ...     friday, monday = episode_days(flags, span, over_holidays)[[4, 14]]
    ...     print(monday - friday)
    10
    3
    """
    number = np.arange(len(school_days), dtype=np.int32)
    if not over_holidays:
        return number
    last_school_day = np.maximum.accumulate(np.where(school_days, number, -1))
    counts = number - last_school_day <= WEEK_END_DAYS
    for year in range(school_year_of(span.first_day), school_year_of(span.last_day) + 1):
        august = span.number_of(first_day_of(year))
        if 0 <= august < len(number) and not school_days[august]:
            # Of one stretch without school are the days with the same last school day before them.
            counts |= ~school_days & (last_school_day == last_school_day[august])
    return np.cumsum(counts, dtype=np.int32)
