"""For whom, how steady, and is it honest: what is measured beside the main table."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from features.catalogue import feature
from features.governance.use import Use
from features.records import RecordLog
from features.records.partition import read_partition
from features.settings import Home
from features.store import FeatureStore
from models.stability import stability
from models.stored import RiskModel
from training.assess import MODEL, ORACLE, Assessed
from training.calibrators import compare_calibrators
from training.cohort import ExperimentRows
from training.experiment import Experiment
from training.families import Fitted
from training.findings import Findings
from training.help import helped_after
from training.late import Hindsight, late_recording
from training.lead import lead_curves
from training.splits import Part
from training.subgroups import groups_of, subgroups
from training.tripwires import (
    Tripwire,
    feature_reach,
    future_shuffle,
    label_overlap,
    label_reach,
    too_good,
)
from training.values import Values

STABILITY_ROWS = 2_000
SHUFFLED_SCHOOLS = 2


@dataclass(frozen=True)
class Place:
    """Where the records are, and under whose name they are read."""

    home: Home
    log: RecordLog
    store: FeatureStore
    use: Use


@dataclass(frozen=True)
class Trial:
    """A fitted and assessed experiment, with the same model from other seeds, and the incumbent."""

    experiment: Experiment
    rows: ExperimentRows
    values: Values
    fitted: Fitted
    again: tuple[RiskModel, ...]
    assessed: Assessed
    incumbent: int | None
    looks: int


def check_definition(experiment: Experiment) -> Tripwire:
    """Do label and features share a day, by their definitions? Known before anything is read."""
    reaches = [(name, feature_reach(feature(name))) for name in experiment.features.names()]
    return label_overlap(reaches, label_reach(experiment.label))


def find(trial: Trial, place: Place) -> Findings:
    """Measure all of it on the final test."""
    experiment, assessed = trial.experiment, trial.assessed
    level, evaluator = experiment.evaluation.level, assessed.evaluator
    is_test = (trial.rows.frame["part"] == Part.TEST).to_numpy()
    frame, tested = trial.rows.frame.filter(pl.Series(is_test)), trial.values.take(is_test)
    score = assessed.scores[MODEL]
    listed, by_rule = assessed.listed[MODEL], assessed.listed[assessed.best_rule]
    helped = helped_after(frame, place.log, place.use.moment, experiment.label.weeks)
    help_words = np.where(helped, "hulp gestart na de lijst", "geen hulp gestart")
    model = trial.fitted.model
    hindsight = Hindsight(
        log=place.log,
        store=place.store,
        service=experiment.features.service,
        use=place.use,
        moment=place.use.moment,
        evaluator=evaluator,
        level=level,
    )
    shown = [name for name in (MODEL, assessed.best_rule, ORACLE) if name in assessed.scores]
    return Findings(
        looks=trial.looks,
        incumbent=trial.incumbent,
        features=model.features,
        subgroups=subgroups(evaluator, listed, by_rule, groups_of(frame, tested), level),
        helped=subgroups(evaluator, listed, by_rule, {"hulp": help_words}, level),
        calibrators=compare_calibrators(
            trial.fitted.held_back,
            model.margin(tested.of(model.features)),
            model.calibrator.method,
            evaluator,
            level,
        ),
        lead=lead_curves(
            evaluator.rows,
            {name: assessed.listed[name] for name in shown},
            experiment.label.weeks,
        ),
        late=late_recording(frame, evaluator.rows, score.values, model, hindsight),
        stability=_stability(trial, tested, listed),
        tripwires=_tripwires(trial, place, frame),
    )


def _stability(trial: Trial, tested: Values, listed: np.ndarray) -> dict[str, float]:
    """Agreement of the first two reasons of listed pupils between fits with other seeds."""
    if not trial.again:
        return {}
    rows = np.flatnonzero(listed)
    rows = rows[
        np.unique(np.linspace(0, len(rows) - 1, min(STABILITY_ROWS, len(rows))).round().astype(int))
    ]
    models = (trial.fitted.model, *trial.again)
    x = tested.take(rows).of(models[0].features)
    return stability(models, x).figures()


def _tripwires(trial: Trial, place: Place, frame: pl.DataFrame) -> tuple[Tripwire, ...]:
    experiment, metrics = trial.experiment, trial.assessed.measured[MODEL]
    mondays: Sequence[object] = sorted(frame["as_of"].unique())
    monday = mondays[len(mondays) // 2]
    largest = frame.group_by("school").len().sort("len", "school", descending=True)["school"]
    schools = sorted(largest.head(SHUFFLED_SCHOOLS))
    tables = read_partition(place.log, schools, place.use.moment)
    names = trial.fitted.model.features
    return (
        check_definition(experiment),
        future_shuffle(tables, monday, names, experiment.seed),  # type: ignore[arg-type]
        too_good(metrics.value("roc_auc"), metrics.value("recall"), experiment.promotion),
    )
