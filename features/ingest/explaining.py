"""Reports and lesson observations together: what a report explains, and when a pupil was back.

A source that keeps both says the same absence twice. The report carries the time; an observation
of a missed lesson counts by itself only while no report covers it, and then as not yet verified.
An open report ends at the first lesson in which the pupil was seen again.
"""

from datetime import datetime

import polars as pl

from features.ingest.checks import FILE
from features.ingest.fields import PRESENT
from features.vocabulary import ABSENCE_PRIORITY, AbsenceKind

_TIMED = [str(kind) for kind in ABSENCE_PRIORITY]
_EXPLAINED = str(AbsenceKind.NOT_ABSENCE)
_KEY = ["school", "pupil_key"]


def without_what_is_no_absence(rows: pl.DataFrame) -> tuple[pl.DataFrame, dict[int, int]]:
    """`rows` without pupils seen and things forgotten, and how many of those each file had."""
    is_no_absence = pl.col("source_kind").is_in([PRESENT, _EXPLAINED]).fill_null(False)
    counted = rows.filter(is_no_absence).group_by(FILE).len()
    return rows.filter(~is_no_absence), dict(counted.iter_rows())


def explained(rows: pl.DataFrame, known: pl.DataFrame, received_at: datetime) -> pl.DataFrame:
    """The absence of one delivery with its observations explained and its open reports ended.

    `rows` has `record_key`, `kind`, `authorised` and `observed` (a row of observations) beside
    the fields of absence; `known` holds the newest versions in the log. Where a row said
    one thing when it was recorded and another since, both stand there, the second with the moment
    since when and marked `derived`.
    """
    rows = rows.with_columns(derived=pl.lit(False))
    if not rows["observed"].any():
        return rows
    seen = rows.filter(pl.col("observed") & (pl.col("source_kind") == PRESENT))
    missed = rows.filter(pl.col("observed") & (pl.col("source_kind") != PRESENT))
    reports = _ended(rows.filter(~pl.col("observed")), seen)
    covers = _covers(missed, _pool(reports, known), received_at)
    return pl.concat([reports, _with_covers(missed, covers, known), seen], how="diagonal_relaxed")


def _ended(reports: pl.DataFrame, seen: pl.DataFrame) -> pl.DataFrame:
    """`reports`, the open ones ended where the pupil was next seen."""
    is_open = (
        pl.col("ends_at").is_null()
        & pl.col("minutes").is_null()
        & ~pl.col("withdrawn")
        & _is_newest()
    )
    back = seen.select(*_KEY, back_at="starts_at", back_known="recorded_at").sort("back_at")
    marked = reports.with_columns(is_open=is_open).sort("starts_at")
    with_back = marked.join_asof(
        back,
        left_on="starts_at",
        right_on="back_at",
        by=_KEY,
        strategy="forward",
        allow_exact_matches=False,
        check_sortedness=False,
    )
    was_back = pl.col("is_open") & pl.col("back_at").is_not_null()
    ended = with_back.filter(was_back).with_columns(ends_at="back_at")
    rest = with_back.filter(~was_back)
    return _as_versions(with_back.filter(was_back), ended, "back_known", rest)


def _is_newest() -> pl.Expr:
    """Whether a row is the last word on its record within these rows."""
    newest = pl.col("order").sort_by("recorded_at", "order", nulls_last=True).last()
    return pl.col("order") == newest.over("record_key")


def _as_versions(
    before: pl.DataFrame, after: pl.DataFrame, since: str, rest: pl.DataFrame
) -> pl.DataFrame:
    """`rest`, and rows that changed: two versions if the change has a later moment of its own."""
    is_later = (pl.col(since) > pl.col("recorded_at")).fill_null(False)
    later = after.filter(is_later).with_columns(recorded_at=since, derived=pl.lit(True))
    at_once = after.filter(~is_later)
    parts = [rest, before.filter(is_later), later, at_once]
    columns = [name for name in rest.columns if name not in ("is_open", "back_at", "back_known")]
    columns = [name for name in columns if not name.startswith("by_report")]
    return pl.concat([part.select(columns) for part in parts])


def _pool(reports: pl.DataFrame, known: pl.DataFrame) -> pl.DataFrame:
    """The reports that can explain something: the newest of each record, not withdrawn."""
    columns = [*_KEY, "starts_at", "ends_at", "kind", "authorised", "recorded_at"]
    # What the log has as unverified without a code is an observation itself.
    is_report = (pl.col("kind") != AbsenceKind.UNVERIFIED) | pl.col("code").is_not_null()
    older = known.filter(is_report).join(reports, on="record_key", how="anti")
    newest = reports.filter(_is_newest() & ~pl.col("withdrawn"))
    pool = pl.concat([older.select(columns), newest.select(columns)], how="vertical_relaxed")
    return pool.filter(pl.col("kind").is_in(_TIMED))


def _covers(missed: pl.DataFrame, pool: pl.DataFrame, received_at: datetime) -> pl.DataFrame:
    """Per missed lesson (`record_key`) the first recorded report that covers part of it."""
    last = pl.coalesce("ends_at", pl.lit(received_at.replace(tzinfo=None)))
    by_day = pool.with_columns(
        by_report_starts="starts_at",
        by_report_ends=last,
        day=pl.date_ranges(
            pl.col("starts_at").dt.date(), pl.max_horizontal(last, "starts_at").dt.date()
        ),
    ).explode("day", empty_as_null=True)
    lessons = missed.select(
        "record_key",
        *_KEY,
        lesson_starts="starts_at",
        lesson_ends=pl.coalesce("ends_at", "starts_at"),
        day=pl.col("starts_at").dt.date(),
    ).unique()
    found = lessons.join(by_day, on=[*_KEY, "day"], how="inner").filter(
        (pl.col("by_report_starts") < pl.max_horizontal("lesson_ends", "lesson_starts"))
        | (pl.col("by_report_starts") == pl.col("lesson_starts")),
        pl.col("by_report_ends") > pl.col("lesson_starts"),
    )
    return (
        found.sort("record_key", "recorded_at", nulls_last=True)
        .unique("record_key", keep="first", maintain_order=True)
        .select(
            "record_key",
            by_report_known="recorded_at",
            by_report_authorised="authorised",
            by_report=pl.lit(True),
        )
    )


def _with_covers(missed: pl.DataFrame, covers: pl.DataFrame, known: pl.DataFrame) -> pl.DataFrame:
    joined = missed.join(covers, on="record_key", how="left", maintain_order="left")
    is_covered = pl.col("by_report").fill_null(False)
    covered = joined.filter(is_covered)
    after = covered.with_columns(kind=pl.lit(_EXPLAINED), authorised=pl.col("by_report_authorised"))
    # Explained before and not any more: the report was withdrawn or shortened, known from now on.
    was_explained = known.filter(pl.col("kind") == _EXPLAINED).select("record_key")
    bare = joined.filter(~is_covered)
    reopened = bare.join(was_explained, on="record_key", how="semi").with_columns(
        recorded_at=pl.lit(None, bare.schema["recorded_at"])
    )
    rest = pl.concat([bare.join(was_explained, on="record_key", how="anti"), reopened])
    return _as_versions(covered, after, "by_report_known", rest)
