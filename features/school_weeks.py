"""Calendars: school days, school weeks and as-of dates.

A *school week* is a Monday-to-Sunday week with at least one school day of the school. Every window
of weeks in Tijdig counts school weeks, so that a holiday neither hides nor invents absence.
"""

import functools
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from features.errors import SettingsError
from features.vocabulary import Region

AMSTERDAM = ZoneInfo("Europe/Amsterdam")
AS_OF_HOUR = time(6)
HOLIDAY_FILE = Path(__file__).with_name("holidays.toml")


def as_of_moment(monday: date) -> datetime:
    """The moment for which we reason: Monday 06:00 in Amsterdam, in UTC; knowledge is earlier.

    >>> as_of_moment(date(2026, 11, 16)).isoformat()
    '2026-11-16T05:00:00+00:00'
    >>> as_of_moment(date(2026, 11, 17))
    Traceback (most recent call last):
    ...
    features.errors.SettingsError: 2026-11-17 is a Tuesday; an as-of date is a Monday (2026-11-16)
    """
    if monday.weekday() != 0:
        raise SettingsError(
            f"{monday} is a {monday:%A}; an as-of date is a Monday ({monday_of(monday)})"
        )
    return datetime.combine(monday, AS_OF_HOUR, AMSTERDAM).astimezone(UTC)


def monday_of(day: date) -> date:
    """The Monday of the week of `day`.

    >>> monday_of(date(2026, 11, 22))
    datetime.date(2026, 11, 16)
    """
    return day - timedelta(days=day.weekday())


def mondays_between(first: date, last: date) -> list[date]:
    """All Mondays from `first` to `last`, both included.

    >>> [f"{monday:%d-%m}" for monday in mondays_between(date(2026, 11, 3), date(2026, 11, 16))]
    ['09-11', '16-11']
    """
    start = monday_of(first + timedelta(days=6))
    return [start + timedelta(weeks=week) for week in range((last - start).days // 7 + 1)]


def school_year_of(day: date) -> int:
    """The calendar year in which the school year (1 August to 31 July) of `day` starts.

    >>> school_year_of(date(2026, 7, 31)), school_year_of(date(2026, 8, 1))
    (2025, 2026)
    """
    return day.year if day.month >= 8 else day.year - 1


def first_day_of(school_year: int) -> date:
    """1 August, the first day of the school year that starts in calendar year `school_year`."""
    return date(school_year, 8, 1)


@functools.cache
def _holidays() -> dict[int, dict[str, object]]:
    document = tomllib.loads(HOLIDAY_FILE.read_text(encoding="utf-8"))
    return {entry["school_year"]: entry for entry in document["holiday"]}


def known_school_years() -> Sequence[int]:
    """School years for which the national holidays are on file."""
    return sorted(_holidays())


def term_starts(school_year: int) -> tuple[date, ...]:
    """The first days of the terms of a school year; between them lie the national holidays.

    The first is 1 August. Where regions take a holiday in different weeks, the next term counts
    from the Monday on which the first of them takes it: no school week of any is in two terms.

    >>> [str(day) for day in term_starts(2025)]
    ['2025-08-01', '2025-10-13', '2025-12-22', '2026-02-16', '2026-04-27']
    """
    entry = _holidays().get(school_year)
    if entry is None:
        raise SettingsError(
            f"no holidays on file for school year {school_year}-{school_year + 1}; "
            f"add them to features/{HOLIDAY_FILE.name}"
        )
    spans = [entry[region.value] for region in Region]
    between = zip(*(each[1:-1] for each in spans), strict=True)  # type: ignore[index]
    firsts = (min(date.fromisoformat(span[0]) for span in holiday) for holiday in between)
    # A holiday begins on the Saturday before its first Monday.
    starts = (monday_of(first + timedelta(days=6)) for first in firsts)
    return (first_day_of(school_year), *starts)


@dataclass(frozen=True)
class HolidaySource:
    """Where the holidays of a school year come from.

    `certainty` is *official* (the ministry's own list), *reported* (by schools) or *recalled*
    (to be checked before it is used on real schools).
    """

    source: str
    certainty: str


def holiday_source(school_year: int) -> HolidaySource | None:
    """Where the holidays of the school year starting in `school_year` come from; None: not on file.

    >>> holiday_source(2027)
    HolidaySource(source='rijksoverheid.nl, schoolvakanties 2027-2028', certainty='official')
    """
    entry = _holidays().get(school_year)
    return HolidaySource(str(entry["source"]), str(entry["certainty"])) if entry else None


@functools.cache
def _school_days_of_year(region: Region, school_year: int) -> NDArray[np.bool_]:
    entry = _holidays().get(school_year)
    if entry is None:
        raise SettingsError(
            f"no holidays on file for school year {school_year}-{school_year + 1}; "
            f"add them to features/{HOLIDAY_FILE.name}"
        )
    first, end = first_day_of(school_year), first_day_of(school_year + 1)
    days = np.arange(np.datetime64(first, "D"), np.datetime64(end, "D"))
    open_days = np.is_busday(days)
    for span_first, span_last in entry[region.value]:  # type: ignore[attr-defined]
        inside = (days >= np.datetime64(span_first)) & (days <= np.datetime64(span_last))
        open_days &= ~inside
    public = np.array(entry["public"], dtype="datetime64[D]")
    result: NDArray[np.bool_] = open_days & ~np.isin(days, public)
    result.setflags(write=False)
    return result


def national_school_days(region: Region, first: date, last: date) -> NDArray[np.bool_]:
    """For each day from `first` to `last` (both included): is it a school day in `region`?

    Week-ends, the region's holidays and the public holidays are not. A school's own calendar
    goes over it.

    >>> national_school_days(Region.MIDDEN, date(2026, 10, 16), date(2026, 10, 27)).astype(int)
    array([1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1])
    """
    years = range(school_year_of(first), school_year_of(last) + 1)
    flags = np.concatenate([_school_days_of_year(region, year) for year in years])
    offset = (first - first_day_of(years[0])).days
    result: NDArray[np.bool_] = flags[offset : offset + (last - first).days + 1]
    return result


class Duty(StrEnum):
    """What the law asks of a pupil of some age; only *compulsory* and *qualification* bind."""

    NOT_YET = "not_yet"
    COMPULSORY = "compulsory"
    QUALIFICATION = "qualification"
    ADULT = "adult"

    @property
    def binds(self) -> bool:
        """Whether absence without leave can be against the law.

        >>> Duty.NOT_YET.binds, Duty.QUALIFICATION.binds
        (False, True)
        """
        return self in (Duty.COMPULSORY, Duty.QUALIFICATION)


def duty_on(born_on: date, day: date) -> Duty:
    """What the law asks on `day` of a pupil born in the month of `born_on` (its day is not known).

    Compulsory from the first school day of the month after the fifth birthday (Leerplichtwet 1969,
    art. 3) to the end of the school year in which the pupil turns 16; then the qualification duty
    until the eighteenth birthday (art. 4a-4b), here until the end of that month. A diploma that
    ends it earlier is not recorded.

    >>> [duty_on(date(2021, 9, 1), date(2026, month, 1)).value for month in (8, 9, 10)]
    ['not_yet', 'not_yet', 'compulsory']
    """
    months = (day.year - born_on.year) * 12 + day.month - born_on.month
    if months <= 5 * 12:
        return Duty.NOT_YET
    if months > 18 * 12:
        return Duty.ADULT
    turns_16 = born_on.replace(year=born_on.year + 16, day=1)
    still = day < first_day_of(school_year_of(turns_16) + 1)
    return Duty.COMPULSORY if still else Duty.QUALIFICATION


@dataclass(frozen=True)
class SchoolWeeks:
    """The school weeks of one school over a span of days that starts on a Monday.

    `school_days` holds one flag per day, whole weeks only.
    """

    first_monday: date
    school_days: NDArray[np.bool_]

    @functools.cached_property
    def is_school_week(self) -> NDArray[np.bool_]:
        """One flag per week of the span: does it have a school day?"""
        return np.asarray(self.school_days.reshape(-1, 7).any(axis=1))

    @functools.cached_property
    def before(self) -> NDArray[np.int64]:
        """One number per week (and one past the end): how many school weeks lie before it."""
        result: NDArray[np.int64] = np.concatenate([[0], np.cumsum(self.is_school_week)])
        return result

    def week_of(self, monday: date) -> int:
        """The week number of `monday` in this span."""
        return (monday - self.first_monday).days // 7

    def window_start(self, as_of: date, weeks: int) -> int:
        """Week number where the last `weeks` school weeks before `as_of` begin (0 if fewer exist).

        Weeks from this number up to `week_of(as_of)` hold exactly those school weeks.

        >>> days = np.tile([True] * 5 + [False] * 2, 6)
        >>> days[14:21] = False                        # the third week is a holiday
        >>> weeks = SchoolWeeks(date(2026, 10, 5), days)
        >>> weeks.window_start(date(2026, 11, 9), weeks=4)     # weeks 0, 1, 3 and 4
        0
        >>> weeks.window_start(date(2026, 11, 9), weeks=2)
        3
        """
        end = min(self.week_of(as_of), len(self.before) - 1)
        wanted = int(self.before[end]) - weeks
        if wanted < 0:
            return 0
        # The last week with `wanted` school weeks before it: leading holiday weeks stay outside.
        return int(np.searchsorted(self.before[: end + 1], wanted, side="right")) - 1

    def horizon_end(self, as_of: date, weeks: int) -> int | None:
        """Week number just past the next `weeks` school weeks; None if the span ends first.

        >>> days = np.tile([True] * 5 + [False] * 2, 6)
        >>> SchoolWeeks(date(2026, 10, 5), days).horizon_end(date(2026, 10, 12), weeks=3)
        4
        """
        wanted = int(self.before[self.week_of(as_of)]) + weeks
        if wanted > int(self.before[-1]):
            return None
        return int(np.searchsorted(self.before, wanted, side="left"))

    def begun_since(self, days: NDArray[np.int64], as_of: date) -> NDArray[np.float64]:
        """School weeks that began on or after each day number (0: `first_monday`), before `as_of`.

        Infinite for a day before the span, of which the weeks cannot be counted.

        >>> flags = np.tile([True] * 5 + [False] * 2, 3)
        >>> weeks = SchoolWeeks(date(2026, 11, 2), flags)
        >>> weeks.begun_since(np.array([-1, 0, 1, 7, 14]), date(2026, 11, 16))
        array([inf,  2.,  1.,  1.,  0.])
        """
        end = self.week_of(as_of)
        week = np.clip(-(-days // 7), 0, end)
        begun: NDArray[np.float64] = (self.before[end] - self.before[week]).astype(np.float64)
        return np.where(days < 0, np.inf, begun)
