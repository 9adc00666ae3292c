"""Features of support: what runs, what ended, what is awaited, and when people last talked."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from features.records.partition import lifetimes
from features.school_weeks import SchoolWeeks
from features.vocabulary import CONTACT_KINDS, RUNNING_KINDS, SupportKind, SupportStatus

Flags = NDArray[np.bool_]
Numbers = NDArray[np.float64]

MOST_WEEKS = 40


class SupportReplay:
    """The support records of one school, read as they were known at one of some moments."""

    def __init__(
        self, support: pa.Table, pupil_keys: Sequence[str], moments: Sequence[datetime]
    ) -> None:
        self._live = lifetimes(support, moments)
        self._pupils = len(pupil_keys)
        found = pc.index_in(support["pupil_key"], pa.array(pupil_keys, pa.string()))
        self._pupil: NDArray[np.int64] = pc.fill_null(found, -1).to_numpy().astype(np.int64)
        kind, status = support["kind"], support["status"]
        self._has_start: Flags = pc.is_valid(support["starts_on"]).to_numpy()
        self._has_end: Flags = pc.is_valid(support["ends_on"]).to_numpy()
        self._start = _epoch_days(support["starts_on"])
        self._end = _epoch_days(support["ends_on"])
        runs = _is_among(kind, RUNNING_KINDS)
        is_tlv = _is_among(kind, {SupportKind.TLV_REQUEST})
        requested = _is_among(status, {SupportStatus.REQUESTED})
        planned = _is_among(status, {SupportStatus.PLANNED})
        running = _is_among(status, {SupportStatus.RUNNING})
        begun = running | _is_among(status, {SupportStatus.DONE})
        self._runs = runs & running
        self._is_reduced = _is_among(kind, {SupportKind.REDUCED_TIMETABLE})
        self._is_asked = (runs | is_tlv) & (requested | planned)
        self._is_tlv_asked = is_tlv & requested
        self._may_end = runs & begun & self._has_end
        self._happens = begun & self._has_start
        self._is_contact = _is_among(kind, CONTACT_KINDS)
        self._is_report = _is_among(kind, {SupportKind.DUO_REPORT})

    def features(self, moment: int, as_of: date, weeks: SchoolWeeks) -> Mapping[str, Numbers]:
        """Every support feature of every pupil at moment number `moment`, on the Monday `as_of`."""
        first = (weeks.first_monday - date(1970, 1, 1)).days
        today = (as_of - date(1970, 1, 1)).days
        known = self._live.at(moment) & (self._pupil >= 0)
        has_begun = ~self._has_start | (self._start <= today)
        has_not_ended = ~self._has_end | (self._end >= today)
        running = known & self._runs & has_begun & has_not_ended
        reduced = running & self._is_reduced
        asked = known & self._is_asked & has_not_ended
        ended = known & self._may_end & (self._end < today)
        waiting = known & self._is_tlv_asked & has_not_ended
        waiting &= self._has_start & (self._start <= today)
        took_place = known & self._happens & (self._start < today)
        contact = took_place & self._is_contact
        report = took_place & self._is_report

        def since(days: Numbers) -> Numbers:
            """School weeks begun since a day per pupil; NaN stays NaN."""
            numbers = np.where(np.isnan(days), today, days).astype(np.int64) - first
            return np.where(np.isnan(days), np.nan, weeks.begun_since(numbers, as_of))

        def in_last(window: int) -> Flags:
            return np.asarray(self._start >= first + 7 * weeks.window_start(as_of, window))

        since_end = since(self._latest(ended, self._end))
        since_end[(since_end > MOST_WEEKS) | (self._count(running) > 0)] = np.nan
        since_contact = since(self._latest(contact, self._start))
        since_contact[since_contact > MOST_WEEKS] = np.nan
        running_weeks = since(self._earliest(running & self._has_start, self._start))
        return {
            "support_running": self._count(running),
            "support_running_weeks": np.minimum(running_weeks, MOST_WEEKS),
            "reduced_timetable_running": np.minimum(self._count(reduced), 1.0),
            "support_requested": self._count(asked),
            "support_waiting_weeks": np.minimum(
                since(self._earliest(asked & self._has_start & has_begun, self._start)), MOST_WEEKS
            ),
            "weeks_since_support_ended": since_end,
            "tlv_waiting_weeks": np.minimum(
                since(self._earliest(waiting, self._start)), MOST_WEEKS
            ),
            "contacts_12w": self._count(contact & in_last(12)),
            "weeks_since_contact": since_contact,
            "duo_reports_40w": self._count(report & in_last(40)),
        }

    def _count(self, chosen: Flags) -> Numbers:
        return np.bincount(self._pupil[chosen], minlength=self._pupils).astype(np.float64)

    def _latest(self, chosen: Flags, days: NDArray[np.int64]) -> Numbers:
        latest = np.full(self._pupils, -np.inf)
        np.maximum.at(latest, self._pupil[chosen], days[chosen].astype(np.float64))
        return np.where(np.isinf(latest), np.nan, latest)

    def _earliest(self, chosen: Flags, days: NDArray[np.int64]) -> Numbers:
        return -self._latest(chosen, -days)


def _is_among(values: pa.ChunkedArray, wanted: Iterable[str]) -> Flags:
    flags: Flags = pc.is_in(values, pa.array(sorted(wanted), pa.string())).to_numpy()
    return flags


def _epoch_days(days: pa.ChunkedArray) -> NDArray[np.int64]:
    numbers: NDArray[np.int64] = pc.fill_null(days.cast(pa.int32()), 0).to_numpy().astype(np.int64)
    return numbers
