"""Sums per week and pupil, kept up to date as days change; windows of weeks are read from them."""

import numpy as np
from numpy.typing import NDArray

from features.absence.day_parts import KINDS
from features.absence.replay import AbsenceReplay
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

    def update(self, places: NDArray[np.int64]) -> None:
        """Sum the days of the given flat places in [weeks, pupils] again."""
        replay = self._replay
        pupils = max(1, len(replay.planned.pupil_keys))
        week, pupil = places // pupils, places % pupils
        days = (week * 7 + np.arange(7)[:, None], pupil)
        planned, absent = replay.planned.minutes[days], replay.absent[days]
        late, sent_out = _sum(replay.late[days]), _sum(replay.sent_out[days])
        kinds = replay.minutes[:, *days]
        is_absent = is_absent_day(planned, absent)
        is_part = (absent > 0) & ~is_absent
        values = {
            "scheduled": _sum(planned),
            "planned": _sum(planned),
            "absent": _sum(absent),
            **{
                quantity: kinds[[KINDS.index(kind) for kind in some]].sum(axis=(0, 1))
                for quantity, some in _MINUTES.items()
            },
            "absent_days": _sum(is_absent),
            "part_days": _sum(is_part),
            "early_part_days": _sum(is_part & replay.is_early[days]),
            "sick_days": _sum(kinds[KINDS.index(AbsenceKind.SICK)] > 0),
            "medical_days": _sum(kinds[KINDS.index(AbsenceKind.MEDICAL_VISIT)] > 0),
            "late": late,
            "late_or_sent_out": late + sent_out,
            "sent_out": sent_out,
        }
        self.sums[week, :, pupil] = np.stack([values[name] for name in QUANTITIES], axis=1)


class WindowSums:
    """Sums over windows of weeks for some pupils, as the week sums stand now."""

    def __init__(self, sums: WeekSums, pupils: NDArray[np.int64]) -> None:
        self._sums = sums
        self._pupils = pupils
        self._totals: dict[Weeks, Numbers] = {}

    def total(self, quantity: str, window: Weeks) -> Numbers:
        """The sum over `window`, whether or not there was planned time."""
        if window not in self._totals:
            weeks = self._sums.sums[window.first : window.end]
            total = weeks.sum(axis=0, dtype=np.int32)[:, self._pupils]
            self._totals[window] = total.astype(np.float64)
        of_quantity: Numbers = self._totals[window][QUANTITIES.index(quantity)]
        return of_quantity

    def where_planned(self, window: Weeks, values: NDArray[np.generic]) -> Numbers:
        """`values` where `window` has planned time, else NaN."""
        return np.where(self.total("planned", window) > 0, values, np.nan)

    def count(self, quantity: str, window: Weeks) -> Numbers:
        """The sum over `window`; NaN without planned time in it."""
        return self.where_planned(window, self.total(quantity, window))

    def share(self, quantity: str, window: Weeks) -> Numbers:
        """The sum over `window` divided by its planned minutes; NaN without planned time in it."""
        planned = np.maximum(self.total("planned", window), 1)
        return self.where_planned(window, self.total(quantity, window) / planned)

    def weeks_with(self, quantity: str, window: Weeks) -> Numbers:
        """How many weeks of `window` have any of `quantity`."""
        has_any = self._sums.of(quantity)[window.first : window.end] > 0
        return np.asarray(has_any.sum(axis=0)[self._pupils], np.float64)

    def weeks_without_full_week(self, window: Weeks) -> Numbers:
        """Weeks with planned time after the last one without absence; all of them if none is."""
        weeks = slice(window.first, window.end)
        is_own = self._sums.of("planned")[weeks] > 0
        is_full = is_own & (self._sums.of("absent")[weeks] == 0)
        so_far = np.cumsum(is_own, axis=0, dtype=np.int16)
        passed = is_own.sum(axis=0) - (so_far * is_full).max(axis=0, initial=0)
        return self.where_planned(window, passed[self._pupils])


def _sum(days: NDArray[np.generic]) -> NDArray[np.int32]:
    week: NDArray[np.int32] = np.asarray(days).sum(axis=0, dtype=np.int32)
    return week
