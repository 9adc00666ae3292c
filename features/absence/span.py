"""A span of whole weeks of days, as array positions."""

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from features.school_weeks import first_day_of, known_school_years, monday_of, school_year_of


@dataclass(frozen=True)
class Span:
    """Whole weeks of days from a Monday on; day number 0 is that Monday."""

    first_day: date
    weeks: int

    @property
    def days(self) -> int:
        """How many days the span has."""
        return self.weeks * 7

    @property
    def last_day(self) -> date:
        """The last day, a Sunday."""
        return self.first_day + timedelta(days=self.days - 1)

    def number_of(self, day: date) -> int:
        """The day number of `day`; outside the span it is below 0 or not below `days`."""
        return (day - self.first_day).days

    def numbers_of(self, days: pa.ChunkedArray, if_null: date) -> NDArray[np.int64]:
        """Day numbers of a column of dates."""
        filled = pc.fill_null(days, if_null).cast(pa.int32())
        numbers: NDArray[np.int64] = filled.to_numpy().astype(np.int64) - self.epoch_day
        return numbers

    @property
    def epoch_day(self) -> int:
        """Days from 1970 to the first day."""
        return (self.first_day - date(1970, 1, 1)).days


def span_between(first: date, last: date) -> Span:
    """The whole weeks that hold `first` to `last`, as far as holidays are on file for them.

    Before the first school year on file nothing counts as a school day: records from before it
    are not used.

    >>> span_between(date(2026, 11, 18), date(2026, 11, 30))
    Span(first_day=datetime.date(2026, 11, 16), weeks=3)
    >>> span_between(date(1999, 1, 1), date(2023, 8, 13)).first_day
    datetime.date(2023, 8, 7)
    """
    earliest = monday_of(first_day_of(known_school_years()[0]))
    if school_year_of(earliest) < known_school_years()[0]:
        earliest += timedelta(weeks=1)
    start = max(monday_of(first), earliest)
    return Span(start, max(1, (monday_of(last) - start).days // 7 + 1))


def span_for_features(first_as_of: date, last_as_of: date) -> Span:
    """The days that features of the Mondays `first_as_of` to `last_as_of` look at.

    It begins half a year before last school year, so that it holds at least 40 school weeks before
    the first Monday. It holds the week of the last Monday, whose own days are not looked at.
    """
    last_year = first_day_of(school_year_of(first_as_of) - 1)
    return span_between(last_year - timedelta(weeks=26), last_as_of)
