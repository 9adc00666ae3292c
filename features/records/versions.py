"""Versions of records in order, each with the moment from which the next one holds."""

import numpy as np
import polars as pl
import pyarrow as pa

from features.records.schema import MOMENT, LogTable, schema_of


def versions_schema(table: LogTable) -> pa.Schema:
    """The columns of versions of one table: those of the log, and `superseded_at`."""
    return schema_of(table).append(pa.field("superseded_at", MOMENT))


def superseded(versions: pa.Table) -> pa.Table:
    """`versions` in the order in which they came, with `superseded_at`: when the next was known.

    Null for the newest of a record. Among versions known at one moment, `sequence` decides. Only
    records with several versions are sorted; most have one.
    """
    keys = pl.DataFrame(versions.select(["record_key", "known_at", "sequence"]))
    # Numbers are compared much faster than texts; two texts with one number are told apart below.
    numbered = keys.with_row_index("row").with_columns(number=pl.col("record_key").hash())
    several = (
        numbered.filter(pl.col("number").is_duplicated())
        .filter(pl.col("record_key").is_duplicated())
        .sort("record_key", "known_at", "sequence")
    )
    has_next = several["record_key"] == several["record_key"].shift(-1)
    rows = several.select("row", following=pl.col("known_at").shift(-1)).filter(
        has_next.fill_null(False)
    )
    times = np.zeros(len(versions), np.int64)
    times[rows["row"].to_numpy()] = rows["following"].cast(pl.Int64).to_numpy()
    is_newest = np.ones(len(versions), bool)
    is_newest[rows["row"].to_numpy()] = False
    at = pa.array(times, mask=is_newest).cast(MOMENT)
    return versions.append_column(pa.field("superseded_at", MOMENT), at)


def in_order(versions: pa.Table, table: LogTable) -> pa.Table:
    """`versions` by record from old to new, with `superseded_at`: when the next became known.

    Null for the newest of a record. Among versions known at one moment, `sequence` decides.
    """
    ordered = pl.DataFrame(versions).sort("record_key", "known_at", "sequence")
    has_next = pl.col("record_key") == pl.col("record_key").shift(-1)
    found = ordered.with_columns(
        superseded_at=pl.when(has_next).then(pl.col("known_at").shift(-1)).otherwise(None)
    )
    return found.to_arrow(compat_level=pl.CompatLevel.oldest()).cast(versions_schema(table))
