"""Several fits at once, each on one core: quicker than one after the other on all cores."""

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from features.cores import cores, in_order, threads
from models.tree_threads import one_core

T = TypeVar("T")
R = TypeVar("R")

MOST = 4
"""Each fit holds a copy of its rows."""


def side_by_side(work: Callable[[T], R], items: Iterable[T]) -> Iterator[R]:
    """`work` of every item, in their order, as many at a time as there are cores (at most MOST).

    The trees, the list cuts and the resampling run outside the interpreter for most of their time.
    Trees are grown and read by one thread for each item, which gives the same trees.

    >>> list(side_by_side(len, ["a", "bcd", ""]))
    [1, 3, 0]
    >>> from models.tree_threads import tree_threads
    >>> def threads_of_trees(asked):
    ...     with tree_threads(asked) as number:
    ...         return number
    >>> list(side_by_side(threads_of_trees, [None, 8]))
    [1, 1]
    """

    def on_one_core(item: T) -> R:
        with one_core():
            return work(item)

    number = min(cores(), MOST)
    with threads(number) as pool:
        yield from in_order(pool, on_one_core, items, ahead=number)
