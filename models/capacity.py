"""How many pupils a school's team can discuss in a week, and who those are: one cut for all."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Capacity:
    """A share of the pupils in scope, never under `floor` and never over `ceiling`.

    >>> [Capacity().of(pupils) for pupils in (40, 250, 1000)]
    [3, 5, 20]
    """

    share: float = 0.02
    floor: int = 3
    ceiling: int = 20

    def __post_init__(self) -> None:
        if not 0 < self.share < 1 or not 1 <= self.floor <= self.ceiling:
            raise ValueError(
                f"capacity: share {self.share}, floor {self.floor}, ceiling {self.ceiling}; "
                "expected a share between 0 and 1 and 1 <= floor <= ceiling"
            )

    def of(self, pupils: int) -> int:
        """Places on the list of a school with so many pupils in scope."""
        return min(self.ceiling, max(self.floor, round(self.share * pupils)))

    def listed(
        self,
        block: NDArray[np.int64],
        score: NDArray[np.float64],
        tie: NDArray[np.generic],
        eligible: NDArray[np.bool_] | None = None,
    ) -> NDArray[np.bool_]:
        """Who is on the list: the highest scores of each block (one school, one Monday).

        Equal scores are ordered by `tie` (the pseudonym: random, the same every time), never by
        the order of the rows. A missing score is out of scope: never listed, and it adds no place.
        Who is not `eligible` (none given: everybody is) adds to the places and takes none.

        >>> block, tie = np.array([0, 0, 1, 1, 1]), np.array(["d", "c", "b", "a", "e"])
        >>> score = np.array([0.1, 0.2, 0.3, 0.3, np.nan])
        >>> Capacity(share=0.4, floor=1).listed(block, score, tie)
        array([False,  True, False,  True, False])
        >>> Capacity(share=0.4, floor=1).listed(block, score, tie, np.array([1, 0, 1, 0, 1]) > 0)
        array([ True, False,  True, False, False])
        """
        return self._first(block, score, tie, eligible, self.of)

    def discussed(
        self,
        block: NDArray[np.int64],
        score: NDArray[np.float64],
        tie: NDArray[np.generic],
        eligible: NDArray[np.bool_] | None = None,
    ) -> NDArray[np.bool_]:
        """Who of the listed is to discuss this week: those on the first half of the places.

        >>> block, tie = np.zeros(4, np.int64), np.array(["a", "b", "c", "d"])
        >>> Capacity(floor=3).discussed(block, np.array([0.1, 0.4, 0.3, 0.2]), tie)
        array([False,  True,  True, False])
        """
        return self._first(block, score, tie, eligible, lambda pupils: -(-self.of(pupils) // 2))

    def _first(
        self,
        block: NDArray[np.int64],
        score: NDArray[np.float64],
        tie: NDArray[np.generic],
        eligible: NDArray[np.bool_] | None,
        places: Callable[[int], int],
    ) -> NDArray[np.bool_]:
        result = np.zeros(len(score), dtype=np.bool_)
        known = np.flatnonzero(~np.isnan(score))
        if not len(known):
            return result
        may = np.ones(len(score), np.bool_) if eligible is None else eligible
        order = known[np.lexsort((tie[known], -score[known], ~may[known], block[known]))]
        ordered = block[order]
        starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])
        sizes = np.diff(np.r_[starts, len(order)])
        place = np.arange(len(order)) - np.repeat(starts, sizes)
        room = np.repeat([places(int(size)) for size in sizes], sizes)
        result[order] = (place < room) & may[order]
        return result
