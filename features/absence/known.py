"""What was known on one Monday about the absence of a school's pupils: days, and records."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from features.absence.day_parts import KINDS, TIMED
from features.absence.registration import Registration
from features.absence.replay import AbsenceReplay
from features.absence.span import span_for_features
from features.absence.weeks import WeekSums
from features.records.partition import PartitionTables
from features.school_weeks import SchoolWeeks, as_of_moment
from features.vocabulary import AbsenceKind, PupilKey


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
    that features are made of. `group` is a number per pupil, equal for classmates, -1 for who is
    not enrolled on `as_of`; for them `enrolled_on` and `year_group` are None.
    """

    as_of: date
    pupil_keys: tuple[PupilKey, ...]
    weeks: SchoolWeeks
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
    moment = as_of_moment(as_of)
    replay = AbsenceReplay(tables.of_school(school), span_for_features(as_of, as_of), [moment])
    changed = replay.advance(0)
    sums = WeekSums(replay)
    sums.update(changed)
    registration = Registration(replay, sums)
    registration.advance(0, changed, end=int(replay.today[0]) // 7)
    planned = replay.planned
    end = replay.span.number_of(as_of)
    row = planned.placement[end]
    is_here = row >= 0
    registered = ~np.repeat(registration.unregistered, 7, axis=0)
    return KnownDays(
        as_of=as_of,
        pupil_keys=tuple(PupilKey(key) for key in planned.pupil_keys),
        weeks=SchoolWeeks(replay.span.first_day, planned.calendar.school_days),
        planned=planned.minutes[:end].T,
        counted=((planned.minutes > 0) & registered)[:end].T,
        minutes={kind: replay.minutes[at][:end].T for at, kind in enumerate(KINDS[:TIMED])},
        late=replay.late[:end].T,
        sent_out=replay.sent_out[:end].T,
        group=np.where(is_here, planned.group_of_row[row], -1)
        if len(row)
        else row.astype(np.int64),
        enrolled_on=tuple(
            replay.span.first_day + timedelta(days=int(planned.enrolment_start[at]))
            if here
            else None
            for at, here in zip(row, is_here, strict=True)
        ),
        year_group=tuple(
            planned.placements["year_group"][int(at)].as_py() if here else None
            for at, here in zip(row, is_here, strict=True)
        ),
        absence=replay.records.filter(pa.array(replay.live.at(0))),
    )
