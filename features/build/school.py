"""All features of all pupils of one school, moved from Monday to Monday."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from features.absence.day_parts import KINDS
from features.absence.measures import (
    current_run,
    episodes,
    longest_run,
    single_days,
    weekday_concentration,
)
from features.absence.registration import Registration
from features.absence.replay import AbsenceReplay
from features.absence.span import span_for_features
from features.absence.weeks import Weeks, WeekSums, WindowSums, is_absent_day
from features.build.career import Career
from features.catalogue import CATALOGUE
from features.records.partition import PartitionTables
from features.school_weeks import SchoolWeeks, as_of_moment, first_day_of, school_year_of
from features.support import SupportReplay
from features.vocabulary import AbsenceKind

Flags = NDArray[np.bool_]
Numbers = NDArray[np.float64]
Features = Mapping[str, Numbers]

CLASSMATES_NEEDED = 8
_SICK = KINDS.index(AbsenceKind.SICK)


@dataclass(frozen=True)
class FeatureRows:
    """The features of the pupils enrolled at one school on one Monday, as known then."""

    as_of: date
    pupil_keys: NDArray[np.object_]
    groups: NDArray[np.object_]
    year_groups: NDArray[np.object_]
    sector: str
    values: Mapping[str, NDArray[np.float32]]


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
        """The weeks of the school year of the Monday so far."""
        return Weeks(self.previous_year.end, self.end)

    @property
    def previous_year(self) -> Weeks:
        """The weeks of the school year before that of the Monday."""
        year = school_year_of(self.as_of)
        return self.between(first_day_of(year - 1), first_day_of(year))

    @property
    def september(self) -> Weeks:
        """The weeks that begin in September of the school year of the Monday, so far."""
        year = school_year_of(self.as_of)
        return self.between(date(year, 9, 1), date(year, 10, 1))

    def is_beside_free_day(self, days: NDArray[np.int64]) -> Flags:
        """Per day number: is there no school on the calendar day before or after it?"""
        is_school_day = np.pad(self.school_weeks.school_days, 1)
        return np.asarray(~is_school_day[days] | ~is_school_day[days + 2])


@dataclass(frozen=True)
class WindowDays:
    """The school days of one window for some pupils; `day` is the day number of each column."""

    day: NDArray[np.int64]
    counted: Flags
    absent: Flags
    any_absent: Flags
    sick: Flags

    def since(self, week: int) -> "WindowDays":
        """The part of the window from week number `week` on."""
        first = int(np.searchsorted(self.day, week * 7))
        return WindowDays(
            self.day[first:],
            *(part[:, first:] for part in (self.counted, self.absent, self.any_absent, self.sick)),
        )


class SchoolReplay:
    """All that is known of one school on one of ascending `mondays`; `rows` moves on in order."""

    def __init__(self, tables: PartitionTables, mondays: Sequence[date]) -> None:
        moments = [as_of_moment(monday) for monday in mondays]
        span = span_for_features(mondays[0], mondays[-1])
        self._mondays = mondays
        self._absence = AbsenceReplay(tables, span, moments)
        self._planned = self._absence.planned
        self._sums = WeekSums(self._absence)
        self._registration = Registration(self._absence, self._sums)
        self._support = SupportReplay(tables.support, self._planned.pupil_keys, moments)
        self._career = Career(self._planned)
        placements = self._planned.placements
        self._pupil_keys = np.array(self._planned.pupil_keys, object)
        self._groups = np.array(placements["group"].to_pylist(), object)
        self._year_groups = np.array(placements["year_group"].to_pylist(), object)

    def rows(self, moment: int) -> FeatureRows | None:
        """The features on Monday number `moment`; None when nobody is known to be enrolled."""
        places = self._absence.advance(moment)
        self._sums.update(places)
        self._registration.advance(moment, places)
        as_of = self._mondays[moment]
        placement = self._planned.placement[:, self._planned.span.number_of(as_of)]
        pupils = np.flatnonzero(placement >= 0)
        sector = self._planned.calendar.sector
        if sector is None or not len(pupils):
            return None
        row = placement[pupils].astype(np.int64)
        weeks = SchoolWeeks(self._planned.span.first_day, self._planned.calendar.school_days)
        windows = Windows(weeks, as_of)
        support = self._support.features(moment, as_of, weeks)
        values: dict[str, Numbers] = {
            **self._absence_features(pupils, self._planned.group_of_row[row], windows),
            **{name: values[pupils] for name, values in support.items()},
            **self._career.features(moment, row, as_of, weeks, sector),
        }
        return FeatureRows(
            as_of=as_of,
            pupil_keys=self._pupil_keys[pupils],
            groups=self._groups[row],
            year_groups=self._year_groups[row],
            sector=sector,
            values={f.name: values[f.name].astype(np.float32) for f in CATALOGUE},
        )

    def _absence_features(
        self, pupils: NDArray[np.int64], group: NDArray[np.int64], windows: Windows
    ) -> Features:
        last = {weeks: windows.last(weeks) for weeks in (1, 2, 4, 8, 12, 26, 40)}
        span = Weeks(min(last[40].first, windows.previous_year.first), windows.end)
        sums = WindowSums(self._sums, pupils, self._registration.unregistered, span)
        registration = self._registration
        recent = self._days(
            pupils, Weeks(min(last[40].first, windows.this_year.first), windows.end)
        )
        unregistered = registration.unregistered[pupils, last[12].first : last[12].end]
        planned = self._sums.of("planned")[pupils, last[40].first : last[40].end]
        return {
            **_volumes(sums, windows, last),
            **_earlier(sums, windows, self._days(pupils, windows.previous_year)),
            **_runs(recent, sums, windows, last),
            **_patterns(recent.since(last[12].first), sums, windows, last[12]),
            **{
                f"group_deviation_{weeks}w": _deviation(sums.share("absent", last[weeks]), group)
                for weeks in (4, 12)
            },
            "late_recorded_share_12w": registration.late_share(pupils, last[12]),
            "corrected_share_12w": registration.corrected_share(pupils, last[12]),
            "unregistered_weeks_12w": unregistered.sum(axis=1).astype(float),
            "weeks_of_history": (planned > 0).sum(axis=1).astype(float),
            "planned_minutes_4w": sums.total("planned", last[4]),
        }

    def _days(self, pupils: NDArray[np.int64], window: Weeks) -> WindowDays:
        # Only school days of the school can have planned time.
        days = np.arange(window.first * 7, window.end * 7)
        days = days[self._planned.calendar.school_days[days]]
        cells = np.ix_(pupils, days)
        planned, absent = self._planned.minutes[cells], self._absence.absent[cells]
        left_out = self._registration.unregistered[np.ix_(pupils, days // 7)]
        return WindowDays(
            day=days,
            counted=(planned > 0) & ~left_out,
            absent=is_absent_day(planned, absent),
            any_absent=absent > 0,
            sick=self._absence.minutes[_SICK][cells] > 0,
        )


def _volumes(sums: WindowSums, windows: Windows, last: Mapping[int, Weeks]) -> Features:
    before = windows.before_last(12, until=4)
    return {
        **{f"sick_share_{w}w": sums.share("sick", last[w]) for w in (1, 4, 12, 40)},
        "sick_days_this_year": sums.count("sick_days", windows.this_year),
        "medical_visit_days_12w": sums.count("medical_days", last[12]),
        **{
            f"other_authorised_share_{w}w": sums.share("other_authorised", last[w]) for w in (4, 12)
        },
        **{f"unauthorised_share_{w}w": sums.share("unauthorised", last[w]) for w in (4, 12, 40)},
        **{f"unverified_share_{w}w": sums.share("unverified", last[w]) for w in (4, 12)},
        "unauthorised_hours_4w": sums.count("unauthorised", last[4]) / 60,
        **{f"absent_share_{w}w": sums.share("absent", last[w]) for w in last},
        "absent_days_4w": sums.count("absent_days", last[4]),
        "absent_days_8w_before": sums.count("absent_days", before),
        "absent_days_12w": sums.count("absent_days", last[12]),
        "part_days_12w": sums.count("part_days", last[12]),
        "absent_slope": sums.share("absent", last[4]) - sums.share("absent", before),
        "september_share": sums.share("absent", windows.september),
        **{f"late_arrivals_{w}w": sums.count("late", last[w]) for w in (4, 12, 40)},
        "sent_out_12w": sums.count("sent_out", last[12]),
    }


def _earlier(sums: WindowSums, windows: Windows, days: WindowDays) -> Features:
    year = windows.previous_year
    has_time = sums.total("planned", year) > 0
    longest = longest_run(days.counted, days.absent)
    return {
        **{
            f"{kind}_share_previous_year": sums.share(kind, year)
            for kind in ("absent", "sick", "unauthorised")
        },
        "longest_run_previous_year": np.where(has_time, longest, np.nan),
        "late_arrivals_previous_year": sums.count("late", year),
    }


def _runs(
    recent: WindowDays, sums: WindowSums, windows: Windows, last: Mapping[int, Weeks]
) -> Features:
    last_12, last_40 = recent.since(last[12].first), recent.since(last[40].first)
    this_year = recent.since(windows.this_year.first)
    has_time = {w: sums.total("planned", last[w]) > 0 for w in (12, 40)}
    has_year = sums.total("planned", windows.this_year) > 0
    episodes_40w = np.where(has_time[40], _sick_episodes(last_40), np.nan)
    sick_days = sums.total("sick_days", last[40])
    values = {
        "current_run_days": current_run(last_40.counted, last_40.any_absent),
        "current_absence_run": current_run(last_40.counted, last_40.absent),
        "longest_run_40w": longest_run(last_40.counted, last_40.absent),
        "weeks_since_full_week": sums.weeks_without_full_week(last[40]),
    }
    return {
        **{name: np.where(has_time[40], value, np.nan) for name, value in values.items()},
        "longest_run_12w": np.where(
            has_time[12], longest_run(last_12.counted, last_12.absent), np.nan
        ),
        "sick_episodes_12w": np.where(has_time[12], _sick_episodes(last_12), np.nan),
        "sick_episodes_40w": episodes_40w,
        "sick_episodes_this_year": np.where(has_year, _sick_episodes(this_year), np.nan),
        "mean_sick_episode_days_40w": np.where(
            episodes_40w > 0, sick_days / np.maximum(episodes_40w, 1), np.nan
        ),
    }


def _sick_episodes(days: WindowDays) -> Numbers:
    return episodes(days.counted, days.sick, days.day.astype(np.int16))


def _patterns(days: WindowDays, sums: WindowSums, windows: Windows, window: Weeks) -> Features:
    single = single_days(days.counted, days.absent)
    is_edge = windows.is_beside_free_day(days.day)
    part_days = sums.total("part_days", window)
    early = sums.total("early_part_days", window)
    kinds = [("sick",), ("other_authorised",), ("unauthorised",), ("unverified",)]
    mixed = sum(
        np.asarray(sum(sums.total(q, window) for q in some) > 0, float)
        for some in (*kinds, ("late", "sent_out"))
    )
    has_time = sums.total("planned", window) > 0
    return {
        "one_day_absences_12w": np.where(has_time, single.sum(axis=1), np.nan),
        "edge_absences_12w": np.where(has_time, single[:, is_edge].sum(axis=1), np.nan),
        "weekday_concentration_12w": weekday_concentration(
            days.counted & days.any_absent, days.day % 7
        ),
        "first_hour_share_12w": np.where(part_days > 0, early / np.maximum(part_days, 1), np.nan),
        "kinds_mixed_12w": np.where(has_time, mixed, np.nan),
    }


def _deviation(share: Numbers, group: NDArray[np.int64]) -> Numbers:
    """Own share minus the mean of the others of the group; NaN under CLASSMATES_NEEDED of them."""
    is_known = ~np.isnan(share)
    known = np.where(is_known, share, 0.0)
    others = np.bincount(group, weights=is_known)[group] - is_known
    total = np.bincount(group, weights=known)[group] - known
    enough = is_known & (others >= CLASSMATES_NEEDED)
    return np.where(enough, share - total / np.maximum(others, 1), np.nan)
