"""The days of all pupils of one school, moved from moment to moment as knowledge comes in."""

from collections.abc import Sequence
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from features.absence.day_parts import (
    KINDS,
    TIMED,
    AbsenceVersions,
    absence_versions,
    lay_out,
    settle,
)
from features.absence.planned import PlannedTime
from features.absence.span import Span
from features.records.partition import PartitionTables, lifetimes
from features.school_weeks import AMSTERDAM
from features.vocabulary import ABSENT_KINDS


class AbsenceReplay:
    """Minutes per kind and day of every pupil of one school, as known at one of some moments.

    `advance` must be called for moment 0, 1, 2 … in order. It settles only the days that are
    touched by a version that began or ceased to count, or whose planned minutes changed; it
    gives where anything may have changed, as flat places in [pupils, weeks]. All arrays are
    [pupils, days]; `minutes` is [kinds, pupils, days] in the order of ABSENCE_PRIORITY.
    """

    def __init__(self, tables: PartitionTables, span: Span, moments: Sequence[datetime]) -> None:
        self.span = span
        self.planned = PlannedTime(tables, span, moments)
        # One order of versions, whatever the order in which they came.
        self.records = tables.absence.sort_by(
            [("record_key", "ascending"), ("known_at", "ascending"), ("sequence", "ascending")]
        )
        self.live = lifetimes(self.records, moments)
        self.versions: AbsenceVersions = absence_versions(self.records, self.planned.pupil_keys)
        today = [span.number_of(moment.astimezone(AMSTERDAM).date()) for moment in moments]
        self._parts = lay_out(self.versions, self.live, span, np.array(today, np.int64))
        self._cells, self._first, self._count = np.unique(
            self._parts.cell, return_index=True, return_counts=True
        )
        self._by_version = np.argsort(self._parts.version, kind="stable")
        self._version_sorted = self._parts.version[self._by_version]
        shape = (len(self.planned.pupil_keys), span.days)
        self.minutes: NDArray[np.int16] = np.zeros((TIMED, *shape), np.int16)
        self.absent: NDArray[np.int16] = np.zeros(shape, np.int16)
        self.late: NDArray[np.int16] = np.zeros(shape, np.int16)
        self.sent_out: NDArray[np.int16] = np.zeros(shape, np.int16)
        self.is_early: NDArray[np.bool_] = np.zeros(shape, bool)

    def advance(self, moment: int) -> NDArray[np.int64]:
        """Move to moment number `moment`; give the flat [pupils, weeks] places that may differ."""
        replanned = self.planned.advance(moment)
        touched = self._cells_of_versions(np.flatnonzero(self.live.changes_at(moment)))
        touched = np.union1d(touched, replanned[np.isin(replanned, self._cells)])
        self._settle(touched, self.live.at(moment))
        return np.unique(np.concatenate([touched, replanned]) // 7)

    def _cells_of_versions(self, versions: NDArray[np.int64]) -> NDArray[np.int64]:
        low = np.searchsorted(self._version_sorted, versions, side="left")
        high = np.searchsorted(self._version_sorted, versions, side="right")
        return np.unique(self._parts.cell[self._by_version[_ranges(low, high - low)]])

    def _settle(self, cells: NDArray[np.int64], counts: NDArray[np.bool_]) -> None:
        if not len(cells):
            return
        number = np.searchsorted(self._cells, cells)
        chosen = _ranges(self._first[number], self._count[number])
        place = np.repeat(np.arange(len(cells)), self._count[number])
        is_live = counts[self._parts.version[chosen]]
        planned = self.planned.minutes.reshape(-1)[cells]
        days = settle(self._parts, chosen[is_live], place[is_live], planned)
        for kind in range(TIMED):
            self.minutes[kind].reshape(-1)[cells] = days.minutes[kind]
        is_absent = np.array([kind in ABSENT_KINDS for kind in KINDS[:TIMED]])
        self.absent.reshape(-1)[cells] = days.minutes[is_absent].sum(axis=0)
        self.late.reshape(-1)[cells] = days.late
        self.sent_out.reshape(-1)[cells] = days.sent_out
        self.is_early.reshape(-1)[cells] = days.is_early


def _ranges(first: NDArray[np.int64], count: NDArray[np.int64]) -> NDArray[np.int64]:
    """The numbers from first[i] on, count[i] of them, for every i after each other.

    >>> _ranges(np.array([3, 10]), np.array([2, 3]))
    array([ 3,  4, 10, 11, 12])
    """
    before = np.cumsum(count) - count
    positions: NDArray[np.int64] = np.arange(count.sum()) - np.repeat(before - first, count)
    return positions
