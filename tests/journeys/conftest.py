"""One small invented region, taken through the command line once for all journeys."""

import shutil
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from features.governance import open_ledger
from features.governance.audit import AuditChain
from features.governance.use import Action, Purpose, Use
from features.settings import Home
from features.store import FeatureStore
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
    """Simulated, ingested, built, trained; the lists of `MONDAY` published.

    All journeys share it and the order of files is not fixed: who writes takes a copy (`own`).
    """
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


@pytest.fixture
def own(installation: Installation, tmp_path: Path) -> Installation:
    """A copy of the installation, to write in, with its own command line."""
    return copied(installation, tmp_path, "2026-11-23T08:00:00+01:00")


def copied(installation: Installation, root: Path, at: str) -> Installation:
    """The installation once more, below `root`; what is done to the one leaves the other alone.

    Its command line runs at the moment `at`, unless it is told another.
    """
    home = Home(root / "var")
    shutil.copytree(installation.home.root, home.root, symlinks=True)
    with sqlite3.connect(home.mlflow / "mlflow.db") as connection:
        for table, column in (("experiments", "artifact_location"), ("runs", "artifact_uri"),
                              ("model_versions", "source"),
                              ("model_versions", "storage_location")):  # fmt: skip
            connection.execute(
                f"update {table} set {column} = replace({column}, ?, ?)",  # noqa: S608
                (str(installation.home.root), str(home.root)),
            )

    # The Feast repository holds absolute paths.
    moment = datetime.fromisoformat(A_WEEK_LATER).astimezone(UTC)
    FeatureStore.at(home).apply(Use("test", Role.JOB, Purpose.EARLY_WARNING, Action.APPLY, moment))

    def run(*arguments: str, code: int = 0, now: str = at) -> Result:
        return installation.run("--home", str(home.root), *arguments, code=code, now=now)

    return replace(installation, home=home, run=run)
