"""One listed pupil, read past Feast: the same values as Feast gives, and never unseen."""

import json
import math
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date

import numpy as np
import pyarrow as pa
import pytest
from sqlalchemy import Engine

from features.catalogue import CATALOGUE, Feature
from features.errors import NotThere
from features.governance.approvals import Approvals, ContractEvent
from features.governance.contracts import read_contracts
from features.governance.gate import Gate
from features.governance.ledger import Ledger
from features.governance.use import Action, Use
from features.settings import Home
from features.store import FeatureStore
from features.store.feast_repo import FeastRepo
from features.store.offline import OfflineRows
from features.store.online import BEFORE_FLOAT, NO_VALUE, entity_key
from features.vocabulary import Role

Rows = Callable[..., pa.Table]
Mondays = Sequence[date]


@pytest.fixture
def show(use: Use) -> Use:
    return replace(use, action=Action.SHOW)


@pytest.fixture
def listed(store: FeatureStore, rows: Rows, mondays: Mondays, show: Use) -> FeatureStore:
    """Three pupils online."""
    store.apply(show)
    store.put_online(rows("90AB00", mondays=mondays[-1:]), mondays[-1], show)
    return store


def awkward(rows: Rows, mondays: Mondays) -> pa.Table:
    """Rows of the whole catalogue with undefined and extreme values, and a theme without any."""
    table = rows("90AB00", 8, mondays[-1:], features=CATALOGUE)
    random = np.random.default_rng(5)
    for feature in CATALOGUE:
        values = random.normal(0, 100, 8).astype(np.float32)
        values[random.random(8) < 0.3] = np.nan
        values[:4] = np.array([0.0, -0.0, 1e-45, 3.4e38], np.float32)
        if feature.theme is CATALOGUE[0].theme:
            values[6] = np.nan  # the seventh pupil has nothing at all in this theme
        place = table.column_names.index(feature.name)
        table = table.set_column(place, feature.name, pa.array(values))
    return table


def test_what_is_read_is_what_feast_gives_value_for_value(
    home: Home, rows: Rows, mondays: Mondays, show: Use
) -> None:
    store = FeatureStore.at(home)
    store.apply(show)
    store.put_online(awkward(rows, mondays), mondays[-1], show)
    keys = [f"p190ab00{pupil}" for pupil in (7, 0, 6, 3, 1, 2)]
    ours = store.read_online(keys, show)
    theirs = FeastRepo(home.feast).online(keys, "risk_v1")
    assert ours["pupil_key"].to_pylist() == keys == theirs["pupil_key"].to_pylist()
    assert set(ours["as_of"].to_pylist()) == {mondays[-1]}
    undefined = 0
    for feature in CATALOGUE:
        mine = ours[feature.name].to_numpy()
        feasts = theirs[feature.name].cast(pa.float32()).to_pylist()
        given = np.array([math.nan if one is None else one for one in feasts], np.float32)
        assert mine.dtype == np.float32 and mine.view(np.uint32).tolist() == [
            np.float32(np.nan).view(np.uint32) if math.isnan(one) else one.view(np.uint32)
            for one in given
        ], feature.name
        undefined += int(np.isnan(mine).sum())
    assert undefined > 50


def test_keys_and_values_are_spelled_as_feast_spells_them() -> None:
    from feast.infra.key_encoding_utils import serialize_entity_key
    from feast.protos.feast.types.EntityKey_pb2 import EntityKey
    from feast.protos.feast.types.Value_pb2 import Value

    for key in ("p1abc", "", "p1é" * 40):
        theirs = EntityKey(join_keys=["pupil_key"], entity_values=[Value(string_val=key)])
        assert entity_key(key) == serialize_entity_key(theirs, 3)
    assert Value(float_val=0.0).SerializeToString() == BEFORE_FLOAT + bytes(4)
    assert Value().SerializeToString() == NO_VALUE


READ = """
import json, sys
from datetime import UTC, datetime
from pathlib import Path
from features.governance.use import Action, Purpose, Use
from features.settings import Home
from features.store import FeatureStore
from features.vocabulary import Role
store = FeatureStore.at(Home(Path(sys.argv[1])))
moment = datetime(2026, 11, 16, 8, tzinfo=UTC)
use = Use("ib", Role.CARE_COORDINATOR, Purpose.EARLY_WARNING, Action.SHOW, moment)
found = store.read_online(["p190ab001"], use, schools=["90AB00"])
print(json.dumps([found["sick_share_1w"].to_pylist(), "feast" in sys.modules]))
"""


def test_a_page_reads_without_feast_in_its_process(
    home: Home, rows: Rows, mondays: Mondays, show: Use
) -> None:
    store = FeatureStore.at(home)
    store.apply(show)
    store.put_online(rows("90AB00", features=CATALOGUE, mondays=mondays[-1:]), mondays[-1], show)
    command = [sys.executable, "-c", READ, str(home.root)]
    said = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120).stdout
    assert json.loads(said) == [[41.0], False]


def test_who_says_the_school_needs_no_search_through_the_region(
    listed: FeatureStore, show: Use, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    def searched(*_: object) -> list[str]:
        raise AssertionError("the rows of the region were searched")

    monkeypatch.setattr(OfflineRows, "schools_of", searched)
    listed.read_online(["p190ab001"], show, schools=["90AB00"])
    assert (ledger.rows()[0].schools, ledger.rows()[0].pupils) == (("90AB00",), 1)
    with pytest.raises(AssertionError, match="were searched"):
        listed.read_online(["p190ab001"], show)


def test_the_ledger_is_written_before_the_file_is_opened(
    listed: FeatureStore, show: Use, home: Home, ledger: Ledger
) -> None:
    before = len(ledger.rows())
    (home.feast / "online.db").write_bytes(b"no database at all")
    with pytest.raises(Exception, match="not a database"):
        listed.read_online(["p190ab001"], show, schools=["90AB00"])
    assert len(ledger.rows()) == before + 1


def test_contracts_of_ones_own_do_not_fit_what_is_online(
    listed: FeatureStore,
    home: Home,
    engine: Engine,
    ledger: Ledger,
    catalogue: tuple[Feature, ...],
    show: Use,
) -> None:
    own = {
        name: replace(contract, expires_on=date(2099, 1, 1))
        for name, contract in read_contracts().items()
    }
    mine = FeatureStore(home, Gate(own, engine), ledger, catalogue)
    with pytest.raises(NotThere, match="other definitions or contracts"):
        mine.read_online(["p190ab001"], show, schools=["90AB00"])


def test_a_feature_that_was_set_aside_is_not_read_and_one_that_is_new_is_not_there(
    listed: FeatureStore,
    home: Home,
    engine: Engine,
    ledger: Ledger,
    catalogue: tuple[Feature, ...],
    show: Use,
) -> None:
    name = catalogue[0].name
    Approvals(engine).decide(
        read_contracts()[name],
        ContractEvent.SWITCHED_OFF,
        "fg@swv",
        Role.PRIVACY_OFFICER,
        show.moment,
        reason="not needed",
    )
    found = listed.read_online(["p190ab001"], show, schools=["90AB00"])
    assert name not in found.column_names and catalogue[1].name in found.column_names
    whole = FeatureStore(home, Gate(read_contracts(), engine), ledger)
    with pytest.raises(NotThere, match="other definitions or contracts"):
        whole.read_online(["p190ab001"], show, schools=["90AB00"])


def test_values_without_their_monday_are_not_read(
    listed: FeatureStore,
    rows: Rows,
    mondays: Mondays,
    show: Use,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A run that is cut short after the values and before the label leaves nothing to misread."""
    assert listed.online_as_of() == mondays[-1]

    def killed(*_: object) -> tuple[str, ...]:
        raise KeyboardInterrupt

    with monkeypatch.context() as cut:
        cut.setattr(FeastRepo, "online_tables", killed)
        with pytest.raises(KeyboardInterrupt):
            listed.put_online(rows("90AB00", mondays=mondays[:1]), mondays[0], show)
    assert listed.online_as_of() is None
    with pytest.raises(NotThere, match="nothing is online"):
        listed.read_online(["p190ab001"], show, schools=["90AB00"])
    listed.put_online(rows("90AB00", mondays=mondays[:1]), mondays[0], show)
    assert listed.read_online(["p190ab001"], show)["as_of"].to_pylist() == [mondays[0]]
