"""Windows of weeks before a Monday."""

from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray

from features.school_weeks import SchoolWeeks, first_day_of, school_year_of

Flags = NDArray[np.bool_]


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
        return self.school_weeks.week_of(self.as_of)

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


def is_beside_free_day(weeks: SchoolWeeks, days: NDArray[np.signedinteger[Any]]) -> Flags:
    """Per day number: is there no school on the calendar day before or after it?"""
    is_school_day = np.pad(weeks.school_days, 1)
    return np.asarray(~is_school_day[days] | ~is_school_day[days + 2])
