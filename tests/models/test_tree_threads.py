"""LightGBM has one number of threads at any moment: else a prediction writes past its room."""

import ctypes
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from threading import Event
from typing import Any

import lightgbm
import numpy as np
import pytest
from lightgbm.basic import _LIB

from models import tree_threads as under_test
from models.bundle import Bundle
from models.risk_model import Params, TrainingRows, fit
from models.tree_threads import one_core, tree_threads

SOON, NOT_NOW = 20.0, 0.2  # seconds


@pytest.fixture(autouse=True)
def two_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    """With one core every number is the same, and nothing would be tried."""
    monkeypatch.setattr(under_test, "cores", lambda: 2)


@pytest.fixture
def odd(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Predictions that ended with another number in LightGBM's own variable than they asked."""
    found: list[str] = []
    number = ctypes.c_int.in_dll(_LIB, "LGBM_DEFAULT_NUM_THREADS")
    predict = lightgbm.Booster.predict

    def watched(booster: lightgbm.Booster, *values: Any, **asked: Any) -> Any:
        result = predict(booster, *values, **asked)
        if number.value != asked["num_threads"]:
            found.append(f"asked {asked['num_threads']}, became {number.value}")
        return result

    monkeypatch.setattr(lightgbm.Booster, "predict", watched)
    return found


def test_growing_on_one_thread_and_explaining_on_all_never_meet(
    train: TrainingRows, bundle: Bundle, quick: Params, odd: list[str]
) -> None:
    few = train.take(np.arange(0, len(train.y), 20))
    short = replace(quick, rounds=2, threads=1)
    with ThreadPoolExecutor(3) as pool:
        work: list[Future[object]] = []
        for _ in range(60):
            work.append(pool.submit(fit, few, few, short))
            work += [pool.submit(bundle.parts, few.x) for _ in range(5)]
    assert [one.exception() for one in work] == [None] * len(work)
    assert odd == []


def test_a_call_with_another_number_waits_and_one_with_the_same_does_not() -> None:
    def enter(number: int, entered: Event, leave: Event) -> None:
        with tree_threads(number):
            entered.set()
            assert leave.wait(SOON)

    first, same, other, leave = Event(), Event(), Event(), Event()
    with ThreadPoolExecutor(3) as pool:
        work = [pool.submit(enter, 1, first, leave)]
        assert first.wait(SOON)
        work += [pool.submit(enter, 2, other, leave), pool.submit(enter, 1, same, leave)]
        assert same.wait(SOON)
        assert not other.wait(NOT_NOW)
        leave.set()
        assert other.wait(SOON)
    assert [one.exception() for one in work] == [None] * 3


def test_one_core_holds_for_its_own_thread_and_only_in_the_block() -> None:
    def asked() -> int:
        with tree_threads() as number:
            return number

    with ThreadPoolExecutor(1) as pool, one_core():
        assert (asked(), pool.submit(asked).result()) == (1, 2)
    assert asked() == 2


def test_an_error_during_a_call_keeps_nobody_waiting() -> None:
    with pytest.raises(ValueError, match="broken"), tree_threads(1):
        raise ValueError("broken")
    with tree_threads(2) as number:
        assert number == 2
