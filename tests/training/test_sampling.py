"""Rows are drawn at the source, a school at a time: the same draw, and chances that still hold."""

from dataclasses import replace

import numpy as np
import polars as pl
import pyarrow as pa
import pytest

from features.records import RecordLog
from features.settings import Home
from features.store import FeatureStore
from models.risk_model import Params, TrainingRows, fit
from tests.training.two_models import NOW, TREES, two_models
from training.cohort import ExperimentRows, gather_rows, is_tested, kept, sample
from training.experiment import Experiment, Sampling, parse_experiment
from training.splits import Part


@pytest.fixture(scope="module")
def home() -> Home:
    return two_models()


def gathered(home: Home, experiment: Experiment) -> ExperimentRows:
    store = FeatureStore.at(home)
    mondays = sorted(store.built())
    return gather_rows(RecordLog(home.records), store.entities, mondays, experiment, NOW)


def test_a_draw_per_school_is_the_draw_of_the_whole(home: Home) -> None:
    everyone = replace(parse_experiment(TREES, "trees.toml"), sampling=Sampling(1.0))
    few = replace(everyone, sampling=Sampling(0.1))
    whole, drawn = gathered(home, everyone), gathered(home, few)
    assert drawn.periods == whole.periods
    afterwards = sample(whole.frame.drop("weight"), few)
    assert drawn.frame.equals(afterwards.select(drawn.frame.columns))
    assert len(drawn.frame) < len(whole.frame)


def test_whole_schools_are_drawn_for_the_test_and_all_are_learned_from(home: Home) -> None:
    experiment = parse_experiment(TREES, "trees.toml")
    whole = gathered(home, experiment).frame
    schools = sorted(whole["school"].unique())
    # A seed that draws some of these few schools and leaves some out.
    half = next(
        found
        for seed in range(1, 50)
        if 0
        < sum(
            is_tested(school, found := replace(experiment, seed=seed, sampling=Sampling(0.25, 0.5)))
            for school in schools
        )
        < len(schools)
    )
    frame = gathered(home, half).frame
    tested = {school for school in schools if is_tested(school, half)}
    is_test = pl.col("part") == Part.TEST.value
    assert set(frame.filter(is_test)["school"]) == tested
    assert set(frame.filter(~is_test)["school"]) > tested
    of_them = whole.filter(is_test & pl.col("school").is_in(sorted(tested)))
    assert len(frame.filter(is_test)) == len(of_them), "no pupil of a drawn school is missing"


def planted(seed: int, rows: int) -> TrainingRows:
    generator = np.random.default_rng(seed)
    x = generator.random((rows, 2)).astype(np.float32)
    y = generator.random(rows) < 0.02 * (0.2 + 1.6 * x[:, 0])
    return TrainingRows(x, y, np.ones(rows), ("absent_share_4w", "sent_out_12w"))


@pytest.mark.parametrize(("weighted", "low", "high"), [(True, 0.8, 1.25), (False, 4.0, 50.0)])
def test_a_model_of_a_draw_expects_as_many_onsets_as_come(
    weighted: bool, low: float, high: float
) -> None:
    """Without the weights it would expect many times as many: that is what they are for."""
    share = 0.1
    drawn = []
    for seed in (1, 2):
        rows = planted(seed, 60_000)
        chosen = rows.take(rows.y | (np.random.default_rng(seed + 10).random(len(rows.y)) < share))
        stands_for = np.where(chosen.y, 1.0, 1 / share if weighted else 1.0)
        drawn.append(replace(chosen, weight=stands_for))
    model = fit(drawn[0], drawn[1], Params(rounds=30, learning_rate=0.1, threads=1))
    everyone = planted(3, 60_000)
    assert low < model.score(everyone.x).sum() / everyone.y.sum() < high


def test_rows_that_are_kept_do_not_hold_on_to_the_keys_of_the_others() -> None:
    held = pa.total_allocated_bytes()
    keys = pa.array([f"p1{number:026d}" for number in range(20_000)])
    people = pl.DataFrame(pa.table({"pupil_key": keys, "number": np.arange(20_000)}))
    few = people.filter(pl.col("number") % 100 == 0)
    there = few.clone()
    few = kept(few)
    assert few.equals(there)
    del keys, people, there
    assert pa.total_allocated_bytes() - held < 20_000
