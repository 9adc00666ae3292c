"""One small invented region, taken through the command line once for all journeys."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from features.governance import open_ledger
from features.governance.audit import AuditChain
from features.settings import Home
from features.vocabulary import Role
from models.in_use import PROMOTED
from models.registry import Registry
from serving.cli import tijdig

MONDAY = "2026-11-09"
THEN = f"{MONDAY}T08:00:00+01:00"
A_WEEK_LATER = "2026-11-16T08:00:00+01:00"


@dataclass(frozen=True)
class Installation:
    """A home with the lists of one Monday, and the command line to go on with."""

    home: Home
    run: Callable[..., Result]
    simulated: Path


def brought_into_use(home: Home, version: int, bundle: str) -> None:
    """What the gate would have written."""
    moment, subject = datetime.fromisoformat(THEN).astimezone(UTC), f"model version {version}"
    detail: dict[str, str | int] = {"version": version, "bundle": bundle}
    chain = AuditChain(open_ledger(home))
    chain.append(moment, "tests", Role.DATA_SCIENTIST, PROMOTED, subject, detail=detail)


@pytest.fixture(scope="session")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """Simulated, ingested, built, trained; the lists of `MONDAY` published."""
    root = tmp_path_factory.mktemp("installation")
    home = Home(root / "var")

    def run(*arguments: str, code: int = 0, now: str = A_WEEK_LATER) -> Result:
        environ = {"TIJDIG_NOW": now, "TIJDIG_HOME": str(home.root)}
        result = CliRunner().invoke(tijdig, arguments, env=environ)
        if code == 0 and result.exception:
            raise AssertionError(result.output) from result.exception
        return result

    run("simulate", "--out", str(root / "sim"), "--pupils", "700", "--years", "2", "--seed", "3")
    run("ingest", *map(str, sorted((root / "sim" / "deliveries").iterdir())))
    run("features", "build", "--from", "2024-08-01", "--to", MONDAY)
    run("train", str(Path(__file__).with_name("small.toml")))
    # So small a region cannot prove a model: the gate refuses, which is a test of its own.
    registry = Registry.at(home)
    registry.set_champion(1)
    brought_into_use(home, 1, registry.bundle(1).content_hash)
    run("week", "--as-of", MONDAY, now=THEN)
    return Installation(home, run, root / "sim")
