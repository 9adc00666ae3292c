"""Pupils at home for a long time: since when, the clocks that run, and counts per month.

One definition for the page of a school and for the counts of a region: a *spell* is a row of
planned school days of each of which half or more was missed, for whatever reason. It is *long* from
its 20th day (four school weeks of five days), and *very long* from three months after its first.
Holidays and week-ends have no planned days: they do not interrupt a spell and do not count, but
the three months run on through them.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
from numpy.typing import NDArray

from features.absence import DayGrid
from features.vocabulary import ABSENT_KINDS, AbsenceKind, PupilKey

FOUR_WEEKS_DAYS = 20
"""School days after which an absence is long (four weeks of five days)."""

THREE_MONTHS = 3


@dataclass(frozen=True)
class Spell:
    """One row of missed school days of one pupil, as known at one moment.

    `four_weeks_on` is the 20th school day of the row (expected, when it lies ahead; None when the
    calendar on file ends before it). `back_on` is the first day at school after it, `left_on` the
    last planned day of a pupil who went away from school in it; None in both: it goes on.
    `kinds` are the kinds of absence in it, the most frequent first.
    """

    pupil_key: PupilKey
    since: date
    school_days: int
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


def spells(grid: DayGrid, as_of: date, at_least: int) -> Iterator[Spell]:
    """The spells of at least so many school days that began before Monday `as_of`.

    What is planned or announced from `as_of` on is used for one thing only: on which day the
    20th school day will be.
    """
    end = (as_of - grid.first_day).days
    enough = _missed(grid, slice(None))[:, :end].sum(axis=1) >= at_least
    yield from _spells(grid, np.flatnonzero(enough).tolist(), as_of, at_least)


def current_spells(
    grid: DayGrid, as_of: date, pupil_keys: Iterable[PupilKey]
) -> dict[PupilKey, Spell]:
    """Of these pupils, the spell that goes on at Monday `as_of`; none for who has none."""
    wanted = set(pupil_keys)
    chosen = [number for number, key in enumerate(grid.pupil_keys) if key in wanted]
    return {
        spell.pupil_key: spell
        for spell in _spells(grid, chosen, as_of, at_least=1)
        if spell.ended_on is None
    }


def _spells(grid: DayGrid, pupils: Sequence[int], as_of: date, at_least: int) -> Iterator[Spell]:
    end = (as_of - grid.first_day).days
    for pupil in pupils:
        days = np.flatnonzero(grid.planned[pupil] > 0)
        past = days[days < end]
        for first, after in _rows(_missed(grid, pupil)[past]):
            if after - first >= at_least:
                yield _spell(grid, pupil, days, first, after, len(past))


def _missed(grid: DayGrid, pupils: int | slice) -> NDArray[np.bool_]:
    """Where half or more of the planned time was missed: the rule of the cohort features."""
    planned = grid.planned[pupils]
    absent: NDArray[np.int32] = sum(
        (
            grid.minutes[kind][pupils].astype(np.int32)
            for kind in ABSENT_KINDS & grid.minutes.keys()
        ),
        np.zeros(planned.shape, np.int32),
    )
    return np.asarray((planned > 0) & (2 * absent >= planned))


def _rows(flags: NDArray[np.bool_]) -> Iterator[tuple[int, int]]:
    """Where each row of true values begins, and the place after its end.

    >>> list(_rows(np.array([True, False, True, True])))
    [(0, 1), (2, 4)]
    """
    edges = np.flatnonzero(np.diff(np.r_[False, flags, False].astype(np.int8)))
    yield from ((int(first), int(after)) for first, after in edges.reshape(-1, 2))


def _spell(
    grid: DayGrid, pupil: int, days: NDArray[np.int64], first: int, after: int, past: int
) -> Spell:
    since = grid.first_day + timedelta(days=int(days[first]))
    fourth = first + FOUR_WEEKS_DAYS - 1
    # No planned day at all from the Monday on: the pupil left while at home.
    has_left = after == past and past == len(days)
    inside = days[first:after]
    return Spell(
        pupil_key=grid.pupil_keys[pupil],
        since=since,
        school_days=after - first,
        four_weeks_on=_day(grid, days, fourth),
        three_months_on=months_later(since, THREE_MONTHS),
        back_on=_day(grid, days, after) if after < past else None,
        left_on=_day(grid, days, after - 1) if has_left else None,
        over_holiday=bool((np.diff(inside) > 7).any()),
        kinds=_kinds(grid, pupil, inside),
    )


def _day(grid: DayGrid, days: NDArray[np.int64], place: int) -> date | None:
    return grid.first_day + timedelta(days=int(days[place])) if place < len(days) else None


def _kinds(grid: DayGrid, pupil: int, days: NDArray[np.int64]) -> tuple[AbsenceKind, ...]:
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


def month_counts(grid: DayGrid, as_of: date, first_month: date) -> list[MonthCounts]:
    """The counts of every month from `first_month` up to the Sunday before `as_of`."""
    long = list(spells(grid, as_of, FOUR_WEEKS_DAYS))
    return [_month(grid, long, month, as_of) for month in _months(first_month, as_of)]


def _months(first: date, as_of: date) -> Iterator[date]:
    month = first.replace(day=1)
    while month < as_of:
        yield month
        month = months_later(month, 1)


def _month(grid: DayGrid, long: list[Spell], month: date, as_of: date) -> MonthCounts:
    until = min(months_later(month, 1), as_of) - timedelta(days=1)
    running = [spell for spell in long if _is_long(spell, until) and spell.runs_on(until)]
    longer = sum(spell.three_months_on <= until for spell in running)
    ended = [spell for spell in long if spell.ended_on and month <= spell.ended_on <= until]
    first, last = ((day - grid.first_day).days for day in (month, until))
    return MonthCounts(
        month=month,
        until=until,
        pupils=int((grid.planned[:, max(first, 0) : last + 1] > 0).any(axis=1).sum()),
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
