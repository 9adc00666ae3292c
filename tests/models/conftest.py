"""Invented training rows with a known risk: small, fast, the same every time."""

import numpy as np
import pytest

from models.bundle import Bundle
from models.risk_model import Params, TrainingRows, fit

FEATURES = (
    "absent_share_4w",
    "absent_share_12w",
    "sick_episodes_12w",
    "late_arrivals_12w",
    "absent_share_previous_year",
    "weeks_since_contact",
    "support_running",
    "transition_year",
)
QUICK = Params(rounds=40, rows_in_leaf=30, positives_in_leaf=1.0, l2=5.0, threads=1)


def invented_rows(rows: int, seed: int) -> TrainingRows:
    """Rows of eight features of which the first four raise the risk; some values are missing."""
    rng = np.random.default_rng(seed)
    share_12w = rng.beta(0.6, 9, rows)
    share_4w = np.clip(share_12w + rng.normal(0, 0.08, rows), 0, 1)
    sick = rng.poisson(0.5 + 6 * share_12w).astype(float)
    late = rng.poisson(0.4, rows) * rng.integers(1, 4, rows).astype(float)
    earlier = np.where(rng.random(rows) < 0.2, np.nan, rng.beta(0.6, 12, rows))
    contact = np.where(rng.random(rows) < 0.7, np.nan, rng.integers(0, 40, rows))
    running = (rng.random(rows) < 0.1).astype(float)
    transition = (rng.random(rows) < 0.15).astype(float)
    margin = -4.5 + 9 * share_4w + 0.25 * sick + 0.12 * late + 0.3 * transition
    y = rng.random(rows) < 1 / (1 + np.exp(-margin))
    columns = [share_4w, share_12w, sick, late, earlier, contact, running, transition]
    return TrainingRows(
        x=np.stack(columns, axis=1).astype(np.float32),
        y=y,
        weight=np.ones(rows),
        features=FEATURES,
        pupils=np.arange(rows) // 5,
    )


@pytest.fixture(scope="session")
def train() -> TrainingRows:
    return invented_rows(6000, seed=1)


@pytest.fixture(scope="session")
def calibration() -> TrainingRows:
    return invented_rows(4000, seed=2)


@pytest.fixture(scope="session")
def later() -> TrainingRows:
    return invented_rows(4000, seed=3)


@pytest.fixture(scope="session")
def bundle(train: TrainingRows, calibration: TrainingRows) -> Bundle:
    return fit(train, calibration, QUICK)


@pytest.fixture(scope="session")
def quick() -> Params:
    return QUICK
