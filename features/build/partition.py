"""Feature tables: every catalogue feature of every enrolled pupil on every Monday asked for."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date, timedelta
from functools import partial
from typing import TypeVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from features.build.monday import KeptParts, read_monday
from features.build.school import FeatureBuild, FeatureRows
from features.catalogue import CATALOGUE
from features.cores import cores, in_order, threads
from features.records import RecordLog
from features.records.partition import PartitionTables, read_for_features
from features.records.parts import parts_of
from features.school_weeks import as_of_moment

T = TypeVar("T")

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
    building = FeatureBuild.of(tables, tables.school_codes, ascending)
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

    def read(part: Sequence[str]) -> tuple[int, FeatureBuild]:
        # Before reading: a delivery that comes in meanwhile then counts as not known.
        head = log.head()
        tables = read_for_features(log, part, known_before=as_of_moment(ascending[-1]))
        return head, FeatureBuild.of(tables, part, ascending)

    for head, building in _read_ahead(read, parts_of(log, wanted)):
        yield from _built(building, ascending, head)


def build_monday(
    log: RecordLog, as_of: date, ahead: timedelta, kept: KeptParts
) -> Iterator[pa.Table]:
    """The same of all schools on one Monday.

    `kept` gets what was read, with days up to `ahead` after the Monday, for who needs it next.
    """
    read = partial(read_monday, log, as_of=as_of, ahead=ahead)
    for part in _read_ahead(read, parts_of(log, log.schools())):
        kept.keep(part)
        building = FeatureBuild(part.monday.known_schools, part.tables.support, [as_of])
        yield from _built(building, [as_of], part.head)


def _read_ahead(read: Callable[[Sequence[str]], T], parts: Iterable[Sequence[str]]) -> Iterator[T]:
    """The next parts are read, on all cores, while features are made: half the time is reading."""
    with threads(cores()) as readers:
        yield from in_order(readers, read, parts, ahead=cores())


def _built(building: FeatureBuild, mondays: Sequence[date], head: int) -> Iterator[pa.Table]:
    made = partial(_made, building, mondays, str(head).encode())
    with threads(cores()) as makers:
        yield from in_order(makers, made, range(building.number), ahead=cores())


def _made(building: FeatureBuild, mondays: Sequence[date], head: bytes, at: int) -> pa.Table:
    return _table(building.rows(at), mondays).replace_schema_metadata({LOG_HEAD: head})


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
