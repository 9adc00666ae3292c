"""Calibration: probabilities that hold, an order that never turns."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.errors import ExperimentError
from models.calibration import Calibrator, Method, fit_calibrator


def rows(slope: float, seed: int, n: int = 20_000) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    margin = rng.normal(-3, 1.5, n)
    return margin, rng.random(n) < 1 / (1 + np.exp(-(slope * margin - 0.5)))


@pytest.mark.parametrize("method", ["sigmoid", "isotonic"])
def test_an_overconfident_margin_is_put_right(method: Method) -> None:
    margin, y = rows(0.5, seed=1)
    calibrator = fit_calibrator(margin, y, np.ones(len(y)), method)
    later_margin, later_y = rows(0.5, seed=2)
    p = calibrator.apply(later_margin)
    assert calibrator.method == method
    for low, high in ((0, 0.1), (0.1, 0.2), (0.2, 0.5)):
        inside = (p >= low) & (p < high)
        assert abs(p[inside].mean() - later_y[inside].mean()) < 0.02


def test_weights_undo_the_sampling_of_negatives() -> None:
    margin, y = rows(1.0, seed=3, n=60_000)
    kept = y | (np.random.default_rng(4).random(len(y)) < 0.1)
    weight = np.where(y, 1.0, 10.0)[kept]
    p = fit_calibrator(margin[kept], y[kept], weight).apply(margin)
    assert p.mean() == pytest.approx(y.mean(), rel=0.05)


@given(
    st.sampled_from(["sigmoid", "isotonic"]),
    st.integers(0, 2**32 - 1),
    st.floats(-2, 2),
    st.integers(2, 400),
)
def test_it_rises_strictly_whatever_the_rows(
    method: Method, seed: int, slope: float, n: int
) -> None:
    rng = np.random.default_rng(seed)
    margin = rng.normal(0, 2, n).round(1)  # with ties
    y = rng.random(n) < 1 / (1 + np.exp(-slope * margin))
    y[0], y[1] = True, False
    calibrator = fit_calibrator(margin, y, rng.uniform(1, 30, n), method)
    p = calibrator.apply(np.linspace(-12, 12, 500))
    assert (np.diff(p) > 0).all()
    assert p.min() > 0 and p.max() < 1


def test_an_isotonic_knot_rests_on_several_positives() -> None:
    margin, y = rows(1.0, seed=5)
    calibrator = fit_calibrator(margin, y, np.ones(len(y)), "isotonic")
    assert 3 <= len(calibrator.margins) <= y.sum() / 40


def test_few_positives_hardly_move_the_slope() -> None:
    margin, _ = rows(1.0, seed=6, n=2000)
    y = np.zeros(len(margin), dtype=bool)
    y[np.argsort(margin)[-3:]] = True
    assert 0.5 < fit_calibrator(margin, y, np.ones(len(y)), "isotonic").below < 2.5


def test_rows_of_few_pupils_argue_less_than_rows_of_many() -> None:
    margin, _ = rows(1.0, seed=8, n=4000)
    y = np.zeros(len(margin), dtype=bool)
    y[np.random.default_rng(9).choice(len(y), 80, replace=False)] = True  # margin says nothing
    ten, eighty = np.arange(len(y)), np.arange(len(y))
    ten[y] = np.arange(80) // 8
    slopes = [
        fit_calibrator(margin, y, np.ones(len(y)), pupils=pupils).below for pupils in (ten, eighty)
    ]
    assert slopes[0] > slopes[1] + 0.15
    expected = fit_calibrator(margin, y, np.ones(len(y)), pupils=ten).apply(margin).sum()
    assert expected == pytest.approx(80, rel=1e-6), "the level is that of the rows all the same"


def test_rows_of_one_kind_are_refused() -> None:
    with pytest.raises(ExperimentError, match="0 onsets in 5 rows"):
        fit_calibrator(np.zeros(5), np.zeros(5, dtype=bool), np.ones(5))


def test_json_keeps_it_exactly() -> None:
    margin, y = rows(1.0, seed=7)
    calibrator = fit_calibrator(margin, y, np.ones(len(y)), "isotonic")
    assert Calibrator.from_json(json.loads(json.dumps(calibrator.to_json()))) == calibrator
