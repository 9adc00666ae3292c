"""What happened after an as-of date: did a run of prolonged absence start within the horizon?

A *run* starts at planned school day s when s is an absent day (half its planned time or more) and
`absent_share` of the planned time of the `run_days` planned days from s is absent. Runs that
overlap or touch are one run; its first day is the *onset*. Days without planned time (week-ends,
holidays, closed days) are stepped over, so a run bridges a holiday by counting school days.

Time that the school caused is not absence: education elsewhere, granted leave, and a suspension of
at most five days. Of a closed day nothing was planned. A pupil who left has no planned time, so the
horizon cannot be seen to its end: censored, unless the onset came first.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from enum import IntEnum

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from features.absence import DayGrid
from features.school_weeks import SchoolWeeks
from features.vocabulary import ABSENT_KINDS, AbsenceKind
from training.experiment import Label

Minutes = NDArray[np.int32]
Flags = NDArray[np.bool_]
SHORT_SUSPENSION_DAYS = 5
NEVER = np.iinfo(np.int32).max
FAR_AHEAD = 100_000


class Outcome(IntEnum):
    """What is known about a row: whether the onset came, and if not, why we cannot tell."""

    NO_ONSET = 0
    ONSET = 1
    CENSORED = 2
    IMMATURE = 3


@dataclass(frozen=True)
class Planned:
    """The planned days of each pupil, packed to the left: [pupils, most planned days].

    `day` is the day number in the grid (`NEVER` past a pupil's last planned day), `minutes` and
    `absent` the planned time and the part of it that counts as absent.
    """

    day: NDArray[np.int32]
    minutes: Minutes
    absent: Minutes
    days: NDArray[np.int64]


def counted_minutes(grid: DayGrid) -> tuple[Minutes, Minutes]:
    """Planned and absent minutes per pupil and day, as the label counts them."""
    closed = grid.minutes.get(AbsenceKind.SCHOOL_CLOSED, 0)
    planned = np.maximum(grid.planned.astype(np.int32) - closed, 0)
    absent = np.zeros_like(planned)
    for kind in ABSENT_KINDS - {AbsenceKind.LEAVE, AbsenceKind.SUSPENSION}:
        absent += grid.minutes.get(kind, 0)
    suspended = grid.minutes.get(AbsenceKind.SUSPENSION)
    if suspended is not None:
        absent += long_spells(planned, suspended.astype(np.int32), SHORT_SUSPENSION_DAYS)
    return planned, np.minimum(absent, planned)


def long_spells(planned: Minutes, minutes: Minutes, longer_than: int) -> Minutes:
    """`minutes` only where they belong to more than `longer_than` planned days in a row.

    >>> week = np.full((1, 7), 60, dtype=np.int32)
    >>> long_spells(week, np.array([[60, 60, 0, 60, 60, 60, 0]], dtype=np.int32), longer_than=2)
    array([[ 0,  0,  0, 60, 60, 60,  0]], dtype=int32)
    """
    result = np.zeros_like(minutes)
    for pupil in np.flatnonzero(minutes.any(axis=1)):
        days = np.flatnonzero(planned[pupil] > 0)
        inside = minutes[pupil, days] > 0
        edges = np.flatnonzero(np.diff(np.r_[False, inside, False].astype(np.int8)))
        for first, end in edges.reshape(-1, 2):
            if end - first > longer_than:
                result[pupil, days[first:end]] = minutes[pupil, days[first:end]]
    return result


def pack(planned: Minutes, absent: Minutes) -> Planned:
    """Leave out the days on which nothing was planned for the pupil."""
    has_plan = planned > 0
    days = has_plan.sum(axis=1)
    rows, columns = np.nonzero(has_plan)
    place = np.arange(len(rows)) - np.repeat(np.cumsum(days) - days, days)
    shape = (len(planned), max(int(days.max(initial=0)), 1))
    packed = Planned(
        day=np.full(shape, NEVER, dtype=np.int32),
        minutes=np.zeros(shape, dtype=np.int32),
        absent=np.zeros(shape, dtype=np.int32),
        days=days,
    )
    packed.day[rows, place] = columns
    packed.minutes[rows, place] = planned[rows, columns]
    packed.absent[rows, place] = absent[rows, columns]
    return packed


def onset_flags(packed: Planned, rule: Label) -> Flags:
    """Is this planned day the first day of a run? Only runs that were seen to their end count.

    >>> rule = Label(run_days=5, absent_share=0.8)
    >>> def onsets(days):
    ...     absent = np.array([[60 * (day == "a") for day in days]], dtype=np.int32)
    ...     return onset_flags(pack(np.full_like(absent, 60), absent), rule).nonzero()[1].tolist()
    >>> onsets("..aaa.aaaa...")        # four of five days: one run, from its first day
    [2]
    >>> onsets("..aaa..aaa...")        # three of five: none
    []
    >>> onsets("aaaaa.aaaaa")          # the second run touches the first
    [0]
    >>> onsets("......aaaa")           # ended before a run could be seen
    []
    """
    days = rule.run_days
    flags = np.zeros(packed.minutes.shape, dtype=np.bool_)
    last = packed.minutes.shape[1] - days + 1
    if last <= 0:
        return flags
    complete = np.arange(last) + days <= packed.days[:, None]
    planned, absent = _window(packed.minutes, days), _window(packed.absent, days)
    # A thousandth of a minute of slack: 0.8 is not a binary fraction, and the boundary counts.
    enough = absent >= rule.absent_share * planned - 1e-3
    absent_day = 2 * packed.absent[:, :last] >= packed.minutes[:, :last]
    qualifies = complete & enough & absent_day
    running = np.cumsum(np.pad(qualifies, ((0, 0), (days + 1, 0))), axis=1)
    just_before: NDArray[np.int64] = running[:, days:-1] - running[:, : -days - 1]
    flags[:, :last] = qualifies & (just_before == 0)
    return flags


def _window(values: Minutes, days: int) -> NDArray[np.int64]:
    sums = np.cumsum(np.pad(values, ((0, 0), (1, 0))), axis=1, dtype=np.int64)
    result: NDArray[np.int64] = sums[:, days:] - sums[:, :-days]
    return result


@dataclass(frozen=True)
class SchoolLabels:
    """The outcome of every pupil of one school at every as-of date asked: [pupils, Mondays].

    `onset_on` is the first onset in the horizon (NaT without one). `lead_weeks` counts the school
    weeks from the as-of date's week to the onset's week (0: the same week; -1 without an onset).
    `window_end` is the last day of horizon plus run: until then the outcome is nobody's knowledge.
    It is far ahead while the data do not reach it.
    """

    pupil_keys: tuple[str, ...]
    mondays: tuple[date, ...]
    outcome: NDArray[np.int8]
    onset_on: NDArray[np.datetime64]
    lead_weeks: NDArray[np.int16]
    window_end: NDArray[np.datetime64]

    def table(self) -> pa.Table:
        """One row per pupil and Monday."""
        shape = self.outcome.shape
        keys = np.repeat(np.arange(shape[0]), shape[1])
        mondays = np.tile(np.array(self.mondays, dtype="datetime64[D]"), shape[0])
        return pa.table(
            {
                "pupil_key": pa.array(self.pupil_keys, pa.string()).take(pa.array(keys)),
                "as_of": pa.array(mondays, pa.date32()),
                "outcome": pa.array(self.outcome.ravel()),
                "onset_on": pa.array(self.onset_on.ravel(), pa.date32()),
                "lead_weeks": pa.array(self.lead_weeks.ravel()),
                "window_end": pa.array(self.window_end.ravel(), pa.date32()),
            }
        )


def label_school(grid: DayGrid, mondays: tuple[date, ...], rule: Label) -> SchoolLabels:
    """The labels of one school, from what its day grid shows; the grid ends where the data end."""
    planned, absent = counted_minutes(grid)
    packed = pack(planned, absent)
    events = _Events.of(packed, onset_flags(packed, rule))
    before = np.cumsum(np.pad(planned > 0, ((0, 0), (1, 0))), axis=1, dtype=np.int32)
    columns = [_label_monday(grid, packed, events, before, monday, rule) for monday in mondays]
    first = np.datetime64(grid.first_day, "D")
    day = np.stack([column.onset_day for column in columns], axis=1)
    weeks = [_lead_weeks(grid.school_weeks, m, day[:, i]) for i, m in enumerate(mondays)]
    return SchoolLabels(
        pupil_keys=tuple(grid.pupil_keys),
        mondays=mondays,
        outcome=np.stack([column.outcome for column in columns], axis=1),
        onset_on=np.where(day < 0, np.datetime64("NaT"), first + day),
        lead_weeks=np.stack(weeks, axis=1),
        window_end=first + np.stack([column.window_end for column in columns], axis=1),
    )


@dataclass(frozen=True)
class _Events:
    """Onsets as pairs of pupil and day number, the latest first."""

    pupil: NDArray[np.int64]
    day: NDArray[np.int32]

    @classmethod
    def of(cls, packed: Planned, flags: Flags) -> "_Events":
        pupil, place = np.nonzero(flags)
        day = packed.day[pupil, place]
        latest_first = np.argsort(-day, kind="stable")
        return cls(pupil[latest_first], day[latest_first])


@dataclass(frozen=True)
class _Column:
    outcome: NDArray[np.int8]
    onset_day: NDArray[np.int64]
    window_end: NDArray[np.int64]


def _label_monday(
    grid: DayGrid,
    packed: Planned,
    events: _Events,
    before: NDArray[np.int32],
    monday: date,
    rule: Label,
) -> _Column:
    """Outcome of every pupil for one as-of date; `before` counts planned days before each day."""
    everyone = np.arange(len(packed.day))
    onset_day = np.full(len(everyone), -1, dtype=np.int64)
    start = (monday - grid.first_day).days
    span = label_span(grid.school_weeks, monday, rule)
    if span is None:
        immature = np.full(len(everyone), Outcome.IMMATURE, dtype=np.int8)
        return _Column(immature, onset_day, np.full(len(everyone), FAR_AHEAD, dtype=np.int64))
    horizon_end, school_window_end = span
    hit = (events.day >= start) & (events.day < horizon_end)
    onset_day[events.pupil[hit]] = events.day[hit]  # latest first, so the first onset stays
    # Seen to the end: the run window of the pupil's last planned day in the horizon is complete.
    needed = before[:, horizon_end] + rule.run_days - 2
    seen = (before[:, horizon_end] > before[:, start]) & (needed < packed.days)
    own_end = packed.day[everyone, np.where(seen, needed, 0)]
    otherwise = np.where(seen, Outcome.NO_ONSET, Outcome.CENSORED)
    outcome = np.where(onset_day >= 0, Outcome.ONSET, otherwise).astype(np.int8)
    window_end = np.maximum(school_window_end, np.where(seen, own_end, 0)).astype(np.int64)
    return _Column(outcome, onset_day, window_end)


def label_span(weeks: SchoolWeeks, monday: date, rule: Label) -> tuple[int, int] | None:
    """Day numbers just past the horizon, and of the last day of the run after it.

    None when the school days on file end before that: such an as-of date is immature for every
    pupil, whether or not an onset was seen already; else recent weeks would hold onsets only.

    >>> weeks = SchoolWeeks(date(2026, 10, 5), np.tile([True] * 5 + [False] * 2, 4))
    >>> label_span(weeks, date(2026, 10, 5), Label(run_days=5, horizon_weeks=2))
    (14, 17)
    >>> label_span(weeks, date(2026, 10, 19), Label(run_days=5, horizon_weeks=2)) is None
    True
    """
    if not 0 <= weeks.week_of(monday) < len(weeks.is_school_week):
        return None
    end_week = weeks.horizon_end(monday, rule.horizon_weeks)
    if end_week is None:
        return None
    school_days = np.flatnonzero(weeks.school_days)
    past_horizon = int(np.searchsorted(school_days, end_week * 7))
    needed = past_horizon - 1 + rule.run_days - 1
    if needed >= len(school_days):
        return None
    return end_week * 7, int(school_days[needed])


def _lead_weeks(
    weeks: SchoolWeeks, monday: date, onset_day: NDArray[np.int64]
) -> NDArray[np.int16]:
    lead = weeks.before[np.maximum(onset_day, 0) // 7] - weeks.before[weeks.week_of(monday)]
    return np.where(onset_day < 0, -1, lead).astype(np.int16)


def last_seen_day(last_registration: date, data_end: date) -> date:
    """The last Sunday up to which a school's registrations are taken to be complete.

    A school that stopped delivering is not a school where everyone is present.

    >>> last_seen_day(date(2026, 11, 12), data_end=date(2026, 12, 20))
    datetime.date(2026, 11, 15)
    >>> last_seen_day(date(2026, 11, 18), data_end=date(2026, 11, 18))       # a Wednesday
    datetime.date(2026, 11, 15)
    """
    sunday = last_registration + timedelta(days=6 - last_registration.weekday())
    return min(sunday, data_end - timedelta(days=(data_end.weekday() + 1) % 7))
