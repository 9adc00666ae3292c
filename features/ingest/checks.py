"""What makes a row unusable: one rule each, with a name that goes into the import report."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial

import polars as pl

from features.ingest.distinct import by_word, words_by_word
from features.ingest.fields import Field, Kind, fields_of
from features.ingest.forms import FileForm, HalfDay, Lessons
from features.ingest.notation import in_utc
from features.ingest.reading import ROW, LongTable, RawTable
from features.records import LogTable

EARLIEST = date(1990, 1, 1)
EARLIEST_BIRTH = date(1960, 1, 1)
FILE = "file"
LATEST = timedelta(days=366)
"""How long after the delivery a date may lie: next year's enrolment may, 2062 may not."""

MINUTES_OF_DAY = 24 * 60
MOST_LESSONS = 40
"""No school counts further on one day; some count in half hours."""
MOST_A_YEAR = 2_000
"""Hours, half days or times absent in twelve months; a school year has about 1,000 hours."""


@dataclass(frozen=True)
class Rule:
    """A named reason to set a row apart; `broken` is true (not null) for rows that break it."""

    name: str
    field: str
    broken: pl.Expr


@dataclass(frozen=True)
class Place:
    """Where a row was set apart, and why; never what stood there."""

    file: str
    row: int
    column: str
    rule: str


def typed(raw: RawTable, school: str = "") -> pl.DataFrame:
    """The fields of `raw` with their types; the text stays beside it as `raw:field`.

    Where a long file repeats the same texts they are an `Enum`, both as read and as written.

    A field that the form does not have is a null column; `school` stands in for a heading that
    names it. Half days and lesson numbers become times and minutes.
    """
    form, fields = raw.form, fields_of(raw.form.table)
    frame = raw.frame
    if "school" not in form.fields:
        frame = frame.with_columns(school=pl.lit(school or None, pl.String))
    given = frame.rename({name: f"raw:{name}" for name in frame.columns if name != ROW})
    columns: list[pl.Series | pl.Expr] = []
    for name, one in fields.items():
        if f"raw:{name}" in given.columns:
            read = partial(form.reader.read, field=one, choices=_choices(form, name, one))
            apply = words_by_word if one.kind in _WORDS else by_word
            columns.append(apply(given[f"raw:{name}"], read).alias(name))
        else:
            columns.append(pl.lit(None, one.kind.type).alias(name))
            columns.append(pl.lit(None, pl.String).alias(f"raw:{name}"))
    rows = given.with_columns(columns)
    return _with_times(rows, form) if form.table is LogTable.ABSENCE else rows


_WORDS = (Kind.SCHOOL, Kind.PUPIL_NUMBER, Kind.TEXT)
"""Kinds that stay words, where a file repeats them."""


def _choices(form: FileForm, name: str, one: Field) -> dict[str, str]:
    """What may be written in a field of this form, in lower case, and what that means."""
    if name == "half_day":
        return {word.lower(): word for word in form.half_days}
    stored = dict(one.choices or {})
    translated = {
        written.lower(): stored[word]
        for written, word in form.values.get(name, {}).items()
        if word in stored
    }
    return stored | translated


def _with_times(read: pl.DataFrame, form: FileForm) -> pl.DataFrame:
    """Start, end and minutes, from whichever way the form gives them."""
    if "starts_at" in form.fields:
        # A day without a time that ends a record is absent to its end.
        has_time = by_word(read["raw:ends_at"], _has_time)
        end_of_day = pl.col("ends_at").dt.combine(_LAST_MINUTE)
        return read.with_columns(
            ends_at=pl.when(has_time).then(pl.col("ends_at")).otherwise(end_of_day)
        )
    if "half_day" in form.fields:
        half_days = form.half_days.items()
        return read.with_columns(
            starts_at=_at("day", _by_half_day(half_days, "starts")),
            ends_at=_at("day", _by_half_day(half_days, "ends")),
            minutes=pl.coalesce("minutes", _by_half_day(half_days, "minutes")).cast(pl.Int32),
        )
    if form.lessons is not None:
        return _with_lesson_times(read, form.lessons)
    if "starts" in form.fields:
        return read.with_columns(
            starts_at=_at("day", pl.col("starts")), ends_at=_at("day", pl.col("ends"))
        )
    return read.with_columns(starts_at=_at("day", pl.time(0, 0)), ends_at=_at("day", _LAST_MINUTE))


_LAST_MINUTE = pl.time(23, 59)


def _has_time(texts: pl.Series) -> pl.Series:
    return texts.str.contains(r":|^\d+[.,]\d+$")


def _with_lesson_times(read: pl.DataFrame, lessons: Lessons) -> pl.DataFrame:
    """Times as given, else from the first and last lesson number; minutes likewise."""
    first = pl.col("lesson_from").cast(pl.Int64)
    last = pl.coalesce("lesson_to", "lesson_from").cast(pl.Int64)
    is_number = first.is_between(1, MOST_LESSONS) & last.is_between(1, MOST_LESSONS)
    begin = _at("day", pl.lit(lessons.starts))
    length = pl.duration(minutes=lessons.minutes)
    by_number = pl.when(is_number)
    return read.with_columns(
        starts_at=pl.coalesce(
            _at("day", pl.col("starts")), by_number.then(begin + length * (first - 1))
        ),
        ends_at=pl.coalesce(_at("day", pl.col("ends")), by_number.then(begin + length * last)),
        minutes=pl.coalesce("minutes", by_number.then((last - first + 1) * lessons.minutes)).cast(
            pl.Int32
        ),
    )


def _by_half_day(half_days: Iterable[tuple[str, HalfDay]], what: str) -> pl.Expr:
    values = {word: getattr(half_day, what) for word, half_day in half_days}
    types = {"starts": pl.Time(), "ends": pl.Time(), "minutes": pl.Int32()}
    return pl.col("half_day").replace_strict(values, default=None, return_dtype=types[what])


def _at(day: str, clock: pl.Expr) -> pl.Expr:
    return pl.col(day).dt.combine(clock)


def rules_of(form: FileForm, received_at: datetime) -> list[Rule]:
    """Every rule a row of this form must keep, in the order of its fields."""
    rules: list[Rule] = []
    for name, one in fields_of(form.table).items():
        raw = pl.col(f"raw:{name}")
        if one.required or _needed_here(form, name):
            rules.append(Rule("value_missing", name, raw.is_null()))
        rules.append(Rule(str(one.kind), name, raw.is_not_null() & pl.col(name).is_null()))
        rules += _date_rules(name, one, received_at)
    if form.lessons is not None:
        untimed = pl.col("starts_at").is_null() & pl.col("day").is_not_null()
        rules.append(Rule("neither_times_nor_lessons", "lesson_from", untimed))
    return rules + _RULES_BETWEEN.get(form.table, [])


def _needed_here(form: FileForm, name: str) -> bool:
    """Fields of absence that are required once the form has a column for them."""
    if form.table is not LogTable.ABSENCE or name not in form.fields:
        return False
    match name:
        case "starts_at" | "day" | "half_day" | "record_id":
            return True
        case "code":
            return "source_kind" not in form.fields
        case "starts":
            return form.lessons is None
        case _:
            return name == "source_kind" and "code" not in form.fields


def _date_rules(name: str, one: Field, received_at: datetime) -> list[Rule]:
    if one.kind not in (Kind.DATE, Kind.MONTH, Kind.LOCAL, Kind.MOMENT):
        return []
    is_birth = one.kind is Kind.MONTH
    earliest = EARLIEST_BIRTH if is_birth else EARLIEST
    latest = received_at.date() + (timedelta() if is_birth else LATEST)
    day = pl.col(name).cast(pl.Date)
    outside = ~day.is_between(earliest, latest)
    return [Rule("date_implausible", name, outside)]


_RULES_BETWEEN = {
    LogTable.TIMETABLE: [
        Rule("weekday_not_1_to_7", "weekday", ~pl.col("weekday").is_between(1, 7)),
        Rule(
            "minutes_implausible",
            "planned_minutes",
            ~pl.col("planned_minutes").is_between(0, MINUTES_OF_DAY),
        ),
        Rule("ends_before_it_starts", "valid_to", pl.col("valid_to") < pl.col("valid_from")),
        Rule(
            "neither_group_nor_pupil",
            "group",
            pl.col("raw:group").is_null() & pl.col("raw:pupil_number").is_null(),
        ),
    ],
    LogTable.PLACEMENTS: [
        Rule("ends_before_it_starts", "left_on", pl.col("left_on") < pl.col("enrolled_on")),
    ],
    LogTable.ABSENCE: [
        Rule("minutes_implausible", "minutes", ~pl.col("minutes").is_between(0, MINUTES_OF_DAY)),
        Rule("ends_before_it_starts", "ends_at", pl.col("ends_at") < pl.col("starts_at")),
    ],
    LogTable.SUPPORT: [
        Rule("ends_before_it_starts", "ends_on", pl.col("ends_on") < pl.col("starts_on")),
    ],
    LogTable.CODES: [
        Rule("ends_before_it_starts", "valid_to", pl.col("valid_to") < pl.col("valid_from")),
    ],
    LogTable.PRIOR_ABSENCE: [
        Rule("count_implausible", name, ~pl.col(name).is_between(0, MOST_A_YEAR))
        for name in (
            "half_days_authorised",
            "half_days_unauthorised",
            "hours_authorised",
            "hours_unauthorised",
            "times",
        )
    ],
}


def set_apart(
    rows: pl.DataFrame, rules: Iterable[Rule], sources: Sequence[RawTable | LongTable]
) -> tuple[pl.DataFrame, list[Place]]:
    """The rows that keep every rule, and a place for each rule that a row breaks.

    `rows` has `file` (which of `sources`) and `row` beside the columns the rules look at.
    """
    named = {f"rule {place}": rule for place, rule in enumerate(rules)}
    broken = rows.select(
        FILE, ROW, **{key: rule.broken.fill_null(False) for key, rule in named.items()}
    )
    any_broken = broken.select(pl.col(list(named)).any()).row(0, named=True)
    places = [
        Place(sources[file].name, row, sources[file].form.heading(rule.field), rule.name)
        for key, rule in named.items()
        if any_broken[key]
        for file, row in broken.filter(pl.col(key)).select(FILE, ROW).iter_rows()
    ]
    if not places:
        return rows, []
    keep = broken.select(~pl.any_horizontal(list(named))).to_series()
    return rows.filter(keep), places


def midnight(day: str) -> pl.Expr:
    """The moment at which a day begins in Amsterdam, in UTC."""
    return in_utc(pl.col(day).cast(pl.Datetime("us")))
