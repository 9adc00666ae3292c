"""What each feature and theme adds to a score, exactly; figures show groups, never a pupil."""

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from features.catalogue import feature
from features.vocabulary import Theme
from models.stored import RiskModel

DOTS = 30
"""Dots per feature in the summary figure; each is the mean of so large a part of the rows."""
ROWS_PER_DOT = 20
"""No dot or point of a figure rests on fewer rows."""
SHOWN_FEATURES = 15
CURVES = 6
SMALLEST_PART = 0.1
"""A theme below this part of all that raised the score is left out: noise, not a reason."""


@dataclass(frozen=True)
class Contributions:
    """Parts of the margin (log-odds before calibration), one row per row explained.

    `base` plus a row of `by_feature`, and `base` plus a row of `by_theme`, is the margin of that
    row. The parts are TreeSHAP values on what the model saw (`Bundle.prepared`).
    """

    base: float
    by_feature: NDArray[np.float64]
    by_theme: NDArray[np.float64]
    features: tuple[str, ...]
    themes: tuple[Theme, ...]

    def of_row(self, row: int) -> dict[Theme, float]:
        """The part of each theme in one row."""
        return dict(zip(self.themes, self.by_theme[row].tolist(), strict=True))


def contributions(
    bundle: RiskModel, x: NDArray[np.float32], themes: Mapping[str, Theme] | None = None
) -> Contributions:
    """Explain the margin of each row of `x`; the theme of a feature is the catalogue's.

    Native tree contributions, which add up to within rounding; other ways of computing SHAP
    values have been off by more than a tenth. Cost grows with rows and trees: explain the listed.
    """
    theme_of = themes or {name: feature(name).theme for name in bundle.features}
    parts = bundle.parts(x)
    base = float(parts[0, -1]) if len(parts) else 0.0
    ordered = tuple(Theme)
    by_theme = np.zeros((len(parts), len(ordered)))
    for column, name in enumerate(bundle.features):
        by_theme[:, ordered.index(theme_of[name])] += parts[:, column]
    return Contributions(base, parts[:, :-1], by_theme, bundle.features, ordered)


def told_themes(
    explained: Contributions, tellable: NDArray[np.bool_] | None = None
) -> NDArray[np.bool_]:
    """Which themes may be given as a reason, [rows, themes]: those that raised the score enough.

    `tellable` marks the themes in which something stands out in the records of the row; without it
    every theme counts. A theme that lowered the score, or hardly raised it, is no reason.

    >>> parts = np.array([[1.0, 0.05, -2.0, 0.4, 0.0]])
    >>> told_themes(Contributions(0.0, parts, parts, (), tuple(Theme)[:5])).tolist()
    [[True, False, False, True, False]]
    """
    parts = explained.by_theme
    raised = np.clip(parts, 0.0, None)
    told: NDArray[np.bool_] = (parts > 0) & (
        parts >= SMALLEST_PART * raised.sum(axis=1, keepdims=True)
    )
    return told if tellable is None else told & tellable


def leading_themes(
    explained: Contributions, tellable: NDArray[np.bool_] | None = None
) -> NDArray[np.int64]:
    """The numbers of the first and second told theme per row, [rows, 2]; -1 where there is none.

    Equal parts are told in the fixed order of the themes.
    """
    parts = np.where(told_themes(explained, tellable), explained.by_theme, -np.inf)
    order = np.argsort(-parts, axis=1, kind="stable")[:, :2]
    known = np.isfinite(np.take_along_axis(parts, order, axis=1))
    return np.where(known, order, -1)


def importance_figure(explained: Contributions) -> Figure:
    """Bars of the mean absolute part of each theme and of the first features."""
    figure = Figure(figsize=(9, 7), layout="constrained")
    above, below = figure.subplots(2, 1, height_ratios=[1, 3])
    themes = np.abs(explained.by_theme).mean(axis=0)
    order = np.argsort(themes)
    above.barh([explained.themes[at].label for at in order], themes[order], color="#33577b")
    above.set_title("Gemiddeld aandeel in de score, per thema")
    means = np.abs(explained.by_feature).mean(axis=0)
    order = np.argsort(means)[-SHOWN_FEATURES:]
    below.barh([explained.features[at] for at in order], means[order], color="#7b9bbf")
    below.set_title("Per kenmerk")
    below.set_xlabel("gemiddelde absolute SHAP-waarde (log-odds)")
    return figure


def summary_figure(explained: Contributions, x: NDArray[np.float32]) -> Figure:
    """The SHAP summary plot of group means: a dot is the mean of a part of the rows, no pupil.

    For each feature the rows are ordered by its value and cut into at most `DOTS` equal parts.
    """
    order = np.argsort(np.where(np.isnan(x), np.inf, x), axis=0, kind="stable")
    parts = np.array_split(np.arange(len(x)), max(1, min(DOTS, len(x) // ROWS_PER_DOT)))
    rows = [order[part] for part in parts]
    shap = _shap()
    grouped = shap.Explanation(
        values=np.stack([_mean(np.take_along_axis(explained.by_feature, at, 0)) for at in rows]),
        data=np.stack([_mean(np.take_along_axis(x.astype(np.float64), at, 0)) for at in rows]),
        feature_names=list(explained.features),
    )
    from matplotlib import pyplot

    shown = min(SHOWN_FEATURES, len(explained.features))
    shap.plots.beeswarm(
        grouped,
        max_display=shown,
        group_remaining_features=False,
        plot_size=(9, 1 + 0.4 * shown),
        color_bar_label="waarde van het kenmerk",
        show=False,
    )
    figure: Figure = pyplot.gcf()
    figure.axes[0].set_xlabel("SHAP-waarde (log-odds), gemiddeld per groep leerlingen")
    pyplot.close(figure)
    return figure


def dependence_figure(explained: Contributions, x: NDArray[np.float32]) -> Figure:
    """For the first features: the mean part against the value, in bins of at least some rows."""
    figure = Figure(figsize=(9, 6), layout="constrained")
    first = np.argsort(-np.abs(explained.by_feature).mean(axis=0))[:CURVES]
    for axes, column in zip(figure.subplots(2, 3).flat, first, strict=False):
        values, parts = x[:, column].astype(np.float64), explained.by_feature[:, column]
        middles, means = binned_means(values, parts)
        axes.plot(middles, means, marker="o", markersize=3, color="#33577b")
        axes.axhline(0, color="#999999", linewidth=0.8)
        axes.set_title(explained.features[column], fontsize=9)
    figure.supylabel("gemiddelde SHAP-waarde (log-odds)")
    return figure


def binned_means(
    values: NDArray[np.float64], parts: NDArray[np.float64], rows: int = ROWS_PER_DOT
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean value and mean part per bin of neighbouring values; each bin has at least `rows` rows.

    Equal values stay in one bin; rows without a value are left out; what is left over at the top
    joins the bin below it.

    >>> binned_means(np.array([0., 0, 0, 1, 2, np.nan]), np.array([1., 1, 1, 2, 4, 9]), rows=2)
    (array([0. , 1.5]), array([1., 3.]))
    >>> binned_means(np.array([0., 0, 0, 1]), np.array([1., 1, 1, 5]), rows=2)
    (array([0.25]), array([2.]))
    """
    known = ~np.isnan(values)
    distinct, place = np.unique(values[known], return_inverse=True)
    counts = np.bincount(place, minlength=len(distinct))
    bins, filled = np.zeros(len(distinct), dtype=np.int64), 0
    current = 0
    for at, count in enumerate(counts):
        if filled >= rows:
            current, filled = current + 1, 0
        bins[at], filled = current, filled + int(count)
    if filled < rows and current:
        bins[bins == current] = current - 1
    of_row = bins[place]
    size = np.maximum(np.bincount(of_row), 1)
    return np.bincount(of_row, values[known]) / size, np.bincount(of_row, parts[known]) / size


def _mean(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Column means of what is known; NaN where nothing is."""
    known = ~np.isnan(values)
    total = np.where(known, values, 0.0).sum(axis=0)
    return np.asarray(np.where(known.any(axis=0), total / np.maximum(known.sum(axis=0), 1), np.nan))


def _shap() -> Any:
    # Importing shap takes seconds, and up to 0.51 it uses a colour map call that matplotlib 3.11
    # warns about.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PendingDeprecationWarning)
        import shap
    return shap
