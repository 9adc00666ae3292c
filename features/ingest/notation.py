"""How a source writes its values; a text that cannot be read becomes null."""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import polars as pl

from features.ingest.fields import Field, Kind
from features.school_weeks import AMSTERDAM

TemporalKind = pl.Date | pl.Time | pl.Datetime


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
                return _parsed(text, pl.Date(), ("%Y-%m-%d", *self.dates), _tidied)
            case Kind.MONTH:
                return self._month(text)
            case Kind.TIME:
                return _parsed(text, pl.Time(), ("%H:%M", "%H:%M:%S", "%H.%M"), _as_time)
            case Kind.LOCAL:
                return self._local(text)
            case Kind.MOMENT:
                return self._moment(text)
            case Kind.NUMBER:
                return self._decimal(text).round().cast(pl.Int32, strict=False)
            case Kind.DECIMAL:
                return self._decimal(text)
            case Kind.CHOICE:
                return text.str.to_lowercase().replace_strict(
                    choices, default=None, return_dtype=pl.String
                )

    def _decimal(self, text: pl.Series) -> pl.Series:
        plain = text.str.replace(self.decimal, ".", literal=True)
        return plain.cast(pl.Float64, strict=False)

    def _month(self, text: pl.Series) -> pl.Series:
        # A spreadsheet made it a date, or the number of days that stands for one.
        month = _without_serials(text).str.replace(r"^(\d{4}-\d\d)-\d\d$", "${1}")
        formats = tuple(f"%d-{one}" for one in ("%Y-%m", *self.months))
        return _parsed("01-" + month, pl.Date(), formats)

    def _naive(self, text: pl.Series) -> pl.Series:
        formats = (*self.moments, *_ISO_MOMENTS)
        return _parsed(text, pl.Datetime("us"), formats, _tidied)

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
            lambda rest: _parsed(rest, pl.Date(), dates, _tidied).cast(pl.Datetime("us")),
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


def _tidied(text: pl.Series) -> pl.Series:
    return _without_serials(_with_century(text))


_SERIAL = r"^[2-6]\d{4}(?:[.,]\d+)?$"
_DAY_PART = r"^0[.,]\d+$"


def _without_serials(text: pl.Series) -> pl.Series:
    """Days since 1900 as Excel stores them, written out as ISO; other texts as they are.

    Such a number is what is left of a date cell that lost its format. Only 1954 to 2091 is
    understood, so that a year or a pupil's number is not taken for a day.

    >>> _without_serials(pl.Series(["46272", "46272,5", "2026-09-07", "12345"])).to_list()
    ['2026-09-07', '2026-09-07T12:00:00', '2026-09-07', '12345']
    """
    is_serial = text.str.contains(_SERIAL).fill_null(False)
    if not is_serial.any():
        return text
    days = text.set(~is_serial, None).str.replace(",", ".", literal=True).cast(pl.Float64)
    seconds = (days * 86_400).round().cast(pl.Int64)
    moment = pl.lit(_EXCEL_DAY_0) + pl.duration(seconds=pl.col("seconds"))
    written = seconds.to_frame("seconds").select(
        pl.when(pl.col("seconds") % 86_400 == 0)
        .then(moment.dt.to_string("%Y-%m-%d"))
        .otherwise(moment.dt.to_string("%Y-%m-%dT%H:%M:%S"))
    )
    return written.to_series().fill_null(text)


_EXCEL_DAY_0 = dt.datetime.fromisoformat("1899-12-30")


def _as_time(text: pl.Series) -> pl.Series:
    """Part of a day as Excel stores a time, written out; other texts as they are.

    >>> _as_time(pl.Series(["0.354166666666667", "8:30"])).to_list()
    ['08:30:00', '8:30']
    """
    is_part = text.str.contains(_DAY_PART).fill_null(False)
    if not is_part.any():
        return text
    part = text.set(~is_part, None).str.replace(",", ".", literal=True).cast(pl.Float64)
    seconds = (part * 86_400).round().clip(upper_bound=86_399).cast(pl.Int64)
    clock = (seconds * 1_000_000_000).cast(pl.Time).dt.to_string("%H:%M:%S")
    return clock.fill_null(text)


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
