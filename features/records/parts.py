"""All schools of the log in parts: one part is read while others are worked on, on all cores."""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

from features.records.log import RecordLog
from features.records.schema import LogTable

PLACEMENTS_READ = 20_000
"""Schools with about so many placements, some 7,000 pupils in three years, are read together: what
reading once more costs is then little beside what is made of it."""

P = TypeVar("P")
T = TypeVar("T")
R = TypeVar("R")


def parts_of(log: RecordLog, schools: Sequence[str]) -> Iterator[list[str]]:
    """`schools` in parts of about PLACEMENTS_READ placements, a school at least."""
    sizes = log.sizes(LogTable.PLACEMENTS, schools)
    part: list[str] = []
    for school in schools:
        if part and sum(sizes[one] for one in part) + sizes[school] > PLACEMENTS_READ:
            yield part
            part = []
        part.append(school)
    if part:
        yield part


def cores() -> int:
    """How many threads work at once."""
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
    """
    coming: deque[Future[R]] = deque()
    for one in of:
        coming.append(pool.submit(make, one))
        if len(coming) > ahead:
            yield coming.popleft().result()
    while coming:
        yield coming.popleft().result()


def through(
    parts: Iterable[P],
    read: Callable[[P], T],
    make: Callable[[P, T], R],
) -> Iterator[R]:
    """What `make` makes of each part as `read`; in order, on all cores.

    Only one thread reads, so that `read` may use one log. In memory are the parts that are worked
    on, one for each core, and the next one. The order in which threads come to it changes nothing:
    `make` gets a part whole and shares nothing with the others.
    """
    with threads(1) as reader, threads(cores()) as makers:

        def made(part: P) -> R:
            return make(part, reader.submit(read, part).result())

        yield from in_order(makers, made, parts, ahead=cores())
