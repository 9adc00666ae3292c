"""The rules: their boundaries, what is missing, and the columns they say they read."""

import numpy as np
import pytest

from models.baselines import RULES, Rule, rule

BOUNDARIES = {
    "sixteen_hours": ("unauthorised_hours_4w", 15.99, 16.0),
    "mazl": ("sick_episodes_12w", 3, 4),
    "september": ("september_share", 0.099, 0.1),
    "last_year": ("absent_share_previous_year", 0.099, 0.1),
    "share_4w": ("absent_share_4w", 0.099, 0.1),
}


def columns(chosen: Rule, rows: int) -> dict[str, np.ndarray]:
    return {name: np.full(rows, np.nan, dtype=np.float32) for name in chosen.features}


@pytest.mark.parametrize("name", BOUNDARIES)
def test_a_rule_fires_from_its_boundary_on_and_never_on_nothing(name: str) -> None:
    feature, under, at = BOUNDARIES[name]
    x = columns(rule(name), 3)
    x[feature][:] = [under, at, np.nan]
    assert rule(name).fires(x).tolist() == [False, True, False]


@pytest.mark.parametrize("chosen", RULES, ids=lambda chosen: chosen.name)
def test_what_is_unknown_stands_last(chosen: Rule) -> None:
    x = columns(chosen, 2)
    for name in chosen.inputs:
        x[name][0] = 0
    x["absent_share_12w"][1] = 1 if "absent_share_12w" not in chosen.inputs else np.nan
    score = chosen.score(x)
    assert score[0] > score[1] == -np.inf


@pytest.mark.parametrize("chosen", RULES, ids=lambda chosen: chosen.name)
def test_ties_go_to_the_most_absent_and_never_beat_the_rule(chosen: Rule) -> None:
    x = {name: np.zeros(3, dtype=np.float32) for name in chosen.features}
    x[chosen.inputs[0]][2] = 0.05 if chosen.threshold < 1 else 1
    x["absent_share_12w"][:] = [0, 1, 0]
    score = chosen.score(x)
    assert score[2] > score[1] > score[0]


def test_names_are_unique() -> None:
    assert len({chosen.name for chosen in RULES}) == len(RULES) == 5
