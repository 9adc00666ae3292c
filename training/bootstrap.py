"""Pupil-clustered resampling: a pupil is drawn with all weeks or not at all.

Nothing is cut or sorted again per replicate. A statistic is written once as sums per pupil (or per
pupil and place in a ranking); a replicate only counts how often each pupil was drawn.
"""

import functools
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse  # type: ignore[import-untyped]

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
CHUNK_CELLS = 8_000_000
KEPT_CELLS = 100_000_000
"""Counts of so many pupils and draws (two bytes each) are kept; of more they are drawn again."""


@dataclass(frozen=True)
class Interval:
    """A value on the data themselves, and the interval of its resamples (NaN when undefined)."""

    value: float
    low: float
    high: float

    @classmethod
    def of(cls, draws: Floats, level: float) -> "Interval":
        """From draws whose first is the data themselves; undefined replicates are left out.

        >>> Interval.of(np.array([5.0, *range(9)]), level=0.5)
        Interval(value=5.0, low=2.0, high=6.0)
        """
        resampled = draws[1:][~np.isnan(draws[1:])]
        if not len(resampled):
            return cls(float(draws[0]), np.nan, np.nan)
        low, high = np.quantile(resampled, [(1 - level) / 2, (1 + level) / 2])
        return cls(float(draws[0]), float(low), float(high))


@dataclass(frozen=True)
class Resamples:
    """How often each of `pupils` pupils counts: once in draw 0 (the data), then `replicates` times.

    The same seed gives the same draws, so that two models are compared on the same resamples.
    """

    pupils: int
    replicates: int
    seed: int

    @property
    def draws(self) -> int:
        """The data themselves and the replicates."""
        return self.replicates + 1

    def chunks(self) -> Iterator[tuple[slice, Floats]]:
        """Counts [pupils, draws of the chunk]; a chunk at a time, so that a region fits."""
        size = max(1, CHUNK_CELLS // max(self.pupils, 1))
        kept = self._kept if self.pupils * self.draws <= KEPT_CELLS else None
        generator = np.random.default_rng(self.seed)
        for first in range(0, self.draws, size):
            end = min(first + size, self.draws)
            some = self._some(generator, first, end) if kept is None else kept[first:end]
            # Turned, so that the draws of one pupil lie together: what products run along.
            yield slice(first, end), np.ascontiguousarray(some.T, dtype=np.float64)

    @functools.cached_property
    def _kept(self) -> NDArray[np.uint16]:
        """All draws: they are walked through many times, and drawing takes longer than reading."""
        return self._some(np.random.default_rng(self.seed), 0, self.draws)

    def _some(self, generator: np.random.Generator, first: int, end: int) -> NDArray[np.uint16]:
        counts = np.empty((end - first, self.pupils), dtype=np.uint16)
        for draw in range(first, end):
            counts[draw - first] = 1 if draw == 0 else self._draw(generator)
        return counts

    def _draw(self, generator: np.random.Generator) -> NDArray[np.int64]:
        drawn = generator.integers(0, self.pupils, self.pupils)
        return np.bincount(drawn, minlength=self.pupils)

    def sums(self, per_pupil: Floats) -> Floats:
        """Totals of the columns of `per_pupil` [pupils, columns] in every draw: [columns, draws].

        >>> Resamples(pupils=3, replicates=2, seed=1).sums(np.ones((3, 1)))
        array([[3., 3., 3.]])
        """
        totals = np.empty((per_pupil.shape[1], self.draws))
        for columns, counts in self.chunks():
            totals[:, columns] = per_pupil.T @ counts
        return totals


def per_pupil(pupil: NDArray[np.int64], pupils: int, *columns: NDArray[np.generic]) -> Floats:
    """Each column of values per row, summed per pupil: [pupils, columns].

    >>> per_pupil(np.array([0, 2, 2]), 3, np.array([True, True, True]), np.array([1.0, 2.0, 3.0]))
    array([[1., 1.],
           [0., 0.],
           [2., 5.]])
    """
    sums = [np.bincount(pupil, weights=column, minlength=pupils) for column in columns]
    return np.stack(sums, axis=1).astype(np.float64)


def ratio(above: Floats, below: Floats) -> Floats:
    """`above / below`, NaN where there is nothing below."""
    return np.divide(above, below, out=np.full_like(above, np.nan), where=below > 0)


@dataclass(frozen=True)
class Ranking:
    """The rows of one score, ready for weighted ranking figures under any draw of pupils.

    Only the positive rows' places matter: between two of them the negatives are counted per pupil.
    Blocks are the distinct (group, score) pairs that hold a positive row, ascending.
    """

    positives: sparse.csr_matrix
    between: sparse.csr_matrix
    group_positives: sparse.csr_matrix
    group_negatives: sparse.csr_matrix
    group_of_block: NDArray[np.int64]

    @classmethod
    def of(
        cls,
        score: Floats,
        positive: Flags,
        pupil: NDArray[np.int64],
        pupils: int,
        group: NDArray[np.int64] | None = None,
    ) -> "Ranking":
        """`group` (none: all rows together) limits comparisons to rows of the same group."""
        if group is None:
            group = np.zeros(len(score), dtype=np.int64)
        _, level = np.unique(score, return_inverse=True)
        width = int(level.max(initial=0)) + 1
        key = group.astype(np.int64) * width + level
        blocks, block = np.unique(key[positive], return_inverse=True)
        negative_key, negative_pupil = key[~positive], pupil[~positive]
        place = np.searchsorted(blocks, negative_key)
        equal = np.zeros(len(place), dtype=np.bool_)
        in_range = place < len(blocks)
        equal[in_range] = blocks[place[in_range]] == negative_key[in_range]
        # Segment 2k lies just below block k (of its own group), segment 2k + 1 is tied with it;
        # what lies above every block of its group goes to the group's own last segment.
        group_of_block = blocks // width
        groups = int(group.max(initial=-1)) + 1
        own = np.zeros(len(place), dtype=np.bool_)
        own[in_range] = group_of_block[place[in_range]] == group[~positive][in_range]
        segment = np.where(own, 2 * place + equal, 2 * len(blocks) + group[~positive])
        shape = (2 * len(blocks) + groups, pupils)
        return cls(
            positives=_counts(block, pupil[positive], (len(blocks), pupils)),
            between=_counts(segment, negative_pupil, shape),
            group_positives=_counts(group[positive], pupil[positive], (groups, pupils)),
            group_negatives=_counts(group[~positive], negative_pupil, (groups, pupils)),
            group_of_block=group_of_block,
        )

    def figures(self, resamples: Resamples) -> tuple[Floats, Floats]:
        """ROC AUC and average precision per draw.

        With groups, the AUC compares only pairs within a group, and the average precision means
        nothing. Equal scores count half in the one and as one threshold in the other.
        """
        area, precision = np.full((2, resamples.draws), np.nan)
        for columns, counts in resamples.chunks():
            found, between = self.positives @ counts, self.between @ counts
            area[columns] = self._area(found, between, counts)
            precision[columns] = self._average_precision(found, between)
        return area, precision

    def _area(self, found: Floats, between: Floats, counts: Floats) -> Floats:
        blocks = len(self.group_of_block)
        below, tied = between[0 : 2 * blocks : 2], between[1 : 2 * blocks : 2]
        passed = np.vstack([np.zeros(found.shape[1]), np.cumsum(below + tied, axis=0)])
        first_of_group = np.searchsorted(self.group_of_block, self.group_of_block)
        won = found * (passed[:-1] + below - passed[first_of_group] + tied / 2)
        pairs = (self.group_positives @ counts) * (self.group_negatives @ counts)
        return ratio(won.sum(axis=0), pairs.sum(axis=0))

    def _average_precision(self, found: Floats, between: Floats) -> Floats:
        blocks = len(self.group_of_block)
        above_all = between[2 * blocks :].sum(axis=0, keepdims=True)
        # Negatives at or above block k: those tied with it, those up to the next block, and so on.
        tied, gap = between[1 : 2 * blocks : 2], between[2 : 2 * blocks : 2]
        false = np.cumsum((tied + np.vstack([gap, above_all]))[::-1], axis=0)[::-1]
        true = np.cumsum(found[::-1], axis=0)[::-1]
        precision = np.nan_to_num(ratio(true, true + false))
        return ratio((found * precision).sum(axis=0), found.sum(axis=0))


def _counts(
    row: NDArray[np.int64], column: NDArray[np.int64], shape: tuple[int, int]
) -> sparse.csr_matrix:
    """How often each (row, column) pair occurs."""
    ones = np.ones(len(row))
    return sparse.csr_matrix(sparse.coo_matrix((ones, (row, column)), shape=shape))


def weighted_median(values: Floats, weights: Floats) -> Floats:
    """The median of `values` [n] under each column of `weights` [n, draws]; NaN without weight.

    >>> weighted_median(np.array([1.0, 2.0, 5.0]), np.array([[1.0, 0, 0], [1, 0, 0], [1, 2, 0]]))
    array([ 2.,  5., nan])
    """
    if not len(values):
        return np.full(weights.shape[1], np.nan)
    order = np.argsort(values, kind="stable")
    running = np.cumsum(weights[order], axis=0)
    reached = (running >= running[-1] / 2).argmax(axis=0)
    return np.where(running[-1] > 0, values[order][reached], np.nan)
