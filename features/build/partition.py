"""Feature tables: every catalogue feature of every enrolled pupil on every Monday asked for."""

from collections.abc import Iterator, Sequence
from datetime import date
from functools import partial

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from features.build.school import FeatureBuild, FeatureRows
from features.catalogue import CATALOGUE
from features.records import RecordLog
from features.records.partition import PartitionTables, read_for_features
from features.records.parts import cores, in_order, parts_of, threads
from features.school_weeks import as_of_moment

KEY_COLUMNS = {
    "pupil_key": pa.string(),
    "school": pa.string(),
    "group": pa.string(),
    "sector": pa.string(),
    "year_group": pa.string(),
    "as_of": pa.date32(),
    "event_timestamp": pa.timestamp("us", tz="UTC"),
}

SCHEMA = pa.schema(KEY_COLUMNS | {feature.name: pa.float32() for feature in CATALOGUE})
"""The columns of a feature table: who and when, then every feature of the catalogue."""

LOG_HEAD = b"log_head"
"""In the metadata of a table built from the log: the number of the last delivery it knew."""


def build_partition(tables: PartitionTables, mondays: Sequence[date]) -> pa.Table:
    """The features of all pupils enrolled at the schools of `tables` on each of `mondays`.

    Everything is as known before 06:00 of that Monday, and about days before it. Pure: the same
    tables give the same rows, in the order of school, Monday and pupil key. `mondays` may come in
    any order; building them one by one gives the same rows.
    """
    ascending = sorted(set(mondays))
    if not ascending:
        return SCHEMA.empty_table()
    building = FeatureBuild(tables, tables.school_codes, ascending)
    built = [_table(building.rows(at), ascending) for at in range(len(tables.school_codes))]
    return pa.concat_tables([SCHEMA.empty_table(), *built])


def build(
    log: RecordLog, mondays: Sequence[date], schools: Sequence[str] | None = None
) -> Iterator[pa.Table]:
    """Feature tables, one per school, of `schools` (None: all) from the record log.

    Each says in its metadata up to which delivery it knew the log (LOG_HEAD), so that who keeps it
    can tell whether it still stands.
    """
    wanted = log.schools() if schools is None else list(schools)
    ascending = sorted(set(mondays))
    # The next part is read while features are made; only the reader touches the log.
    with threads(1) as reader, threads(cores()) as makers:
        read = partial(_read, log, mondays=ascending)
        for head, building in in_order(reader, read, parts_of(log, wanted), ahead=1):
            made = partial(_made, building, ascending, head)
            yield from in_order(makers, made, range(building.number), ahead=cores())


def _made(building: FeatureBuild, mondays: Sequence[date], head: bytes, at: int) -> pa.Table:
    return _table(building.rows(at), mondays).replace_schema_metadata({LOG_HEAD: head})


def _read(
    log: RecordLog, schools: Sequence[str], mondays: Sequence[date]
) -> tuple[bytes, FeatureBuild]:
    # Before reading: a delivery that comes in meanwhile then counts as not known.
    head = str(log.head()).encode()
    tables = read_for_features(log, schools, known_before=as_of_moment(mondays[-1]))
    return head, FeatureBuild(tables, schools, mondays)


def _table(rows: FeatureRows, mondays: Sequence[date]) -> pa.Table:
    moments = [as_of_moment(monday) for monday in mondays]
    columns = {
        "pupil_key": rows.pupil_keys,
        "school": pa.repeat(rows.school, len(rows.pupil_keys)),
        "group": rows.groups,
        "sector": _repeated(rows.sectors, rows.counts, pa.string()),
        "year_group": rows.year_groups,
        "as_of": _repeated(mondays, rows.counts, pa.date32()),
        "event_timestamp": _repeated(moments, rows.counts, KEY_COLUMNS["event_timestamp"]),
        **{feature.name: pa.array(rows.values[feature.name]) for feature in CATALOGUE},
    }
    return pa.table(columns, schema=SCHEMA)


def _repeated(values: Sequence[object], counts: NDArray[np.int64], kind: pa.DataType) -> pa.Array:
    return pa.array(values, kind).take(pa.array(np.repeat(np.arange(len(counts)), counts)))
