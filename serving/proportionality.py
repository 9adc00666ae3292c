"""What the model loses without each theme, as training measured it; read tolerantly."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from features.catalogue import CATALOGUE
from features.settings import Home
from features.vocabulary import Theme
from serving.evaluation import Measured

FILE_NAME = "proportionality.json"


@dataclass(frozen=True)
class Without:
    """The whole model minus the model refitted without a theme, on the same rows and resamples.

    A positive `recall` is what the theme adds at the schools' capacity; `lead` is in school weeks.
    """

    theme: str
    label: str
    features: int
    health: int
    recall: Measured
    lead: Measured

    @property
    def verdict(self) -> str:
        """In words: whether the theme demonstrably adds anything.

        >>> Without("x", "X", 3, 0, Measured(0.04, -0.01, 0.09), Measured()).verdict
        'draagt niet aantoonbaar bij'
        """
        low, high = self.recall.low, self.recall.high
        if low is None or high is None:
            return "niet gemeten"
        if low > 0:
            return "draagt bij"
        return "zonder dit thema beter" if high < 0 else "draagt niet aantoonbaar bij"


@dataclass(frozen=True)
class Proportionality:
    """The whole table. `smallest` names the smallest set of features found sufficient, if any."""

    model_version: str
    made_at: str
    tested_on: str
    themes: tuple[Without, ...]
    smallest: tuple[str, ...]
    smallest_loss: Measured


def read_proportionality(home: Home) -> Proportionality | None:
    """The table in `<home>/proportionality.json`; None when there is none or it cannot be read.

    Written by training, with the fields `model_version`, `made_at`, `tested_on`, `themes` (each
    with `theme`, `recall` and `lead` as value, low and high) and `smallest` (`features`, `recall`).
    """
    return _read(home.root / FILE_NAME)


def _read(path: Path) -> Proportionality | None:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    if not isinstance(document, dict):
        return None
    themes = document.get("themes")
    found = (
        [_without(row) for row in themes if isinstance(row, dict)]
        if isinstance(themes, list)
        else []
    )
    smallest = document.get("smallest")
    smallest = smallest if isinstance(smallest, dict) else {}
    names = smallest.get("features")
    return Proportionality(
        model_version=str(document.get("model_version", "")),
        made_at=str(document.get("made_at", "")),
        tested_on=str(document.get("tested_on", "")),
        themes=tuple(found),
        smallest=tuple(map(str, names)) if isinstance(names, list) else (),
        smallest_loss=_measured(smallest.get("recall")),
    )


def _without(row: Mapping[str, Any]) -> Without:
    name = str(row.get("theme", ""))
    known = {theme.value: theme.label for theme in Theme}
    members = [one for one in CATALOGUE if one.theme.value == name and one.role == "model"]
    return Without(
        theme=name,
        label=known.get(name, name),
        features=len(members),
        health=sum(one.health for one in members),
        recall=_measured(row.get("recall")),
        lead=_measured(row.get("lead")),
    )


def _measured(found: Any) -> Measured:
    if not isinstance(found, dict):
        return Measured()
    values = {name: found.get(name) for name in ("value", "low", "high")}
    return Measured(**{k: float(v) for k, v in values.items() if isinstance(v, int | float)})
