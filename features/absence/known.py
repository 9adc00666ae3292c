"""What was known on one Monday about the absence of a school's pupils: days, and records."""

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import TypeVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from features.absence.grid import DayGrid, grid_of
from features.absence.laid_out import SchoolDays, days_of_school
from features.absence.quantities import KINDS, TIMED
from features.absence.schools import KnownSchools
from features.absence.span import span_between, span_for_features
from features.absence.versions import Versions
from features.records.partition import PartitionTables
from features.school_weeks import SchoolWeeks, as_of_moment
from features.vocabulary import AbsenceKind, PupilKey

T = TypeVar("T")
_DAY = 24 * 60 * 60 * 1_000_000


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
    records: "HeldRecords"

    def records_of(self, pupil_key: str) -> tuple[AbsenceRecord, ...]:
        """The records of absence of one pupil that held on the Monday, in order of start."""
        place = self.place.get(pupil_key)
        return self.records.of(place) if place is not None else ()

    @functools.cached_property
    def place(self) -> Mapping[str, int]:
        """The row of each pupil."""
        return {key: at for at, key in enumerate(self.pupil_keys)}


@dataclass(frozen=True)
class HeldRecords:
    """The absence records of a school, of pupil numbers from `first` on, that held at a moment."""

    versions: Versions
    first: int
    first_day: date

    def numbers(self, pupil: int) -> NDArray[np.int64]:
        """The numbers of those of row `pupil` among the versions, in no order."""
        versions, number = self.versions, self.first + pupil
        own = versions.order[versions.begin[number] : versions.begin[number + 1]]
        held = (versions.first[own] <= 0) & (versions.end[own] > 0) & (versions.kind[own] >= 0)
        return np.asarray(own[held])

    def of(self, pupil: int) -> tuple[AbsenceRecord, ...]:
        """Those of row `pupil`, in order of start."""
        own = self.numbers(pupil)
        own = own[np.argsort(self.versions.starts_at[own], kind="stable")]
        return tuple(self._record(version) for version in own.tolist())

    def lessons(self, pupil: int, longest: int) -> dict[tuple[int, AbsenceKind], int]:
        """Per day and kind: how many lessons, where all records of that kind are that long.

        A lesson lies within a day and has at most `longest` minutes; records that start at the same
        moment are one lesson.
        """
        versions, own = self.versions, self.numbers(pupil)
        starts_at, ends_at = versions.starts_at[own], versions.ends_at[own]
        has_end, minutes = versions.has_end[own], versions.minutes[own].astype(np.int64)
        between = (ends_at - starts_at) // 1_000_000 // 60
        minutes = np.where((minutes < 0) & has_end, between, minutes)
        one_day = has_end & (ends_at // _DAY == starts_at // _DAY)
        is_lesson = one_day & (minutes > 0) & (minutes <= longest)
        place = (starts_at // _DAY) * len(KINDS) + versions.kind[own]
        is_lesson &= ~np.isin(place, place[~is_lesson])
        starts = np.unique(np.stack([place[is_lesson], starts_at[is_lesson]]), axis=1)[0]
        places, counts = np.unique(starts, return_counts=True)
        return {
            (at // len(KINDS), KINDS[at % len(KINDS)]): number
            for at, number in zip(places.tolist(), counts.tolist(), strict=True)
        }

    def _record(self, version: int) -> AbsenceRecord:
        versions, minutes = self.versions, int(self.versions.minutes[version])
        return AbsenceRecord(
            kind=KINDS[versions.kind[version]],
            starts_at=self._moment(versions.starts_at[version]),
            ends_at=self._moment(versions.ends_at[version]) if versions.has_end[version] else None,
            minutes=minutes if minutes >= 0 else None,
        )

    def _moment(self, microseconds: np.int64) -> datetime:
        start = datetime.combine(self.first_day, time())
        return start + timedelta(microseconds=int(microseconds))


def known_days(tables: PartitionTables, school: str, as_of: date) -> KnownDays:
    """The days and records of `school` on the Monday `as_of`, for who explains its features.

    `tables` may hold more than was known then, and other schools; both are left out. Without a
    known description of the school no day is planned.
    """
    return MondaySchools(tables.of_school(school), [school], as_of).known_days(0)


class MondaySchools:
    """The days of `schools` as known on one Monday, laid out once for all who look at them.

    The days reach from as far back as any feature looks to `ahead` after the Monday: what was
    planned and announced by then. `known_schools` is what they are made of.
    """

    def __init__(
        self,
        tables: PartitionTables,
        schools: Sequence[str],
        as_of: date,
        ahead: timedelta = timedelta(0),
    ) -> None:
        first = span_for_features(as_of, as_of).first_day
        self.as_of, self.span = as_of, span_between(first, as_of + ahead)
        self.known_schools = KnownSchools(tables, schools, self.span, [as_of_moment(as_of)])

    def days(self, number: int) -> SchoolDays:
        """All days of school number `number`."""
        return days_of_school(self.known_schools, number)

    def known_days(self, number: int) -> KnownDays:
        """The days before the Monday of school number `number`, and its records."""
        return self.known(self.days(number))

    def grid(self, days: SchoolDays, chosen: NDArray[np.bool_]) -> DayGrid:
        """All days of the `chosen` pupils of a school as a grid."""
        return grid_of(days, self.span, chosen)

    def known(self, found: SchoolDays) -> KnownDays:
        """The days before the Monday of a school, and its records."""
        as_of, placements = self.as_of, found.pupils.placements
        today = self.span.number_of(as_of)
        end, days = max(0, today), found.days
        row, start = found.placed_on(today)
        is_here = row >= 0
        held = found.pupils.table["year_group"].take(pa.array(row[is_here]))
        starts = [self.span.first_day + timedelta(days=day) for day in start[is_here].tolist()]
        group = np.full(len(row), -1, np.int64)
        group[is_here] = placements.group[row[is_here]]
        return KnownDays(
            as_of=as_of,
            pupil_keys=tuple(PupilKey(key) for key in found.keys.to_pylist()),
            weeks=found.weeks,
            episode_days=found.episode_days[:end],
            planned=days.planned[:, :end],
            counted=((days.planned > 0) & days.is_registered)[:, :end],
            minutes={kind: days.minutes[at][:, :end] for at, kind in enumerate(KINDS[:TIMED])},
            late=days.late[:, :end],
            sent_out=days.sent_out[:, :end],
            group=group,
            enrolled_on=_spread(starts, is_here),
            year_group=_spread(held.to_pylist(), is_here),
            records=HeldRecords(self.known_schools.versions, found.first, self.span.first_day),
        )


def _spread(values: Sequence[T], here: NDArray[np.bool_]) -> tuple[T | None, ...]:
    """`values` for the pupils who are here, None for the others."""
    left = iter(values)
    return tuple(next(left) if is_here else None for is_here in here)
