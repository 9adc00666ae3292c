"""Stability of reasons: agreement over retrains, and a grouping so coarse that it says nothing."""

from dataclasses import replace

import numpy as np
import pytest

from features.errors import ExperimentError
from features.vocabulary import Theme
from models.bundle import Bundle
from models.explain import contributions, leading_themes
from models.risk_model import Params, TrainingRows, fit
from models.stability import NO_THEME, agreement, first_themes, stability


@pytest.fixture(scope="module")
def retrained(train: TrainingRows, calibration: TrainingRows, quick: Params) -> list[Bundle]:
    draws = [np.random.default_rng(seed).integers(0, len(train.y), len(train.y)) for seed in (1, 2)]
    return [
        fit(train.take(rows), calibration, replace(quick, seed=seed))
        for seed, rows in enumerate(draws, start=1)
    ]


@pytest.fixture(scope="module")
def listed(bundle: Bundle, later: TrainingRows) -> np.ndarray:
    return later.x[np.argsort(-bundle.margin(later.x))[:200]]


def test_one_model_agrees_with_itself(bundle: Bundle, listed: np.ndarray) -> None:
    found = stability([bundle, bundle], listed)
    assert (found.same_first, found.same_second, found.same_first_in_all) == (1, 1, 1)
    assert (found.models, found.rows) == (2, 200)


def test_retrained_models_agree_on_most_and_not_on_all(
    retrained: list[Bundle], listed: np.ndarray
) -> None:
    found = stability(retrained, listed)
    assert 0.8 < found.same_first <= 1
    assert 0.5 < found.same_second < 1
    assert found.shared_first > 0.5  # the four features that matter stand in few themes


@pytest.mark.slow
def test_twenty_retrained_models_agree(
    train: TrainingRows, calibration: TrainingRows, quick: Params, listed: np.ndarray
) -> None:
    """Over bootstraps and seeds; on these rows nearly all that raises a score is one theme."""
    models = []
    for seed in range(20):
        rows = np.random.default_rng(seed).integers(0, len(train.y), len(train.y))
        models.append(fit(train.take(rows), calibration, replace(quick, seed=seed)))
    found = stability(models, listed)
    assert found.models == 20
    assert found.same_first >= 0.9, found
    assert found.same_second >= 0.9, found
    assert found.shared_first > 0.9, "stability of the first theme alone would say nothing here"


def test_the_leading_theme_is_the_one_that_raised_the_score_most(
    bundle: Bundle, listed: np.ndarray
) -> None:
    explained = contributions(bundle, listed)
    for row, (first, second) in enumerate(leading_themes(explained)):
        parts = explained.by_theme[row]
        raising = sorted((part for part in parts if part > 0), reverse=True)
        assert parts[first] == raising[0]
        if second == NO_THEME:
            assert len(raising) == 1 or raising[1] < 0.1 * sum(raising)
        else:
            assert parts[second] == raising[1]


def test_a_theme_without_facts_is_passed_over(bundle: Bundle, listed: np.ndarray) -> None:
    every = np.ones((len(listed), len(Theme)), dtype=np.bool_)
    assert (first_themes([bundle], listed, every) == first_themes([bundle], listed)).all()
    first = first_themes([bundle], listed)[0, :, 0]
    without = every.copy()
    without[np.arange(len(listed)), first] = False
    again = first_themes([bundle], listed, without)[0, :, 0]
    assert (again != first).all()
    assert (first_themes([bundle], listed, ~every) == NO_THEME).all()


def test_everybody_having_one_first_theme_shows() -> None:
    same = np.zeros((3, 50, 2), dtype=np.int64)
    assert agreement(same).same_first == agreement(same).shared_first == 1
    varied = same.copy()
    varied[:, :25, 0] = 1
    assert agreement(varied).same_first == 1
    assert agreement(varied).shared_first == 0.5


def test_what_cannot_be_compared_is_refused(
    bundle: Bundle, train: TrainingRows, calibration: TrainingRows, quick: Params
) -> None:
    with pytest.raises(ExperimentError, match="two models"):
        stability([bundle], train.x[:5])
    fewer = [
        replace(rows, x=rows.x[:, :4], features=rows.features[:4]) for rows in (train, calibration)
    ]
    other = fit(fewer[0], fewer[1], quick)
    with pytest.raises(ExperimentError, match="different features"):
        stability([bundle, other], train.x[:5])
