"""The risk model: it learns, it is the same every time, and no pupil stands in its file."""

import re
from dataclasses import replace

import numpy as np
import pytest

from features.errors import ExperimentError
from models.bundle import Bundle
from models.risk_model import MONOTONE, Params, TrainingRows, fit


def auc(y: np.ndarray, score: np.ndarray) -> float:
    ranks = score.argsort().argsort()
    return float((ranks[y].mean() - (y.sum() - 1) / 2) / (~y).sum())


def test_it_finds_the_risk_and_its_probabilities_hold(bundle: Bundle, later: TrainingRows) -> None:
    score = bundle.score(later.x)
    assert auc(later.y, score) > 0.7
    assert score.mean() == pytest.approx(later.y.mean(), rel=0.2)


def test_the_exact_extreme_of_a_feature_is_not_in_the_files(
    train: TrainingRows, calibration: TrainingRows, quick: Params
) -> None:
    x = train.x.copy()
    extremes = 321.0625 + np.arange(x.shape[1])
    x[17] = extremes
    bundle = fit(replace(train, x=x), calibration, quick)
    written = {float(number) for number in re.findall(r"-?\d+\.?\d*(?:e[+-]?\d+)?", str(bundle))}
    assert not written & set(extremes.tolist())
    assert max(float(high) for high in re.findall(r":([\d.]+)\]", bundle.model_text)) < 300


def test_every_number_about_a_feature_is_on_its_grid(bundle: Bundle) -> None:
    infos = re.search(r"feature_infos=(.*)", bundle.model_text)
    assert infos
    for info, step in zip(infos.group(1).split(), bundle.preparation.step, strict=True):
        for value in map(float, info.strip("[]").split(":")):
            assert abs(value / step - round(value / step)) < 1e-3


def test_the_same_rows_give_the_same_bundle_on_any_number_of_threads(
    train: TrainingRows, calibration: TrainingRows, bundle: Bundle, quick: Params
) -> None:
    again = fit(train, calibration, replace(quick, threads=2))
    assert again.content_hash == bundle.content_hash
    other = fit(train, calibration, replace(quick, seed=2))
    assert other.content_hash != bundle.content_hash


def test_sampled_negatives_with_their_weights_give_about_the_same_probabilities(
    train: TrainingRows, calibration: TrainingRows, bundle: Bundle, quick: Params
) -> None:
    kept = train.y | (np.random.default_rng(5).random(len(train.y)) < 0.5)
    sampled = replace(train, weight=np.where(train.y, 1.0, 2.0)).take(kept)
    raw = fit(sampled, calibration, quick).margin(calibration.x)
    assert raw.mean() == pytest.approx(bundle.margin(calibration.x).mean(), abs=0.15)


def test_more_of_a_monotone_feature_never_lowers_the_score(
    bundle: Bundle, later: TrainingRows
) -> None:
    checked = 0
    for name in set(MONOTONE) & set(bundle.features):
        column = bundle.features.index(name)
        x = np.repeat(later.x[:200], 20, axis=0)
        x[:, column] = np.tile(np.linspace(0, np.nanmax(later.x[:, column]), 20), 200)
        assert (np.diff(bundle.margin(x).reshape(200, 20), axis=1) >= -1e-12).all(), name
        checked += 1
    assert checked == 4


def test_no_onset_to_learn_from_is_refused(train: TrainingRows, calibration: TrainingRows) -> None:
    with pytest.raises(ExperimentError, match="none of the 6000 training rows"):
        fit(replace(train, y=np.zeros_like(train.y)), calibration, Params())


def test_wrong_parameters_are_reported_together() -> None:
    with pytest.raises(ExperimentError, match=r"rounds = 0.*leaves = 900"):
        Params(rounds=0, leaves=900)


def test_rows_and_columns_must_fit(train: TrainingRows) -> None:
    with pytest.raises(ValueError, match="one value"):
        replace(train, y=train.y[:-1])
    with pytest.raises(ValueError, match="names each column"):
        replace(train, features=train.features[:-1])
