"""All schools of the log in parts: one part is read while others are worked on, on all cores."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeVar

from features.cores import cores, in_order, threads
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
