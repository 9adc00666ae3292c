"""What each theme or feature is worth: the model fitted again without it, paired on the test year.

Every refit goes the whole way (fit, calibration, refit, lists cut with reasons), so that a
difference is one of lists that schools would get. The smallest sufficient set is sought on folds
before the calibration; the test year sees its result once.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np
import polars as pl
from numpy.typing import NDArray

from features.catalogue import feature
from features.errors import ExperimentError
from features.governance import open_ledger
from features.governance.objections import objected
from features.governance.use import Action, Use
from features.records import RecordLog
from features.settings import Home
from features.store import FeatureStore
from models.listing import Columns
from models.proportionality import (
    Estimate,
    Proportionality,
    SmallestSufficient,
    Without,
    verdict,
    write,
)
from models.registry import Registry
from models.stored import RiskModel
from training.assess import MODEL, as_rows, cut_lists
from training.bootstrap import Flags, Floats, Interval, Resamples
from training.cohort import ExperimentRows, gather_rows
from training.evaluate import Evaluator, Score
from training.experiment import Experiment, FeatureChoice, parse_experiment
from training.fit import fit_model
from training.looks import look
from training.side_by_side import side_by_side
from training.smallest import smallest_set
from training.splits import Part
from training.summary import Summary, find_summary
from training.values import Values, in_scope, retrieve

Report = Callable[[str], None]
REFERENCE = ("recall", "precision", "caught_early", "mean_lead", "median_lead")
MARGIN = 0.01
"""A loss of recall of less than a point of a hundred counts as small."""
_Group = tuple[str, str, tuple[str, ...]]
"""What is left out together: a theme or a feature, its name, and its features."""
_SPAN = re.compile(r"_(\d+w(_before)?|previous_year|this_year|slope)$")


@dataclass(frozen=True)
class Asked:
    """What to measure. `features` fits once per feature, which takes long; themes always are.

    `smallest` seeks the smallest sufficient set; `margin` is the loss of recall that is small.
    """

    features: bool = False
    smallest: bool = True
    margin: float = MARGIN


def family_of(name: str) -> str:
    """The features that measure one thing over other spans go together.

    >>> family_of("sick_share_12w"), family_of("sick_share_previous_year"), family_of("sick_slope")
    ('sick_share', 'sick_share', 'sick')
    """
    return _SPAN.sub("", name)


def measure(
    home: Home, run: str, asked: Asked, use: Use, report: Report = lambda _: None
) -> Proportionality:
    """Measure the model of `run` ("latest", a version, a run's id) and keep the table with it.

    One retrieval, under the run's number in the ledger, and one look at the test year. Raises
    `ExperimentError` when the model has but one theme or feature.
    """
    registry = Registry.at(home)
    summary = find_summary(home, run)
    text = registry.read_text(summary.run_id, "experiment.toml")
    experiment = parse_experiment(text, f"experiment of version {summary.model_version}")
    asked_as = replace(use, action=Action.TRAIN, run=summary.run_id)
    rows, values = _rows(home, experiment, asked_as)
    looks = look(home, rows.periods.tested_on, f"proportionality {summary.run_id}", use.moment)
    report(f"{len(rows.frame):,} rows in scope (test year looked at {looks} times)")
    bench = _Bench(experiment, rows, values, summary.bundle_hash, asked.margin, report)
    table = bench.table(summary, asked, use, home)
    write(registry, summary.run_id, table)
    return table


def lines(found: Proportionality) -> Iterator[str]:
    """The table in lines, for a terminal."""
    for each in found.without:
        yield (
            f"without {each.kind} {each.name} ({len(each.features)}): recall "
            f"{_points(each.recall_difference)}, lead {_weeks(each.lead_difference_weeks)}: "
            f"{each.verdict.value}"
        )
    smallest = found.smallest_sufficient
    if smallest is not None:
        yield (
            f"smallest sufficient set: {len(smallest.features)} features, recall "
            f"{_points(smallest.recall_difference)}, lead "
            f"{_weeks(smallest.lead_difference_weeks)}: {smallest.verdict.value}"
        )
        yield f"  {', '.join(smallest.features)}"


def _points(one: Estimate) -> str:
    """A loss in points of a hundred.

    >>> _points(Estimate(0.041, -0.01, 0.09))
    '+4.1 points (-1.0 to +9.0)'
    """
    return f"{100 * one.value:+.1f} points ({100 * one.low:+.1f} to {100 * one.high:+.1f})"


def _weeks(one: Estimate) -> str:
    return f"{one.value:+.2f} weeks ({one.low:+.2f} to {one.high:+.2f})"


def _rows(home: Home, experiment: Experiment, use: Use) -> tuple[ExperimentRows, Values]:
    store = FeatureStore.at(home)
    mondays = sorted(store.built())
    rows = gather_rows(RecordLog(home.records), store.entities, mondays, experiment, use.moment)
    silent = sorted(objected(open_ledger(home), before=use.moment))
    rows = replace(rows, frame=rows.frame.filter(~pl.col("pupil_key").is_in(silent)))
    values = retrieve(store, rows.frame, experiment.features.service, use)
    return in_scope(rows, values, experiment.cohort)


@dataclass(frozen=True)
class _Measured:
    """The draws of one set of features on the test year."""

    recall: Floats
    lead: Floats
    others: dict[str, Interval]


@dataclass(frozen=True)
class _Bench:
    """The rows on which every set of features is fitted and judged alike."""

    experiment: Experiment
    rows: ExperimentRows
    values: Values
    bundle_hash: str
    margin: float
    report: Report

    def table(self, summary: Summary, asked: Asked, use: Use, home: Home) -> Proportionality:
        names = tuple(
            name for name in self.experiment.features.names() if name in self.values.names
        )
        self.report(f"the whole model: {len(names)} features")
        contract = FeatureStore.at(home).contract_hash(self.experiment.features.service)
        whole_model = self._fit(names, contract)
        whole = self._judged(whole_model)
        without = tuple(self._without(names, contract, whole, asked.features))
        if not without and not asked.smallest:
            raise ExperimentError("the model has one theme only: nothing can be left out of it")
        smallest = self._smallest(names, contract, whole, use, home) if asked.smallest else None
        return Proportionality(
            model_version=summary.model_version,
            made_at=use.moment.isoformat(timespec="minutes"),
            tested_on=self.rows.periods.tested_on,
            level=self.experiment.evaluation.level,
            margin=self.margin,
            same_model=whole_model.content_hash == self.bundle_hash,
            reference={name: _estimate(each) for name, each in whole.others.items()},
            without=without,
            smallest_sufficient=smallest,
        )

    def _without(
        self, names: tuple[str, ...], contract: str, whole: _Measured, each_feature: bool
    ) -> Iterator[Without]:
        """What is lost without every theme, and every feature when asked."""
        groups = list(_groups(names, each_feature))

        def left_out(group: _Group) -> Without:
            kept = tuple(each for each in names if each not in group[2])
            losses = self._losses(whole, self._judged(self._fit(kept, contract)))
            return Without(*group, *losses, verdict(*losses, self.margin))

        for number, one in enumerate(side_by_side(left_out, groups), 1):
            loss = _points(one.recall_difference)
            self.report(f"{number} of {len(groups)}: without {one.kind} {one.name}: {loss}")
            yield one

    def _smallest(
        self, names: tuple[str, ...], contract: str, whole: _Measured, use: Use, home: Home
    ) -> SmallestSufficient:
        """The set found on earlier folds, and what it loses on the test year."""
        kept = smallest_set(self.experiment, names, family_of, home, use, self.report)
        losses = self._losses(whole, self._judged(self._fit(kept, contract)))
        left_out = tuple(each for each in names if each not in kept)
        return SmallestSufficient(kept, left_out, *losses, verdict(*losses, self.margin))

    def _fit(self, names: tuple[str, ...], contract_hash: str) -> RiskModel:
        chosen = FeatureChoice(self.experiment.features.service, only=names)
        experiment = replace(self.experiment, features=chosen)
        return fit_model(self.rows, self.values, experiment, contract_hash)

    def _judged(self, model: RiskModel) -> _Measured:
        evaluator, tested = self._evaluator()
        score = Score(MODEL, "", model.score(tested.of(model.features)), probability=True)
        listed = cut_lists(evaluator, {MODEL: score}, {MODEL: model}, _columns(tested, model))
        everything: Flags = np.ones(len(evaluator.rows), dtype=np.bool_)
        draws = evaluator.at_capacity(listed[MODEL], everything)
        level = self.experiment.evaluation.level
        others = {name: Interval.of(draws[name], level) for name in REFERENCE}
        return _Measured(draws["recall"], draws["mean_lead"], others)

    def _evaluator(self) -> tuple[Evaluator, Values]:
        is_test: NDArray[np.bool_] = (self.rows.frame["part"] == Part.TEST).to_numpy()
        test_rows = as_rows(self.rows.frame.filter(pl.Series(is_test)))
        experiment = self.experiment
        resamples = Resamples(test_rows.pupils, experiment.evaluation.replicates, experiment.seed)
        return Evaluator(test_rows, experiment.capacity, resamples), self.values.take(is_test)

    def _losses(self, whole: _Measured, found: _Measured) -> tuple[Estimate, Estimate]:
        level = self.experiment.evaluation.level
        pairs = ((whole.recall, found.recall), (whole.lead, found.lead))
        recall, lead = (_estimate(Interval.of(one - other, level)) for one, other in pairs)
        return recall, lead


def _columns(tested: Values, model: RiskModel) -> Columns:
    every = tested.columns()
    return {name: every[name] for name in model.features}


def _estimate(each: Interval) -> Estimate:
    return Estimate(each.value, each.low, each.high)


def _groups(names: Iterable[str], each_feature: bool) -> Iterator[_Group]:
    """What is left out in turn: every theme, and every feature when asked; never all of them.

    >>> [(kind, name) for kind, name, _ in _groups(["sick_share_4w", "sent_out_12w"], True)]
    [('theme', 'absence'), ('theme', 'pattern'), ('feature', 'sick_share_4w'), \
('feature', 'sent_out_12w')]
    """
    every = tuple(names)
    themes = dict.fromkeys(feature(name).theme for name in every)
    for theme in themes if len(themes) > 1 else ():
        yield (
            "theme",
            theme.value,
            tuple(name for name in every if feature(name).theme == theme),
        )
    if each_feature and len(every) > 1:
        for name in every:
            yield "feature", name, (name,)
