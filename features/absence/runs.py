"""Runs of prolonged absence: one definition for the label, for pupils at home and for a region.

A *run* starts at planned school day s when s is an absent day (half its planned time or more) and
`share` of the planned time of the `days` planned days from s is absent. Runs that overlap or touch
are one run. Days without planned time (week-ends, holidays, closed days) are stepped over, so a run
bridges a holiday by counting school days; a day or two on which a pupil tried to come back does not
end it.

Time that the school caused is not absence: education elsewhere, granted leave, and a suspension of
at most five days. Of a closed day nothing was planned.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from features.absence.grid import DayGrid
from features.absence.laid_out import LaidOut
from features.absence.quantities import KINDS, TIMED
from features.compiled import compiled
from features.vocabulary import ABSENT_KINDS, AbsenceKind

Minutes = NDArray[np.int32]
Flags = NDArray[np.bool_]
SHORT_SUSPENSION_DAYS = 5
NEVER = np.iinfo(np.int32).max
RUN_DAYS = 20
"""Four school weeks of five days."""
RUN_SHARE = 0.8
# A thousandth of a minute of slack: 0.8 is not a binary fraction, and the boundary counts.
SLACK = 1e-3


@dataclass(frozen=True)
class Planned:
    """The planned days of each pupil, packed to the left: [pupils, most planned days].

    `day` is the day number in the grid (`NEVER` past a pupil's last planned day), `minutes` and
    `absent` the planned time and the part of it that counts as absent.
    """

    day: NDArray[np.int32]
    minutes: Minutes
    absent: Minutes
    days: NDArray[np.int64]


def counted_minutes(grid: DayGrid) -> tuple[Minutes, Minutes]:
    """Planned and absent minutes per pupil and day, as the label counts them."""
    closed = grid.minutes.get(AbsenceKind.SCHOOL_CLOSED, 0)
    planned = np.maximum(grid.planned.astype(np.int32) - closed, 0)
    absent = np.zeros_like(planned)
    for kind in ABSENT_KINDS - {AbsenceKind.LEAVE, AbsenceKind.SUSPENSION}:
        absent += grid.minutes.get(kind, 0)
    suspended = grid.minutes.get(AbsenceKind.SUSPENSION)
    if suspended is not None:
        absent += long_spells(planned, suspended.astype(np.int32), SHORT_SUSPENSION_DAYS)
    return planned, np.minimum(absent, planned)


def long_spells(planned: Minutes, minutes: Minutes, longer_than: int) -> Minutes:
    """`minutes` only where they belong to more than `longer_than` planned days in a row.

    >>> week = np.full((1, 7), 60, dtype=np.int32)
    >>> long_spells(week, np.array([[60, 60, 0, 60, 60, 60, 0]], dtype=np.int32), longer_than=2)
    array([[ 0,  0,  0, 60, 60, 60,  0]], dtype=int32)
    """
    result = np.zeros_like(minutes)
    for pupil in np.flatnonzero(minutes.any(axis=1)):
        days = np.flatnonzero(planned[pupil] > 0)
        inside = minutes[pupil, days] > 0
        edges = np.flatnonzero(np.diff(np.r_[False, inside, False].astype(np.int8)))
        for first, end in edges.reshape(-1, 2):
            if end - first > longer_than:
                result[pupil, days[first:end]] = minutes[pupil, days[first:end]]
    return result


def pack(planned: Minutes, absent: Minutes) -> Planned:
    """Leave out the days on which nothing was planned for the pupil."""
    has_plan = planned > 0
    days = has_plan.sum(axis=1)
    rows, columns = np.nonzero(has_plan)
    place = np.arange(len(rows)) - np.repeat(np.cumsum(days) - days, days)
    shape = (len(planned), max(int(days.max(initial=0)), 1))
    packed = Planned(
        day=np.full(shape, NEVER, dtype=np.int32),
        minutes=np.zeros(shape, dtype=np.int32),
        absent=np.zeros(shape, dtype=np.int32),
        days=days,
    )
    packed.day[rows, place] = columns
    packed.minutes[rows, place] = planned[rows, columns]
    packed.absent[rows, place] = absent[rows, columns]
    return packed


def onset_flags(packed: Planned, days: int = RUN_DAYS, share: float = RUN_SHARE) -> Flags:
    """Is this planned day the first day of a run? Only runs that were seen to their end count.

    >>> def onsets(days):
    ...     absent = np.array([[60 * (day == "a") for day in days]], dtype=np.int32)
    ...     return onset_flags(pack(np.full_like(absent, 60), absent), 5).nonzero()[1].tolist()
    >>> onsets("..aaa.aaaa...")        # four of five days: one run, from its first day
    [2]
    >>> onsets("..aaa..aaa...")        # three of five: none
    []
    >>> onsets("aaaaa.aaaaa")          # the second run touches the first
    [0]
    >>> onsets("......aaaa")           # ended before a run could be seen
    []
    """
    qualifies = _qualifies(packed, days, share)
    running = np.cumsum(np.pad(qualifies, ((0, 0), (days + 1, 0))), axis=1)
    just_before: NDArray[np.int64] = running[:, days:-1] - running[:, : -days - 1]
    return np.asarray(qualifies & (just_before == 0))


def runs(
    packed: Planned, days: int = RUN_DAYS, share: float = RUN_SHARE
) -> Iterator[tuple[int, int, int]]:
    """Every run: the number of the pupil, the place of its first planned day, and that past it.

    It ends with its last absent day. As many as there are onsets.

    >>> absent = np.array([[60 * (day == "a") for day in "..aaa.aaaa.a"]], dtype=np.int32)
    >>> list(runs(pack(np.full_like(absent, 60), absent), 5))
    [(0, 2, 12)]
    """
    qualifies, absent_day = _qualifies(packed, days, share), absent_days(packed)
    for pupil in np.flatnonzero(qualifies.any(axis=1)):
        starts = np.flatnonzero(qualifies[pupil])
        breaks = np.flatnonzero(np.diff(starts) > days)
        for first, last in zip(
            starts[np.r_[0, breaks + 1]], starts[np.r_[breaks, len(starts) - 1]], strict=True
        ):
            missed = np.flatnonzero(absent_day[pupil, : last + days])
            yield int(pupil), int(first), int(missed[-1]) + 1


_COUNTED = np.array(
    [kind in ABSENT_KINDS - {AbsenceKind.LEAVE} for kind in KINDS[:TIMED]], np.bool_
)
_CLOSED = KINDS.index(AbsenceKind.SCHOOL_CLOSED)


def possible_runs(days: LaidOut) -> Flags:
    """Of which pupils a run is possible: of no other does `runs` give any, up to whatever day.

    Much cheaper than looking for them. Every suspension is counted as absence here, and a window
    need not begin with an absent day.
    """
    found = np.zeros(len(days.planned), np.bool_)
    room = np.zeros((2, RUN_DAYS), np.int64)
    _find_possible(days.planned, days.minutes, _COUNTED, _CLOSED, RUN_SHARE, SLACK, room, found)
    return found


@compiled
def _find_possible(
    planned: NDArray[np.int16],
    minutes: NDArray[np.int16],
    counted: Flags,
    closed: int,
    share: float,
    slack: float,
    room: NDArray[np.int64],
    found: Flags,
) -> None:
    """`room` holds the planned and absent minutes of the last planned days, round and round."""
    for pupil in range(len(planned)):
        number, all_planned, all_absent = 0, np.int64(0), np.int64(0)
        for day in range(planned.shape[1]):
            of_day = np.int64(planned[pupil, day]) - minutes[closed, pupil, day]
            if of_day <= 0:
                continue
            absent = np.int64(0)
            for kind in range(len(counted)):
                if counted[kind]:
                    absent += minutes[kind, pupil, day]
            absent = min(absent, of_day)
            at = number % room.shape[1]
            if number >= room.shape[1]:
                all_planned -= room[0, at]
                all_absent -= room[1, at]
            room[0, at], room[1, at] = of_day, absent
            all_planned += of_day
            all_absent += absent
            number += 1
            if number >= room.shape[1] and all_absent >= share * all_planned - slack:
                found[pupil] = True
                break


def absent_days(packed: Planned) -> Flags:
    """The planned days of which half or more was absent."""
    has_plan = np.arange(packed.minutes.shape[1]) < packed.days[:, None]
    return np.asarray(has_plan & (2 * packed.absent >= packed.minutes))


def _qualifies(packed: Planned, days: int, share: float) -> Flags:
    """Where a window of so many planned days begins that is absent enough, and was seen whole."""
    flags = np.zeros(packed.minutes.shape, dtype=np.bool_)
    last = packed.minutes.shape[1] - days + 1
    if last > 0:
        complete = np.arange(last) + days <= packed.days[:, None]
        planned, absent = _window(packed.minutes, days), _window(packed.absent, days)
        enough = absent >= share * planned - SLACK
        flags[:, :last] = complete & enough & absent_days(packed)[:, :last]
    return flags


def _window(values: Minutes, days: int) -> NDArray[np.int64]:
    sums = np.cumsum(np.pad(values, ((0, 0), (1, 0))), axis=1, dtype=np.int64)
    result: NDArray[np.int64] = sums[:, days:] - sums[:, :-days]
    return result
