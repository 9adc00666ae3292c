"""Explaining many rows: contributions per theme, beside LightGBM's own `pred_contrib`."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from experiments.benchmarks.measuring import Row, measured

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from models.bundle import Bundle

ROWS_PER_PUPIL = 10


def measure(size: int, root: Path) -> Iterator[Row]:
    """The row of the table for ten rows per pupil, explained by one model."""
    rows = size * ROWS_PER_PUPIL
    folder = root / "bundle"
    measured(keep_model, folder)
    ours = measured(explain, folder, rows)
    theirs = measured(pred_contrib, folder, rows)
    yield Row(f"{rows:,} rows", "contributions per theme", ours, pred_contrib.__name__, theirs)


def keep_model(folder: Path) -> None:
    """A model of the product's default shape."""
    from experiments.benchmarks.monday import model

    model().save(folder)


def rows_for(bundle: "Bundle", rows: int) -> "NDArray[np.float32]":
    """Values between the borders that the model knows."""
    import numpy as np

    random = np.random.default_rng(1)
    low, high = np.array(bundle.preparation.lower), np.array(bundle.preparation.upper)
    values = random.random((rows, len(low)), np.float32)
    return (low + values * (high - low)).astype(np.float32)


def explain(folder: Path, rows: int) -> None:
    """Ours: what the weekly run and the reports call."""
    from models.bundle import Bundle
    from models.explain import contributions

    bundle = Bundle.load(folder)
    explained = contributions(bundle, rows_for(bundle, rows))
    assert len(explained.by_theme) == rows


def pred_contrib(folder: Path, rows: int) -> None:
    """Bare LightGBM on the same rows, as the trees see them."""
    import lightgbm

    from models.bundle import Bundle

    bundle = Bundle.load(folder)
    x = bundle.prepared(rows_for(bundle, rows))
    booster = lightgbm.Booster(model_str=bundle.model_text)
    assert len(booster.predict(x, pred_contrib=True)) == rows


explain.imports = ("models.explain",)  # type: ignore[attr-defined]
pred_contrib.imports = ("models.explain",)  # type: ignore[attr-defined]
