"""One training run: rows and features in; a bundle and its honest evaluation out, all tracked."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from features.errors import ExperimentError, NotThere
from features.governance import open_ledger
from features.governance.objections import objected
from features.governance.use import Action, Use
from features.records import RecordLog
from features.settings import Home
from features.store import FeatureStore
from models.bundle import Metadata
from models.logistic import LogisticModel, fit_logistic
from models.registry import Registry
from models.stored import RiskModel
from training.assess import INCUMBENT, LOGISTIC, MODEL, assess
from training.calibrators import HeldBack
from training.cohort import ExperimentRows, gather_rows
from training.examine import Place, Trial, check_definition, find
from training.experiment import Experiment, read_experiment
from training.families import Fitted, choose, fit_family, held_back
from training.looks import look
from training.record import Finished, count_parts, record
from training.splits import Part
from training.summary import Summary
from training.values import Values, fingerprint, in_scope, retrieve, training_rows

Report = Callable[[str], None]


@dataclass(frozen=True)
class TrainingResult:
    """What a run leaves: a registered version, its evaluation, and the table to print."""

    run_id: str
    version: int
    bundle: RiskModel
    summary: Summary
    evaluation: Path

    @property
    def table(self) -> list[dict[str, str]]:
        """The comparison on the held-out year: model, logistic regression, rules, oracle."""
        return self.summary.table()

    @property
    def lines(self) -> tuple[str, ...]:
        """The paired differences, one per line."""
        return tuple(difference.line() for difference in self.summary.comparisons)


def train(
    experiment_path: Path, home: Home, use: Use, report: Report = lambda _: None
) -> TrainingResult:
    """Train and evaluate the experiment at `experiment_path` on what is known at `use.moment`.

    Nothing is put into use: that is `training.promote`. Every retrieval stands in the ledger under
    the number of the run.
    """
    experiment, moment = read_experiment(experiment_path), use.moment
    definition = check_definition(experiment)
    if not definition.holds:
        raise ExperimentError(f"{experiment_path}: {definition.detail}")
    store = FeatureStore.at(home)
    report(f"rows: who was enrolled, and what came ({experiment.label.words()})")
    rows = gather_rows(
        RecordLog(home.records), store.entities, sorted(store.built()), experiment, moment
    )
    # Whoever objected before this moment is not learned from.
    silent = sorted(objected(open_ledger(home), before=moment))
    rows = replace(rows, frame=rows.frame.filter(~pl.col("pupil_key").is_in(silent)))
    for line in rows.periods.lines():
        report(line)
    registry = Registry.at(home)
    with registry.run(experiment.name, run_name(experiment), moment) as run:
        asked = replace(use, action=Action.TRAIN, run=run.run_id)
        report(f"features of {len(rows.frame):,} rows, service {experiment.features.service}")
        values = retrieve(store, rows.frame, experiment.features.service, asked)
        rows, values = in_scope(rows, values, experiment.cohort)
        for count in count_parts(rows.frame):
            report(
                f"{count.part}: {count.rows:,} pupil-weeks of {count.pupils:,} pupils, "
                f"{count.onsets} onsets"
            )
        contract_hash = store.contract_hash(experiment.features.service)
        report(f"fitting: {experiment.family}, and logistic regression beside it")
        fitted = fit_models(rows, values, experiment, contract_hash)
        again = fit_again(rows, values, experiment, contract_hash)
        incumbent = _incumbent(registry)
        seen = look(home, rows.periods.tested_on, f"run {run.run_id}", moment)
        report(f"measuring on the final test (looked at {seen} times, this one included)")
        assessed = assess(rows, values, _measured(fitted, incumbent, experiment), experiment, home)
        report("subgroups, help, late recording, calibration, stability and tripwires")
        number = None if incumbent is None else incumbent[0]
        trial = Trial(experiment, rows, values, fitted, again, assessed, number, seen)
        findings = find(trial, Place(home, RecordLog(home.records), store, asked))
        report("recording runs, figures and bundle")
        finished = Finished(
            experiment=experiment,
            rows=rows,
            values=values,
            bundle=fitted.model,
            assessed=assessed,
            findings=findings,
            data_fingerprint=fingerprint(rows, values),
            moment=moment,
        )
        summary = record(registry, run, finished, experiment_path.read_text(encoding="utf-8"))
    saved = summary.save(home)
    return TrainingResult(run.run_id, summary.model_version, fitted.model, summary, saved)


def run_name(experiment: Experiment) -> str:
    """What a person reads in the list of runs.

    >>> run_name(Experiment("first", "?"))[:8]
    'boosted,'
    """
    return (
        f"{experiment.family}, {len(experiment.features.names())} features, "
        f"{experiment.label.kind}, seed {experiment.model.seed}"
    )


def _incumbent(registry: Registry) -> tuple[int, RiskModel] | None:
    """The version in use, which a new model is measured against; None before the first."""
    try:
        return registry.champion()
    except NotThere:
        return None


def _measured(
    fitted: Fitted, incumbent: tuple[int, RiskModel] | None, experiment: Experiment
) -> dict[str, RiskModel]:
    """The models whose lists are compared on the final test, by the name of their row."""
    models: dict[str, RiskModel] = {MODEL: fitted.model}
    if experiment.family != "logistic":
        models[LOGISTIC] = fitted.logistic
    if incumbent is not None:
        models[INCUMBENT] = incumbent[1]
    return models


def fit_again(
    rows: ExperimentRows, values: Values, experiment: Experiment, contract_hash: str
) -> tuple[RiskModel, ...]:
    """The same model once for each of the experiment's further seeds."""
    return tuple(
        fit_model(
            rows,
            values,
            replace(experiment, model=replace(experiment.model, seed=seed)),
            contract_hash,
        )
        for seed in experiment.seeds
    )


def fit_model(
    rows: ExperimentRows, values: Values, experiment: Experiment, contract_hash: str
) -> RiskModel:
    """The model of `fit_models`, without a logistic regression beside it."""
    return _fit(rows, values, experiment, contract_hash, beside=False)[0]


def fit_models(
    rows: ExperimentRows, values: Values, experiment: Experiment, contract_hash: str
) -> Fitted:
    """The model and the logistic regression, both fitted and calibrated on the same rows."""
    model, logistic, back = _fit(rows, values, experiment, contract_hash, beside=True)
    assert logistic is not None
    return Fitted(model, logistic, back)


def _fit(
    rows: ExperimentRows,
    values: Values,
    experiment: Experiment,
    contract_hash: str,
    beside: bool,
) -> tuple[RiskModel, LogisticModel | None, HeldBack]:
    names = experiment.features.names()
    fit_on = choose(training_rows(rows, values, Part.FIT), names)
    calibrate_on = choose(training_rows(rows, values, Part.CALIBRATION), names)
    if not fit_on.y.any() or not calibrate_on.y.any():
        raise ExperimentError(
            f"{int(fit_on.y.sum())} onset rows to fit on and {int(calibrate_on.y.sum())} to "
            "calibrate on; both need some. Deliver more schools or earlier school years"
        )
    metadata = Metadata(
        feature_service=experiment.features.service,
        contract_hash=contract_hash,
        label=experiment.label.words(),
        trained_until=_last_monday(rows, Part.FIT),
        calibrated_until=_last_monday(rows, Part.CALIBRATION),
    )
    lead = lead_weeks(rows, Part.FIT)
    first = fit_family(experiment, fit_on, calibrate_on, metadata, lead)
    logistic = fit_logistic(fit_on, calibrate_on, metadata=metadata) if beside else None
    back = held_back(first, calibrate_on)
    del fit_on  # of a country these rows are gigabytes
    if not experiment.splits.refit:
        return first, logistic, back
    parts = (Part.FIT, Part.EMBARGO, Part.CALIBRATION)
    everything = choose(training_rows(rows, values, *parts), names)
    metadata = replace(metadata, trained_until=metadata.calibrated_until)
    # A calibrator must not learn from margins of rows that its model has seen: the first stays.
    lead = lead_weeks(rows, *parts)
    final = fit_family(experiment, everything, calibrate_on, metadata, lead)
    final = replace(final, calibrator=first.calibrator)
    if logistic is not None:
        again = fit_logistic(everything, calibrate_on, metadata=metadata)
        logistic = replace(again, calibrator=logistic.calibrator)
    return final, logistic, back


def lead_weeks(rows: ExperimentRows, *parts: Part) -> NDArray[np.int16]:
    """The school week of the onset of each row of these parts, as `training_rows` orders them."""
    inside = rows.frame["part"].is_in([part.value for part in parts])
    return rows.frame.filter(inside)["lead_weeks"].to_numpy().astype(np.int16)


def _last_monday(rows: ExperimentRows, part: Part) -> date | None:
    last = rows.frame.filter(pl.col("part") == part)["as_of"].max()
    return last if isinstance(last, date) else None
