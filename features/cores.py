"""Work on all cores: threads that leave what was not begun, and results in the order asked."""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


def cores() -> int:
    """How many threads of this process can work at once: the cores it may use, not all there are.

    A container or batch system gives a process fewer; more threads than that wait for each other.
    """
    if hasattr(os, "sched_getaffinity"):  # not on every system
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@contextmanager
def threads(number: int) -> Iterator[ThreadPoolExecutor]:
    """Some threads; when the block ends early, what was not begun is not begun any more."""
    pool = ThreadPoolExecutor(number)
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)


def in_order(
    pool: ThreadPoolExecutor, make: Callable[[T], R], of: Iterable[T], ahead: int
) -> Iterator[R]:
    """What `make` makes of each, in order, with at most `ahead` more of them under way or done.

    The first error is raised where its result would have come.

    >>> with threads(2) as pool:
    ...     list(in_order(pool, len, ["a", "bcd", ""], ahead=2))
    [1, 3, 0]
    """
    coming: deque[Future[R]] = deque()
    for one in of:
        coming.append(pool.submit(make, one))
        if len(coming) > ahead:
            yield coming.popleft().result()
    while coming:
        yield coming.popleft().result()
