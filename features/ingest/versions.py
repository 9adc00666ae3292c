"""Which delivered rows are new versions, and since when each counts as known."""

from datetime import datetime, timedelta
from enum import StrEnum

import polars as pl

from features.ingest.checks import midnight
from features.ingest.fingerprints import fingerprints
from features.ingest.notation import in_utc
from features.records import LogTable
from features.records.schema import own_columns
from features.vocabulary import KnownAtBasis

ALWAYS = datetime.fromisoformat("1970-01-01T00:00:00+00:00")
_UTC = pl.Datetime("us", "UTC")


class Outcome(StrEnum):
    """What became of a row that was read."""

    ACCEPTED = "accepted"
    CHANGED = "changed"
    REPEATED = "repeated"
    QUARANTINED = "quarantined"


def with_fingerprint(rows: pl.DataFrame, table: LogTable) -> pl.DataFrame:
    """`rows` with a hash of their content: the table's own columns and whether it is withdrawn."""
    added = _ADDED_LATER.get(table, ())
    first = [name for name in own_columns(table) if name not in added]
    return rows.with_columns(fingerprints(rows, [*first, "withdrawn"], added).alias("fingerprint"))


_ADDED_LATER = {
    LogTable.CODES: ("valid_from", "valid_to"),
    LogTable.SCHOOLS: ("episodes_over_holidays",),
}
"""Columns that older deliveries did not have: where they are blank the hash is the old one."""


def compare(rows: pl.DataFrame, known: pl.DataFrame, received_at: datetime) -> pl.DataFrame:
    """`rows` in order of version, each with its `outcome` and whether it is `restated`.

    `rows` has `record_key`, `recorded_at`, `fingerprint` and `order` (as delivered); `known` the
    versions of the same records that the log holds. A *restated* row carries the moment of
    a version that the log has with other content: it can only be known since this delivery. Only
    the last row of a record can say so; an older row of a known moment says nothing new.
    """
    effective = pl.coalesce("recorded_at", pl.lit(received_at, _UTC))
    if rows["record_key"].hash().n_unique() == len(rows):
        # One row per record, as most exports have it: nothing to put in order.
        return _judged(_beside_newest(rows.with_columns(effective=effective), known))
    ordered = rows.with_columns(effective=effective).sort("record_key", "effective", "order")
    is_double = ~pl.struct("record_key", "recorded_at", "fingerprint").is_first_distinct()
    doubles = ordered.filter(is_double)
    single = ordered.filter(~is_double)
    # A second row of a record without a moment, with other content: which of the two is true?
    silent = pl.col("recorded_at").is_null()
    contradicts = (silent & silent.shift(1) & _same_record(1)).fill_null(False)
    usable = _beside_newest(single.filter(~contradicts), known).sort(
        "record_key", "effective", "order"
    )
    return pl.concat(
        [
            _judged(usable),
            doubles.with_columns(outcome=pl.lit(Outcome.REPEATED), restated=False),
            single.filter(contradicts).with_columns(
                outcome=pl.lit(Outcome.QUARANTINED), restated=False
            ),
        ],
        how="diagonal",
    )


def _judged(usable: pl.DataFrame) -> pl.DataFrame:
    in_log = pl.col("newest").is_not_null()
    is_last = ~_same_record(-1).fill_null(False)
    is_first = ~_same_record(1).fill_null(False)
    is_current = is_last & (pl.col("effective") >= pl.col("last_recorded").fill_null(ALWAYS))
    same_as_newest = is_current & (pl.col("fingerprint") == pl.col("newest"))
    same_as_previous = (
        ~in_log & ~is_first & (pl.col("fingerprint").shift(1) == pl.col("fingerprint"))
    )
    overtaken = ~is_current & pl.col("moment_known")
    is_repeat = (same_as_newest | same_as_previous | overtaken).fill_null(False)
    return usable.with_columns(
        outcome=pl.when(is_repeat)
        .then(pl.lit(Outcome.REPEATED))
        .when(~in_log & is_first)
        .then(pl.lit(Outcome.ACCEPTED))
        .otherwise(pl.lit(Outcome.CHANGED)),
        restated=is_current & pl.col("moment_known"),
    )


def _same_record(distance: int) -> pl.Expr:
    return pl.col("record_key") == pl.col("record_key").shift(distance)


def _beside_newest(rows: pl.DataFrame, known: pl.DataFrame) -> pl.DataFrame:
    """`rows` beside what the log has of their record: content, last moment, this very moment."""
    if known.is_empty():
        return rows.with_columns(
            newest=pl.lit(None, pl.String), last_recorded=pl.lit(None, _UTC), moment_known=False
        )
    if known["record_key"].hash().n_unique() == len(known):
        # One version per record, as in most logs: that is the newest.
        only = known.select(
            "record_key",
            newest="fingerprint",
            last_recorded=pl.coalesce("recorded_at", "known_at"),
            only_moment="recorded_at",
        )
        is_known = (pl.col("only_moment") == pl.col("recorded_at")).fill_null(False)
        beside = rows.join(only, on="record_key", how="left", maintain_order="left")
        return beside.with_columns(moment_known=is_known).drop("only_moment")
    newest = (
        known.sort("record_key", "known_at", "sequence")
        .group_by("record_key")
        .agg(
            newest=pl.col("fingerprint").last(),
            last_recorded=pl.coalesce("recorded_at", "known_at").max(),
        )
    )
    moments = known.select("record_key", "recorded_at").unique().with_columns(moment_known=True)
    return (
        rows.join(newest, on="record_key", how="left")
        .join(moments, on=["record_key", "recorded_at"], how="left")
        .with_columns(pl.col("moment_known").fill_null(False))
    )


def with_known_at(
    rows: pl.DataFrame,
    table: LogTable,
    first_loads: list[str],
    received_at: datetime,
    lag_days: int,
) -> pl.DataFrame:
    """`rows` with `known_at` and its basis: what the source says, else the delivery, else a guess.

    The guess is only for schools in `first_loads`, whose first delivery of this table looks back
    over years: nothing may count as known before it can have been. A placement then becomes two
    versions: begun, and ended.
    """
    received = pl.lit(received_at, _UTC)
    is_guess = pl.col("recorded_at").is_null() & pl.col("school").is_in(first_loads)
    recorded = pl.col("recorded_at").is_not_null() & ~pl.col("restated")
    dated = rows.with_columns(
        known_at=pl.when(recorded)
        .then("recorded_at")
        .when(is_guess)
        .then(pl.min_horizontal(_assumed(table, lag_days), received))
        .otherwise(received),
        known_at_basis=pl.when(recorded)
        .then(pl.lit(KnownAtBasis.RECORDED))
        .when(is_guess)
        .then(pl.lit(KnownAtBasis.ASSUMED))
        .otherwise(pl.lit(KnownAtBasis.DELIVERY)),
    )
    if table is not LogTable.PLACEMENTS:
        return dated
    begun = dated.filter(is_guess & pl.col("left_on").is_not_null()).with_columns(
        known_at=pl.min_horizontal(midnight("enrolled_on"), received),
        left_on=pl.lit(None, pl.Date),
        left_to=pl.lit(None, pl.String),
    )
    return pl.concat([with_fingerprint(begun, table), dated])


def _assumed(table: LogTable, lag_days: int) -> pl.Expr:
    lag = timedelta(days=lag_days)
    match table:
        case LogTable.PLACEMENTS:
            ended = midnight("left_on") + lag
            return pl.coalesce(ended, midnight("enrolled_on"))
        case LogTable.ABSENCE:
            return in_utc(pl.coalesce("ends_at", "starts_at")) + lag
        case LogTable.SUPPORT:
            day = pl.coalesce("ends_on", "starts_on").cast(pl.Datetime("us"))
            return pl.coalesce(in_utc(day) + lag, pl.lit(None, _UTC))
        case _:
            return pl.lit(ALWAYS, _UTC)
