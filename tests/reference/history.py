"""Record versions of small schools, written by hand or made at random, as partition tables."""

import itertools
from collections.abc import Iterable
from datetime import UTC, date, datetime
from typing import Any

import pyarrow as pa

from features.records import LogTable, schema_of
from features.records.partition import PartitionTables

Row = dict[str, Any]

LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
SCHOOL = "90AB00"


def partition(**versions: Iterable[Row]) -> PartitionTables:
    """Partition tables of the given versions; what a row does not say has a plain default.

    Versions of one `record_key` follow each other by `known_at`; among equals the later row wins.
    """
    return PartitionTables(
        **{
            name: _table(LogTable(name), list(versions.get(name, ())))
            for name in PartitionTables.__dataclass_fields__
        }
    )


def _table(table: LogTable, rows: list[Row]) -> pa.Table:
    moment = pa.timestamp("us", tz="UTC")
    schema = schema_of(table).append(pa.field("superseded_at", moment))
    defaults: Row = {
        **dict.fromkeys(schema.names),
        "school": SCHOOL,
        "known_at": LONG_AGO,
        "known_at_basis": "recorded",
        "withdrawn": False,
    }
    filled = [{**defaults, "sequence": number, **row} for number, row in enumerate(rows)]
    for number, row in enumerate(filled):
        row["record_key"] = row["record_key"] or f"{table}-{number}"
    ordered = sorted(filled, key=lambda row: (row["record_key"], row["known_at"], row["sequence"]))
    for row, following in itertools.pairwise(ordered):
        if row["record_key"] == following["record_key"]:
            row["superseded_at"] = following["known_at"]
    return pa.Table.from_pylist(ordered, schema=schema)


def plain_week(group: str | None, minutes: Iterable[int] = (300,) * 5, **more: Any) -> list[Row]:
    """Timetable rows of one group (or of one pupil, with `pupil_key`) for Monday to Friday."""
    return [
        {
            "group": group,
            "weekday": number,
            "valid_from": date(2023, 8, 1),
            "planned_minutes": length,
            **more,
        }
        for number, length in enumerate(minutes, start=1)
    ]
