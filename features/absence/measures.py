"""What is measured on days in a row: runs, sick episodes, single days, fixed weekdays.

All functions take arrays [pupils, days] of one window. `counted` marks days with planned time that
counts; other days are passed over, as if they did not exist. They look at nothing outside the
window.
"""

import numpy as np
from numpy.typing import NDArray

Flags = NDArray[np.bool_]
Numbers = NDArray[np.float64]

EPISODE_GAP_DAYS = 5
"""Sick days with no more than this between them (a week-end with public holidays) are one episode,
if no counted day lies between them; a holiday week divides."""

CONCENTRATION_MIN_DAYS = 4


def current_run(counted: Flags, flag: Flags) -> Numbers:
    """Counted days in a row with `flag`, up to the end of the window.

    >>> counted = np.array([[1, 1, 0, 1, 1]], bool)
    >>> current_run(counted, np.array([[0, 1, 0, 1, 1]], bool))
    array([3.])
    """
    so_far = np.cumsum(counted, axis=1, dtype=np.int16)
    broken = np.where(counted & ~flag, so_far, 0).max(axis=1, initial=0)
    return np.asarray(counted.sum(axis=1) - broken, np.float64)


def longest_run(counted: Flags, flag: Flags) -> Numbers:
    """Most counted days in a row with `flag`.

    >>> counted = np.array([[1, 1, 0, 1, 1]], bool)
    >>> longest_run(counted, np.array([[1, 1, 0, 1, 0]], bool))
    array([3.])
    """
    so_far = np.cumsum(counted, axis=1, dtype=np.int16)
    broken = np.maximum.accumulate(np.where(counted & ~flag, so_far, np.int16(0)), axis=1)
    run = np.where(counted & flag, so_far - broken, 0)
    return np.asarray(run.max(axis=1, initial=0), np.float64)


def episodes(counted: Flags, flag: Flags, day: NDArray[np.int16]) -> Numbers:
    """How many stretches of flagged days there are.

    A flagged day belongs to the stretch of the counted day before it when that one is flagged and
    at most EPISODE_GAP_DAYS earlier.
    `day` is the day number of each column; columns that are nobody's school day may be left out.

    >>> friday_monday, holiday = np.array([4, 7], np.int16), np.array([4, 14], np.int16)
    >>> sick = np.array([[True, True]])
    >>> episodes(sick, sick, friday_monday), episodes(sick, sick, holiday)
    (array([1.]), array([2.]))
    """
    flagged = counted & flag
    none_yet = np.int16(-100)
    before = _last_before(np.where(flagged, day, none_yet), none_yet)
    counted_before = _last_before(np.where(counted, day, none_yet), none_yet)
    continues = (before == counted_before) & (day - before <= EPISODE_GAP_DAYS)
    return np.asarray((flagged & ~continues).sum(axis=1), np.float64)


def single_days(counted: Flags, flag: Flags) -> Flags:
    """Flagged days with no flagged day on the counted day before or after them.

    >>> counted = np.array([[1, 1, 1, 1, 1, 1]], bool)
    >>> single_days(counted, np.array([[1, 0, 1, 1, 0, 1]], bool)).astype(int)
    array([[1, 0, 0, 0, 0, 1]])
    """
    follows = _follows_flagged(counted, flag)
    precedes = _follows_flagged(counted[:, ::-1], flag[:, ::-1])[:, ::-1]
    return np.asarray(counted & flag & ~follows & ~precedes)


def weekday_concentration(flagged: Flags, weekday: NDArray[np.int64]) -> Numbers:
    """Largest share of one weekday among flagged days; NaN under CONCENTRATION_MIN_DAYS of them."""
    per_weekday = np.stack([flagged[:, weekday == day].sum(axis=1) for day in range(7)])
    days = per_weekday.sum(axis=0)
    share: Numbers = per_weekday.max(axis=0) / np.maximum(days, 1)
    return np.where(days >= CONCENTRATION_MIN_DAYS, share, np.nan)


def _follows_flagged(counted: Flags, flag: Flags) -> Flags:
    position = np.arange(counted.shape[1], dtype=np.int16)
    nowhere = np.int16(-1)
    counted_before = _last_before(np.where(counted, position, nowhere), nowhere)
    flagged_before = _last_before(np.where(counted & flag, position, nowhere), nowhere)
    return np.asarray((flagged_before == counted_before) & (flagged_before >= 0))


def _last_before(positions: NDArray[np.int16], start: np.int16) -> NDArray[np.int16]:
    """Per column the largest of the columns before it."""
    before = np.full_like(positions, start)
    np.maximum.accumulate(positions[:, :-1], axis=1, out=before[:, 1:])
    return before
