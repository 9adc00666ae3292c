"""Guards for the whole suite: the packages under test are this checkout's, telemetry is off."""

import importlib.util
import os
from pathlib import Path
from types import ModuleType

os.environ.update(
    {
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "DO_NOT_TRACK": "true",
        "FEAST_USAGE": "False",
        "MLFLOW_ALLOW_PICKLE_DESERIALIZATION": "false",
        "MPLBACKEND": "Agg",
    }
)

import pytest
from hypothesis import HealthCheck, settings

import features
from tests.database_server import server as server

ROOT = Path(__file__).resolve().parents[1]
assert Path(features.__file__).parent == ROOT / "features", (
    f"'features' was imported from {features.__file__}, not from this checkout"
)

settings.register_profile("ci", derandomize=True, deadline=None, max_examples=40)
settings.register_profile(
    "long", deadline=None, max_examples=1000, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("ci")


def _from_reference(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, ROOT / "tests/reference" / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def oracle() -> ModuleType:
    """The slow, obvious reference for every feature (tests/reference/oracle.py)."""
    return _from_reference("oracle")


@pytest.fixture(scope="session")
def history() -> ModuleType:
    """Record versions of small schools as partition tables (tests/reference/history.py)."""
    return _from_reference("history")
