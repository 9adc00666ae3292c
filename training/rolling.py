"""The same question asked at earlier moments: is an answer steady, before the test year is seen?

At each origin (the start of a term or a school year) the experiment is fitted on what was known
then, and its lists of the period after it are judged. The final test year is never read.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time
from pathlib import Path

import polars as pl

from features.errors import ExperimentError
from features.governance import open_ledger
from features.governance.objections import objected
from features.governance.use import Action, Use
from features.records import RecordLog
from features.school_weeks import AMSTERDAM
from features.settings import Home
from features.store import FeatureStore
from models.registry import Registry, Run
from training.assess import MODEL, assess
from training.bootstrap import Interval
from training.cohort import days_seen, gather_rows
from training.examine import check_definition
from training.experiment import Experiment, read_experiment
from training.fit import fit_models
from training.labels import Outcome
from training.origins import By, Origin, origins
from training.splits import Part, final_year
from training.values import fingerprint, in_scope, retrieve

Report = Callable[[str], None]
SHOWN = ("recall", "caught_early", "mean_lead", "roc_auc", "calibration_ratio")


@dataclass(frozen=True)
class AtOrigin:
    """One origin: how much was learned from and judged, the model's figures, and the best rule.

    `difference` is the model minus the best rule on the metric that decides, paired.
    """

    origin: Origin
    learned_onset_rows: int
    judged_rows: int
    judged_onset_rows: int
    figures: dict[str, Interval]
    best_rule: str
    difference: Interval

    def line(self) -> str:
        """In one line, for a terminal."""
        recall, gain = self.figures["recall"], self.difference
        return (
            f"{self.origin.name}: learned from {self.learned_onset_rows} onset rows, judged on "
            f"{self.judged_onset_rows} of {self.judged_rows:,}; recall {100 * recall.value:.1f} % "
            f"({100 * recall.low:.1f} to {100 * recall.high:.1f}), minus {self.best_rule} "
            f"{100 * gain.value:+.1f} points ({100 * gain.low:.1f} to {100 * gain.high:.1f})"
        )


def roll(
    path: Path, home: Home, by: By, use: Use, report: Report = lambda _: None
) -> tuple[AtOrigin, ...]:
    """Ask the experiment at `path` at every origin before its final test year.

    An origin before which too little was known, or after which nothing came, is passed over and
    told. One run in MLflow, with a curve per figure over the origins.
    """
    experiment = read_experiment(path)
    definition = check_definition(experiment)
    if not definition.holds:
        raise ExperimentError(f"{path}: {definition.detail}")
    store = FeatureStore.at(home)
    mondays = sorted(store.built())
    log = RecordLog(home.records)
    end = final_year(days_seen(log, experiment, use.moment)[1], experiment.splits).start
    if not mondays:
        raise ExperimentError("no feature table is built; run `tijdig features build`")
    # Nothing of the test year is read: neither its Mondays, nor what was learned in it.
    moment = min(use.moment, datetime.combine(end, time(), AMSTERDAM))
    mondays = [monday for monday in mondays if monday < end]
    registry = Registry.at(home)
    found: list[AtOrigin] = []
    name = f"rolling origin by {by.replace('_', ' ')}, {experiment.family}"
    with registry.run(experiment.name, name, use.moment) as run:
        asked = replace(use, action=Action.TRAIN, run=run.run_id)
        run.params(experiment.settings())
        for origin in origins(by, mondays[0], end):
            place = _Place(home, store, log, asked, moment)
            try:
                at = _at(origin, [day for day in mondays if day < origin.until], experiment, place)
            except ExperimentError as problem:
                report(f"{origin.name}: passed over ({problem})")
                continue
            report(at[0].line())
            _log(run, len(found), *at)
            found.append(at[0])
        if not found:
            raise ExperimentError(
                f"no {by.replace('_', ' ')} before {end} can be judged; deliver earlier years"
            )
    return tuple(found)


def verdict(found: tuple[AtOrigin, ...]) -> str:
    """How steady it is, in one line."""
    ahead = sum(each.difference.value > 0 for each in found)
    shown = sum(each.difference.low > 0 for each in found)
    of_all = f"{ahead} of {len(found)} origins"
    return f"ahead of the best rule at {of_all}, by the whole interval at {shown}"


@dataclass(frozen=True)
class _Place:
    home: Home
    store: FeatureStore
    log: RecordLog
    use: Use
    moment: datetime


def _at(
    origin: Origin, mondays: Sequence[date], experiment: Experiment, place: _Place
) -> tuple[AtOrigin, str]:
    if not any(origin.start <= monday for monday in mondays):
        raise ExperimentError("none of its Mondays is built")
    rows = gather_rows(
        place.log, place.store.entities, mondays, experiment, place.moment, judged=origin
    )
    silent = sorted(objected(open_ledger(place.home), before=place.use.moment))
    rows = replace(rows, frame=rows.frame.filter(~pl.col("pupil_key").is_in(silent)))
    judged = rows.frame.filter(part=Part.TEST.value)
    if not (judged["outcome"] == Outcome.ONSET.value).any():
        raise ExperimentError("no onset came in it, of which the outcome is known")
    values = retrieve(place.store, rows.frame, experiment.features.service, place.use)
    rows, values = in_scope(rows, values, experiment.cohort)
    contract = place.store.contract_hash(experiment.features.service)
    fitted = fit_models(rows, values, experiment, contract)
    assessed = assess(rows, values, {MODEL: fitted.model}, experiment, place.home)
    measured, level = assessed.measured[MODEL], experiment.evaluation.level
    test_rows = assessed.evaluator.rows
    metric = experiment.promotion.metric
    gain = next(
        each.interval
        for each in assessed.comparisons
        if each.other == assessed.best_rule and each.metric == metric
    )
    at = AtOrigin(
        origin=origin,
        learned_onset_rows=fitted.model.metadata.positives,
        judged_rows=len(test_rows),
        judged_onset_rows=int(test_rows.positive.sum()),
        figures={name: measured.interval(name, level) for name in SHOWN},
        best_rule=assessed.best_rule,
        difference=gain,
    )
    return at, fingerprint(rows, values)


def _log(run: Run, step: int, at: AtOrigin, data: str) -> None:
    """One point of each curve; what is undefined is left out."""
    named = {**at.figures, f"{MODEL}_minus_best_rule": at.difference}
    flat = {name: each.value for name, each in _bounds(named)}
    run.metrics({name: value for name, value in flat.items() if value == value}, step)
    run.tags({f"origin_{step}": at.origin.name, f"data_fingerprint_{step}": data})


def _bounds(named: dict[str, Interval]) -> Iterator[tuple[str, Interval]]:
    for name, each in named.items():
        yield name, each
        yield f"{name}_low", replace(each, value=each.low)
        yield f"{name}_high", replace(each, value=each.high)
