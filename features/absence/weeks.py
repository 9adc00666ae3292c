"""Sums per pupil and week, kept up to date as days change; windows of weeks are read from them."""

from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from features.absence.day_parts import KINDS, TIMED
from features.absence.replay import AbsenceReplay
from features.vocabulary import ABSENT_KINDS, UNAUTHORISED_KINDS, AbsenceKind

Numbers = NDArray[np.float64]
Cell = TypeVar("Cell", np.int16, np.bool_)

OTHER_AUTHORISED = ABSENT_KINDS - UNAUTHORISED_KINDS - {AbsenceKind.SICK, AbsenceKind.UNVERIFIED}

_MINUTES = {
    "sick": {AbsenceKind.SICK},
    "other_authorised": OTHER_AUTHORISED,
    "unauthorised": UNAUTHORISED_KINDS,
    "unverified": {AbsenceKind.UNVERIFIED},
    "elsewhere": {AbsenceKind.ELSEWHERE, AbsenceKind.SCHOOL_CLOSED},
}
QUANTITIES = (
    "planned",
    "absent",
    *_MINUTES,
    "absent_days",
    "part_days",
    "early_part_days",
    "sick_days",
    "medical_days",
    "late",
    "sent_out",
)


def is_absent_day(planned: NDArray[np.int16], absent: NDArray[np.int16]) -> NDArray[np.bool_]:
    """At least half of the planned minutes absent; never without planned minutes.

    >>> is_absent_day(np.array([300, 300, 0]), np.array([150, 149, 0]))
    array([ True, False, False])
    """
    return np.asarray((planned > 0) & (2 * absent.astype(np.int32) >= planned))


class WeekSums:
    """One number per quantity, pupil and week, of days as they stand in the replay."""

    def __init__(self, replay: AbsenceReplay) -> None:
        self._replay = replay
        shape = (len(QUANTITIES), len(replay.planned.pupil_keys), replay.span.weeks)
        self.sums: NDArray[np.int32] = np.zeros(shape, np.int32)

    def of(self, quantity: str) -> NDArray[np.int32]:
        """The sums of one quantity, [pupils, weeks]."""
        sums: NDArray[np.int32] = self.sums[QUANTITIES.index(quantity)]
        return sums

    def update(self, places: NDArray[np.int64]) -> None:
        """Sum the days of the given flat places in [pupils, weeks] again."""
        replay = self._replay
        planned = _week(replay.planned.minutes, places)
        absent = _week(replay.absent, places)
        kinds = {kind: _week(replay.minutes[KINDS.index(kind)], places) for kind in KINDS[:TIMED]}
        is_part = (absent > 0) & ~is_absent_day(planned, absent)
        values = {
            "planned": planned,
            "absent": absent,
            **{name: sum(kinds[kind] for kind in some) for name, some in _MINUTES.items()},
            "absent_days": is_absent_day(planned, absent),
            "part_days": is_part,
            "early_part_days": is_part & _week(replay.is_early, places),
            "sick_days": kinds[AbsenceKind.SICK] > 0,
            "medical_days": kinds[AbsenceKind.MEDICAL_VISIT] > 0,
            "late": _week(replay.late, places),
            "sent_out": _week(replay.sent_out, places),
        }
        for number, quantity in enumerate(QUANTITIES):
            week: NDArray[np.int32] = np.asarray(values[quantity]).sum(axis=1, dtype=np.int32)
            self.sums[number].reshape(-1)[places] = week


@dataclass(frozen=True)
class Weeks:
    """A window: weeks from number `first` up to, not including, `end`."""

    first: int
    end: int

    @property
    def days(self) -> slice:
        """The columns of its days."""
        return slice(self.first * 7, self.end * 7)


class WindowSums:
    """Sums over windows of weeks for some pupils; unregistered weeks count as not planned."""

    def __init__(
        self,
        sums: WeekSums,
        pupils: NDArray[np.int64],
        unregistered: NDArray[np.bool_],
        span: Weeks,
    ) -> None:
        self._first = span.first
        chosen = sums.sums[:, pupils, span.first : span.end].astype(np.float64)
        chosen[QUANTITIES.index("planned")] *= ~unregistered[pupils, span.first : span.end]
        self._is_own_week = chosen[QUANTITIES.index("planned")] > 0
        self._is_full_week = self._is_own_week & (chosen[QUANTITIES.index("absent")] == 0)
        shape = (len(QUANTITIES), len(pupils), span.end - span.first + 1)
        self._before = np.zeros(shape)
        np.cumsum(chosen, axis=2, out=self._before[:, :, 1:])

    def total(self, quantity: str, window: Weeks) -> Numbers:
        """The sum over `window`, whether or not there was planned time."""
        before = self._before[QUANTITIES.index(quantity)]
        total: Numbers = before[:, window.end - self._first] - before[:, window.first - self._first]
        return total

    def count(self, quantity: str, window: Weeks) -> Numbers:
        """The sum over `window`; NaN without planned time in it."""
        return np.where(self.total("planned", window) > 0, self.total(quantity, window), np.nan)

    def share(self, quantity: str, window: Weeks) -> Numbers:
        """The sum over `window` divided by its planned minutes; NaN without planned time in it."""
        planned = self.total("planned", window)
        return np.where(planned > 0, self.total(quantity, window) / np.maximum(planned, 1), np.nan)

    def weeks_without_full_week(self, window: Weeks) -> Numbers:
        """Weeks with planned time after the last one without absence; all of them if none is."""
        columns = slice(window.first - self._first, window.end - self._first)
        own = np.cumsum(self._is_own_week[:, columns], axis=1)
        at_full = np.where(self._is_full_week[:, columns], own, 0).max(axis=1, initial=0)
        return np.asarray(self._is_own_week[:, columns].sum(axis=1) - at_full, np.float64)


def _week(days: NDArray[Cell], places: NDArray[np.int64]) -> NDArray[Cell]:
    week: NDArray[Cell] = days.reshape(-1, 7)[places]
    return week
