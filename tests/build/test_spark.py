"""The build under a real local Spark gives the same bytes as without it."""

import hashlib
import shutil
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from deltalake import DeltaTable, write_deltalake

from features.build import build
from features.build.spark import SparkSettings, build_on_spark, spark_session
from features.errors import NotThere
from features.records import DeliveryRows, LogTable, RecordLog

pyspark = pytest.importorskip("pyspark", reason="the extra `spark` is not installed")
needs_java = pytest.mark.skipif(shutil.which("java") is None, reason="Spark needs Java 17")

SCHOOLS = ("90AB00", "90AC00", "90AD00")
SCHOOL = {"name": "De Proef", "sector": "po", "region": "midden"}
MONDAYS = [date(2026, 11, 2) + timedelta(weeks=week) for week in range(3)]


@pytest.fixture(scope="module")
def session() -> Iterator[Any]:
    session = spark_session(SparkSettings("local[1]", "1g", partitions=2))
    yield session
    session.stop()


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory, history: ModuleType) -> RecordLog:
    """Three schools; late, corrected, withdrawn and open records; a killed third delivery."""
    log = RecordLog(tmp_path_factory.mktemp("spark") / "records")
    with log.writing():
        for number, late in enumerate((False, True)):
            tables: dict[LogTable, list[pa.Table]] = {}
            for school in SCHOOLS:
                versions = history.partition(**versions_of(school, late, history))
                for name, table in vars(versions).items():
                    rows = table.drop_columns(["superseded_at", "delivery", "sequence"])
                    tables.setdefault(LogTable(name), []).append(rows)
            content = {name: pa.concat_tables(parts) for name, parts in tables.items()}
            digest = hashlib.sha256(str(number).encode()).hexdigest()
            log.append(
                DeliveryRows(datetime(2026, 11, 3 + 7 * number, tzinfo=UTC), digest, content)
            )
    log._append_rows(LogTable.ABSENCE, content[LogTable.ABSENCE], "000003-killed", 3)
    return log


def versions_of(school: str, late: bool, history: ModuleType) -> dict[str, list[dict[str, Any]]]:
    def record(number: int, day: int, **more: Any) -> dict[str, Any]:
        start = datetime(2026, 10, day, 8, 30)
        known = {"known_at": (start + timedelta(days=1)).replace(tzinfo=UTC), "kind": "sick"}
        key = {"record_key": f"{school}-{number}", "pupil_key": f"{school}-{number % 4}"}
        return {**key, "starts_at": start, "ends_at": start, **known, **more, "school": school}

    if late:
        known = {"known_at": datetime(2026, 11, 8, 12, tzinfo=UTC)}
        run_on = {"record_key": f"{school}-schools-0", "episodes_over_holidays": True}
        return {
            "schools": [{**SCHOOL, **run_on, **known, "school": school}],
            "absence": [
                record(1, 6, kind="unauthorised", minutes=50, **known),
                record(2, 7, withdrawn=True, **known),
                record(9, 8, kind="leave", **known),
            ],
        }
    enrolled = {"group": "5a", "year_group": "5", "enrolled_on": date(2024, 8, 1)}
    tables: dict[str, list[dict[str, Any]]] = {
        "schools": [SCHOOL],
        "timetable": history.plain_week("5a"),
        "calendar": [{"date": date(2026, 10, 9), "kind": "study_day"}],
        "placements": [{**enrolled, "pupil_key": f"{school}-{n}"} for n in range(4)],
        "support": [
            {
                "pupil_key": f"{school}-3",
                "kind": "opp",
                "status": "running",
                "starts_on": date(2026, 9, 1),
            }
        ],
        "absence": [
            record(n, 5 + n, ends_at=None if n == 4 else datetime(2026, 10, 5 + n))
            for n in range(6)
        ]
        + [record(n, day) for n, day in ((6, 16), (10, 26))],
    }
    return {
        name: [
            {"record_key": f"{school}-{name}-{at}", **row, "school": school}
            for at, row in enumerate(rows)
        ]
        for name, rows in tables.items()
    }


def as_bytes(table: pa.Table) -> list[bytes]:
    return [
        column.to_numpy().tobytes()
        if pa.types.is_float32(column.type)
        else repr(column.to_pylist()).encode()
        for column in table.columns
    ]


@needs_java
def test_spark_builds_the_same_bytes_school_by_school(session: Any, log: RecordLog) -> None:
    local = list(build(log, MONDAYS))
    spark = list(build_on_spark(session, log, MONDAYS))
    assert [table.num_rows for table in local] == [12, 12, 12]
    assert [as_bytes(table) for table in spark] == [as_bytes(table) for table in local]
    assert [table.schema.metadata for table in spark] == [t.schema.metadata for t in local]


@needs_java
def test_a_log_whose_older_files_lack_a_column_of_today(
    session: Any, log: RecordLog, tmp_path: Path
) -> None:
    """Files of before a school could say that its reports run on through a holiday."""
    older = RecordLog(Path(shutil.copytree(log.root, tmp_path / "records")))
    told = list(build(older, MONDAYS, ["90AC00"]))
    path = str(older.root / "schools")
    rows = pa.table(DeltaTable(path).to_pyarrow_table())
    is_first = pc.field("known_at") < datetime(2026, 1, 1, tzinfo=UTC)
    first = rows.filter(is_first).drop_columns(["episodes_over_holidays"])
    write_deltalake(path, first, mode="overwrite", schema_mode="overwrite")
    untold = list(build_on_spark(session, older, MONDAYS, ["90AC00"]))
    write_deltalake(path, rows.filter(~is_first), mode="append", schema_mode="merge")
    both = list(build_on_spark(session, older, MONDAYS, ["90AC00"]))
    assert [as_bytes(table) for table in both] == [as_bytes(table) for table in told]
    assert [as_bytes(table) for table in untold] != [as_bytes(table) for table in told]


@needs_java
def test_only_the_schools_asked_for_are_built(session: Any, log: RecordLog) -> None:
    (table,) = build_on_spark(session, log, MONDAYS[:1], ["90AC00"])
    assert set(table["school"].to_pylist()) == {"90AC00"}


def test_without_java_it_says_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("JAVA_HOME", raising=False)
    with pytest.raises(NotThere, match="Spark needs Java 17"):
        spark_session(SparkSettings())
