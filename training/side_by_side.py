"""Several fits at once, each on one core: quicker than one after the other on all cores."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import TypeVar

from features.cores import cores, in_order, threads
from training.experiment import Experiment

T = TypeVar("T")
R = TypeVar("R")

MOST = 4
"""Each fit holds a copy of its rows."""


def on_one_core(experiment: Experiment) -> Experiment:
    """The same experiment; its trees are grown by one thread, which gives the same trees."""
    return replace(experiment, model=replace(experiment.model, threads=1))


def side_by_side(work: Callable[[T], R], items: Iterable[T]) -> Iterator[R]:
    """`work` of every item, in their order, as many at a time as there are cores (at most MOST).

    The trees, the list cuts and the resampling run outside the interpreter for most of their time.

    >>> list(side_by_side(len, ["a", "bcd", ""]))
    [1, 3, 0]
    """
    number = min(cores(), MOST)
    with threads(number) as pool:
        yield from in_order(pool, work, items, ahead=number)
