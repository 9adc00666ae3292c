"""The registry: versions come back verified, and nothing about one pupil gets into MLflow."""

import os
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import lightgbm
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from matplotlib.figure import Figure

from features.errors import NotAllowed, NotThere, TijdigError, VerificationFailed
from features.governance.pseudonyms import pupil_key
from features.settings import Home
from models.bundle import Bundle, Metadata
from models.explain import contributions, dependence_figure, importance_figure, summary_figure
from models.registry import Registry, Run
from models.risk_model import Params, TrainingRows, fit

MOMENT = datetime(2026, 11, 16, 5, tzinfo=UTC)
KEY = pupil_key(b"k" * 32, b"u" * 16)
CANARY = 7314.0625


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Registry:
    return Registry.at(Home(tmp_path_factory.mktemp("home")))


@pytest.fixture
def run(registry: Registry) -> Iterator[Run]:
    with registry.run("first", "a run of a test", MOMENT) as opened:
        yield opened


def folder_of(registry: Registry) -> Path:
    return Path(registry.tracking_uri.removeprefix("sqlite:///")).parent


def test_before_the_first_promotion_nothing_is_in_use(registry: Registry) -> None:
    # Stands first in this file: making MLflow's database takes seconds, so it is shared.
    with pytest.raises(NotThere, match="tijdig promote"):
        registry.champion()
    assert registry.versions() == []
    with pytest.raises(NotThere, match="no experiment 'first'"):
        registry.runs("first")
    with pytest.raises(NotThere, match="no version 7"):
        registry.bundle(7)


def test_a_version_comes_back_as_it_was(
    registry: Registry, bundle: Bundle, later: TrainingRows
) -> None:
    with registry.run("Onset within 8 school weeks", "risk model", MOMENT) as run:
        run.params({"rounds": 40, "label": "onset"})
        run.metrics({"recall": 0.4, "lead_time": float("nan")})
        run.tags({"data_fingerprint": "c0ffee", "feature_service": "risk_v1"})
        run.bundle(bundle)
    number = registry.register(run.run_id)
    assert registry.register(run.run_id) == number, "registering twice makes one version"
    registry.set_champion(number)
    in_use, loaded = registry.champion()
    assert (in_use, loaded) == (number, bundle)
    assert (loaded.score(later.x) == bundle.score(later.x)).all()
    recorded = registry.runs("Onset within 8 school weeks")[0]
    assert recorded.name == "risk model"
    assert recorded.metrics["recall"] == 0.4
    assert recorded.params == {"rounds": "40", "label": "onset"}
    assert recorded.tags["bundle_hash"] == bundle.content_hash
    assert recorded.tags["data_fingerprint"] == "c0ffee"


def test_promoting_another_version_moves_the_champion(registry: Registry, bundle: Bundle) -> None:
    numbers = []
    for seed in (1, 2):
        with registry.run("first", f"seed {seed}", MOMENT) as run:
            run.bundle(replace(bundle, metadata=Metadata(seed=seed)))
        numbers.append(registry.register(run.run_id))
        registry.set_champion(numbers[-1])
    assert registry.champion()[1].metadata.seed == 2
    registry.set_champion(numbers[0])
    assert registry.champion()[1].metadata.seed == 1
    in_use = [version.number for version in registry.versions() if version.aliases]
    assert in_use == [numbers[0]]


def test_a_changed_artifact_is_not_loaded(registry: Registry, bundle: Bundle) -> None:
    with registry.run("first", "to be changed", MOMENT) as run:
        run.bundle(bundle)
    number = registry.register(run.run_id)
    folder = next(folder_of(registry).glob(f"artifacts/*/{run.run_id}/artifacts/bundle"))
    replace(bundle, metadata=Metadata(label="another")).save(folder)
    with pytest.raises(VerificationFailed, match="not the one that was registered"):
        registry.bundle(number)


def test_a_run_without_bundle_has_no_version(registry: Registry) -> None:
    with registry.run("first", "a rule", MOMENT) as run:
        run.metrics({"recall": 0.1})
    with pytest.raises(NotThere, match="holds no bundle"):
        registry.register(run.run_id)


def test_a_failed_run_is_not_among_the_finished(registry: Registry) -> None:
    with pytest.raises(ZeroDivisionError), registry.run("failing", "stops", MOMENT) as run:
        run.metrics({"recall": 1 / 0})
    assert registry.runs("failing") == []


@pytest.mark.parametrize(
    "rows",
    [
        pd.DataFrame({"score": [0.1]}),
        pa.table({"score": [0.1]}),
        np.array([0.1, 0.2]),
        [0.1],
        {"score": 0.1},
        b"bytes",
    ],
    ids=lambda rows: type(rows).__name__,
)
def test_rows_are_refused_everywhere(run: Run, rows: object) -> None:
    for method in (run.params, run.metrics, run.tags):
        with pytest.raises(NotAllowed):
            method({"rows": rows})  # type: ignore[dict-item]
    with pytest.raises(NotAllowed):
        run.text("comparison.md", rows)  # type: ignore[arg-type]
    with pytest.raises(NotAllowed):
        run.plot("calibration", rows)  # type: ignore[arg-type]


def test_only_listed_artifacts_and_figures_of_groups(run: Run) -> None:
    figure = Figure()
    figure.subplots().plot(np.arange(5000))
    with pytest.raises(NotAllowed, match="5000 points"):
        run.plot("calibration", figure)
    with pytest.raises(NotAllowed, match="not on the list"):
        run.plot("scores_per_pupil", Figure())
    with pytest.raises(NotAllowed, match="not on the list"):
        run.text("rows.csv", "a,b")


def test_a_pseudonym_is_refused_wherever_it_stands(run: Run, registry: Registry) -> None:
    attempts = [
        lambda: run.params({"pupil": KEY}),
        lambda: run.params({KEY: "1"}),
        lambda: run.tags({"pupils": f"{KEY},{KEY}"}),
        lambda: run.metrics({KEY: 0.5}),
        lambda: run.text("comparison.md", f"| {KEY} | 0.5 |"),
        lambda: registry.run("first", f"run for {KEY}", MOMENT).__enter__(),
        lambda: registry.run(KEY, "run", MOMENT).__enter__(),
    ]
    for attempt in attempts:
        with pytest.raises(NotAllowed) as refusal:
            attempt()  # type: ignore[no-untyped-call]
        assert KEY not in str(refusal.value)


def found_in(folder: Path, needles: list[bytes]) -> set[bytes]:
    contents = [path.read_bytes() for path in folder.rglob("*") if path.is_file()]
    return {needle for needle in needles if any(needle in content for content in contents)}


def test_no_trace_of_a_planted_pupil_in_mlflow(
    tmp_path: Path, train: TrainingRows, calibration: TrainingRows, quick: Params
) -> None:
    x = train.x.copy()
    x[3] = CANARY + np.arange(x.shape[1])  # one pupil with values like nobody else's
    planted = replace(train, x=x, pupils=np.r_[918273645, np.arange(len(x) - 1)])
    registry = Registry.at(Home(tmp_path))
    bundle = fit(planted, calibration, quick)
    explained = contributions(bundle, x)
    with registry.run("canary", "risk model", MOMENT) as run:
        run.params({"rows": len(x)})
        run.metrics({"positives": float(planted.y.sum())})
        run.bundle(bundle)
        run.plot("shap_importance", importance_figure(explained))
        run.plot("shap_summary", summary_figure(explained, x))
        run.plot("shap_dependence", dependence_figure(explained, x))
        run.text("comparison.md", "| regel | recall |")
        for leak in ({"pupil": KEY}, {"row": x[3]}):
            with pytest.raises(TijdigError):
                run.params(leak)
    registry.set_champion(registry.register(run.run_id))
    needles = [KEY.encode(), b"918273645", b"7314.0", *(str(v).encode() for v in x[3].tolist())]
    assert found_in(tmp_path, needles) == set()
    assert found_in(tmp_path, [b"canary", b"bundle_hash"]) == {b"canary", b"bundle_hash"}
    names = {path.name for path in tmp_path.rglob("*") if path.is_file()}
    assert names == {
        "bundle.json", "comparison.md", "mlflow.db", "model.txt",
        "shap_dependence.png", "shap_importance.png", "shap_summary.png", "signature.json",
    }  # fmt: skip


def test_the_scan_would_find_a_plain_model_file(tmp_path: Path, train: TrainingRows) -> None:
    x = train.x.copy()
    x[3, 0] = CANARY
    plain = lightgbm.train({"verbosity": -1}, lightgbm.Dataset(x, train.y.astype(float)), 1)
    (tmp_path / "model.txt").write_text(plain.model_to_string())
    assert found_in(tmp_path, [b"7314"]) == {b"7314"}


def test_mlflow_is_quiet_safe_and_logs_nothing_by_itself(
    registry: Registry, train: TrainingRows
) -> None:
    registry.versions()
    assert os.environ["MLFLOW_DISABLE_TELEMETRY"] == os.environ["DO_NOT_TRACK"] == "true"
    assert os.environ["MLFLOW_ALLOW_PICKLE_DESERIALIZATION"] == "false"
    before = sorted(folder_of(registry).rglob("*"))
    lightgbm.train({"verbosity": -1}, lightgbm.Dataset(train.x, train.y.astype(float)), 1)
    assert sorted(folder_of(registry).rglob("*")) == before


def test_names_in_mlflow_can_be_read(registry: Registry) -> None:
    with registry.run("Onset, strict: 2025–2026", "risk model", MOMENT) as run:
        run.text("comparison.md", "x")
    stored = next(folder_of(registry).glob(f"artifacts/*/{run.run_id}"))
    assert re.fullmatch(r"onset-strict-2025-2026", stored.parent.name)
