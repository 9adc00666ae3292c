"""The record log: versions, withdrawals, as-of reading, and deliveries that come whole or not."""

import dataclasses
import os
import subprocess
import sys
import textwrap
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pytest

from features.errors import DeliveryRefused, SettingsError
from features.records import DeliveryRows, LogTable, RecordLog, schema_of
from features.records.partition import apart, read_each, read_partition

Make = Callable[..., DeliveryRows]


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def append(log: RecordLog, delivery: DeliveryRows) -> int:
    with log.writing():
        return log.append(delivery)


def kinds(log: RecordLog, as_of: str, **selection: list[str]) -> dict[str, str]:
    found = log.read_as_of(LogTable.ABSENCE, moment(as_of), **selection)
    return dict(zip(found["record_key"].to_pylist(), found["kind"].to_pylist(), strict=True))


def test_an_empty_log_has_every_table_with_its_columns(record_log: RecordLog) -> None:
    for table in LogTable:
        found = record_log.read_as_of(table, moment("2026-01-01"))
        assert found.num_rows == 0
        assert found.schema.equals(schema_of(table))
    assert record_log.schools() == []
    assert record_log.head() == 0


def test_what_is_known_at_the_moment_itself_is_not_known_yet(
    record_log: RecordLog, make_delivery: Make
) -> None:
    append(record_log, make_delivery(("a", "2026-09-07T04:00", "sick", "")))
    assert kinds(record_log, "2026-09-07T04:00") == {}
    assert kinds(record_log, "2026-09-07T04:00:00.000001") == {"a": "sick"}


def test_the_newest_version_counts_and_the_older_one_stays_readable(
    record_log: RecordLog, make_delivery: Make
) -> None:
    append(record_log, make_delivery(("a", "2026-09-07", "unverified", "")))
    append(record_log, make_delivery(("a", "2026-09-09", "sick", "")))
    assert kinds(record_log, "2026-09-08") == {"a": "unverified"}
    assert kinds(record_log, "2026-09-10") == {"a": "sick"}


def test_a_withdrawn_record_is_gone_from_then_on_and_can_come_back(
    record_log: RecordLog, make_delivery: Make
) -> None:
    append(
        record_log,
        make_delivery(
            ("a", "2026-09-07", "sick", ""),
            ("a", "2026-09-08", "sick", "withdrawn"),
            ("a", "2026-09-09", "leave", ""),
        ),
    )
    assert kinds(record_log, "2026-09-08") == {"a": "sick"}
    assert kinds(record_log, "2026-09-09") == {}
    assert kinds(record_log, "2026-09-10") == {"a": "leave"}


def test_of_two_versions_known_at_the_same_moment_the_later_row_wins(
    record_log: RecordLog, make_delivery: Make
) -> None:
    append(
        record_log,
        make_delivery(("a", "2026-09-07", "unverified", ""), ("a", "2026-09-07", "sick", "")),
    )
    assert kinds(record_log, "2026-09-08") == {"a": "sick"}
    append(record_log, make_delivery(("a", "2026-09-07", "leave", "")))
    assert kinds(record_log, "2026-09-08") == {"a": "leave"}


def test_versions_say_when_the_next_one_became_known(
    record_log: RecordLog, make_delivery: Make
) -> None:
    append(
        record_log,
        make_delivery(
            ("b", "2026-09-10", "leave", ""),
            ("a", "2026-09-09", "sick", ""),
            ("a", "2026-09-07", "unverified", ""),
        ),
    )
    found = record_log.read_versions(LogTable.ABSENCE)
    assert found.select(["record_key", "kind", "superseded_at"]).to_pylist() == [
        {"record_key": "a", "kind": "unverified", "superseded_at": moment("2026-09-09")},
        {"record_key": "a", "kind": "sick", "superseded_at": None},
        {"record_key": "b", "kind": "leave", "superseded_at": None},
    ]
    early = record_log.read_versions(LogTable.ABSENCE, known_before=moment("2026-09-09"))
    assert early.select(["record_key", "superseded_at"]).to_pylist() == [
        {"record_key": "a", "superseded_at": None}
    ]


def test_reading_can_be_narrowed_to_schools_and_pupils(
    record_log: RecordLog, make_delivery: Make
) -> None:
    append(record_log, make_delivery(("a", "2026-09-07", "sick", ""), school="90AB00"))
    append(
        record_log,
        make_delivery(
            ("b", "2026-09-07", "leave", ""), ("c", "2026-09-07", "sick", ""), school="90CD00"
        ),
    )
    assert kinds(record_log, "2026-10-01", schools=["90CD00"]) == {"b": "leave", "c": "sick"}
    assert kinds(record_log, "2026-10-01", pupil_keys=["p1c"]) == {"c": "sick"}
    assert kinds(record_log, "2026-10-01", schools=[]) == {}
    found = record_log.read_versions(LogTable.ABSENCE, schools=["90AB00"])
    assert found["school"].to_pylist() == ["90AB00"]


def test_the_log_can_be_read_as_it_was_after_an_earlier_delivery(
    record_log: RecordLog, make_delivery: Make
) -> None:
    first = append(record_log, make_delivery(("a", "2026-09-07", "unverified", "")))
    # Recorded at school on the 8th, delivered only now: without `head` this rewrites the past.
    append(record_log, make_delivery(("a", "2026-09-08", "sick", "")))
    assert kinds(record_log, "2026-09-09") == {"a": "sick"}
    then = RecordLog(record_log.root, head=first)
    assert kinds(then, "2026-09-09") == {"a": "unverified"}
    assert then.read_versions(LogTable.ABSENCE)["superseded_at"].to_pylist() == [None]


KILLED = """
    import os, sys
    sys.path.insert(0, {tests!r})
    from pathlib import Path
    import conftest
    from features.records import DeliveryRows, LogTable, RecordLog, log as log_module
    real = log_module.write_deltalake

    def write_then_die(path, rows, **options):
        if Path(path).name == {before!r}:
            os._exit(9)
        real(path, rows, **options)
        if Path(path).name == {after!r}:
            os._exit(9)

    log_module.write_deltalake = write_then_die
    log = RecordLog(Path(sys.argv[1]))
    versions = [("a", "2026-09-09", "leave", ""), ("b", "2026-09-09", "sick", "")]
    tables = {{LogTable.ABSENCE: conftest.absence_rows(versions, "90AB00")}}
    with log.writing():
        log.append(DeliveryRows(conftest.moment("2026-11-02T00:00"), "f" * 64, tables))
"""


def append_and_be_killed(root: Path, *, before: str = "", after: str = "") -> None:
    script = textwrap.dedent(
        KILLED.format(tests=str(Path(__file__).parent), before=before, after=after)
    )
    environ = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run([sys.executable, "-c", script, str(root)], env=environ, check=False)
    assert done.returncode == 9


@pytest.mark.parametrize("where", [{"before": "absence"}, {"after": "absence"}])
def test_a_killed_append_leaves_the_old_state_and_a_rerun_completes(
    record_log: RecordLog, make_delivery: Make, where: dict[str, str]
) -> None:
    append(record_log, make_delivery(("a", "2026-09-07", "sick", "")))
    append_and_be_killed(record_log.root, **where)
    assert kinds(record_log, "2026-10-01") == {"a": "sick"}
    assert record_log.head() == 1
    append(
        record_log,
        make_delivery(("a", "2026-09-09", "leave", ""), ("b", "2026-09-09", "sick", "")),
    )
    assert kinds(record_log, "2026-10-01") == {"a": "leave", "b": "sick"}
    assert record_log.read_versions(LogTable.ABSENCE).num_rows == 3


def test_leftovers_of_a_killed_append_are_removed_by_the_next_one(
    record_log: RecordLog, make_delivery: Make
) -> None:
    from deltalake import DeltaTable

    append(record_log, make_delivery(("a", "2026-09-07", "sick", "")))
    append_and_be_killed(record_log.root, after="absence")
    stored = DeltaTable(str(record_log.root / "absence"))
    assert stored.to_pyarrow_dataset().count_rows() == 3
    append(record_log, make_delivery(("c", "2026-09-09", "sick", "")))
    stored.update_incremental()
    assert stored.to_pyarrow_dataset().count_rows() == 2


def test_a_run_killed_just_after_its_commit_has_delivered(
    record_log: RecordLog, make_delivery: Make
) -> None:
    append(record_log, make_delivery(("a", "2026-09-07", "sick", "")))
    append_and_be_killed(record_log.root, after="deliveries")
    assert kinds(record_log, "2026-10-01") == {"a": "leave", "b": "sick"}
    append(record_log, make_delivery(("c", "2026-09-09", "sick", "")))
    assert kinds(record_log, "2026-10-01") == {"a": "leave", "b": "sick", "c": "sick"}


def test_a_second_writer_is_refused(record_log: RecordLog) -> None:
    with (
        record_log.writing(),
        pytest.raises(DeliveryRefused, match="another import is writing"),
        RecordLog(record_log.root).writing(),
    ):
        pass


def test_deliveries_are_listed_with_their_schools(
    record_log: RecordLog, make_delivery: Make
) -> None:
    append(record_log, make_delivery(("a", "2026-09-07", "sick", ""), school="90CD00"))
    append(record_log, make_delivery())
    found = record_log.deliveries()
    assert found.select(["number", "schools", "rows"]).to_pylist() == [
        {"number": 1, "schools": ["90CD00"], "rows": 1},
        {"number": 2, "schools": [], "rows": 0},
    ]


def test_a_record_that_went_over_to_another_pupil_is_no_longer_of_the_first(
    record_log: RecordLog, make_delivery: Make
) -> None:
    first = make_delivery(("a", "2026-09-01", "sick", ""))
    second = make_delivery(("a", "2026-09-08", "sick", ""))
    rows = second.tables[LogTable.ABSENCE]
    assert isinstance(rows, pa.Table)
    moved = rows.set_column(
        rows.schema.get_field_index("pupil_key"), "pupil_key", pa.array(["p1other"])
    )
    append(record_log, first)
    append(record_log, dataclasses.replace(second, tables={LogTable.ABSENCE: moved}))

    def count(key: str, as_of: str) -> int:
        found = record_log.read_as_of(LogTable.ABSENCE, moment(as_of), pupil_keys=[key])
        return int(found.num_rows)

    assert (count("p1a", "2026-09-02"), count("p1other", "2026-09-02")) == (1, 0)
    assert (count("p1a", "2026-09-09"), count("p1other", "2026-09-09")) == (0, 1)


def test_schools_read_together_come_apart_as_if_each_was_read_alone(
    record_log: RecordLog, make_delivery: Make
) -> None:
    append(record_log, make_delivery(("b", "2026-09-07", "sick", ""), school="90AB00"))
    append(record_log, make_delivery(("c", "2026-09-08", "leave", ""), school="90CD00"))
    append(record_log, make_delivery(("a", "2026-09-09", "sick", ""), school="90AB00"))
    append(record_log, make_delivery(("c", "2026-09-10", "sick", ""), school="90CD00"))
    schools, until = ["90AB00", "90CD00", "90EF00"], moment("2026-09-30")
    alone = {school: read_partition(record_log, school, until) for school in schools}
    for together in (1, 2, 3):
        found = dict(read_each(record_log, schools, until, together))
        assert list(found) == schools
        for school in schools:
            for name, table in vars(alone[school]).items():
                assert getattr(found[school], name).equals(table), (school, name, together)
    assert list(dict(apart(read_partition(record_log, schools, until), schools[1:]))) == schools[1:]
    assert alone["90AB00"].absence.num_rows == alone["90CD00"].absence.num_rows == 2


def test_a_log_of_another_version_is_refused_whole(
    record_log: RecordLog, make_delivery: Make
) -> None:
    append(record_log, make_delivery(("a", "2026-09-07", "sick", "")))
    for found in ("1", "3"):
        (record_log.root / "layout").write_text(found, "utf-8")
        with pytest.raises(SettingsError, match=rf"layout {found}; this one reads layout 2"):
            RecordLog(record_log.root).head()
        with pytest.raises(SettingsError):
            append(RecordLog(record_log.root), make_delivery(("b", "2026-09-08", "sick", "")))
    (record_log.root / "layout").unlink()  # as every log before layouts were marked
    with pytest.raises(SettingsError, match="layout 1"):
        kinds(RecordLog(record_log.root), "2026-09-10")
