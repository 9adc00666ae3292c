"""From a first to a second experiment, its comparison and a refused promotion, as typed."""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import polars as pl
import pyarrow as pa
import pytest
from click.testing import CliRunner, Result

from features.build import PartitionTables, build_partition
from features.errors import ExperimentError, NotAllowed, NotThere
from features.records import RecordLog
from features.records.partition import read_partition
from features.settings import Home
from features.store import FeatureStore
from models.registry import Registry
from models.terms import terms_of
from serving.cli import tijdig
from tests.training.two_models import NOW, TREES, USE, two_models
from training.duel import compare_versions
from training.experiment import read_experiment
from training.gate import measured_reasons
from training.looks import looks
from training.report import render
from training.summary import find_summary, read_summary
from training.tripwires import future_shuffle


@pytest.fixture(scope="module")
def home() -> Home:
    return two_models()


def run(home: Home, *arguments: str) -> Result:
    environ = {"TIJDIG_NOW": NOW.isoformat(), "TIJDIG_HOME": str(home.root)}
    return CliRunner().invoke(tijdig, arguments, env=environ)


def test_what_is_measured_beside_the_table(home: Home) -> None:
    found = read_summary(home, 1).findings
    assert found is not None and found.looks == 1 and found.incumbent is None
    assert {each.name: each.holds for each in found.tripwires} == {
        "label overlap": True,
        "future shuffle": True,
        "too good": True,
    }
    assert [each.method for each in found.calibrators] == ["sigmoid", "isotonic", "venn_abers"]
    assert 0 <= found.stability["reasons_same_first"] <= 1
    assert {each.dimension for each in found.subgroups} >= {"onderwijssoort", "school", "overgang"}
    assert found.late is not None and 0 < found.late.same_names <= 1
    assert set(found.lead) >= {"model"} and found.features


def test_the_terms_of_the_experiment_travel_with_the_model(home: Home) -> None:
    for version in (1, 2):
        terms = terms_of(Registry.at(home).bundle(version).metadata)
        assert terms.cohort.in_view_days == 7 and terms.capacity.share == 0.02
    assert not any(name in Registry.at(home).bundle(2).features for name in ("support_running",))


def test_the_report_says_everything_and_names_nobody(home: Home, tmp_path: Path) -> None:
    done = run(home, "report", "1", "--out", str(tmp_path / "r.html"))
    assert done.exit_code == 0, done.output
    text = (tmp_path / "r.html").read_text(encoding="utf-8")
    for heading in (
        "De lijst van elke school",
        "Volgorde en kansen",
        "Komt een kans uit?",
        "Hoe lang van tevoren",
        "Voor wie",
        "Wie hulp kreeg, en wat laat werd vastgelegd",
        "Is het eerlijk en vast?",
        "Herkomst",
    ):
        assert f"<h2>{heading}</h2>" in text, heading
    assert "1 keer bekeken" in text and "<script" not in text and "http" not in text
    store = FeatureStore.at(home)
    people = pl.DataFrame(store.entities(sorted(store.built())[:2]))
    assert not any(key in text for key in people["pupil_key"].unique())
    assert Registry.at(home).read_text(read_summary(home, 1).run_id, "report.html") == render(
        read_summary(home, 1)
    )


def test_a_feature_window_that_holds_the_label_window_is_refused(home: Home) -> None:
    """The fault of a published system: the feature counts the weeks that the label looks at."""
    log, monday = RecordLog(home.records), date(2026, 3, 16)
    tables = read_partition(log, log.schools()[0], NOW)
    names = read_summary(home, 1).findings.features  # type: ignore[union-attr]

    def six_weeks_on(versions: PartitionTables, mondays: Sequence[date]) -> pa.Table:
        """Every pupil's own absence, counted six weeks too far."""
        table = build_partition(versions, mondays)
        later = build_partition(versions, [each + timedelta(weeks=6) for each in mondays])
        known = dict(
            zip(later["pupil_key"].to_pylist(), later["absent_share_4w"].to_pylist(), strict=True)
        )
        shares = [known.get(key, 0.0) for key in table["pupil_key"].to_pylist()]
        place = table.schema.get_field_index("absent_share_4w")
        return table.set_column(place, "absent_share_4w", pa.array(shares, pa.float32()))

    assert future_shuffle(tables, monday, names, seed=1).holds
    wire = future_shuffle(tables, monday, names, seed=1, build=six_weeks_on)
    assert not wire.holds and "absent_share_4w" in wire.detail
    honest = read_summary(home, 1)
    assert honest.findings is not None
    leaking = replace(honest, findings=replace(honest.findings, tripwires=(wire,)))
    assert any("tripwire future shuffle" in reason for reason in measured_reasons(leaking))
    assert not any("tripwire" in reason for reason in measured_reasons(honest))


def test_a_run_is_found_by_version_id_and_latest(home: Home) -> None:
    first, second = read_summary(home, 1), read_summary(home, 2)
    assert find_summary(home, "latest") == second
    assert find_summary(home, first.run_id[:8]) == first
    with pytest.raises(NotThere, match="known versions are 1, 2"):
        find_summary(home, "9")


def test_comparing_on_the_command_line_leaves_what_the_page_needs(home: Home) -> None:
    before = len(looks(home, read_summary(home, 1).tested_on))
    done = run(home, "compare", "1", "2", "mazl")
    assert done.exit_code == 0, done.output
    assert "version 2 - mazl, recall" in done.output
    assert "- support_running (sensitivity high)" in done.output
    assert len(looks(home, read_summary(home, 1).tested_on)) == before + 1
    document = json.loads((home.root / "comparisons" / "1-2.json").read_text(encoding="utf-8"))
    change = document["lists"]
    assert change["same"] + change["leave"] == change["places"]
    html = (home.root / "comparisons" / "1-2.html").read_text(encoding="utf-8")
    assert "Wat er aan de lijsten verandert" in html and "te klein" in html


def test_a_model_against_itself_changes_nothing(home: Home) -> None:
    found = compare_versions(home, "1", "1", (), USE)
    assert not found.b_is_better and found.decisive.interval.value == 0.0
    assert found.lists.enter == found.lists.leave == 0 and found.lists.same == found.lists.places
    assert found.features == () and found.reasons["reasons_same_first"] == 1.0
    assert all(each.suppressed or each.difference.value == 0.0 for each in found.groups)


def test_an_unknown_rule_or_run_is_told(home: Home) -> None:
    with pytest.raises(ExperimentError, match="known are sixteen_hours"):
        compare_versions(home, "1", "2", ("tarot",), USE)
    with pytest.raises(NotThere, match="no model is in use"):
        compare_versions(home, "champion", "2", (), USE)


def test_a_promotion_is_refused_with_every_reason(home: Home) -> None:
    done = run(home, "promote", "2", "--signed-by", "D. de Wit")
    assert isinstance(done.exception, NotAllowed)
    told = str(done.exception)
    assert "needs the signatures of 2 different people" in told
    assert "how steady the first reason is was not measured" in told
    assert Registry.at(home).champion_number() is None
    assert isinstance(run(home, "promote", "--rollback").exception, NotThere)


def test_a_search_goes_on_where_it_stopped_and_writes_an_experiment(
    home: Home, tmp_path: Path
) -> None:
    asked, short = tmp_path / "asked.toml", tmp_path / "short.toml"
    asked.write_text(TREES, encoding="utf-8")
    done = run(home, "search", str(asked), "--out", str(tmp_path / "one.toml"))
    assert done.exit_code == 0, done.output
    assert "trial 3 of 3" in done.output
    again = run(home, "search", str(asked), "--out", str(tmp_path / "two.toml"))
    assert "going on after 3 trials" in again.output and "trial 3 of 3" not in again.output
    one, two = ((tmp_path / f"{name}.toml").read_text(encoding="utf-8") for name in ("one", "two"))
    assert one == two
    assert read_experiment(tmp_path / "one.toml").name == "trees, searched"
    short.write_text(TREES.replace("folds = 1", "folds = 9"), encoding="utf-8")
    refused = run(home, "search", str(short), "--out", str(tmp_path / "no.toml"))
    assert isinstance(refused.exception, ExperimentError)
    assert "fewer or shorter folds" in str(refused.exception)


def test_the_monitor_speaks_of_a_week_that_is_built(home: Home) -> None:
    store = FeatureStore.at(home)
    monday = max(store.built())
    assert isinstance(run(home, "monitor", "--as-of", "2026-11-10").exception, NotThere)
    Registry.at(home).set_champion(1)
    done = run(home, "monitor", "--as-of", str(monday))
    assert "comparisons of" in done.output and "no past list has a known outcome yet" in done.output
    assert done.exit_code in (0, 1)
