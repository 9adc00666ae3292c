"""The region's clock: its school weeks, the seasons of illness and one flu wave per winter."""

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
from numpy.typing import NDArray

from features.school_weeks import (
    first_day_of,
    national_school_days,
    school_year_of,
)
from features.synthetic.parameters import AFTER_LONG_HOLIDAY, HORIZON_WEEKS
from features.vocabulary import Region

Days = NDArray[np.datetime64]
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]

# Per calendar month, August to July: how often illness starts, against the year's mean.
SEASON = (0.7, 0.7, 0.9, 1.1, 1.3, 1.4, 1.5, 1.3, 1.0, 0.8, 0.7, 0.7)
WEEKDAY = (1.14, 0.93, 0.76, 0.97, 1.30)
"""How often illness starts on Monday to Friday, against the week's mean."""


@dataclass(frozen=True)
class RegionTime:
    """School days of the region up to `last`, and its school weeks up to a horizon beyond it.

    `week` gives the school week of each day; `weeks` is how many school weeks the days touch.
    """

    region: Region
    first: date
    last: date
    days: Days
    week: Ints
    mondays: Days
    weeks: int
    illness: Floats
    road_begins: Floats

    @property
    def first_year(self) -> int:
        """The school year in which the history begins."""
        return school_year_of(self.first)


def build_time(region: Region, years: int, last: date, rng: np.random.Generator) -> RegionTime:
    """The clock of a history of `years` full school years and the running one up to `last`."""
    first = first_day_of(school_year_of(last) - years)
    beyond = last + timedelta(weeks=HORIZON_WEEKS + 12)
    all_days = np.datetime64(first) + np.flatnonzero(national_school_days(region, first, beyond))
    monday = all_days - weekday_of(all_days)
    mondays, week = np.unique(monday, return_inverse=True)
    days = all_days[all_days <= np.datetime64(last)]
    week = week[: len(days)]
    weeks = int(week[-1]) + 1
    month = days.astype("datetime64[M]").astype(np.int64) % 12
    illness = np.array(SEASON)[(month - 7) % 12] * np.array(WEEKDAY)[weekday_of(days)]
    for year in range(school_year_of(first), school_year_of(last) + 1):
        illness *= _flu_wave(days, year, rng)
    return RegionTime(
        region=region,
        first=first,
        last=last,
        days=days,
        week=week,
        mondays=mondays,
        weeks=weeks,
        illness=illness / illness.mean(),
        road_begins=_road_begins(mondays),
    )


def weekday_of(days: Days) -> Ints:
    """Monday is 0.

    >>> weekday_of(np.array(["2026-11-16", "2026-11-22"], dtype="datetime64[D]"))
    array([0, 6])
    """
    result: Ints = (days.astype("datetime64[D]").astype(np.int64) + 3) % 7
    return result


def days_later(day: Days, count: Ints | int) -> Days:
    """The days `count` calendar days after `day`."""
    result: Days = day.astype("datetime64[D]") + np.asarray(count, dtype="timedelta64[D]")
    return result


def _flu_wave(days: Days, school_year: int, rng: np.random.Generator) -> Floats:
    """Three to five weeks between week 50 and week 11 in which illness starts more often."""
    peak_first = np.datetime64(date(school_year, 12, 8)) + int(rng.integers(0, 84))
    length = 7 * int(rng.integers(3, 6))
    inside = (days >= peak_first) & (days < peak_first + length)
    return np.where(inside, rng.uniform(1.5, 2.0), 1.0)


def _road_begins(mondays: Days) -> Floats:
    """Per school week how often roads begin: more in the weeks after the summer; mean one."""
    year_starts = np.flatnonzero(
        np.diff(mondays, prepend=np.datetime64("1970-01-05")).astype(int) > 35
    )
    weight = np.ones(len(mondays))
    for start in year_starts:
        weight[start : start + 3] = AFTER_LONG_HOLIDAY
    result: Floats = weight / weight.mean()
    return result
