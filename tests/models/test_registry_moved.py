"""The registry survives a move of the home, and works the same on a real PostgreSQL server."""

import shutil
import urllib.parse
from datetime import UTC, datetime
from pathlib import Path

from features.settings import Home
from features.store.production import StoreSettings
from models.bundle import Bundle
from models.registry import Registry
from models.risk_model import TrainingRows
from tests.database_server import PASSWORD

MOMENT = datetime(2026, 11, 16, 5, tzinfo=UTC)


def recorded(registry: Registry, bundle: Bundle, name: str) -> int:
    """One run with a bundle and a text, made the champion."""
    with registry.run("moving", name, MOMENT) as run:
        run.metrics({"recall": 0.4})
        run.text("comparison.md", "| regel | recall |")
        run.bundle(bundle)
    number = registry.register(run.run_id)
    registry.set_champion(number)
    return number


def test_a_moved_home_keeps_its_models_and_goes_on(tmp_path: Path, bundle: Bundle) -> None:
    old, new = Home(tmp_path / "old_home"), Home(tmp_path / "a new home")
    first = recorded(Registry.at(old), bundle, "before")
    shutil.move(old.root, new.root)
    moved = Registry.at(new)
    assert moved.champion() == (first, bundle)
    second = recorded(moved, bundle, "after")
    assert moved.bundle(second) == bundle
    assert not old.root.exists(), "nothing is written where the home was"
    run_id = moved.versions()[-1].run_id
    assert moved.read_text(run_id, "comparison.md").startswith("| regel")


def test_a_copy_does_not_touch_the_original(tmp_path: Path, bundle: Bundle) -> None:
    one, other = Home(tmp_path / "one"), Home(tmp_path / "other")
    recorded(Registry.at(one), bundle, "before")
    shutil.copytree(one.root, other.root)
    recorded(Registry.at(other), bundle, "in the copy")
    assert len(Registry.at(one).versions()) == 1
    assert len(Registry.at(other).versions()) == 2
    assert Registry.at(one).champion()[1] == bundle
    shutil.rmtree(one.root)
    assert Registry.at(other).bundle(1) == bundle


def test_the_registry_on_a_real_postgresql_server(
    server: StoreSettings,
    tmp_path: Path,
    bundle: Bundle,
    later: TrainingRows,
) -> None:
    secret = urllib.parse.quote(PASSWORD, safe="")
    address = f"postgresql+psycopg://tijdig:{secret}@{server.host}:{server.port}/postgres"
    artifacts = (tmp_path / "artifacts").as_uri()
    registry = Registry(address, artifacts)
    first = recorded(registry, bundle, "on a server")
    number, loaded = Registry(address, artifacts).champion()
    assert (number, loaded) == (first, bundle)
    assert (loaded.score(later.x) == bundle.score(later.x)).all()
    run = registry.runs("moving")[0]
    assert (run.name, run.metrics["recall"]) == ("on a server", 0.4)
    (tmp_path / "artifacts").rename(tmp_path / "moved")
    (tmp_path / "moved" / "artifacts").mkdir()
    shutil.move(tmp_path / "moved" / "moving", tmp_path / "moved" / "artifacts")
    elsewhere = Registry(address, (tmp_path / "moved" / "artifacts").as_uri())
    assert elsewhere.bundle(first) == bundle
    assert not (tmp_path / "artifacts").exists()
