"""Logistic regression beside the trees: the simplest model that sees the same features."""

import functools
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from models.bundle import Metadata, content_hash, read_document, verify, write_document
from models.calibration import Calibrator, fit_calibrator
from models.preparation import Preparation, fit_preparation
from models.risk_model import TrainingRows

MOST_ROWS = 1_000_000
BLOCK_ROWS = 250_000


@dataclass(frozen=True)
class LogisticModel:
    """Coefficients on standardised features and on flags of what is missing.

    A missing value counts as the median, and its flag (second half of `coefficients`) says that
    it was missing. Like a `Bundle` it is a `Scorer`, and its file is JSON.

    >>> model = LogisticModel(
    ...     features=("absent_share_4w",),
    ...     preparation=Preparation((0.0,), (1.0,), (0.01,)),
    ...     median=(0.0,), mean=(0.1,), spread=(0.1,),
    ...     coefficients=(2.0, 0.5), intercept=-6.0,
    ...     calibrator=Calibrator("sigmoid", (0.0,), (0.0,), 1.0, 1.0),
    ... )
    >>> model.margin(np.array([[0.1], [0.2], [np.nan]], dtype=np.float32)).round(3)
    array([-6. , -4. , -7.5])
    """

    features: tuple[str, ...]
    preparation: Preparation
    median: tuple[float, ...]
    mean: tuple[float, ...]
    spread: tuple[float, ...]
    coefficients: tuple[float, ...]
    intercept: float
    calibrator: Calibrator
    metadata: Metadata = field(default_factory=Metadata)

    def prepared(self, x: NDArray[np.float32]) -> NDArray[np.float32]:
        """What the coefficients see of `x`, before standardising."""
        return self.preparation.apply(x)

    def margin(self, x: NDArray[np.float32]) -> NDArray[np.float64]:
        """Log-odds before calibration, one per row."""
        found = np.empty(len(x))
        for start in range(0, len(x), BLOCK_ROWS):
            block = self.prepared(x[start : start + BLOCK_ROWS])
            design = _design(block, self.median, self.mean, self.spread)
            found[start : start + len(block)] = design @ np.array(self.coefficients)
        return found + self.intercept

    def parts(self, x: NDArray[np.float32]) -> NDArray[np.float64]:
        """What each feature adds to the margin of each row; the last column is the base.

        The base is the margin of a pupil with average values of everything; a feature's part is
        that of its value and of its being missing together.
        """
        design = _design(self.prepared(x), self.median, self.mean, self.spread)
        weighted = design * np.array(self.coefficients)
        count = len(self.features)
        by_feature = weighted[:, :count] + weighted[:, count:]
        return np.column_stack([by_feature, np.full(len(x), self.intercept)])

    def score(self, x: NDArray[np.float32]) -> NDArray[np.float64]:
        """Calibrated probability of an onset within the horizon, one per row."""
        return self.calibrator.apply(self.margin(x))

    @functools.cached_property
    def content_hash(self) -> str:
        """SHA-256 over all of it."""
        return content_hash(self._document())

    def _document(self) -> dict[str, Any]:
        document = asdict(self)
        document.update(
            kind="logistic",
            calibrator=self.calibrator.to_json(),
            metadata=self.metadata.to_json(),
        )
        return document

    def save(self, folder: Path) -> None:
        """Write `bundle.json` into `folder`."""
        folder.mkdir(parents=True, exist_ok=True)
        write_document(folder, self._document(), self.content_hash)

    @classmethod
    def load(cls, folder: Path) -> "LogisticModel":
        """Read a model and verify that it is the one that was saved."""
        document = read_document(folder, "logistic")
        verify(folder, document)
        names = ("features", "median", "mean", "spread", "coefficients")
        lists: Mapping[str, tuple[Any, ...]] = {name: tuple(document[name]) for name in names}
        limits = {name: tuple(values) for name, values in document["preparation"].items()}
        return cls(
            **lists,
            preparation=Preparation(**limits),
            intercept=document["intercept"],
            calibrator=Calibrator.from_json(document["calibrator"]),
            metadata=Metadata.from_json(document["metadata"]),
        )


def fit_logistic(
    train: TrainingRows,
    calibration: TrainingRows,
    strength: float = 0.001,
    metadata: Metadata = Metadata(),  # noqa: B008 (frozen)
) -> LogisticModel:
    """Fit on the same rows as the trees; `strength` is scikit-learn's C (smaller is flatter).

    Of more than `MOST_ROWS` rows those with an onset and an even part of the others, which then
    weigh more: so few coefficients are as well known from a million rows, and more do not fit in
    memory.
    """
    rows = len(train.y)
    train = at_most(train, MOST_ROWS)
    preparation = fit_preparation(train.x, train.pupils)
    x = preparation.apply(train.x).astype(np.float64)
    known = [column[~np.isnan(column)] for column in x.T]
    median = tuple(float(np.median(values)) if len(values) else 0.0 for values in known)
    filled = np.where(np.isnan(x), median, x)
    mean = np.average(filled, axis=0, weights=train.weight)
    spread = np.sqrt(np.average((filled - mean) ** 2, axis=0, weights=train.weight))
    spread = np.where(spread > 0, spread, 1.0)
    design = _design(x, median, tuple(mean), tuple(spread))
    # Few columns and very many rows: Newton steps need seconds where the default needs minutes.
    fitted = LogisticRegression(C=strength, solver="newton-cholesky", max_iter=100, tol=1e-8)
    fitted.fit(design, train.y, sample_weight=train.weight)
    model = LogisticModel(
        features=train.features,
        preparation=preparation,
        median=median,
        mean=tuple(float(value) for value in mean),
        spread=tuple(float(value) for value in spread),
        coefficients=tuple(float(value) for value in fitted.coef_[0]),
        intercept=float(fitted.intercept_[0]),
        calibrator=Calibrator("sigmoid", (0.0,), (0.0,), below=1.0, above=1.0),
        metadata=replace(
            metadata,
            rows=rows,
            positives=int(train.y.sum()),
            parameters={"strength": strength},
        ),
    )
    margin = model.margin(calibration.x)
    calibrator = fit_calibrator(
        margin, calibration.y, calibration.weight, pupils=calibration.pupils
    )
    return replace(model, calibrator=calibrator)


def at_most(train: TrainingRows, rows: int) -> TrainingRows:
    """All rows with an onset, and an even part of the others that stands for all of them.

    >>> x, y = np.zeros((6, 1), np.float32), np.array([1, 0, 0, 0, 0, 0]) > 0
    >>> at_most(TrainingRows(x, y, np.ones(6), ("sent_out_12w",)), 3).weight
    array([1. , 2.5, 2.5])
    """
    others = np.flatnonzero(~train.y)
    room = max(rows - (len(train.y) - len(others)), 1)
    if len(train.y) <= rows or len(others) <= room:
        return train
    kept = others[np.linspace(0, len(others) - 1, room).round().astype(np.int64)]
    chosen = np.sort(np.r_[np.flatnonzero(train.y), kept])
    taken = train.take(chosen)
    weight = np.where(taken.y, taken.weight, taken.weight * (len(others) / room))
    return replace(taken, weight=weight)


def _design(
    x: NDArray[np.floating],
    median: tuple[float, ...],
    mean: tuple[float, ...],
    spread: tuple[float, ...],
) -> NDArray[np.float64]:
    missing = np.isnan(x)
    standard = (np.where(missing, median, x) - mean) / np.array(spread)
    return np.concatenate([standard, missing.astype(np.float64)], axis=1)
