"""All features of all pupils of one school, moved from Monday to Monday."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from features.absence.features import AbsenceFeatures, Block, Snapshot
from features.absence.span import span_for_features
from features.build.career import Career
from features.catalogue import CATALOGUE
from features.records.partition import PartitionTables
from features.school_weeks import SchoolWeeks, as_of_moment
from features.support import SupportReplay

Numbers = NDArray[np.float64]

BLOCK_ROWS = 12_000
"""Features are worked out for so many rows at once: long enough to be quick, short enough to stay
in the processor's cache."""


@dataclass(frozen=True)
class FeatureRows:
    """The features of the pupils enrolled at one school on some Mondays, as known then.

    Rows go by Monday, then by pupil key; `counts` says how many there are of each of `as_of`.
    """

    as_of: Sequence[date]
    counts: Sequence[int]
    pupil_keys: pa.Array
    groups: pa.Array
    year_groups: pa.Array
    sector: str
    values: Mapping[str, NDArray[np.float32]]


@dataclass(frozen=True)
class _Monday:
    """What is kept of one Monday until its block is worked out."""

    as_of: date
    pupils: NDArray[np.int64]
    rows: NDArray[np.int64]
    snapshot: Snapshot
    others: Mapping[str, Numbers]


class SchoolReplay:
    """All that is known of one school on each of ascending `mondays`."""

    def __init__(self, tables: PartitionTables, mondays: Sequence[date]) -> None:
        moments = [as_of_moment(monday) for monday in mondays]
        self._mondays = mondays
        span = span_for_features(mondays[0], mondays[-1])
        self._absence = AbsenceFeatures(tables, span, moments)
        self._planned = self._absence.planned
        self._support = SupportReplay(tables.support, self._planned.pupil_keys, moments)
        self._career = Career(self._planned)
        self._pupil_keys = pa.array(self._planned.pupil_keys, pa.string())
        placements = self._planned.placements
        self._groups = placements["group"].combine_chunks()
        self._year_groups = placements["year_group"].combine_chunks()

    def blocks(self) -> Iterator[FeatureRows]:
        """The rows of all Mondays, in order, in blocks; none of Mondays without a pupil."""
        kept: list[_Monday] = []
        under: tuple[SchoolWeeks, str] | None = None
        for moment in range(len(self._mondays)):
            self._absence.advance(moment)
            sector = self._planned.calendar.sector
            if sector is None or not (self._placement(moment) >= 0).any():
                continue
            now = self._absence.school_weeks, sector
            if kept and under is not None and (now[0] is not under[0] or now[1] != under[1]):
                # One block knows one calendar.
                yield self._worked_out(kept, *under)
                kept = []
            under = now
            kept.append(self._monday(moment, *now))
            if sum(len(one.rows) for one in kept) >= BLOCK_ROWS:
                yield self._worked_out(kept, *now)
                kept = []
        if kept and under is not None:
            yield self._worked_out(kept, *under)

    def _placement(self, moment: int) -> NDArray[np.int32]:
        """The placement of every pupil on Monday number `moment`, as it stands; -1 without one."""
        day = self._planned.span.number_of(self._mondays[moment])
        return np.asarray(self._planned.placement[day])

    def _monday(self, moment: int, weeks: SchoolWeeks, sector: str) -> _Monday:
        as_of = self._mondays[moment]
        placement = self._placement(moment)
        pupils = np.flatnonzero(placement >= 0)
        rows = placement[pupils].astype(np.int64)
        support = self._support.features(moment, as_of, weeks)
        others = {
            **{name: of_everyone[pupils] for name, of_everyone in support.items()},
            **self._career.features(moment, rows, as_of, weeks, sector),
        }
        return _Monday(as_of, pupils, rows, self._absence.snapshot(as_of), others)

    def _worked_out(self, kept: Sequence[_Monday], weeks: SchoolWeeks, sector: str) -> FeatureRows:
        wanted = np.zeros((len(kept), len(self._pupil_keys)), bool)
        for number, one in enumerate(kept):
            wanted[number, one.pupils] = True
        groups = len(self._planned.groups)
        group = np.concatenate(
            [
                number * groups + self._planned.group_of_row[one.rows]
                for number, one in enumerate(kept)
            ]
        )
        block = Block([one.snapshot for one in kept], wanted, group, weeks)
        values = {
            **block.features(),
            **{name: np.concatenate([one.others[name] for one in kept]) for name in kept[0].others},
        }
        rows = pa.array(np.concatenate([one.rows for one in kept]))
        return FeatureRows(
            as_of=[one.as_of for one in kept],
            counts=[len(one.rows) for one in kept],
            pupil_keys=self._pupil_keys.take(pa.array(np.concatenate([o.pupils for o in kept]))),
            groups=self._groups.take(rows),
            year_groups=self._year_groups.take(rows),
            sector=sector,
            values={f.name: values[f.name].astype(np.float32) for f in CATALOGUE},
        )
