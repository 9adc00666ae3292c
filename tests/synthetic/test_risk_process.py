"""The oracle is exact, calibrated and far from certainty; the roads have their sizes."""

import itertools

import numpy as np
import pytest

from features.synthetic.parameters import (
    HORIZON_WEEKS,
    PRIMARY,
    SCHOOL_WEEKS_A_YEAR,
    SECONDARY,
    SectorRates,
)
from features.synthetic.risk_process import (
    AWAY_STATES,
    ENTRIES,
    ROADS,
    STATES,
    Chain,
    Road,
    State,
    build_chain,
    oracle,
    starting_shares,
    walk,
)

AT_SCHOOL = [state for state in range(STATES) if state not in (*AWAY_STATES, State.BACK)]
SECTORS = pytest.mark.parametrize("rates", [PRIMARY, SECONDARY], ids=["po", "vo"])


def onset_within(chain: Chain, state: int, weights: np.ndarray, weeks: int) -> float:
    """By forward propagation of one pupil, week by week: an independent way to the same number."""
    alive = np.zeros(STATES)
    alive[state] = 1.0
    onset = 0.0
    for week in range(weeks):
        onset += float((alive * chain.onset).sum())
        alive = alive * (1.0 - chain.onset)
        moves = chain.moves.copy()
        enter = weights[week] * chain.entries
        moves[State.CALM] = 0.0
        moves[State.CALM, list(ENTRIES)] = enter
        moves[State.CALM, State.CALM] = 1.0 - enter.sum()
        alive = alive @ moves
    return onset


@SECTORS
def test_backward_recursion_equals_forward_propagation_for_every_state(rates: SectorRates) -> None:
    chain = build_chain(rates)
    weights = np.random.default_rng(1).uniform(0.3, 2.5, (1, HORIZON_WEEKS + 3, len(ENTRIES)))
    known = oracle(chain, weights)
    assert known.shape == (1, 3, STATES)
    for week in range(3):
        for state in range(STATES):
            expected = onset_within(chain, state, weights[0, week:], HORIZON_WEEKS)
            assert known[0, week, state] == pytest.approx(expected, abs=1e-12)


@SECTORS
def test_moves_are_probabilities(rates: SectorRates) -> None:
    chain = build_chain(rates)
    assert (chain.moves >= 0).all()
    assert chain.moves.sum(axis=1) == pytest.approx(np.ones(STATES))
    assert (chain.onset[list(AWAY_STATES)] == 0).all()


@SECTORS
def test_oracle_is_far_from_certainty_at_school(rates: SectorRates) -> None:
    known = oracle(build_chain(rates), np.ones((1, HORIZON_WEEKS + 1, len(ENTRIES))))[0, 0]
    assert known[AT_SCHOOL].min() > 0
    assert known[AT_SCHOOL].max() < 0.5


def test_help_lowers_the_risk_of_a_stage_by_a_fifth_to_two_fifths() -> None:
    known = oracle(build_chain(SECONDARY), np.ones((1, HORIZON_WEEKS + 1, len(ENTRIES))))[0, 0]
    for stage in (State.MOUNTING_3, State.TRUANCY_3, State.GAP_3):
        # Less than the 25 % of the weekly hazard is left over eight weeks: help also comes later.
        assert 0.15 < 1 - known[stage + 3] / known[stage] < 0.4


@SECTORS
def test_walks_have_onsets_as_often_as_the_oracle_says(rates: SectorRates) -> None:
    """Binned by the oracle's probability; Mondays a horizon apart, so that rows do not overlap."""
    chain, pupils, weeks = build_chain(rates), 40_000, 49
    weights = np.ones((2, weeks + HORIZON_WEEKS, len(ENTRIES)))
    weights[1] *= 2.5
    classes = np.arange(pupils) % 2
    start = np.zeros(pupils, dtype=np.int64)
    paths = walk(chain, weights, classes, start, weeks, np.random.default_rng(5))
    known = oracle(chain, weights)
    onset = np.zeros((pupils, weeks), dtype=bool)
    onset[paths.onset_pupil, paths.onset_week] = True
    said, came = [], []
    for week in range(0, weeks - HORIZON_WEEKS + 1, HORIZON_WEEKS):
        state = paths.states[:, week]
        at_school = np.isin(state, AT_SCHOOL)
        said.append(known[classes, week, state][at_school])
        came.append(onset[at_school, week : week + HORIZON_WEEKS].any(axis=1))
    probability, realised = np.concatenate(said), np.concatenate(came)
    edges = np.array([0.0, 5e-4, 1e-3, 5e-3, 0.02, 0.05, 0.12, 0.22, 1.0])
    checked = 0
    for low, high in itertools.pairwise(edges):
        inside = (probability >= low) & (probability < high)
        expected = probability[inside].sum()
        if expected < 15:
            continue
        spread = np.sqrt((probability * (1 - probability))[inside].sum())
        assert abs(realised[inside].sum() - expected) < 3.5 * spread
        checked += 1
    assert checked >= 5


@SECTORS
def test_a_quarter_to_a_third_of_onsets_is_sudden_and_all_are_rare(rates: SectorRates) -> None:
    """Expected over a year in a steady population, computed from the tables."""
    chain = build_chain(rates)
    weights = np.ones((1, len(ENTRIES)))
    share = starting_shares(chain, weights)[0]
    at_school = np.isin(np.arange(STATES), AT_SCHOOL)
    yearly = float((share * chain.onset).sum()) * SCHOOL_WEEKS_A_YEAR
    sudden = float((share * at_school).sum()) * chain.sudden * SCHOOL_WEEKS_A_YEAR
    assert 0.004 < yearly < 0.015
    assert 0.24 < sudden / yearly < 0.36


def test_a_walk_starts_at_its_first_week_and_runs_cannot_follow_within_a_run() -> None:
    chain = build_chain(SECONDARY)
    weights = np.full((1, 70, len(ENTRIES)), 4.0)
    first = np.repeat([0, 20], 3000)
    classes = np.zeros(6000, dtype=np.int64)
    paths = walk(chain, weights, classes, first, 60, np.random.default_rng(2))
    assert (paths.states[3000:, :20] == -1).all()
    assert (paths.states[3000:, 20:] >= 0).all()
    assert not np.isin(paths.states[paths.onset_pupil, paths.onset_week], AWAY_STATES).any()
    assert set(paths.onset_road) == {ROADS.index(road) for road in Road}
