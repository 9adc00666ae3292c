"""The risk model: shallow gradient-boosted trees for a rare class, reproducible to the byte."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace

import lightgbm
import numpy as np
from numpy.typing import NDArray

from features.errors import ExperimentError
from models.bundle import Bundle, Metadata
from models.calibration import Calibrator, Method, fit_calibrator
from models.preparation import Preparation, fit_preparation
from models.tree_threads import tree_threads

MONOTONE = (
    "absent_share_4w",
    "absent_share_12w",
    "unauthorised_share_12w",
    "late_arrivals_12w",
    "sick_episodes_12w",
)
"""Features of which more never lowers the score. Only those whose direction nobody disputes, and
one per kind and span: what falls back to the mean (last week) and what has two sides (support,
school career, recording) stays free."""


@dataclass(frozen=True)
class Params:
    """How the trees are grown.

    `positives_in_leaf` is the least number of rows with an onset (weighted, as expected by the
    model so far) on which one leaf may rest, `rows_in_leaf` the least number of rows; `l2` pulls
    each leaf towards nothing with the strength of so many expected rows with an onset.

    One onset stands in about eight rows, the Mondays of the horizon before it. So the defaults
    let a leaf rest on more than one onset; with the values one would take if the rows were
    independent, the trees learn single pupils by heart. For the same reason a split takes a
    random border (`random_borders`, extremely randomised trees: Geurts e.a. 2006) instead of the
    one that fits these few onsets best. Chosen on other invented regions than the demo's.
    """

    rounds: int = 400
    learning_rate: float = 0.03
    leaves: int = 8
    depth: int = 3
    rows_in_leaf: int = 200
    positives_in_leaf: float = 10.0
    l2: float = 20.0
    feature_share: float = 0.5
    row_share: float = 0.7
    random_borders: bool = True
    monotone: bool = True
    calibration: Method = "sigmoid"
    seed: int = 1
    threads: int = 2

    def __post_init__(self) -> None:
        problems = [
            f"{name} = {getattr(self, name)}: expected {wanted}"
            for name, holds, wanted in (
                ("rounds", self.rounds >= 1, "at least 1"),
                ("learning_rate", 0 < self.learning_rate <= 1, "above 0, at most 1"),
                ("leaves", 2 <= self.leaves <= 64, "2 to 64"),
                ("depth", 1 <= self.depth <= 10, "1 to 10"),
                ("rows_in_leaf", self.rows_in_leaf >= 1, "at least 1"),
                ("positives_in_leaf", self.positives_in_leaf >= 0, "at least 0"),
                ("l2", self.l2 >= 0, "at least 0"),
                ("feature_share", 0 < self.feature_share <= 1, "above 0, at most 1"),
                ("row_share", 0 < self.row_share <= 1, "above 0, at most 1"),
                ("calibration", self.calibration in ("sigmoid", "isotonic"), "sigmoid, isotonic"),
                ("threads", self.threads >= 1, "at least 1"),
            )
            if not holds
        ]
        if problems:
            raise ExperimentError("; ".join(problems))


@dataclass(frozen=True)
class TrainingRows:
    """Rows to fit on: features as retrieved (NaN is missing), labels and weights.

    `weight` is the number of rows that a row stands for (1 unless negatives were sampled).
    `pupils`, when given, numbers the pupil of each row: only to keep the values of single pupils
    out of the model (`models.preparation`); it is never stored.
    """

    x: NDArray[np.float32]
    y: NDArray[np.bool_]
    weight: NDArray[np.float64]
    features: tuple[str, ...]
    pupils: NDArray[np.int64] | None = None

    def __post_init__(self) -> None:
        rows = len(self.x)
        columns = [self.y, self.weight, *([] if self.pupils is None else [self.pupils])]
        if self.x.ndim != 2 or any(column.shape != (rows,) for column in columns):
            raise ValueError("x has a row, and y, weight and pupils one value, per training row")
        if self.x.shape[1] != len(self.features) or len(set(self.features)) != len(self.features):
            raise ValueError("features names each column of x once")

    def take(self, rows: NDArray[np.bool_] | NDArray[np.int64]) -> "TrainingRows":
        """Some of the rows: a mask or their numbers."""
        pupils = None if self.pupils is None else self.pupils[rows]
        return replace(
            self, x=self.x[rows], y=self.y[rows], weight=self.weight[rows], pupils=pupils
        )


def fit(
    train: TrainingRows,
    calibration: TrainingRows,
    params: Params,
    metadata: Metadata = Metadata(),  # noqa: B008 (frozen)
    directions: Mapping[str, int] | None = None,
) -> Bundle:
    """Fit the trees on `train` and the calibrator on the later rows of `calibration`.

    `directions` (feature to 1, -1 or 0) takes the place of `MONOTONE`, whatever `params.monotone`.
    The same rows, parameters and seed give the same bundle, byte for byte, on any number of
    threads. Counts, seed and parameters are added to `metadata`.
    """
    if calibration.features != train.features:
        raise ValueError("training and calibration rows have different features")
    if not train.y.any():
        raise ExperimentError(
            f"none of the {len(train.y)} training rows has an onset; widen the training span."
        )
    preparation = fit_preparation(train.x, train.pupils)
    parameters = tree_parameters(params, train.features, directions)
    bundle = Bundle(
        model_text=grown(parameters, preparation, train, params),
        features=train.features,
        preparation=preparation,
        # Only to read the margin by; the calibration rows replace it below.
        calibrator=Calibrator("sigmoid", (0.0,), (0.0,), below=1.0, above=1.0),
        metadata=replace(
            metadata,
            seed=params.seed,
            rows=len(train.y),
            positives=int(train.y.sum()),
            parameters={key: value for key, value in asdict(params).items() if key != "threads"},
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


def monotone_directions(features: Iterable[str]) -> list[int]:
    """For each feature 1 where more never lowers the score, 0 where the trees are free.

    >>> monotone_directions(["support_running", "absent_share_4w"])
    [0, 1]
    """
    return [int(name in MONOTONE) for name in features]


def tree_parameters(
    params: Params, features: tuple[str, ...], directions: Mapping[str, int] | None = None
) -> dict[str, object]:
    """The settings as LightGBM calls them."""
    chosen: dict[str, object] = {
        "objective": "binary",
        "learning_rate": params.learning_rate,
        "num_leaves": params.leaves,
        "max_depth": params.depth,
        "min_data_in_leaf": params.rows_in_leaf,
        "min_sum_hessian_in_leaf": params.positives_in_leaf,
        "lambda_l2": params.l2,
        "feature_fraction": params.feature_share,
        "bagging_fraction": params.row_share,
        "bagging_freq": 1,
        "extra_trees": params.random_borders,
        "min_data_in_bin": 20,
        "seed": params.seed,
        "deterministic": True,
        "force_row_wise": True,
        "verbosity": -1,
    }
    constraints = [0] * len(features)
    if directions is not None:
        constraints = [directions.get(name, 0) for name in features]
    elif params.monotone:
        constraints = monotone_directions(features)
    if any(constraints):
        chosen["monotone_constraints"] = constraints
        chosen["monotone_constraints_method"] = "basic"
    return chosen


def grown(
    parameters: Mapping[str, object],
    preparation: Preparation,
    train: TrainingRows,
    params: Params,
    start: NDArray[np.float64] | None = None,
) -> str:
    """The trees grown on the values of `train` as `preparation` makes them, as `plain_text`.

    `start` is the margin of each row that the trees add to (without it: the same for all).
    """
    with tree_threads(params.threads) as number:
        chosen = {**parameters, "num_threads": number}
        data = lightgbm.Dataset(
            preparation.apply(train.x),  # in no variable: let go of once LightGBM has its bins
            label=train.y.astype(np.float32),
            weight=train.weight,
            init_score=start,
            feature_name=list(train.features),
            params=chosen,
        )
        return plain_text(lightgbm.train(chosen, data, num_boost_round=params.rounds))


def plain_text(booster: lightgbm.Booster) -> str:
    """The trees without LightGBM's list of settings, which names threads and file paths."""
    text: str = booster.model_to_string()
    return text[: text.index("\nparameters:")] + "\n"
