"""Bundles: what was saved is what is loaded, or loading refuses."""

import json
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from features.errors import NotThere, VerificationFailed
from models.bundle import Bundle, Metadata
from models.logistic import LogisticModel, fit_logistic
from models.risk_model import TrainingRows


@pytest.fixture(scope="module")
def logistic(train: TrainingRows, calibration: TrainingRows) -> LogisticModel:
    return fit_logistic(train, calibration)


def test_a_bundle_comes_back_the_same(bundle: Bundle, later: TrainingRows, tmp_path: Path) -> None:
    known = Metadata("risk_v1", "c0ffee", "onset within 8 school weeks", date(2025, 7, 1))
    saved = replace(bundle, metadata=known)
    saved.save(tmp_path)
    loaded = Bundle.load(tmp_path)
    assert loaded == saved
    assert loaded.content_hash == saved.content_hash != bundle.content_hash
    assert (loaded.score(later.x) == bundle.score(later.x)).all()


def test_a_bundle_is_two_text_files(bundle: Bundle, tmp_path: Path) -> None:
    bundle.save(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bundle.json", "model.txt"]
    for path in tmp_path.iterdir():
        assert all(line.isprintable() for line in path.read_text(encoding="utf-8").splitlines())


@pytest.mark.parametrize("name", ["model.txt", "bundle.json"])
def test_a_changed_file_is_refused(bundle: Bundle, tmp_path: Path, name: str) -> None:
    bundle.save(tmp_path)
    path = tmp_path / name
    text = path.read_text(encoding="utf-8")
    changed = text.replace('"seed": 1', '"seed": 2').replace("leaf_value=-", "leaf_value=-1", 1)
    assert changed != text
    path.write_text(changed, encoding="utf-8")
    with pytest.raises(VerificationFailed, match="its hash differs"):
        Bundle.load(tmp_path)


def test_an_unknown_version_and_another_kind_are_refused(
    bundle: Bundle, logistic: LogisticModel, tmp_path: Path
) -> None:
    bundle.save(tmp_path / "trees")
    path = tmp_path / "trees" / "bundle.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"version": 2}))
    with pytest.raises(VerificationFailed, match="version and kind"):
        Bundle.load(tmp_path / "trees")
    logistic.save(tmp_path / "logistic")
    with pytest.raises(VerificationFailed, match="version and kind"):
        Bundle.load(tmp_path / "logistic")


def test_what_is_not_there_or_not_json_is_said_plainly(tmp_path: Path) -> None:
    with pytest.raises(NotThere, match="cannot be read"):
        Bundle.load(tmp_path)
    (tmp_path / "bundle.json").write_text("{")
    with pytest.raises(VerificationFailed, match="is not JSON"):
        Bundle.load(tmp_path)


def test_logistic_regression_learns_and_comes_back_the_same(
    logistic: LogisticModel, later: TrainingRows, tmp_path: Path
) -> None:
    score = logistic.score(later.x)
    assert score[later.y].mean() > 1.3 * score[~later.y].mean()
    assert score.mean() == pytest.approx(later.y.mean(), rel=0.2)
    logistic.save(tmp_path)
    assert LogisticModel.load(tmp_path) == logistic
    assert (LogisticModel.load(tmp_path).score(later.x) == score).all()


def test_a_changed_logistic_model_is_refused(logistic: LogisticModel, tmp_path: Path) -> None:
    logistic.save(tmp_path)
    path = tmp_path / "bundle.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"intercept": 0.0}))
    with pytest.raises(VerificationFailed, match="its hash differs"):
        LogisticModel.load(tmp_path)


def test_scores_take_any_value(bundle: Bundle, logistic: LogisticModel) -> None:
    odd = np.array([[np.nan] * 8, [np.inf] * 8, [-np.inf] * 8, [1e30] * 8], dtype=np.float32)
    for model in (bundle, logistic):
        assert ((model.score(odd) > 0) & (model.score(odd) < 1)).all()
