"""All features of all pupils of one school, pupil by pupil through the Mondays."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from features.absence.pupils import spans_of
from features.absence.schools import KnownSchool, KnownSchools
from features.absence.span import span_for_features
from features.absence.windows import window_weeks
from features.build.career import AFTER_PRIMARY, earliest_enrolment, year_groups
from features.build.rows import NAMES, Mondays, feature_rows
from features.records.partition import PartitionTables
from features.school_weeks import as_of_moment, first_day_of, school_year_of
from features.support import support_versions


@dataclass(frozen=True)
class FeatureRows:
    """The features of the pupils enrolled at one school on some Mondays, as known then.

    Rows go by Monday, then by pupil key; `counts` says how many there are of each Monday.
    """

    school: str
    counts: NDArray[np.int64]
    pupil_keys: pa.Array
    groups: pa.Array
    year_groups: pa.Array
    sectors: Sequence[str | None]
    values: Mapping[str, NDArray[np.float32]]


class FeatureBuild:
    """All that is `known` of some schools on each of ascending `mondays`, and their `support`."""

    def __init__(self, known: KnownSchools, support: pa.Table, mondays: Sequence[date]) -> None:
        moments = [as_of_moment(monday) for monday in mondays]
        self._mondays, self._span, self._known = mondays, known.span, known
        pupils = known.pupils
        self._support = support_versions(
            support,
            *spans_of(pupils.numbers_of(support), len(pupils.keys)),
            self._span.epoch_day,
            moments,
        )
        self._year_groups = year_groups(pupils.table)

    @classmethod
    def of(
        cls, tables: PartitionTables, schools: Sequence[str], mondays: Sequence[date]
    ) -> "FeatureBuild":
        """Of `schools` of `tables`, which may hold others."""
        span = span_for_features(mondays[0], mondays[-1])
        moments = [as_of_moment(monday) for monday in mondays]
        return cls(KnownSchools(tables, schools, span, moments), tables.support, mondays)

    @property
    def number(self) -> int:
        """How many schools there are."""
        return len(self._known.pupils.schools)

    def rows(self, number: int) -> FeatureRows:
        """The rows of school number `number`; threads may ask for several at once."""
        known, pupils = self._known.school(number), self._known.pupils
        mondays = self._of_school(known)
        counts, rows = feature_rows(known, mondays, self._support, self._year_groups)
        placed = pa.array(rows.placement)
        return FeatureRows(
            school=known.name,
            counts=counts,
            pupil_keys=pupils.keys.take(pa.array(rows.pupil)),
            groups=pupils.table["group"].combine_chunks().take(placed),
            year_groups=pupils.table["year_group"].combine_chunks().take(placed),
            sectors=known.plans.sectors,
            values=dict(zip(NAMES, rows.values, strict=True)),
        )

    def _of_school(self, known: KnownSchool) -> Mondays:
        span, placements = self._span, self._known.pupils.placements
        weeks = known.plans.weeks
        pairs = zip(weeks, self._mondays, strict=True)
        years = [school_year_of(monday) for monday in self._mondays]
        earliest = [
            earliest_enrolment(placements, known.first, known.end, moment)
            for moment in range(len(self._mondays))
        ]
        return Mondays(
            is_known=np.array([sector is not None for sector in known.plans.sectors]),
            windows=np.stack([window_weeks(*pair) for pair in pairs]),
            before=np.stack([one.before for one in weeks]),
            began=np.array([span.number_of(first_day_of(year)) for year in years]),
            last_began=np.array([span.number_of(first_day_of(year - 1)) for year in years]),
            month=np.array([monday.year * 12 + monday.month for monday in self._mondays]),
            earliest=np.array(earliest),
            is_after_primary=np.array([s in AFTER_PRIMARY for s in known.plans.sectors]),
        )
