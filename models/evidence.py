"""The records of a pupil as known on a Monday, by day, with those of the classmates beside them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
from numpy.typing import NDArray

from features.absence.day_parts import KINDS, TIMED
from features.absence.registration import Registration
from features.absence.replay import AbsenceReplay
from features.absence.span import span_for_features
from features.absence.weeks import WeekSums, is_absent_day
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
_DAY, _MINUTE = 24 * 60 * 60 * 1_000_000, 60 * 1_000_000
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
    """

    as_of: date
    weeks: SchoolWeeks
    planned: NDArray[np.int16]
    counted: Flags
    minutes: Mapping[AbsenceKind, NDArray[np.int16]]
    late: NDArray[np.int16]
    sent_out: NDArray[np.int16]

    @property
    def absent(self) -> NDArray[np.int16]:
        """Minutes not spent in education."""
        return self.of_kinds(ABSENT_KINDS)

    @property
    def is_absent(self) -> Flags:
        """Days with at least half of the planned time absent."""
        return is_absent_day(self.planned, self.absent)

    @property
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
    """The records of one school as known on a Monday; `of` gives those of one pupil."""

    def __init__(self, tables: PartitionTables, school: str, as_of: date) -> None:
        moment = as_of_moment(as_of)
        own = tables.of_school(school)
        self._school, self._as_of = school, as_of
        self._replay = AbsenceReplay(own, span_for_features(as_of, as_of), [moment])
        places = self._replay.advance(0)
        sums = WeekSums(self._replay)
        sums.update(places)
        registration = Registration(self._replay, sums)
        registration.advance(0, places, end=int(self._replay.today[0]) // 7)
        # The replay keeps days by pupils; here a pupil is a row.
        self._counted = (self._replay.planned.minutes > 0).T & ~np.repeat(
            registration.unregistered.T, 7, axis=1
        )
        known = lifetimes(own.support, [moment]).at(0)
        self._support: dict[str, list[SupportRecord]] = {}
        for item in own.support.filter(known).to_pylist():
            record = SupportRecord(
                SupportKind(item["kind"]),
                SupportStatus(item["status"]),
                item["starts_on"],
                item["ends_on"],
            )
            self._support.setdefault(item["pupil_key"], []).append(record)
        self._place = {key: at for at, key in enumerate(self._replay.planned.pupil_keys)}
        today = self._replay.span.number_of(as_of)
        self._placement = self._replay.planned.placement[today]

    def of(self, pupil_key: PupilKey) -> PupilRecords:
        """The records of one pupil who is enrolled on the Monday."""
        pupil = self._place.get(pupil_key, -1)
        row = int(self._placement[pupil]) if pupil >= 0 else -1
        if row < 0:
            raise NotThere(
                f"a pupil to explain is not enrolled at {self._school} on {self._as_of}, as known "
                "then; build the features of that Monday again"
            )
        planned = self._replay.planned
        group = planned.group_of_row[self._placement]
        others = np.flatnonzero((self._placement >= 0) & (group == planned.group_of_row[row]))
        rows = np.r_[pupil, others[others != pupil]]
        enrolled = planned.span.first_day + timedelta(days=int(planned.enrolment_start[row]))
        return PupilRecords(
            pupil_key=pupil_key,
            as_of=self._as_of,
            days=self._days(rows),
            lessons=self._lessons(pupil),
            support=self._support_of(pupil_key),
            enrolled_on=enrolled,
            year_group=planned.placements["year_group"][row].as_py() or "",
        )

    def _days(self, rows: NDArray[np.int64]) -> Days:
        replay = self._replay
        end = replay.span.number_of(self._as_of)
        return Days(
            as_of=self._as_of,
            weeks=SchoolWeeks(replay.span.first_day, replay.planned.calendar.school_days),
            planned=replay.planned.minutes[:end, rows].T,
            counted=self._counted[rows, :end],
            minutes={k: replay.minutes[at][:end, rows].T for at, k in enumerate(KINDS[:TIMED])},
            late=replay.late[:end, rows].T,
            sent_out=replay.sent_out[:end, rows].T,
        )

    def _lessons(self, pupil: int) -> dict[tuple[int, AbsenceKind], int]:
        versions, span = self._replay.versions, self._replay.span
        own = np.flatnonzero(self._replay.live.at(0) & (versions.pupil == pupil))
        starts: dict[tuple[int, AbsenceKind], set[int]] = {}
        others: set[tuple[int, AbsenceKind]] = set()
        epoch = (span.first_day - date(1970, 1, 1)).days
        for at in own[versions.kind[own] >= 0]:
            start_day = int(versions.starts_at[at]) // _DAY
            place = (start_day - epoch, KINDS[versions.kind[at]])
            length = int(versions.minutes[at])
            if length < 0 and versions.has_end[at]:
                length = int(versions.ends_at[at] - versions.starts_at[at]) // _MINUTE
            one_day = bool(versions.has_end[at]) and (
                int(versions.ends_at[at]) // _DAY == start_day
            )
            if one_day and 0 < length <= LONGEST_LESSON:
                starts.setdefault(place, set()).add(int(versions.starts_at[at]))
            else:
                others.add(place)
        return {place: len(moments) for place, moments in starts.items() if place not in others}

    def _support_of(self, pupil_key: PupilKey) -> tuple[SupportRecord, ...]:
        found = self._support.get(pupil_key, [])
        return tuple(sorted(found, key=lambda s: (s.starts_on or date.min, s.kind, s.status)))


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
