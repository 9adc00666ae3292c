"""The families of models an experiment may ask for, all fitted and calibrated on the same rows."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from features.catalogue import feature
from models.bundle import Metadata
from models.hazard import fit_hazard
from models.logistic import LogisticModel, fit_logistic
from models.risk_model import TrainingRows
from models.risk_model import fit as fit_trees
from models.stored import RiskModel
from models.terms import Terms
from training.calibrators import HeldBack
from training.experiment import Experiment

FAMILY_LABELS = {
    "boosted": "model (bomen)",
    "boosted_monotone": "model (bomen, richting vast)",
    "logistic": "model (logistische regressie)",
    "hazard": "model (kans per week)",
}


@dataclass(frozen=True)
class Fitted:
    """The model asked for, logistic regression beside it, and what the first fit held back."""

    model: RiskModel
    logistic: LogisticModel
    held_back: HeldBack


def fit_family(
    experiment: Experiment,
    train: TrainingRows,
    calibration: TrainingRows,
    metadata: Metadata,
    lead_weeks: NDArray[np.integer],
) -> RiskModel:
    """The model of the experiment's family; its terms travel in its metadata.

    `lead_weeks`: of each row of `train` the school week of the onset, -1 without one.
    """
    model: RiskModel
    if experiment.family == "logistic":
        strength = experiment.logistic.strength
        model = fit_logistic(train, calibration, strength, metadata)
    elif experiment.family == "hazard":
        weeks = experiment.label.weeks
        model = fit_hazard(train, lead_weeks, weeks, calibration, experiment.model, metadata)
    else:
        fixed = experiment.family == "boosted_monotone"
        stated = {name: int(feature(name).direction) for name in train.features} if fixed else None
        model = fit_trees(train, calibration, experiment.model, metadata, stated)
    return with_terms(model, experiment)


def with_terms(model: RiskModel, experiment: Experiment) -> RiskModel:
    """The same model, with family, cohort and capacity among its parameters."""
    terms = Terms(experiment.cohort, experiment.capacity).parameters()
    stated = {**model.metadata.parameters, "family": experiment.family, **terms}
    return replace(model, metadata=replace(model.metadata, parameters=stated))


def choose(rows: TrainingRows, names: tuple[str, ...]) -> TrainingRows:
    """The same rows with only these features, as far as they are offered."""
    names = tuple(name for name in names if name in rows.features)
    if names == rows.features:
        return rows
    columns = [rows.features.index(name) for name in names]
    return replace(rows, x=rows.x[:, columns], features=names)


def held_back(model: RiskModel, rows: TrainingRows) -> HeldBack:
    """The calibration rows as `model`, which was not fitted on them, sees them."""
    return HeldBack(model.margin(rows.x), rows.y, rows.weight, rows.pupils)
