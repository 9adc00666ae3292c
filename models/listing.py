"""Who stands on a list: the highest scores among the pupils about whom the records say something.

A signal without a reason is not listed: nobody can talk about it, and a name without a fact invites
people to invent one. The place goes to the next pupil. Training measures its lists with this same
cut, so that the figures beside a list are those of such lists (decision 0008). Names do not come
and go with every ripple: the list of the week before counts (`models.capacity`, decision 0018).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from features.school_weeks import school_year_of
from features.vocabulary import Theme
from models.absence_facts import MEASURES
from models.capacity import Capacity, LastList
from models.circumstances import support_told
from models.explain import contributions, told_themes
from models.stored import RiskModel

Flags = NDArray[np.bool_]
Columns = Mapping[str, NDArray[np.floating]]
"""Feature values by name, one per row; NaN where undefined."""


@dataclass(frozen=True)
class Cut:
    """One flag per row: who is listed, and whose place went to the next one for want of a reason.

    `discussed` marks the listed pupils of whom a team speaks this week; the others are followed.
    """

    listed: Flags
    discussed: Flags
    passed_over: Flags


def tellable(columns: Columns) -> Flags:
    """In which themes something stands out that can be told alone: [rows, themes].

    Decided on the features, which are counted from the same records as the facts: a theme is
    tellable exactly when `models.reasons` finds a fact in it that stands alone. The columns of the
    result are in the order of `tuple(Theme)`. A missing value is nothing to tell; neither is a
    feature that `columns` does not hold, since a model tells nothing that it may not look at.

    >>> columns = {
    ...     "absent_days_4w": np.array([3.0, 2.0]),
    ...     "weeks_since_support_ended": np.array([np.nan, 3.0]),
    ...     "support_requested": np.array([0.0, 0.0]),
    ... }
    >>> [[theme.value for theme, told in zip(Theme, row) if told] for row in tellable(columns)]
    [['absence'], ['support']]
    """
    rows = len(next(iter(columns.values())))
    nothing = np.zeros(rows, np.bool_)
    found = dict.fromkeys(Theme, nothing)
    for theme, measures in MEASURES.items():
        for measure in measures:
            if measure.feature in columns:
                found[theme] = found[theme] | (columns[measure.feature] >= measure.smallest_alone)
    for told in support_told(columns).values():
        found[Theme.SUPPORT] = found[Theme.SUPPORT] | told
    return np.column_stack([found[theme] for theme in Theme])


def cut(
    capacity: Capacity,
    model: RiskModel,
    columns: Columns,
    score: NDArray[np.float64],
    block: NDArray[np.int64],
    tie: NDArray[np.generic],
    last: LastList | None = None,
) -> Cut:
    """The lists of every block (one school, one Monday), as `Capacity.listed` cuts them.

    `columns` holds the features of the model, `last` the lists of the week before (None: there
    were none). Only whoever could be listed is explained: explaining everybody takes as long as
    training.
    """
    told = tellable({name: columns[name] for name in model.features})
    eligible: Flags = np.asarray(told.any(axis=1))
    checked = np.zeros(len(score), np.bool_)
    while True:
        near = capacity.near(block, score, tie, eligible)
        unchecked = np.flatnonzero(near & ~checked)
        if not len(unchecked):
            break
        x = np.column_stack([columns[name][unchecked] for name in model.features])
        explained = contributions(model, x.astype(np.float32))
        eligible[unchecked] = told_themes(explained, told[unchecked]).any(axis=1)
        checked[unchecked] = True
    listed = capacity.listed(block, score, tie, eligible, last)
    return Cut(
        listed=listed,
        discussed=capacity.discussed(block, score, tie, listed),
        passed_over=capacity.listed(block, score, tie, last=last) & ~eligible,
    )


@dataclass(frozen=True)
class Weeks:
    """Rows of many Mondays: `school` and `pupil` number theirs from 0; `as_of` is the Monday."""

    school: NDArray[np.int64]
    pupil: NDArray[np.int64]
    as_of: NDArray[np.datetime64]

    def one_by_one(self, cut_week: Callable[[NDArray[np.int64], LastList], Cut]) -> Cut:
        """Cut every Monday with the lists before it, as the weekly run does; oldest first.

        `cut_week` gets the numbers of a Monday's rows and who stood on the lists before. A school
        without rows on a Monday (a holiday) keeps its last list; a new school year begins anew.
        """
        rows = len(self.as_of)
        flags = [np.zeros(rows, np.bool_) for _ in range(3)]
        order = np.argsort(self.as_of, kind="stable")
        mondays, starts = np.unique(self.as_of[order], return_index=True)
        listed_at = np.full(int(self.pupil.max(initial=-1)) + 1, -1)
        there = np.zeros(int(self.school.max(initial=-1)) + 1, np.bool_)
        year = None
        for monday, chosen in zip(mondays, np.split(order, starts[1:]), strict=True):
            if (now := school_year_of(monday.astype("datetime64[D]").item())) != year:
                year, listed_at[:], there[:] = now, -1, False
            school, pupil = self.school[chosen], self.pupil[chosen]
            found = cut_week(chosen, LastList(there[school], listed_at[pupil] == school))
            there[school] = True
            listed_at[np.isin(listed_at, school)] = -1
            listed_at[pupil[found.listed]] = school[found.listed]
            for all_weeks, one in zip(
                flags, (found.listed, found.discussed, found.passed_over), strict=True
            ):
                all_weeks[chosen] = one
        return Cut(*flags)
