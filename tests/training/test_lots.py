"""The same records under other pseudonyms give the same rows in the same order."""

from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest

from features.build import build
from features.governance.use import Action, Purpose, Use
from features.ingest import ingest
from features.records import RecordLog
from features.school_weeks import mondays_between
from features.settings import Home
from features.store import FeatureStore
from features.synthetic import simulate
from features.vocabulary import Role
from training.cohort import gather_rows
from training.experiment import Experiment, Label, Sampling, SplitPlan
from training.lots import pupil_numbers
from training.splits import Part
from training.values import fingerprint, retrieve

NOW = datetime(2026, 11, 16, 7, tzinfo=UTC)
EXPERIMENT = Experiment(
    "lots", "?", label=Label(run_days=5, horizon_weeks=4),
    sampling=Sampling(negative_share=0.5), splits=SplitPlan(calibration_weeks=4),
)  # fmt: skip


USE = Use("tests", Role.DATA_SCIENTIST, Purpose.EARLY_WARNING, Action.TRAIN, NOW)


def rows_of_a_home(deliveries: Path, home: Home) -> tuple[pl.DataFrame, str]:
    for delivery in sorted(deliveries.iterdir()):
        ingest(delivery, home, NOW)
    store, log = FeatureStore.at(home), RecordLog(home.records)
    mondays = mondays_between(date(2024, 9, 16), date(2026, 6, 19))[::4]
    for table in build(log, mondays):
        store.write(table, mondays)
    store.apply(USE)
    rows = gather_rows(log, store.entities, mondays, EXPERIMENT, NOW)
    values = retrieve(store, rows.frame, EXPERIMENT.features.service, USE)
    return rows.frame, fingerprint(rows, values)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[pl.DataFrame, str]]:
    root = tmp_path_factory.mktemp("two_homes")
    simulate(root, pupils=400, years=2, seed=5, end=date(2026, 11, 15))
    return [rows_of_a_home(root / "deliveries", Home(root / name)) for name in ("one", "other")]


@pytest.fixture(scope="module")
def homes(made: list[tuple[pl.DataFrame, str]]) -> tuple[pl.DataFrame, pl.DataFrame]:
    return made[0][0], made[1][0]


def test_two_homes_fit_on_the_same_values(made: list[tuple[pl.DataFrame, str]]) -> None:
    assert made[0][1] == made[1][1]


def test_two_homes_draw_the_same_rows(homes: tuple[pl.DataFrame, pl.DataFrame]) -> None:
    one, other = homes
    assert not set(one["pupil_key"]) & set(other["pupil_key"])  # the pseudonyms do differ
    assert one.drop("pupil_key").equals(other.drop("pupil_key"))


@pytest.mark.parametrize("tested", [True, False])
def test_pupils_are_numbered_alike(homes: tuple[pl.DataFrame, pl.DataFrame], tested: bool) -> None:
    is_test = pl.col("part") == Part.TEST
    one, other = (home.filter(is_test if tested else ~is_test) for home in homes)
    assert (pupil_numbers(one) == pupil_numbers(other)).all()
    assert len(set(pupil_numbers(one))) == one["pupil_key"].n_unique()
