"""From a model's margin to a probability: strictly increasing, fitted on later rows."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from features.errors import ExperimentError

Method = Literal["sigmoid", "isotonic"]
SMALLEST_SLOPE = 0.05
"""A calibrator never turns the order of a model round, not even of a model that knows nothing."""
SLOPE_SPREAD = 0.25
"""How far the slope may be from 1 before the calibration rows must argue for it."""
POSITIVES_PER_KNOT = 40
"""Rows with an onset under one knot: five onsets or so, as each stands in about eight rows."""


@dataclass(frozen=True)
class Calibrator:
    """Log-odds as a piecewise linear function of the margin, extended at both ends.

    Strictly increasing everywhere: two different margins never get one score, and the order of
    pupils is the model's own.

    >>> halved = Calibrator("sigmoid", margins=(0.0,), logits=(0.0,), below=0.5, above=0.5)
    >>> halved.apply(np.array([-4.0, 0.0, 4.0])).round(3)
    array([0.119, 0.5  , 0.881])
    """

    method: str
    margins: tuple[float, ...]
    logits: tuple[float, ...]
    below: float
    above: float

    def __post_init__(self) -> None:
        rising = all(np.diff(self.margins) > 0) and all(np.diff(self.logits) > 0)
        if not rising or min(self.below, self.above) <= 0 or not self.margins:
            raise ValueError("a calibrator rises strictly, between its knots and beyond them")

    def apply(self, margin: NDArray[np.float64]) -> NDArray[np.float64]:
        """The calibrated probability of each margin."""
        logit = np.interp(margin, self.margins, self.logits)
        logit = logit + self.below * np.minimum(margin - self.margins[0], 0)
        logit = logit + self.above * np.maximum(margin - self.margins[-1], 0)
        return _expit(logit)

    def to_json(self) -> dict[str, Any]:
        """Plain values; `from_json` reads them back without loss."""
        return asdict(self)

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> "Calibrator":
        """The calibrator that `to_json` wrote."""
        return cls(
            document["method"],
            tuple(document["margins"]),
            tuple(document["logits"]),
            document["below"],
            document["above"],
        )


def fit_calibrator(
    margin: NDArray[np.float64],
    y: NDArray[np.bool_],
    weight: NDArray[np.float64],
    method: Method = "sigmoid",
    pupils: NDArray[np.int64] | None = None,
) -> Calibrator:
    """Fit on rows *later* than those the model was fitted on; `weight` undoes sampling.

    `pupils` numbers the pupil of each row: the rows before one onset are no independent proof, so
    the slope listens to as many onsets as there are pupils with one. `isotonic` needs more than a
    hundred rows with an onset; with less it falls back on `sigmoid`.
    """
    if not y.any() or y.all():
        raise ExperimentError(
            f"the calibration rows hold {int(y.sum())} onsets in {len(y)} rows; they need both "
            "rows with and rows without an onset. Widen the calibration span of the experiment."
        )
    if method == "isotonic" and int(y.sum()) >= 3 * POSITIVES_PER_KNOT:
        return _isotonic(margin, y, weight)
    independent = 1.0 if pupils is None else len(np.unique(pupils[y])) / int(y.sum())
    return _sigmoid(margin, y, weight, pull=1 / SLOPE_SPREAD**2 / independent)


def _sigmoid(
    margin: NDArray[np.float64], y: NDArray[np.bool_], weight: NDArray[np.float64], pull: float
) -> Calibrator:
    """Newton's method for logit(p) = slope * margin + shift, with a pull of the slope to 1.

    A handful of positives cannot tell a slope; the pull keeps the model's own scale then.
    """
    slope, shift = 1.0, 0.0
    design = np.stack([margin, np.ones_like(margin)])
    for _ in range(100):
        p = _expit(slope * margin + shift)
        gradient = design @ (weight * (y - p)) - [pull * (slope - 1), 0.0]
        curvature = (design * (weight * p * (1 - p))) @ design.T + np.diag([pull, 1e-9])
        change = np.clip(np.linalg.solve(curvature, gradient), -2.0, 2.0)
        slope, shift = slope + float(change[0]), shift + float(change[1])
        if np.abs(change).max() < 1e-10:
            break
    if slope < SMALLEST_SLOPE:
        slope, shift = SMALLEST_SLOPE, _shift_for(SMALLEST_SLOPE, margin, y, weight)
    return Calibrator("sigmoid", (0.0,), (shift,), slope, slope)


def _shift_for(
    slope: float, margin: NDArray[np.float64], y: NDArray[np.bool_], weight: NDArray[np.float64]
) -> float:
    """The shift at which the expected number of positives is the number seen (by bisection)."""
    low, high = -60.0, 60.0
    for _ in range(100):
        middle = (low + high) / 2
        too_low = np.sum(weight * _expit(slope * margin + middle)) < np.sum(weight * y)
        low, high = (middle, high) if too_low else (low, middle)
    return (low + high) / 2


def _isotonic(
    margin: NDArray[np.float64], y: NDArray[np.bool_], weight: NDArray[np.float64]
) -> Calibrator:
    """Knots at the centres of the blocks that pool-adjacent-violators leaves.

    The blocks start from groups that hold at least `POSITIVES_PER_KNOT` positives each, so that
    no knot is the margin of one pupil.
    """
    order = np.argsort(margin, kind="stable")
    m, hit, w = margin[order], y[order].astype(np.float64), weight[order]
    group = np.minimum(
        np.r_[0, np.cumsum(hit)[:-1]] // POSITIVES_PER_KNOT, hit.sum() // POSITIVES_PER_KNOT - 1
    ).astype(np.int64)
    total = np.bincount(group, w)
    blocks: list[tuple[float, float, float]] = []  # weight, weighted positives, weighted margin
    for block in zip(total, np.bincount(group, w * hit), np.bincount(group, w * m), strict=True):
        blocks.append(block)
        while len(blocks) > 1 and blocks[-2][1] * blocks[-1][0] >= blocks[-1][1] * blocks[-2][0]:
            last, before = blocks.pop(), blocks.pop()
            blocks.append((before[0] + last[0], before[1] + last[1], before[2] + last[2]))
    # Only the last block can be all positives; just under 1 keeps it above the others.
    highest = 1 - 0.5 * float(w.min() / w.sum())
    rates = np.minimum([hits / size for size, hits, _ in blocks], highest)
    centres = tuple(float(middle / size) for size, _, middle in blocks)
    logits = tuple(float(value) for value in np.log(rates / (1 - rates)))
    if len(blocks) < 2 or not (np.diff(centres) > 0).all() or not (np.diff(logits) > 0).all():
        return _sigmoid(margin, y, weight, pull=1 / SLOPE_SPREAD**2)
    return Calibrator("isotonic", centres, logits, 1.0, 1.0)


def _expit(logit: NDArray[np.float64]) -> NDArray[np.float64]:
    # The two halves avoid overflow; the result is the same function.
    small = np.exp(-np.abs(logit))
    return np.asarray(np.where(logit >= 0, 1 / (1 + small), small / (1 + small)))
