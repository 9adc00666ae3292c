"""The fields that each table can have, what each holds, and which must be filled."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import polars as pl

from features.records import LogTable
from features.vocabulary import (
    AbsenceKind,
    DayKind,
    Region,
    Sector,
    SupportKind,
    SupportStatus,
)


class Kind(StrEnum):
    """What a field holds; the value names the rule that a text breaks which cannot be read."""

    TEXT = "text"
    SCHOOL = "school_not_6_characters"
    PUPIL_NUMBER = "not_a_pupil_number"
    DATE = "not_a_date"
    MONTH = "not_a_month"
    LOCAL = "not_a_local_moment"
    MOMENT = "not_a_moment"
    TIME = "not_a_time"
    NUMBER = "not_a_number"
    DECIMAL = "not_a_decimal_number"
    CHOICE = "value_not_known"

    @property
    def type(self) -> pl.DataType:
        """What a text of this kind is read as."""
        match self:
            case Kind.DATE | Kind.MONTH:
                return pl.Date()
            case Kind.LOCAL:
                return pl.Datetime("us")
            case Kind.MOMENT:
                return pl.Datetime("us", "UTC")
            case Kind.TIME:
                return pl.Time()
            case Kind.NUMBER:
                return pl.Int32()
            case Kind.DECIMAL:
                return pl.Float64()
            case _:
                return pl.String()


RELIGIOUS_LEAVE = (
    "religious",
    "religious_leave",
    "religion",
    "religieus",
    "religieus_verlof",
    "religieuze_verplichting",
)
"""Categories that become plain leave at the door: religion is not ours to keep."""

YES_NO = {"yes": "yes", "no": "no"}

PRESENT = "present"
"""What a source says of a pupil who was seen in a lesson; ends an open report, and is not kept."""


@dataclass(frozen=True)
class Field:
    """One field; `choices` maps what may be written to what is stored."""

    kind: Kind
    required: bool = False
    choices: Mapping[str, str] | None = None


def _choice(words: type[StrEnum], *, required: bool = True) -> Field:
    return Field(Kind.CHOICE, required, {str(word): str(word) for word in words})


_SCHOOL = Field(Kind.SCHOOL, required=True)
_CATEGORIES = {str(kind): str(kind) for kind in AbsenceKind} | dict.fromkeys(
    RELIGIOUS_LEAVE, str(AbsenceKind.LEAVE)
)
_SOURCE_KINDS = {str(kind): str(kind) for kind in AbsenceKind} | {PRESENT: PRESENT}
_VERSIONED = {
    "record_id": Field(Kind.TEXT, required=True),
    "recorded_at": Field(Kind.MOMENT),
    "withdrawn": Field(Kind.CHOICE, choices=YES_NO),
}

_FIELDS: dict[LogTable, dict[str, Field]] = {
    LogTable.SCHOOLS: {
        "school": _SCHOOL,
        "name": Field(Kind.TEXT, required=True),
        "sector": _choice(Sector),
        "region": _choice(Region),
        "episodes_over_holidays": Field(Kind.CHOICE, choices=YES_NO),
    },
    LogTable.CODES: {
        "school": _SCHOOL,
        "code": Field(Kind.TEXT, required=True),
        "category": Field(Kind.CHOICE, required=True, choices=_CATEGORIES),
        "authorised": Field(Kind.CHOICE, choices=YES_NO),
        # From which day of absence to which a school means this by its code; blank: always.
        "valid_from": Field(Kind.DATE),
        "valid_to": Field(Kind.DATE),
    },
    LogTable.CALENDAR: {
        "school": _SCHOOL,
        "date": Field(Kind.DATE, required=True),
        "kind": _choice(DayKind),
    },
    LogTable.TIMETABLE: {
        "school": _SCHOOL,
        "group": Field(Kind.TEXT),
        "pupil_number": Field(Kind.PUPIL_NUMBER),
        "weekday": Field(Kind.NUMBER, required=True),
        "valid_from": Field(Kind.DATE, required=True),
        "valid_to": Field(Kind.DATE),
        "planned_minutes": Field(Kind.NUMBER, required=True),
    },
    LogTable.PLACEMENTS: {
        "school": _SCHOOL,
        "pupil_number": Field(Kind.PUPIL_NUMBER, required=True),
        "given_name": Field(Kind.TEXT),
        "name_prefix": Field(Kind.TEXT),
        "family_name": Field(Kind.TEXT),
        "birth_month": Field(Kind.MONTH),
        "year_group": Field(Kind.TEXT),
        "group": Field(Kind.TEXT),
        "enrolled_on": Field(Kind.DATE, required=True),
        "left_on": Field(Kind.DATE),
        "left_to": Field(
            Kind.CHOICE, choices={word: word for word in ("school", "exemption", "unknown")}
        ),
    },
    LogTable.ABSENCE: {
        "school": _SCHOOL,
        "pupil_number": Field(Kind.PUPIL_NUMBER, required=True),
        # A source gives either both moments, or a day with a half day, or a day with two times.
        "starts_at": Field(Kind.LOCAL),
        "ends_at": Field(Kind.LOCAL),
        "day": Field(Kind.DATE),
        "half_day": Field(Kind.CHOICE),
        "starts": Field(Kind.TIME),
        "ends": Field(Kind.TIME),
        "lesson_from": Field(Kind.NUMBER),
        "lesson_to": Field(Kind.NUMBER),
        "minutes": Field(Kind.NUMBER),
        # The school's own code, and what the source system itself calls it.
        "code": Field(Kind.TEXT),
        "source_kind": Field(Kind.CHOICE, choices=_SOURCE_KINDS),
        "authorised": Field(Kind.CHOICE, choices=YES_NO),
        **_VERSIONED,
        "record_id": Field(Kind.TEXT),
    },
    LogTable.SUPPORT: {
        "school": _SCHOOL,
        "pupil_number": Field(Kind.PUPIL_NUMBER, required=True),
        "kind": _choice(SupportKind),
        "status": _choice(SupportStatus),
        "starts_on": Field(Kind.DATE),
        "ends_on": Field(Kind.DATE),
        **_VERSIONED,
    },
    LogTable.PRIOR_ABSENCE: {
        "school": _SCHOOL,
        "pupil_number": Field(Kind.PUPIL_NUMBER, required=True),
        "until": Field(Kind.DATE, required=True),
        "half_days_authorised": Field(Kind.NUMBER),
        "half_days_unauthorised": Field(Kind.NUMBER),
        "hours_authorised": Field(Kind.DECIMAL),
        "hours_unauthorised": Field(Kind.DECIMAL),
        "times": Field(Kind.NUMBER),
        "over_a_quarter": Field(Kind.CHOICE, choices=YES_NO),
        "recorded_at": Field(Kind.MOMENT),
    },
}


def fields_of(table: LogTable) -> Mapping[str, Field]:
    """The fields a file of `table` can have.

    >>> fields_of(LogTable.CALENDAR)["date"].required
    True
    """
    return _FIELDS[table]
