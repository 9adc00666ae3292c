"""One Monday with three years in the log, the whole road of `tijdig week`.

Read, build, retrieve through Feast with gate and ledger, score, cut, explain the listed, publish.
"""

import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from experiments.benchmarks.history import per_monday_once, versions_to_file
from experiments.benchmarks.measuring import Row, measured
from experiments.benchmarks.region import history_mondays, make_log

if TYPE_CHECKING:
    from features.governance.use import Use
    from models.bundle import Bundle

PUPILS_LEARNED_FROM = 2_000
MONDAYS_LEARNED_FROM = 12
MOMENT = datetime(2026, 8, 17, 5, tzinfo=UTC)
"""The contracts of the features are approved since 15 August."""


def measure(size: int, root: Path) -> Iterator[Row]:
    """The row of the table for a region of `size` pupils, made below `root`."""
    home, versions = root / "var", root / "versions.parquet"
    measured(install, home, size)
    measured(versions_to_file, home / "records", versions)
    ours = measured(publish, home)
    theirs = measured(per_monday_once, versions, root / "theirs")
    label = "one Monday, from the log to the lists"
    yield Row(f"{size:,} pupils", label, ours, per_monday_once.__name__, theirs)


def install(home: Path, pupils: int) -> None:
    """An installation with a full log and a model in use, before its first list."""
    from features.governance import open_ledger
    from features.governance.audit import AuditChain
    from features.settings import Home
    from features.vocabulary import Role
    from models.in_use import PROMOTED
    from models.registry import Registry
    from serving.tables import open_app

    place = Home(home)
    make_log(place.records, pupils)
    registry = Registry.at(place)
    with registry.run("benchmark", "a model of the default shape", MOMENT) as run:
        run.bundle(model())
        version = registry.register(run.run_id)
    registry.set_champion(version)
    detail: dict[str, str | int] = {
        "version": version,
        "bundle": registry.bundle(version).content_hash,
    }
    subject, chain = f"model version {version}", AuditChain(open_ledger(place))
    chain.append(MOMENT, "benchmark", Role.DATA_SCIENTIST, PROMOTED, subject, detail=detail)
    open_app(place)


def model() -> "Bundle":
    """A model of the product's default shape, fitted on a small region of the same making.

    What it learns is invented (more absence, more onsets): only its size costs time.
    """
    import numpy as np

    from features.build import build
    from features.catalogue import MODEL_FEATURES
    from features.records import RecordLog
    from models.risk_model import Params, TrainingRows, fit

    with tempfile.TemporaryDirectory() as folder:
        make_log(Path(folder), PUPILS_LEARNED_FROM)
        mondays = history_mondays()[-MONDAYS_LEARNED_FROM - 12 : -12]
        tables = list(build(RecordLog(Path(folder)), mondays))
    names = tuple(MODEL_FEATURES)
    x = np.concatenate(
        [np.column_stack([table[name].to_numpy() for name in names]) for table in tables]
    )
    random = np.random.default_rng(1)
    share = np.nan_to_num(x[:, names.index("absent_share_4w")])
    onset = random.random(len(x)) < 0.01 + 0.3 * share
    rows = TrainingRows(x, onset, np.ones(len(x)), names)
    later = np.arange(len(x)) % 3 == 0
    return fit(rows.take(~later), rows.take(later), Params())


def publish(home: Path) -> None:
    """Ours: what `tijdig week` does."""
    from features.settings import Home
    from serving.week import WeeklyRun

    run = WeeklyRun.at(Home(home), use())
    found = run.publish(history_mondays()[-1], lambda _: None)
    assert found.published == found.schools > 0 and found.listed > 0


def use() -> "Use":
    """Who asks, for what."""
    from features.governance.use import Action, Purpose, Use
    from features.vocabulary import Role

    return Use("benchmark", Role.JOB, Purpose.EARLY_WARNING, Action.SCORE, MOMENT)


# What a process imports once: seconds, whatever the size.
publish.imports = (
    "serving.week",
    "features.store.feast_repo",
    "features.store.snapshots",
    "mlflow",
)  # type: ignore[attr-defined]
