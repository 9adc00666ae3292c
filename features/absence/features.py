"""Every absence feature of the pupils of one school, for blocks of Mondays at once.

From Monday to Monday the replay changes a little, and sums and lists are kept up with it; what is
made of them is worked out for several Mondays together, because the arrays of one school on one
Monday are too short to be quick.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

import numpy as np
from numpy.typing import NDArray

from features.absence.absent_cells import AbsentCells, AbsentDays, ListedDays, together
from features.absence.measures import FlaggedDays
from features.absence.planned import PlannedTime
from features.absence.registration import Registration
from features.absence.replay import AbsenceReplay
from features.absence.span import Span
from features.absence.weeks import (
    BlockSums,
    CumulatedWeeks,
    WeekSums,
    weeks_with,
    weeks_without_full_week,
)
from features.absence.windows import Windows, is_beside_free_day
from features.records.partition import PartitionTables
from features.school_weeks import SchoolWeeks

Numbers = NDArray[np.float64]
Values = Mapping[str, Numbers]

CLASSMATES_NEEDED = 8
EXACT = 2.0**40
"""Sums of fewer than 8,192 shares in such parts are exact in a float."""
LAST_WEEKS = (1, 2, 4, 8, 12, 26, 40)


@dataclass(frozen=True)
class Snapshot:
    """What the features of one Monday are made of, for all pupils of the school.

    `totals` are the week sums by window, [quantities, pupils]. `begins` are the day numbers at
    which windows begin that days are listed for.
    """

    totals: Mapping[str, NDArray[np.int32]]
    begins: Mapping[str, int]
    days: ListedDays
    previous_year: ListedDays
    recording: Mapping[str, Numbers]
    weeks_of_history: NDArray[np.int16]
    weeks_since_full_week: NDArray[np.int16]


class AbsenceFeatures:
    """Absence of one school, moved from moment to moment; `snapshot` is read where it stands."""

    def __init__(self, tables: PartitionTables, span: Span, moments: Sequence[datetime]) -> None:
        self._replay = AbsenceReplay(tables, span, moments)
        self._sums = WeekSums(self._replay)
        self._registration = Registration(self._replay, self._sums)
        self._cumulated = CumulatedWeeks(self._sums)
        self._cells = AbsentCells(self._replay)
        self._weeks: SchoolWeeks | None = None

    @property
    def planned(self) -> PlannedTime:
        """Planned time and placements, as they stand."""
        return self._replay.planned

    @property
    def school_weeks(self) -> SchoolWeeks:
        """The calendar of the school, as it stands; another object after it changed."""
        days = self.planned.calendar.school_days
        if self._weeks is None or self._weeks.school_days is not days:
            self._weeks = SchoolWeeks(self.planned.span.first_day, days)
        return self._weeks

    def advance(self, moment: int) -> None:
        """Move to moment number `moment`, the next one."""
        end = int(self._replay.today[moment]) // 7
        changed = self._replay.advance(moment)
        self._sums.update(changed)
        registered = self._registration.advance(moment, changed, end)
        self._cells.settle(changed)
        pupils = np.union1d(changed.replanned_pupils, registered.pupils)
        if len(pupils):
            self._cells.number(pupils, self._registration.unregistered)
        self._cumulated.refresh(registered.earliest_week, end)

    def snapshot(self, as_of: date) -> Snapshot:
        """What the features of the Monday `as_of` are made of."""
        windows = Windows(self.school_weeks, as_of)
        named = {f"{weeks}w": windows.last(weeks) for weeks in LAST_WEEKS}
        named |= {
            "8w_before": windows.before_last(12, until=4),
            "this_year": windows.this_year,
            "previous_year": windows.previous_year,
            "september": windows.september,
        }
        listed = ("12w", "40w", "this_year")
        earliest = min(named[name].first for name in listed)
        previous = named["previous_year"]
        last_40 = named["40w"]
        return Snapshot(
            totals={name: self._cumulated.over(window) for name, window in named.items()},
            begins={name: named[name].first * 7 for name in listed},
            days=self._cells.between(earliest * 7, windows.end * 7),
            previous_year=self._cells.between(previous.first * 7, previous.end * 7),
            recording=self._registration.features(named["12w"]),
            weeks_of_history=weeks_with(self._sums, "scheduled", last_40),
            weeks_since_full_week=weeks_without_full_week(self._sums, last_40),
        )


@dataclass(frozen=True)
class Block:
    """The snapshots of some Mondays under one calendar; `rows` marks (Monday, pupil)s wanted.

    `group` is the number of the group of each row, different from Monday to Monday.
    """

    snapshots: Sequence[Snapshot]
    rows: NDArray[np.bool_]
    group: NDArray[np.int64]
    school_weeks: SchoolWeeks
    _sums: BlockSums = field(init=False)

    def __post_init__(self) -> None:
        totals = {
            name: np.stack([one.totals[name] for one in self.snapshots])
            for name in self.snapshots[0].totals
        }
        object.__setattr__(self, "_sums", BlockSums(totals, self.rows))

    def features(self) -> Values:
        """Every absence feature of the rows, Monday by Monday and pupil by pupil."""
        sums = self._sums
        days = together([one.days for one in self.snapshots])
        previous = together([one.previous_year for one in self.snapshots])
        recording = {
            name: self._of_rows([one.recording[name] for one in self.snapshots])
            for name in self.snapshots[0].recording
        }
        return {
            **_volumes(sums),
            **self._earlier(previous),
            **self._runs(days),
            **self._episodes(days),
            **self._patterns(days),
            **{
                f"group_deviation_{weeks}w": _deviation(
                    sums.share("absent", f"{weeks}w"), self.group
                )
                for weeks in (1, 4, 12)
            },
            **recording,
            "weeks_of_history": self._of_rows([one.weeks_of_history for one in self.snapshots]),
            "planned_minutes_4w": sums.total("planned", "4w"),
        }

    def _of_rows(self, parts: Sequence[NDArray[np.generic]]) -> Numbers:
        return np.stack(parts)[self.rows].astype(np.float64)

    def _measured(self, window: str, of_pupils: Numbers) -> Numbers:
        """What was measured on listed days, of the rows; NaN without planned time in `window`."""
        return self._sums.where_planned(window, of_pupils[self.rows.reshape(-1)])

    def _since(self, days: FlaggedDays, window: str) -> FlaggedDays:
        begins = np.repeat([one.begins[window] for one in self.snapshots], self.rows.shape[1])
        return days.where(days.day >= begins[days.pupil])

    def _earlier(self, days: AbsentDays) -> Values:
        sums, year = self._sums, "previous_year"
        return {
            **{
                f"{kind}_share_{year}": sums.share(kind, year)
                for kind in ("absent", "sick", "unauthorised")
            },
            f"longest_run_{year}": self._measured(year, days.half.longest_run()),
            f"late_arrivals_{year}": sums.count("late", year),
        }

    def _runs(self, days: AbsentDays) -> Values:
        any_40, half_40 = (self._since(one, "40w") for one in (days.any_time, days.half))
        half_12, sick_12 = (self._since(one, "12w") for one in (half_40, days.sick))
        full = self._of_rows([one.weeks_since_full_week for one in self.snapshots])
        return {
            "current_run_days": self._measured("40w", any_40.current_run()),
            "current_absence_run": self._measured("40w", half_40.current_run()),
            "longest_run_12w": self._measured("12w", half_12.longest_run()),
            "longest_sick_run_12w": self._measured("12w", sick_12.longest_run()),
            "longest_run_40w": self._measured("40w", half_40.longest_run()),
            "weeks_since_full_week": self._sums.where_planned("40w", full),
        }

    def _episodes(self, days: AbsentDays) -> Values:
        number = {
            name: self._measured(name, self._since(days.sick, name).episodes())
            for name in ("12w", "40w", "this_year")
        }
        return {
            **{f"sick_episodes_{name}": episodes for name, episodes in number.items()},
            "mean_sick_episode_days_40w": _ratio(
                self._sums.total("sick_days", "40w"), number["40w"]
            ),
        }

    def _patterns(self, days: AbsentDays) -> Values:
        sums, window = self._sums, "12w"
        any_12, half_12 = (self._since(one, window) for one in (days.any_time, days.half))
        single = half_12.single()
        at_edge = single.where(is_beside_free_day(self.school_weeks, single.day))
        kinds = ("sick", "other_authorised", "unauthorised", "unverified", "late_or_sent_out")
        mixed = np.sum([sums.total(kind, window) > 0 for kind in kinds], axis=0)
        concentration = any_12.weekday_concentration()
        return {
            "one_day_absences_12w": self._measured(window, single.number()),
            "edge_absences_12w": self._measured(window, at_edge.number()),
            "kinds_mixed_12w": sums.where_planned(window, mixed),
            "weekday_concentration_12w": concentration[self.rows.reshape(-1)],
            "first_hour_share_12w": _ratio(
                sums.total("early_part_days", window), sums.total("part_days", window)
            ),
        }


def _volumes(sums: BlockSums) -> Values:
    return {
        **{f"sick_share_{w}w": sums.share("sick", f"{w}w") for w in (1, 4, 12, 26, 40)},
        "sick_days_this_year": sums.count("sick_days", "this_year"),
        "medical_visit_days_12w": sums.count("medical_days", "12w"),
        **{
            f"other_authorised_share_{w}w": sums.share("other_authorised", f"{w}w") for w in (4, 12)
        },
        **{
            f"unauthorised_share_{w}w": sums.share("unauthorised", f"{w}w") for w in (4, 12, 26, 40)
        },
        **{f"unverified_share_{w}w": sums.share("unverified", f"{w}w") for w in (4, 12)},
        "unauthorised_hours_4w": sums.count("unauthorised", "4w") / 60,
        **{f"absent_share_{w}w": sums.share("absent", f"{w}w") for w in LAST_WEEKS},
        "absent_days_4w": sums.count("absent_days", "4w"),
        "absent_days_8w_before": sums.count("absent_days", "8w_before"),
        "absent_days_12w": sums.count("absent_days", "12w"),
        "part_days_12w": sums.count("part_days", "12w"),
        **{
            f"{kind}_slope": sums.share(kind, "4w") - sums.share(kind, "8w_before")
            for kind in ("absent", "sick", "unauthorised")
        },
        "september_share": sums.share("absent", "september"),
        **{f"late_arrivals_{w}w": sums.count("late", f"{w}w") for w in (4, 12, 40)},
        **{f"sent_out_{w}w": sums.count("sent_out", f"{w}w") for w in (12, 40)},
    }


def _ratio(part: Numbers, whole: Numbers) -> Numbers:
    """`part` divided by `whole`; NaN where there is no whole."""
    return np.where(whole > 0, part / np.maximum(whole, 1), np.nan)


def _deviation(share: Numbers, group: NDArray[np.int64]) -> Numbers:
    """Own share minus the mean of the others of the group; NaN under CLASSMATES_NEEDED of them.

    Shares are added up as whole parts of EXACT, so that the sum does not depend on the order of
    the pupils, which is that of their random pseudonyms.
    """
    is_known = ~np.isnan(share)
    share = np.rint(share * EXACT) / EXACT
    known = np.where(is_known, share, 0.0)
    others = np.bincount(group, weights=is_known)[group] - is_known
    total = np.bincount(group, weights=known)[group] - known
    enough = is_known & (others >= CLASSMATES_NEEDED)
    return np.where(enough, share - total / np.maximum(others, 1), np.nan)
