"""The days of pupils on which a record lies, as a list in order, with what they come to now."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from features.absence.day_parts import KINDS
from features.absence.measures import FlaggedDays, Flags
from features.absence.replay import AbsenceReplay, Changed
from features.absence.weeks import is_absent_day
from features.vocabulary import AbsenceKind

_SICK = KINDS.index(AbsenceKind.SICK)


@dataclass(frozen=True)
class ListedDays:
    """Absent days of one window of one moment, sorted by pupil and day.

    `place` numbers them among the counted days of the pupil; `counted` is the number of each
    pupil's last counted day. `half` and `sick` mark days with at least half of the planned time
    absent, and with sick time.
    """

    pupil: NDArray[np.int32]
    day: NDArray[np.int32]
    place: NDArray[np.int16]
    half: Flags
    sick: Flags
    counted: NDArray[np.int16]


class AbsentCells:
    """Which days with a record count as absent, as the replay stands.

    Days without a record are never absent, so only these are looked at, and not the days of a
    whole year: some sixty per pupil in three years.
    """

    def __init__(self, replay: AbsenceReplay) -> None:
        self._replay = replay
        pupils = max(1, len(replay.planned.pupil_keys))
        day, pupil = replay.cells // pupils, replay.cells % pupils
        order = np.lexsort((day, pupil))
        self._at = np.empty(len(order), np.int64)
        self._at[order] = np.arange(len(order))
        self._day, self._pupil = day[order].astype(np.int32), pupil[order].astype(np.int32)
        self._any, self._half, self._sick = (np.zeros(len(order), bool) for _ in range(3))
        shape = (replay.span.days, len(replay.planned.pupil_keys))
        self._place: NDArray[np.int16] = np.zeros(shape, np.int16)

    def settle(self, changed: Changed) -> None:
        """Take over what the replay settled."""
        replay, cells = self._replay, self._replay.cells[changed.numbers]
        at = self._at[changed.numbers]
        absent = replay.absent.reshape(-1)[cells]
        planned = replay.planned.minutes.reshape(-1)[cells]
        self._any[at] = absent > 0
        self._half[at] = (absent > 0) & is_absent_day(planned, absent)
        self._sick[at] = replay.minutes[_SICK].reshape(-1)[cells] > 0

    def number(self, pupils: NDArray[np.int64], unregistered: Flags) -> None:
        """Number the counted days of these pupils: planned, in weeks not `unregistered`."""
        counted = self._replay.planned.minutes[:, pupils] > 0
        counted &= ~np.repeat(unregistered[:, pupils], 7, axis=0)
        self._place[:, pupils] = np.cumsum(counted, axis=0, dtype=np.int16)

    def between(self, first: int, end: int) -> ListedDays:
        """The absent days from day number `first` up to, not including, `end`."""
        chosen = np.flatnonzero(self._any & (self._day >= first) & (self._day < end))
        day, pupil = self._day[chosen], self._pupil[chosen]
        return ListedDays(
            pupil=pupil,
            day=day,
            place=self._place[day, pupil],
            half=self._half[chosen],
            sick=self._sick[chosen],
            counted=self._place[end - 1].copy() if end else np.zeros_like(self._place[0]),
        )


@dataclass(frozen=True)
class AbsentDays:
    """Days with any time absent, with at least half, and with sick time, of a block of moments.

    Pupil number p of moment number m of the block is number m x pupils + p.
    """

    any_time: FlaggedDays
    half: FlaggedDays
    sick: FlaggedDays


def together(listed: Sequence[ListedDays]) -> AbsentDays:
    """The days of one window at several moments, for all their pupils after each other."""
    pupils = len(listed[0].counted)
    begin = np.arange(len(listed), dtype=np.int32) * pupils
    number = np.repeat(begin, [len(one.pupil) for one in listed])
    any_time = FlaggedDays(
        pupils=pupils * len(listed),
        pupil=np.concatenate([one.pupil for one in listed]) + number,
        place=np.concatenate([one.place for one in listed]).astype(np.int32),
        day=np.concatenate([one.day for one in listed]),
        counted=np.concatenate([one.counted for one in listed]).astype(np.int32),
    )
    half, sick = (
        any_time.where(np.concatenate([getattr(one, name) for one in listed]))
        for name in ("half", "sick")
    )
    return AbsentDays(any_time, half, sick)
