"""Ways of turning a margin into a probability, compared on rows that none of them has seen."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.isotonic import IsotonicRegression

from models.calibration import fit_calibrator
from training.bootstrap import Floats, Interval
from training.evaluate import PROBABILITY_METRICS, Evaluator, Score

PLACES = 150
"""Margins at which Venn–Abers is computed; between two of them the probability is interpolated."""


@dataclass(frozen=True)
class HeldBack:
    """The calibration rows as a model saw them that was not fitted on them."""

    margin: Floats
    y: NDArray[np.bool_]
    weight: Floats
    pupils: NDArray[np.int64] | None


@dataclass(frozen=True)
class CalibratorFigures:
    """One way of calibrating, on the final test; in `used` the one that the model has."""

    method: str
    used: bool
    metrics: Mapping[str, Interval]


def compare_calibrators(
    held_back: HeldBack, margin: Floats, used: str, evaluator: Evaluator, level: float
) -> tuple[CalibratorFigures, ...]:
    """Sigmoid, isotonic and Venn–Abers, fitted on `held_back` and judged on `margin`."""
    back = held_back
    scores = {
        method: fit_calibrator(back.margin, back.y, back.weight, method, back.pupils).apply(margin)
        for method in ("sigmoid", "isotonic")
    }
    scores["venn_abers"] = venn_abers(back, margin)
    everything = np.ones(len(margin), dtype=np.bool_)
    found = []
    for method, values in scores.items():
        draws = evaluator.probability(Score(method, method, values, probability=True), everything)
        metrics = {name: Interval.of(draws[name], level) for name in sorted(PROBABILITY_METRICS)}
        found.append(CalibratorFigures(method, method == used, metrics))
    return tuple(found)


def venn_abers(held_back: HeldBack, margin: Floats) -> Floats:
    """Inductive Venn–Abers: two isotonic fits, with the new row as 0 and as 1, made one chance.

    With p0 and p1 from the two fits the probability is p1 / (1 - p0 + p1) (Vovk and Petej 2014).
    The width p1 - p0 says how little the calibration rows know there.

    >>> rows = HeldBack(np.r_[np.zeros(90), np.ones(10)], np.arange(100) % 10 == 9, np.ones(100),
    ...                 None)
    >>> venn_abers(rows, np.array([0.0])).round(3)
    array([0.108])
    """
    places = np.unique(np.quantile(margin, np.linspace(0, 1, PLACES)))
    at, of_place = np.unique(held_back.margin, return_inverse=True)
    weight: Floats = np.bincount(of_place, held_back.weight).astype(np.float64)
    share = np.asarray(np.bincount(of_place, held_back.weight * held_back.y) / weight)
    chances = [_two_fits(at, share, weight, float(place)) for place in places]
    return np.asarray(np.interp(margin, places, np.array(chances)))


def _two_fits(at: Floats, share: Floats, weight: Floats, place: float) -> float:
    low, high = (
        float(
            IsotonicRegression(y_min=0.0, y_max=1.0, out_of_bounds="clip")
            .fit(np.r_[at, place], np.r_[share, outcome], sample_weight=np.r_[weight, 1.0])
            .predict([place])[0]
        )
        for outcome in (0.0, 1.0)
    )
    return high / (1 - low + high)
