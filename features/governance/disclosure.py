"""Small counts are not published, nor what would give them away: one rule for every table.

A count of 1 to 4 is hidden. Where published totals, sums or differences would still tell a hidden
count within narrow bounds, a second count is hidden as well, until they no longer do. Zero is
shown: it is about nobody. (The Dutch statistical office hides below five in its own small-area
tables.)
"""

from collections.abc import Collection, Hashable, Mapping, Sequence
from typing import TypeVar

import numpy as np
from scipy.optimize import linprog  # type: ignore[import-untyped]

from features.errors import VerificationFailed

SMALLEST_SHOWN = 5
"""The smallest count above zero that is published."""

FEWEST_FOR_A_SHARE = 10
"""The fewest pupils of whom a share, a rate or another figure is published."""

SMALLEST_WIDTH = 4
"""Between the least and the most that a hidden count can be, for whoever adds and subtracts."""

K = TypeVar("K", bound=Hashable)
Relation = Mapping[K, int]
"""Counts times these numbers add up to zero: a total is 1 and its parts are -1."""


def protect(
    counts: Mapping[K, int],
    relations: Sequence[Relation[K]] = (),
    also: Collection[K] = frozenset(),
) -> dict[K, int | None]:
    """The counts as they may be published; None where one is hidden.

    `relations` are all sums that a reader can make: totals of rows and columns, a stock from
    last month's stock and the flows. Which counts are hidden says nothing more about their size.
    `also` are hidden whatever their size.

    >>> protect({"a": 3, "b": 8, "c": 20})
    {'a': None, 'b': 8, 'c': 20}
    >>> protect({"a": 3, "b": 8, "both": 11}, [{"both": 1, "a": -1, "b": -1}])
    {'a': None, 'b': None, 'both': 11}
    """
    _refuse_what_does_not_add_up(counts, relations)
    hidden = {key for key, count in counts.items() if 0 < count < SMALLEST_SHOWN} | set(also)
    sensitive = sorted(hidden, key=list(counts).index)
    # Hiding more never tells a reader more, so a count that is safe stays safe.
    for key in sensitive:
        while _is_exposed(counts, relations, hidden, key):
            candidate = _next_to_hide(counts, relations, hidden, key)
            if candidate is None:
                raise VerificationFailed("a small count cannot be hidden; publish fewer totals")
            hidden.add(candidate)
    # What a reader can work out exactly anyway protects nothing: it is shown.
    for key in sorted(hidden - set(sensitive), key=list(counts).index):
        least, most = bounds(counts, relations, hidden, key)
        if most - least < 1:
            hidden.remove(key)
    return {key: None if key in hidden else count for key, count in counts.items()}


def without_figures(groups: Mapping[K, tuple[int, int]]) -> set[K]:
    """The groups of one division of which no figure is published.

    Each group has its pupils and, among them, those it is about. Too few of either, and a share
    says nothing or points at someone; further groups are left out where the first could be told
    from them and the whole.

    >>> sorted(without_figures({"po": (300, 40), "vo": (200, 30), "mbo": (80, 12)}))
    []
    >>> sorted(without_figures({"po": (300, 40), "vo": (200, 30), "vso": (9, 6)}))
    ['vo', 'vso']
    """
    hidden = {
        name
        for name, (pupils, among) in groups.items()
        if pupils < FEWEST_FOR_A_SHARE or among < SMALLEST_SHOWN
    }
    if len(hidden) == 1 and len(groups) > 1:
        rest = [name for name in groups if name not in hidden]
        hidden.add(min(rest, key=lambda name: groups[name][::-1]))
    for place in (0, 1):
        counts: dict[K | None, int] = {name: sizes[place] for name, sizes in groups.items()}
        whole: dict[K | None, int] = dict.fromkeys(groups, -1)
        shown = protect(counts | {None: sum(counts.values())}, [whole | {None: 1}], hidden)
        hidden |= {name for name in groups if shown[name] is None}
    return hidden


def bounds(
    counts: Mapping[K, int], relations: Sequence[Relation[K]], hidden: set[K], key: K
) -> tuple[float, float]:
    """The least and the most that the hidden count of `key` can be for who knows the rest.

    The reader is taken to know which hidden counts are zero.

    >>> bounds({"a": 3, "b": 8, "t": 11}, [{"t": 1, "a": -1, "b": -1}], {"a", "b"}, "a")
    (1.0, 10.0)
    """
    names = [name for name in counts if name in hidden]
    rows, known = [], []
    for relation in relations:
        row = [relation.get(name, 0) for name in names]
        if any(row):
            rows.append(row)
            shown = (n for n in relation if n not in hidden)
            known.append(-sum(relation[name] * counts[name] for name in shown))
    least = [(min(1, counts[name]), None) for name in names]
    goal = np.array([float(name == key) for name in names])
    found = []
    for sign in (1, -1):
        result = linprog(
            sign * goal, A_eq=rows or None, b_eq=known or None, bounds=least, method="highs"
        )
        found.append(sign * result.fun if result.status == 0 else sign * -np.inf)
    return float(found[0]), float(found[1])


def _is_exposed(
    counts: Mapping[K, int], relations: Sequence[Relation[K]], hidden: set[K], key: K
) -> bool:
    least, most = bounds(counts, relations, hidden, key)
    return most - least < SMALLEST_WIDTH


def _next_to_hide(
    counts: Mapping[K, int], relations: Sequence[Relation[K]], hidden: set[K], exposed: K
) -> K | None:
    """The smallest shown count in a sum with the exposed one, directly or through hidden ones."""
    reached = {exposed}
    while True:
        near = [relation for relation in relations if reached & relation.keys()]
        beside = {key for relation in near for key in relation} - reached
        shown = beside - hidden
        if shown:
            order = list(counts)
            return min(shown, key=lambda key: (counts[key] == 0, counts[key], order.index(key)))
        if not beside:
            return None
        reached |= beside


def _refuse_what_does_not_add_up(counts: Mapping[K, int], relations: Sequence[Relation[K]]) -> None:
    wrong = sum(
        sum(number * counts[key] for key, number in relation.items()) != 0 for relation in relations
    )
    if wrong:
        raise VerificationFailed(f"{wrong} sums of the table do not add up; nothing is published")
