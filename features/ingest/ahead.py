"""The next piece is made while the last one is used: two cores instead of one."""

from collections.abc import Iterator
from typing import TypeVar

from features.cores import threads

T = TypeVar("T")


def one_ahead(pieces: Iterator[T]) -> Iterator[T]:
    """The same pieces in the same order, each begun in a thread of its own before it is asked for.

    What goes wrong while a piece is made is raised where that piece would have come.

    >>> list(one_ahead(iter("abc")))
    ['a', 'b', 'c']
    """
    with threads(1) as worker:
        coming = worker.submit(_next, pieces)
        while piece := coming.result():
            coming = worker.submit(_next, pieces)
            yield piece[0]


def _next(pieces: Iterator[T]) -> tuple[T] | None:
    """The next piece; None after the last."""
    for piece in pieces:
        return (piece,)
    return None
