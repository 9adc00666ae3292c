"""All features of all pupils of one school, moved from Monday to Monday."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from features.absence.features import AbsenceFeatures
from features.absence.span import span_for_features
from features.build.career import Career
from features.catalogue import CATALOGUE
from features.records.partition import PartitionTables
from features.school_weeks import as_of_moment
from features.support import SupportReplay


@dataclass(frozen=True)
class FeatureRows:
    """The features of the pupils enrolled at one school on one Monday, as known then."""

    as_of: date
    pupil_keys: NDArray[np.object_]
    groups: NDArray[np.object_]
    year_groups: NDArray[np.object_]
    sector: str
    values: Mapping[str, NDArray[np.float32]]


class SchoolReplay:
    """All that is known of one school on one of ascending `mondays`; `rows` moves on in order."""

    def __init__(self, tables: PartitionTables, mondays: Sequence[date]) -> None:
        moments = [as_of_moment(monday) for monday in mondays]
        self._mondays = mondays
        span = span_for_features(mondays[0], mondays[-1])
        self._absence = AbsenceFeatures(tables, span, moments)
        self._planned = self._absence.planned
        self._support = SupportReplay(tables.support, self._planned.pupil_keys, moments)
        self._career = Career(self._planned)
        placements = self._planned.placements
        self._pupil_keys = np.array(self._planned.pupil_keys, object)
        self._groups = np.array(placements["group"].to_pylist(), object)
        self._year_groups = np.array(placements["year_group"].to_pylist(), object)

    def rows(self, moment: int) -> FeatureRows | None:
        """The features on Monday number `moment`; None when nobody is known to be enrolled."""
        self._absence.advance(moment)
        as_of = self._mondays[moment]
        placement = self._planned.placement[self._planned.span.number_of(as_of)]
        pupils = np.flatnonzero(placement >= 0)
        sector = self._planned.calendar.sector
        if sector is None or not len(pupils):
            return None
        row = placement[pupils].astype(np.int64)
        weeks = self._absence.school_weeks
        support = self._support.features(moment, as_of, weeks)
        values = {
            **self._absence.features(pupils, self._planned.group_of_row[row], as_of),
            **{name: of_everyone[pupils] for name, of_everyone in support.items()},
            **self._career.features(moment, row, as_of, weeks, sector),
        }
        return FeatureRows(
            as_of=as_of,
            pupil_keys=self._pupil_keys[pupils],
            groups=self._groups[row],
            year_groups=self._year_groups[row],
            sector=sector,
            values={f.name: values[f.name].astype(np.float32) for f in CATALOGUE},
        )
