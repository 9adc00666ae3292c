"""Who stands on a list: the highest scores among the pupils about whom the records say something.

A signal without a reason is not listed: nobody can talk about it, and a name without a fact invites
people to invent one. The place goes to the next pupil. Training measures its lists with this same
cut, so that the figures beside a list are those of such lists (decision 0008).
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from features.vocabulary import Theme
from models.capacity import Capacity
from models.explain import contributions, told_themes
from models.facts import MEASURES
from models.stored import RiskModel

Flags = NDArray[np.bool_]
Columns = Mapping[str, NDArray[np.floating]]
"""Feature values by name, one per row; NaN where undefined."""


@dataclass(frozen=True)
class Cut:
    """Who is listed, and whose place went to the next one for want of a reason; one per row."""

    listed: Flags
    passed_over: Flags


def tellable(columns: Columns) -> Flags:
    """In which themes something stands out that can be told alone: [rows, themes].

    Decided on the features, which are counted from the same records as the facts: a theme is
    tellable exactly when `models.reasons` finds a fact in it that stands alone. The columns are
    in the order of `tuple(Theme)`. A missing value is nothing to tell.

    >>> columns = {name: np.array([np.nan, 0.0]) for name in feature_names()}
    >>> columns |= {"absent_days_4w": np.array([2.0, 1.0])}
    >>> columns |= {"weeks_since_support_ended": np.array([np.nan, 3.0])}
    >>> [[theme.value for theme, told in zip(Theme, row) if told] for row in tellable(columns)]
    [['absence'], ['support']]
    """
    found = {
        theme: np.any(
            [columns[measure.feature] >= measure.smallest for measure in measures if measure.alone],
            axis=0,
        )
        for theme, measures in MEASURES.items()
    }
    ended = columns["weeks_since_support_ended"] >= 0
    waiting = columns["tlv_waiting_weeks"] >= 0
    reported = columns["duo_reports_40w"] > 0
    found[Theme.SUPPORT] = (ended & (columns["support_requested"] == 0)) | waiting | reported
    nothing = np.zeros(len(waiting), np.bool_)
    return np.column_stack([found.get(theme, nothing) for theme in Theme])


def feature_names() -> tuple[str, ...]:
    """The features that `tellable` looks at."""
    measured = [m.feature for measures in MEASURES.values() for m in measures if m.alone]
    support = ("weeks_since_support_ended", "support_requested", "tlv_waiting_weeks")
    return (*measured, *support, "duo_reports_40w")


def cut(
    capacity: Capacity,
    model: RiskModel,
    columns: Columns,
    score: NDArray[np.float64],
    block: NDArray[np.int64],
    tie: NDArray[np.generic],
) -> Cut:
    """The lists of every block (one school, one Monday), as `Capacity.listed` cuts them.

    `columns` holds the features of the model and those of `feature_names`. Only whoever could be
    listed is explained: explaining everybody takes as long as training.
    """
    told = tellable(columns)
    eligible: Flags = np.asarray(told.any(axis=1))
    checked = np.zeros(len(score), np.bool_)
    while True:
        listed = capacity.listed(block, score, tie, eligible)
        unchecked = np.flatnonzero(listed & ~checked)
        if not len(unchecked):
            break
        x = np.column_stack([columns[name][unchecked] for name in model.features])
        explained = contributions(model, x.astype(np.float32))
        eligible[unchecked] = told_themes(explained, told[unchecked]).any(axis=1)
        checked[unchecked] = True
    return Cut(listed, capacity.listed(block, score, tie) & ~eligible)
