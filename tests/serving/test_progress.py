"""Long work tells how far it is: bars on a terminal, lines elsewhere, nothing for a script."""

import io
from pathlib import Path

import pytest
from rich.console import Console
from rich.progress import Progress

from features.settings import Home, Settings
from serving.commands.context import Work
from serving.commands.progress import Bars, progress_shown
from serving.commands.records import ingest_all
from tests.ingest.office import RECEIVED, Office, new_office


def work(home: Path, said: io.StringIO, *, terminal: bool = False) -> Work:
    console = Console(file=said, force_terminal=terminal, width=100)
    settings = Settings({"ingest": {"long_megabytes": 0.000_001}})
    return Work(Home(home), settings, lambda: RECEIVED, "me", {}, console)


def told(said: io.StringIO, *, terminal: bool = False, plain_lines: bool = True) -> str:
    someone = work(Path("/nowhere"), said, terminal=terminal)
    with progress_shown(someone, plain_lines=plain_lines) as show:
        for part in range(101):
            show("absence.csv", part / 100)
    return said.getvalue()


def test_without_a_terminal_each_tenth_is_said_once_on_a_line_of_its_own() -> None:
    lines = told(io.StringIO()).splitlines()
    assert lines == [f"absence.csv: {tenth}0 %" for tenth in range(1, 11)]


def test_a_script_that_asked_for_json_gets_no_lines() -> None:
    assert told(io.StringIO(), plain_lines=False) == ""


def test_on_a_terminal_there_is_a_bar() -> None:
    shown = told(io.StringIO(), terminal=True)
    assert "absence.csv" in shown
    assert "\x1b[" in shown


def test_a_step_that_is_done_leaves_its_line() -> None:
    """However many deliveries there are, the bars fit a small screen, where they can be wiped."""
    at_once = []
    with Progress(console=Console(file=io.StringIO(), force_terminal=True)) as bars:
        show = Bars(bars)
        for number in range(60):
            show("deliveries", number / 60)
            for done in (0.0, 0.5, 1.0):
                show(f"delivery {number}: absence.csv", done)
                at_once.append([task.description for task in bars.tasks])
    assert max(map(len, at_once)) == 2
    assert at_once[-2] == ["deliveries", "delivery 59: absence.csv"]
    assert at_once[-1] == ["deliveries"]


@pytest.fixture
def office(tmp_path: Path) -> Office:
    return new_office(tmp_path)


def test_an_import_of_a_long_file_tells_how_far_it_is(office: Office) -> None:
    said = io.StringIO()
    folder = office.write()
    [report] = ingest_all(work(office.home.root, said), (folder,))
    assert report.new_versions == 13
    assert f"{folder.name}: absence.csv: 100 %" in said.getvalue()
    assert f"{folder.name}: compare: 100 %" in said.getvalue()
