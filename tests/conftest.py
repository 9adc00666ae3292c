"""Guards for the whole suite: the packages under test are this checkout's, telemetry is off."""

import os
from pathlib import Path

os.environ.update(
    {
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "DO_NOT_TRACK": "true",
        "FEAST_USAGE": "False",
        "MLFLOW_ALLOW_PICKLE_DESERIALIZATION": "false",
        "MPLBACKEND": "Agg",
    }
)

from hypothesis import HealthCheck, settings

import features

ROOT = Path(__file__).resolve().parents[1]
assert Path(features.__file__).parent == ROOT / "features", (
    f"'features' was imported from {features.__file__}, not from this checkout"
)

settings.register_profile("ci", derandomize=True, deadline=None, max_examples=40)
settings.register_profile(
    "long", deadline=None, max_examples=1000, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("ci")
