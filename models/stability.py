"""Do retrained models give the same reasons: the first and second theme over several bundles."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from features.errors import ExperimentError
from models.explain import contributions, leading_themes
from models.stored import RiskModel

NO_THEME = -1
DECIMALS = 3


@dataclass(frozen=True)
class Stability:
    """How alike the leading themes of the same rows are under several retrained models.

    `same_first` and `same_second` are shares of rows on which two models agree, the mean over all
    pairs of models; no second theme twice is agreement. `same_first_in_all` is the share of rows on
    which all models agree. `shared_first` is the share of rows that have the commonest first theme
    as theirs, the mean over the models: near 1 means that `same_first` says nothing, since every
    pupil has the same first theme. `with_second` is the share of rows with a second theme at all.
    """

    models: int
    rows: int
    same_first: float
    same_second: float
    same_first_in_all: float
    shared_first: float
    with_second: float

    def figures(self) -> dict[str, float]:
        """The shares by name, rounded, as a training run keeps them."""
        return {
            f"reasons_{name}": round(getattr(self, name), DECIMALS)
            for name in (
                "same_first",
                "same_second",
                "same_first_in_all",
                "shared_first",
                "with_second",
            )
        }


def first_themes(
    bundles: Sequence[RiskModel],
    x: NDArray[np.float32],
    tellable: NDArray[np.bool_] | None = None,
) -> NDArray[np.int64]:
    """The first and second theme of every row of `x` under every bundle: [bundles, rows, 2].

    The numbers are those of `tuple(Theme)`; -1 where no (second) theme raised the score. The rows
    are in the order of the features of the bundles, which is the same for all. `tellable`
    ([rows, themes], see `models.telling`) leaves out themes in which nothing stands out in the
    records, as the list does; without it the score alone decides.
    """
    if len({bundle.features for bundle in bundles}) > 1:
        raise ExperimentError(
            "models with different features are compared; stability is about retraining one model"
        )
    return np.stack(
        [leading_themes(contributions(bundle, x), tellable) for bundle in bundles]
    ).astype(np.int64)


def stability(
    bundles: Sequence[RiskModel],
    x: NDArray[np.float32],
    tellable: NDArray[np.bool_] | None = None,
) -> Stability:
    """Agreement of the leading themes over at least two `bundles`, on the rows of `x`.

    The rows should be those that are listed: there the reasons are read.
    """
    if len(bundles) < 2 or not len(x):
        raise ExperimentError(
            f"stability needs two models and a row, got {len(bundles)} and {len(x)} rows"
        )
    return agreement(first_themes(bundles, x, tellable))


def agreement(themes: NDArray[np.int64]) -> Stability:
    """The same for themes found earlier ([models, rows, 2], as `first_themes` gives them).

    >>> agreement(np.array([[[0, 1], [0, 2]], [[0, 1], [0, -1]], [[0, 2], [3, 2]]])).figures()
    {'reasons_same_first': 0.667, 'reasons_same_second': 0.333, 'reasons_same_first_in_all': 0.5, \
'reasons_shared_first': 0.833, 'reasons_with_second': 0.833}
    """
    first, second = themes[:, :, 0], themes[:, :, 1]
    pairs = list(itertools.combinations(range(len(themes)), 2))
    commonest = [np.unique(row, return_counts=True)[1].max() / row.size for row in first]
    return Stability(
        models=len(themes),
        rows=themes.shape[1],
        same_first=float(np.mean([(first[a] == first[b]).mean() for a, b in pairs])),
        same_second=float(np.mean([(second[a] == second[b]).mean() for a, b in pairs])),
        same_first_in_all=float((first == first[0]).all(axis=0).mean()),
        shared_first=float(np.mean(commonest)),
        with_second=float((second != NO_THEME).mean()),
    )
