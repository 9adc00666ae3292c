"""A feature store over part of the catalogue, and rows whose values say where they are from."""

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from sqlalchemy import Engine

from features.catalogue import Feature, by_view
from features.governance import open_ledger
from features.governance.contracts import read_contracts
from features.governance.gate import Gate
from features.governance.ledger import Ledger
from features.governance.use import Action, Purpose, Use
from features.school_weeks import as_of_moment
from features.settings import Home
from features.store import FeatureStore
from features.vocabulary import Role

MONDAYS = tuple(date(2026, 10, 12) + timedelta(weeks=week) for week in range(5))
"""With the clock going back in between: 06:00 in Amsterdam is first 04:00 and then 05:00 UTC."""

Rows = Callable[..., pa.Table]


@pytest.fixture(scope="session")
def catalogue() -> tuple[Feature, ...]:
    views = by_view()
    return tuple(f for view in ("sick", "group", "status") for f in views[view])


@pytest.fixture
def mondays() -> tuple[date, ...]:
    return MONDAYS


@pytest.fixture(scope="session")
def rows(catalogue: tuple[Feature, ...]) -> Rows:
    """Rows of a school: the value of feature f of pupil p on Monday m is 100 f + 10 m + p."""

    def make(
        school: str,
        pupils: int = 3,
        mondays: Sequence[date] = MONDAYS,
        *,
        plus: float = 0,
        features: Sequence[Feature] = catalogue,
    ) -> pa.Table:
        keys = [f"p1{school.lower()}{pupil}" for pupil in range(pupils)]
        count = len(mondays)
        place = np.tile(np.arange(pupils), count) + 10.0 * np.repeat(
            [MONDAYS.index(monday) for monday in mondays], pupils
        )
        columns: dict[str, object] = {
            "pupil_key": keys * count,
            "school": [school] * pupils * count,
            "group": ["4a"] * pupils * count,
            "sector": ["po"] * pupils * count,
            "year_group": ["4"] * pupils * count,
            "as_of": [monday for monday in mondays for _ in keys],
            "event_timestamp": pa.array(
                [as_of_moment(monday) for monday in mondays for _ in keys],
                pa.timestamp("us", tz="UTC"),
            ),
        }
        for number, feature in enumerate(features):
            values = (100 * number + place + plus).astype(np.float32)
            columns[feature.name] = pa.array(values)
        return pa.table(columns)

    return make


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "var")


@pytest.fixture
def engine(home: Home) -> Engine:
    return open_ledger(home)


@pytest.fixture
def ledger(engine: Engine) -> Ledger:
    return Ledger(engine)


@pytest.fixture
def store(
    home: Home, engine: Engine, ledger: Ledger, catalogue: tuple[Feature, ...]
) -> FeatureStore:
    return FeatureStore(home, Gate(read_contracts(), engine), ledger, catalogue)


@pytest.fixture
def use() -> Use:
    return Use(
        "weekly-job",
        Role.JOB,
        Purpose.EARLY_WARNING,
        Action.SCORE,
        datetime(2026, 11, 16, 5, tzinfo=UTC),
        run="week-2026-11-16",
    )
