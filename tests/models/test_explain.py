"""Explanations: they add up, they explain what was scored, and figures show no single pupil."""

from dataclasses import replace
from io import BytesIO

import numpy as np
import pytest

from features.catalogue import MODEL_FEATURES, feature
from features.vocabulary import Theme
from models.bundle import Bundle
from models.explain import (
    ROWS_PER_DOT,
    Contributions,
    contributions,
    dependence_figure,
    importance_figure,
    summary_figure,
)
from models.risk_model import MONOTONE, TrainingRows


@pytest.fixture(scope="module")
def explained(bundle: Bundle, later: TrainingRows) -> Contributions:
    return contributions(bundle, later.x)


def test_parts_add_up_to_the_margin(
    bundle: Bundle, later: TrainingRows, explained: Contributions
) -> None:
    margin = bundle.margin(later.x)
    assert np.abs(explained.base + explained.by_feature.sum(axis=1) - margin).max() < 1e-9
    assert np.abs(explained.base + explained.by_theme.sum(axis=1) - margin).max() < 1e-9


def test_every_row_has_the_same_base(bundle: Bundle, later: TrainingRows) -> None:
    assert len(np.unique(bundle.parts(later.x)[:, -1])) == 1


def test_what_is_explained_is_what_was_scored(bundle: Bundle, later: TrainingRows) -> None:
    coarse = replace(
        bundle, preparation=replace(bundle.preparation, step=(0.25,) * len(bundle.features))
    )
    explained = contributions(coarse, later.x)
    margin = coarse.margin(later.x)
    assert np.abs(explained.base + explained.by_feature.sum(axis=1) - margin).max() < 1e-9
    assert np.abs(margin - bundle.margin(later.x)).max() > 0.1, "the test has no power"
    assert (
        explained.by_feature == contributions(bundle, coarse.prepared(later.x)).by_feature
    ).all()


def test_a_feature_the_trees_never_use_has_no_part(bundle: Bundle, later: TrainingRows) -> None:
    used = bundle.booster.feature_importance("split") > 0
    parts = contributions(bundle, later.x).by_feature
    assert (parts[:, ~used] == 0).all()
    assert (np.abs(parts[:, used]).sum(axis=0) > 0).all()


def test_themes_gather_the_features_of_the_catalogue(
    bundle: Bundle, explained: Contributions
) -> None:
    pattern = [i for i, name in enumerate(bundle.features) if name.startswith("late_")]
    row = explained.of_row(0)
    assert row[Theme.PATTERN] == pytest.approx(explained.by_feature[0, pattern].sum())
    assert set(row) == set(Theme)


def test_no_rows_no_parts(bundle: Bundle) -> None:
    assert contributions(bundle, np.empty((0, 8), dtype=np.float32)).by_theme.shape == (0, 5)


def test_monotone_features_are_expected_to_raise_the_risk() -> None:
    assert set(MONOTONE) <= set(MODEL_FEATURES)
    assert all(feature(name).direction == 1 for name in MONOTONE)


def test_the_summary_shows_means_of_many_rows(
    explained: Contributions, later: TrainingRows
) -> None:
    figure = summary_figure(explained, later.x)
    dots = np.concatenate([np.asarray(c.get_offsets())[:, 0] for c in figure.axes[0].collections])
    single = explained.by_feature[np.abs(explained.by_feature) > 0.05]
    varied = [np.unique(explained.by_feature[:, at]).size > 50 for at in range(8)]
    assert any(varied) and len(dots) <= 8 * 30
    assert np.abs(dots).max() < np.abs(single).max()


def test_one_extreme_pupil_moves_no_point_of_a_figure_alone(
    bundle: Bundle, later: TrainingRows
) -> None:
    x = later.x.copy()
    x[5, 2] = 77.0
    parts = replace(contributions(bundle, x))
    for figure in (dependence_figure(parts, x), summary_figure(parts, x)):
        for axes in figure.axes:
            for line in axes.get_lines():
                assert 77.0 not in np.asarray(line.get_xdata())
    lengths = [
        len(np.asarray(axes.get_lines()[0].get_xdata()))
        for axes in dependence_figure(parts, x).axes
    ]
    assert max(lengths) <= len(x) / ROWS_PER_DOT


def test_figures_can_be_saved(explained: Contributions, later: TrainingRows) -> None:
    for figure in (
        importance_figure(explained),
        summary_figure(explained, later.x),
        dependence_figure(explained, later.x),
    ):
        target = BytesIO()
        figure.savefig(target, format="png")
        assert target.getvalue().startswith(b"\x89PNG")
