"""How absence was recorded: late, corrected, and weeks in which a group was not registered."""

import numpy as np
import pyarrow.compute as pc
from numpy.typing import NDArray

from features.absence.replay import AbsenceReplay
from features.absence.weeks import Weeks, WeekSums
from features.vocabulary import KnownAtBasis

LATE_AFTER_DAYS = 7
CHANCE_OF_NOTHING = 0.01
"""A group-week without any record counts as not registered below this probability."""

_DAY = 24 * 60 * 60 * 1_000_000
_ALL, _TIMED, _LATE, _CORRECTED = range(4)


class Registration:
    """Counts of records by the week in which they start, and the weeks a group was not registered.

    `unregistered` is [pupils, weeks]. A group-week is unregistered when no record of the group
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
        shape = (len(self._flags), len(replay.planned.pupil_keys), replay.span.weeks)
        self._counts: NDArray[np.int32] = np.zeros(shape, np.int32)
        self.unregistered: NDArray[np.bool_] = np.zeros(shape[1:], bool)

    def advance(self, moment: int, places: NDArray[np.int64]) -> None:
        """Move to moment number `moment`, at which the sums of `places` may have changed."""
        live = self._replay.live
        changed = np.flatnonzero(live.changes_at(moment) & self._inside)
        sign = np.where(live.at(moment)[changed], 1, -1)
        pupil, week = self._replay.versions.pupil[changed], self._week[changed]
        for number, flags in enumerate(self._flags):
            np.add.at(self._counts[number], (pupil, week), sign * flags[changed])
        for number in np.union1d(week, places % self._replay.span.weeks):
            self.unregistered[:, number] = self._unregistered_pupils(int(number))

    def late_share(self, pupils: NDArray[np.int64], window: Weeks) -> NDArray[np.float64]:
        """Share of timed records that was recorded late; NaN without any."""
        return self._share(_LATE, _TIMED, pupils, window)

    def corrected_share(self, pupils: NDArray[np.int64], window: Weeks) -> NDArray[np.float64]:
        """Share of records that was corrected; NaN without any."""
        return self._share(_CORRECTED, _ALL, pupils, window)

    def _share(
        self, part: int, whole: int, pupils: NDArray[np.int64], window: Weeks
    ) -> NDArray[np.float64]:
        total = self._counts[:, pupils, window.first : window.end].sum(axis=2)
        share: NDArray[np.float64] = total[part] / np.maximum(total[whole], 1)
        return np.where(total[whole] > 0, share, np.nan)

    def _unregistered_pupils(self, week: int) -> NDArray[np.bool_]:
        is_planned = self._sums.of("planned")[:, week] > 0
        if not is_planned.any():
            return is_planned
        group = self._group_in(week)
        has_record = (self._counts[_ALL, :, week] > 0) & is_planned
        groups = len(self._replay.planned.groups)
        pupils = np.bincount(group[is_planned], minlength=groups)
        with_record = np.bincount(group[has_record], minlength=groups)
        others = pupils.sum() - pupils
        share = (with_record.sum() - with_record) / np.maximum(others, 1)
        by_chance = np.where(others > 0, (1 - share) ** pupils, 1.0)
        is_silent = (pupils > 0) & (with_record == 0) & (by_chance < CHANCE_OF_NOTHING)
        has_anything = np.zeros(len(group), bool)
        for quantity in ("absent", "elsewhere", "late", "sent_out"):
            has_anything |= self._sums.of(quantity)[:, week] > 0
        return np.asarray(is_planned & is_silent[group] & ~has_anything)

    def _group_in(self, week: int) -> NDArray[np.int64]:
        """The group of every pupil on the last planned day of the week; 0 without one."""
        days = slice(week * 7, week * 7 + 7)
        planned = self._replay.planned
        last = 6 - np.argmax(planned.minutes[:, days][:, ::-1] > 0, axis=1)
        row = planned.placement[:, days][np.arange(len(last)), last]
        groups: NDArray[np.int64] = np.where(row >= 0, planned.group_of_row[row], 0)
        return groups
