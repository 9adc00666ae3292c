"""Each family learns what can be learned, keeps its promises, and carries its terms."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from features.catalogue import MODEL_FEATURES, feature
from models.bundle import Bundle, Metadata
from models.capacity import Capacity
from models.cohort import Cohort
from models.explain import contributions
from models.hazard import exposure, fit_hazard
from models.risk_model import Params, TrainingRows
from models.terms import terms_of
from training.experiment import Experiment, Family, FeatureChoice
from training.families import choose, fit_family

WEEKS = 8
FEATURES = ("absent_share_4w", "absent_share_12w", "weeks_since_enrolment", "year_group_number")
QUICK = Params(rounds=60, rows_in_leaf=40, positives_in_leaf=2.0, l2=2.0, threads=1)
FAMILIES: tuple[Family, ...] = ("boosted", "boosted_monotone", "logistic", "hazard")


def invented(rows: int, seed: int) -> tuple[TrainingRows, NDArray[np.int16], NDArray[np.float64]]:
    """Rows, the week of each onset, and the chance that a perfect reader would give."""
    generator = np.random.default_rng(seed)
    x = generator.random((rows, len(FEATURES))).astype(np.float32)
    x[generator.random(x.shape) < 0.05] = np.nan
    margin = -6.5 + 4 * np.nan_to_num(x[:, 0], nan=0.5) + 1.0 * np.nan_to_num(x[:, 1], nan=0.5)
    weekly = 1 - np.exp(-np.exp(margin))
    came = generator.random((rows, WEEKS)) < weekly[:, None]
    lead = np.where(came.any(axis=1), came.argmax(axis=1), -1).astype(np.int16)
    found = TrainingRows(x, lead >= 0, np.ones(rows), FEATURES, np.arange(rows) // 3)
    return found, lead, 1 - (1 - weekly) ** WEEKS


def fitted(family: Family, seed: int = 1) -> tuple[Bundle, Experiment]:
    train, lead, _ = invented(8000, seed)
    calibration, _, _ = invented(4000, seed + 1)
    experiment = Experiment(
        "a",
        "?",
        family=family,
        model=QUICK,
        cohort=Cohort(in_view_days=9),
        capacity=Capacity(share=0.03),
    )
    model = fit_family(experiment, train, calibration, Metadata(), lead)
    return model, experiment  # type: ignore[return-value]


@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_orders_and_is_calibrated(family: Family) -> None:
    model, _ = fitted(family)
    later, _, true = invented(6000, seed=9)
    chance = model.score(later.x)
    assert roc_auc_score(later.y, chance) > roc_auc_score(later.y, true) - 0.03
    assert chance.mean() == pytest.approx(later.y.mean(), rel=0.25)
    explained = contributions(model, later.x[:50])
    total = explained.base + explained.by_feature.sum(axis=1)
    np.testing.assert_allclose(total, model.margin(later.x[:50]), atol=1e-9)


@pytest.mark.parametrize("family", FAMILIES)
def test_cohort_and_capacity_travel_in_the_bundle(family: Family) -> None:
    model, experiment = fitted(family)
    terms = terms_of(model.metadata)
    assert (terms.cohort, terms.capacity) == (experiment.cohort, experiment.capacity)
    assert model.metadata.parameters["family"] == family
    assert model.content_hash == fitted(family)[0].content_hash, "the same again"


def test_monotone_never_turns_against_a_direction_of_the_catalogue() -> None:
    free, bound = fitted("boosted")[0], fitted("boosted_monotone")[0]
    generator = np.random.default_rng(3)
    x = generator.random((300, len(FEATURES))).astype(np.float32)
    turned = {}
    for name, model in (("free", free), ("bound", bound)):
        steps = []
        for column, label in enumerate(FEATURES):
            direction = feature(label).direction
            if direction:
                low, high = x.copy(), x.copy()
                low[:, column], high[:, column] = 0.2, 0.8
                steps.append(direction * (model.margin(high) - model.margin(low)))
        turned[name] = int((np.array(steps) < -1e-12).sum())
    assert turned["bound"] == 0 < turned["free"]


def test_a_hazard_learns_from_the_week_in_which_it_came() -> None:
    """Moved weeks change the exposure, and with it the model; the same weeks do not."""
    train, lead, _ = invented(6000, seed=4)
    one = fit_hazard(train, lead, WEEKS, train, QUICK)
    again = fit_hazard(train, lead, WEEKS, train, QUICK)
    moved = fit_hazard(train, np.where(lead < 0, -1, WEEKS - 1), WEEKS, train, QUICK)
    assert one.content_hash == again.content_hash != moved.content_hash
    early, late = exposure(train, lead, WEEKS)[lead == 0], exposure(train, lead, WEEKS)[lead == -1]
    assert early.max() < late.min()


def test_an_explicit_list_keeps_values_with_their_names() -> None:
    train, _, _ = invented(50, seed=5)
    chosen = choose(train, FEATURES[2:])
    assert chosen.features == FEATURES[2:]
    np.testing.assert_array_equal(chosen.x, train.x[:, 2:])
    assert choose(train, FEATURES) is train


def test_the_order_of_an_explicit_list_does_not_matter() -> None:
    names = ("late_arrivals_4w", "absent_share_4w")
    one, other = FeatureChoice(only=names), FeatureChoice(only=names[::-1])
    assert one.names() == other.names()
    assert set(one.names()) < set(MODEL_FEATURES)
    assert replace(one, only=()).names() == MODEL_FEATURES
