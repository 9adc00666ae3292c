"""Registry and online store on a real PostgreSQL server."""

import math
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from sqlalchemy import Engine

from features.catalogue import Feature
from features.errors import NotThere
from features.governance.contracts import read_contracts
from features.governance.gate import Gate
from features.governance.ledger import Ledger
from features.governance.use import Action, Use
from features.settings import Home, Settings
from features.store import FeatureStore
from features.store.production import StoreSettings
from tests.database_server import PASSWORD
from tests.store.page_visitor import API, Visitor

psycopg = pytest.importorskip("psycopg", reason="the extra `postgres` is not installed")

# Feast keeps the connection it reads with until the process ends.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")

Rows = Callable[..., pa.Table]


@pytest.fixture
def store(
    server: StoreSettings,
    home: Home,
    engine: Engine,
    ledger: Ledger,
    catalogue: tuple[Feature, ...],
    use: Use,
    rows: Rows,
    mondays: Sequence[date],
    monkeypatch: pytest.MonkeyPatch,
) -> FeatureStore:
    """Two schools, built and applied, with registry and online store on the server."""
    monkeypatch.setenv("TIJDIG_STORE_PASSWORD", PASSWORD)
    store = FeatureStore(home, Gate(read_contracts(), engine), ledger, catalogue, server)
    store.apply(use)
    for school in ("90AB00", "90AC00"):
        store.write(rows(school), mondays)
    return store


def reopened(store: FeatureStore, home: Home, engine: Engine) -> FeatureStore:
    """The store as another process finds it: nobody says where the server is."""
    features = store.service().features
    return FeatureStore(home, Gate(read_contracts(), engine), Ledger(engine), features)


def query(server: StoreSettings, text: str) -> list[Any]:
    with psycopg.connect(
        host=server.host,
        port=server.port,
        dbname=server.database,
        user=server.user,
        password=PASSWORD,
        sslmode="disable",
    ) as connection:
        return [row[0] for row in connection.execute(text).fetchall()]


TABLES = "SELECT table_name FROM information_schema.tables WHERE table_schema = '{}'"


def test_definitions_are_on_the_server_and_no_file_holds_them_or_the_password(
    store: FeatureStore, home: Home, server: StoreSettings
) -> None:
    assert "feature_services" in query(server, TABLES.format("public"))
    names = {path.name for path in home.feast.iterdir() if path.is_file()}
    assert names == {"feature_store.yaml", "definitions.py"}
    texts = [path.read_text() for path in home.feast.iterdir() if path.is_file()]
    assert not any(PASSWORD in text for text in texts)


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")
def test_feast_s_own_pages_show_what_is_on_the_server(
    store: FeatureStore, home: Home, engine: Engine
) -> None:
    pytest.importorskip("grpc", reason="the extra `ui` is not installed")
    assert not (home.feast / "registry.db").exists()
    pages = Visitor(reopened(store, home, engine).pages())
    found = pages.get(f"{API}/feature_views", params={"project": "tijdig"}).text
    assert "sick_share_1w" in found
    assert PASSWORD not in found
    assert pages.request("POST", f"{API}/list-labels", json={}).status_code == 405


def test_history_and_online_values_are_the_same_as_with_files(
    store: FeatureStore,
    home: Home,
    engine: Engine,
    ledger: Ledger,
    use: Use,
    mondays: Sequence[date],
    server: StoreSettings,
) -> None:
    values = store.retrieve(store.entities(mondays[-1:]), "risk_v1", use)
    assert values["sick_share_1w"].to_pylist() == [40.0, 41.0, 42.0, 40.0, 41.0, 42.0]
    store.put_online(values.slice(0, 4), mondays[-1], use)
    assert (ledger.rows()[0].pupils, ledger.rows()[0].schools) == (4, ("90AB00", "90AC00"))
    store.put_online(values.slice(3, 2), mondays[-1], use)
    other = reopened(store, home, engine)
    other.apply(use)  # without settings it stays where it is
    show = replace(use, action=Action.SHOW)
    found = other.read_online(["p190ac001", "p190ac000"], show)
    assert found["sick_share_1w"].to_pylist() == [41.0, 40.0]
    assert not any(math.isnan(value) for value in found["group_deviation_4w"].to_pylist())
    with pytest.raises(NotThere, match="1 of 1 pupils are not in the online store"):
        other.read_online(["p190ab000"], show)
    tables = query(server, TABLES.format("tijdig_online"))
    assert query(server, TABLES.format("tijdig_online_next")) == []
    count = f'SELECT count(DISTINCT entity_key) FROM tijdig_online."{tables[0]}"'  # noqa: S608
    assert query(server, count) == [2]


def test_an_erased_pupil_is_gone_from_the_server(
    store: FeatureStore, use: Use, mondays: Sequence[date], catalogue: tuple[Feature, ...]
) -> None:
    values = store.retrieve(store.entities(mondays[-1:]), "risk_v1", use)
    store.put_online(values, mondays[-1], use)
    gone = store.erase("p190ab000")
    assert gone == {"feature_rows": 5, "online_values": len(catalogue)}
    with pytest.raises(NotThere):
        store.read_online(["p190ab000"], use)
    assert store.read_online(["p190ab001"], use).num_rows == 1


def test_reading_one_pupil_takes_milliseconds(
    store: FeatureStore, use: Use, mondays: Sequence[date]
) -> None:
    values = store.retrieve(store.entities(mondays[-1:]), "risk_v1", use)
    store.put_online(values, mondays[-1], use)
    repo = store._repo(store.service())
    seconds = []
    for _ in range(30):
        started = time.process_time()
        repo.online(["p190ab000"], "risk_v1")
        seconds.append(time.process_time() - started)
    # Of this process, so that a busy machine does not decide; the server adds a millisecond.
    assert statistics.median(seconds) < 0.02, seconds


def test_plain_feast_finds_nothing_to_change(store: FeatureStore, home: Home) -> None:
    feast = Path(sys.executable).with_name("feast")
    said = subprocess.run(
        [feast, "-c", home.feast, "plan"], capture_output=True, text=True, timeout=300, check=True
    ).stdout
    assert "No changes to registry" in said
    assert "No changes to infrastructure" in said


def test_a_server_that_is_not_there_or_another_password_is_said(
    store: FeatureStore,
    home: Home,
    engine: Engine,
    use: Use,
    mondays: Sequence[date],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TIJDIG_STORE_PASSWORD", "another")
    other = reopened(store, home, engine)
    with pytest.raises(NotThere, match=r"check \[store\] in tijdig.toml, TIJDIG_STORE_PASSWORD"):
        other.retrieve(other.entities(mondays), "risk_v1", use)


def test_settings_come_from_the_file_and_the_environment() -> None:
    sections = {"store": {"backend": "postgres", "host": "db.example", "password": "secret"}}
    found = Settings(sections).section("store", StoreSettings)
    assert (found.kind, found.host, found.port) == ("postgres", "db.example", 5432)
    assert "secret" not in repr(found)
