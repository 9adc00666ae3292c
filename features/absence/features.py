"""Every absence feature of the pupils of one school on one Monday, from days and week sums."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

import numpy as np
from numpy.typing import NDArray

from features.absence.day_parts import KINDS
from features.absence.measures import FlaggedDays, flagged_days
from features.absence.planned import PlannedTime
from features.absence.registration import Registration
from features.absence.replay import AbsenceReplay
from features.absence.span import Span
from features.absence.weeks import WeekSums, WindowSums, is_absent_day
from features.absence.windows import Weeks, Windows
from features.records.partition import PartitionTables
from features.school_weeks import SchoolWeeks
from features.vocabulary import AbsenceKind

Numbers = NDArray[np.float64]
Values = Mapping[str, Numbers]

CLASSMATES_NEEDED = 8
_SICK = KINDS.index(AbsenceKind.SICK)


@dataclass(frozen=True)
class AbsentDays:
    """The counted days of a window with any time absent, with at least half, and with sick time."""

    any_time: FlaggedDays
    half: FlaggedDays
    sick: FlaggedDays


class AbsenceFeatures:
    """Absence of one school, moved from moment to moment; `features` is read where it stands."""

    def __init__(self, tables: PartitionTables, span: Span, moments: Sequence[datetime]) -> None:
        self._replay = AbsenceReplay(tables, span, moments)
        self._sums = WeekSums(self._replay)
        self._registration = Registration(self._replay, self._sums)

    @property
    def planned(self) -> PlannedTime:
        """Planned time and placements, as they stand."""
        return self._replay.planned

    @property
    def school_weeks(self) -> SchoolWeeks:
        """The calendar of the school, as it stands."""
        return SchoolWeeks(self.planned.span.first_day, self.planned.calendar.school_days)

    def advance(self, moment: int) -> None:
        """Move to moment number `moment`, the next one."""
        places = self._replay.advance(moment)
        self._sums.update(places)
        self._registration.advance(moment, places, end=int(self._replay.today[moment]) // 7)

    def features(self, pupils: NDArray[np.int64], group: NDArray[np.int64], as_of: date) -> Values:
        """Every absence feature of `pupils`, who are in `group`, on the Monday `as_of`."""
        windows = Windows(self.school_weeks, as_of)
        last = {weeks: windows.last(weeks) for weeks in (1, 2, 4, 8, 12, 26, 40)}
        sums = WindowSums(self._sums, pupils)
        days = self._days(pupils, Weeks(min(last[40].first, windows.this_year.first), windows.end))
        previous = self._days(pupils, windows.previous_year)
        return {
            **_volumes(sums, windows, last),
            **_earlier(sums, windows, previous),
            **_runs(sums, last, days),
            **_episodes(sums, windows, last, days),
            **_patterns(sums, windows, last[12], days),
            **{
                f"group_deviation_{weeks}w": _deviation(sums.share("absent", last[weeks]), group)
                for weeks in (1, 4, 12)
            },
            **self._registration.features(pupils, last[12]),
            "weeks_of_history": sums.weeks_with("scheduled", last[40]),
            "planned_minutes_4w": sums.total("planned", last[4]),
        }

    def _days(self, pupils: NDArray[np.int64], window: Weeks) -> AbsentDays:
        # Only school days of the school can have planned time.
        day = np.arange(window.first * 7, window.end * 7)
        day = day[self.planned.calendar.school_days[day]]
        planned, absent = self.planned.minutes, self._replay.absent
        counted = (planned[day] > 0) & ~self._registration.unregistered[day // 7]
        any_time = flagged_days(counted[:, pupils], absent[day][:, pupils] > 0, day)
        cell = (any_time.day, pupils[any_time.pupil])
        return AbsentDays(
            any_time=any_time,
            half=any_time.where(is_absent_day(planned[cell], absent[cell])),
            sick=any_time.where(self._replay.minutes[_SICK][cell] > 0),
        )


def _volumes(sums: WindowSums, windows: Windows, last: Mapping[int, Weeks]) -> Values:
    before = windows.before_last(12, until=4)
    return {
        **{f"sick_share_{w}w": sums.share("sick", last[w]) for w in (1, 4, 12, 26, 40)},
        "sick_days_this_year": sums.count("sick_days", windows.this_year),
        "medical_visit_days_12w": sums.count("medical_days", last[12]),
        **{
            f"other_authorised_share_{w}w": sums.share("other_authorised", last[w]) for w in (4, 12)
        },
        **{
            f"unauthorised_share_{w}w": sums.share("unauthorised", last[w]) for w in (4, 12, 26, 40)
        },
        **{f"unverified_share_{w}w": sums.share("unverified", last[w]) for w in (4, 12)},
        "unauthorised_hours_4w": sums.count("unauthorised", last[4]) / 60,
        **{f"absent_share_{w}w": sums.share("absent", last[w]) for w in last},
        "absent_days_4w": sums.count("absent_days", last[4]),
        "absent_days_8w_before": sums.count("absent_days", before),
        "absent_days_12w": sums.count("absent_days", last[12]),
        "part_days_12w": sums.count("part_days", last[12]),
        **{
            f"{kind}_slope": sums.share(kind, last[4]) - sums.share(kind, before)
            for kind in ("absent", "sick", "unauthorised")
        },
        "september_share": sums.share("absent", windows.september),
        **{f"late_arrivals_{w}w": sums.count("late", last[w]) for w in (4, 12, 40)},
        **{f"sent_out_{w}w": sums.count("sent_out", last[w]) for w in (12, 40)},
    }


def _earlier(sums: WindowSums, windows: Windows, days: AbsentDays) -> Values:
    year = windows.previous_year
    return {
        **{
            f"{kind}_share_previous_year": sums.share(kind, year)
            for kind in ("absent", "sick", "unauthorised")
        },
        "longest_run_previous_year": sums.where_planned(year, days.half.longest_run()),
        "late_arrivals_previous_year": sums.count("late", year),
    }


def _runs(sums: WindowSums, last: Mapping[int, Weeks], days: AbsentDays) -> Values:
    any_time, half = (listed.since(last[40].first * 7) for listed in (days.any_time, days.half))
    half_12w, sick_12w = (listed.since(last[12].first * 7) for listed in (half, days.sick))
    return {
        "current_run_days": sums.where_planned(last[40], any_time.current_run()),
        "current_absence_run": sums.where_planned(last[40], half.current_run()),
        "longest_run_12w": sums.where_planned(last[12], half_12w.longest_run()),
        "longest_sick_run_12w": sums.where_planned(last[12], sick_12w.longest_run()),
        "longest_run_40w": sums.where_planned(last[40], half.longest_run()),
        "weeks_since_full_week": sums.weeks_without_full_week(last[40]),
    }


def _episodes(
    sums: WindowSums, windows: Windows, last: Mapping[int, Weeks], days: AbsentDays
) -> Values:
    periods = {"12w": last[12], "40w": last[40], "this_year": windows.this_year}
    number = {
        name: sums.where_planned(window, days.sick.since(window.first * 7).episodes())
        for name, window in periods.items()
    }
    return {
        **{f"sick_episodes_{name}": episodes for name, episodes in number.items()},
        "mean_sick_episode_days_40w": _ratio(sums.total("sick_days", last[40]), number["40w"]),
    }


def _patterns(sums: WindowSums, windows: Windows, window: Weeks, days: AbsentDays) -> Values:
    any_time = days.any_time.since(window.first * 7)
    single = days.half.since(window.first * 7).single()
    at_edge = single.where(windows.is_beside_free_day(single.day))
    kinds = ("sick", "other_authorised", "unauthorised", "unverified", "late_or_sent_out")
    mixed = np.sum([sums.total(kind, window) > 0 for kind in kinds], axis=0)
    return {
        "one_day_absences_12w": sums.where_planned(window, single.number()),
        "edge_absences_12w": sums.where_planned(window, at_edge.number()),
        "kinds_mixed_12w": sums.where_planned(window, mixed),
        "weekday_concentration_12w": any_time.weekday_concentration(),
        "first_hour_share_12w": _ratio(
            sums.total("early_part_days", window), sums.total("part_days", window)
        ),
    }


def _ratio(part: Numbers, whole: Numbers) -> Numbers:
    """`part` divided by `whole`; NaN where there is no whole."""
    return np.where(whole > 0, part / np.maximum(whole, 1), np.nan)


def _deviation(share: Numbers, group: NDArray[np.int64]) -> Numbers:
    """Own share minus the mean of the others of the group; NaN under CLASSMATES_NEEDED of them."""
    is_known = ~np.isnan(share)
    known = np.where(is_known, share, 0.0)
    others = np.bincount(group, weights=is_known)[group] - is_known
    total = np.bincount(group, weights=known)[group] - known
    enough = is_known & (others >= CLASSMATES_NEEDED)
    return np.where(enough, share - total / np.maximum(others, 1), np.nan)
