"""The days of all pupils of one school, moved from moment to moment as knowledge comes in."""

from collections.abc import Sequence
from dataclasses import dataclass
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


@dataclass(frozen=True)
class Changed:
    """What may differ after a move: numbers of settled cells; flat places in [weeks, pupils].

    `settled` are the places of the settled cells, `replanned` those with other planned minutes or
    placements, of `replanned_pupils`.
    """

    numbers: NDArray[np.int64]
    settled: NDArray[np.int64]
    replanned: NDArray[np.int64]
    replanned_pupils: NDArray[np.int64]


class AbsenceReplay:
    """Minutes per kind and day of every pupil of one school, as known at one of some moments.

    `advance` must be called for moment 0, 1, 2 … in order. It settles only the days that are
    touched by a version that began or ceased to count, or whose planned minutes changed. `cells`
    are those any record touches, as day number x number of pupils + pupil. All arrays are
    [days, pupils]; `minutes` is [kinds, days, pupils] in the order of ABSENCE_PRIORITY. `today`
    holds the day number of every moment, the first day that is not over.
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
        self._counts: NDArray[np.bool_] = np.zeros(self.records.num_rows, bool)
        today = [span.number_of(moment.astimezone(AMSTERDAM).date()) for moment in moments]
        self.today: NDArray[np.int64] = np.array(today, np.int64)
        self._parts = lay_out(self.versions, self.live, span, self.today)
        cell = self._parts.cell
        self._first = np.flatnonzero(np.concatenate([[True], cell[1:] != cell[:-1]])[: len(cell)])
        self.cells = cell[self._first]
        self._count = np.diff(np.append(self._first, len(cell)))
        self._number_of_part = np.repeat(np.arange(len(self.cells)), self._count)
        self._number_of_cell = np.full(span.days * len(self.planned.pupil_keys), -1, np.int32)
        self._number_of_cell[self.cells] = np.arange(len(self.cells))
        self._by_version = np.argsort(self._parts.version, kind="stable")
        self._version_sorted = self._parts.version[self._by_version]
        shape = (span.days, len(self.planned.pupil_keys))
        self.minutes: NDArray[np.int16] = np.zeros((TIMED, *shape), np.int16)
        self.absent: NDArray[np.int16] = np.zeros(shape, np.int16)
        self.late: NDArray[np.int16] = np.zeros(shape, np.int16)
        self.sent_out: NDArray[np.int16] = np.zeros(shape, np.int16)
        self.is_early: NDArray[np.bool_] = np.zeros(shape, bool)

    def advance(self, moment: int) -> Changed:
        """Move to moment number `moment`."""
        replanned = self.planned.advance(moment)
        news = self.live.changed_at(moment)
        self._counts[news] = self.live.of(news, moment)
        number = self._number_of_cell[replanned]
        touched = np.unique(np.concatenate([self._touched_by(news), number[number >= 0]]))
        self._settle(touched)
        pupils = max(1, len(self.planned.pupil_keys))
        return Changed(
            numbers=touched,
            settled=self._weeks_of(self.cells[touched]),
            replanned=self._weeks_of(replanned),
            replanned_pupils=np.flatnonzero(np.bincount(replanned % pupils, minlength=pupils)),
        )

    def _weeks_of(self, cells: NDArray[np.int64]) -> NDArray[np.int64]:
        """The flat places in [weeks, pupils] that hold any of `cells`, each once."""
        pupils = max(1, len(self.planned.pupil_keys))
        places = cells // (7 * pupils) * pupils + cells % pupils
        if len(places) < self.span.weeks:
            return np.unique(places)
        is_changed = np.zeros(self.span.weeks * pupils, bool)
        is_changed[places] = True
        return np.flatnonzero(is_changed)

    def _touched_by(self, versions: NDArray[np.int64]) -> NDArray[np.int64]:
        low = np.searchsorted(self._version_sorted, versions, side="left")
        high = np.searchsorted(self._version_sorted, versions, side="right")
        parts = self._by_version[_ranges(low, high - low)]
        numbers: NDArray[np.int64] = self._number_of_part[parts]
        return numbers

    def _settle(self, number: NDArray[np.int64]) -> None:
        cells = self.cells[number]
        chosen = _ranges(self._first[number], self._count[number])
        place = np.repeat(np.arange(len(cells)), self._count[number])
        is_live = self._counts[self._parts.version[chosen]]
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
