"""How a raw feature becomes what a model may see: clipped to common values, on a round grid."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

CLIPPED_SHARE = 0.001
"""The share of the (non-zero) values of a feature that is clipped at either end."""
COMMON = 10
"""So many pupils reach the highest and the lowest value that a model file can show."""
BLOCK_ROWS = 4096
COLUMNS_AT_ONCE = 16
GRID = 200
"""A feature keeps about so many different values between its limits."""


@dataclass(frozen=True)
class Preparation:
    """Limits and grid of each feature; what a fitted model sees is a multiple of `step`.

    A tree writes the extremes and the split points of its features into its file. Clipped and
    rounded first, none of these is the value of one pupil.

    >>> hours = Preparation(lower=(0.0,), upper=(20.0,), step=(0.5,))
    >>> hours.apply(np.array([[3.3], [-1.0], [61.7], [np.nan]], dtype=np.float32)).ravel()
    array([ 3.5,  0. , 20. ,  nan], dtype=float32)
    """

    lower: tuple[float, ...]
    upper: tuple[float, ...]
    step: tuple[float, ...]

    def apply(self, x: NDArray[np.float32]) -> NDArray[np.float32]:
        """The prepared copy of `x`, one column per feature; missing stays missing."""
        if x.ndim != 2 or x.shape[1] != len(self.step):
            raise ValueError(f"expected {len(self.step)} columns of features, got shape {x.shape}")
        lower, upper, step = (np.array(each) for each in (self.lower, self.upper, self.step))
        prepared = np.empty(x.shape, dtype=np.float32)
        # A block of rows at a time stays in the processor's cache; a column of millions does not.
        for start in range(0, len(x), BLOCK_ROWS):
            block = np.clip(x[start : start + BLOCK_ROWS].astype(np.float64), lower, upper)
            block /= step
            block += 0.5
            prepared[start : start + BLOCK_ROWS] = np.floor(block, out=block) * step
        return prepared


def fit_preparation(x: NDArray[np.float32], pupils: NDArray[np.int64] | None = None) -> Preparation:
    """Limits and grid from the rows a model is fitted on.

    `pupils` numbers the pupil of each row. With it, a limit is a value that at least `COMMON`
    different pupils reach; without it, each row counts as a pupil, which protects less.

    >>> counts = np.array([0] * 30 + [5] * 12 + [97], dtype=np.float32).reshape(-1, 1)
    >>> fit_preparation(counts).upper
    (5.0,)
    """
    order = None if pupils is None else np.argsort(pupils, kind="stable")
    starts = None
    if pupils is not None and order is not None:
        ordered = pupils[order]
        starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])
    limits = []
    for values in _columns(x):
        if order is not None and starts is not None:
            grouped = values[order]
            lows = np.fmin.reduceat(grouped, starts)
            highs = np.fmax.reduceat(grouped, starts)
        else:
            lows = highs = values
        limits.append(_limits(values, lows, highs))
    lower, upper, step = zip(*limits, strict=True)
    return Preparation(lower, upper, step)


def _columns(x: NDArray[np.float32]) -> Iterator[NDArray[np.float64]]:
    """Each column of a table kept by row; several are read from memory at once."""
    for first in range(0, x.shape[1], COLUMNS_AT_ONCE):
        for column in np.ascontiguousarray(x[:, first : first + COLUMNS_AT_ONCE].T):
            yield column.astype(np.float64)


def _limits(
    values: NDArray[np.float64], lows: NDArray[np.float64], highs: NDArray[np.float64]
) -> tuple[float, float, float]:
    known = values[~np.isnan(values)]
    lows, highs = np.sort(lows[~np.isnan(lows)]), np.sort(highs[~np.isnan(highs)])
    if not len(known):
        return 0.0, 0.0, 1.0
    # Zero is the common value of most features (no lateness, no support): the share that is
    # clipped is one of the others, or a rare but telling feature would be wiped out whole.
    others = known[known != 0]
    clipped = np.quantile(others if len(others) else known, [CLIPPED_SHARE, 1 - CLIPPED_SHARE])
    reach = np.r_[clipped, 0.0] if len(others) < len(known) else clipped
    place = min(COMMON, (len(highs) + 1) // 2) - 1
    lower = max(float(lows[place]), float(reach.min()))
    upper = min(float(highs[-1 - place]), float(reach.max()))
    upper = max(lower, upper)
    step = _round_step((upper - lower) / GRID)
    # Whole steps inside the limits, so that the limits themselves are round numbers too.
    first, last = int(np.ceil(lower / step - 1e-9)), int(np.floor(upper / step + 1e-9))
    return first * step, max(first, last) * step, step


def _round_step(wanted: float) -> float:
    """The smallest of 1, 2, 5, 10 … (and their tenths) that is at least `wanted`."""
    if wanted <= 0:
        return 1.0
    power = 10.0 ** np.floor(np.log10(wanted))
    return float(
        next(power * digit for digit in (1, 2, 5, 10) if power * digit >= wanted * (1 - 1e-9))
    )
