"""What is measured on days in a row: runs, sick episodes, single days, fixed weekdays.

Days of absence are few, so they are kept as a list, each with its place among the days that count.
Days without planned time have no place: they are passed over as if they did not exist. Nothing
outside the window is looked at.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from features.absence.episodes import EPISODE_GAP_DAYS

Flags = NDArray[np.bool_]
Numbers = NDArray[np.float64]
Whole = NDArray[np.signedinteger[Any]]

CONCENTRATION_MIN_DAYS = 4


def is_absent_day(planned: NDArray[np.int16], absent: NDArray[np.int16]) -> Flags:
    """At least half of the planned minutes absent; never without planned minutes.

    >>> is_absent_day(np.array([300, 300, 0]), np.array([150, 149, 0]))
    array([ True, False, False])
    """
    return np.asarray((planned > 0) & (2 * absent.astype(np.int32) >= planned))


@dataclass(frozen=True)
class FlaggedDays:
    """The flagged days of some pupils in one window, sorted by pupil and day.

    `place` is the number of each day among the counted days of its pupil, of which there are
    `counted` up to the end of the window. `pupils` is how many pupils there are.

    >>> counted = np.array([[1, 1, 0, 1, 1]], bool).T
    >>> days = flagged_days(counted, np.array([[0, 1, 0, 1, 1]], bool).T, np.arange(5))
    >>> days.place, days.current_run(), days.longest_run()
    (array([2, 3, 4]), array([3.]), array([3.]))
    """

    pupils: int
    pupil: Whole
    place: Whole
    day: Whole
    counted: Whole

    def since(self, day: int) -> "FlaggedDays":
        """Those from day number `day` on: the same in a shorter window."""
        return self.where(self.day >= day)

    def follows(self) -> Flags:
        """Per day: is the counted day before it in the window flagged as well?"""
        found = np.zeros(len(self.pupil), bool)
        is_next = self.place[1:] == self.place[:-1] + 1
        found[1:] = is_next & (self.pupil[1:] == self.pupil[:-1])
        return found

    def current_run(self) -> Numbers:
        """Per pupil: flagged days in a row up to the end of the window."""
        pupil, length, last = self._runs()
        is_current = last == self.counted[pupil]
        return self._per_pupil(pupil[is_current], length[is_current])

    def longest_run(self) -> Numbers:
        """Per pupil: most flagged days in a row."""
        pupil, length, _ = self._runs()
        longest = np.zeros(self.pupils)
        np.maximum.at(longest, pupil, length.astype(np.float64))
        return longest

    def episodes(self, episode_days: NDArray[np.int32]) -> Numbers:
        """Per pupil: stretches of flagged days that follow each other within EPISODE_GAP_DAYS.

        `episode_days` are the school's, [days] (`features.absence.episodes`).

        >>> both, every_day = np.ones((2, 1), bool), np.arange(15, dtype=np.int32)
        >>> flagged_days(both, both, np.array([4, 7])).episodes(every_day)    # Friday, Monday
        array([1.])
        >>> flagged_days(both, both, np.array([4, 14])).episodes(every_day)   # over a holiday week
        array([2.])
        """
        is_near = np.zeros(len(self.day), bool)
        is_near[1:] = np.diff(episode_days[self.day]) <= EPISODE_GAP_DAYS
        return self._per_pupil(self.pupil[~(self.follows() & is_near)])

    def single(self) -> "FlaggedDays":
        """Those with no flagged day on the counted day before or after them.

        >>> counted = np.ones((6, 1), bool)
        >>> flagged = np.array([[1, 0, 1, 1, 0, 1]], bool).T
        >>> flagged_days(counted, flagged, np.arange(6)).single().day
        array([0, 5])
        """
        follows = self.follows()
        precedes = np.append(follows[1:], False)[: len(follows)]
        return self.where(~follows & ~precedes)

    def where(self, chosen: Flags) -> "FlaggedDays":
        """The `chosen` ones."""
        return FlaggedDays(
            self.pupils, self.pupil[chosen], self.place[chosen], self.day[chosen], self.counted
        )

    def number(self) -> Numbers:
        """Per pupil: how many."""
        return self._per_pupil(self.pupil)

    def weekday_concentration(self) -> Numbers:
        """Per pupil: largest share of one weekday; NaN under CONCENTRATION_MIN_DAYS days."""
        cell = self.pupil * 7 + self.day % 7
        per_weekday = np.bincount(cell, minlength=self.pupils * 7).reshape(-1, 7)
        days = per_weekday.sum(axis=1)
        share = per_weekday.max(axis=1) / np.maximum(days, 1)
        return np.where(days >= CONCENTRATION_MIN_DAYS, share, np.nan)

    def _runs(self) -> tuple[Whole, Whole, Whole]:
        """Of every run: its pupil, its length, and the place of its last day."""
        first = np.flatnonzero(~self.follows())
        end = np.append(first[1:], len(self.pupil))[: len(first)]
        return self.pupil[first], end - first, self.place[end - 1]

    def _per_pupil(self, pupil: Whole, weights: Whole | None = None) -> Numbers:
        return np.bincount(pupil, weights, minlength=self.pupils).astype(np.float64)


def flagged_days(counted: Flags, flag: Flags, day: NDArray[np.int64]) -> FlaggedDays:
    """The days with `flag` among the `counted` ones, those with planned time that counts.

    Both are [days, pupils] of one window; `day` is the day number of each row.
    """
    row, pupil = np.nonzero(counted & flag)
    # Sorting small integers is many times faster.
    order = np.argsort(pupil.astype(np.uint16), kind="stable")
    row, pupil = row[order], pupil[order]
    place = np.cumsum(counted, axis=0, dtype=np.int16)
    return FlaggedDays(
        pupils=counted.shape[1],
        pupil=pupil,
        place=place[row, pupil].astype(np.int64),
        day=day[row],
        counted=counted.sum(axis=0),
    )
