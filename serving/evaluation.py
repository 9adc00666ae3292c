"""The stored comparison of the model in use: a summary in JSON, read tolerantly for its page."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FILE_NAME = "evaluation.json"


@dataclass(frozen=True)
class Measured:
    """One figure with its interval; None where it was not measured or has no interval."""

    value: float | None = None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Compared:
    """One model, rule or the oracle, judged on the same rows as the others."""

    name: str
    label: str
    kind: str
    is_champion: bool
    metrics: Mapping[str, Measured]


@dataclass(frozen=True)
class Paired:
    """The model minus another on one metric, measured on the same rows and resamples."""

    other: str
    metric: str
    difference: Measured


@dataclass(frozen=True)
class BlockOutcome:
    """What came of one part of such lists: how many pupils, and in which share of their places."""

    block: str
    pupils: int
    precision: Measured


@dataclass(frozen=True)
class Evaluation:
    """What the page shows; everything that the summary does not hold stays empty."""

    model_version: str
    trained_until: str
    tested_on: str
    made_at: str
    label: str
    rows: tuple[Compared, ...]
    comparisons: tuple[Paired, ...]
    notes: tuple[str, ...]
    blocks: tuple[BlockOutcome, ...] = ()


def read_evaluation(path: Path) -> Evaluation | None:
    """The summary at `path`; None when there is none, or it cannot be read.

    Unknown fields are passed over and missing ones are empty: an older or newer writer does not
    break the page. A figure is a number, or an object with value, low and high.

    >>> read_evaluation(Path("/nowhere/evaluation.json")) is None
    True
    """
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, json.JSONDecodeError):
        return None
    if not isinstance(document, dict):
        return None
    rows = [_compared(row) for row in _items(document, "rows") if isinstance(row, dict)]
    return Evaluation(
        model_version=_text(document, "model_version"),
        trained_until=_text(document, "trained_until"),
        tested_on=_text(document, "tested_on"),
        made_at=_text(document, "made_at"),
        label=_text(document, "label"),
        rows=tuple(rows),
        comparisons=tuple(
            Paired(_text(row, "other"), _text(row, "metric"), _measured(row.get("interval")))
            for row in _items(document, "comparisons")
            if isinstance(row, dict)
        ),
        notes=tuple(str(note) for note in _items(document, "notes")),
        blocks=tuple(
            BlockOutcome(
                _text(row, "block"),
                int(_number(row.get("pupils")) or 0),
                _measured(row.get("precision")),
            )
            for row in _items(document, "blocks")
            if isinstance(row, dict)
        ),
    )


def _compared(row: Mapping[str, Any]) -> Compared:
    metrics = row.get("metrics")
    return Compared(
        name=_text(row, "name"),
        label=_text(row, "label") or _text(row, "name"),
        kind=_text(row, "kind"),
        is_champion=row.get("champion") is True,
        metrics=(
            {str(name): _measured(value) for name, value in metrics.items()}
            if isinstance(metrics, dict)
            else {}
        ),
    )


def _measured(value: object) -> Measured:
    if isinstance(value, dict):
        return Measured(*(_number(value.get(name)) for name in ("value", "low", "high")))
    return Measured(_number(value))


def _number(value: object) -> float | None:
    """A finite number, or None; JSON writers disagree on NaN."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if abs(value) < float("inf") else None


def _text(document: Mapping[str, Any], name: str) -> str:
    value = document.get(name)
    return str(value) if isinstance(value, str | int | float) else ""


def _items(document: Mapping[str, Any], name: str) -> list[Any]:
    value = document.get(name)
    return value if isinstance(value, list) else []
