"""The ledger as a file: CSV for a spreadsheet, JSON with the Dutch standard's field names."""

import csv
import io
import json
from collections.abc import Iterable
from typing import Any

from features.governance.ledger import LedgerRow

COLUMNS = (
    "number",
    "moment",
    "actor",
    "role",
    "purpose",
    "action",
    "service",
    "features",
    "contract",
    "pupils",
    "schools",
    "run",
    "decision",
)
_BEGINS_A_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def to_csv(rows: Iterable[LedgerRow]) -> str:
    """One line per use; a text that a spreadsheet would calculate stands behind an apostrophe."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for row in rows:
        writer.writerow([_harmless(value) for value in _values(row)])
    return text.getvalue()


def to_json(rows: Iterable[LedgerRow]) -> str:
    """The uses; trace, activity, status and attributes named as the Dutch standard names them."""
    return json.dumps([_logged(row) for row in rows], ensure_ascii=False, indent=2)


def _values(row: LedgerRow) -> tuple[object, ...]:
    return (
        row.number,
        row.moment.isoformat(),
        row.actor,
        row.role.value,
        row.purpose.value,
        row.action.value,
        row.service,
        " ".join(row.features),
        row.contract_hash,
        row.pupils,
        " ".join(row.schools),
        row.run,
        row.decision,
    )


def _harmless(value: object) -> str:
    text = str(value)
    return f"'{text}" if text.startswith(_BEGINS_A_FORMULA) else text


def _logged(row: LedgerRow) -> dict[str, Any]:
    return {
        "trace_id": row.run,
        "span_id": f"ledger-{row.number}",
        "status_code": "OK",
        "name": row.action.value,
        "start_time": row.moment.isoformat(),
        # Written before the data are returned, and never afterwards: it has one moment.
        "end_time": row.moment.isoformat(),
        "attributes": {
            "dpl.core.processing_activity_id": row.purpose.value,
            "dpl.core.data_subject_id_type": "sealed set",
            **{
                f"tijdig.{name}": value
                for name, value in zip(COLUMNS, _values(row), strict=True)
                if name not in ("features", "schools")
            },
            "tijdig.features": list(row.features),
            "tijdig.schools": list(row.schools),
        },
    }
