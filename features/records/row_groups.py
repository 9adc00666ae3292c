"""Rows of some schools straight from the row groups of Parquet files that can hold them.

A third of the time of a scan with a filter: texts of which there are few stay numbers in a
dictionary, and of most row groups every row is wanted.
"""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

FEW = frozenset({"school", "pupil_key", "kind", "known_at_basis", "delivery"})
"""Columns with far fewer different texts than rows."""
_CODES = pa.dictionary(pa.int32(), pa.string())


@dataclass(frozen=True)
class Limits:
    """Which rows are wanted: of these schools (sorted) and deliveries, known before a moment."""

    schools: pa.Array
    deliveries: pa.Array
    known_before: pa.Scalar

    def as_filter(self) -> pc.Expression:
        """The same for a scan."""
        return (
            pc.field("school").isin(self.schools)
            & pc.field("delivery").isin(self.deliveries)
            & (pc.field("known_at") < self.known_before)
        )


def read_schema(schema: pa.Schema, columns: Sequence[str]) -> pa.Schema:
    """`columns` of `schema` as they are read: the texts of FEW as dictionaries."""
    fields = [schema.field(name) for name in columns]
    return pa.schema([one.with_type(_CODES) if one.name in FEW else one for one in fields])


def read_within(paths: Sequence[str], schema: pa.Schema, limits: Limits) -> pa.Table:
    """The rows of these files within `limits`, with the columns of `schema`."""
    names = list(dict.fromkeys([*schema.names, "school", "delivery", "known_at"]))
    parts = [_of_file(path, names, schema, limits) for path in paths]
    return pa.concat_tables([schema.empty_table(), *parts]).unify_dictionaries()


def _of_file(path: str, names: Sequence[str], schema: pa.Schema, limits: Limits) -> pa.Table:
    coded = [name for name in names if name in FEW]
    with pq.ParquetFile(path, read_dictionary=coded) as file:
        groups = _groups(file, limits.schools.to_pylist())
        stored = set(file.schema_arrow.names)
        rows = file.read_row_groups(groups, columns=[name for name in names if name in stored])
    rows = rows.filter(wanted) if (wanted := _wanted(rows, limits)) is not None else rows
    # A column that a later release added is not in the files of before.
    columns = [
        rows[one.name].cast(one.type) if one.name in stored else pa.nulls(len(rows), one.type)
        for one in schema
    ]
    return pa.table(columns, schema=schema)


def _groups(file: pq.ParquetFile, schools: Sequence[str]) -> list[int]:
    """The row groups that can hold one of `schools` (sorted), going by their statistics."""
    column = file.schema_arrow.get_field_index("school")
    return [
        number
        for number in range(file.num_row_groups)
        if _can_hold(file.metadata.row_group(number).column(column).statistics, schools)
    ]


def _can_hold(statistics: Any, schools: Sequence[str]) -> bool:
    if statistics is None or not statistics.has_min_max:
        return True
    first = bisect_left(schools, statistics.min)
    return first < len(schools) and bool(schools[first] <= statistics.max)


def _wanted(rows: pa.Table, limits: Limits) -> pa.ChunkedArray | None:
    """Which rows are within `limits`; None: all, as is most often so."""
    wanted = pc.less(rows["known_at"], limits.known_before)
    for name, values in (("school", limits.schools), ("delivery", limits.deliveries)):
        wanted = pc.and_(wanted, _is_among(rows[name], values))
    return None if pc.all(wanted, min_count=0).as_py() else wanted


def _is_among(column: pa.ChunkedArray, values: pa.Array) -> pa.ChunkedArray:
    """Whether each of coded texts is one of `values`: asked once per text, not per row."""
    chunks = [pc.is_in(one.dictionary, values).take(one.indices) for one in column.chunks]
    return pa.chunked_array(chunks, pa.bool_())
