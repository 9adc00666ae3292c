"""The known risk process: a Markov chain per pupil by school week, and its exact oracle.

A pupil is calm, in a temporary rise, on a stage of a road, supported, away or back. In each school
week a run of prolonged absence may start with a probability that depends on the state alone; else
the state moves. The oracle follows by backward recursion over the same tables: no sampling.
"""

from dataclasses import dataclass
from enum import IntEnum, StrEnum

import numpy as np
from numpy.typing import NDArray

from features.synthetic import parameters as number
from features.synthetic.parameters import SectorRates, Stage

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


class Road(StrEnum):
    """Along which way a pupil came to prolonged absence."""

    MOUNTING_SICKNESS = "mounting_sickness"
    TRUANCY = "truancy"
    SUPPORT_GAP = "support_gap"
    SUDDEN = "sudden"


ROADS = tuple(Road)


class State(IntEnum):
    """Where a pupil stands at the start of a school week; `_HELPED` once help has come."""

    CALM = 0
    SICK_RISE = 1
    TRUANT_RISE = 2
    MOUNTING_1 = 3
    MOUNTING_2 = 4
    MOUNTING_3 = 5
    MOUNTING_1_HELPED = 6
    MOUNTING_2_HELPED = 7
    MOUNTING_3_HELPED = 8
    TRUANCY_1 = 9
    TRUANCY_2 = 10
    TRUANCY_3 = 11
    TRUANCY_1_HELPED = 12
    TRUANCY_2_HELPED = 13
    TRUANCY_3_HELPED = 14
    SUPPORTED = 15
    GAP_1 = 16
    GAP_2 = 17
    GAP_3 = 18
    GAP_1_HELPED = 19
    GAP_2_HELPED = 20
    GAP_3_HELPED = 21
    AWAY_1 = 22
    AWAY_2 = 23
    AWAY_3 = 24
    AWAY_4 = 25
    AWAY = 26
    AWAY_LONG = 27
    BACK = 28
    AFTER = 29


STATES = len(State)
AWAY_STATES = tuple(range(State.AWAY_1, State.AWAY_LONG + 1))
ENTRIES = (
    State.SICK_RISE,
    State.MOUNTING_1,
    State.TRUANT_RISE,
    State.TRUANCY_1,
    State.SUPPORTED,
)
"""Where a calm pupil may go; the only moves that depend on pupil and week."""
_LADDERS = {
    Road.MOUNTING_SICKNESS: (State.MOUNTING_1, number.MOUNTING_STAGES, State.CALM),
    Road.TRUANCY: (State.TRUANCY_1, number.TRUANCY_STAGES, State.CALM),
    Road.SUPPORT_GAP: (State.GAP_1, number.GAP_STAGES, State.SUPPORTED),
}


@dataclass(frozen=True)
class Chain:
    """The moves of one sector: `moves[s, t]` given no onset, `onset[s]` with the sudden share."""

    moves: Floats
    onset: Floats
    sudden: float
    entries: Floats


def build_chain(rates: SectorRates) -> Chain:
    """The weekly moves and onset probabilities of a sector, before pupil and week weigh in.

    >>> from features.synthetic.parameters import SECONDARY
    >>> bool(np.allclose(build_chain(SECONDARY).moves.sum(axis=1), 1.0))
    True
    """
    moves = np.zeros((STATES, STATES))
    on_road = np.zeros(STATES)
    for first, stages, home in _LADDERS.values():
        for index, stage in enumerate(stages):
            for helped in (False, True):
                _add_stage(moves, on_road, first + index, stage, home, helped)
    moves[State.SICK_RISE, State.CALM] = number.RISE_ENDS
    moves[State.TRUANT_RISE, State.CALM] = number.RISE_ENDS
    moves[State.SUPPORTED, State.GAP_1] = number.SUPPORT_LAPSES
    moves[State.SUPPORTED, State.CALM] = number.SUPPORT_NO_LONGER_NEEDED
    for away in (State.AWAY_1, State.AWAY_2, State.AWAY_3, State.AWAY_4):
        moves[away, away + 1] = 1.0
    moves[State.AWAY, State.BACK] = number.AWAY_RETURNS_EARLY
    moves[State.AWAY, State.AWAY_LONG] = number.AWAY_BECOMES_LONG
    moves[State.AWAY_LONG, State.BACK] = number.AWAY_RETURNS_LATE
    moves[State.BACK, State.AFTER] = 1.0
    moves[State.AFTER, State.CALM] = number.AFTER_SETTLES
    on_road[State.AFTER] = number.AFTER_RELAPSES
    np.fill_diagonal(moves, 0.0)
    np.fill_diagonal(moves, 1.0 - moves.sum(axis=1))
    sudden = np.full(STATES, rates.sudden)
    # A run cannot start inside a run, nor in the week of the return.
    sudden[State.AWAY_1 : State.BACK + 1] = 0.0
    entries = np.array(
        [
            rates.enter_sick_rise,
            rates.enter_mounting,
            rates.enter_truant_rise,
            rates.enter_truancy,
            rates.enter_support,
        ]
    )
    return Chain(moves, 1.0 - (1.0 - sudden) * (1.0 - on_road), rates.sudden, entries)


def _add_stage(
    moves: Floats, on_road: Floats, unhelped: int, stage: Stage, home: State, helped: bool
) -> None:
    """Fill the row of one stage; help slows the way onward and speeds the way back."""
    state = unhelped + 3 * helped
    onward = stage.onward * (number.HELP_SLOWS_ONWARD if helped else 1.0)
    ease = number.HELP_SPEEDS_RECOVERY if helped else 1.0
    is_last = (
        (unhelped - State.MOUNTING_1) % 3 == 2
        if unhelped < State.SUPPORTED
        else (unhelped == State.GAP_3)
    )
    if is_last:
        on_road[state] = onward
    else:
        moves[state, state + 1] = onward
    if stage.back:
        moves[state, state - 1] = stage.back * ease
    moves[state, home] = stage.recover * ease
    if not helped:
        moves[state, state + 3] = stage.help_comes


def oracle(chain: Chain, weights: Floats, horizon: int = number.HORIZON_WEEKS) -> Floats:
    """P(onset in the `horizon` school weeks from week w | state at w), exactly.

    `weights[c, w, e]` multiplies entry e for pupils of class c in week w. The result has one row
    per class, week (fewer than given: the last `horizon` weeks have no future) and state.

    >>> from features.synthetic.parameters import SECONDARY
    >>> chain = build_chain(SECONDARY)
    >>> one_week = oracle(chain, np.ones((1, 5, len(ENTRIES))), horizon=1)
    >>> bool(np.allclose(one_week, chain.onset))
    True
    """
    classes, weeks, _ = weights.shape
    known = np.zeros((classes, weeks + 1, STATES))
    enter = weights * chain.entries
    stay = 1.0 - enter.sum(axis=2)
    for _ in range(horizon):
        later = known[:, 1:, :]
        now = later @ chain.moves.T
        now[..., State.CALM] = (enter * later[..., ENTRIES]).sum(axis=2) + stay * later[
            ..., State.CALM
        ]
        known = np.concatenate(
            [chain.onset + (1.0 - chain.onset) * now, np.zeros((classes, 1, STATES))], axis=1
        )
    return known[:, : weeks - horizon, :]


def starting_shares(chain: Chain, weights: Floats) -> Floats:
    """Shares of the states after three years at `weights[c, e]`, among those not in a run."""
    moves = np.repeat(chain.moves[None], len(weights), axis=0)
    enter = weights * chain.entries
    moves[:, State.CALM, :] = 0.0
    moves[:, State.CALM, ENTRIES] = enter
    moves[:, State.CALM, State.CALM] = 1.0 - enter.sum(axis=1)
    shares = np.zeros((len(weights), STATES))
    shares[:, State.CALM] = 1.0
    for _ in range(3 * number.SCHOOL_WEEKS_A_YEAR):
        onset = (shares * chain.onset).sum(axis=1)
        shares = np.einsum("cs,cst->ct", shares * (1.0 - chain.onset), moves)
        shares[:, State.AWAY_1] += onset
    shares[:, State.AWAY_1 : State.BACK + 1] = 0.0
    result: Floats = shares / shares.sum(axis=1, keepdims=True)
    return result


@dataclass(frozen=True)
class Paths:
    """State per pupil and school week (-1: not yet there), and the onsets, one row each."""

    states: NDArray[np.int8]
    onset_pupil: Ints
    onset_week: Ints
    onset_road: Ints


def walk(
    chain: Chain,
    weights: Floats,
    classes: Ints,
    first_week: Ints,
    weeks: int,
    rng: np.random.Generator,
) -> Paths:
    """Let every pupil move through `weeks` school weeks from its `first_week` on.

    `weights` and `classes` as for `oracle`. States have one week more than `weeks`: the state at
    the Monday after the last.
    """
    pupils = len(classes)
    states = np.full((pupils, weeks + 1), -1, dtype=np.int8)
    start = np.cumsum(starting_shares(chain, weights[:, 0, :]), axis=1)
    draw = rng.random((weeks, 2, pupils))
    steps = np.cumsum(chain.moves, axis=1)
    first = (rng.random(pupils)[:, None] > start[classes]).sum(axis=1)
    states[first_week <= 0, 0] = np.minimum(first, STATES - 1)[first_week <= 0]
    road_before = np.full(pupils, ROADS.index(Road.MOUNTING_SICKNESS))
    onsets: list[tuple[Ints, Ints, Ints]] = []
    for week in range(weeks):
        state = states[:, week]
        there = state >= 0
        starts = there & (draw[week, 0] < chain.onset[state])
        road = np.where(draw[week, 0] < chain.sudden, ROADS.index(Road.SUDDEN), _road_of(state))
        road = np.where(road < 0, road_before, road)
        moved = (draw[week, 1][:, None] > steps[state]).sum(axis=1)
        enter = np.cumsum(weights[classes, week, :] * chain.entries, axis=1)
        door = (draw[week, 1][:, None] > enter).sum(axis=1)
        calm = np.append(np.array(ENTRIES), State.CALM)[door]
        moved = np.where(state == State.CALM, calm, np.minimum(moved, STATES - 1))
        moved = np.where(starts, State.AWAY_1, moved)
        states[:, week + 1] = np.where(there, moved, -1)
        enters = first_week == week + 1
        states[enters, week + 1] = np.minimum(first, STATES - 1)[enters]
        who = np.flatnonzero(starts)
        onsets.append((who, np.full(len(who), week), road[who]))
        # A relapse is told as the road before it; after a sudden one, as mounting sickness.
        road_before[who] = np.where(road[who] == ROADS.index(Road.SUDDEN), 0, road[who])
    columns = [np.concatenate(parts) for parts in zip(*onsets, strict=True)]
    return Paths(states, columns[0], columns[1], columns[2])


def _road_of(state: NDArray[np.int8]) -> Ints:
    """The road a state lies on; -1 where it lies on none."""
    road = np.full(STATES, -1)
    road[State.MOUNTING_1 : State.MOUNTING_3_HELPED + 1] = ROADS.index(Road.MOUNTING_SICKNESS)
    road[State.TRUANCY_1 : State.TRUANCY_3_HELPED + 1] = ROADS.index(Road.TRUANCY)
    road[State.GAP_1 : State.GAP_3_HELPED + 1] = ROADS.index(Road.SUPPORT_GAP)
    return road[state]
