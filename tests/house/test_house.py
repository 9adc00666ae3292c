"""The house holds: layers, names of folders, lock files, one clock."""

import re
from pathlib import Path

import pytest
from importlinter import cli as import_linter

from features.catalogue import CATALOGUE
from features.governance.contracts import read_contracts, voided

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("features", "models", "training", "serving")


def test_import_contracts_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    assert import_linter.lint_imports(no_cache=True) == import_linter.EXIT_STATUS_SUCCESS


@pytest.mark.parametrize("name", ["requirements.lock", "requirements-dev.lock"])
def test_lock_files_are_hashed_and_name_no_index(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    assert "://" not in text and "--index" not in text and "--find-links" not in text
    requirements = re.findall(
        r"^[a-z0-9_.-]+(?:\[[^]]*\])?==\S+( \\)?$", text, flags=re.MULTILINE | re.I
    )
    assert len(requirements) > 20
    assert all(requirements), "a requirement without a hash"


def test_only_the_command_line_reads_the_clock() -> None:
    clock = re.compile(r"datetime\.now\(|date\.today\(|time\.time\(|utcnow\(")
    readers = {
        path.relative_to(ROOT).as_posix()
        for package in PACKAGES
        for path in (ROOT / package).rglob("*.py")
        if clock.search(path.read_text(encoding="utf-8"))
    }
    assert readers <= {"serving/cli.py"}


def test_top_level_folders_are_the_agreed_ones() -> None:
    allowed = {
        *PACKAGES,
        "experiments",
        "notebooks",
        "tests",
        "var",
        "build",
        ".ci",
        ".git",
        ".venv",
    }
    folders = {path.name for path in ROOT.iterdir() if path.is_dir()}
    stray = {
        name for name in folders - allowed if not name.startswith(".") and "egg-info" not in name
    }
    assert not stray - {"__pycache__"}


def test_no_catch_all_modules() -> None:
    banned = {"utils", "util", "helpers", "common", "manager", "base", "core", "misc"}
    names = {path.stem for package in PACKAGES for path in (ROOT / package).rglob("*.py")}
    assert not names & banned


def test_the_example_contracts_fit_the_features_and_the_code_that_computes_them() -> None:
    """After a conflict in the file: take either side, then run `make contracts`."""
    void = voided(CATALOGUE, read_contracts())
    assert not void, f"run `make contracts`, look at the difference, commit it (void: {void})"
