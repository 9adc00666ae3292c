"""A small generated region as arrays: a latent risk that moves by week, and onsets after it."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest
from numpy.typing import NDArray

from training.evaluate import Rows
from training.labels import Outcome

HORIZON = 8
WEEKS = 40


@dataclass(frozen=True)
class Region:
    """Rows in scope, and beside each row what a perfect reader would know."""

    rows: Rows
    log_risk: NDArray[np.float64]
    probability: NDArray[np.float64]


def make_region(seed: int, schools: int = 6, size: int = 120, base: float = -6.0) -> Region:
    """`size` pupils a school; risk drifts by week; a pupil leaves scope once the onset has come."""
    generator = np.random.default_rng(seed)
    pupils, weeks = schools * size, WEEKS + HORIZON
    risk = np.empty((pupils, weeks))
    risk[:, 0] = generator.normal(size=pupils)
    for after in range(1, weeks):
        risk[:, after] = 0.95 * risk[:, after - 1] + 0.3 * generator.normal(size=pupils)
    hazard = 1 / (1 + np.exp(-(base + 1.6 * risk)))
    draws = generator.random((pupils, weeks)) < hazard
    onset = np.where(draws.any(axis=1), draws.argmax(axis=1), weeks + HORIZON)
    week = np.tile(np.arange(WEEKS), pupils)
    pupil = np.repeat(np.arange(pupils), WEEKS)
    in_scope = week <= onset[pupil]
    pupil, week = pupil[in_scope], week[in_scope]
    lead = onset[pupil] - week
    came = lead < HORIZON
    monday = np.datetime64("2025-09-01") + 7 * week
    onset_on = np.where(came, monday + 7 * lead, np.datetime64("NaT"))
    # Future risk is known in the mean only: a fair chance, a little too sure of itself.
    chance = 1 - (1 - hazard[pupil, week]) ** HORIZON
    rows = Rows(
        pupil=pupil.astype(np.int64),
        school=pupil // size,
        sector=(pupil // size) % 2,
        sectors=("po", "vo"),
        as_of=monday,
        outcome=np.where(came, Outcome.ONSET, Outcome.NO_ONSET).astype(np.int8),
        onset_on=onset_on,
        lead_weeks=np.where(came, lead, -1).astype(np.int16),
    )
    return Region(rows, risk[pupil, week], chance)


@pytest.fixture(scope="session")
def region() -> Region:
    return make_region(seed=1)


@pytest.fixture(scope="session")
def make() -> Callable[..., Region]:
    return make_region
