"""The records of a pupil as known on a Monday, by day, with those of the classmates beside them."""

import functools
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from features.absence import AbsenceRecord, known_days
from features.absence.measures import is_absent_day
from features.absence.quantities import KINDS, TIMED
from features.errors import NotThere
from features.records.partition import PartitionTables, lifetimes
from features.school_weeks import SchoolWeeks, as_of_moment, first_day_of, school_year_of
from features.vocabulary import (
    ABSENT_KINDS,
    UNAUTHORISED_KINDS,
    AbsenceKind,
    PupilKey,
    SupportKind,
    SupportStatus,
)

Flags = NDArray[np.bool_]
Numbers = NDArray[np.float64]

LONGEST_LESSON = 60
_OF_RECORDS = ["pupil_key", "kind", "starts_at", "ends_at", "minutes"]
_MONTHS = (
    *("januari", "februari", "maart", "april", "mei", "juni"),
    *("juli", "augustus", "september", "oktober", "november", "december"),
)


@dataclass(frozen=True)
class Evidence:
    """One dated record under a reason: "ziek", "hele dag"."""

    day: date
    label: str
    detail: str


@dataclass(frozen=True)
class SupportRecord:
    """Something arranged or talked about, as known on the Monday."""

    kind: SupportKind
    status: SupportStatus
    starts_on: date | None
    ends_on: date | None


@dataclass(frozen=True)
class Days:
    """Days before the Monday `as_of`, [pupils, days]; the first pupil is the one explained.

    `counted` marks days with planned time in a week in which the group was registered.
    `episode_days` are [days]: how far two sick days lie apart (`features.absence.episodes`).
    """

    as_of: date
    weeks: SchoolWeeks
    episode_days: NDArray[np.int32]
    planned: NDArray[np.int16]
    counted: Flags
    minutes: Mapping[AbsenceKind, NDArray[np.int16]]
    late: NDArray[np.int16]
    sent_out: NDArray[np.int16]

    @functools.cached_property
    def absent(self) -> NDArray[np.int16]:
        """Minutes not spent in education."""
        return self.of_kinds(ABSENT_KINDS)

    @functools.cached_property
    def is_absent(self) -> Flags:
        """Days with at least half of the planned time absent."""
        return is_absent_day(self.planned, self.absent)

    @functools.cached_property
    def unauthorised(self) -> NDArray[np.int16]:
        """Minutes absent without authorisation."""
        return self.of_kinds(UNAUTHORISED_KINDS)

    def of_kinds(self, kinds: Iterable[AbsenceKind]) -> NDArray[np.int16]:
        """Minutes of some kinds together."""
        return sum((self.minutes[kind] for kind in kinds), np.zeros_like(self.planned))

    def last_weeks(self, weeks: int, skip: int = 0) -> slice:
        """The days of the last `weeks` school weeks before the `skip` most recent ones."""
        first = self.weeks.window_start(self.as_of, weeks + skip) * 7
        end = self.weeks.window_start(self.as_of, skip) * 7 if skip else self.planned.shape[1]
        return slice(first, end)

    def previous_year(self) -> slice:
        """The days of the weeks that begin in the school year before that of the Monday."""
        this_year = school_year_of(self.as_of)
        first, end = (
            -((self.weeks.first_monday - first_day_of(year)).days // 7) * 7
            for year in (this_year - 1, this_year)
        )
        return slice(max(0, first), end)

    def date_of(self, number: int) -> date:
        """The date of a day number."""
        return self.weeks.first_monday + timedelta(days=int(number))


@dataclass(frozen=True)
class PupilRecords:
    """All that reasons are made of: what was known about one pupil on the Monday `as_of`.

    `lessons` counts, per day number and kind, records of the length of a lesson; it lacks days on
    which other records stand beside them. `enrolled_on` is the day the pupil came to this school.
    """

    pupil_key: PupilKey
    as_of: date
    days: Days
    lessons: Mapping[tuple[int, AbsenceKind], int]
    support: tuple[SupportRecord, ...]
    enrolled_on: date
    year_group: str


class SchoolRecords:
    """The records of one school as known on a Monday; `of` gives those of one pupil.

    `wanted` (None: everybody) says of which pupils that will be asked.
    """

    def __init__(
        self,
        tables: PartitionTables,
        school: str,
        as_of: date,
        wanted: Collection[PupilKey] | None = None,
    ) -> None:
        self._school, self._as_of = school, as_of
        self._known = known_days(tables, school, as_of)
        if wanted is not None:
            # Of the whole school only days are compared; looking through all its records for
            # each pupil who is explained takes longer than explaining.
            absence = self._known.absence.select(_OF_RECORDS)
            of_wanted = pc.is_in(absence["pupil_key"], pa.array(sorted(wanted), pa.string()))
            self._known = replace(self._known, absence=absence.filter(of_wanted))
        self._place = {key: at for at, key in enumerate(self._known.pupil_keys)}
        own = tables.of_school(school).support
        self._support: dict[str, list[SupportRecord]] = {}
        for item in own.filter(lifetimes(own, [as_of_moment(as_of)]).at(0)).to_pylist():
            record = SupportRecord(
                SupportKind(item["kind"]),
                SupportStatus(item["status"]),
                item["starts_on"],
                item["ends_on"],
            )
            self._support.setdefault(item["pupil_key"], []).append(record)

    def of(self, pupil_key: PupilKey) -> PupilRecords:
        """The records of one pupil who is enrolled on the Monday."""
        known = self._known
        pupil = self._place.get(pupil_key, -1)
        enrolled_on = known.enrolled_on[pupil] if pupil >= 0 else None
        if enrolled_on is None:
            raise NotThere(
                f"a pupil to explain is not enrolled at {self._school} on {self._as_of}, as known "
                "then; build the features of that Monday again"
            )
        group = np.flatnonzero(known.group == known.group[pupil])
        support = self._support.get(pupil_key, [])
        return PupilRecords(
            pupil_key=pupil_key,
            as_of=self._as_of,
            days=self._days(np.r_[pupil, group[group != pupil]]),
            lessons=_lessons(known.records_of(pupil_key), known.weeks.first_monday),
            support=tuple(
                sorted(support, key=lambda s: (s.starts_on or date.min, s.kind, s.status))
            ),
            enrolled_on=enrolled_on,
            year_group=known.year_group[pupil] or "",
        )

    def _days(self, rows: NDArray[np.int64]) -> Days:
        known = self._known
        return Days(
            as_of=self._as_of,
            weeks=known.weeks,
            episode_days=known.episode_days,
            planned=known.planned[rows],
            counted=known.counted[rows],
            minutes={kind: minutes[rows] for kind, minutes in known.minutes.items()},
            late=known.late[rows],
            sent_out=known.sent_out[rows],
        )


def _lessons(
    records: Iterable[AbsenceRecord], first_monday: date
) -> dict[tuple[int, AbsenceKind], int]:
    """Per day and kind: how many lessons, where all records of that kind are that long."""
    starts: dict[tuple[int, AbsenceKind], set[datetime]] = {}
    others: set[tuple[int, AbsenceKind]] = set()
    for record in records:
        place = ((record.starts_at.date() - first_monday).days, record.kind)
        ends_at, minutes = record.ends_at, record.minutes
        if minutes is None and ends_at is not None:
            minutes = int((ends_at - record.starts_at).total_seconds()) // 60
        one_day = ends_at is not None and ends_at.date() == record.starts_at.date()
        if one_day and minutes is not None and 0 < minutes <= LONGEST_LESSON:
            starts.setdefault(place, set()).add(record.starts_at)
        else:
            others.add(place)
    return {place: len(moments) for place, moments in starts.items() if place not in others}


def dutch_date(day: date, as_of: date) -> str:
    """The day as people write it, with its year when that is not clear.

    >>> dutch_date(date(2026, 11, 3), as_of=date(2026, 11, 16))
    '3 november'
    >>> dutch_date(date(2026, 7, 3), as_of=date(2026, 11, 16))
    '3 juli 2026'
    """
    text = f"{day.day} {_MONTHS[day.month - 1]}"
    return text if school_year_of(day) == school_year_of(as_of) else f"{text} {day.year}"


def absence_evidence(
    records: PupilRecords, chosen: Flags, kinds: Iterable[AbsenceKind]
) -> tuple[Evidence, ...]:
    """One line per kind on each chosen day of the pupil with time absent, newest first."""
    days = records.days
    ordered = [kind for kind in KINDS[:TIMED] if kind in set(kinds)]
    return tuple(
        Evidence(days.date_of(day), kind.label, _detail(records, int(day), kind))
        for day in np.flatnonzero(chosen)[::-1]
        for kind in ordered
        if days.minutes[kind][0, day] > 0
    )


def count_evidence(records: PupilRecords, chosen: Flags, kind: AbsenceKind) -> tuple[Evidence, ...]:
    """One line per chosen day on which the pupil came late, or was sent out; newest first."""
    days = records.days
    counts = days.late[0] if kind is AbsenceKind.LATE_ARRIVAL else days.sent_out[0]
    return tuple(
        Evidence(days.date_of(day), kind.label, f"{counts[day]} keer")
        for day in np.flatnonzero(chosen & (counts > 0))[::-1]
    )


def month_evidence(records: PupilRecords, chosen: Flags, kind: AbsenceKind) -> tuple[Evidence, ...]:
    """One line per month with a chosen day on which the pupil came late, or was sent out.

    For a year in which that happened often: the line stands at the first such day of the month.
    """
    by_month: dict[tuple[int, int], list[Evidence]] = {}
    for line in reversed(count_evidence(records, chosen, kind)):
        by_month.setdefault((line.day.year, line.day.month), []).append(line)
    return tuple(
        Evidence(
            lines[0].day,
            kind.label,
            f"{sum(int(line.detail.split()[0]) for line in lines)} keer in "
            f"{_MONTHS[lines[0].day.month - 1]} {lines[0].day.year}",
        )
        for lines in reversed(by_month.values())
    )


def run_evidence(records: PupilRecords, chosen: Flags) -> tuple[Evidence, ...]:
    """One line per run of chosen days on end (days without lessons passed over), newest first."""
    days = records.days
    lines: list[Evidence] = []
    run: list[int] = []
    for day in np.flatnonzero(days.counted[0] | chosen):
        if chosen[day]:
            run.append(int(day))
        elif run:
            lines.append(_run_line(records, run))
            run = []
    if run:
        lines.append(_run_line(records, run))
    return tuple(lines[::-1])


def _run_line(records: PupilRecords, run: list[int]) -> Evidence:
    days = records.days
    totals = {kind: int(days.minutes[kind][0, run].sum()) for kind in ABSENT_KINDS}
    labels = [kind.label for kind in KINDS[:TIMED] if totals.get(kind)]
    first, last = days.date_of(run[0]), days.date_of(run[-1])
    if len(run) == 1:
        detail = "1 schooldag"
    else:
        detail = f"{len(run)} schooldagen, tot en met {dutch_date(last, records.as_of)}"
    return Evidence(first, ", ".join(labels), detail)


def _detail(records: PupilRecords, day: int, kind: AbsenceKind) -> str:
    minutes = int(records.days.minutes[kind][0, day])
    if minutes >= records.days.planned[0, day]:
        return "hele dag"
    text = "1 minuut" if minutes == 1 else f"{minutes} minuten"
    lessons = records.lessons.get((day, kind), 0)
    if not lessons:
        return text
    return f"{text} ({'1 les' if lessons == 1 else f'{lessons} lessen'})"
