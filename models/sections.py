"""Parts of a generated document: tables with a heading and a word of explanation, in Dutch."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from features.school_weeks import AMSTERDAM


@dataclass(frozen=True)
class Section:
    """One table of a document; every cell is text as people read it."""

    heading: str
    explanation: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def section(
    heading: str, explanation: str, columns: Sequence[str], rows: Iterable[Sequence[object]]
) -> Section:
    """A section from plain values."""
    cells = tuple(tuple(cell(value) for value in row) for row in rows)
    return Section(heading, explanation, tuple(columns), cells)


def cell(value: object) -> str:
    """One value as people read it.

    >>> cell(None), cell(True), cell(date(2026, 11, 3)), cell(float("nan")), cell(0.25)
    ('', 'ja', '03-11-2026', '', '0,25')
    """
    match value:
        case None:
            return ""
        case bool():
            return "ja" if value else "nee"
        case datetime():
            return _moment(value)
        case date():
            return f"{value:%d-%m-%Y}"
        case float():
            return "" if math.isnan(value) else f"{value:.4g}".replace(".", ",")
        case list() | tuple():
            return ", ".join(cell(one) for one in value)
        case _:
            return str(value)


def from_records(
    heading: str, explanation: str, labels: Mapping[str, str], rows: Sequence[Mapping[str, Any]]
) -> Section:
    """A section with the columns that have a label, in the order of the labels."""
    columns = [name for name in labels if any(name in row for row in rows)]
    values = [[row.get(name) for name in columns] for row in rows]
    return section(heading, explanation, [labels[name] for name in columns], values)


def _moment(value: datetime) -> str:
    # What a source wrote down without a zone is the school's own clock.
    local = value.astimezone(AMSTERDAM) if value.tzinfo else value
    return f"{local:%d-%m-%Y %H:%M}"
