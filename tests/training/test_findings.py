"""What stands beside the main table: groups, help, calibration, lead, late records, looks."""

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
import pytest

from features.build import PartitionTables
from features.settings import Home
from models.capacity import Capacity
from training.bootstrap import Resamples
from training.calibrators import HeldBack, compare_calibrators, venn_abers
from training.evaluate import Evaluator
from training.experiment import Experiment, Label, Promotion
from training.late import as_known_now
from training.lead import lead_curves
from training.looks import look, looks
from training.subgroups import subgroups
from training.tripwires import Reach, label_overlap, label_reach, too_good

NOW = datetime(2026, 11, 16, 7, tzinfo=UTC)


@pytest.fixture(scope="module")
def judge(region: Any) -> Evaluator:
    return Evaluator(region.rows, Capacity(), Resamples(region.rows.pupils, 100, 1))


def test_small_cells_are_suppressed_and_cannot_be_told_from_the_others(
    region: Any, judge: Evaluator
) -> None:
    listed = judge.listed(region.log_risk)
    size = np.bincount(region.rows.pupil)
    group = np.where(region.rows.pupil < 4, "few", np.where(region.rows.pupil % 2, "odd", "even"))
    found = {each.group: each for each in subgroups(judge, listed, listed, {"d": group}, 0.95)}
    assert size[:4].sum() > 10, "there are rows enough; it is the pupils that count"
    assert found["few"].suppressed and found["few"].pupils == 0 and not found["few"].metrics
    hidden = [each for each in found.values() if each.suppressed]
    assert len(hidden) == 2, "one alone would follow from the total"
    shown = next(each for each in found.values() if not each.suppressed)
    assert shown.gap.low <= shown.gap.value <= shown.gap.high


def test_a_group_that_the_lists_pass_over_shows(region: Any, judge: Evaluator) -> None:
    passed_over = region.rows.pupil % 3 == 0
    listed = judge.listed(np.where(passed_over, -9.0, region.log_risk))
    words = np.where(passed_over, "passed over", "others")
    rule = judge.listed(region.log_risk)
    found = {each.group: each for each in subgroups(judge, listed, rule, {"d": words}, 0.95)}
    assert found["passed over"].gap.high < 0 < found["others"].gap.low
    assert found["passed over"].gain.high < 0 < found["others"].gain.low


def test_calibrators_are_judged_on_rows_that_none_has_seen(region: Any, judge: Evaluator) -> None:
    generator = np.random.default_rng(4)
    margin = 2.0 * region.log_risk - 3.0  # twice too sure of itself
    back = generator.random(len(margin)) < 0.5
    held = HeldBack(
        margin[back], region.rows.positive[back], np.ones(back.sum()), region.rows.pupil[back]
    )
    found = {
        each.method: each for each in compare_calibrators(held, margin, "sigmoid", judge, 0.95)
    }
    assert [each.used for each in found.values()] == [True, False, False]
    for method, each in found.items():
        assert each.metrics["calibration_ratio"].value == pytest.approx(1, abs=0.25), method
        assert each.metrics["calibration_error"].value < 0.02, method


def test_venn_abers_keeps_order_and_stays_between_its_two_fits() -> None:
    generator = np.random.default_rng(5)
    margin = generator.normal(size=4000)
    came = generator.random(4000) < 1 / (1 + np.exp(3 - margin))
    chance = venn_abers(HeldBack(margin, came, np.ones(4000), None), np.linspace(-3, 3, 60))
    assert (np.diff(chance) >= -1e-9).all()
    assert 0 < chance[0] < 0.05 < chance[-1] < 0.9
    assert chance.mean() == pytest.approx(
        (1 / (1 + np.exp(3 - np.linspace(-3, 3, 60)))).mean(), abs=0.03
    )


def test_the_lead_curve_counts_rows_by_their_weeks(region: Any) -> None:
    rows = region.rows
    at_the_end = rows.positive & (rows.lead_weeks == 0)
    curve = lead_curves(rows, {"late": at_the_end}, 8)["late"]
    assert [point.weeks for point in curve] == list(range(8))
    assert curve[0].listed == 1.0 and curve[3].listed == 0.0
    assert sum(point.rows for point in curve) == rows.positive.sum()


def test_hindsight_keeps_the_newest_version_and_knows_it_at_once() -> None:
    def moments(*days: int) -> pa.Array:
        return pa.array([datetime(2026, 3, day, 8) for day in days], pa.timestamp("us"))

    utc = pa.timestamp("us", tz="UTC")
    absence = pa.table(
        {
            "starts_at": moments(2, 2, 4, 5),
            "known_at": moments(2, 20, 9, 5).cast(utc),
            "superseded_at": pa.array([datetime(2026, 3, 20, 8), None, None, None]).cast(utc),
            "withdrawn": [False, False, False, True],
        }
    )
    support = pa.table(
        {
            "starts_on": pa.array([date(2026, 3, 2), None], pa.date32()),
            "known_at": moments(30, 30).cast(utc),
            "superseded_at": pa.array([None, None], utc),
            "withdrawn": [False, False],
        }
    )
    nothing = pa.table({})
    tables = PartitionTables(absence, support, nothing, nothing, nothing, nothing)
    now = as_known_now(tables)
    assert [each.day for each in now.absence["known_at"].to_pylist()] == [2, 4]
    assert [each.day for each in now.support["known_at"].to_pylist()] == [2, 30]


def test_looks_at_a_test_year_are_counted_and_kept(tmp_path: Path) -> None:
    home = Home(tmp_path)
    assert look(home, "2025-2026", "run a", NOW) == 1
    assert look(home, "2025-2026", "compare 1 2", NOW) == 2
    assert look(home, "2024-2025", "run b", NOW) == 1
    assert [each.what for each in looks(home, "2025-2026")] == ["run a", "compare 1 2"]


def test_a_year_explained_by_the_same_year_is_refused() -> None:
    """The fault of a published framework: label and features from the same school year."""
    same_year = Reach(-10, 30)
    wire = label_overlap([("absent_share_this_year", same_year)], label_reach(Label()))
    assert not wire.holds and "absent_share_this_year" in wire.detail
    year_label = Reach(-10, 30)
    wire = label_overlap([("absent_share_12w", Reach(-12, 0))], year_label)
    assert not wire.holds


def test_figures_too_good_to_be_true_raise_the_alarm() -> None:
    assert not too_good(0.98, 0.4, Promotion()).holds
    assert not too_good(0.8, 0.95, Promotion()).holds
    assert too_good(0.86, 0.62, Promotion()).holds, "the oracle of the invented region passes"


def test_the_label_of_every_experiment_begins_where_its_features_end() -> None:
    for kind in ("onset", "strict", "share"):
        reach = label_reach(Label(kind=kind))
        assert reach.first == 0 and reach.end > 0
    assert Experiment("a", "b").features.names()


def test_help_before_the_onset_counts_and_help_after_it_does_not(tmp_path: Path) -> None:
    from training.help import helped_after

    class Log:
        """Support records as known now, of three pupils."""

        def read_as_of(self, *_: object) -> pa.Table:
            return pa.table(
                {
                    "pupil_key": ["a", "b", "c"],
                    "status": ["running", "running", "refused"],
                    "starts_on": pa.array([date(2026, 3, 20)] * 3, pa.date32()),
                }
            )

    frame = pl.DataFrame(
        {
            "pupil_key": ["a", "b", "c", "a"],
            "as_of": [date(2026, 3, 2)] * 3 + [date(2026, 3, 23)],
            "onset_on": [None, date(2026, 3, 16), None, None],
        }
    )
    found = helped_after(frame, Log(), NOW, weeks=8)  # type: ignore[arg-type]
    assert found.tolist() == [True, False, False, False]
