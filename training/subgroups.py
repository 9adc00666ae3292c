"""Does the list work alike for groups of pupils: figures per group, small cells suppressed."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from features.governance.disclosure import without_figures
from features.vocabulary import Sector
from training.bootstrap import Flags, Interval
from training.evaluate import Evaluator
from training.values import Values

SHOWN = ("recall", "precision", "caught_early", "new_names")
NOTHING = Interval(float("nan"), float("nan"), float("nan"))


@dataclass(frozen=True)
class Subgroup:
    """One group under one dimension.

    `gap` is its recall minus that of all other pupils; `gain` its recall minus what the best rule
    reaches in the same group; both paired. A gap may come from the records (of some groups they
    foretell less); a loss against the rule can only come from the model.

    Suppressed: the counts are 0 and the figures undefined; a cell is also suppressed when another
    could be told from it by subtraction.
    """

    dimension: str
    group: str
    pupils: int
    rows: int
    onsets: int
    suppressed: bool
    metrics: Mapping[str, Interval]
    gap: Interval
    gain: Interval


def groups_of(frame: pl.DataFrame, values: Values) -> dict[str, NDArray[Any]]:
    """The group of every row under each dimension, in the words that people read."""
    columns = values.columns()
    running = np.nan_to_num(columns["support_running"]) > 0
    moved = np.nan_to_num(columns["transition_year"]) > 0
    earlier = columns["absent_share_previous_year"]
    known = np.where(np.isnan(earlier), "vorig schooljaar onbekend", "vorig schooljaar bekend")
    sectors = [Sector(name).label for name in frame["sector"]]
    years = [
        f"{sector}, leerjaar {year}"
        for sector, year in zip(sectors, frame["year_group"], strict=True)
    ]
    return {
        "onderwijssoort": np.array(sectors),
        "leerjaar": np.array(years),
        "ondersteuning": np.where(running, "ondersteuning loopt", "geen ondersteuning"),
        "overgang": np.where(moved, "overgangsjaar", "geen overgangsjaar"),
        "gegevens": known,
        "school": frame["school"].to_numpy(),
    }


def subgroups(
    evaluator: Evaluator,
    listed: Flags,
    by_rule: Flags,
    groups: Mapping[str, NDArray[Any]],
    level: float,
) -> tuple[Subgroup, ...]:
    """Every group of every dimension, by the lists that the whole school got.

    `by_rule` are the lists of the best rule on the same rows.
    """
    lists = (listed, by_rule)
    found: list[Subgroup] = []
    for dimension, group in groups.items():
        names = np.unique(group)
        hidden = hidden_groups(evaluator, group, names)
        found.extend(
            _subgroup(evaluator, lists, group == name, level, dimension, str(name))
            if name not in hidden
            else Subgroup(dimension, str(name), 0, 0, 0, True, {}, NOTHING, NOTHING)
            for name in names
        )
    return tuple(found)


def hidden_groups(evaluator: Evaluator, group: NDArray[Any], names: NDArray[Any]) -> set[Any]:
    """The groups of a dimension without figures: too small, or to be told from the others."""
    return without_figures({name: _size(evaluator, group == name) for name in names})


def _size(evaluator: Evaluator, inside: Flags) -> tuple[int, int]:
    """Pupils, and pupils with an onset, among these rows."""
    rows = evaluator.rows
    with_onset = np.unique(rows.pupil[inside & rows.positive])
    return len(np.unique(rows.pupil[inside])), len(with_onset)


def _subgroup(
    evaluator: Evaluator,
    lists: tuple[Flags, Flags],
    inside: Flags,
    level: float,
    dimension: str,
    name: str,
) -> Subgroup:
    here, by_rule = (evaluator.at_capacity(listed, inside) for listed in lists)
    elsewhere = evaluator.at_capacity(lists[0], ~inside)
    pupils, onsets = _size(evaluator, inside)
    return Subgroup(
        dimension=dimension,
        group=name,
        pupils=pupils,
        rows=int(inside.sum()),
        onsets=onsets,
        suppressed=False,
        metrics={metric: Interval.of(here[metric], level) for metric in SHOWN},
        gap=Interval.of(here["recall"] - elsewhere["recall"], level),
        gain=Interval.of(here["recall"] - by_rule["recall"], level),
    )
