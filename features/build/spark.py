"""The same build under Spark: one task per school, Arrow in, Arrow out; needs the extra `spark`.

Spark reads the active files of the record log itself (no jar for Delta is needed) and brings the
rows of a school together; what a task then does is `build_partition`, unchanged. A cluster needs
this package on its executors and the log on storage they can read (decision 0010).
"""

from __future__ import annotations

import functools
import os
import shutil
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from features.build.partition import LOG_HEAD, SCHEMA, build_partition
from features.errors import NotThere
from features.records import LogTable, RecordLog, schema_of
from features.records.partition import PartitionTables
from features.records.versions import in_order
from features.school_weeks import as_of_moment

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

_TABLES = {name: LogTable(name) for name in PartitionTables.__dataclass_fields__}
_NOT_NEEDED = {"recorded_at", "fingerprint", "delivery", "code", "name", "left_to"}
_TABLE = "log_table"


@dataclass(frozen=True)
class SparkSettings:
    """Section `[spark]`: where Spark runs; on a cluster, what `spark-submit` says goes first."""

    master: str = "local[2]"
    memory: str = "1g"
    partitions: int = 8


def spark_session(settings: SparkSettings) -> SparkSession:
    """A session as `settings` say, or the one that runs already; `NotThere` without Spark or Java.

    Moments are in UTC, as everywhere.
    """
    try:
        from pyspark.sql import SparkSession
    except ImportError as problem:
        raise NotThere(
            "Spark is not installed; run `pip install tijdig[spark]`, or build with --engine local"
        ) from problem
    if settings.master.startswith("local") and not _has_java():
        raise NotThere("Spark needs Java 17; install it, or build with --engine local")
    # The Python of the tasks on this machine; on a cluster spark.pyspark.python says which.
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    local = {"spark.driver.bindAddress": "127.0.0.1", "spark.driver.host": "127.0.0.1"}
    options = {
        "spark.driver.memory": settings.memory,
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.shuffle.partitions": str(settings.partitions),
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        **(local if settings.master.startswith("local") else {}),
    }
    builder = SparkSession.builder.master(settings.master).appName("tijdig")
    for name, value in options.items():
        builder = builder.config(name, value)
    return builder.getOrCreate()


def build_on_spark(
    session: SparkSession,
    log: RecordLog,
    mondays: Sequence[date],
    schools: Sequence[str] | None = None,
) -> Iterator[pa.Table]:
    """Feature tables, one per school of `schools` (None: all); the same rows as `build` gives."""
    head = str(log.head()).encode()
    wanted = log.schools() if schools is None else sorted(schools)
    rows = feature_frame(session, log, mondays, wanted).toArrow().cast(SCHEMA)
    for school in wanted:
        own = rows.filter(pc.field("school") == school)
        yield own.replace_schema_metadata({LOG_HEAD: head})


def feature_frame(
    session: SparkSession, log: RecordLog, mondays: Sequence[date], schools: Sequence[str]
) -> DataFrame:
    """The feature rows as a Spark frame; on a cluster, write it from there."""
    from pyspark.sql.pandas.types import from_arrow_schema

    session.conf.set("spark.sql.session.timeZone", "UTC")
    known_before = as_of_moment(max(mondays))
    frames = [
        frame
        for table in _TABLES.values()
        if (frame := _versions(session, log, table, schools, known_before)) is not None
    ]
    everything = functools.reduce(
        lambda one, other: one.unionByName(other, allowMissingColumns=True), frames
    )

    def build_school(rows: pa.Table) -> pa.Table:
        return _build_school(rows, mondays)

    return everything.groupBy("school").applyInArrow(build_school, from_arrow_schema(SCHEMA))


def _versions(
    session: SparkSession,
    log: RecordLog,
    table: LogTable,
    schools: Sequence[str],
    known_before: datetime,
) -> DataFrame | None:
    from pyspark.sql import functions as f

    files = log.files(table)
    if not files:
        return None
    visible = log.deliveries()["delivery"].to_pylist()
    # A column that a later release added stands in no file, or in the newer ones only.
    stored = session.read.option("mergeSchema", "true").parquet(*files)
    needed = [name for name in schema_of(table).names if name not in _NOT_NEEDED]
    return (
        stored.where(f.col("delivery").isin(visible) & f.col("school").isin(list(schools)))
        .where(f.col("known_at") < f.lit(known_before))
        .select(*(name for name in needed if name in stored.columns))
        .withColumn(_TABLE, f.lit(table.value))
    )


def _build_school(rows: pa.Table, mondays: Sequence[date]) -> pa.Table:
    """All rows of the log about one school, of every table, to its feature rows."""
    tables = {
        name: in_order(_of_table(rows.filter(pc.field(_TABLE) == table.value), table), table)
        for name, table in _TABLES.items()
    }
    return build_partition(PartitionTables(**tables), mondays)


def _of_table(rows: pa.Table, table: LogTable) -> pa.Table:
    columns: dict[str, Any] = {
        field.name: rows[field.name].cast(field.type)
        if field.name in rows.schema.names
        else pa.nulls(rows.num_rows, field.type)
        for field in schema_of(table)
    }
    return pa.table(columns, schema=schema_of(table))


def _has_java() -> bool:
    home = os.environ.get("JAVA_HOME")
    return shutil.which("java", path=f"{home}/bin" if home else None) is not None
