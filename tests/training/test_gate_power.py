"""How often the gate lets a twin through, and how often it finds a real improvement: simulated."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from models.capacity import Capacity
from training.bootstrap import Resamples, per_pupil, ratio
from training.compare import difference
from training.evaluate import Evaluator, Measured

TRIES = 200
SIZE = {"schools": 8, "size": 150, "base": -5.5}
NOISE, LESS_NOISE = 1.5, 0.6
"""Spread of what a model does not know, beside a log-odds risk with a spread of 1.6."""
PROMOTED_TWINS = 0.05
POWER = 0.8


def chance_of_promotion(make: Callable[..., Any], tries: int, better: float, seed: int) -> float:
    """The share of fresh regions on which a challenger beats the incumbent by its interval."""
    return float(np.mean(list(_tries(make, tries, better, seed))))


def _tries(make: Callable[..., Any], tries: int, better: float, seed: int) -> Iterator[bool]:
    for number in range(tries):
        region = make(seed=seed + number, **SIZE)
        generator = np.random.default_rng(seed + 10_000 + number)
        judge = Evaluator(region.rows, Capacity(), Resamples(region.rows.pupils, 200, number))
        incumbent = _measured(region, judge, NOISE, generator)
        challenger = _measured(region, judge, better, generator)
        yield difference(challenger, incumbent, "recall", 0.95).better


def _measured(
    region: Any, judge: Evaluator, noise: float, generator: np.random.Generator
) -> Measured:
    """Each model misreads each pupil in its own way, the same every week; recall only."""
    rows, misread = region.rows, generator.normal(size=region.rows.pupils)
    listed = judge.listed(region.log_risk + noise * misread[rows.pupil])
    columns = per_pupil(rows.pupil, rows.pupils, listed & rows.positive, rows.positive)
    hits, positives = judge.resamples.sums(columns)
    return Measured("m", "", {"recall": ratio(hits, positives)})


def test_a_twin_is_seldom_promoted_and_an_improvement_sometimes(make: Callable[..., Any]) -> None:
    """The short version: a few tries, loose bounds."""
    assert chance_of_promotion(make, 15, better=NOISE, seed=100) <= 0.15
    assert chance_of_promotion(make, 8, better=0.0, seed=300) >= 0.5


@pytest.mark.slow
def test_twins_are_promoted_in_at_most_one_of_twenty(make: Callable[..., Any]) -> None:
    assert chance_of_promotion(make, TRIES, better=NOISE, seed=1_000) <= PROMOTED_TWINS


@pytest.mark.slow
def test_a_planted_improvement_is_found_at_the_stated_power(make: Callable[..., Any]) -> None:
    assert chance_of_promotion(make, TRIES, better=LESS_NOISE, seed=5_000) >= POWER
