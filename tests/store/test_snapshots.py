"""Our way to join snapshots gives what Feast's own DuckDB store gives, on the same files."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from features.governance.use import Action, Use
from features.school_weeks import as_of_moment
from features.settings import Home
from features.store import FeatureStore
from tests.store.conftest import MONDAYS, Rows

TINY = timedelta(microseconds=1)
TTL = timedelta(days=6)
OFFSETS = (-TINY, timedelta(0), timedelta(days=2), TTL, TTL + TINY)
PUPILS = ("p190ab000", "p190ab002", "p190cd001", "p1nobody")


@pytest.fixture
def feast_store(store: FeatureStore, home: Home, use: Use, rows: Rows) -> Any:
    """Plain Feast over two schools, of which one misses Mondays and one was written again."""
    import feast

    store.apply(replace(use, action=Action.APPLY))
    store.write(rows("90AB00"), MONDAYS)
    store.write(rows("90CD00", mondays=MONDAYS[:3]), MONDAYS[:3])
    store.write(rows("90AB00", mondays=MONDAYS[1:2], plus=0.5), MONDAYS[1:2])
    return feast.FeatureStore(repo_path=str(home.feast))


def entities() -> pd.DataFrame:
    """Every pupil just before, at, after and beyond each Monday; some twice, in any order."""
    moments = [as_of_moment(monday) + offset for monday, offset in product(MONDAYS, OFFSETS)]
    grid = list(product(PUPILS, moments)) * 2
    order = np.random.default_rng(3).permutation(len(grid))[: len(grid) * 3 // 4]
    return pd.DataFrame(
        {
            "pupil_key": [grid[place][0] for place in order],
            "event_timestamp": pd.to_datetime([grid[place][1] for place in order], utc=True),
            "row": np.arange(len(order)),
        }
    )


def retrieved(feast_store: Any, offline_store: Any, asked: pd.DataFrame) -> pa.Table:
    """What this offline store makes of a retrieval of the service, by the row asked."""
    service = feast_store.get_feature_service("risk_v1")
    views = [feast_store.get_feature_view(one.name) for one in service.feature_view_projections]
    names = [
        f"{view.name}:{field.name}"
        for view, one in zip(views, service.feature_view_projections, strict=True)
        for field in one.features
    ]
    registry, project = feast_store.registry, feast_store.project
    job = offline_store.get_historical_features(
        feast_store.config, views, names, asked, registry, project
    )
    found = job.to_arrow().sort_by("row").combine_chunks()
    return found.select(sorted(set(found.column_names) - {"event_timestamp", "pupil_key"}))


@pytest.mark.filterwarnings("ignore:fetch_arrow_table:DeprecationWarning")
def test_every_row_is_that_of_feasts_own_store(feast_store: Any) -> None:
    from feast.infra.offline_stores.duckdb import DuckDBOfflineStore

    from features.store.snapshots import SnapshotOfflineStore, SnapshotRetrieval

    asked = entities()
    ours = retrieved(feast_store, SnapshotOfflineStore, asked.copy())
    theirs = retrieved(feast_store, DuckDBOfflineStore, asked.copy())
    assert ours["row"].to_pylist() == list(range(len(asked)))
    as_text = pa.schema([(field.name, pa.float64()) for field in ours.schema])
    assert ours.cast(as_text).equals(theirs.cast(as_text).combine_chunks())
    found = ours.column(0).null_count
    assert 0 < found < len(asked)  # some moments have a row, some have none
    service = feast_store.get_feature_service("risk_v1")
    job = feast_store.get_historical_features(asked, features=service)
    assert isinstance(job, SnapshotRetrieval)


@pytest.mark.filterwarnings("ignore:fetch_arrow_table:DeprecationWarning")
def test_what_it_does_not_do_is_left_to_feasts_own_store(feast_store: Any) -> None:
    service = feast_store.get_feature_service("risk_v1")
    found = feast_store.get_historical_features(
        entities(), features=service, full_feature_names=True
    ).to_arrow()
    assert f"{service.feature_view_projections[0].name}__" in " ".join(found.column_names)


def test_files_are_left_out_only_when_no_row_of_them_can_join(feast_store: Any) -> None:
    from features.store.snapshots import SnapshotOfflineStore

    def columns_found(moment: datetime) -> int:
        asked = pd.DataFrame(
            {
                "pupil_key": ["p190cd001"],
                "event_timestamp": pd.to_datetime([moment], utc=True),
                "row": [0],
            }
        )
        found = retrieved(feast_store, SnapshotOfflineStore, asked)
        return sum(bool(found[name].null_count == 0) for name in found.column_names) - 1

    features = len(entity_free(feast_store))
    last = as_of_moment(MONDAYS[2])
    assert columns_found(last + TTL) == features  # all its rows lie before the moment asked
    assert columns_found(last + TTL + TINY) == 0
    assert columns_found(datetime(2001, 1, 1, tzinfo=UTC)) == 0
    assert columns_found(datetime(2099, 1, 1, tzinfo=UTC)) == 0


def entity_free(feast_store: Any) -> list[str]:
    """The names of the features of the service."""
    service = feast_store.get_feature_service("risk_v1")
    return [field.name for one in service.feature_view_projections for field in one.features]
