"""A record log to write small deliveries to."""

import hashlib
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from features.records import DeliveryRows, LogTable, RecordLog, schema_of

Version = tuple[str, str, str, str]
"""record_key, known_at, kind, 'withdrawn' or ''."""


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def absence_rows(versions: Sequence[Version], school: str) -> pa.Table:
    rows: list[dict[str, Any]] = [
        {
            "record_key": key,
            "known_at": moment(known_at),
            "known_at_basis": "recorded",
            "withdrawn": withdrawn == "withdrawn",
            "fingerprint": f"{kind}{withdrawn}",
            "school": school,
            "pupil_key": f"p1{key}",
            "starts_at": datetime(2026, 9, 1, 8, 30),
            "kind": kind,
        }
        for key, known_at, kind, withdrawn in versions
    ]
    schema = schema_of(LogTable.ABSENCE)
    table = pa.Table.from_pylist(rows, schema=schema)
    return table.drop_columns(["delivery", "sequence"])


@pytest.fixture
def make_delivery() -> Callable[..., DeliveryRows]:
    """Rows of absence of one school as a delivery."""

    def make(*versions: Version, school: str = "90AB00") -> DeliveryRows:
        digest = hashlib.sha256(repr((versions, school)).encode()).hexdigest()
        return DeliveryRows(
            moment("2026-11-01T00:00"), digest, {LogTable.ABSENCE: absence_rows(versions, school)}
        )

    return make


@pytest.fixture
def record_log(tmp_path: Path) -> RecordLog:
    return RecordLog(tmp_path / "records")
