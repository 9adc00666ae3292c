"""What a model loses without a theme, by fitting again; and the smallest set that holds."""

import json
from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from click.testing import CliRunner

from features.catalogue import feature
from features.governance import open_ledger
from features.governance.ledger import Ledger
from features.settings import Home
from features.store import FeatureStore
from models.proportionality import Proportionality, Verdict, read
from models.registry import Registry
from models.risk_model import Params, TrainingRows
from serving.cli import tijdig
from tests.training.two_models import NOW, two_models
from training.evaluate import Rows
from training.experiment import Experiment
from training.looks import looks
from training.proportionality import family_of
from training.search import Fold
from training.smallest import eliminate
from training.summary import read_summary

NAMES = ("absent_days_4w", "absent_days_12w", "sent_out_12w", "late_arrivals_4w")
MOST = 20
"""Days or times: a reason can be told from them."""

SHARP = Params(
    rounds=60, learning_rate=0.1, rows_in_leaf=30, positives_in_leaf=1.0, l2=1.0,
    feature_share=1.0, random_borders=False, monotone=False, threads=1,
)  # fmt: skip


@pytest.fixture(scope="module")
def home() -> Home:
    return two_models()


@pytest.fixture(scope="module")
def found(home: Home) -> Proportionality:
    """As on the command line, at the level of themes."""
    arguments = ["--home", str(home.root), "proportionality", "1", "--no-smallest"]
    done = CliRunner().invoke(tijdig, arguments, env={"TIJDIG_NOW": NOW.isoformat()})
    assert done.exit_code == 0, done.output
    assert "without theme absence" in done.output and "Evenredigheid" in done.output
    table = read(Registry.at(home), read_summary(home, 1).run_id)
    assert table is not None
    return table


def test_every_theme_is_left_out_once_and_weighed_against_the_same_model(
    home: Home, found: Proportionality
) -> None:
    summary = read_summary(home, 1)
    assert found.model_version == 1 and found.tested_on == summary.tested_on
    assert found.same_model, "the whole model, fitted again, is the registered one"
    measured = summary.score("model").metrics
    for name, figure in found.reference.items():
        interval = measured[name]
        figures = (interval.value, interval.low, interval.high)
        assert (figure.value, figure.low, figure.high) == pytest.approx(figures, nan_ok=True), name
    names = read_summary(home, 1).findings.features  # type: ignore[union-attr]
    assert {each.name for each in found.without} == {feature(name).theme for name in names}
    left_out = [name for each in found.without for name in each.features]
    assert sorted(left_out) == sorted(names), "each feature is in one theme"
    for each in found.without:
        assert each.kind == "theme"
        loss = each.recall_difference
        assert loss.low <= loss.value <= loss.high and each.verdict in Verdict


def test_a_refit_stands_in_the_ledger_and_counts_as_a_look(
    home: Home, found: Proportionality
) -> None:
    run = read_summary(home, 1).run_id
    taken = [look for look in looks(home, found.tested_on) if look.what.startswith("proportion")]
    assert [look.what for look in taken] == [f"proportionality {run}"]
    rows = Ledger(open_ledger(home)).rows(run=run)
    assert len(rows) == len(Ledger(open_ledger(home)).rows(run=read_summary(home, 2).run_id)) + 1


def test_the_table_names_no_pupil(home: Home, found: Proportionality) -> None:
    text = found.to_json()
    store = FeatureStore.at(home)
    people = pl.DataFrame(store.entities(sorted(store.built())[:2]))
    assert not any(key in text for key in people["pupil_key"].unique())
    assert json.loads(text)["without"][0]["kind"] == "theme"


def planted_rows(seed: int, telling: tuple[int, ...]) -> TrainingRows:
    """The onset follows some columns, and chance."""
    generator = np.random.default_rng(seed)
    x = generator.random((4000, len(NAMES))).astype(np.float32)
    y = generator.random(len(x)) < np.where((x[:, telling] > 0.97).any(axis=1), 0.5, 0.005)
    return TrainingRows(MOST * x, y, np.ones(len(x)), NAMES)


def planted_fold(seed: int, telling: tuple[int, ...]) -> Fold:
    """Forty schools of 100 pupils, one Monday each, judged on rows that were not learned from."""
    return as_fold(planted_rows(seed, telling), planted_rows(seed + 100, telling))


def as_fold(train: TrainingRows, judged: TrainingRows) -> Fold:
    pupil = np.arange(len(judged.y))
    rows = Rows(
        pupil=pupil,
        school=pupil // 100,
        sector=np.zeros(len(pupil), dtype=np.int64),
        sectors=("po",),
        as_of=np.full(len(pupil), np.datetime64("2025-09-01")),
        outcome=judged.y.astype(np.int8),
        onset_on=np.where(judged.y, np.datetime64("2025-10-01"), np.datetime64("NaT")),
        lead_weeks=np.where(judged.y, 4, -1).astype(np.int16),
    )
    return Fold(train, np.where(train.y, 4, -1), judged, rows)


@pytest.mark.parametrize(
    ("telling", "kept"), [((1,), NAMES[:2]), ((2,), (NAMES[2],)), ((1, 2), NAMES[:3])]
)
def test_elimination_keeps_what_the_lists_need_and_no_more(
    telling: tuple[int, ...], kept: tuple[str, ...]
) -> None:
    """The two spans of one family stay or go together."""
    experiment = replace(
        Experiment("planted", "?"),
        model=SHARP,
    )
    told: list[str] = []
    folds = tuple(planted_fold(seed, telling) for seed in (3, 4))
    assert eliminate(experiment, NAMES, family_of, folds, told.append) == kept
    assert any("late_arrivals: left out" in line for line in told)
    assert any("stays" in line for line in told) == (len(telling) > 1)


def test_what_reasons_are_told_from_stays_though_another_family_ranks_as_well() -> None:
    """From a share no sentence is made: without the days behind it nobody would be listed."""
    names = ("absent_share_4w", "absent_days_4w", "late_arrivals_4w")

    def rows(seed: int) -> TrainingRows:
        planted = planted_rows(seed, (0,))
        days, late = planted.x[:, 0], planted.x[:, 3]
        x = np.column_stack([days / MOST, days, late]).astype(np.float32)
        return replace(planted, x=x, features=names)

    folds = tuple(as_fold(rows(seed), rows(seed + 100)) for seed in (3, 4))
    experiment = replace(Experiment("planted", "?"), model=SHARP)
    kept = eliminate(experiment, names, family_of, folds, lambda _: None)
    assert "absent_days_4w" in kept and len(kept) < len(names)
