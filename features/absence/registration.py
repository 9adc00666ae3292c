"""How absence was recorded: late, corrected, and weeks in which a group was not registered."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow.compute as pc
from numpy.typing import NDArray

from features.absence.replay import AbsenceReplay, Changed
from features.absence.weeks import WeekSums
from features.absence.windows import Weeks
from features.vocabulary import KnownAtBasis

LATE_AFTER_DAYS = 7
CHANCE_OF_NOTHING = 0.01
"""A group-week without any record counts as not registered below this probability."""

_DAY = 24 * 60 * 60 * 1_000_000
_ALL, _TIMED, _LATE, _CORRECTED = range(4)


@dataclass(frozen=True)
class Registered:
    """Pupils for whom other weeks count as unregistered, and the earliest week with news."""

    pupils: NDArray[np.int64]
    earliest_week: int


class Registration:
    """Counts of records by the week in which they start, and the weeks a group was not registered.

    `unregistered` is [weeks, pupils]. A group-week is unregistered when no record of the group
    starts in it, while that would happen by chance less than once in 100 times: each pupil of the
    group having no record with the probability seen among the other pupils of the school that
    week. It holds for the pupils of the group without anything on their days in that week. Missing
    registration is not presence: such a week is left out, of the planned time as well.
    """

    def __init__(self, replay: AbsenceReplay, sums: WeekSums) -> None:
        self._replay = replay
        self._sums = sums
        records, versions = replay.records, replay.versions
        epoch = replay.span.numbers_of(records["starts_at"].cast("date32"), replay.span.first_day)
        self._week = epoch // 7
        self._inside = (versions.pupil >= 0) & (self._week >= 0) & (self._week < replay.span.weeks)
        key = np.array(records["record_key"].to_pylist(), object)
        is_first = np.ones(len(key), bool)
        is_first[1:] = key[1:] != key[:-1]
        first = np.maximum.accumulate(np.where(is_first, np.arange(len(key)), 0))
        known_day = records["known_at"].cast("int64").to_numpy() // _DAY
        basis = pc.equal(records["known_at_basis"], KnownAtBasis.RECORDED.value).to_numpy()
        is_timed = basis[first]
        is_late = is_timed & (known_day[first] - versions.start_day > LATE_AFTER_DAYS)
        content = np.stack([versions.kind, versions.starts_at, versions.minutes])
        is_changed = np.zeros(len(key), bool)
        is_changed[1:] = (content[:, 1:] != content[:, :-1]).any(axis=0)
        is_changed[1:] |= records["withdrawn"].to_numpy()[:-1]
        changes = np.cumsum(is_changed & ~is_first)
        is_corrected = changes > changes[first]
        everything = np.ones(len(key), bool)
        self._flags = np.stack([everything, is_timed, is_late, is_corrected])
        shape = (len(self._flags), replay.span.weeks, len(replay.planned.pupil_keys))
        self._counts: NDArray[np.int32] = np.zeros(shape, np.int32)
        self.unregistered: NDArray[np.bool_] = np.zeros(shape[1:], bool)
        self._groups: NDArray[np.int64] = np.zeros(shape[1:], np.int64)
        self._is_stale = np.zeros(replay.span.weeks, bool)

    def advance(self, moment: int, changed: Changed, end: int) -> Registered:
        """Move to moment number `moment`, at which the replay `changed`.

        Weeks from number `end` on lie in the future and are left for later.
        """
        live, pupils = self._replay.live, max(1, self.unregistered.shape[1])
        news = live.changed_at(moment)
        news = news[self._inside[news]]
        sign = np.where(live.of(news, moment), 1, -1)
        pupil, week = self._replay.versions.pupil[news], self._week[news]
        for number, flags in enumerate(self._flags):
            np.add.at(self._counts[number], (week, pupil), sign * flags[news])
        for touched in (week, changed.settled // pupils, changed.replanned // pupils):
            self._is_stale[touched] = True
        self._regroup(changed.replanned_pupils)
        weeks = np.flatnonzero(self._is_stale[:end])
        self._is_stale[weeks] = False
        unregistered = self._unregistered_pupils(weeks)
        differs = (self.unregistered[weeks] != unregistered).any(axis=0)
        self.unregistered[weeks] = unregistered
        self._sums.of("planned")[weeks] = self._sums.of("scheduled")[weeks] * ~unregistered
        return Registered(np.flatnonzero(differs), int(weeks[0]) if len(weeks) else end)

    def features(self, window: Weeks) -> Mapping[str, NDArray[np.float64]]:
        """The features of recording of every pupil over the window of 12 school weeks."""
        total = self._counts[:, window.first : window.end].sum(axis=1)
        unregistered = self.unregistered[window.first : window.end].sum(axis=0)
        late = total[_LATE] / np.maximum(total[_TIMED], 1)
        corrected = total[_CORRECTED] / np.maximum(total[_ALL], 1)
        return {
            "late_recorded_share_12w": np.where(total[_TIMED] > 0, late, np.nan),
            "corrected_share_12w": np.where(total[_ALL] > 0, corrected, np.nan),
            "unregistered_weeks_12w": unregistered.astype(np.float64),
        }

    def _unregistered_pupils(self, weeks: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Per week of `weeks` and pupil: was the pupil's group not registered that week?"""
        is_planned = self._sums.of("scheduled")[weeks] > 0
        has_record = (self._counts[_ALL, weeks] > 0) & is_planned
        groups = len(self._replay.planned.groups)
        cell = np.arange(len(weeks))[:, None] * groups + self._groups[weeks]
        size, with_record = (
            np.bincount(cell[chosen], minlength=len(weeks) * groups).reshape(len(weeks), groups)
            for chosen in (is_planned, has_record)
        )
        others = size.sum(axis=1, keepdims=True) - size
        share = (with_record.sum(axis=1, keepdims=True) - with_record) / np.maximum(others, 1)
        by_chance = np.where(others > 0, (1 - share) ** size, 1.0)
        is_silent = (size > 0) & (with_record == 0) & (by_chance < CHANCE_OF_NOTHING)
        # Absence that began in an earlier week is known time in this one.
        has_anything = (self._sums.of("absent")[weeks] > 0) | (
            self._sums.of("elsewhere")[weeks] > 0
        )
        return np.asarray(is_planned & is_silent.reshape(-1)[cell] & ~has_anything)

    def _regroup(self, pupils: NDArray[np.int64]) -> None:
        """Take over the group of pupils on their last planned day of each week; 0 without one."""
        if not len(pupils):
            return
        planned, shape = self._replay.planned, (-1, 7, len(pupils))
        group = planned.group_of_row[planned.placement[:, pupils]].reshape(shape)
        is_planned = (planned.minutes[:, pupils] > 0).reshape(shape)
        groups = np.zeros((len(group), len(pupils)), np.int64)
        for weekday in range(7):
            np.copyto(groups, group[:, weekday], where=is_planned[:, weekday])
        self._groups[:, pupils] = groups
