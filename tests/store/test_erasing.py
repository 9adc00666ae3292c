"""An erased pupil is in no feature file and not online, decoded or in bytes; others are."""

import io
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date

import pyarrow as pa
import pyarrow.parquet as pq

from features.governance.use import Action, Use
from features.settings import Home
from features.store import RISK_SERVICE, FeatureStore

Rows = Callable[..., pa.Table]
Mondays = tuple[date, ...]
GONE, STAYS = "p190ab001", "p190ab000"


def holding(home: Home, key: str) -> Iterator[str]:
    """The files below features and feast that hold this pupil."""
    for folder in (home.offline, home.feast):
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            content = path.read_bytes()
            if path.suffix == ".parquet":
                content += str(pq.read_table(io.BytesIO(content))["pupil_key"].to_pylist()).encode()
            if key.encode() in content:
                yield path.name


def test_an_erased_pupil_is_in_no_file_of_the_store(
    store: FeatureStore, rows: Rows, mondays: Mondays, use: Use, home: Home
) -> None:
    store.apply(use)
    store.write(rows("90AB00"), mondays)
    values = store.retrieve(store.entities(mondays[-1:]), RISK_SERVICE, use)
    store.put_online(values, mondays[-1], replace(use, action=Action.SHOW))
    assert "online.db" in set(holding(home, GONE)) and len(set(holding(home, GONE))) > 1
    removed = store.erase(GONE)
    assert removed["feature_rows"] == len(mondays) and removed["online_values"] > 0
    assert list(holding(home, GONE)) == []
    assert "online.db" in set(holding(home, STAYS))
    assert store.entities(mondays)["pupil_key"].to_pylist().count(STAYS) == len(mondays)
    assert store.erase(GONE) == {"feature_rows": 0, "online_values": 0}
    assert store.built() == frozenset(mondays), "what was built stays built"


def test_mondays_whose_term_is_over_are_gone_and_count_as_not_built(
    store: FeatureStore, rows: Rows, mondays: Mondays
) -> None:
    store.write(rows("90AB00"), mondays)
    assert store.built_before(mondays[2]) == 2
    assert store.drop_before(mondays[2]) == 2 * 3
    assert store.built() == frozenset(mondays[2:])
    assert store.built_before(mondays[2]) == 0
