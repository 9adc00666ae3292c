"""What happened after an as-of date: did a run of prolonged absence start within the horizon?

What a run is, and what counts as absent in it, stands in `features.absence.runs`; the first day
of a run is the *onset*. A pupil who left has no planned time, so the horizon cannot be seen to its
end: censored, unless the onset came first.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from enum import IntEnum

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from features.absence import DayGrid, Flags, Planned, counted_minutes, onset_flags, pack
from features.school_weeks import SchoolWeeks
from training.experiment import Label

FAR_AHEAD = 100_000


class Outcome(IntEnum):
    """What is known about a row: whether the onset came, and if not, why we cannot tell."""

    NO_ONSET = 0
    ONSET = 1
    CENSORED = 2
    IMMATURE = 3


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
    events = _Events.of(packed, onset_flags(packed, rule.run_days, rule.absent_share))
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
