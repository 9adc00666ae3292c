"""Feature tables from a real record log, and the days of pupils for labels and pages."""

import hashlib
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from features.absence import day_grid, known_days, pupil_days
from features.build import SCHEMA, build, build_partition, read_partition
from features.errors import SettingsError
from features.records import DeliveryRows, LogTable, RecordLog
from features.records.partition import read_pupil
from features.school_weeks import as_of_moment
from features.vocabulary import AbsenceKind

MONDAY = date(2026, 11, 9)
SCHOOLS = ("90AB00", "90AC00")


def versions(history: ModuleType, school: str) -> dict[str, list[dict[str, Any]]]:
    """Three pupils of one school; one is ill, reported openly and closed a week later."""
    ill = {"starts_at": datetime(2026, 11, 4, 8, 30), "kind": "sick", "pupil_key": f"{school}-1"}
    enrolled = {"group": "5a", "year_group": "5", "enrolled_on": date(2024, 8, 1)}
    tables: dict[str, list[dict[str, Any]]] = {
        "schools": [{"name": "De Proef", "sector": "po", "region": "midden"}],
        "timetable": history.plain_week("5a"),
        "placements": [{**enrolled, "pupil_key": f"{school}-{number}"} for number in (1, 2, 3)],
        "absence": [
            {**ill, "record_key": "a", "known_at": datetime(2026, 11, 4, 9, tzinfo=UTC)},
            {
                **ill,
                "record_key": "a",
                "ends_at": datetime(2026, 11, 5, 14),
                "known_at": datetime(2026, 11, 11, 9, tzinfo=UTC),
            },
        ],
    }
    return {name: [{**row, "school": school} for row in rows] for name, rows in tables.items()}


@pytest.fixture
def log(tmp_path: Path, history: ModuleType) -> RecordLog:
    """A log with one delivery per school."""
    log = RecordLog(tmp_path / "records")
    with log.writing():
        for school in SCHOOLS:
            tables = history.partition(**versions(history, school))
            rows = {LogTable(name): _with_own_keys(t, school) for name, t in vars(tables).items()}
            digest = hashlib.sha256(school.encode()).hexdigest()
            log.append(DeliveryRows(datetime(2026, 11, 12, tzinfo=UTC), digest, rows))
    return log


def _with_own_keys(table: pa.Table, school: str) -> pa.Table:
    keys = [f"{school}-{key}" for key in table["record_key"].to_pylist()]
    table = table.set_column(
        table.schema.get_field_index("record_key"), "record_key", pa.array(keys, pa.string())
    )
    return table.drop_columns(["superseded_at", "delivery", "sequence"])


def test_the_log_gives_the_same_features_as_the_versions_by_hand(
    log: RecordLog, history: ModuleType
) -> None:
    mondays = [MONDAY, MONDAY + timedelta(weeks=1)]
    of_log = list(build(log, mondays))
    assert [set(table["school"].to_pylist()) for table in of_log] == [{s} for s in SCHOOLS]
    by_hand = build_partition(history.partition(**versions(history, SCHOOLS[0])), mondays)
    assert of_log[0].schema == by_hand.schema == SCHEMA
    assert of_log[0].to_pandas().equals(by_hand.to_pandas())


def test_several_schools_in_one_partition_are_kept_apart(log: RecordLog) -> None:
    together = build_partition(read_partition(log, SCHOOLS, as_of_moment(MONDAY)), [MONDAY])
    apart = pa.concat_tables(build(log, [MONDAY]))
    assert together.to_pandas().equals(apart.to_pandas())


def test_rows_say_who_and_when(log: RecordLog) -> None:
    (table,) = build(log, [MONDAY], schools=["90AC00"])
    row = table.to_pylist()[0]
    assert row["pupil_key"] == "90AC00-1"
    assert (row["school"], row["sector"], row["group"], row["year_group"]) == (
        "90AC00",
        "po",
        "5a",
        "5",
    )
    assert row["as_of"] == MONDAY
    assert row["event_timestamp"] == as_of_moment(MONDAY)
    assert row["absent_days_4w"] == 3


def test_another_day_than_monday_is_refused(log: RecordLog) -> None:
    with pytest.raises(SettingsError, match="an as-of date is a Monday"):
        list(build(log, [MONDAY + timedelta(days=1)]))


def test_no_mondays_give_no_rows(history: ModuleType) -> None:
    assert build_partition(history.partition(), []).num_rows == 0
    assert build_partition(history.partition(), [MONDAY]).schema == SCHEMA


def test_a_school_not_known_yet_has_no_rows(history: ModuleType) -> None:
    tables = versions(history, SCHOOLS[0])
    tables["schools"][0]["known_at"] = as_of_moment(MONDAY)
    mondays = [MONDAY, MONDAY + timedelta(weeks=1)]
    built = build_partition(history.partition(**tables), mondays)
    assert set(built["as_of"].to_pylist()) == {mondays[1]}


def test_the_grid_for_labels_knows_what_was_known_at_its_moment(log: RecordLog) -> None:
    tables = read_partition(log, SCHOOLS[0], datetime(2026, 12, 1, tzinfo=UTC))
    first, last = date(2026, 10, 26), date(2026, 11, 15)
    before = day_grid(tables, SCHOOLS[0], as_of_moment(MONDAY), first, last)
    after = day_grid(tables, SCHOOLS[0], datetime(2026, 11, 15, 12, tzinfo=UTC), first, last)
    assert before.pupil_keys == [f"90AB00-{number}" for number in (1, 2, 3)]
    assert before.planned.shape == (3, 21)
    assert before.first_day == before.dates[0] == first
    sick_days = [np.flatnonzero(g.minutes[AbsenceKind.SICK][0]) for g in (before, after)]
    # Open on the 9th: up to the day before. Closed by the 15th: the 4th and 5th.
    assert [[before.dates[day].day for day in days] for days in sick_days] == [[4, 5, 6], [4, 5]]
    assert (before.absent <= before.planned).all()
    assert before.group_names[before.group[0, 0]] == "5a"
    assert before.school_weeks.week_of(MONDAY) == 2


def test_the_calendar_of_one_pupil_needs_only_that_pupils_records(log: RecordLog) -> None:
    moment = as_of_moment(MONDAY)
    tables = read_pupil(log, SCHOOLS[0], "90AB00-1", moment)
    assert set(tables.absence["pupil_key"].to_pylist()) == {"90AB00-1"}
    days = pupil_days(tables, SCHOOLS[0], "90AB00-1", moment, MONDAY, weeks=4)
    assert days is not None
    # Four school weeks with the autumn holiday among them: five weeks of dates.
    assert (days.dates[0], days.dates[-1]) == (date(2026, 10, 5), date(2026, 11, 8))
    assert days.is_school_day.sum() == (days.planned > 0).sum() == 20
    assert days.minutes[AbsenceKind.SICK].sum() == 900
    assert pupil_days(tables, SCHOOLS[0], "somebody else", moment, MONDAY) is None


def test_the_known_days_are_those_of_the_features(log: RecordLog) -> None:
    tables = read_partition(log, SCHOOLS, datetime(2026, 12, 1, tzinfo=UTC))
    known = known_days(tables, SCHOOLS[0], MONDAY)
    grid = day_grid(
        tables, SCHOOLS[0], as_of_moment(MONDAY), known.weeks.first_monday, MONDAY - timedelta(1)
    )
    assert known.pupil_keys == tuple(grid.pupil_keys)
    assert (known.planned == grid.planned).all()
    assert (known.minutes[AbsenceKind.SICK] == grid.minutes[AbsenceKind.SICK]).all()
    assert known.counted.sum() > 0
    assert (known.counted <= (known.planned > 0)).all()
    assert known.group.tolist() == [0, 0, 0]
    assert known.enrolled_on == (date(2024, 8, 1),) * 3
    assert known.year_group == ("5",) * 3
    (record,) = known.records_of("90AB00-1")
    assert (record.kind, record.ends_at, record.minutes) == (AbsenceKind.SICK, None, None)
    later = known_days(tables, SCHOOLS[0], MONDAY + timedelta(weeks=1))
    (record,) = later.records_of("90AB00-1")
    assert record.ends_at == datetime(2026, 11, 5, 14)
    assert known.records_of("90AB00-2") == ()


def test_a_monday_before_the_first_pupil_has_no_rows(history: ModuleType) -> None:
    tables = versions(history, SCHOOLS[0])
    tables["placements"] = [
        {**row, "known_at": as_of_moment(MONDAY)} for row in tables["placements"]
    ]
    mondays = [MONDAY, MONDAY + timedelta(weeks=1)]
    built = build_partition(history.partition(**tables), mondays)
    assert set(built["as_of"].to_pylist()) == {mondays[1]}
    assert built.num_rows == 3


def test_what_was_over_before_the_span_changes_nothing_but_what_it_tells(
    history: ModuleType,
) -> None:
    """One Monday alone looks back less far than two years of Mondays, which need every version."""
    tables = versions(history, SCHOOLS[0])
    long_ago, now = datetime(2024, 9, 3, 8, 30), datetime(2026, 11, 4, 8, 30)

    def sick(number: int, key: str, first: datetime, last: datetime, day: date) -> dict[str, Any]:
        known_at = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
        pupil = {"pupil_key": f"{SCHOOLS[0]}-{number}", "school": SCHOOLS[0], "kind": "sick"}
        moments = {"starts_at": first, "ends_at": last, "known_at": known_at}
        return {**pupil, **moments, "record_key": key}

    hours = timedelta(hours=5, minutes=30)
    tables["absence"] = [
        # Moved into the last weeks, so corrected; out of them; all the time; over long ago.
        sick(1, "in", long_ago, long_ago + hours, date(2024, 9, 3)),
        sick(1, "in", now, now + hours, date(2026, 11, 5)),
        sick(2, "out", now, now + hours, date(2026, 11, 4)),
        sick(2, "out", long_ago, long_ago + hours, date(2026, 11, 5)),
        sick(3, "long", long_ago, now + hours, date(2024, 9, 3)),
        sick(3, "over", long_ago, long_ago + hours, date(2024, 9, 4)),
    ]
    partition = history.partition(**tables)
    alone = build_partition(partition, [MONDAY])
    every = build_partition(partition, [date(2024, 9, 9), MONDAY])
    of_monday = every.filter(pc.equal(every["as_of"], MONDAY))
    assert alone.to_pandas().equals(of_monday.to_pandas())
    assert alone["corrected_share_12w"].to_pylist()[0] == 1
    assert alone["absent_days_4w"].to_pylist() == [1, 0, 18]
