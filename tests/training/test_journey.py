"""A small invented region, from deliveries to a registered model, with everything real."""

import json
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from features.absence import counted_minutes, day_grid, onset_flags, pack
from features.build import PartitionTables, build, build_partition, read_partition
from features.governance import open_ledger
from features.governance.ledger import Ledger
from features.governance.use import Action, Purpose, Use
from features.ingest import ingest, pupil_keys
from features.records import RecordLog
from features.school_weeks import as_of_moment, mondays_between
from features.settings import Home
from features.store import FeatureStore
from features.synthetic import simulate
from features.vocabulary import Role
from models.registry import Registry
from training.cohort import ExperimentRows, gather_rows
from training.experiment import Experiment, read_experiment
from training.fit import TrainingResult, fit_models, train
from training.labels import Outcome
from training.splits import Part
from training.values import Values, fingerprint, in_scope, retrieve

NOW = datetime(2026, 11, 16, 7, tzinfo=UTC)
USE = Use("tests", Role.DATA_SCIENTIST, Purpose.EARLY_WARNING, Action.TRAIN, NOW)
EXPERIMENT = """
name = "small"
question = "Does a week at home follow from what is recorded?"
[label]
run_days = 5
horizon_weeks = 6
[splits]
calibration_weeks = 4
[model]
rounds = 40
threads = 1
[evaluation]
replicates = 60
curve_shares = [0.01, 0.05]
"""


@dataclass(frozen=True)
class Trained:
    """An installation with records, features and one trained model, and the rows it came from."""

    home: Home
    experiment: Experiment
    result: TrainingResult
    rows: ExperimentRows
    values: Values


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    root = tmp_path_factory.mktemp("region")
    home = Home(root / "home")
    simulate(root, pupils=300, years=2, seed=4, end=date(2026, 11, 15))
    for delivery in sorted((root / "deliveries").iterdir()):
        ingest(delivery, home, NOW)
    _place_truth(root / "truth", home)
    store = FeatureStore.at(home)
    mondays = mondays_between(date(2024, 9, 16), date(2026, 7, 17))[::2]
    for table in build(RecordLog(home.records), mondays):
        store.write(table, mondays)
    store.apply(USE)
    path = root / "small.toml"
    path.write_text(EXPERIMENT, encoding="utf-8")
    result, experiment = train(path, home, USE), read_experiment(path)
    rows = _rows(home, experiment)
    values = retrieve(store, rows.frame, "risk_v1", replace(USE, run="again"))
    return Trained(home, experiment, result, rows, values)


def _rows(home: Home, experiment: Experiment) -> ExperimentRows:
    store = FeatureStore.at(home)
    mondays = sorted(store.built())
    return gather_rows(RecordLog(home.records), store.entities, mondays, experiment, NOW)


def _place_truth(truth: Path, home: Home) -> None:
    """The truth under pseudonyms: only an invented region can have that."""
    home.truth.mkdir(parents=True)
    for name in ("oracle", "onsets"):
        table = pl.read_parquet(truth / f"{name}.parquet")
        people = table.select("school", "pupil_number").unique()
        keys = pupil_keys(home, people["school"].to_list(), people["pupil_number"].to_list())
        named = table.join(
            people.with_columns(pupil_key=pl.Series(keys, dtype=pl.String)),
            on=["school", "pupil_number"],
        )
        named.drop("school", "pupil_number").write_parquet(home.truth / f"{name}.parquet")


def test_all_scores_stand_on_the_same_rows(trained: Trained) -> None:
    kinds = [row.kind for row in trained.result.summary.rows]
    assert kinds == ["model", "logistic", *["rule"] * 5, "school_mean", "oracle"]
    assert trained.result.table[0][""] == "model (bomen)"
    model = trained.result.summary.score("model").metrics
    for metric in ("recall", "precision", "roc_auc", "brier", "calibration_ratio"):
        assert model[metric].low <= model[metric].value <= model[metric].high, metric
    assert 0.5 < model["roc_auc"].value < 0.98


def test_the_test_year_is_the_last_complete_one_and_nothing_earlier_reaches_it(
    trained: Trained,
) -> None:
    summary = trained.result.summary
    assert summary.tested_on == "01-08-2025 t/m 31-07-2026"
    assert summary.trained_until < "2025-07-01"
    assert [count.part for count in summary.counts] == ["fit", "embargo", "calibration", "test"]
    assert all(count.onset_rows for count in summary.counts)


def test_every_retrieval_is_in_the_ledger_under_the_run(trained: Trained) -> None:
    rows = Ledger(open_ledger(trained.home)).rows(run=trained.result.run_id)
    assert rows and all(row.action == Action.TRAIN and row.service == "risk_v1" for row in rows)


def test_runs_hold_parameters_fingerprint_and_figures_and_no_pupil(trained: Trained) -> None:
    runs = Registry.at(trained.home).runs("small")
    assert len(runs) == len(trained.result.summary.rows)
    parent = next(run for run in runs if run.run_id == trained.result.run_id)
    assert parent.params["label.run_days"] == "5"
    assert len(parent.tags["data_fingerprint"]) == 64
    assert {"recall", "recall_low", "recall_high", "recall_minus_mazl_low"} <= set(parent.metrics)
    plots = {path.stem for path in trained.home.mlflow.rglob("*.png")}
    assert plots >= {
        "calibration", "lead_time", "precision_by_capacity", "recall_by_capacity", "shap_summary",
    }  # fmt: skip
    keys = {key.encode() for key in trained.rows.frame["pupil_key"].unique()}
    for path in trained.home.mlflow.rglob("*"):
        content = path.read_bytes() if path.is_file() else b""
        assert not any(key in content for key in keys), path


def test_the_registered_bundle_is_the_one_that_was_measured(trained: Trained) -> None:
    bundle = Registry.at(trained.home).bundle(trained.result.version)
    document = json.loads(trained.result.evaluation.read_text(encoding="utf-8"))
    assert bundle.content_hash == document["bundle_hash"] == trained.result.bundle.content_hash
    assert document["rows"][0]["metrics"]["recall"]["value"] is not None


def test_the_same_data_give_the_same_model_byte_for_byte(trained: Trained) -> None:
    rows, values = in_scope(trained.rows, trained.values, trained.experiment.cohort)
    summary, contracts = trained.result.summary, trained.result.bundle.metadata.contract_hash
    again = fit_models(rows, values, trained.experiment, contracts).model
    assert again.content_hash == trained.result.bundle.content_hash
    assert fingerprint(rows, values) == summary.data_fingerprint
    values.x[0, 0] += 1
    assert fingerprint(rows, values) != summary.data_fingerprint


def test_labels_are_the_true_onsets(trained: Trained) -> None:
    """What is seen in the records is what the simulator made happen, and little else."""
    log, found = RecordLog(trained.home.records), []
    for school in log.schools():
        tables = read_partition(log, school, NOW)
        grid = day_grid(tables, school, NOW, date(2024, 8, 1), date(2026, 11, 15))
        packed = pack(*counted_minutes(grid))
        for pupil, place in np.argwhere(onset_flags(packed)):
            day = grid.first_day + timedelta(days=int(packed.day[pupil, place]))
            found.append((grid.pupil_keys[pupil], day))
    truth = pl.read_parquet(trained.home.truth / "onsets.parquet")
    true = truth.filter(pl.col("onset_on") < date(2026, 9, 15))["pupil_key", "onset_on"].rows()
    assert true and found
    assert sum(_is_near(each, found) for each in true) >= 0.8 * len(true)
    everything = truth["pupil_key", "onset_on"].rows()
    assert sum(_is_near(each, everything) for each in found) >= 0.6 * len(found)


def _is_near(one: tuple[str, date], others: list[tuple[str, date]]) -> bool:
    return any(one[0] == key and abs(one[1] - day) < timedelta(days=28) for key, day in others)


def test_a_leak_raises_the_score_and_shows_on_a_shuffled_future(trained: Trained) -> None:
    """Features from inside the label window: the best-known fault, and how it betrays itself.

    The same model is given each pupil's values of some weeks later. It looks far better; and when
    futures are exchanged between pupils, so that nothing can be foreseen, it still "predicts".
    """
    frame = trained.rows.frame.with_row_index("row").filter(pl.col("part") == Part.TEST)
    weeks = pl.duration(weeks=6)
    later = frame.select("pupil_key", pl.col("as_of") - weeks, later="row")
    pairs = frame.join(later, on=["pupil_key", "as_of"], maintain_order="left")
    bundle = trained.result.bundle
    score = bundle.score(trained.values.of(bundle.features))
    honest, leaky = score[pairs["row"].to_numpy()], score[pairs["later"].to_numpy()]
    known = pairs["outcome"].is_in([Outcome.NO_ONSET, Outcome.ONSET]).to_numpy()
    came = (pairs["outcome"] == Outcome.ONSET).to_numpy()
    honest_area = roc_auc_score(came[known], honest[known])
    leaky_area = roc_auc_score(came[known], leaky[known])
    assert leaky_area > honest_area + 0.05
    # Exchange futures: outcome and later values move together to another pupil. The mean of many
    # exchanges: one alone, with so few onsets, is far from a half by chance.
    generator = np.random.default_rng(1)
    shuffled_honest = []
    for _ in range(50):
        order = generator.permutation(len(came))
        shuffled_honest.append(roc_auc_score(came[order][known[order]], honest[known[order]]))
        shuffled_leaky = roc_auc_score(came[order][known[order]], leaky[order][known[order]])
        assert shuffled_leaky == pytest.approx(leaky_area)
    assert abs(np.mean(shuffled_honest) - 0.5) < 0.03


def test_shuffling_all_that_became_known_later_leaves_every_score_as_it_was(
    trained: Trained,
) -> None:
    """And shuffling the last two weeks before it does not: the test can fail."""
    log, monday = RecordLog(trained.home.records), date(2026, 3, 16)
    school = trained.rows.frame["school"].mode()[0]
    tables = read_partition(log, school, NOW)
    scores = _scores(trained, tables, monday)
    after = _shuffled(tables, as_of_moment(monday))
    assert after.absence != tables.absence and after.placements != tables.placements
    np.testing.assert_array_equal(_scores(trained, after, monday), scores)
    earlier = _shuffled(tables, as_of_moment(monday - timedelta(weeks=2)))
    assert not np.array_equal(_scores(trained, earlier, monday), scores)


def _scores(trained: Trained, tables: PartitionTables, monday: date) -> NDArray[np.float64]:
    built = build_partition(tables, [monday])
    bundle = trained.result.bundle
    return bundle.score(np.stack([built[name].to_numpy() for name in bundle.features], axis=1))


def _shuffled(tables: PartitionTables, moment: datetime) -> PartitionTables:
    """Exchange between pupils whatever became known at `moment` or later; the past stays."""
    generator = np.random.default_rng(3)
    changed = {}
    for name in ("absence", "support", "placements"):
        table = getattr(tables, name)
        late = pc.greater_equal(table["known_at"], pa.scalar(moment, table["known_at"].type))
        order = np.arange(len(table))
        numbers = np.flatnonzero(late.to_numpy())
        order[numbers] = generator.permutation(numbers)
        keys = table["pupil_key"].take(pa.array(order))
        changed[name] = table.set_column(
            table.schema.get_field_index("pupil_key"), "pupil_key", keys
        )
    return replace(tables, **changed)


def test_who_is_in_view_is_not_scored(trained: Trained) -> None:
    everyone = trained.values.columns()["current_absence_run"]
    rows, values = in_scope(trained.rows, trained.values, trained.experiment.cohort)
    assert len(rows.frame) == len(values.x) < len(everyone)
    assert np.nanmax(everyone) >= 7
    assert np.max(values.columns()["current_absence_run"]) < 7
