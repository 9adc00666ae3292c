"""`tijdig features`: the catalogue in words, and tables that are built once."""

import hashlib
from datetime import UTC, date, datetime
from pathlib import Path
from types import ModuleType

import pytest
from click.testing import CliRunner, Result

from features.catalogue import CATALOGUE
from features.errors import NotThere
from features.records import DeliveryRows, LogTable, RecordLog
from features.settings import Home
from serving.cli import tijdig


def run(home: Path, *words: str) -> Result:
    return CliRunner().invoke(tijdig, ["--home", str(home), "features", *words])


@pytest.fixture
def home(tmp_path: Path, history: ModuleType) -> Path:
    """One pupil, delivered in November 2026."""
    log = RecordLog(Home(tmp_path).records)
    tables = history.partition(
        schools=[{"name": "De Proef", "sector": "po", "region": "midden"}],
        timetable=history.plain_week("5a"),
        placements=[
            {"pupil_key": "p1", "group": "5a", "year_group": "5", "enrolled_on": date(2024, 8, 1)}
        ],
    )
    rows = {
        LogTable(name): table.drop_columns(["superseded_at", "delivery", "sequence"])
        for name, table in vars(tables).items()
    }
    with log.writing():
        digest = hashlib.sha256(b"one").hexdigest()
        log.append(DeliveryRows(datetime(2026, 11, 12, tzinfo=UTC), digest, rows))
    return tmp_path


def test_every_feature_in_one_line(tmp_path: Path) -> None:
    listed = run(tmp_path, "list").output.splitlines()
    assert [line.split()[0] for line in listed] == [feature.name for feature in CATALOGUE]
    support = run(tmp_path, "list", "--view", "support").output.splitlines()
    assert 0 < len(support) < len(listed)
    assert isinstance(run(tmp_path, "list", "--view", "nothing").exception, NotThere)


def test_one_feature_with_its_contract(tmp_path: Path) -> None:
    said = run(tmp_path, "show", "sick_share_4w").output
    assert "window: 4\n" in said
    assert "sources: absence.kind, " in said
    assert "  legal_basis: AVG 6(1)(e)" in said
    assert "gate refuses" not in said
    assert isinstance(run(tmp_path, "show", "shoe_size").exception, NotThere)


def test_what_was_built_is_not_built_again(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIJDIG_NOW", "2026-11-16T08:00:00+01:00")
    first = run(home, "build", "--from", "2026-11-02", "--to", "2026-11-16")
    assert "features of 3 Mondays stand for 1 schools; 3 of 3 school weeks" in first.output
    more = run(home, "build", "--from", "2026-10-26", "--to", "2026-11-16")
    assert "features of 4 Mondays stand for 1 schools; 1 of 4 school weeks" in more.output


def test_dates_without_a_monday_are_refused(home: Path) -> None:
    refused = run(home, "build", "--from", "2026-11-03", "--to", "2026-11-06")
    assert refused.exit_code == 2
    assert "no Monday between" in refused.output
