"""The fields of each table and how their text is read; a text that cannot be read becomes null."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import polars as pl

from features.records import LogTable
from features.school_weeks import AMSTERDAM
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
    },
    LogTable.CODES: {
        "school": _SCHOOL,
        "code": Field(Kind.TEXT, required=True),
        "category": Field(Kind.CHOICE, required=True, choices=_CATEGORIES),
        "authorised": Field(Kind.CHOICE, choices=YES_NO),
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
        "minutes": Field(Kind.NUMBER),
        "code": Field(Kind.TEXT, required=True),
        **_VERSIONED,
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
}


def fields_of(table: LogTable) -> Mapping[str, Field]:
    """The fields a file of `table` can have.

    >>> fields_of(LogTable.CALENDAR)["date"].required
    True
    """
    return _FIELDS[table]


@dataclass(frozen=True)
class Reader:
    """How one source writes dates, moments, months (strptime formats) and numbers.

    ISO forms are always understood; a spreadsheet's own dates arrive as such.
    """

    dates: tuple[str, ...] = ()
    moments: tuple[str, ...] = ()
    months: tuple[str, ...] = ()
    decimal: str = "."

    def read(self, text: pl.Expr, field: Field, choices: Mapping[str, str]) -> pl.Expr:
        """`text` as the type of `field`; null where it cannot be read as one."""
        match field.kind:
            case Kind.TEXT:
                return text
            case Kind.SCHOOL:
                school = text.str.to_uppercase()
                return pl.when(school.str.contains(r"^[0-9A-Z]{6}$")).then(school)
            case Kind.PUPIL_NUMBER:
                return pl.when(text.str.contains(r"^[0-9A-Za-z._-]{1,24}$")).then(text)
            case Kind.DATE:
                return self._date(text)
            case Kind.MONTH:
                return self._month(text)
            case Kind.TIME:
                return text.str.replace(".", ":", literal=True).str.strptime(
                    pl.Time, "%H:%M", strict=False
                )
            case Kind.LOCAL:
                return self._local(text)
            case Kind.MOMENT:
                return self._moment(text)
            case Kind.NUMBER:
                plain = text.str.replace(self.decimal, ".", literal=True)
                return plain.cast(pl.Float64, strict=False).round().cast(pl.Int32, strict=False)
            case Kind.CHOICE:
                return text.str.to_lowercase().replace_strict(
                    choices, default=None, return_dtype=pl.String
                )

    def _date(self, text: pl.Expr) -> pl.Expr:
        full = text.str.replace(r"^(\d{1,2}-\d{1,2}-)(\d\d)$", "${1}20${2}")
        return pl.coalesce(
            full.str.strptime(pl.Date, one, strict=False) for one in ("%Y-%m-%d", *self.dates)
        )

    def _month(self, text: pl.Expr) -> pl.Expr:
        month = text.str.replace(r"^(\d{4}-\d\d)-\d\d$", "${1}")  # a spreadsheet made it a date
        with_day = pl.concat_str(pl.lit("01-"), month)
        return pl.coalesce(
            with_day.str.strptime(pl.Date, f"%d-{one}", strict=False)
            for one in ("%Y-%m", *self.months)
        )

    def _naive(self, text: pl.Expr) -> pl.Expr:
        plain = (
            text.str.replace(r"\s*(Z|[+-]\d\d:?\d\d)$", "")
            .str.replace(r"\.\d+$", "")
            .str.replace(r"^(\d{1,2}-\d{1,2}-)(\d\d)([ T])", "${1}20${2}${3}")
            .str.replace("T", " ", literal=True)
        )
        formats = ("%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M:%S", *self.moments)
        return pl.coalesce(
            plain.str.strptime(pl.Datetime("us"), one, strict=False) for one in formats
        )

    def _local(self, text: pl.Expr) -> pl.Expr:
        """Wall clock in Amsterdam; a date alone is its midnight."""
        naive, offset = self._naive(text), _offset(text)
        moved = (naive - offset).dt.replace_time_zone("UTC")
        shifted = moved.dt.convert_time_zone(AMSTERDAM.key).dt.replace_time_zone(None)
        midnight = self._date(text).cast(pl.Datetime("us"))
        return pl.when(offset.is_not_null()).then(shifted).otherwise(pl.coalesce(naive, midnight))

    def _moment(self, text: pl.Expr) -> pl.Expr:
        naive, offset = self._naive(text), _offset(text)
        moved = (naive - offset).dt.replace_time_zone("UTC")
        return pl.when(offset.is_not_null()).then(moved).otherwise(in_utc(naive))


def in_utc(local: pl.Expr) -> pl.Expr:
    """Wall clock in Amsterdam as a moment in UTC.

    The hour that comes twice in autumn is taken as the later one: never known too early. The hour
    that does not exist in spring is taken as the one after it.
    """
    zone = AMSTERDAM.key
    exact = local.dt.replace_time_zone(zone, ambiguous="latest", non_existent="null")
    pushed = local.dt.offset_by("1h").dt.replace_time_zone(
        zone, ambiguous="latest", non_existent="null"
    )
    return pl.coalesce(exact, pushed).dt.convert_time_zone("UTC")


def _offset(text: pl.Expr) -> pl.Expr:
    """The distance to UTC that an ISO moment carries; null if it carries none."""
    sign = text.str.extract(r"T.*([+-])\d\d:?\d\d$").replace_strict({"+": 1, "-": -1}, default=None)
    hours = text.str.extract(r"T.*[+-](\d\d):?\d\d$").cast(pl.Int64, strict=False)
    minutes = text.str.extract(r"T.*[+-]\d\d:?(\d\d)$").cast(pl.Int64, strict=False)
    written = pl.duration(minutes=sign * (hours * 60 + minutes))
    return pl.when(text.str.ends_with("Z")).then(pl.duration(minutes=0)).otherwise(written)
