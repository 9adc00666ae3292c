"""On how many threads LightGBM works: one number for the whole process at any moment.

LightGBM keeps the number of its last call in one variable of the process. A prediction makes room
for that many threads and then starts as many as the variable says by then: a call with another
number in between, from another thread, lets it write past its room, and the process dies.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from threading import Condition

from features.cores import cores

_MOST: ContextVar[int | None] = ContextVar("most threads of LightGBM", default=None)


@dataclass
class _Working:
    """The calls under way, all with the same number."""

    changed: Condition = field(default_factory=Condition)
    calls: int = 0
    number: int = 0


_WORKING = _Working()


@contextmanager
def one_core() -> Iterator[None]:
    """Within the block LightGBM works on one thread, whatever is asked; in this thread only.

    For work that is itself done on several threads.

    >>> with one_core(), tree_threads(8) as number:
    ...     number
    1
    """
    before = _MOST.set(1)
    try:
        yield
    finally:
        _MOST.reset(before)


@contextmanager
def tree_threads(asked: int | None = None) -> Iterator[int]:
    """The number to call LightGBM with (None: all cores), once no call has another number.

    Calls with the same number go side by side. Not to be entered again within the block: with
    another number the thread would wait for itself.
    """
    number = min(asked or cores(), _MOST.get() or cores())
    with _WORKING.changed:
        _WORKING.changed.wait_for(lambda: not _WORKING.calls or _WORKING.number == number)
        _WORKING.number = number
        _WORKING.calls += 1
    try:
        yield number
    finally:
        with _WORKING.changed:
            _WORKING.calls -= 1
            _WORKING.changed.notify_all()
