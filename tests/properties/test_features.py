"""Every feature equals the slow reference, and nothing known later, or in another order, counts."""

import math
from datetime import UTC, date, datetime, time, timedelta
from types import ModuleType
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.build import PartitionTables, build_partition
from features.catalogue import CATALOGUE
from features.school_weeks import as_of_moment
from features.vocabulary import AbsenceKind

TOLERANCE = 1e-5
Row = dict[str, Any]
Rows = dict[tuple[str, date], dict[str, Any]]


def by_pupil_and_monday(table: Any) -> Rows:
    return {(row["pupil_key"], row["as_of"]): row for row in table.to_pylist()}


def is_same(one: object, other: object) -> bool:
    if not isinstance(one, float) or not isinstance(other, float):
        return one == other
    both_undefined = math.isnan(one) and math.isnan(other)
    return both_undefined or math.isclose(one, other, rel_tol=TOLERANCE, abs_tol=TOLERANCE)


def differences(built: Rows, expected: Rows) -> dict[Any, Any]:
    """What differs: by row and column, what was built and what was expected."""
    assert built.keys() == expected.keys()
    return {
        (*place, column): (built[place][column], value)
        for place, row in expected.items()
        for column, value in row.items()
        if not is_same(built[place][column], value)
    }


def by_the_reference(
    tables: PartitionTables, mondays: list[date], oracle: ModuleType, school: str
) -> Rows:
    return {
        (key, monday): row
        for monday in mondays
        for key, row in oracle.features(tables, school, monday).items()
    }


def with_every_version_known_from_the_start(
    versions: dict[str, list[Row]],
) -> dict[str, list[Row]]:
    """What a build would see that does not ask when something became known."""
    return {
        name: [{**row, "known_at": datetime(1970, 1, 1, tzinfo=UTC)} for row in rows]
        for name, rows in versions.items()
    }


@given(data=st.data())
def test_every_feature_equals_the_reference(
    data: Any, schools: Any, history: ModuleType, oracle: ModuleType
) -> None:
    versions, mondays = data.draw(schools)
    tables = history.partition(**versions)
    expected = by_the_reference(tables, mondays, oracle, history.SCHOOL)
    built = by_pupil_and_monday(build_partition(tables, mondays))
    assert differences(built, expected) == {}
    assert all(row.keys() == {f.name for f in CATALOGUE} for row in expected.values())


@given(data=st.data())
def test_what_becomes_known_at_the_monday_or_later_changes_nothing(
    data: Any, schools: Any, history: ModuleType
) -> None:
    versions, mondays = data.draw(schools)
    monday = data.draw(st.sampled_from(mondays))
    known_then = {
        name: [row for row in rows if row.get("known_at", history.LONG_AGO) < as_of_moment(monday)]
        for name, rows in versions.items()
    }
    of_all = build_partition(history.partition(**versions), [monday])
    of_known = build_partition(history.partition(**known_then), [monday])
    assert differences(by_pupil_and_monday(of_all), by_pupil_and_monday(of_known)) == {}


@given(data=st.data())
def test_one_monday_at_a_time_equals_all_at_once(
    data: Any, schools: Any, history: ModuleType
) -> None:
    versions, mondays = data.draw(schools)
    tables = history.partition(**versions)
    together = by_pupil_and_monday(build_partition(tables, mondays))
    apart: Rows = {}
    for monday in mondays:
        apart |= by_pupil_and_monday(build_partition(tables, [monday]))
    assert differences(together, apart) == {}


@given(data=st.data())
def test_the_order_of_rows_does_not_matter(data: Any, schools: Any, history: ModuleType) -> None:
    versions, mondays = data.draw(schools)
    tables = history.partition(**versions)
    dice = data.draw(st.randoms(use_true_random=False))
    shuffled = {}
    for name, table in vars(tables).items():
        order = list(range(table.num_rows))
        dice.shuffle(order)
        shuffled[name] = table.take(pa.array(order, pa.int64()))
    again, before = (build_partition(t, mondays) for t in (PartitionTables(**shuffled), tables))
    assert again["pupil_key"].equals(before["pupil_key"])
    assert differences(by_pupil_and_monday(again), by_pupil_and_monday(before)) == {}


def dense_school(seed: int) -> dict[str, list[Row]]:
    """Two groups of pupils who are ill, late and away often, registered with every delay."""
    dice = np.random.default_rng(seed)

    def below(number: int) -> int:
        return int(dice.integers(number))

    def one_of(*choices: Any) -> Any:
        return choices[below(len(choices))]

    kinds = [kind.value for kind in AbsenceKind]
    pupils = [f"p{number:02d}" for number in range(22)]
    group = {key: "1a" if number < 14 else "2b" for number, key in enumerate(pupils)}
    absence: list[Row] = []
    for number in range(500):
        day = date(2024, 8, 26) + timedelta(days=below(130))
        is_silent_week = (day - date(2024, 8, 26)).days // 7 == 8
        key = one_of(*(pupils[:14] if is_silent_week else pupils))
        start = datetime.combine(day, one_of(time(8, 30), time(10), time(13)))
        length = one_of(50, 100, 210, 330, 2 * 24 * 60)
        known_at = datetime.combine(day, time(9), UTC) + timedelta(hours=below(400))
        row = {
            "record_key": f"a{number}",
            "pupil_key": key,
            "starts_at": start,
            "ends_at": None if below(33) == 0 else start + timedelta(minutes=length),
            "kind": one_of(*kinds, "sick", "sick", "sick", "late_arrival"),
            "known_at": known_at,
        }
        absence.append(row)
        if below(3) == 0:
            later = known_at + timedelta(hours=1 + below(300))
            new = {"known_at": later, "ends_at": start + timedelta(minutes=length)}
            change = one_of({}, {"kind": "unauthorised"}, {"withdrawn": True})
            absence.append({**row, **new, **change})
    week = [
        {"group": one, "weekday": weekday, "valid_from": date(2023, 8, 1), "planned_minutes": 330}
        for one in ("1a", "2b")
        for weekday in range(1, 6)
    ]
    placements = [
        {
            "pupil_key": key,
            "group": group[key],
            "year_group": group[key][0],
            "born_on": date(2014, 5, 1),
            "enrolled_on": date(begin, 8, 1),
        }
        for key in pupils
        for begin in (2023, 2024)
    ]
    school = {"name": "De Proef", "sector": "po", "region": "midden"}
    return {
        "schools": [school],
        "absence": absence,
        "timetable": week,
        "placements": placements,
    }


MONDAYS = [date(2024, 11, 11), date(2025, 1, 6)]


@pytest.mark.parametrize("over_holidays", [None, True])
def test_a_busy_school_equals_the_reference(
    over_holidays: bool | None, history: ModuleType, oracle: ModuleType
) -> None:
    versions = dense_school(1)
    versions["schools"][0]["episodes_over_holidays"] = over_holidays
    tables = history.partition(**versions)
    built = by_pupil_and_monday(build_partition(tables, MONDAYS))
    assert differences(built, by_the_reference(tables, MONDAYS, oracle, history.SCHOOL)) == {}
    # The comparison says something only where features have values.
    varied = {f.name: {row[f.name] for row in built.values()} for f in CATALOGUE}
    assert len(varied["group_deviation_4w"]) > 10
    assert len(varied["sick_episodes_12w"]) > 4
    assert {0.0, 1.0} <= varied["unregistered_weeks_12w"]
    assert len(varied["corrected_share_12w"]) > 10


@pytest.mark.parametrize("monday", MONDAYS)
def test_without_asking_when_things_became_known_the_comparison_fails(
    monday: date, history: ModuleType, oracle: ModuleType
) -> None:
    versions = dense_school(2)
    expected = by_the_reference(history.partition(**versions), [monday], oracle, history.SCHOOL)
    leaking = history.partition(**with_every_version_known_from_the_start(versions))
    found = differences(by_pupil_and_monday(build_partition(leaking, [monday])), expected)
    assert {"absent_share_4w", "absent_share_40w", "sick_share_4w"} <= {p[2] for p in found}


def test_a_day_of_the_future_changes_the_features(history: ModuleType) -> None:
    """Letting in what became known on the Monday after 06:00 is seen: the test has power."""
    versions = dense_school(3)
    monday = MONDAYS[0]
    at_seven = {**versions["absence"][0], "record_key": "new", "kind": "sick", "withdrawn": False}
    at_seven |= {"starts_at": datetime(2024, 11, 8, 8, 30), "ends_at": None}
    rows = []
    for hours in (1, -1):
        known_at = as_of_moment(monday) + timedelta(hours=hours)
        added = {**versions, "absence": [*versions["absence"], {**at_seven, "known_at": known_at}]}
        rows.append(by_pupil_and_monday(build_partition(history.partition(**added), [monday])))
    plain = by_pupil_and_monday(build_partition(history.partition(**versions), [monday]))
    assert differences(rows[0], plain) == {}
    assert differences(rows[1], plain) != {}
