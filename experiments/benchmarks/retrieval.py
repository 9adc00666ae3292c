"""Rows out of the feature tables: through Feast with gate and ledger, beside a bare join."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from experiments.benchmarks.measuring import Row, measured

if TYPE_CHECKING:
    from features.governance.use import Use

MONDAYS = 100
SCHOOL = 500


def measure(size: int, root: Path) -> Iterator[Row]:
    """The row of the table for `size` pupils on 100 Mondays, made below `root`."""
    home = root / "var"
    measured(fill, home, size)
    ours = measured(retrieve, home)
    label = f"{size * MONDAYS:,} rows"
    yield Row(label, "retrieval through Feast", ours, join_asof.__name__, measured(join_asof, home))


def use() -> "Use":
    """Who asks, for what."""
    from features.governance.use import Action, Purpose, Use
    from features.vocabulary import Role

    moment = datetime(2026, 11, 16, 7, tzinfo=UTC)
    return Use("benchmark", Role.JOB, Purpose.EARLY_WARNING, Action.TRAIN, moment)


def fill(home: Path, pupils: int) -> None:
    """Feature tables of noise, in schools of 500 pupils."""
    import numpy as np
    import pyarrow as pa

    from features.catalogue import CATALOGUE
    from features.school_weeks import as_of_moment, mondays_between
    from features.settings import Home
    from features.store import FeatureStore

    store = FeatureStore.at(Home(home))
    store.apply(use())
    mondays = mondays_between(date(2024, 8, 1), date(2026, 11, 9))[:MONDAYS]
    moments = pa.array([as_of_moment(monday) for monday in mondays], pa.timestamp("us", tz="UTC"))
    random = np.random.default_rng(1)
    week = np.repeat(np.arange(MONDAYS), SCHOOL)
    for number in range(-(-pupils // SCHOOL)):
        school = f"{number:04d}00"
        columns = {"pupil_key": [f"p1{school}{pupil:020d}" for pupil in range(SCHOOL)] * MONDAYS}
        texts = {"school": school, "group": "4a", "sector": "po", "year_group": "4"}
        columns |= {name: [value] * len(week) for name, value in texts.items()}
        columns["as_of"] = pa.array(mondays, pa.date32()).take(pa.array(week))
        columns["event_timestamp"] = moments.take(pa.array(week))
        for feature in CATALOGUE:
            columns[feature.name] = random.random(len(week), dtype=np.float32)
        store.write(pa.table(columns), mondays)


def retrieve(home: Path) -> None:
    """Ours: every row and feature, gate and ledger included."""
    from features.settings import Home
    from features.store import RISK_SERVICE, FeatureStore

    store = FeatureStore.at(Home(home))
    entities = store.entities(sorted(store.built()))
    assert store.retrieve(entities, RISK_SERVICE, use()).num_rows == entities.num_rows


def join_asof(home: Path) -> None:
    """The same rows from the same files by a Polars `join_asof`; no gate, no ledger."""
    import polars as pl

    from features.settings import Home

    files = sorted(str(path) for path in (Home(home).offline / "current" / "rows").glob("*"))
    # A row knows at most six days: the time to live of the views.
    rows = pl.read_parquet(files).sort("pupil_key", "as_of")
    entities = rows.select("pupil_key", "as_of").sample(fraction=1.0, shuffle=True, seed=1)
    joined = entities.sort("pupil_key", "as_of").join_asof(
        rows, on="as_of", by="pupil_key", tolerance="6d", check_sortedness=False
    )
    assert joined["sick_share_1w"].null_count() == 0


retrieve.imports = ("features.store.feast_repo", "features.store.snapshots")  # type: ignore[attr-defined]
join_asof.imports = ("polars",)  # type: ignore[attr-defined]
