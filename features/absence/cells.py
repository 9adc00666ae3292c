"""The days of one pupil on which a record lies, and what they come to (compiled).

A record touches every day from the day of its start to the day of its end, both included; a late
arrival or being sent out only the first. An open record (no end, no minutes) touches all days
before the last moment at which it counts. A record within one day counts its minutes (if not
given, from start to end); otherwise, and where that is nothing, it takes the whole planned day.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from features.absence.quantities import (
    ABSENT,
    ABSENT_DAYS,
    EARLY_PART_DAYS,
    IS_ABSENT,
    KINDS,
    LATE,
    MEDICAL_DAYS,
    MEDICAL_KIND,
    OF_DAYS,
    PART_DAYS,
    SENT_OUT,
    SICK_DAYS,
    SICK_KIND,
    SORT_OF_KIND,
    TIMED,
)
from features.absence.versions import Versions
from features.compiled import compiled

WHOLE_DAY = 24 * 60
EARLY_BEFORE = 9 * 60 + 30

_MINUTE = 60 * 1_000_000
_DAY = 24 * 60 * _MINUTE
_NUMBER_OF_KINDS = len(KINDS)
# A part in one whole number, so that sorting these sorts by day, kind, start and amount.
_VERSION, _AMOUNT, _START, _KIND = 1 << 21, 1 << 11, 1 << 11, 1 << 4


class Part(NamedTuple):
    """What one version is on each of its days, from `first` to `last` inside the span.

    `start` is the minute of the day for a record within one day, else -1; `amount` is minutes, or
    1 for what is counted.
    """

    first: int
    last: int
    start: int
    amount: int


@compiled
def part_of(versions: Versions, version: int, days: int, today: NDArray[np.int64]) -> Part:
    """What a version is on its days; `today` is the first day not over at every moment.

    No days (`last` before `first`) for what is no absence or never counts.
    """
    kind = versions.kind[version]
    if kind < 0 or versions.first[version] >= versions.end[version]:
        return Part(0, -1, -1, 0)
    starts_at, ends_at = versions.starts_at[version], versions.ends_at[version]
    minutes, has_end = versions.minutes[version], versions.has_end[version]
    first = starts_at // _DAY
    last = first
    is_open = not has_end and minutes < 0
    if kind < TIMED:
        if is_open:
            last = today[min(versions.end[version], len(today)) - 1] - 1
        elif has_end:
            last = max(first, ends_at // _DAY)
    is_within_day = first == last and (not is_open or kind >= TIMED)
    amount = WHOLE_DAY
    if kind >= TIMED:
        amount = 1
    elif is_within_day and minutes >= 0:
        amount = min(minutes, WHOLE_DAY)
    elif is_within_day and has_end and (ends_at - starts_at) // _MINUTE > 0:
        amount = min((ends_at - starts_at) // _MINUTE, WHOLE_DAY)
    start = starts_at % _DAY // _MINUTE if is_within_day else -1
    return Part(max(first, 0), min(last, days - 1), start, amount)


@compiled
def most_parts(
    versions: Versions, first: int, end: int, days: int, today: NDArray[np.int64]
) -> int:
    """The most parts that any of the pupils from number `first` up to `end` has."""
    most = 0
    for pupil in range(first, end):
        number = 0
        for at in range(versions.begin[pupil], versions.begin[pupil + 1]):
            part = part_of(versions, versions.order[at], days, today)
            number += max(0, part.last - part.first + 1)
        most = max(most, number)
    return most


@compiled
def write_parts(
    versions: Versions, pupil: int, days: int, today: NDArray[np.int64], parts: NDArray[np.int64]
) -> int:
    """Write every version and day that it touches, as one number each; how many there are.

    They are sorted by day, kind, start and amount.
    """
    begin, end, number = versions.begin[pupil], versions.begin[pupil + 1], 0
    for at in range(begin, end):
        version = versions.order[at]
        part = part_of(versions, version, days, today)
        for day in range(part.first, part.last + 1):
            place = day * _KIND + versions.kind[version]
            place = (place * _START + part.start + 1) * _AMOUNT + part.amount
            parts[number] = place * _VERSION + at - begin
            number += 1
    _sort(parts, number)
    return number


@compiled
def _sort(numbers: NDArray[np.int64], count: int) -> None:
    """Heap sort: it makes no array."""
    for start in range(count // 2 - 1, -1, -1):
        _sift(numbers, start, count)
    for end in range(count - 1, 0, -1):
        numbers[0], numbers[end] = numbers[end], numbers[0]
        _sift(numbers, 0, end)


@compiled
def _sift(numbers: NDArray[np.int64], root: int, end: int) -> None:
    moved = numbers[root]
    child = 2 * root + 1
    while child < end:
        if child + 1 < end and numbers[child + 1] > numbers[child]:
            child += 1
        if numbers[child] <= moved:
            break
        numbers[root] = numbers[child]
        root, child = child, 2 * child + 1
    numbers[root] = moved


@compiled
def day_of_part(part: int) -> int:
    """The day number of a part."""
    return part // (_VERSION * _AMOUNT * _START * _KIND)


@compiled
def settle(
    parts: NDArray[np.int64],
    first: int,
    end: int,
    counts: NDArray[np.bool_],
    planned: int,
    minutes: NDArray[np.int32],
) -> bool:
    """Divide the planned minutes of the day of `parts[first:end]` over the kinds of the parts.

    `counts` says which versions of the pupil count. Records of one kind that start at the same
    moment count once, the longest; different ones add up. Kinds take minutes in the order of KINDS
    until the planned minutes are used; late arrivals and being sent out are counted. On a day
    without planned minutes nothing counts. Gives whether absence began early within the day.
    """
    for kind in range(_NUMBER_OF_KINDS):
        minutes[kind] = 0
    is_early = False
    before, longest = np.int64(-1), np.int64(0)
    for at in range(first, end):
        part = parts[at]
        if not counts[part % _VERSION]:
            continue
        place = part // (_VERSION * _AMOUNT)
        kind, start = place // _START % _KIND, place % _START - 1
        # Sorted by amount: the last one of a place is the longest.
        if place != before:
            longest = np.int64(0)
        amount = part // _VERSION % _AMOUNT
        minutes[kind] += amount - longest
        before, longest = place, amount
        is_early |= IS_ABSENT[kind] and 0 < start < EARLY_BEFORE
    left = planned
    for kind in range(TIMED):
        minutes[kind] = min(minutes[kind], left)
        left -= minutes[kind]
    if planned == 0:
        minutes[TIMED] = minutes[TIMED + 1] = 0
    return is_early and planned > 0


@compiled
def measure_day(
    minutes: NDArray[np.int32], planned: int, is_early: bool, day: NDArray[np.int32]
) -> None:
    """Write what a settled day adds to the sums of its week."""
    for number in range(OF_DAYS):
        day[number] = 0
    for kind in range(TIMED):
        day[SORT_OF_KIND[kind]] += minutes[kind]
        if IS_ABSENT[kind]:
            day[ABSENT] += minutes[kind]
    day[SICK_DAYS] = minutes[SICK_KIND] > 0
    day[MEDICAL_DAYS] = minutes[MEDICAL_KIND] > 0
    day[LATE], day[SENT_OUT] = minutes[TIMED], minutes[TIMED + 1]
    if is_absent_day(planned, day[ABSENT]):
        day[ABSENT_DAYS] = 1
    elif day[ABSENT] > 0:
        day[PART_DAYS] = 1
        day[EARLY_PART_DAYS] = is_early


@compiled
def is_absent_day(planned: int, absent: int) -> bool:
    """At least half of the planned minutes absent; never without planned minutes."""
    return planned > 0 and 2 * absent >= planned
