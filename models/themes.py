"""Do the borders of themes cut through what goes together? Measured, on feature values."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from features.catalogue import feature
from features.vocabulary import Theme

BOUND = 0.75
"""No two features of different themes may correlate as strongly as this (Spearman, either sign).

The worst pair is how many kinds of absence occur, lateness among them, and late arrivals: 0.67 on
10,000 invented pupils, 0.73 on 700. Every other pair across a border stays under 0.70 on both. With
the bound at 0.65 lateness would join absence, and nearly everybody had the same first theme
(decision 0008)."""
FEWEST_ROWS = 500
"""Fewer rows with both values known say nothing about how two features go together."""


@dataclass(frozen=True)
class CutPair:
    """Two features of different themes and how strongly they go together."""

    first: str
    second: str
    correlation: float
    rows: int

    def line(self) -> str:
        """For people.

        >>> CutPair("late_arrivals_12w", "kinds_mixed_12w", 0.67, 900).line()
        'late_arrivals_12w (pattern) - kinds_mixed_12w (absence): 0.67 over 900 rows'
        """
        themes = feature(self.first).theme, feature(self.second).theme
        return (
            f"{self.first} ({themes[0]}) - {self.second} ({themes[1]}): "
            f"{self.correlation:.2f} over {self.rows} rows"
        )


def cut_pairs(
    columns: Mapping[str, NDArray[np.floating]], themes: Mapping[str, Theme] | None = None
) -> tuple[CutPair, ...]:
    """Every pair of features of different themes, the most strongly correlated first.

    `columns` holds values of features by name, one per row; a pair is measured on the rows where
    both are known. The themes are those of the catalogue.

    >>> one = np.arange(600.0)
    >>> pairs = cut_pairs({"absent_share_4w": one, "late_arrivals_4w": -one, "sick_share_4w": one})
    >>> [(pair.first, pair.second, round(pair.correlation, 2)) for pair in pairs]
    [('absent_share_4w', 'late_arrivals_4w', -1.0), ('late_arrivals_4w', 'sick_share_4w', -1.0)]
    """
    theme_of = themes or {name: feature(name).theme for name in columns}
    names = sorted(columns)
    found = []
    for at, first in enumerate(names):
        for second in names[at + 1 :]:
            if theme_of[first] != theme_of[second]:
                found.append(_pair(first, second, columns))
    known = [pair for pair in found if pair is not None]
    return tuple(sorted(known, key=lambda pair: (-abs(pair.correlation), pair.first, pair.second)))


def _pair(first: str, second: str, columns: Mapping[str, NDArray[np.floating]]) -> CutPair | None:
    one, other = columns[first], columns[second]
    known = ~np.isnan(one) & ~np.isnan(other)
    rows = int(known.sum())
    if rows < FEWEST_ROWS:
        return None
    ranks = _ranks(one[known]), _ranks(other[known])
    if any(np.ptp(rank) == 0 for rank in ranks):
        return None  # a constant goes with nothing
    return CutPair(first, second, float(np.corrcoef(*ranks)[0, 1]), rows)


def _ranks(values: NDArray[np.floating]) -> NDArray[np.float64]:
    """The place of each value in order; equal values share the mean of theirs."""
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    return np.asarray((np.cumsum(counts) - (counts - 1) / 2)[place])
