"""The shape of feature rows: who and when, then one float32 column per feature; NaN: undefined."""

import math
from collections.abc import Collection, Iterator, Sequence
from datetime import date

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from features.school_weeks import as_of_moment
from features.store.definitions import JOIN_KEY, TIMESTAMP

MOMENT = pa.timestamp("us", tz="UTC")
ENTITY_FIELDS = (
    pa.field(JOIN_KEY, pa.string()),
    pa.field("school", pa.string()),
    pa.field("group", pa.string()),
    pa.field("sector", pa.string()),
    pa.field("year_group", pa.string()),
    pa.field("as_of", pa.date32()),
)


def schema(features: Sequence[str]) -> pa.Schema:
    """The columns of stored rows, in their order."""
    values = [pa.field(name, pa.float32()) for name in features]
    return pa.schema([*ENTITY_FIELDS, pa.field(TIMESTAMP, MOMENT), *values])


def checked(
    table: pa.Table,
    features: Sequence[str],
    mondays: Collection[date],
    schools: Collection[str] | None,
) -> pa.Table:
    """`table` in the stored shape and order; a table that is not what it should be is a bug."""
    wanted = schema(features)
    absent = [name for name in wanted.names if name not in table.schema.names]
    if absent:
        raise ValueError(f"feature rows without the columns {', '.join(absent)}")
    rows = table.select(wanted.names).cast(wanted)
    problems = list(_problems(rows, mondays, schools))
    if problems:
        raise ValueError(f"feature rows that cannot be stored: {'; '.join(problems)}")
    return in_store_order(rows)


def in_store_order(rows: pa.Table) -> pa.Table:
    """`rows` in order of Monday, school and pupil.

    By the rank of each value, as one number per row: sorting millions of rows on texts takes six
    times as long.
    """
    place = np.zeros(rows.num_rows, np.int64)
    for name in ("as_of", "school", JOIN_KEY):
        values = pc.unique(rows[name])
        values = values.take(pc.array_sort_indices(values))
        ranks = pc.index_in(rows[name], value_set=values).to_numpy()
        place = place * max(len(values), 1) + ranks
    if (place[1:] >= place[:-1]).all():
        return rows
    return rows.take(pa.array(np.argsort(place, kind="stable")))


def moments(as_of: pa.ChunkedArray) -> pa.ChunkedArray:
    """The moment for which we reason on each Monday."""
    mondays = pc.unique(as_of)
    lookup = pa.array([as_of_moment(monday) for monday in mondays.to_pylist()], MOMENT)
    return pc.take(lookup, pc.index_in(as_of, mondays))


def with_features(entities: pa.Table, found: pa.Table | None, features: Sequence[str]) -> pa.Table:
    """`entities` with the feature columns beside them; without `found`, columns of no rows."""
    for name in features:
        values = (found[name] if found is not None else pa.array([])).cast(pa.float32())
        if values.null_count:  # otherwise it would be a copy of every value
            values = pc.fill_null(values, math.nan)
        entities = entities.append_column(pa.field(name, pa.float32()), values)
    return entities


def rows_without_values(values: pa.Table) -> int:
    """How many rows have no value at all: pupils Feast does not hold."""
    present = pa.array([False] * values.num_rows)
    for column in values.columns:
        present = pc.or_(present, pc.is_valid(column).combine_chunks())
    return int(pc.sum(pc.invert(present)).as_py() or 0)


def _problems(
    rows: pa.Table, mondays: Collection[date], schools: Collection[str] | None
) -> Iterator[str]:
    with_nulls = [name for name in rows.schema.names if rows[name].null_count]
    if with_nulls:
        yield f"empty values in {', '.join(with_nulls)} (an undefined feature is NaN)"
        return
    if stray := set(pc.unique(rows["as_of"]).to_pylist()) - set(mondays):
        yield f"rows of {min(stray)}, which is not among the Mondays named"
        return
    if schools is not None and (
        others := set(pc.unique(rows["school"]).to_pylist()) - set(schools)
    ):
        yield f"rows of {len(others)} school(s) that are not among those named"
    if not rows[TIMESTAMP].equals(_as_chunks(moments(rows["as_of"]))):
        yield f"{TIMESTAMP} is not Monday 06:00 in Amsterdam"
    pairs = rows.select([JOIN_KEY, "as_of"]).group_by([JOIN_KEY, "as_of"]).aggregate([])
    if pairs.num_rows < rows.num_rows:
        yield f"{rows.num_rows - pairs.num_rows} pupil(s) twice on one Monday"


def _as_chunks(values: pa.Array | pa.ChunkedArray) -> pa.ChunkedArray:
    return values if isinstance(values, pa.ChunkedArray) else pa.chunked_array([values])
