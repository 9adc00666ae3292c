"""Planned minutes per pupil and day, as the calendar, timetable and placements were known."""

from collections.abc import Sequence
from datetime import date, datetime

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from features.absence.span import Span
from features.records.partition import PartitionTables, lifetimes
from features.school_weeks import national_school_days
from features.vocabulary import DayKind, Region

ENROLMENT_GAP_DAYS = 60
"""Placements at one school with no more days between them than a summer are one enrolment."""

_LONG_AGO, _FAR_AHEAD = date(1900, 1, 1), date(2200, 1, 1)


class SchoolCalendar:
    """Which days are school days of one school: the region's holidays with its own days over them.

    Without a known description of the school there are none.
    """

    def __init__(self, tables: PartitionTables, span: Span, moments: Sequence[datetime]) -> None:
        self.span = span
        self.sector: str | None = None
        self.school_days: NDArray[np.bool_] = np.zeros(span.days, bool)
        self._schools = tables.schools.sort_by("record_key")
        self._schools_live = lifetimes(self._schools, moments)
        self._own = tables.calendar.sort_by([("date", "ascending"), ("record_key", "ascending")])
        self._own_live = lifetimes(self._own, moments)
        self._own_day = span.numbers_of(self._own["date"], _LONG_AGO)
        kind = pc.equal(self._own["kind"], DayKind.SCHOOL_DAY.value)
        self._own_is_school_day: NDArray[np.bool_] = kind.to_numpy()

    def advance(self, moment: int) -> bool:
        """Move to moment number `moment`; whether the school days may have changed."""
        if not (
            len(self._schools_live.changed_at(moment)) or len(self._own_live.changed_at(moment))
        ):
            return False
        self.sector = None
        self.school_days = np.zeros(self.span.days, bool)
        known = self._schools.filter(pa.array(self._schools_live.at(moment))).to_pylist()
        if known:
            self.sector = known[-1]["sector"]
            region = Region(known[-1]["region"])
            national = national_school_days(region, self.span.first_day, self.span.last_day)
            self.school_days = national.copy()
            inside = (self._own_day >= 0) & (self._own_day < self.span.days)
            own = self._own_live.at(moment) & inside
            self.school_days[self._own_day[own]] = self._own_is_school_day[own]
        return True


class Timetable:
    """Planned minutes per weekday of groups and of single pupils."""

    def __init__(self, tables: PartitionTables, span: Span, moments: Sequence[datetime]) -> None:
        # Where two rows hold for a day, the one that began last wins: rows are painted in order.
        rows = tables.timetable.sort_by([("valid_from", "ascending"), ("record_key", "ascending")])
        self._span = span
        self.live = lifetimes(rows, moments)
        self.group = np.array(rows["group"].to_pylist(), object)
        self.pupil_key = np.array(rows["pupil_key"].to_pylist(), object)
        self.is_own: NDArray[np.bool_] = pc.is_valid(rows["pupil_key"]).to_numpy()
        self._first = np.maximum(span.numbers_of(rows["valid_from"], _LONG_AGO), 0)
        last = span.numbers_of(rows["valid_to"], _FAR_AHEAD)
        self._end = np.minimum(last + 1, span.days)
        self._weekday = rows["weekday"].to_numpy().astype(np.int64)
        self._minutes = np.clip(rows["planned_minutes"].to_numpy(), 0, 24 * 60)

    def paint(self, days: NDArray[np.int16], rows: NDArray[np.int64]) -> None:
        """Write the minutes of `rows`, in order, on the days for which they hold."""
        for row in rows:
            first = self._first[row]
            first += (self._weekday[row] - 1 - first) % 7
            days[first : max(first, self._end[row]) : 7] = self._minutes[row]


class PlannedTime:
    """Planned minutes and placement of every pupil of one school on every day of a span.

    `advance` moves it from moment to moment; it works out again only what became known since.
    `minutes` and `placement` are [days, pupils]: what is measured runs along days, for all pupils
    at once. `placement` holds row numbers of `placements` (-1: not placed here that day).
    """

    def __init__(self, tables: PartitionTables, span: Span, moments: Sequence[datetime]) -> None:
        self.span = span
        self.calendar = SchoolCalendar(tables, span, moments)
        self._timetable = Timetable(tables, span, moments)
        # Where two placements hold for a day, the one that began last wins.
        self.placements = tables.placements.sort_by(
            [("pupil_key", "ascending"), ("enrolled_on", "ascending"), ("record_key", "ascending")]
        )
        self._live = lifetimes(self.placements, moments)
        keys = np.array(self.placements["pupil_key"].to_pylist(), object)
        self.pupil_keys: list[str] = sorted(set(keys.tolist()))
        self.pupil_of_row = np.searchsorted(np.array(self.pupil_keys, object), keys)
        self.groups = sorted({group or "" for group in self.placements["group"].to_pylist()})
        self.group_of_row = np.searchsorted(
            np.array(self.groups, object),
            np.array([group or "" for group in self.placements["group"].to_pylist()], object),
        )
        self.enrolled = span.numbers_of(self.placements["enrolled_on"], _LONG_AGO)
        self.left = span.numbers_of(self.placements["left_on"], _FAR_AHEAD)
        self.enrolment_start = np.zeros(self.placements.num_rows, np.int64)
        shape = (span.days, len(self.pupil_keys))
        self.minutes: NDArray[np.int16] = np.zeros(shape, np.int16)
        self.placement: NDArray[np.int32] = np.full(shape, -1, np.int32)
        # The last column is for pupils who are not placed.
        self._group_days = np.zeros((span.days, len(self.groups) + 1), np.int16)
        self._own_rows: dict[str, list[int]] = {}
        for row in np.flatnonzero(self._timetable.is_own):
            self._own_rows.setdefault(str(self._timetable.pupil_key[row]), []).append(int(row))

    def known_placements(self, moment: int) -> NDArray[np.bool_]:
        """Which rows of `placements` count at moment number `moment`."""
        return self._live.at(moment)

    def advance(self, moment: int) -> NDArray[np.int64]:
        """Move to moment number `moment`; give the cells whose minutes or placement changed.

        A cell is day number x number of pupils + pupil number.
        """
        timetable = self._timetable
        rows = timetable.live.changed_at(moment)
        is_own = timetable.is_own[rows]
        everyone = self.calendar.advance(moment)
        if everyone or not is_own.all():
            everyone = True
            self._paint_groups(moment)
        changed = np.full(len(self.pupil_keys), everyone)
        changed[self.pupil_of_row[self._live.changed_at(moment)]] = True
        own = set(timetable.pupil_key[rows[is_own]].tolist())
        if own:
            changed |= np.isin(np.array(self.pupil_keys, object), np.array(sorted(own), object))
        return self._place(np.flatnonzero(changed), moment)

    def _place(self, pupils: NDArray[np.int64], moment: int) -> NDArray[np.int64]:
        """Work out the days of `pupils` again; the cells that differ."""
        if not len(pupils):
            return np.zeros(0, np.int64)
        placement = self._placements_of(pupils, self._live.at(moment))
        minutes = self._minutes_of(pupils, placement, self._timetable.live.at(moment))
        differs = (minutes != self.minutes[:, pupils]) | (placement != self.placement[:, pupils])
        self.minutes[:, pupils] = minutes
        self.placement[:, pupils] = placement
        day, at = np.nonzero(differs)
        return np.asarray(day * len(self.pupil_keys) + pupils[at])

    def _placements_of(
        self, pupils: NDArray[np.int64], known: NDArray[np.bool_]
    ) -> NDArray[np.int32]:
        """The placement of each pupil on each day; the one that began last wins."""
        placement = np.full((self.span.days, len(pupils)), -1, np.int32)
        column = np.full(len(self.pupil_keys), -1, np.int64)
        column[pupils] = np.arange(len(pupils))
        rows = np.flatnonzero(known & (column[self.pupil_of_row] >= 0))
        self._follow_enrolments(rows)
        first = np.maximum(self.enrolled[rows], 0)
        end = np.maximum(self.left[rows] + 1, 0)
        for row, at, begin, stop in zip(
            rows.tolist(),
            column[self.pupil_of_row[rows]].tolist(),
            first.tolist(),
            end.tolist(),
            strict=True,
        ):
            placement[begin:stop, at] = row
        return placement

    def _follow_enrolments(self, rows: NDArray[np.int64]) -> None:
        """Since when the pupil is at this school, for known placements in their order."""
        begins = np.ones(len(rows), bool)
        before, after = rows[:-1], rows[1:]
        begins[1:] = (self.pupil_of_row[after] != self.pupil_of_row[before]) | (
            self.enrolled[after] - self.left[before] > ENROLMENT_GAP_DAYS + 1
        )
        first = np.maximum.accumulate(np.where(begins, np.arange(len(rows)), 0))
        self.enrolment_start[rows] = self.enrolled[rows[first]]

    def _minutes_of(
        self,
        pupils: NDArray[np.int64],
        placement: NDArray[np.int32],
        known_own: NDArray[np.bool_],
    ) -> NDArray[np.int16]:
        group = np.where(placement >= 0, self.group_of_row[placement], len(self.groups))
        minutes = self._group_days[np.arange(self.span.days)[:, None], group]
        for at, pupil in enumerate(pupils.tolist()):
            rows = np.array(self._own_rows.get(self.pupil_keys[pupil], ()), np.int64)
            rows = rows[known_own[rows]]
            if len(rows):
                own = np.full(self.span.days, -1, np.int16)
                self._timetable.paint(own, rows)
                holds = (own >= 0) & (placement[:, at] >= 0) & self.calendar.school_days
                minutes[holds, at] = own[holds]
        return minutes

    def _paint_groups(self, moment: int) -> None:
        timetable = self._timetable
        rows = np.flatnonzero(timetable.live.at(moment) & ~timetable.is_own)
        self._group_days = np.zeros((self.span.days, len(self.groups) + 1), np.int16)
        for group in set(timetable.group[rows].tolist()) & set(self.groups):
            days = np.zeros(self.span.days, np.int16)
            timetable.paint(days, rows[timetable.group[rows] == group])
            self._group_days[:, self.groups.index(group)] = days * self.calendar.school_days
