"""How far sick days lie apart: the school's setting brings them nearer, and never further."""

import itertools
from datetime import date

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from features.absence.episodes import WEEK_END_DAYS, episode_days
from features.absence.span import Span

SPAN = Span(date(2026, 6, 1), 16)
STRETCHES = st.lists(st.tuples(st.integers(1, 9), st.integers(1, 40)), min_size=2, max_size=30)


@given(STRETCHES)
def test_over_holidays_days_lie_as_far_apart_or_nearer(stretches: list[tuple[int, int]]) -> None:
    """School days and days without school by turns, with 1 August somewhere among them."""
    flags = np.concatenate([[True] * school + [False] * free for school, free in stretches])
    flags = np.resize(flags, SPAN.days)
    plain, joined = (episode_days(flags, SPAN, over_holidays) for over_holidays in (False, True))
    assert (np.diff(joined) <= np.diff(plain)).all()
    school_days = np.flatnonzero(flags)
    august = SPAN.number_of(date(2026, 8, 1))
    for one, other in itertools.pairwise(school_days):
        apart = joined[other] - joined[one]
        if one < august < other:
            assert apart == other - one
        else:
            assert apart == min(other - one, 1 + WEEK_END_DAYS)
