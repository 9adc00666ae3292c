"""What was known on one Monday about the absence of a school's pupils: days, and records."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from features.absence.laid_out import placed_on, school_days
from features.absence.quantities import KINDS, TIMED
from features.absence.span import span_for_features
from features.records.partition import PartitionTables, lifetimes
from features.school_weeks import SchoolWeeks, as_of_moment
from features.vocabulary import AbsenceKind, PupilKey

T = TypeVar("T")


@dataclass(frozen=True)
class AbsenceRecord:
    """One absence record in the version that held; moments are local, without a time zone.

    `ends_at` None: still open, or all there is are the `minutes`; these are None where the source
    gives none.
    """

    kind: AbsenceKind
    starts_at: datetime
    ends_at: datetime | None
    minutes: int | None


@dataclass(frozen=True)
class KnownDays:
    """The days before the Monday `as_of` of a school's pupils, as known at 06:00 that Monday.

    Arrays are [pupils, days]; day 0 is `weeks.first_monday`, and the days reach back as far as any
    feature looks. `minutes` holds the kinds of ABSENCE_PRIORITY, together at most `planned`.
    `counted` marks days with planned time in a week in which the group was registered: the days
    that features are made of. `episode_days` are [days] (`features.absence.episodes`). `group` is a
    number per pupil, equal for classmates, -1 for who is not enrolled on `as_of`; for them
    `enrolled_on` and `year_group` are None.
    """

    as_of: date
    pupil_keys: tuple[PupilKey, ...]
    weeks: SchoolWeeks
    episode_days: NDArray[np.int32]
    planned: NDArray[np.int16]
    counted: NDArray[np.bool_]
    minutes: Mapping[AbsenceKind, NDArray[np.int16]]
    late: NDArray[np.int16]
    sent_out: NDArray[np.int16]
    group: NDArray[np.int64]
    enrolled_on: tuple[date | None, ...]
    year_group: tuple[str | None, ...]
    absence: pa.Table

    def records_of(self, pupil_key: str) -> tuple[AbsenceRecord, ...]:
        """The records of one pupil that held on the Monday, in order of start."""
        own = self.absence.filter(pc.field("pupil_key") == pupil_key).sort_by("starts_at")
        return tuple(
            AbsenceRecord(
                AbsenceKind(row["kind"]), row["starts_at"], row["ends_at"], row["minutes"]
            )
            for row in own.to_pylist()
        )


def known_days(tables: PartitionTables, school: str, as_of: date) -> KnownDays:
    """The days and records of `school` on the Monday `as_of`, for who explains its features.

    `tables` may hold more than was known then, and other schools; both are left out. The columns
    of `absence` are those of the log. Without a known description of the school no day is planned.
    """
    span, moment = span_for_features(as_of, as_of), as_of_moment(as_of)
    own = tables.of_school(school)
    known = school_days(own, school, span, moment)
    end = max(0, span.number_of(as_of))
    days, placements = known.days, known.pupils.table
    row, start = placed_on(known.pupils.placements, len(known.pupils.keys), span.number_of(as_of))
    is_here = row >= 0
    held = placements.take(pa.array(np.maximum(row, 0)[is_here]))
    starts = [span.first_day + timedelta(days=day) for day in start[is_here].tolist()]
    records = own.absence.sort_by(
        [("record_key", "ascending"), ("known_at", "ascending"), ("sequence", "ascending")]
    )
    group = np.full(len(row), -1, np.int64)
    group[is_here] = known.pupils.placements.group[row[is_here]]
    return KnownDays(
        as_of=as_of,
        pupil_keys=tuple(PupilKey(key) for key in known.pupils.keys.to_pylist()),
        weeks=known.weeks,
        episode_days=known.episode_days[:end],
        planned=days.planned[:, :end],
        counted=((days.planned > 0) & days.is_registered)[:, :end],
        minutes={kind: days.minutes[at][:, :end] for at, kind in enumerate(KINDS[:TIMED])},
        late=days.late[:, :end],
        sent_out=days.sent_out[:, :end],
        group=group,
        enrolled_on=_spread(starts, is_here),
        year_group=_spread(held["year_group"].to_pylist(), is_here),
        absence=records.filter(pa.array(lifetimes(records, [moment]).at(0))),
    )


def _spread(values: Sequence[T], here: NDArray[np.bool_]) -> tuple[T | None, ...]:
    """`values` for the pupils who are here, None for the others."""
    left = iter(values)
    return tuple(next(left) if is_here else None for is_here in here)
