"""The ledger as a file: CSV for a spreadsheet, JSON with the Dutch standard's field names.

Whom a use was about goes along sealed, as it is stored: a file of one's own can still be asked "was
this child in it?" (`Ledger.holding`) with the key of the ledger, and without it tells nothing but
a number of pupils. JSON holds the sealed set itself, in base64: a digest could not be asked. CSV
holds its SHA-256, the one in the audit chain, by which the two belong together: a cell of a
spreadsheet ends at 32,767 characters, a set of three thousand pupils does not.
"""

import base64
import csv
import hashlib
import io
import json
from collections.abc import Iterable, Mapping
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
SET_DIGEST = "pupils_sha256"
_BEGINS_A_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def to_csv(rows: Iterable[LedgerRow], sets: Mapping[int, bytes]) -> str:
    """One line per use; a text that a spreadsheet would calculate stands behind an apostrophe.

    `sets` are the sealed sets by the number of their row; a row without one has an empty cell.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow((*COLUMNS, SET_DIGEST))
    for row in rows:
        sealed = sets.get(row.number)
        digest = hashlib.sha256(sealed).hexdigest() if sealed else ""
        writer.writerow([_harmless(value) for value in (*_values(row), digest)])
    return text.getvalue()


def to_json(rows: Iterable[LedgerRow], sets: Mapping[int, bytes]) -> str:
    """The uses; trace, activity, status and attributes named as the Dutch standard names them."""
    logged = [_logged(row, sets.get(row.number)) for row in rows]
    return json.dumps(logged, ensure_ascii=False, indent=2)


def sealed_sets(text: str) -> dict[int, bytes]:
    """The sealed sets in a file of `to_json`, by the number of their row."""
    return {
        int(one["span_id"].removeprefix("ledger-")): base64.b64decode(
            one["attributes"]["dpl.core.data_subject_id"]
        )
        for one in json.loads(text)
        if "dpl.core.data_subject_id" in one["attributes"]
    }


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


def _subjects(sealed: bytes | None) -> dict[str, str]:
    if sealed is None:
        return {"dpl.core.data_subject_id_type": "number only"}
    return {
        "dpl.core.data_subject_id": base64.b64encode(sealed).decode("ascii"),
        "dpl.core.data_subject_id_type": "sealed set, AES-256-GCM, base64",
        f"tijdig.{SET_DIGEST}": hashlib.sha256(sealed).hexdigest(),
    }


def _logged(row: LedgerRow, sealed: bytes | None) -> dict[str, Any]:
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
            **_subjects(sealed),
            **{
                f"tijdig.{name}": value
                for name, value in zip(COLUMNS, _values(row), strict=True)
                if name not in ("features", "schools")
            },
            "tijdig.features": list(row.features),
            "tijdig.schools": list(row.schools),
        },
    }
