"""A stored model of either kind: trees or coefficients, read by what its own document says."""

import json
from pathlib import Path

from models.bundle import BUNDLE_FILE, Bundle
from models.logistic import LogisticModel

RiskModel = Bundle | LogisticModel
"""Both score, explain themselves additively (`parts`), and are saved without a pickle."""


def load_model(folder: Path) -> RiskModel:
    """The model in `folder`, verified; of an unknown kind the reader of bundles tells."""
    if _kind(folder) == "logistic":
        return LogisticModel.load(folder)
    return Bundle.load(folder)


def _kind(folder: Path) -> str:
    try:
        document = json.loads((folder / BUNDLE_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return ""  # the reader of bundles says what is wrong
    return str(document.get("kind", "")) if isinstance(document, dict) else ""
