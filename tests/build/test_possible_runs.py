"""Whom a look for runs may pass over: nobody who has one, and most who have none."""

from datetime import date

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from features.absence import DayGrid, counted_minutes, pack, possible_runs, runs
from features.absence.laid_out import LaidOut
from features.absence.quantities import KINDS, TIMED
from features.school_weeks import SchoolWeeks
from features.vocabulary import PupilKey


def laid_out(seed: int, pupils: int = 12, days: int = 105) -> LaidOut:
    """Random days, many of them absent, with short days, free days and every kind."""
    random = np.random.default_rng(seed)
    lengths = random.choice([0, 120, 300, 330], (pupils, days), p=[0.3, 0.1, 0.3, 0.3])
    left = lengths.copy()
    minutes = np.zeros((TIMED, pupils, days), np.int16)
    often = random.choice([0.02, 0.5, 0.8, 0.95], (pupils, 1))
    for kind in random.permutation(TIMED):
        some = random.random((pupils, days)) < often / 3
        taken = np.where(some, np.minimum(left, random.choice([60, 150, 330], left.shape)), 0)
        minutes[kind] += taken.astype(np.int16)
        left -= taken
    empty = np.zeros((pupils, days), np.int16)
    return LaidOut(
        lengths.astype(np.int16), empty, minutes, empty, empty, np.ones((pupils, days), bool)
    )


def with_runs(days: LaidOut) -> set[int]:
    """The slow way: everybody is looked at."""
    pupils, number = days.planned.shape
    grid = DayGrid(
        [PupilKey(f"p{at}") for at in range(pupils)],
        date(2026, 8, 31),
        days.planned,
        {kind: days.minutes[at] for at, kind in enumerate(KINDS[:TIMED])},
        days.late,
        days.sent_out,
        days.group,
        ("a",),
        SchoolWeeks(date(2026, 8, 31), np.ones(number, bool)),
    )
    return {pupil for pupil, _, _ in runs(pack(*counted_minutes(grid)))}


@settings(max_examples=60)
@given(st.integers(0, 10_000))
def test_nobody_with_a_run_is_passed_over(seed: int) -> None:
    days = laid_out(seed)
    assert with_runs(days) <= set(np.flatnonzero(possible_runs(days)).tolist())


def test_most_without_a_run_are_passed_over() -> None:
    found = [(with_runs(days), possible_runs(days)) for days in map(laid_out, range(40))]
    with_one = sum(len(some) for some, _ in found)
    possible = sum(int(flags.sum()) for _, flags in found)
    everybody = sum(len(flags) for _, flags in found)
    assert 20 < with_one <= possible < everybody / 2
