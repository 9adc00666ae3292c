"""MLflow, and the only door to it: numbers, figures and bundles go in, nothing about one pupil."""

import json
import logging
import os
import re
import tempfile
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlparse
from urllib.request import url2pathname

from matplotlib.figure import Figure

from features.errors import NotAllowed, NotThere, VerificationFailed
from features.settings import Home
from models.artifact_address import follow_home
from models.entering import (
    LONGEST_TEXT,
    PLOTS,
    POINTS_IN_A_CURVE,
    TEXTS,
    Scalar,
    allowed,
    number,
    points,
    readable_name,
    scalar,
    without_pupils,
)
from models.reachable import check_reachable
from models.stored import RiskModel, load_model

log = logging.getLogger(__name__)

MODEL = "tijdig-risk"
CHAMPION = "champion"
DIGEST = 36
"""MLflow keeps no more characters of the fingerprint of a dataset."""


@dataclass(frozen=True)
class RegisteredVersion:
    """One version of the registered risk model; `aliases` holds "champion" for the one in use."""

    number: int
    run_id: str
    bundle_hash: str
    aliases: tuple[str, ...]


@dataclass(frozen=True)
class RecordedRun:
    """What a finished run holds: names and numbers."""

    run_id: str
    name: str
    params: Mapping[str, str]
    metrics: Mapping[str, float]
    tags: Mapping[str, str]


class Run:
    """An open run; each method refuses what could be the data of a pupil."""

    def __init__(self, client: Any, run_id: str, moment: datetime) -> None:
        self._client = client
        self._milliseconds = int(moment.timestamp() * 1000)
        self.run_id = run_id

    def params(self, values: Mapping[str, Scalar]) -> None:
        """Settings of the run."""
        from mlflow.entities import Param

        checked = [Param(key, scalar(key, value)) for key, value in values.items()]
        self._client.log_batch(self.run_id, params=checked)

    def metrics(self, values: Mapping[str, float], step: int = 0) -> None:
        """Measured numbers; the same name with several steps is a curve."""
        from mlflow.entities import Metric

        checked = [
            Metric(readable_name(key), number(key, value), self._milliseconds, step)
            for key, value in values.items()
        ]
        self._client.log_batch(self.run_id, metrics=checked)

    def tags(self, values: Mapping[str, Scalar]) -> None:
        """Hashes and names: data fingerprint, feature service, contract hash."""
        from mlflow.entities import RunTag

        checked = [RunTag(key, scalar(key, value)) for key, value in values.items()]
        self._client.log_batch(self.run_id, tags=checked)

    def plot(self, name: str, figure: Figure) -> None:
        """A figure as `plots/<name>.png`; its name is one of `PLOTS`."""
        allowed(name, PLOTS)
        if not isinstance(figure, Figure):
            raise NotAllowed(f"plot {name}: only figures go to MLflow, not a {type(figure)}")
        most = max((points(axes) for axes in figure.axes), default=0)
        if most > POINTS_IN_A_CURVE:
            raise NotAllowed(
                f"plot {name}: {most} points in one curve look like rows; draw means of groups "
                f"(at most {POINTS_IN_A_CURVE} points)"
            )
        # PNG, because vector formats hold the exact value of every point.
        self._client.log_figure(self.run_id, figure, f"plots/{name}.png")

    def text(self, name: str, text: str) -> None:
        """A text; its name is one of `TEXTS`."""
        allowed(name, TEXTS)
        if not isinstance(text, str) or len(text) > LONGEST_TEXT:
            raise NotAllowed(f"{name}: expected a text of at most {LONGEST_TEXT} characters")
        self._client.log_text(self.run_id, without_pupils(text), name)

    def dataset(self, name: str, fingerprint: str, rows: int, source: str) -> None:
        """What was learned from, as MLflow's pages show it: a fingerprint and a count."""
        from mlflow.entities import Dataset, DatasetInput

        made = Dataset(
            name=readable_name(name),
            digest=scalar("fingerprint", fingerprint)[:DIGEST],
            source_type="feature service",
            source=json.dumps({"service": scalar("source", source)}),
            profile=json.dumps({"rows": int(rows)}),
        )
        self._client.log_inputs(self.run_id, [DatasetInput(made)])

    def bundle(self, bundle: RiskModel) -> None:
        """The model as `bundle/model.txt` and `bundle/bundle.json`, with its hash as a tag.

        Beside it its signature, in MLflow's own form: the features it takes and what it gives.
        """
        with tempfile.TemporaryDirectory() as folder:
            bundle.save(Path(folder))
            for path in sorted(Path(folder).iterdir()):
                without_pupils(path.read_text(encoding="utf-8"))
            self._client.log_artifacts(self.run_id, folder, "bundle")
        self.text("signature.json", json.dumps(_signature(bundle.features), indent=1) + "\n")
        self.tags({"bundle_hash": bundle.content_hash})


class Registry:
    """Runs and versions of models; see `Registry.at` for where one installation keeps them."""

    def __init__(self, tracking_uri: str, artifacts: str) -> None:
        self.tracking_uri = tracking_uri
        self.artifacts = artifacts.rstrip("/")
        self._opened: Any = None

    @classmethod
    def at(cls, home: Home) -> "Registry":
        """Where `home.tracking` says; else SQLite and a folder of artifacts below `home`.

        >>> Registry.at(Home(Path("/srv/tijdig"))).tracking_uri
        'sqlite:////srv/tijdig/mlflow/mlflow.db'
        """
        folder = home.mlflow.absolute()
        address = home.tracking.address if home.tracking.uri else ""
        artifacts = home.tracking.artifacts or (folder / "artifacts").as_uri()
        if artifacts.startswith("/"):
            artifacts = Path(artifacts).as_uri()
        return cls(address or f"sqlite:///{folder / 'mlflow.db'}", artifacts)

    @property
    def is_local(self) -> bool:
        """Whether runs and models are in a file below the home."""
        return self.tracking_uri.startswith("sqlite:")

    @contextmanager
    def run(self, experiment: str, name: str, moment: datetime) -> Iterator[Run]:
        """Record a run called `name` of an experiment; an exception marks it as failed."""
        client = self._client
        experiment_id = self._experiment(without_pupils(experiment))
        milliseconds = int(moment.timestamp() * 1000)
        created = client.create_run(
            experiment_id, start_time=milliseconds, run_name=without_pupils(name)
        )
        run = Run(client, created.info.run_id, moment)
        try:
            yield run
        except BaseException:
            client.set_terminated(run.run_id, "FAILED", end_time=milliseconds)
            raise
        client.set_terminated(run.run_id, "FINISHED", end_time=milliseconds)

    def runs(self, experiment: str) -> list[RecordedRun]:
        """The finished runs of an experiment, newest first."""
        found = self._client.get_experiment_by_name(experiment)
        if found is None:
            raise NotThere(f"MLflow has no experiment {experiment!r}; train it first")
        return [
            RecordedRun(
                run.info.run_id,
                run.info.run_name,
                dict(run.data.params),
                dict(run.data.metrics),
                {key: tag for key, tag in run.data.tags.items() if not key.startswith("mlflow.")},
            )
            for run in self._client.search_runs(
                [found.experiment_id],
                filter_string="attributes.status = 'FINISHED'",
                order_by=["attributes.start_time DESC", "attributes.run_id DESC"],
            )
        ]

    def register(self, run_id: str) -> int:
        """Make the bundle of a run a version of the registered model; the same bundle only once."""
        from mlflow.exceptions import MlflowException

        run = self._client.get_run(run_id)
        digest = run.data.tags.get("bundle_hash")
        if digest is None:
            raise NotThere(f"run {run.info.run_name!r} holds no bundle; only a risk model has one")
        for version in self.versions():
            if version.run_id == run_id and version.bundle_hash == digest:
                return version.number
        try:
            self._client.create_registered_model(MODEL)
        except MlflowException as problem:
            if problem.error_code != "RESOURCE_ALREADY_EXISTS":
                raise
        created = self._client.create_model_version(
            MODEL,
            source=f"{run.info.artifact_uri}/bundle",
            run_id=run_id,
            tags={"bundle_hash": digest},
        )
        return int(created.version)

    def versions(self) -> list[RegisteredVersion]:
        """All registered versions, oldest first."""
        champion = self._champion_number()
        found = self._client.search_model_versions(f"name = '{MODEL}'")
        return sorted(
            (
                RegisteredVersion(
                    int(version.version),
                    version.run_id,
                    version.tags["bundle_hash"],
                    (CHAMPION,) if int(version.version) == champion else (),
                )
                for version in found
            ),
            key=lambda version: version.number,
        )

    def set_champion(self, number: int) -> None:
        """Point the alias "champion" at a version; only `training.promote` decides on it."""
        self._version(number)
        self._client.set_registered_model_alias(MODEL, CHAMPION, str(number))
        log.info("version %s of %s is the champion", number, MODEL)

    def champion(self) -> tuple[int, RiskModel]:
        """The version in use and its bundle, verified."""
        number = self._champion_number()
        if number is None:
            raise NotThere("no model is in use; train one and promote it (tijdig promote)")
        return number, self.bundle(number)

    def champion_number(self) -> int | None:
        """The version in use; None before the first."""
        return self._champion_number()

    def experiment_of(self, run_id: str) -> str:
        """The name of the experiment that a run belongs to."""
        found = self._client.get_experiment(self._client.get_run(run_id).info.experiment_id)
        return str(found.name)

    def texts(self, run_id: str) -> frozenset[str]:
        """The names of the texts and folders that a run holds."""
        return frozenset(each.path for each in self._client.list_artifacts(run_id))

    def read_text(self, run_id: str, name: str) -> str:
        """A text that a run holds."""
        if name not in self.texts(run_id):
            raise NotThere(f"run {run_id} holds no {name}; train it again")
        with tempfile.TemporaryDirectory() as folder:
            source = f"{self._client.get_run(run_id).info.artifact_uri}/{name}"
            return self._fetched(source, Path(folder)).read_text(encoding="utf-8")

    def attach(self, run_id: str, name: str, text: str) -> None:
        """Add a text to a finished run, behind the same door as any other; an older one goes."""
        run = self._client.get_run(run_id)
        Run(self._client, run_id, datetime.fromtimestamp(run.info.start_time / 1000, UTC)).text(
            name, text
        )

    def bundle(self, number: int) -> RiskModel:
        """The bundle of a version, verified against the hash that was registered."""
        version = self._version(number)
        with tempfile.TemporaryDirectory() as folder:
            loaded = load_model(self._fetched(version.source, Path(folder)))
        if loaded.content_hash != version.tags["bundle_hash"]:
            raise VerificationFailed(
                f"version {number} of {MODEL}: the stored bundle is not the one that was "
                "registered; restore MLflow's artifacts or promote another version"
            )
        return loaded

    @property
    def _client(self) -> Any:
        if self._opened is None:
            check_reachable(self.tracking_uri, self.artifacts)
            self._opened = _open_client(self.tracking_uri)
            follow_home(self.tracking_uri, self.artifacts)
        return self._opened

    def _experiment(self, name: str) -> str:
        found = self._client.get_experiment_by_name(name)
        if found is not None:
            return str(found.experiment_id)
        folder = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or "experiment"
        return str(
            self._client.create_experiment(name, artifact_location=f"{self.artifacts}/{folder}")
        )

    def _version(self, number: int) -> Any:
        from mlflow.exceptions import MlflowException

        try:
            return self._client.get_model_version(MODEL, str(number))
        except MlflowException as problem:
            raise NotThere(f"{MODEL} has no version {number}") from problem

    def _champion_number(self) -> int | None:
        from mlflow.exceptions import MlflowException

        try:
            return int(self._client.get_model_version_by_alias(MODEL, CHAMPION).version)
        except MlflowException:
            return None

    def _fetched(self, source: str, folder: Path) -> Path:
        parsed = urlparse(source)
        if parsed.scheme == "file":
            return Path(url2pathname(parsed.path))
        from mlflow.artifacts import download_artifacts

        return Path(download_artifacts(source, dst_path=str(folder)))


def _signature(features: tuple[str, ...]) -> dict[str, Any]:
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, Schema

    taken = Schema([ColSpec("float", name, required=False) for name in features])
    return dict(ModelSignature(taken, Schema([ColSpec("double", "probability")])).to_dict())


def _open_client(tracking_uri: str) -> Any:
    os.environ.update(
        MLFLOW_DISABLE_TELEMETRY="true",
        DO_NOT_TRACK="true",
        MLFLOW_ALLOW_PICKLE_DESERIALIZATION="false",
        MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR="false",
    )
    if tracking_uri.startswith("sqlite:///"):
        Path(tracking_uri.removeprefix("sqlite:///")).parent.mkdir(parents=True, exist_ok=True)
    # MLflow 3.17 uses a loader that SQLAlchemy 2.1 warns about when its tables are first mapped.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import mlflow
        from mlflow.tracking import MlflowClient

        mlflow.autolog(disable=True, silent=True)
        logging.getLogger("mlflow").setLevel(logging.WARNING)
        client = MlflowClient(tracking_uri=tracking_uri, registry_uri=tracking_uri)
        client.search_experiments(max_results=1)
        client.search_registered_models(max_results=1)
    return client
