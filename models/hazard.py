"""A discrete-time hazard: trees that learn in which school week it starts, not only whether."""

from dataclasses import asdict, replace

import numpy as np
from numpy.typing import NDArray

from features.errors import ExperimentError
from models.bundle import Bundle, Metadata
from models.calibration import Calibrator, fit_calibrator
from models.preparation import fit_preparation
from models.risk_model import Params, TrainingRows, grown, tree_parameters

NO_ONSET = -1


def fit_hazard(
    train: TrainingRows,
    lead_weeks: NDArray[np.integer],
    weeks: int,
    calibration: TrainingRows,
    params: Params,
    metadata: Metadata = Metadata(),  # noqa: B008 (frozen)
) -> Bundle:
    """Fit the chance per school week on `train`, and the calibrator on later rows.

    `lead_weeks` gives the school week of the onset of each row of `train` (0: the first week), -1
    for a row without one within `weeks`. In week k the chance of a pupil who is still at school is
    1 - exp(-exp(margin + base of k)) (complementary log-log, proportional over the weeks). Summed
    over the weeks this is a Poisson count with a known exposure, so that no row is repeated per
    week, and the chance over all weeks rises with the margin: a `Bundle` like any other.
    """
    if not train.y.any():
        raise ExperimentError(
            f"none of the {len(train.y)} training rows has an onset; widen the training span."
        )
    preparation = fit_preparation(train.x, train.pupils)
    parameters = {**tree_parameters(params, train.features), "objective": "poisson"}
    start = np.log(exposure(train, lead_weeks, weeks))
    stated = {key: value for key, value in asdict(params).items() if key != "threads"}
    bundle = Bundle(
        model_text=grown(parameters, preparation, train, params, start),
        features=train.features,
        preparation=preparation,
        # Only to read the margin by; the calibration rows replace it below.
        calibrator=Calibrator("sigmoid", (0.0,), (0.0,), below=1.0, above=1.0),
        metadata=replace(
            metadata,
            seed=params.seed,
            rows=len(train.y),
            positives=int(train.y.sum()),
            parameters={**stated, "weeks": weeks},
        ),
    )
    calibrator = fit_calibrator(
        bundle.margin(calibration.x),
        calibration.y,
        calibration.weight,
        params.calibration,
        calibration.pupils,
    )
    return replace(bundle, calibrator=calibrator)


def exposure(
    train: TrainingRows, lead_weeks: NDArray[np.integer], weeks: int
) -> NDArray[np.float64]:
    """The onsets expected of each row by the weeks it was seen, were all pupils alike.

    >>> came = np.array([True, False, False, True])
    >>> rows = TrainingRows(np.zeros((4, 1)), came, np.ones(4), ("a",))
    >>> exposure(rows, np.array([0, -1, -1, 1]), weeks=2).round(3)
    array([0.25 , 0.583, 0.583, 0.583])
    """
    last = np.where(lead_weeks == NO_ONSET, weeks - 1, lead_weeks).astype(np.int64)
    came = np.bincount(last[train.y], train.weight[train.y], minlength=weeks)
    seen = np.bincount(last, train.weight, minlength=weeks)
    at_risk = seen[::-1].cumsum()[::-1]
    base = np.divide(came, at_risk, out=np.zeros(weeks), where=at_risk > 0)
    # A week in which nobody's onset came would make an exposure of nothing, whose log is undefined.
    return np.asarray(np.maximum(base.cumsum()[last], 1e-9))
