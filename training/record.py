"""A training run as it stands in MLflow: a run for the model, and below it one per comparison."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import polars as pl
from matplotlib.figure import Figure
from numpy.typing import NDArray

from models.card import ModelFacts, render
from models.explain import (
    Contributions,
    contributions,
    dependence_figure,
    importance_figure,
    summary_figure,
)
from models.registry import Registry, Run
from models.stored import RiskModel
from training.assess import MODEL, ORACLE, Assessed
from training.bootstrap import Interval
from training.card_facts import card_facts
from training.cohort import ExperimentRows
from training.evaluate import Measured
from training.experiment import Experiment
from training.findings import Findings
from training.labels import Outcome
from training.plots import calibration_figure, capacity_figures, lead_figure
from training.report import render as render_report
from training.splits import Part
from training.summary import PartCount, ScoreFigures, Summary
from training.values import Values

EXPLAINED_ROWS = 3_000


@dataclass(frozen=True)
class Finished:
    """A fitted and assessed experiment, ready to be recorded."""

    experiment: Experiment
    rows: ExperimentRows
    values: Values
    bundle: RiskModel
    assessed: Assessed
    findings: Findings
    data_fingerprint: str
    moment: datetime


def record(registry: Registry, run: Run, finished: Finished, experiment_text: str) -> Summary:
    """Write everything to `run` and its child runs, register the bundle, and sum it up."""
    experiment, assessed = finished.experiment, finished.assessed
    level = experiment.evaluation.level
    tags = {
        "data_fingerprint": finished.data_fingerprint,
        "feature_service": experiment.features.service,
        "contract_hash": finished.bundle.metadata.contract_hash,
        "experiment_sha256": hashlib.sha256(experiment_text.encode()).hexdigest(),
        "question": experiment.question,
    }
    run.params(experiment.settings())
    run.tags(tags)
    run.dataset(
        "rows and features",
        finished.data_fingerprint,
        len(finished.rows.frame),
        experiment.features.service,
    )
    for name, measured in assessed.measured.items():
        scored = ScoreFigures.of(measured, assessed.kinds[name], level)
        if name == MODEL:
            run.metrics(_metrics(scored.metrics))
            continue
        with registry.run(experiment.name, measured.label, finished.moment) as child:
            child.tags({**tags, "mlflow.parentRunId": run.run_id, "kind": scored.kind})
            child.metrics(_metrics(scored.metrics))
    run.metrics(_difference_metrics(assessed))
    x = _explained_rows(finished)
    explained = contributions(finished.bundle, x)
    for name, figure in (_figures(finished) | _shap_figures(explained, x)).items():
        run.plot(name, figure)
    run.bundle(finished.bundle)
    summary = _summary(finished, run.run_id, registry.register(run.run_id))
    run.text("model_card.md", render(_card(finished, summary, explained), finished.bundle))
    run.text("comparison.md", summary.markdown())
    run.text("report.html", render_report(summary))
    run.text("experiment.toml", experiment_text)
    run.tags({"evaluation_sha256": summary.digest()})
    return summary


def _metrics(figures: Mapping[str, Interval]) -> dict[str, float]:
    """Each figure and its bounds; what is undefined is left out."""
    flat: dict[str, float] = {}
    for name, each in figures.items():
        flat |= {name: each.value, f"{name}_low": each.low, f"{name}_high": each.high}
    return {name: value for name, value in flat.items() if np.isfinite(value)}


def _difference_metrics(assessed: Assessed) -> dict[str, float]:
    return _metrics(
        {f"{each.metric}_minus_{each.other}": each.interval for each in assessed.comparisons}
    )


def _figures(finished: Finished) -> dict[str, Figure]:
    experiment, assessed = finished.experiment, finished.assessed
    labels = {name: score.label for name, score in assessed.scores.items()}
    precision, recall = capacity_figures(
        experiment.evaluation.curve_shares,
        {labels[name]: curve for name, curve in assessed.curves.items()},
        experiment.capacity.share,
    )
    calibration = calibration_figure(
        {labels[name]: bins for name, bins in assessed.calibration.items() if name != ORACLE}
    )
    return {
        "precision_by_capacity": precision,
        "recall_by_capacity": recall,
        "calibration": calibration,
        "lead_time": lead_figure(
            {labels[name]: points for name, points in finished.findings.lead.items()}
        ),
    }


def _shap_figures(explained: Contributions, x: NDArray[np.float32]) -> dict[str, Figure]:
    return {
        "shap_importance": importance_figure(explained),
        "shap_summary": summary_figure(explained, x),
        "shap_dependence": dependence_figure(explained, x),
    }


def _card(finished: Finished, summary: Summary, explained: Contributions) -> ModelFacts:
    size = np.abs(explained.by_theme).mean(axis=0)
    shares = size / size.sum() if size.sum() > 0 else size
    learned = finished.rows.frame.filter(pl.col("part") == Part.FIT)
    return card_facts(
        summary,
        dict(zip(explained.themes, shares.tolist(), strict=True)),
        pupils=learned["pupil_key"].n_unique(),
        schools=learned["school"].n_unique(),
    )


def _explained_rows(finished: Finished) -> NDArray[np.float32]:
    """A random part of the test rows: explaining all of them takes minutes and shows the same."""
    test = np.flatnonzero((finished.rows.frame["part"] == Part.TEST).to_numpy())
    generator = np.random.default_rng(finished.experiment.seed)
    chosen = generator.choice(test, min(EXPLAINED_ROWS, len(test)), replace=False)
    return finished.values.take(np.sort(chosen)).of(finished.bundle.features)


def _summary(finished: Finished, run_id: str, version: int) -> Summary:
    experiment, assessed = finished.experiment, finished.assessed
    level, periods = experiment.evaluation.level, finished.rows.periods

    def figures(measured: Mapping[str, Measured]) -> tuple[ScoreFigures, ...]:
        return tuple(
            ScoreFigures.of(each, assessed.kinds[name], level) for name, each in measured.items()
        )

    return Summary(
        experiment=experiment.name,
        question=experiment.question,
        made_at=finished.moment.isoformat(timespec="minutes"),
        run_id=run_id,
        model_version=version,
        bundle_hash=finished.bundle.content_hash,
        trained_until=str(finished.bundle.metadata.trained_until),
        tested_on=periods.tested_on,
        data_fingerprint=finished.data_fingerprint,
        label=experiment.label.words(),
        level=level,
        periods=periods.lines(),
        counts=count_parts(finished.rows.frame),
        rows=figures(assessed.measured),
        sectors={sector: figures(measured) for sector, measured in assessed.sectors.items()},
        comparisons=assessed.comparisons,
        calibration=assessed.calibration[MODEL],
        curve_shares=experiment.evaluation.curve_shares,
        curves=assessed.curves,
        roads=assessed.roads,
        settings=experiment.settings(),
        notes=_notes(experiment),
        family=experiment.family,
        findings=finished.findings,
        blocks=assessed.blocks,
    )


def _notes(experiment: Experiment) -> tuple[str, ...]:
    capacity = experiment.capacity
    share = f"{100 * capacity.share:.1f}".replace(".", ",").removesuffix(",0")
    return (
        f"Lijsten: per school en maandag {share} % van de leerlingen die meetellen, "
        f"{capacity.floor} tot {capacity.ceiling} namen.",
        f"Van een model: hoogstens {100 * capacity.new_share:.0f} % van de plaatsen gaat naar "
        f"nieuwe namen; wie er vorige week op stond, blijft tot {capacity.stay:g} keer zoveel "
        "plaatsen bezet zijn. Lijsten van een regel zijn elke week opnieuw gemaakt.",
        f"Intervallen: {100 * experiment.evaluation.level:.0f} %, "
        f"{experiment.evaluation.replicates} trekkingen van leerlingen.",
        f"Leerlingen die al {experiment.cohort.in_view_days} of meer schooldagen achtereen "
        "afwezig zijn, tellen niet mee: zij zijn al in beeld.",
    )


def count_parts(frame: pl.DataFrame) -> tuple[PartCount, ...]:
    """How much each part holds, in the order of time."""
    found = []
    for part in (Part.FIT, Part.EMBARGO, Part.CALIBRATION, Part.TEST):
        rows = frame.filter(pl.col("part") == part)
        came = rows.filter(pl.col("outcome") == Outcome.ONSET)
        found.append(
            PartCount(
                part=part.name.lower(),
                mondays=rows["as_of"].n_unique(),
                schools=rows["school"].n_unique(),
                pupils=rows["pupil_key"].n_unique(),
                rows=round(rows["weight"].sum()),
                onset_rows=len(came),
                onsets=came.select("pupil_key", "onset_on").n_unique(),
            )
        )
    return tuple(found)
