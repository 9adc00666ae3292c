"""Feature tables: every catalogue feature of every enrolled pupil on every Monday asked for."""

from collections.abc import Iterator, Sequence
from datetime import date

import numpy as np
import pyarrow as pa

from features.build.school import FeatureRows, SchoolReplay
from features.catalogue import CATALOGUE
from features.records import RecordLog
from features.records.partition import PartitionTables, read_partition
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
    return pa.concat_tables(
        [SCHEMA.empty_table()]
        + [
            _build_school(school, tables.of_school(school), ascending)
            for school in tables.school_codes
        ]
    )


def build(
    log: RecordLog, mondays: Sequence[date], schools: Sequence[str] | None = None
) -> Iterator[pa.Table]:
    """Feature tables, one per school, of `schools` (None: all) from the record log.

    Each says in its metadata up to which delivery it knew the log (LOG_HEAD), so that who keeps it
    can tell whether it still stands.
    """
    for school in log.schools() if schools is None else schools:
        # Before reading: a delivery that comes in meanwhile then counts as not known.
        head = str(log.head()).encode()
        tables = read_partition(log, school, known_before=as_of_moment(max(mondays)))
        yield build_partition(tables, mondays).replace_schema_metadata({LOG_HEAD: head})


def _build_school(school: str, tables: PartitionTables, mondays: Sequence[date]) -> pa.Table:
    replay = SchoolReplay(tables, mondays)
    parts = [rows for moment in range(len(mondays)) if (rows := replay.rows(moment)) is not None]
    if not parts:
        return SCHEMA.empty_table()
    columns = {
        "pupil_key": _strings([part.pupil_keys for part in parts]),
        "school": _repeated([school] * len(parts), parts, pa.string()),
        "group": _strings([part.groups for part in parts]),
        "sector": _repeated([part.sector for part in parts], parts, pa.string()),
        "year_group": _strings([part.year_groups for part in parts]),
        "as_of": _repeated([part.as_of for part in parts], parts, pa.date32()),
        "event_timestamp": _repeated(
            [as_of_moment(part.as_of) for part in parts], parts, KEY_COLUMNS["event_timestamp"]
        ),
    }
    for feature in CATALOGUE:
        values = np.concatenate([part.values[feature.name] for part in parts])
        columns[feature.name] = pa.array(values)
    return pa.table(columns, schema=SCHEMA)


def _strings(parts: Sequence[np.ndarray[tuple[int], np.dtype[np.object_]]]) -> pa.Array:
    return pa.array(np.concatenate(parts), pa.string())


def _repeated(
    values: Sequence[object], parts: Sequence[FeatureRows], kind: pa.DataType
) -> pa.Array:
    counts = [len(part.pupil_keys) for part in parts]
    return pa.array(values, kind).take(pa.array(np.repeat(np.arange(len(parts)), counts)))
