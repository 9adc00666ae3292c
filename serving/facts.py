"""The facts about one pupil as known on a Monday: the days, the support, the group."""

from dataclasses import dataclass, fields
from datetime import date, datetime
from enum import StrEnum

from features.absence import PupilDays, pupil_days
from features.records import LogTable, RecordLog
from features.records.partition import PartitionTables, read_pupil
from features.school_weeks import Duty, as_of_moment, duty_on
from features.vocabulary import (
    RUNNING_KINDS,
    AbsenceKind,
    PupilKey,
    SupportKind,
    SupportStatus,
)

WEEKS = 40


class Mark(StrEnum):
    """What the calendar shows of a day; the value is the letter in the cell."""

    SICK = "Z"
    MEDICAL_VISIT = "M"
    LEAVE = "V"
    SUSPENSION = "S"
    UNAUTHORISED = "O"
    UNVERIFIED = "?"
    LATE = "L"
    SENT_OUT = "U"

    @property
    def label(self) -> str:
        """The Dutch words in the legend.

        >>> Mark.LEAVE.label
        'verlof of vrijstelling'
        """
        return _MARK_LABELS[self]


_MARK_LABELS = {
    Mark.SICK: "ziek",
    Mark.MEDICAL_VISIT: "medisch bezoek",
    Mark.LEAVE: "verlof of vrijstelling",
    Mark.SUSPENSION: "schorsing",
    Mark.UNAUTHORISED: "ongeoorloofd afwezig",
    Mark.UNVERIFIED: "afwezig, reden nog niet bekend",
    Mark.LATE: "te laat",
    Mark.SENT_OUT: "uit de les gestuurd",
}
_MARK_OF = {
    AbsenceKind.SICK: Mark.SICK,
    AbsenceKind.MEDICAL_VISIT: Mark.MEDICAL_VISIT,
    AbsenceKind.LEAVE: Mark.LEAVE,
    AbsenceKind.EXEMPTION: Mark.LEAVE,
    AbsenceKind.SUSPENSION: Mark.SUSPENSION,
    AbsenceKind.UNAUTHORISED: Mark.UNAUTHORISED,
    AbsenceKind.UNAUTHORISED_HOLIDAY: Mark.UNAUTHORISED,
    AbsenceKind.UNVERIFIED: Mark.UNVERIFIED,
}


@dataclass(frozen=True)
class Day:
    """One day: `is_planned` with lessons for this pupil; `is_most` of them missed (half or more).

    No mark on a planned day means that nothing was registered: present, as far as is known.
    """

    day: date
    is_planned: bool
    mark: Mark | None = None
    is_most: bool = False


@dataclass(frozen=True)
class Week:
    """A school week, Monday to Friday; `after_holiday` when weeks without school lie before it."""

    monday: date
    days: tuple[Day, ...]
    after_holiday: bool = False


@dataclass(frozen=True)
class SupportItem:
    """Something arranged or talked about; `ends_on` None: until further notice, or one day."""

    kind: SupportKind
    status: SupportStatus
    starts_on: date | None
    ends_on: date | None

    @property
    def runs(self) -> bool:
        """Something that lasts, rather than a talk on one day or a request."""
        return self.kind in RUNNING_KINDS

    @property
    def is_open(self) -> bool:
        """It goes on, or is still waited for, until somebody records the end."""
        going = self.status in (SupportStatus.RUNNING, SupportStatus.REQUESTED)
        return going and not self.kind.is_contact and self.ends_on is None


@dataclass(frozen=True)
class FormerSchool:
    """Absence in the twelve months up to `until` at an earlier school, as that school summed it.

    None where it said nothing. No day is known, so none of it stands in the calendar, and no
    feature counts it.
    """

    until: date
    half_days_authorised: int | None
    half_days_unauthorised: int | None
    minutes_authorised: int | None
    minutes_unauthorised: int | None
    times: int | None
    over_a_quarter: bool | None


@dataclass(frozen=True)
class PupilFacts:
    """What the pupil page shows before any reason."""

    group: str
    year_group: str
    weeks: tuple[Week, ...]
    support: tuple[SupportItem, ...]
    former: tuple[FormerSchool, ...] = ()
    duty: Duty | None = None
    """What the law asks at this age on that Monday; None where the month of birth is not known."""


def read_facts(log: RecordLog, school: str, pupil_key: PupilKey, as_of: date) -> PupilFacts:
    """The facts as known at Monday `as_of`, 06:00; later corrections do not show."""
    moment = as_of_moment(as_of)
    tables = read_pupil(log, school, pupil_key, moment)
    days = pupil_days(tables, school, pupil_key, moment, as_of, WEEKS)
    group, year_group = _placement(tables, as_of)
    return PupilFacts(
        group=group,
        year_group=year_group,
        weeks=() if days is None else _weeks(days),
        support=_support(tables, as_of),
        former=_former(log, school, pupil_key, moment),
        duty=_duty(tables, as_of),
    )


def school_names(log: RecordLog, moment: datetime) -> dict[str, str]:
    """The name of every school, as known at `moment`."""
    rows = log.read_as_of(LogTable.SCHOOLS, moment).to_pylist()
    return {row["school"]: row["name"] for row in rows}


def _placement(tables: PartitionTables, as_of: date) -> tuple[str, str]:
    rows = sorted(tables.placements.to_pylist(), key=lambda row: row["enrolled_on"])
    current = [row for row in rows if row["enrolled_on"] <= as_of]
    if not current:
        return "", ""
    return current[-1]["group"] or "", current[-1]["year_group"] or ""


def _duty(tables: PartitionTables, as_of: date) -> Duty | None:
    born = [row["born_on"] for row in tables.placements.to_pylist() if row["born_on"]]
    return duty_on(born[-1], as_of) if born else None


def _weeks(days: PupilDays) -> tuple[Week, ...]:
    weeks: list[Week] = []
    skipped = False
    for first in range(0, len(days.dates), 7):
        if not days.is_school_day[first : first + 7].any():
            skipped = True
            continue
        five = tuple(_day(days, number) for number in range(first, first + 5))
        weeks.append(Week(days.dates[first], five, skipped and bool(weeks)))
        skipped = False
    while weeks and not any(day.is_planned for day in weeks[0].days):
        weeks.pop(0)  # before the pupil came to this school
    return tuple(weeks)


def _day(days: PupilDays, number: int) -> Day:
    planned = int(days.planned[number])
    absent = {
        mark: sum(
            int(days.minutes[kind][number]) for kind, other in _MARK_OF.items() if other is mark
        )
        for mark in dict.fromkeys(_MARK_OF.values())
    }
    most = max(absent, key=lambda mark: absent[mark])
    total = sum(absent.values())
    mark: Mark | None = None
    if total:
        mark = most
    elif days.sent_out[number]:
        mark = Mark.SENT_OUT
    elif days.late[number]:
        mark = Mark.LATE
    return Day(days.dates[number], planned > 0, mark, bool(planned and 2 * total >= planned))


def _support(tables: PartitionTables, as_of: date) -> tuple[SupportItem, ...]:
    items = [
        SupportItem(
            SupportKind(row["kind"]),
            SupportStatus(row["status"]),
            row["starts_on"],
            row["ends_on"],
        )
        for row in tables.support.to_pylist()
    ]
    return tuple(sorted(items, key=lambda item: (item.starts_on or as_of, item.kind)))


def _former(
    log: RecordLog, school: str, pupil_key: PupilKey, moment: datetime
) -> tuple[FormerSchool, ...]:
    sums = log.read_as_of(LogTable.PRIOR_ABSENCE, moment, schools=[school], pupil_keys=[pupil_key])
    names = [field.name for field in fields(FormerSchool)]
    found = [FormerSchool(**row) for row in sums.select(names).to_pylist()]
    return tuple(sorted(found, key=lambda one: one.until))


def absent_days(facts: PupilFacts) -> dict[Mark, int]:
    """Days missed for the most part, by what the calendar shows; only marks that occur.

    >>> absent_days(PupilFacts("", "", (), ()))
    {}
    """
    marks = [
        day.mark
        for week in facts.weeks
        for day in week.days
        if day.is_most and day.mark is not None
    ]
    return {mark: marks.count(mark) for mark in Mark if mark in marks}
