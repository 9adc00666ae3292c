"""The outcome of every row under each kind of label an experiment may ask for."""

from dataclasses import replace
from datetime import date

import numpy as np
from numpy.typing import NDArray

from features.absence import DayGrid, Minutes, counted_minutes
from features.vocabulary import UNAUTHORISED_KINDS, AbsenceKind
from training.experiment import Label
from training.labels import (
    FAR_AHEAD,
    Outcome,
    SchoolLabels,
    label_school,
)

CLOSED = frozenset({AbsenceKind.SCHOOL_CLOSED})


def label_rows(grid: DayGrid, mondays: tuple[date, ...], label: Label) -> SchoolLabels:
    """The labels of one school; the grid ends where the data end.

    Whatever the kind, only days from the as-of date on count, so that no feature (which ends
    before it) shares a day with the label.
    """
    if label.kind == "share":
        return _share(grid, mondays, label)
    return label_school(unauthorised_only(grid) if label.kind == "strict" else grid, mondays, label)


def unauthorised_only(grid: DayGrid) -> DayGrid:
    """The same days with only unauthorised time absent; what nobody has explained yet is not."""
    counts = UNAUTHORISED_KINDS | CLOSED
    return replace(
        grid, minutes={kind: grid.minutes[kind] for kind in grid.minutes.keys() & counts}
    )


def _share(grid: DayGrid, mondays: tuple[date, ...], label: Label) -> SchoolLabels:
    """`share`: the onset is the day on which the absent time reaches the threshold of the window.

    Censored is who has no planned time in the last school week of the window: of who left, the
    planned time of the whole window is unknown, and no onset is claimed.
    """
    planned, absent = counted_minutes(grid)
    columns = [_share_monday(grid, planned, absent, monday, label) for monday in mondays]
    outcome, onset_day, window_end = (np.stack(each, axis=1) for each in zip(*columns, strict=True))
    weeks, first = grid.school_weeks, np.datetime64(grid.first_day, "D")
    start = np.array([weeks.before[max(weeks.week_of(monday), 0)] for monday in mondays])
    lead = weeks.before[np.maximum(onset_day, 0) // 7] - start
    return SchoolLabels(
        pupil_keys=tuple(grid.pupil_keys),
        mondays=mondays,
        outcome=outcome.astype(np.int8),
        onset_on=np.where(onset_day < 0, np.datetime64("NaT"), first + onset_day),
        lead_weeks=np.where(onset_day < 0, -1, lead).astype(np.int16),
        window_end=first + window_end,
    )


def _share_monday(
    grid: DayGrid, planned: Minutes, absent: Minutes, monday: date, label: Label
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Outcome, day of the onset (-1: none) and last day of the window, for every pupil."""
    pupils, weeks = len(planned), grid.school_weeks
    never = np.full(pupils, -1, dtype=np.int64)
    inside = 0 <= weeks.week_of(monday) < len(weeks.is_school_week)
    end_week = weeks.horizon_end(monday, label.share_weeks) if inside else None
    if end_week is None:
        immature = np.full(pupils, int(Outcome.IMMATURE), dtype=np.int64)
        return immature, never, np.full(pupils, FAR_AHEAD, dtype=np.int64)
    start, end = (monday - grid.first_day).days, end_week * 7
    running = np.cumsum(absent[:, start:end], axis=1, dtype=np.int64)
    wanted = label.share_threshold * planned[:, start:end].sum(axis=1) - 1e-3
    reached = (running >= wanted[:, None]) & (wanted[:, None] > 0)
    last_week = planned[:, end - 7 : end].any(axis=1)
    came = reached[:, -1] & last_week
    rest = np.where(last_week, int(Outcome.NO_ONSET), int(Outcome.CENSORED))
    onset_day = np.where(came, start + reached.argmax(axis=1), -1)
    outcome = np.where(came, int(Outcome.ONSET), rest)
    return outcome, np.where(came, onset_day, -1), np.full(pupils, end - 1, dtype=np.int64)
