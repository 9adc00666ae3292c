"""Sampling keeps every onset, weighs what it left out, and never touches the test."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from training.cohort import sample
from training.experiment import Experiment, Sampling, SplitPlan
from training.labels import Outcome
from training.splits import Part

EXPERIMENT = Experiment("sample", "?", sampling=Sampling(negative_share=0.1))


@pytest.fixture(scope="module")
def frame() -> pl.DataFrame:
    generator = np.random.default_rng(6)
    return pl.DataFrame(
        {
            "row": np.arange(20_000),
            "lot": generator.integers(0, 2**63, 20_000).astype(np.uint64),
            "as_of": np.datetime64("2025-09-01") + 7 * generator.integers(0, 40, 20_000),
            "part": generator.choice([part.value for part in Part], 20_000).astype(np.int8),
            "outcome": generator.choice(4, 20_000, p=[0.8, 0.05, 0.1, 0.05]).astype(np.int8),
        }
    )


def test_the_test_year_stays_whole_with_those_of_unknown_outcome(frame: pl.DataFrame) -> None:
    test = sample(frame, EXPERIMENT).filter(pl.col("part") == Part.TEST)
    assert test.drop("weight").equals(frame.filter(pl.col("part") == Part.TEST))
    assert test["weight"].unique().to_list() == [1.0]


@pytest.mark.parametrize("part", [Part.FIT, Part.EMBARGO, Part.CALIBRATION])
def test_training_keeps_every_onset_and_weighs_the_others_back_up(
    frame: pl.DataFrame, part: Part
) -> None:
    before = frame.filter(pl.col("part") == part)
    after = sample(frame, EXPERIMENT).filter(pl.col("part") == part)
    onsets = before.filter(pl.col("outcome") == Outcome.ONSET)
    kept = after.filter(pl.col("outcome") == Outcome.ONSET)
    assert kept.drop("weight").equals(onsets) and kept["weight"].sum() == len(onsets)
    others = after.filter(pl.col("outcome") == Outcome.NO_ONSET)
    whole = before.filter(pl.col("outcome") == Outcome.NO_ONSET)
    assert len(others) < 0.13 * len(whole)
    assert others["weight"].sum() == pytest.approx(len(whole), rel=0.15)
    assert set(after["outcome"]) == {Outcome.ONSET, Outcome.NO_ONSET}


def test_the_same_seed_draws_the_same_rows(frame: pl.DataFrame) -> None:
    assert sample(frame, EXPERIMENT).equals(sample(frame, EXPERIMENT))
    assert not sample(frame, EXPERIMENT).equals(sample(frame, replace(EXPERIMENT, seed=2)))


def test_without_a_refit_the_embargo_is_not_used(frame: pl.DataFrame) -> None:
    once = replace(EXPERIMENT, splits=SplitPlan(refit=False))
    assert Part.EMBARGO.value not in set(sample(frame, once)["part"])
    assert Part.UNUSED.value not in set(sample(frame, EXPERIMENT)["part"])


def test_the_draw_follows_the_records_not_the_order_of_the_rows(frame: pl.DataFrame) -> None:
    shuffled = frame.sample(fraction=1.0, shuffle=True, seed=3)
    again = sample(shuffled, EXPERIMENT).sort("row")
    assert again.equals(sample(frame, EXPERIMENT).sort("row"))
