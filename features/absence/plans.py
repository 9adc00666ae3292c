"""What one school had planned on which days, as its calendar and timetables were known."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from features.absence.episodes import episode_days
from features.absence.pupils import FAR_AHEAD, LONG_AGO, Pupils, Whole, spans_of
from features.absence.span import Span
from features.records.partition import Lifetimes, lifetimes
from features.school_weeks import SchoolWeeks, national_school_days
from features.vocabulary import DayKind, Region


class Plans(NamedTuple):
    """The plans of one school one after the other; `number[k]` is the one of moment number k.

    `minutes` is [plans, groups, days]: planned for a group on a day, 0 without school.
    `school_days`, `beside_free` (there is no school the day before or after) and `episode_days`
    (`features.absence.episodes`) are [plans, days].
    """

    number: Whole
    minutes: NDArray[np.int16]
    school_days: NDArray[np.bool_]
    beside_free: NDArray[np.bool_]
    episode_days: NDArray[np.int32]


class OwnTimetables(NamedTuple):
    """Timetable rows of single pupils, in the order in which later ones win.

    Rows of pupil number p run from `begin[p]` up to `begin[p + 1]` of all other arrays. Each holds
    for one weekday (0: Monday) from day number `valid_from` up to, not including, `valid_to`, at
    moment numbers `first` up to `end`.
    """

    begin: Whole
    weekday: Whole
    valid_from: Whole
    valid_to: Whole
    minutes: Whole
    first: Whole
    end: Whole


@dataclass(frozen=True)
class SchoolPlans:
    """The plans of one school with, per moment, its sector (None: not known) and its calendar."""

    plans: Plans
    sectors: list[str | None]
    weeks: list[SchoolWeeks]


def school_plans(
    schools: pa.Table,
    calendar: pa.Table,
    timetable: pa.Table,
    groups: Sequence[str],
    span: Span,
    moments: Sequence[datetime],
) -> SchoolPlans:
    """The plans of one school from the versions of its own rows."""
    days = _Calendar(schools, calendar, span, moments)
    table = _Timetable(timetable, span, moments)
    anew = sorted(at for at in {0} | days.changes | table.changes if at < len(moments))
    known, minutes, weeks = [], [], []
    for moment in anew:
        one = days.at(moment)
        known.append(one)
        weeks.append(SchoolWeeks(span.first_day, one.school_days))
        minutes.append(table.of_groups(groups, moment) * one.school_days)
    number = np.searchsorted(anew, np.arange(len(moments)), side="right") - 1
    flags = np.stack([one.school_days for one in known])
    padded = np.pad(flags, ((0, 0), (1, 1)))
    plans = Plans(
        number,
        np.stack(minutes),
        flags,
        beside_free=~padded[:, :-2] | ~padded[:, 2:],
        episode_days=np.stack(
            [episode_days(one.school_days, span, one.over_holidays) for one in known]
        ),
    )
    return SchoolPlans(plans, [known[at].sector for at in number], [weeks[at] for at in number])


def own_timetables(
    timetable: pa.Table, pupils: Pupils, span: Span, moments: Sequence[datetime]
) -> OwnTimetables:
    """The rows of `timetable` that are about one pupil, of the pupils who are placed."""
    rows = _in_order(timetable.filter(pc.is_valid(timetable["pupil_key"])))
    begin, order = spans_of(pupils.numbers_of(rows), len(pupils.keys))
    live, held = lifetimes(rows, moments), _Held.of(rows, span)
    return OwnTimetables(
        begin=begin,
        weekday=held.weekday[order],
        valid_from=held.valid_from[order],
        valid_to=held.valid_to[order],
        minutes=held.minutes[order],
        first=live.first[order],
        end=live.end[order],
    )


class _KnownCalendar(NamedTuple):
    """What a school is like at one moment; without a known description no day is a school day.

    `over_holidays`: its reports of illness run on through a holiday.
    """

    sector: str | None
    school_days: NDArray[np.bool_]
    over_holidays: bool


class _Calendar:
    """Which days are school days: the region's holidays with the school's own days over them.

    Without a known description of the school there are none.
    """

    def __init__(
        self, schools: pa.Table, calendar: pa.Table, span: Span, moments: Sequence[datetime]
    ) -> None:
        self._span = span
        ordered = schools.sort_by("record_key")
        columns = ["sector", "region", "episodes_over_holidays"]
        self._schools = ordered.select(columns).to_pylist()
        self._schools_live = lifetimes(ordered, moments)
        own = calendar.sort_by([("date", "ascending"), ("record_key", "ascending")])
        self._live = lifetimes(own, moments)
        self._day = span.numbers_of(own["date"], LONG_AGO)
        self._inside = (self._day >= 0) & (self._day < span.days)
        kind = pc.equal(own["kind"], DayKind.SCHOOL_DAY.value)
        self._is_school_day: NDArray[np.bool_] = kind.to_numpy()

    @property
    def changes(self) -> set[int]:
        """The moments at which something begins or ceases to count."""
        return _changes(self._schools_live) | _changes(self._live)

    def at(self, moment: int) -> _KnownCalendar:
        """What is known at moment number `moment`."""
        known = np.flatnonzero(self._schools_live.at(moment))
        if not len(known):
            return _KnownCalendar(None, np.zeros(self._span.days, bool), over_holidays=False)
        school = self._schools[known[-1]]
        region = Region(school["region"])
        days = national_school_days(region, self._span.first_day, self._span.last_day).copy()
        own = self._live.at(moment) & self._inside
        days[self._day[own]] = self._is_school_day[own]
        over_holidays = bool(school["episodes_over_holidays"])
        return _KnownCalendar(school["sector"], days, over_holidays)


class _Held(NamedTuple):
    """For which days timetable rows hold, and what they plan."""

    weekday: Whole
    valid_from: Whole
    valid_to: Whole
    minutes: Whole

    @classmethod
    def of(cls, rows: pa.Table, span: Span) -> "_Held":
        last = span.numbers_of(rows["valid_to"], FAR_AHEAD)
        return cls(
            weekday=rows["weekday"].to_numpy().astype(np.int64) - 1,
            valid_from=np.maximum(span.numbers_of(rows["valid_from"], LONG_AGO), 0),
            valid_to=np.minimum(last + 1, span.days),
            minutes=np.clip(rows["planned_minutes"].to_numpy(), 0, 24 * 60).astype(np.int64),
        )


class _Timetable:
    """Planned minutes per weekday of the groups of one school."""

    def __init__(self, timetable: pa.Table, span: Span, moments: Sequence[datetime]) -> None:
        rows = _in_order(timetable.filter(pc.is_null(timetable["pupil_key"])))
        self._span = span
        self._live = lifetimes(rows, moments)
        self._held = _Held.of(rows, span)
        self._group = rows["group"].to_pylist()

    @property
    def changes(self) -> set[int]:
        """The moments at which something begins or ceases to count."""
        return _changes(self._live)

    def of_groups(self, groups: Sequence[str], moment: int) -> NDArray[np.int16]:
        """The minutes of each group on each day, as if every day were a school day."""
        minutes = np.zeros((len(groups), self._span.days), np.int16)
        number = {name: at for at, name in enumerate(groups)}
        held = self._held
        for row in np.flatnonzero(self._live.at(moment)).tolist():
            group = number.get(self._group[row])
            if group is not None:
                first = held.valid_from[row] + (held.weekday[row] - held.valid_from[row]) % 7
                minutes[group, first : max(first, held.valid_to[row]) : 7] = held.minutes[row]
        return minutes


def _in_order(timetable: pa.Table) -> pa.Table:
    # Where two rows hold for a day, the one that began last wins: rows are painted in order.
    return timetable.sort_by([("valid_from", "ascending"), ("record_key", "ascending")])


def _changes(live: Lifetimes) -> set[int]:
    ever = live.ever()
    return set(live.first[ever].tolist()) | set(live.end[ever].tolist())
