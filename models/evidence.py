"""The records of a pupil as known on a Monday, by day, with those of the classmates beside them."""

import functools
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from features.absence import KnownDays, known_days
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
_ABSENT = [kind for kind in KINDS[:TIMED] if kind in ABSENT_KINDS]
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
    """Days before the Monday `as_of`, [pupils, days].

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

    def of_pupils(self, rows: slice | NDArray[np.int64]) -> "Days":
        """The same of some of the pupils; of a slice, without a copy."""
        return replace(
            self,
            planned=self.planned[rows],
            counted=self.counted[rows],
            minutes={kind: minutes[rows] for kind, minutes in self.minutes.items()},
            late=self.late[rows],
            sent_out=self.sent_out[rows],
        )

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


Quantity = Callable[[Days], Numbers]
"""One number per pupil; NaN without planned time in the window."""


class SchoolFigures:
    """The days of pupils of one school, and quantities of all of them, each worked out once."""

    def __init__(self, days: Days) -> None:
        self.days = days
        self._found: dict[Quantity, Numbers] = {}

    def of(self, quantity: Quantity) -> Numbers:
        """One number per pupil."""
        if quantity not in self._found:
            self._found[quantity] = quantity(self.days)
        return self._found[quantity]


@dataclass(frozen=True)
class PupilRecords:
    """All that reasons are made of: what was known about one pupil on the Monday `as_of`.

    `own` are the days of this pupil alone. `school` holds those of the classmates too, in rows of
    which `pupil_first` gives this pupil's and then theirs. `lessons` counts, per day number and
    kind, records of the length of a lesson; it lacks days on which other records stand beside them.
    `enrolled_on` is the day the pupil came to this school.
    """

    pupil_key: PupilKey
    as_of: date
    own: Days
    school: SchoolFigures
    pupil_first: NDArray[np.int64]
    lessons: Mapping[tuple[int, AbsenceKind], int]
    support: tuple[SupportRecord, ...]
    enrolled_on: date
    year_group: str

    @property
    def days(self) -> Days:
        """The days of the pupil, and after that of the classmates."""
        return self.school.days.of_pupils(self.pupil_first)

    def figures(self, quantity: Quantity) -> Numbers:
        """A quantity of the pupil, and after that of the classmates."""
        return self.school.of(quantity)[self.pupil_first]


class SchoolRecords:
    """The records of one school as known on a Monday; `of` gives those of one pupil.

    `wanted` (None: everybody) says of which pupils that will be asked. `known` are the days of the
    school where these were laid out already; `tables` may then lack absence.
    """

    def __init__(
        self,
        tables: PartitionTables,
        school: str,
        as_of: date,
        wanted: Collection[PupilKey] | None = None,
        known: KnownDays | None = None,
    ) -> None:
        self._school, self._as_of = school, as_of
        self._known = known_days(tables, school, as_of) if known is None else known
        self._row, days = _compared(self._known, wanted)
        self._figures = SchoolFigures(days)
        self._support = _support(tables.support, school, as_of)

    def of(self, pupil_key: PupilKey) -> PupilRecords:
        """The records of one pupil who is enrolled on the Monday."""
        known = self._known
        pupil = known.place.get(pupil_key, -1)
        enrolled_on = known.enrolled_on[pupil] if pupil >= 0 else None
        if enrolled_on is None:
            raise NotThere(
                f"a pupil to explain is not enrolled at {self._school} on {self._as_of}, as known "
                "then; build the features of that Monday again"
            )
        group = np.flatnonzero(known.group == known.group[pupil])
        support = self._support.get(pupil_key, [])
        row = int(self._row[pupil])
        return PupilRecords(
            pupil_key=pupil_key,
            as_of=self._as_of,
            own=self._figures.days.of_pupils(slice(row, row + 1)),
            school=self._figures,
            pupil_first=self._row[np.r_[pupil, group[group != pupil]]],
            lessons=known.records.lessons(pupil, LONGEST_LESSON),
            support=tuple(
                sorted(support, key=lambda s: (s.starts_on or date.min, s.kind, s.status))
            ),
            enrolled_on=enrolled_on,
            year_group=known.year_group[pupil] or "",
        )


def _compared(
    known: KnownDays, wanted: Collection[PupilKey] | None
) -> tuple[NDArray[np.int64], Days]:
    """The days of the wanted pupils and their classmates, and the row that each pupil has there."""
    days = Days(
        as_of=known.as_of,
        weeks=known.weeks,
        episode_days=known.episode_days,
        planned=known.planned,
        counted=known.counted,
        minutes=known.minutes,
        late=known.late,
        sent_out=known.sent_out,
    )
    if wanted is None:
        return np.arange(len(known.pupil_keys)), days
    groups = known.group[[known.place[key] for key in wanted if key in known.place]]
    rows = np.flatnonzero(np.isin(known.group, groups))
    row = np.full(len(known.pupil_keys), -1, np.int64)
    row[rows] = np.arange(len(rows))
    return row, days.of_pupils(rows)


def _support(support: pa.Table, school: str, as_of: date) -> dict[str, list[SupportRecord]]:
    """What was arranged for each pupil of the school, as known on the Monday."""
    own = support.filter(pc.field("school") == school)
    found: dict[str, list[SupportRecord]] = {}
    for item in own.filter(lifetimes(own, [as_of_moment(as_of)]).at(0)).to_pylist():
        record = SupportRecord(
            SupportKind(item["kind"]),
            SupportStatus(item["status"]),
            item["starts_on"],
            item["ends_on"],
        )
        found.setdefault(item["pupil_key"], []).append(record)
    return found


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
    days = records.own
    ordered = [kind for kind in KINDS[:TIMED] if kind in set(kinds)]
    return tuple(
        Evidence(days.date_of(day), kind.label, _detail(records, int(day), kind))
        for day in np.flatnonzero(chosen)[::-1]
        for kind in ordered
        if days.minutes[kind][0, day] > 0
    )


def count_evidence(records: PupilRecords, chosen: Flags, kind: AbsenceKind) -> tuple[Evidence, ...]:
    """One line per chosen day on which the pupil came late, or was sent out; newest first."""
    days = records.own
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
    own = records.own
    # The chosen days in order; a counted day between two that is not chosen parts them.
    days = np.flatnonzero(own.counted[0] | chosen)
    flags = chosen[days]
    firsts = np.flatnonzero(flags & ~np.r_[False, flags[:-1]])
    if not len(firsts):
        return ()
    lasts = np.flatnonzero(flags & ~np.r_[flags[1:], False])
    minutes = np.stack([own.minutes[kind][0, days] for kind in _ABSENT]).astype(np.int64)
    totals = np.add.reduceat(minutes * flags, firsts, axis=1)
    lines = [
        _run_line(records, int(days[first]), int(days[last]), int(last - first + 1), totals[:, at])
        for at, (first, last) in enumerate(zip(firsts, lasts, strict=True))
    ]
    return tuple(lines[::-1])


def _run_line(
    records: PupilRecords, first: int, last: int, number: int, totals: NDArray[np.int64]
) -> Evidence:
    labels = [kind.label for kind, total in zip(_ABSENT, totals.tolist(), strict=True) if total]
    detail = "1 schooldag"
    if number > 1:
        until = dutch_date(records.own.date_of(last), records.as_of)
        detail = f"{number} schooldagen, tot en met {until}"
    return Evidence(records.own.date_of(first), ", ".join(labels), detail)


def _detail(records: PupilRecords, day: int, kind: AbsenceKind) -> str:
    minutes = int(records.own.minutes[kind][0, day])
    if minutes >= records.own.planned[0, day]:
        return "hele dag"
    text = "1 minuut" if minutes == 1 else f"{minutes} minuten"
    lessons = records.lessons.get((day, kind), 0)
    if not lessons:
        return text
    return f"{text} ({'1 les' if lessons == 1 else f'{lessons} lessen'})"
