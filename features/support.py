"""Features of support: what runs, what ended, what is awaited, and when people last talked."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from features.compiled import compiled
from features.elapsed import SchoolClock, begun_since
from features.records.partition import lifetimes
from features.vocabulary import CONTACT_KINDS, RUNNING_KINDS, SupportKind, SupportStatus

Flags = NDArray[np.bool_]
Whole = NDArray[np.int64]

MOST_WEEKS = 40

SUPPORT = (
    "support_running",
    "support_running_weeks",
    "reduced_timetable_running",
    "support_requested",
    "support_waiting_weeks",
    "weeks_since_support_ended",
    "tlv_waiting_weeks",
    "contacts_12w",
    "weeks_since_contact",
    "duo_reports_40w",
)
"""The features in the order in which `support` writes them."""

_NEVER = np.iinfo(np.int64).max


class SupportVersions(NamedTuple):
    """Versions of support records; those of pupil p are the rows from `begin[p]` on.

    They run up to `begin[p + 1]`. `starts_on` and `ends_on` are day numbers of a span, where there
    are any. A version counts at moment number k when `first <= k < end`.
    """

    begin: Whole
    starts_on: Whole
    ends_on: Whole
    has_start: Flags
    has_end: Flags
    runs: Flags
    is_reduced: Flags
    is_asked: Flags
    is_tlv_asked: Flags
    may_end: Flags
    has_begun: Flags
    is_contact: Flags
    is_report: Flags
    first: Whole
    end: Whole


def support_versions(
    support: pa.Table,
    begin: Whole,
    order: Whole,
    first_day: int,
    moments: Sequence[datetime],
) -> SupportVersions:
    """The rows of `support`: those of pupil p are `order[begin[p] : begin[p + 1]]`.

    Days are counted from `first_day`, itself counted from 1970.
    """
    rows = support.take(pa.array(order))
    live = lifetimes(rows, moments)
    kind, status = rows["kind"], rows["status"]
    runs = _is_among(kind, RUNNING_KINDS)
    is_tlv = _is_among(kind, {SupportKind.TLV_REQUEST})
    requested = _is_among(status, {SupportStatus.REQUESTED})
    running = _is_among(status, {SupportStatus.RUNNING})
    begun = running | _is_among(status, {SupportStatus.DONE})
    return SupportVersions(
        begin=begin,
        starts_on=_epoch_days(rows["starts_on"]) - first_day,
        ends_on=_epoch_days(rows["ends_on"]) - first_day,
        has_start=pc.is_valid(rows["starts_on"]).to_numpy(),
        has_end=pc.is_valid(rows["ends_on"]).to_numpy(),
        runs=runs & running,
        is_reduced=_is_among(kind, {SupportKind.REDUCED_TIMETABLE}),
        is_asked=(runs | is_tlv) & (requested | _is_among(status, {SupportStatus.PLANNED})),
        is_tlv_asked=is_tlv & requested,
        may_end=runs & begun,
        has_begun=begun,
        is_contact=_is_among(kind, CONTACT_KINDS),
        is_report=_is_among(kind, {SupportKind.DUO_REPORT}),
        first=live.first,
        end=live.end,
    )


@compiled
def support(
    versions: SupportVersions,
    pupil: int,
    moment: int,
    clock: SchoolClock,
    out: NDArray[np.float32],
    row: int,
) -> None:
    """Write SUPPORT of a pupil to column `row` of `out`, as known at `moment`."""
    today = clock.today
    running, reduced, asked, contacts, reports = 0, 0, 0, 0, 0
    running_since, asked_since, tlv_since = _NEVER, _NEVER, _NEVER
    last_end, last_contact = -_NEVER, -_NEVER
    for at in range(versions.begin[pupil], versions.begin[pupil + 1]):
        if not versions.first[at] <= moment < versions.end[at]:
            continue
        starts_on, has_start = versions.starts_on[at], versions.has_start[at]
        ends_on, has_end = versions.ends_on[at], versions.has_end[at]
        has_ended = has_end and ends_on < today
        has_begun = not has_start or starts_on <= today
        if versions.runs[at] and has_begun and not has_ended:
            running += 1
            reduced += versions.is_reduced[at]
            if has_start:
                running_since = min(running_since, starts_on)
        if versions.is_asked[at] and not has_ended:
            asked += 1
            if has_start and has_begun:
                asked_since = min(asked_since, starts_on)
                if versions.is_tlv_asked[at]:
                    tlv_since = min(tlv_since, starts_on)
        if versions.may_end[at] and has_ended:
            last_end = max(last_end, ends_on)
        if versions.has_begun[at] and has_start and starts_on < today:
            if versions.is_contact[at]:
                last_contact = max(last_contact, starts_on)
                contacts += starts_on >= clock.since_12
            if versions.is_report[at]:
                reports += starts_on >= clock.since_40
    out[0, row] = running
    out[1, row] = _weeks_since(clock, running_since)
    out[2, row] = min(reduced, 1)
    out[3, row] = asked
    out[4, row] = _weeks_since(clock, asked_since)
    out[5, row] = _recent(clock, last_end) if running == 0 else np.nan
    out[6, row] = _weeks_since(clock, tlv_since)
    out[7, row] = contacts
    out[8, row] = _recent(clock, last_contact)
    out[9, row] = reports


@compiled
def _weeks_since(clock: SchoolClock, day: int) -> float:
    """School weeks since a day, at most MOST_WEEKS; NaN for no day."""
    return min(begun_since(clock, day), float(MOST_WEEKS)) if day != _NEVER else np.nan


@compiled
def _recent(clock: SchoolClock, day: int) -> float:
    """School weeks since a day; NaN for no day or after more than MOST_WEEKS."""
    if day == -_NEVER:
        return np.nan
    weeks = begun_since(clock, day)
    return weeks if weeks <= MOST_WEEKS else np.nan


def _is_among(values: pa.ChunkedArray, wanted: Iterable[str]) -> Flags:
    flags: Flags = pc.is_in(values, pa.array(sorted(wanted), pa.string())).to_numpy()
    return flags


def _epoch_days(days: pa.ChunkedArray) -> Whole:
    numbers: Whole = pc.fill_null(days.cast(pa.int32()), 0).to_numpy().astype(np.int64)
    return numbers
