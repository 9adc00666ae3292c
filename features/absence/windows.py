"""Windows of weeks before a Monday."""

import functools
from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from features.school_weeks import SchoolWeeks, first_day_of, school_year_of

WINDOWS = (
    "1w",
    "2w",
    "4w",
    "8w",
    "12w",
    "26w",
    "40w",
    "8w_before",
    "this_year",
    "previous_year",
    "september",
)
"""Every window that features are made over; `window_weeks` gives them in this order."""

# NumPy's numbers: numba compiles a function anew for every constant of Python that it is given.
W1, W4, W12, W40, W8_BEFORE, THIS_YEAR, PREVIOUS_YEAR = (
    np.int64(WINDOWS.index(name))
    for name in ("1w", "4w", "12w", "40w", "8w_before", "this_year", "previous_year")
)


@dataclass(frozen=True)
class Weeks:
    """A window: weeks from number `first` up to, not including, `end`."""

    first: int
    end: int


@dataclass(frozen=True)
class Windows:
    """The windows of weeks before one Monday."""

    school_weeks: SchoolWeeks
    as_of: date

    @property
    def end(self) -> int:
        """The week of the Monday itself; no window reaches into it."""
        return max(0, self.school_weeks.week_of(self.as_of))

    def last(self, weeks: int) -> Weeks:
        """The last so many school weeks; what there is, if there are fewer."""
        return Weeks(self.school_weeks.window_start(self.as_of, weeks), self.end)

    def before_last(self, weeks: int, until: int) -> Weeks:
        """The last `weeks` school weeks without the last `until` of them."""
        return Weeks(self.last(weeks).first, self.last(until).first)

    def between(self, first: date, end: date) -> Weeks:
        """The weeks that begin from `first` up to, not including, `end`, before the Monday."""
        numbers = [-((self.school_weeks.first_monday - day).days // 7) for day in (first, end)]
        return Weeks(*(min(max(number, 0), self.end) for number in numbers))

    @property
    def this_year(self) -> Weeks:
        """The weeks that begin in the school year of the Monday, so far."""
        return Weeks(self.previous_year.end, self.end)

    @property
    def previous_year(self) -> Weeks:
        """The weeks that begin in the school year before that of the Monday."""
        year = school_year_of(self.as_of)
        return self.between(first_day_of(year - 1), first_day_of(year))

    @property
    def september(self) -> Weeks:
        """The weeks that begin in September of the school year of the Monday, so far."""
        year = school_year_of(self.as_of)
        return self.between(date(year, 9, 1), date(year, 10, 1))


def window_weeks(weeks: SchoolWeeks, as_of: date) -> NDArray[np.int64]:
    """The first week and the end of each of WINDOWS before the Monday `as_of`, [windows, 2]."""
    return _window_weeks(weeks.first_monday, weeks.is_school_week.tobytes(), as_of)


@functools.lru_cache(maxsize=20_000)
def _window_weeks(first_monday: date, is_school_week: bytes, as_of: date) -> NDArray[np.int64]:
    # Most schools of a region have the same weeks.
    flags = np.frombuffer(is_school_week, bool)
    windows = Windows(SchoolWeeks(first_monday, np.repeat(flags, 7)), as_of)
    found = [
        *(windows.last(weeks) for weeks in (1, 2, 4, 8, 12, 26, 40)),
        windows.before_last(12, until=4),
        windows.this_year,
        windows.previous_year,
        windows.september,
    ]
    return np.array([(window.first, window.end) for window in found], np.int64)
