"""Can MLflow's database and artifacts be reached? Asked first: MLflow would try for minutes."""

import importlib.util
import os
from pathlib import Path
from urllib.parse import urlparse
from urllib.request import url2pathname

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from features.errors import SettingsError
from features.settings import OBJECT_STORES

SECONDS = 5
WHERE = "[tracking] in tijdig.toml and TIJDIG_TRACKING_PASSWORD"


def check_reachable(tracking_uri: str, artifacts: str) -> None:
    """Raise `SettingsError` with the next step; never shows a password. Files need no server."""
    if tracking_uri.startswith("postgresql"):
        _check_server(sa.make_url(tracking_uri))
    _check_artifacts(artifacts)


def _check_server(url: sa.URL) -> None:
    place = f"{url.host}:{url.port or 5432}/{url.database}"
    if importlib.util.find_spec("psycopg") is None:
        raise SettingsError(
            f"MLflow's database is {place}, and psycopg is not installed; install tijdig[postgres]"
        )
    engine = sa.create_engine(url, poolclass=sa.NullPool, connect_args={"connect_timeout": SECONDS})
    try:
        engine.connect().close()
    except SQLAlchemyError as problem:
        said = str(getattr(problem, "orig", problem)).strip().splitlines()
        reason = said[-1].strip() if said else type(problem).__name__
        raise SettingsError(
            f"MLflow's database {place} cannot be reached ({reason}); check {WHERE}"
        ) from None
    finally:
        engine.dispose()


def _check_artifacts(artifacts: str) -> None:
    parsed = urlparse(artifacts)
    library = OBJECT_STORES.get(parsed.scheme)
    if library is not None and not _installed(library):
        raise SettingsError(
            f"MLflow's artifacts are in {artifacts}, and {library} is not installed; install it, "
            "and give its credentials by its own environment"
        )
    if parsed.scheme == "file":
        _check_folder(Path(url2pathname(parsed.path)))


def _check_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as problem:
        raise SettingsError(
            f"{folder}: the folder of MLflow's artifacts cannot be made ({problem.strerror}); "
            "check [tracking] in tijdig.toml"
        ) from problem
    if not os.access(folder, os.W_OK):
        raise SettingsError(f"{folder}: the folder of MLflow's artifacts may not be written to")


def _installed(library: str) -> bool:
    try:
        return importlib.util.find_spec(library) is not None
    except ModuleNotFoundError:
        return False
