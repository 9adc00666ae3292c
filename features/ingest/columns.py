"""The fields of each table and how their text is read; a text that cannot be read becomes null."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import partial

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

TemporalKind = pl.Date | pl.Time | pl.Datetime


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

    def read(self, text: pl.Series, field: Field, choices: Mapping[str, str]) -> pl.Series:
        """`text` as the type of `field`; null where it cannot be read as one."""
        match field.kind:
            case Kind.TEXT:
                return text
            case Kind.SCHOOL:
                school = text.str.to_uppercase()
                return school.set(~school.str.contains(r"^[0-9A-Z]{6}$"), None)
            case Kind.PUPIL_NUMBER:
                return text.set(~text.str.contains(r"^[0-9A-Za-z._-]{1,24}$"), None)
            case Kind.DATE:
                return _parsed(text, pl.Date(), ("%Y-%m-%d", *self.dates), _with_century)
            case Kind.MONTH:
                return self._month(text)
            case Kind.TIME:
                return _parsed(text, pl.Time(), ("%H:%M", "%H:%M:%S", "%H.%M"))
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

    def _month(self, text: pl.Series) -> pl.Series:
        month = text.str.replace(r"^(\d{4}-\d\d)-\d\d$", "${1}")  # a spreadsheet made it a date
        formats = tuple(f"%d-{one}" for one in ("%Y-%m", *self.months))
        return _parsed("01-" + month, pl.Date(), formats)

    def _naive(self, text: pl.Series) -> pl.Series:
        formats = (*self.moments, *_ISO_MOMENTS)
        return _parsed(text, pl.Datetime("us"), formats, _with_century)

    def _local(self, text: pl.Series) -> pl.Series:
        """Wall clock in Amsterdam; a date alone is its midnight."""
        local = self._naive(text)
        local = _filled(
            local,
            text,
            lambda rest: (
                _with_offset(rest)
                .select(
                    pl.col("moment").dt.convert_time_zone(AMSTERDAM.key).dt.replace_time_zone(None)
                )
                .to_series()
            ),
        )
        dates = ("%Y-%m-%d", *self.dates)
        return _filled(
            local,
            text,
            lambda rest: _parsed(rest, pl.Date(), dates, _with_century).cast(pl.Datetime("us")),
        )

    def _moment(self, text: pl.Series) -> pl.Series:
        naive = self._naive(text)
        moments = naive.to_frame("local").select(in_utc(pl.col("local"))).to_series()
        return _filled(moments, text, lambda rest: _with_offset(rest)["moment"])


_ISO_MOMENTS = (
    "%Y-%m-%dT%H:%M:%S",
    "%Y-%m-%dT%H:%M",
    "%Y-%m-%d %H:%M:%S",
    "%Y-%m-%d %H:%M",
    "%Y-%m-%dT%H:%M:%S%.f",
)


def _parsed(
    text: pl.Series,
    kind: TemporalKind,
    formats: Sequence[str],
    tidied: Callable[[pl.Series], pl.Series] | None = None,
) -> pl.Series:
    """Each text by the first format that fits; what fits none is tried once more when tidied.

    A later format is tried on what is left only, since most files use one throughout.
    """
    result = _by_format(text, kind, formats[0])
    for one in formats[1:]:
        result = _filled(result, text, partial(_by_format, kind=kind, written=one))
    if tidied is None:
        return result
    return _filled(result, text, lambda rest: _parsed(tidied(rest), kind, formats))


def _by_format(text: pl.Series, kind: TemporalKind, written: str) -> pl.Series:
    result = text.str.strptime(kind, written, strict=False)
    if isinstance(kind, pl.Time):
        return result
    # "1-9-25" fits %Y-%m-%d, in the first year of our era.
    return result.set(result.dt.year() < 1000, None)


def _filled(
    result: pl.Series, text: pl.Series, read: Callable[[pl.Series], pl.Series]
) -> pl.Series:
    """`result`, with `read` applied to the texts that it is still null for."""
    places = (result.is_null() & text.is_not_null()).arg_true()
    if places.is_empty():
        return result
    return result.scatter(places, read(text.gather(places)))


def _with_century(text: pl.Series) -> pl.Series:
    return text.str.replace(r"^(\d{1,2}-\d{1,2}-)(\d\d)( |T|$)", "${1}20${2}${3}")


def _with_offset(text: pl.Series) -> pl.DataFrame:
    """ISO moments that carry their distance to UTC, as column `moment`."""
    pattern = r"^(?<local>.+T.+?)(?:\.\d+)?(?:(?<utc>Z)|(?<sign>[+-])(?<h>\d\d):?(?<m>\d\d))$"
    parts = text.str.extract_groups(pattern).struct.unnest()
    minutes = pl.col("h").cast(pl.Int64) * 60 + pl.col("m").cast(pl.Int64)
    signed = pl.when(pl.col("sign") == "-").then(-minutes).otherwise(minutes)
    east = pl.when(pl.col("utc").is_not_null()).then(0).otherwise(signed)
    local = _parsed(parts["local"], pl.Datetime("us"), _ISO_MOMENTS)
    return parts.select(moment=(local - pl.duration(minutes=east)).dt.replace_time_zone("UTC"))


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
