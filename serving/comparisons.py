"""The stored comparisons of two models, read tolerantly for their page."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FOLDER = "comparisons"
_NAME = re.compile(r"(\d+)-(\d+)\.json")


@dataclass(frozen=True)
class Stored:
    """One comparison on file: B (`naar`) took the place of A (`van`) in it."""

    a: int
    b: int
    path: Path


def stored(home: Path) -> tuple[Stored, ...]:
    """All comparisons below `home`, the newest versions first.

    >>> stored(Path("/nowhere"))
    ()
    """
    found = [
        Stored(int(match[1]), int(match[2]), path)
        for path in (home / FOLDER).glob("*.json")
        if (match := _NAME.fullmatch(path.name))
    ]
    return tuple(sorted(found, key=lambda each: (-each.b, -each.a)))


def read_comparison(path: Path) -> Mapping[str, Any] | None:
    """The document, or None when it is not there or is damaged."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, json.JSONDecodeError):
        return None
    wanted = {"a": dict, "b": dict, "scores": list, "differences": list, "lists": dict}
    whole = isinstance(document, dict) and all(
        isinstance(document.get(name), kind) for name, kind in wanted.items()
    )
    return document if whole else None
