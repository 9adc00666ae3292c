"""The smallest set of features that finds as much: backward elimination on folds before the test.

Families of features (one measure over several spans) are tried from the least important one on; a
family stays out while the lists, over all folds, find at most one standard error less than those of
the whole model, and are at most one later (the one-standard-error rule, Breiman e.a. 1984). Lists
are cut as schools get them: a set of features that no reason can be told from finds nobody.
Importance orders the tries only; what decides is a fit without the family. Whatever is found here
is measured on the test year afterwards, once.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from features.governance.use import Use
from features.settings import Home
from models.bundle import Metadata
from models.stored import RiskModel
from training.assess import MODEL, cut_lists
from training.bootstrap import Floats, Resamples
from training.evaluate import Evaluator, Score
from training.experiment import Experiment
from training.families import choose, fit_family
from training.search import Fold, make_folds, rows_before_calibration
from training.side_by_side import side_by_side

Report = Callable[[str], None]
REPLICATES = 200
"""Resamples of pupils per fold, for the standard error of a paired loss."""
EXPLAINED = 2_000
"""Rows per fold on which importance is taken; the order of the tries needs no more."""


@dataclass(frozen=True)
class _Found:
    """The mean over the folds, in every draw, of recall and of the school weeks of warning."""

    recall: Floats
    lead: Floats

    def holds(self, whole: "_Found") -> bool:
        """At most one standard error under the whole model, in recall and in warning."""
        pairs = ((whole.recall, self.recall), (whole.lead, self.lead))
        losses = (one - other for one, other in pairs)
        return all(loss[0] <= np.nanstd(loss[1:]) for loss in losses)


def smallest_set(
    experiment: Experiment,
    names: tuple[str, ...],
    family_of: Callable[[str], str],
    home: Home,
    use: Use,
    report: Report,
) -> tuple[str, ...]:
    """The features that stay, in the order of `names`; nothing of the test year is read."""
    rows, values = rows_before_calibration(experiment, home, use)
    folds = tuple(make_folds(rows, values, experiment))
    return eliminate(experiment, names, family_of, folds, report)


def eliminate(
    experiment: Experiment,
    names: tuple[str, ...],
    family_of: Callable[[str], str],
    folds: tuple[Fold, ...],
    report: Report,
) -> tuple[str, ...]:
    """Take out family after family, the least important first, while the lists find no less."""
    names = tuple(name for name in names if name in folds[0].train.features)
    models = _fitted(experiment, folds, names)
    whole = _judged(experiment, folds, models)
    weight = _importance(models, folds, names)
    families = dict.fromkeys(map(family_of, names))
    order = sorted(families, key=lambda family: _weight_of(family, names, family_of, weight))
    kept = names
    for number, family in enumerate(order, 1):
        tried = tuple(name for name in kept if family_of(name) != family)
        if not tried:
            continue
        found = _judged(experiment, folds, _fitted(experiment, folds, tried))
        enough = found.holds(whole)
        kept = tried if enough else kept
        shares = f"{100 * found.recall[0]:.1f} % of {100 * whole.recall[0]:.1f} %"
        word = "left out" if enough else "stays"
        report(f"family {number} of {len(order)}, {family}: {word} ({shares}), {len(kept)} left")
    return kept


def _weight_of(
    family: str, names: tuple[str, ...], family_of: Callable[[str], str], weight: np.ndarray
) -> float:
    return float(sum(weight[at] for at, name in enumerate(names) if family_of(name) == family))


def _fitted(
    experiment: Experiment, folds: tuple[Fold, ...], names: tuple[str, ...]
) -> list[RiskModel]:
    def fitted(fold: Fold) -> RiskModel:
        train, judged = (choose(rows, names) for rows in (fold.train, fold.judged))
        return fit_family(experiment, train, judged, Metadata(), fold.lead)

    return list(side_by_side(fitted, folds))


def _judged(experiment: Experiment, folds: tuple[Fold, ...], models: list[RiskModel]) -> _Found:
    """What the lists find, cut as the test year's are: nobody is listed without a reason."""
    recall, lead = [], []
    for fold, model in zip(folds, models, strict=True):
        resamples = Resamples(fold.rows.pupils, REPLICATES, experiment.seed)
        judge = Evaluator(fold.rows, experiment.capacity, resamples)
        x = choose(fold.judged, model.features).x
        score = Score(MODEL, "", model.score(x), probability=True)
        columns = {name: x[:, number] for number, name in enumerate(model.features)}
        listed = cut_lists(judge, {MODEL: score}, {MODEL: model}, columns)[MODEL]
        found = judge.at_capacity(listed, np.ones(len(fold.rows), dtype=np.bool_))
        recall.append(found["recall"])
        lead.append(found["mean_lead"])
    return _Found(np.mean(recall, axis=0), np.mean(lead, axis=0))


def _importance(
    models: list[RiskModel], folds: tuple[Fold, ...], names: tuple[str, ...]
) -> np.ndarray:
    """The mean absolute part of each feature in the margin."""
    sizes = []
    for fold, model in zip(folds, models, strict=True):
        place = np.linspace(0, len(fold.judged.x) - 1, min(EXPLAINED, len(fold.judged.x)))
        x = choose(replace(fold.judged, pupils=None), names).x[place.astype(np.int64)]
        sizes.append(np.abs(model.parts(x)[:, :-1]).mean(axis=0))
    return np.asarray(np.mean(sizes, axis=0))
