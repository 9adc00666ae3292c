"""One training run: rows and features in; a bundle and its honest evaluation out, all tracked."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import polars as pl

from features.errors import ExperimentError
from features.governance.use import Action, Use
from features.records import RecordLog
from features.settings import Home
from features.store import FeatureStore
from models.bundle import Bundle, Metadata
from models.logistic import LogisticModel, fit_logistic
from models.registry import Registry
from models.risk_model import fit as fit_trees
from training.assess import LOGISTIC, MODEL, assess
from training.cohort import ExperimentRows, gather_rows
from training.experiment import Experiment, read_experiment
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
    bundle: Bundle
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
    store = FeatureStore.at(home)
    report(f"rows: who was enrolled, and what came ({experiment.label.words()})")
    rows = gather_rows(
        RecordLog(home.records), store.entities, sorted(store.built()), experiment, moment
    )
    for line in rows.periods.lines():
        report(line)
    registry = Registry.at(home)
    with registry.run(experiment.name, "risk model", moment) as run:
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
        report("fitting trees and logistic regression")
        trees, logistic = fit_models(rows, values, experiment, contract_hash)
        report("measuring on the final test")
        assessed = assess(rows, values, {MODEL: trees, LOGISTIC: logistic}, experiment, home)
        report("recording runs, figures and bundle")
        finished = Finished(
            experiment, rows, values, trees, assessed, fingerprint(rows, values), moment
        )
        summary = record(registry, run, finished, experiment_path.read_text(encoding="utf-8"))
    return TrainingResult(run.run_id, summary.model_version, trees, summary, summary.save(home))


def fit_models(
    rows: ExperimentRows, values: Values, experiment: Experiment, contract_hash: str
) -> tuple[Bundle, LogisticModel]:
    """The trees and the logistic regression, both fitted and calibrated on the same rows."""
    fit_on = training_rows(rows, values, Part.FIT)
    calibrate_on = training_rows(rows, values, Part.CALIBRATION)
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
    trees = fit_trees(fit_on, calibrate_on, experiment.model, metadata)
    logistic = fit_logistic(fit_on, calibrate_on, metadata=metadata)
    if not experiment.splits.refit:
        return trees, logistic
    everything = training_rows(rows, values, Part.FIT, Part.EMBARGO, Part.CALIBRATION)
    metadata = replace(metadata, trained_until=metadata.calibrated_until)
    # A calibrator must not learn from margins of rows that its model has seen: the first stays.
    return (
        replace(
            fit_trees(everything, calibrate_on, experiment.model, metadata),
            calibrator=trees.calibrator,
        ),
        replace(
            fit_logistic(everything, calibrate_on, metadata=metadata),
            calibrator=logistic.calibrator,
        ),
    )


def _last_monday(rows: ExperimentRows, part: Part) -> date | None:
    last = rows.frame.filter(pl.col("part") == part)["as_of"].max()
    return last if isinstance(last, date) else None
