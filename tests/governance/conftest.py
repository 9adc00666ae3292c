"""A ledger database, a use, and three small feature definitions with their contracts."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine

from features.governance import open_ledger
from features.governance.contracts import Approval, FeatureContract, write_contracts
from features.governance.use import Action, Purpose, Use
from features.settings import Home
from features.vocabulary import Role


@dataclass(frozen=True)
class Definition:
    """As much of a feature as a contract asks for."""

    name: str
    sources: tuple[str, ...]
    health: bool
    definition_hash: str


DEFINITIONS = (
    Definition("sick_share_4w", ("absence.kind",), True, "a1"),
    Definition("absent_share_4w", ("absence.kind", "absence.minutes"), False, "b1"),
    Definition("age_months", ("placements.born_on",), False, "c1"),
)


@pytest.fixture
def definitions() -> tuple[Definition, ...]:
    return DEFINITIONS


@pytest.fixture
def approval() -> Approval:
    return Approval("FG", date(2026, 8, 15), date(2027, 8, 1))


@pytest.fixture
def contracts(tmp_path: Path, approval: Approval) -> dict[str, FeatureContract]:
    return write_contracts(DEFINITIONS, tmp_path / "contracts.toml", approval=approval)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "var")


@pytest.fixture
def engine(home: Home) -> Engine:
    return open_ledger(home)


@pytest.fixture
def use() -> Use:
    return Use(
        "weekly-job",
        Role.JOB,
        Purpose.EARLY_WARNING,
        Action.SCORE,
        datetime(2026, 11, 16, 5, tzinfo=UTC),
        run="week-2026-11-16",
    )
