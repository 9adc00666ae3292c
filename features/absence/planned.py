"""Planned minutes per pupil and day, as the calendar, timetable and placements were known."""

from collections.abc import Sequence
from datetime import date, datetime

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from features.absence.span import Span
from features.records.partition import Lifetimes, PartitionTables, lifetimes
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
        self._first_row = np.append(
            np.searchsorted(keys, np.array(self.pupil_keys, object)), len(keys)
        )
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
        self._group_days: dict[str, NDArray[np.int16]] = {}
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
        changed = _pupils_changed(self._live, moment, self._first_row)
        if everyone:
            changed[:] = True
        own = set(timetable.pupil_key[rows[is_own]].tolist())
        if own:
            changed |= np.isin(np.array(self.pupil_keys, object), np.array(sorted(own), object))
        known_rows, known_own = self._live.at(moment), timetable.live.at(moment)
        cells = [np.zeros(0, np.int64)]
        for pupil in np.flatnonzero(changed):
            minutes, placement = self._days_of(int(pupil), known_rows, known_own)
            is_new = (minutes != self.minutes[:, pupil]) | (placement != self.placement[:, pupil])
            days = np.flatnonzero(is_new)
            self.minutes[days, pupil] = minutes[days]
            self.placement[days, pupil] = placement[days]
            cells.append(days * len(self.pupil_keys) + pupil)
        return np.concatenate(cells)

    def _paint_groups(self, moment: int) -> None:
        timetable = self._timetable
        rows = np.flatnonzero(timetable.live.at(moment) & ~timetable.is_own)
        self._group_days = {}
        for group in set(timetable.group[rows].tolist()):
            days = np.zeros(self.span.days, np.int16)
            timetable.paint(days, rows[timetable.group[rows] == group])
            self._group_days[group or ""] = days * self.calendar.school_days

    def _days_of(
        self, pupil: int, known_rows: NDArray[np.bool_], known_own: NDArray[np.bool_]
    ) -> tuple[NDArray[np.int16], NDArray[np.int32]]:
        minutes = np.zeros(self.span.days, np.int16)
        placement = np.full(self.span.days, -1, np.int32)
        previous = None
        for row in range(self._first_row[pupil], self._first_row[pupil + 1]):
            if not known_rows[row]:
                continue
            self.enrolment_start[row] = self._enrolment_start(row, previous)
            previous = row
            first, end = max(0, self.enrolled[row]), max(0, self.left[row] + 1)
            placement[first:end] = row
            days = self._group_days.get(self.groups[self.group_of_row[row]])
            minutes[first:end] = 0 if days is None else days[first:end]
        own_rows = np.array(self._own_rows.get(self.pupil_keys[pupil], ()), np.int64)
        own_rows = own_rows[known_own[own_rows]]
        if len(own_rows):
            own = np.full(self.span.days, -1, np.int16)
            self._timetable.paint(own, own_rows)
            holds = (own >= 0) & (placement >= 0) & self.calendar.school_days
            minutes[holds] = own[holds]
        return minutes, placement

    def _enrolment_start(self, row: int, previous: int | None) -> int:
        if previous is not None and (
            self.enrolled[row] - self.left[previous] <= ENROLMENT_GAP_DAYS + 1
        ):
            return int(self.enrolment_start[previous])
        return int(self.enrolled[row])


def _pupils_changed(
    live: Lifetimes, moment: int, first_row: NDArray[np.int64]
) -> NDArray[np.bool_]:
    rows = live.changed_at(moment)
    changed = np.zeros(len(first_row) - 1, bool)
    changed[np.searchsorted(first_row, rows, side="right") - 1] = True
    return changed
