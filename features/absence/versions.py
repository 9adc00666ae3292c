"""The versions of absence records as arrays, by pupil."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from features.absence.pupils import Pupils, Whole, positions, spans_of
from features.absence.quantities import KINDS
from features.absence.span import Span
from features.records.partition import lifetimes
from features.vocabulary import KnownAtBasis

LATE_AFTER_DAYS = 7

_DAY = 24 * 60 * 60 * 1_000_000
Flags = NDArray[np.bool_]


class Versions(NamedTuple):
    """Versions of absence records; those of pupil p are `order[begin[p] : begin[p + 1]]`.

    `kind` is a position in KINDS, -1 for what is no absence. Moments are microseconds since the
    first day of the span, by the clock on the wall. `minutes` is -1 where the source gave none. A
    version counts at moment number k when `first <= k < end`. `is_timed`: the source says when it
    was recorded; `is_late`: its first version was known more than LATE_AFTER_DAYS
    after the day on which it starts; `is_corrected`: an older version says something else.
    """

    begin: Whole
    order: Whole
    kind: NDArray[np.int8]
    starts_at: Whole
    ends_at: Whole
    has_end: Flags
    minutes: NDArray[np.int32]
    first: Whole
    end: Whole
    is_timed: Flags
    is_late: Flags
    is_corrected: Flags


def absence_versions(
    absence: pa.Table, pupils: Pupils, span: Span, moments: Sequence[datetime]
) -> Versions:
    """The rows of `absence`, in any order, as arrays; without those that no day of `span` needs."""
    absence = _of_span(absence, span)
    begin, order = spans_of(pupils.numbers_of(absence), len(pupils.keys))
    live = lifetimes(absence, moments)
    epoch = span.epoch_day * _DAY
    starts_at = absence["starts_at"].cast(pa.int64()).to_numpy() - epoch
    kind = positions(absence["kind"], pa.array([kind.value for kind in KINDS]))
    minutes = pc.fill_null(absence["minutes"], -1).to_numpy().astype(np.int32)
    is_timed, is_late, is_corrected = _recording(absence, kind, starts_at, minutes, epoch)
    ends_at = absence["ends_at"].cast(pa.int64())
    return Versions(
        begin=begin,
        order=order,
        kind=kind.astype(np.int8),
        starts_at=starts_at,
        ends_at=pc.fill_null(ends_at, 0).to_numpy() - epoch,
        has_end=pc.is_valid(ends_at).to_numpy(),
        minutes=minutes,
        first=live.first,
        end=live.end,
        is_timed=is_timed,
        is_late=is_late,
        is_corrected=is_corrected,
    )


def _of_span(absence: pa.Table, span: Span) -> pa.Table:
    """Without versions that were over before the span began: a log may hold many years.

    Those that another version took the place of stay: they tell whether it was late or corrected.
    """
    first = pa.scalar(span.first_day).cast(absence.schema.field("starts_at").type)
    starts_in, ends_in = (pc.greater_equal(absence[at], first) for at in ("starts_at", "ends_at"))
    is_over = pc.invert(pc.or_(starts_in, pc.fill_null(ends_in, True)))
    needed = pc.invert(pc.and_(is_over, pc.is_null(absence["superseded_at"])))
    return absence if pc.all(needed, min_count=0).as_py() else absence.filter(needed)


def _recording(
    absence: pa.Table, kind: Whole, starts_at: Whole, minutes: NDArray[np.int32], epoch: int
) -> tuple[Flags, Flags, Flags]:
    """Per version whether its record was timed, recorded late, corrected since."""
    known_day = absence["known_at"].cast(pa.int64()).to_numpy() // _DAY
    recorded = pa.array([KnownAtBasis.RECORDED.value])
    is_timed = positions(absence["known_at_basis"], recorded) == 0
    # Most records have one version; only the others need to be put in order.
    rows, is_first = _rows_of_changed_records(absence)
    first = np.maximum.accumulate(np.where(is_first, np.arange(len(rows)), 0))
    is_timed[rows], known_day[rows] = is_timed[rows[first]], known_day[rows[first]]
    is_late = is_timed & (known_day - (starts_at + epoch) // _DAY > LATE_AFTER_DAYS)
    is_corrected = np.zeros(len(absence), bool)
    content = np.stack([kind[rows], starts_at[rows], minutes[rows]])
    differs = np.zeros(len(rows), bool)
    differs[1:] = (content[:, 1:] != content[:, :-1]).any(axis=0)
    differs[1:] |= absence["withdrawn"].to_numpy()[rows[:-1]]
    changes = np.cumsum(differs & ~is_first)
    is_corrected[rows] = changes > changes[first]
    return is_timed, is_late, is_corrected


def _rows_of_changed_records(absence: pa.Table) -> tuple[Whole, Flags]:
    """The rows of records with several versions, in order, and which are the first of a record."""
    names = ["school", "record_key", "known_at", "sequence"]
    superseded = absence["record_key"].filter(pc.is_valid(absence["superseded_at"]))
    several = pc.is_in(absence["record_key"], pc.unique(superseded))
    numbered = absence.select(names).append_column("row", pa.array(np.arange(len(absence))))
    changed = numbered.filter(several)
    changed = changed.set_column(0, names[0], changed[names[0]].cast(pa.string()))
    ordered = changed.sort_by([(name, "ascending") for name in names])
    is_first = np.ones(len(ordered), bool)
    for name in names[:2]:
        column = ordered[name].combine_chunks()
        same = pc.equal(column[1:], column[:-1]).to_numpy(zero_copy_only=False)
        is_first[1:] = same if name == names[0] else ~(is_first[1:] & same)
    return ordered["row"].to_numpy(), is_first
