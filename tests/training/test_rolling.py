"""Rolling origins: earlier terms and school years, each from what was known then."""

from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner

from features.records import RecordLog
from features.settings import Home
from features.store import FeatureStore
from models.registry import Registry
from serving.cli import tijdig
from tests.training.two_models import NOW, TREES, two_models
from training.cohort import gather_rows
from training.experiment import parse_experiment
from training.looks import looks
from training.origins import Origin, origins
from training.splits import Part
from training.summary import read_summary

YEARS_END = date(2025, 8, 1)


@pytest.fixture(scope="module")
def home() -> Home:
    return two_models()


def test_terms_are_judged_and_the_test_year_is_not_looked_at(home: Home, tmp_path: Path) -> None:
    before = looks(home, read_summary(home, 1).tested_on)
    path = tmp_path / "trees.toml"
    path.write_text(TREES.replace('name = "trees"', 'name = "rolled"'), encoding="utf-8")
    arguments = ["--home", str(home.root), "roll", str(path)]
    done = CliRunner().invoke(tijdig, arguments, env={"TIJDIG_NOW": NOW.isoformat()})
    assert done.exit_code == 0, done.output
    assert ": learned from" in done.output and "2025-26" not in done.output
    assert "passed over" in done.output, "before the first terms too little was known"
    assert "origins, by the whole interval at" in done.output
    assert looks(home, read_summary(home, 1).tested_on) == before
    run = Registry.at(home).runs("rolled")[0]
    assert run.name == "rolling origin by term, boosted"
    assert {"recall", "recall_low", "model_minus_best_rule"} <= set(run.metrics)
    assert run.tags["origin_0"].startswith("2024-25 term")


def test_no_school_year_before_the_first_can_be_judged(home: Home, tmp_path: Path) -> None:
    path = tmp_path / "trees.toml"
    path.write_text(TREES, encoding="utf-8")
    arguments = ["--home", str(home.root), "roll", str(path), "--by", "school_year"]
    done = CliRunner().invoke(tijdig, arguments, env={"TIJDIG_NOW": NOW.isoformat()})
    assert "deliver earlier years" in str(done.exception)


def test_an_origin_learns_only_from_labels_that_were_known_then(home: Home) -> None:
    log, store = RecordLog(home.records), FeatureStore.at(home)
    experiment = parse_experiment(TREES, "trees.toml")
    mondays = [monday for monday in sorted(store.built()) if monday < YEARS_END]
    moment = datetime(2025, 8, 1, tzinfo=UTC)
    origin: Origin = origins("term", date(2025, 1, 31), YEARS_END)[0]
    rows = gather_rows(log, store.entities, mondays, experiment, moment, judged=origin)
    learned = rows.frame.filter(pl.col("part") != Part.TEST.value)
    assert len(learned) and learned["window_end"].max() < origin.start  # type: ignore[operator]
    judged = rows.frame.filter(part=Part.TEST.value)["as_of"]
    assert judged.min() >= origin.start and judged.max() < origin.until  # type: ignore[operator]
