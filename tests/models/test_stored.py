"""Trees and coefficients come back as what they are, through the registry too, and explained."""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from features.errors import NotThere, VerificationFailed
from features.settings import Home
from models.bundle import BUNDLE_FILE, Bundle
from models.explain import contributions
from models.logistic import LogisticModel, fit_logistic
from models.registry import Registry
from models.risk_model import TrainingRows
from models.stored import load_model


@pytest.fixture(scope="module")
def logistic(train: TrainingRows, calibration: TrainingRows) -> LogisticModel:
    return fit_logistic(train, calibration)


def test_each_kind_is_read_back_as_itself(
    tmp_path: Path, bundle: Bundle, logistic: LogisticModel
) -> None:
    for name, model in (("trees", bundle), ("line", logistic)):
        model.save(tmp_path / name)
        assert load_model(tmp_path / name) == model


def test_what_is_no_model_is_told(tmp_path: Path) -> None:
    with pytest.raises(NotThere, match="cannot be read"):
        load_model(tmp_path)
    (tmp_path / BUNDLE_FILE).write_text('{"kind": "pickle"}', encoding="utf-8")
    with pytest.raises(VerificationFailed, match="version and kind"):
        load_model(tmp_path)


def test_a_logistic_regression_is_registered_and_comes_back(
    tmp_path: Path, logistic: LogisticModel, later: TrainingRows
) -> None:
    registry = Registry.at(Home(tmp_path))
    with registry.run("line", "logistic", datetime(2026, 11, 16, tzinfo=UTC)) as run:
        run.bundle(logistic)
    registry.set_champion(registry.register(run.run_id))
    _, loaded = registry.champion()
    assert loaded == logistic
    assert (loaded.score(later.x) == logistic.score(later.x)).all()


def test_the_parts_of_a_logistic_regression_add_up_to_its_margin(
    logistic: LogisticModel, later: TrainingRows
) -> None:
    explained = contributions(logistic, later.x)
    total = explained.base + explained.by_theme.sum(axis=1)
    np.testing.assert_allclose(total, logistic.margin(later.x), rtol=0, atol=1e-9)
    assert np.isnan(later.x).any(), "also where values are missing"
