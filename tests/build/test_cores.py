"""Work on several threads: results in order, few ahead, and nothing begun after an error."""

import threading
import time
from concurrent.futures import Future
from typing import Any

import pytest

from features.cores import cores, in_order, threads
from features.errors import NotThere


def test_results_come_in_order_and_few_are_held() -> None:
    """Later ones are ready first, and still wait; nothing runs far ahead of who asks."""
    begun: list[int] = []
    gates = [threading.Event() for _ in range(8)]

    def make(number: int) -> int:
        begun.append(number)
        if number % 2 == 0:  # waits for the one behind it
            assert gates[number + 1].wait(10)
        gates[number].set()
        return number * number

    with threads(2) as pool:
        found = in_order(pool, make, range(8), ahead=2)
        for number in range(8):
            assert next(found) == number * number
            assert max(begun) <= number + 2
    assert list(found) == []


def test_what_was_not_begun_when_one_school_failed_is_never_begun(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The second is under way when the first fails, and ends only when the others are called off.

    If they are not, it stops waiting after a second, and they are worked on for nothing.
    """
    begun: list[int] = []
    submitted: list[Future[int]] = []

    def make(number: int) -> int:
        begun.append(number)
        if number == 0:
            raise NotThere("school 0 cannot be read; read it again")
        patience = time.monotonic() + 1
        while not submitted[-1].cancelled() and time.monotonic() < patience:
            time.sleep(0.005)
        return number

    with pytest.raises(NotThere, match="school 0"), threads(1) as pool:
        submit: Any = pool.submit

        def noted(*arguments: Any) -> Future[int]:
            submitted.append(submit(*arguments))
            return submitted[-1]

        monkeypatch.setattr(pool, "submit", noted)
        list(in_order(pool, make, range(6), ahead=4))
    assert len(submitted) == 5
    assert begun in ([0], [0, 1])


def test_only_the_cores_that_this_process_may_use_are_counted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("os.cpu_count", lambda: 64)
    monkeypatch.setattr("os.sched_getaffinity", lambda _: {3}, raising=False)
    assert cores() == 1
    monkeypatch.delattr("os.sched_getaffinity")
    assert cores() == 64
    monkeypatch.setattr("os.cpu_count", lambda: None)
    assert cores() == 1
