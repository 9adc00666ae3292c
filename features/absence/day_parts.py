"""Absence records laid out over the days they touch."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from features.absence.span import Span
from features.records.partition import Lifetimes
from features.vocabulary import ABSENCE_PRIORITY, ABSENT_KINDS, AbsenceKind

KINDS: tuple[AbsenceKind, ...] = (
    *ABSENCE_PRIORITY,
    AbsenceKind.LATE_ARRIVAL,
    AbsenceKind.SENT_OUT,
)
"""The kinds in the order in which they take the minutes of a day; the last two are counted."""
TIMED = len(ABSENCE_PRIORITY)
WHOLE_DAY = 24 * 60
EARLY_BEFORE = 9 * 60 + 30

_IS_ABSENT = np.array([kind in ABSENT_KINDS for kind in KINDS])
_DAY = 24 * 60 * 60 * 1_000_000
_MINUTE = 60 * 1_000_000


@dataclass(frozen=True)
class DayParts:
    """One row per record version and day that it touches, sorted by cell, kind, start, amount.

    `cell` is day number x number of pupils + pupil number. `start` is the minute of the day for a
    record within one day, else -1. `amount` is minutes, or 1 for what is counted. `is_early` marks
    absence within one day that starts after midnight and before 09:30.
    """

    cell: NDArray[np.int64]
    kind: NDArray[np.int8]
    start: NDArray[np.int16]
    amount: NDArray[np.int16]
    is_early: NDArray[np.bool_]
    version: NDArray[np.int64]


@dataclass(frozen=True)
class AbsenceVersions:
    """The columns of absence versions that the layout needs, as arrays.

    `pupil` is -1 for a pupil without a placement; `kind` is -1 for what is no absence.
    """

    pupils: int
    pupil: NDArray[np.int64]
    kind: NDArray[np.int64]
    starts_at: NDArray[np.int64]
    ends_at: NDArray[np.int64]
    has_end: NDArray[np.bool_]
    minutes: NDArray[np.int64]

    @property
    def start_day(self) -> NDArray[np.int64]:
        """Days since 1970 of the day on which each record starts."""
        return np.asarray(self.starts_at // _DAY)


def absence_versions(absence: pa.Table, pupil_keys: Sequence[str]) -> AbsenceVersions:
    """`absence` as arrays; `minutes` is -1 where the source gave none."""
    starts_at = absence["starts_at"].cast(pa.int64())
    ends_at = absence["ends_at"].cast(pa.int64())
    return AbsenceVersions(
        pupils=len(pupil_keys),
        pupil=_positions(absence["pupil_key"], pupil_keys),
        kind=_positions(absence["kind"], [kind.value for kind in KINDS]),
        starts_at=starts_at.to_numpy(),
        ends_at=pc.fill_null(ends_at, 0).to_numpy(),
        has_end=pc.is_valid(ends_at).to_numpy(),
        minutes=pc.fill_null(absence["minutes"], -1).to_numpy().astype(np.int64),
    )


def lay_out(
    versions: AbsenceVersions, live: Lifetimes, span: Span, open_until: NDArray[np.int64]
) -> DayParts:
    """The day parts of all versions that count at one of the moments.

    A record touches every day from the day of its start to the day of its end, both included; a
    late arrival or being sent out only the first. An open record (no end, no minutes) touches all
    days before `open_until[k]`, the first day not yet over at moment number k. A record within one
    day counts its minutes (if not given, from start to end); otherwise, and where that is nothing,
    it takes the whole planned day.
    """
    used = np.flatnonzero(live.ever() & (versions.pupil >= 0) & (versions.kind >= 0))
    epoch = (span.first_day - date(1970, 1, 1)).days
    kind, minutes = versions.kind[used], versions.minutes[used]
    starts_at, ends_at = versions.starts_at[used], versions.ends_at[used]
    first = starts_at // _DAY - epoch
    is_open = ~versions.has_end[used] & (minutes < 0)
    last = np.where(versions.has_end[used], np.maximum(first, ends_at // _DAY - epoch), first)
    last_moment = np.minimum(live.end[used], len(open_until)) - 1
    last = np.where(is_open, open_until[last_moment] - 1, last)
    counted = kind >= TIMED
    last = np.where(counted, first, last)
    within_day = (first == last) & (~is_open | counted)

    duration = np.where(minutes >= 0, minutes, (ends_at - starts_at) // _MINUTE)
    no_duration = ~versions.has_end[used] & (minutes < 0)
    timed = within_day & ((minutes >= 0) | ((duration > 0) & ~no_duration))
    amount = np.where(timed, np.minimum(duration, WHOLE_DAY), WHOLE_DAY)
    amount = np.where(counted, 1, amount)
    start = np.where(within_day, starts_at % _DAY // _MINUTE, -1)
    is_early = within_day & _IS_ABSENT[kind] & (start > 0) & (start < EARLY_BEFORE)

    first_inside, last_inside = np.maximum(first, 0), np.minimum(last, span.days - 1)
    repeats = np.maximum(0, last_inside - first_inside + 1)
    row = np.repeat(np.arange(len(used)), repeats)
    day = np.arange(len(row)) - np.repeat(np.cumsum(repeats) - repeats, repeats) + first_inside[row]
    cell = day * versions.pupils + versions.pupil[used][row]
    order = np.lexsort((amount[row], start[row], kind[row], cell))
    row = row[order]
    return DayParts(
        cell=cell[order],
        kind=kind[row].astype(np.int8),
        start=start[row].astype(np.int16),
        amount=amount[row].astype(np.int16),
        is_early=is_early[row],
        version=used[row],
    )


@dataclass(frozen=True)
class SettledDays:
    """What some cells come to: minutes per timed kind, counts, and early starts, [kinds, cells]."""

    minutes: NDArray[np.int16]
    late: NDArray[np.int16]
    sent_out: NDArray[np.int16]
    is_early: NDArray[np.bool_]


def settle(
    parts: DayParts,
    chosen: NDArray[np.int64],
    place: NDArray[np.int64],
    planned: NDArray[np.int16],
) -> SettledDays:
    """Divide the planned minutes of cells over the kinds of the `chosen` parts on them.

    `place` gives, ascending, the cell (0 to len(planned) - 1) of each chosen part. Records of one
    kind that start at the same moment count once, the longest; different ones add up. Kinds take
    minutes in the order of ABSENCE_PRIORITY until the planned minutes are used. On a day without
    planned minutes nothing counts.
    """
    kind, start = parts.kind[chosen].astype(np.int64), parts.start[chosen]
    group = place * len(KINDS) + kind
    is_longest = np.ones(len(chosen), bool)
    is_longest[:-1] = (group[1:] != group[:-1]) | (start[1:] != start[:-1])
    cells = len(planned)
    amounts = np.bincount(
        group[is_longest],
        weights=parts.amount[chosen[is_longest]],
        minlength=cells * len(KINDS),
    ).reshape(cells, len(KINDS))
    minutes = np.zeros((TIMED, cells), np.int16)
    left = planned.astype(np.float64)
    for number in range(TIMED):
        taken = np.minimum(amounts[:, number], left)
        left -= taken
        minutes[number] = taken
    is_planned = planned > 0
    early = np.bincount(place, weights=parts.is_early[chosen], minlength=cells) > 0
    return SettledDays(
        minutes=minutes,
        late=(amounts[:, TIMED] * is_planned).astype(np.int16),
        sent_out=(amounts[:, TIMED + 1] * is_planned).astype(np.int16),
        is_early=early & is_planned,
    )


def _positions(values: pa.ChunkedArray, among: Sequence[str]) -> NDArray[np.int64]:
    found = pc.index_in(values, pa.array(among, pa.string()))
    positions: NDArray[np.int64] = pc.fill_null(found, -1).to_numpy().astype(np.int64)
    return positions
