"""Pupils at home for a long time: since when, the clocks that run, and counts per month.

One definition for the page of a school, the counts of a region and the label a model learns
(`features.absence.runs`): a *spell* is a run of absence in which 80 % or more of the planned time
was missed. It is *long* from its 20th planned day (four school weeks of five days), and *very long*
from three months after its first. A day on which a pupil tried to come back does not set the clocks
back. Holidays and week-ends have no planned days: they do not interrupt a spell and do not count,
but the three months run on through them.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
from numpy.typing import NDArray

from features.absence import (
    RUN_DAYS,
    RUN_SHARE,
    SLACK,
    DayGrid,
    Planned,
    absent_days,
    counted_minutes,
    pack,
    runs,
)
from features.vocabulary import ABSENT_KINDS, AbsenceKind, PupilKey

THREE_MONTHS = 3


@dataclass(frozen=True)
class Spell:
    """One run of absence of one pupil, as known at one moment.

    `school_days` were missed, half or more, and on `days_at_school` others in between the pupil was
    there. `four_weeks_on` is the 20th planned day of the spell (expected, when it lies ahead; None
    when the calendar on file ends before it). `back_on` is the first day at school after it,
    `left_on` the last planned day of a pupil who went away from school in it; None in both: it goes
    on. `kinds` are the kinds of absence in it, the most frequent first.
    """

    pupil_key: PupilKey
    since: date
    school_days: int
    days_at_school: int
    four_weeks_on: date | None
    three_months_on: date
    back_on: date | None
    left_on: date | None
    over_holiday: bool
    kinds: tuple[AbsenceKind, ...]

    @property
    def ended_on(self) -> date | None:
        """The first day on which the spell no longer runs."""
        if self.left_on is not None:
            return self.left_on + timedelta(days=1)
        return self.back_on

    def runs_on(self, day: date) -> bool:
        """Whether the pupil was at home in this spell at the end of `day`."""
        return self.since <= day and (self.ended_on is None or self.ended_on > day)


def long_spells(grid: DayGrid, as_of: date) -> Iterator[Spell]:
    """The spells that reached their 20th planned day before Monday `as_of`: one for each onset."""
    past = _Past.of(grid, as_of)
    for pupil, first, after in runs(past.known):
        yield past.spell(pupil, first, after)


def current_spells(
    grid: DayGrid, as_of: date, pupil_keys: Iterable[PupilKey]
) -> dict[PupilKey, Spell]:
    """Of these pupils, the spell that goes on at Monday `as_of`; none for who has none.

    What is planned or announced from `as_of` on is used for one thing only: on which day the
    20th planned day will be.
    """
    past, wanted = _Past.of(grid, as_of), set(pupil_keys)
    long = {(pupil, after): first for pupil, first, after in runs(past.known)}
    found = {}
    for pupil, key in enumerate(grid.pupil_keys):
        first = past.begun(pupil) if key in wanted else None
        if first is not None:
            after = int(past.known.days[pupil])
            first = min(first, long.get((pupil, after), first))
            found[key] = past.spell(pupil, first, after)
    return {key: spell for key, spell in found.items() if spell.ended_on is None}


@dataclass(frozen=True)
class _Past:
    """The planned days of a grid: all of them in `days`, those before the Monday in `known`."""

    grid: DayGrid
    days: Planned
    known: Planned

    @classmethod
    def of(cls, grid: DayGrid, as_of: date) -> "_Past":
        planned, absent = counted_minutes(grid)
        end = max((as_of - grid.first_day).days, 0)
        return cls(grid, pack(planned, absent), pack(planned[:, :end], absent[:, :end]))

    def begun(self, pupil: int) -> int | None:
        """The first place of the absence that goes on: 80 % missed from there, looking back a run.

        None when the last planned day was not missed.
        """
        after = int(self.known.days[pupil])
        start = max(after - RUN_DAYS, 0)
        missed = absent_days(self._of(pupil))[0, start:after]
        if not after or not missed[-1]:
            return None
        minutes, absent = (
            np.cumsum(part[pupil, start:after][::-1])[::-1]
            for part in (self.known.minutes, self.known.absent)
        )
        return start + int(np.flatnonzero(missed & (absent >= RUN_SHARE * minutes - SLACK))[0])

    def _of(self, pupil: int) -> Planned:
        one = slice(pupil, pupil + 1)
        known = self.known
        return Planned(known.day[one], known.minutes[one], known.absent[one], known.days[one])

    def spell(self, pupil: int, first: int, after: int) -> Spell:
        """The spell from place `first` up to before `after`, both counted in planned days."""
        grid, past = self.grid, int(self.known.days[pupil])
        inside = self.known.day[pupil, first:after]
        since = grid.first_day + timedelta(days=int(inside[0]))
        missed = int(absent_days(self._of(pupil))[0, first:after].sum())
        # No planned day at all from the Monday on: the pupil left while at home.
        has_left = after == past and past == int(self.days.days[pupil])
        # Back within its 20 days (16 missed are enough): it runs to the 20th, or no month would
        # count it both as new and as ended.
        back = max(after, first + RUN_DAYS - 1) if after < past else None
        return Spell(
            pupil_key=grid.pupil_keys[pupil],
            since=since,
            school_days=missed,
            days_at_school=after - first - missed,
            four_weeks_on=self._date(pupil, first + RUN_DAYS - 1),
            three_months_on=months_later(since, THREE_MONTHS),
            back_on=None if back is None else self._date(pupil, back),
            left_on=self._date(pupil, after - 1) if has_left else None,
            over_holiday=bool((np.diff(inside) > 7).any()),
            kinds=_kinds(grid, pupil, inside),
        )

    def _date(self, pupil: int, place: int) -> date | None:
        if place >= self.days.days[pupil]:
            return None
        return self.grid.first_day + timedelta(days=int(self.days.day[pupil, place]))


def _kinds(grid: DayGrid, pupil: int, days: NDArray[np.int32]) -> tuple[AbsenceKind, ...]:
    minutes = {
        kind: int(grid.minutes[kind][pupil, days].sum())
        for kind in sorted(ABSENT_KINDS & grid.minutes.keys())
    }
    used = [kind for kind, total in minutes.items() if total]
    return tuple(sorted(used, key=lambda kind: (-minutes[kind], kind)))


def months_later(day: date, months: int) -> date:
    """The same day so many months later; the last day of the month where it has no such day.

    >>> months_later(date(2026, 11, 30), 3)
    datetime.date(2027, 2, 28)
    """
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    last = (date(year + (month == 11), (month + 1) % 12 + 1, 1) - timedelta(days=1)).day
    return date(year, month + 1, min(day.day, last))


@dataclass(frozen=True)
class MonthCounts:
    """One school in one month; `until` is its last day, or the last day that is known of it.

    `pupils` is how many had planned days in it. Stocks are those at the end of `until`: at home
    between four weeks and three months, and longer. Of the long spells `began` reached the 20th day
    in this month, `returned` came back to school, `left` went away from school. So the stock of the
    month before plus `began` minus `returned` and `left` is the stock.
    """

    month: date
    until: date
    pupils: int
    over_four_weeks: int
    over_three_months: int
    began: int
    returned: int
    left: int


def month_counts(
    grid: DayGrid, as_of: date, first_month: date, planned: NDArray[np.int16] | None = None
) -> list[MonthCounts]:
    """The counts of every month from `first_month` up to the Sunday before `as_of`.

    `planned` are the planned minutes of the whole school, where `grid` holds only the pupils of
    whom a run is possible (None: it holds everybody).
    """
    long = list(long_spells(grid, as_of))
    everybody = grid.planned if planned is None else planned
    months, first = list(_months(first_month, as_of)), grid.first_day
    return [_month(everybody, first, long, month, as_of) for month in months]


def _months(first: date, as_of: date) -> Iterator[date]:
    month = first.replace(day=1)
    while month < as_of:
        yield month
        month = months_later(month, 1)


def _month(
    planned: NDArray[np.int16], first_day: date, long: list[Spell], month: date, as_of: date
) -> MonthCounts:
    until = min(months_later(month, 1), as_of) - timedelta(days=1)
    running = [spell for spell in long if _is_long(spell, until) and spell.runs_on(until)]
    longer = sum(spell.three_months_on <= until for spell in running)
    ended = [spell for spell in long if spell.ended_on and month <= spell.ended_on <= until]
    first, last = ((day - first_day).days for day in (month, until))
    return MonthCounts(
        month=month,
        until=until,
        pupils=int((planned[:, max(first, 0) : last + 1] > 0).any(axis=1).sum()),
        over_four_weeks=len(running) - longer,
        over_three_months=longer,
        began=sum(
            spell.four_weeks_on is not None and month <= spell.four_weeks_on <= until
            for spell in long
        ),
        returned=sum(spell.left_on is None for spell in ended),
        left=sum(spell.left_on is not None for spell in ended),
    )


def _is_long(spell: Spell, day: date) -> bool:
    return spell.four_weeks_on is not None and spell.four_weeks_on <= day
