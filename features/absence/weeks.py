"""Sums per week and pupil, kept up to date as days change; windows of weeks are read from them."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from features.absence.day_parts import KINDS
from features.absence.replay import AbsenceReplay, Changed
from features.absence.windows import Weeks
from features.vocabulary import ABSENT_KINDS, UNAUTHORISED_KINDS, AbsenceKind

Numbers = NDArray[np.float64]

OTHER_AUTHORISED = ABSENT_KINDS - UNAUTHORISED_KINDS - {AbsenceKind.SICK, AbsenceKind.UNVERIFIED}

_MINUTES = {
    "sick": {AbsenceKind.SICK},
    "other_authorised": OTHER_AUTHORISED,
    "unauthorised": UNAUTHORISED_KINDS,
    "unverified": {AbsenceKind.UNVERIFIED},
    "elsewhere": {AbsenceKind.ELSEWHERE, AbsenceKind.SCHOOL_CLOSED},
}
QUANTITIES = (
    "scheduled",
    "planned",
    "absent",
    *_MINUTES,
    "absent_days",
    "part_days",
    "early_part_days",
    "sick_days",
    "medical_days",
    "late",
    "late_or_sent_out",
    "sent_out",
)
_SCHEDULED, _PLANNED, _FIRST_SETTLED = range(3)
_KINDS_OF = {name: [KINDS.index(kind) for kind in kinds] for name, kinds in _MINUTES.items()}


def is_absent_day(planned: NDArray[np.int16], absent: NDArray[np.int16]) -> NDArray[np.bool_]:
    """At least half of the planned minutes absent; never without planned minutes.

    >>> is_absent_day(np.array([300, 300, 0]), np.array([150, 149, 0]))
    array([ True, False, False])
    """
    return np.asarray((planned > 0) & (2 * absent.astype(np.int32) >= planned))


class WeekSums:
    """One number per week, quantity and pupil, of days as they stand in the replay.

    `scheduled` is planned minutes; `planned` is the same without the weeks that were not
    registered, which `Registration` takes out.
    """

    def __init__(self, replay: AbsenceReplay) -> None:
        self._replay = replay
        shape = (replay.span.weeks, len(QUANTITIES), len(replay.planned.pupil_keys))
        self.sums: NDArray[np.int32] = np.zeros(shape, np.int32)

    def of(self, quantity: str) -> NDArray[np.int32]:
        """The sums of one quantity, [weeks, pupils]."""
        sums: NDArray[np.int32] = self.sums[:, QUANTITIES.index(quantity)]
        return sums

    def update(self, changed: Changed) -> None:
        """Sum the days again in the weeks of pupils where the replay settled or planned anew."""
        replay = self._replay
        pupils = max(1, len(replay.planned.pupil_keys))
        week, pupil = changed.replanned // pupils, changed.replanned % pupils
        if len(week) > pupils:
            by_week = replay.planned.minutes.reshape(replay.span.weeks, 7, -1)
            minutes = by_week.sum(axis=1, dtype=np.int32)[week, pupil]
        else:
            days = (week * 7 + np.arange(7)[:, None], pupil)
            minutes = _sum(replay.planned.minutes[days])
        self.sums[week, _SCHEDULED, pupil] = minutes
        self.sums[week, _PLANNED, pupil] = minutes
        self._sum_settled(changed.settled // pupils, changed.settled % pupils)

    def _sum_settled(self, week: NDArray[np.int64], pupil: NDArray[np.int64]) -> None:
        replay = self._replay
        days = (week * 7 + np.arange(7)[:, None], pupil)
        planned, absent = replay.planned.minutes[days], replay.absent[days]
        late, sent_out = _sum(replay.late[days]), _sum(replay.sent_out[days])
        kinds = replay.minutes[:, *days]
        is_absent = is_absent_day(planned, absent)
        is_part = (absent > 0) & ~is_absent
        of_kinds = kinds.sum(axis=1, dtype=np.int32)
        values = [
            _sum(absent),
            *(of_kinds[numbers].sum(axis=0) for numbers in _KINDS_OF.values()),
            _sum(is_absent),
            _sum(is_part),
            _sum(is_part & replay.is_early[days]),
            _sum(kinds[KINDS.index(AbsenceKind.SICK)] > 0),
            _sum(kinds[KINDS.index(AbsenceKind.MEDICAL_VISIT)] > 0),
            late,
            late + sent_out,
            sent_out,
        ]
        self.sums[week, _FIRST_SETTLED:, pupil] = np.stack(values, axis=1)


class CumulatedWeeks:
    """Week sums added up along the weeks, so that a window is one subtraction.

    `totals[w]` is the sum of the weeks before week number w, [quantities, pupils]; they hold up to
    the week that `refresh` was last called for.
    """

    def __init__(self, sums: WeekSums) -> None:
        weeks, quantities, pupils = sums.sums.shape
        self._sums = sums
        self._done = 0
        self.totals: NDArray[np.int32] = np.zeros((weeks + 1, quantities, pupils), np.int32)

    def refresh(self, earliest: int, end: int) -> None:
        """Add up again from week number `earliest`, in which something changed, up to `end`."""
        for week in range(min(earliest, self._done), end):
            np.add(self.totals[week], self._sums.sums[week], out=self.totals[week + 1])
        self._done = end

    def over(self, window: Weeks) -> NDArray[np.int32]:
        """The sums over `window`, [quantities, pupils]."""
        return np.asarray(self.totals[window.end] - self.totals[window.first])


class BlockSums:
    """Sums over named windows for the rows of a block: pupils on some Mondays, after each other.

    `totals` holds [Mondays, quantities, pupils] by name of window; `rows` says which
    (Monday, pupil)s there are rows for.
    """

    def __init__(self, totals: Mapping[str, NDArray[np.int32]], rows: NDArray[np.bool_]) -> None:
        self._totals = totals
        self._rows = np.flatnonzero(rows)
        self._has_planned: dict[str, NDArray[np.bool_]] = {}

    def total(self, quantity: str, window: str) -> Numbers:
        """The sum over `window`, whether or not there was planned time."""
        flat = self._totals[window][:, QUANTITIES.index(quantity)].reshape(-1)
        return flat[self._rows].astype(np.float64)

    def where_planned(self, window: str, values: NDArray[np.generic]) -> Numbers:
        """`values` where `window` has planned time, else NaN."""
        if window not in self._has_planned:
            self._has_planned[window] = self.total("planned", window) > 0
        return np.where(self._has_planned[window], values, np.nan)

    def count(self, quantity: str, window: str) -> Numbers:
        """The sum over `window`; NaN without planned time in it."""
        return self.where_planned(window, self.total(quantity, window))

    def share(self, quantity: str, window: str) -> Numbers:
        """The sum over `window` divided by its planned minutes; NaN without planned time in it."""
        planned = np.maximum(self.total("planned", window), 1)
        return self.where_planned(window, self.total(quantity, window) / planned)


def weeks_with(sums: WeekSums, quantity: str, window: Weeks) -> NDArray[np.int16]:
    """Per pupil, how many weeks of `window` have any of `quantity`."""
    has_any = sums.of(quantity)[window.first : window.end] > 0
    return np.asarray(has_any.sum(axis=0, dtype=np.int16))


def weeks_without_full_week(sums: WeekSums, window: Weeks) -> NDArray[np.int16]:
    """Per pupil, weeks with planned time after the last one without absence; all if none is."""
    weeks = slice(window.first, window.end)
    is_own = sums.of("planned")[weeks] > 0
    is_full = is_own & (sums.of("absent")[weeks] == 0)
    so_far = np.cumsum(is_own, axis=0, dtype=np.int16)
    latest = (so_far * is_full).max(axis=0, initial=0)
    return np.asarray(is_own.sum(axis=0, dtype=np.int16) - latest)


def _sum(days: NDArray[np.generic]) -> NDArray[np.int32]:
    week: NDArray[np.int32] = np.asarray(days).sum(axis=0, dtype=np.int32)
    return week
