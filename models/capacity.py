"""How many pupils a school's team can discuss in a week, and who those are: one cut for all."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class LastList:
    """Per row: had the school a list before in this school year, and did the pupil stand on it?"""

    there: Flags
    on_it: Flags

    @classmethod
    def none(cls, rows: int) -> "LastList":
        """A school's first week of a school year: no names to keep, no limit to new ones."""
        return cls(np.zeros(rows, np.bool_), np.zeros(rows, np.bool_))


@dataclass(frozen=True)
class Capacity:
    """A share of the pupils in scope, never under `floor` and never over `ceiling`.

    Names must not come and go with every ripple of a score. Whoever stood on the list of the week
    before stays until `stay` times the places are taken by higher scores, and at most `new_share`
    of the places go to names that did not stand on it (decision 0018). With `new_share` and `stay`
    at 1 every week is cut anew.

    >>> [Capacity().of(pupils) for pupils in (40, 250, 1000)]
    [3, 5, 20]
    >>> [Capacity(new_share=0.5).new_names(places) for places in (3, 5, 20)]
    [2, 3, 10]
    """

    share: float = 0.02
    floor: int = 3
    ceiling: int = 20
    new_share: float = 0.4
    stay: float = 1.25

    def __post_init__(self) -> None:
        if not 0 < self.share < 1 or not 1 <= self.floor <= self.ceiling:
            raise ValueError(
                f"capacity: share {self.share}, floor {self.floor}, ceiling {self.ceiling}; "
                "expected a share between 0 and 1 and 1 <= floor <= ceiling"
            )
        if not 0 < self.new_share <= 1 or not 1 <= self.stay <= 10:
            raise ValueError(
                f"capacity: new_share {self.new_share}, stay {self.stay}; expected a new_share "
                "over 0 and up to 1, and a stay of 1 (no one is kept longer) to 10"
            )

    def of(self, pupils: int) -> int:
        """Places on the list of a school with so many pupils in scope."""
        return min(self.ceiling, max(self.floor, round(self.share * pupils)))

    def new_names(self, places: int) -> int:
        """How many of so many places may go to names that were not there the week before."""
        return max(1, math.ceil(self.new_share * places - 1e-9))

    def listed(
        self,
        block: NDArray[np.int64],
        score: NDArray[np.float64],
        tie: NDArray[np.generic],
        eligible: Flags | None = None,
        last: LastList | None = None,
    ) -> Flags:
        """Who is on the list: the highest scores of each block (one school, one Monday).

        Equal scores are ordered by `tie` (the pseudonym: random, the same every time), never by
        the order of the rows. A missing score is out of scope: never listed, and it adds no place.
        Who is not `eligible` (none given: everybody is) adds to the places and takes none. `last`
        is the list before (none given: no school had one); places that would need more new names
        than a week may bring stay empty.

        >>> block, tie = np.array([0, 0, 1, 1, 1]), np.array(["d", "c", "b", "a", "e"])
        >>> score = np.array([0.1, 0.2, 0.3, 0.3, np.nan])
        >>> Capacity(share=0.4, floor=1).listed(block, score, tie)
        array([False,  True, False,  True, False])
        >>> Capacity(share=0.4, floor=1).listed(block, score, tie, np.array([1, 0, 1, 0, 1]) > 0)
        array([ True, False,  True, False, False])

        Two places, one new name a week: third place is near enough to stay, fourth is not.

        >>> two = Capacity(share=0.4, floor=2, new_share=0.5, stay=1.5)
        >>> score, tie, block = np.array([0.9, 0.8, 0.7, 0.6]), np.arange(4), np.zeros(4, int)
        >>> before = LastList(np.ones(4, bool), np.array([False, False, True, True]))
        >>> two.listed(block, score, tie, last=before)
        array([ True, False,  True, False])
        """
        last = LastList.none(len(score)) if last is None else last
        order = _Order.of(block, score, tie, eligible)
        on_it, there = last.on_it[order.rows] & order.may, last.there[order.rows]
        room = order.each(self.of)
        stays = on_it & (order.place < order.each(self._line))
        stays &= order.rank(stays) < room
        newcomer = order.may & ~stays
        free = room - order.count(stays)
        new = np.where(there, np.minimum(free, order.each(self._budget)), free)
        return order.flags(stays | (newcomer & (order.rank(newcomer) < new)))

    def near(
        self,
        block: NDArray[np.int64],
        score: NDArray[np.float64],
        tie: NDArray[np.generic],
        eligible: Flags | None = None,
    ) -> Flags:
        """Everybody within the line under which nobody stays: no one else can be on the list."""
        return self._first(block, score, tie, eligible, self._line)

    def discussed(
        self,
        block: NDArray[np.int64],
        score: NDArray[np.float64],
        tie: NDArray[np.generic],
        eligible: Flags | None = None,
    ) -> Flags:
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
        eligible: Flags | None,
        places: Callable[[int], int],
    ) -> Flags:
        order = _Order.of(block, score, tie, eligible)
        return order.flags(order.may & (order.place < order.each(places)))

    def _line(self, pupils: int) -> int:
        """The place from which on nobody stays: clearly under the cut."""
        return math.ceil(self.stay * self.of(pupils) - 1e-9)

    def _budget(self, pupils: int) -> int:
        return self.new_names(self.of(pupils))


@dataclass(frozen=True)
class _Order:
    """The scored rows, block after block, from the highest score down; who may not comes last."""

    rows: NDArray[np.int64]
    may: Flags
    starts: NDArray[np.int64]
    sizes: NDArray[np.int64]
    size: int

    @classmethod
    def of(
        cls,
        block: NDArray[np.int64],
        score: NDArray[np.float64],
        tie: NDArray[np.generic],
        eligible: Flags | None,
    ) -> "_Order":
        known = np.flatnonzero(~np.isnan(score))
        may = np.ones(len(score), np.bool_) if eligible is None else eligible
        # One key of block and of who may not be listed: a sort less.
        place_of = 2 * block[known].astype(np.int64) + ~may[known]
        rows = known[np.lexsort((tie[known], -score[known], place_of))]
        ordered = block[rows]
        starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]][: len(rows)])
        sizes = np.diff(np.r_[starts, len(rows)])
        return cls(rows, may[rows], starts, sizes, len(score))

    @property
    def place(self) -> NDArray[np.int64]:
        """The place of each row within its block, from 0."""
        return np.arange(len(self.rows)) - np.repeat(self.starts, self.sizes)

    def each(self, places: Callable[[int], int]) -> NDArray[np.int64]:
        """A figure of each block, from its number of pupils, at every row of it."""
        found = np.array([places(int(size)) for size in self.sizes], dtype=np.int64)
        return np.repeat(found, self.sizes)

    def rank(self, chosen: Flags) -> NDArray[np.int64]:
        """How many of `chosen` stand before each row in its block."""
        before: NDArray[np.int64] = np.cumsum(chosen) - chosen
        return before - np.repeat(before[self.starts], self.sizes)

    def count(self, chosen: Flags) -> NDArray[np.int64]:
        """How many of `chosen` each block holds, at every row of it."""
        if not len(self.rows):
            return np.zeros(0, np.int64)
        return np.repeat(np.add.reduceat(chosen.astype(np.int64), self.starts), self.sizes)

    def flags(self, chosen: Flags) -> Flags:
        """`chosen` in the order in which the rows were given."""
        result = np.zeros(self.size, dtype=np.bool_)
        result[self.rows] = chosen
        return result
