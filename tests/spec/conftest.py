"""Features from tables that a person can read: what is written is what is known."""

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from types import ModuleType
from typing import Any

import pyarrow as pa
import pytest

from features.build import build_partition
from features.records import LogTable, schema_of

Row = dict[str, Any]

GROUP = "6a"


def read_table(text: str, table: LogTable) -> list[Row]:
    """The rows of an ASCII table; an empty cell is nothing, a missing column too."""
    lines = [line.strip() for line in text.strip().splitlines()]
    names = [name.strip() for name in lines[0].split("|")]
    types = {field.name: field.type for field in schema_of(table)}
    rows = []
    for line in lines[1:]:
        cells = [cell.strip() for cell in line.split("|")]
        pairs = zip(names, cells, strict=True)
        rows.append({name: _value(cell, types[name]) for name, cell in pairs if cell})
    return rows


def _value(cell: str, kind: pa.DataType) -> object:
    if pa.types.is_timestamp(kind):
        moment = datetime.fromisoformat(cell)
        return moment.replace(tzinfo=UTC) if kind.tz else moment
    if pa.types.is_date(kind):
        return date.fromisoformat(cell)
    if pa.types.is_boolean(kind):
        return cell == "yes"
    return int(cell) if pa.types.is_integer(kind) else cell


def _known_in_time(row: Row) -> Row:
    """Recorded the same afternoon, unless the table says otherwise."""
    day = row.get("starts_on") or row["starts_at"].date()
    return {"known_at": datetime.combine(day, time(16), UTC), **row}


@pytest.fixture
def feature(history: ModuleType) -> Callable[..., float]:
    """The value of a feature of one pupil at a school in region midden, from ASCII tables.

    The pupil (`anna`) is in group 6a since August 2024 and has 300 minutes on each of five days a
    week. Nothing else is known but what the tables say.
    """

    def value(
        name: str,
        *,
        as_of: str,
        absence: str = "",
        support: str = "",
        placements: str = "",
        calendar: str = "",
        schools: str = "",
        classmates: int = 0,
        sector: str = "po",
    ) -> float:
        keys = ["anna", *(f"classmate {number}" for number in range(1, classmates + 1))]
        enrolled = [
            {
                "pupil_key": key,
                "group": GROUP,
                "year_group": "6",
                "born_on": date(2016, 3, 1),
                "enrolled_on": date(2024, 8, 1),
            }
            for key in keys
        ]
        school = {"record_key": "school", "name": "De Proef", "sector": sector, "region": "midden"}
        versions = {
            "schools": [{**school, **row} for row in _rows(schools, LogTable.SCHOOLS) or [{}]],
            "timetable": [*history.plain_week(GROUP), *history.plain_week("6b")],
            "placements": _rows(placements, LogTable.PLACEMENTS) or enrolled,
            "calendar": _rows(calendar, LogTable.CALENDAR),
            "absence": [_known_in_time(row) for row in _rows(absence, LogTable.ABSENCE)],
            "support": [_known_in_time(row) for row in _rows(support, LogTable.SUPPORT)],
        }
        monday = date.fromisoformat(as_of)
        assert monday - timedelta(days=monday.weekday()) == monday
        built = build_partition(history.partition(**versions), [monday]).to_pylist()
        (row,) = [row for row in built if row["pupil_key"] == "anna"]
        return float(row[name])

    return value


@pytest.fixture
def rows_of() -> Callable[..., list[Row]]:
    """Reads an ASCII table: `rows_of(text, table)`."""
    return read_table


def _rows(text: str, table: LogTable) -> list[Row]:
    rows = read_table(text, table) if text else []
    if "pupil_key" in schema_of(table).names:
        return [{"pupil_key": "anna", **row} for row in rows]
    return rows
