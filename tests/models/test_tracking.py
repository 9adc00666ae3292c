"""An installation whose MLflow lies elsewhere: the setting, what it refuses, and a real server."""

import json
import os
import socket
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner

from features.errors import NotThere, SettingsError
from features.settings import Home, Settings, Tracking, read_settings
from features.store.production import StoreSettings
from models.bundle import Bundle
from models.registry import Registry
from serving.cli import tijdig
from tests.database_server import PASSWORD

MOMENT = datetime(2026, 11, 16, 5, tzinfo=UTC)


def tracking(**values: str) -> Tracking:
    return Settings({"tracking": values}).section("tracking", Tracking)


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"uri": "postgresql://tijdig:geheim@db/mlflow"}, "TIJDIG_TRACKING_PASSWORD"),
        ({"uri": "mysql://db/mlflow"}, "postgresql://user@host:port/name"),
        ({"uri": "postgresql:///mlflow"}, "postgresql://user@host:port/name"),
        ({"artifacts": "relative/folder"}, "an absolute folder"),
        ({"artifacts": "ftp://server/folder"}, "s3://"),
        ({"url": "postgresql://db/mlflow"}, "unknown setting"),
    ],
)
def test_a_wrong_setting_is_told_and_shows_no_secret(values: dict[str, str], told: str) -> None:
    with pytest.raises(SettingsError, match=told) as refusal:
        tracking(**values)
    assert "geheim" not in str(refusal.value)


def test_the_password_comes_from_the_environment_and_is_not_shown() -> None:
    settings = read_settings(None, {"TIJDIG_TRACKING_PASSWORD": "geheim"})
    found = settings.section("tracking", Tracking)
    assert found.password == "geheim" and "geheim" not in repr(Home(Path("var"), found))


def test_a_server_that_cannot_be_reached_is_told_at_once(tmp_path: Path) -> None:
    uri = f"postgresql://tijdig@127.0.0.1:{free_port()}/mlflow"
    home = Home(tmp_path, tracking(uri=uri, password="geheim"))
    with pytest.raises(SettingsError, match=r"\[tracking\] in tijdig.toml") as refusal:
        Registry.at(home).champion()
    assert "cannot be reached" in str(refusal.value) and "geheim" not in str(refusal.value)
    environ = {"TIJDIG_TRACKING_URI": uri}
    for command in (["promote", "1"], ["mlflow"]):
        done = CliRunner().invoke(tijdig, ["--home", str(tmp_path), *command], env=environ)
        assert isinstance(done.exception, SettingsError), (command, done.output)


def test_an_object_store_without_its_library_is_told(tmp_path: Path) -> None:
    home = Home(tmp_path, tracking(artifacts="wasbs://models@place/tijdig"))
    with pytest.raises(SettingsError, match=r"azure\.storage\.blob is not installed"):
        Registry.at(home).champion()


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file")
    home = Home(tmp_path, tracking(artifacts=str(tmp_path / "taken" / "artifacts")))
    with pytest.raises(SettingsError, match="cannot be made"):
        Registry.at(home).champion()


def test_an_installation_on_a_real_server(
    server: StoreSettings, tmp_path: Path, bundle: Bundle
) -> None:
    """Runs in the database, artifacts in the folder named, nothing of MLflow below the home."""
    uri = f"postgresql://tijdig@{server.host}:{server.port}/postgres"
    artifacts = tmp_path / "shared" / "artifacts"
    home = Home(tmp_path / "home", tracking(uri=uri, artifacts=str(artifacts), password=PASSWORD))
    registry = Registry.at(home)
    with registry.run("elsewhere", "on a server", MOMENT) as run:
        run.dataset("rows and features", "c0ffee" * 10, 12, "risk_v1")
        run.bundle(bundle)
    number = registry.register(run.run_id)
    registry.set_champion(number)
    assert Registry.at(home).champion() == (number, bundle)
    assert not home.mlflow.exists()
    signature = json.loads(registry.read_text(run.run_id, "signature.json"))
    taken = [each["name"] for each in json.loads(signature["inputs"])]
    assert taken == list(bundle.features)
    stored = [path.read_bytes() for path in artifacts.rglob("*") if path.is_file()]
    assert stored and not any(PASSWORD.encode() in content for content in stored)
    wrong = Home(tmp_path / "home", tracking(uri=uri, password="another"))
    with pytest.raises(SettingsError, match="password authentication failed") as refusal:
        Registry.at(wrong).champion()
    assert "another" not in str(refusal.value)
    unknown = Home(tmp_path / "home", tracking(uri=f"{uri}_nowhere", password=PASSWORD))
    with pytest.raises(SettingsError, match="does not exist"):
        Registry.at(unknown).champion()
    environ = {"TIJDIG_TRACKING_URI": uri, "TIJDIG_TRACKING_ARTIFACTS": str(artifacts)}
    environ["TIJDIG_TRACKING_PASSWORD"] = PASSWORD
    arguments = ["--home", str(home.root), "report", "1"]
    assert isinstance(CliRunner().invoke(tijdig, arguments, env=environ).exception, NotThere)
    assert PASSWORD not in str(os.environ.values())
