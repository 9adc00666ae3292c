"""Room for what a replay holds of one pupil; the same room serves one pupil after another."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from features.absence.cells import most_parts
from features.absence.quantities import KINDS, OF_DAYS, QUANTITIES
from features.absence.versions import Versions
from features.compiled import compiled

ANY, HALF, SICK = 1 << np.arange(3)
"""Marks of a day with a record: any time absent, at least half of it, sick time."""


class Cells(NamedTuple):
    """The days of one pupil on which a record lies, `number[0]` of them, in order.

    `parts[begin[c] : begin[c + 1]]` lie on day number `day[c]`; the cells of week w begin at
    `of_week[w]`. `adds` is what each adds to the sums of its week, [cells, OF_DAYS]; `marks` are
    ANY, HALF and SICK; `planned` the minutes with which it was settled. `place` is the number
    of the day among the counted days of the pupil, in weeks that are over.
    """

    number: NDArray[np.int64]
    parts: NDArray[np.int64]
    begin: NDArray[np.int64]
    day: NDArray[np.int64]
    of_week: NDArray[np.int64]
    adds: NDArray[np.int32]
    marks: NDArray[np.uint8]
    planned: NDArray[np.int16]
    place: NDArray[np.int64]


class Days(NamedTuple):
    """What is planned for one pupil on each day: minutes, and the group (-1: not placed)."""

    minutes: NDArray[np.int16]
    group: NDArray[np.int16]


class Weeks(NamedTuple):
    """What is planned for one pupil in each week, and sums.

    `records` is how many start in it. `days` has a bit per planned day; `group` is the group on
    the last of them, -1 without any. `sums` is [weeks, QUANTITIES]; `totals[w]` is the sum of the
    weeks before week number w, up to the weeks that are over.
    """

    minutes: NDArray[np.int64]
    records: NDArray[np.int64]
    days: NDArray[np.uint8]
    group: NDArray[np.int64]
    sums: NDArray[np.int32]
    totals: NDArray[np.int32]


class Events(NamedTuple):
    """Which versions of one pupil begin and cease to count at each moment.

    `first[k]` is the first event of moment number k, `following[e]` the next one after event e;
    -1: no more. Event 2 x i is that version number i of the pupil begins to count, 2 x i + 1 that
    it ceases to. `counts` says which do, as the replay stands.
    """

    first: NDArray[np.int64]
    following: NDArray[np.int64]
    counts: NDArray[np.bool_]


class Pupil(NamedTuple):
    """One pupil as the replay stands; `minutes` and `adds` are of the day being settled."""

    days: Days
    weeks: Weeks
    cells: Cells
    events: Events
    minutes: NDArray[np.int32]
    adds: NDArray[np.int32]


def room_for_pupil(
    versions: Versions, first: int, end: int, days: int, today: NDArray[np.int64]
) -> Pupil:
    """Room for any of the pupils from number `first` up to `end`."""
    weeks = days // 7
    most = int(np.diff(versions.begin[first : end + 1]).max(initial=0))
    parts = most_parts(versions, first, end, days, today)
    return Pupil(
        Days(np.zeros(days, np.int16), np.zeros(days, np.int16)),
        Weeks(
            np.zeros(weeks, np.int64),
            np.zeros(weeks, np.int64),
            np.zeros(weeks, np.uint8),
            np.zeros(weeks, np.int64),
            np.zeros((weeks, QUANTITIES), np.int32),
            np.zeros((weeks + 1, QUANTITIES), np.int32),
        ),
        Cells(
            np.zeros(1, np.int64),
            np.zeros(parts, np.int64),
            np.zeros(parts + 1, np.int64),
            np.zeros(parts, np.int64),
            np.zeros(weeks + 1, np.int64),
            np.zeros((parts, OF_DAYS), np.int32),
            np.zeros(parts, np.uint8),
            np.zeros(parts, np.int16),
            np.zeros(parts, np.int64),
        ),
        Events(
            np.zeros(len(today), np.int64),
            np.zeros(2 * most, np.int64),
            np.zeros(most, np.bool_),
        ),
        np.zeros(len(KINDS), np.int32),
        np.zeros(OF_DAYS, np.int32),
    )


@compiled
def write_events(versions: Versions, pupil: int, events: Events) -> None:
    """Write the events of a pupil, none of which has come."""
    moments, begin = len(events.first), versions.begin[pupil]
    for moment in range(moments):
        events.first[moment] = -1
    for at in range(versions.begin[pupil + 1] - begin):
        events.counts[at] = False
        version = versions.order[begin + at]
        born, dead = versions.first[version], versions.end[version]
        if born < dead:
            _add_event(events, born, 2 * at)
            if dead < moments:
                _add_event(events, dead, 2 * at + 1)


@compiled
def _add_event(events: Events, moment: int, event: int) -> None:
    events.following[event] = events.first[moment]
    events.first[moment] = event
