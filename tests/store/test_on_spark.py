"""Retrieval through Feast's Spark store, on a real local Spark, gives the rows of the default."""

import shutil
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from sqlalchemy import Engine

from features.catalogue import Feature
from features.errors import NotThere
from features.governance.contracts import read_contracts
from features.governance.gate import Gate
from features.governance.ledger import Ledger
from features.governance.use import Action, Use
from features.settings import Home
from features.store import FeatureStore, StoreSettings
from tests.store.conftest import MONDAYS, Rows

pyspark = pytest.importorskip("pyspark", reason="the extra `spark` is not installed")
pytestmark = [
    pytest.mark.skipif(shutil.which("java") is None, reason="Spark needs Java 17"),
    pytest.mark.filterwarnings("ignore:The spark :RuntimeWarning"),
]
SETTINGS = StoreSettings(offline="spark", spark_master="local[1]", spark_memory="1g")


@pytest.fixture(scope="module")
def session() -> Iterator[Any]:
    """The session as another program left it: one of another time zone."""
    from pyspark.sql import SparkSession

    session = (
        SparkSession.builder.master("local[1]")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.driver.host", "127.0.0.1")
        .config("spark.ui.enabled", "false")
        .config("spark.sql.shuffle.partitions", "2")
        .getOrCreate()
    )
    yield session
    session.stop()


@pytest.fixture
def on_spark(
    home: Home,
    engine: Engine,
    ledger: Ledger,
    catalogue: tuple[Feature, ...],
    use: Use,
    rows: Rows,
    session: Any,
) -> FeatureStore:
    """A store of two schools whose rows Spark joins; one Monday was written again."""
    session.conf.set("spark.sql.session.timeZone", "Pacific/Auckland")
    store = FeatureStore(home, Gate(read_contracts(), engine), ledger, catalogue, SETTINGS)
    store.apply(replace(use, action=Action.APPLY))
    undefined = rows("90AB00")
    nothing = pa.array(np.full(undefined.num_rows, np.nan, np.float32))
    first = undefined.column_names.index(catalogue[0].name)
    store.write(undefined.set_column(first, undefined.schema.field(first), nothing), MONDAYS)
    store.write(rows("90CD00", mondays=MONDAYS[:3]), MONDAYS[:3])
    store.write(rows("90CD00", mondays=MONDAYS[1:2], plus=0.5), MONDAYS[1:2])
    return store


def test_the_rows_are_those_of_the_default_store_and_the_ledger_knows(
    on_spark: FeatureStore,
    home: Home,
    engine: Engine,
    ledger: Ledger,
    catalogue: tuple[Feature, ...],
    use: Use,
) -> None:
    everyone = pa.concat_tables(
        [on_spark.entities(MONDAYS, ["90AB00"]), on_spark.entities(MONDAYS[:3], ["90CD00"])]
    )
    order = np.random.default_rng(2).permutation(everyone.num_rows)
    asked = pa.concat_tables([everyone.take(pa.array(order)), everyone.slice(0, 2)])
    found = on_spark.retrieve(asked, "risk_v1", use)
    assert "type: spark" in (home.feast / "feature_store.yaml").read_text("utf-8")
    assert "SparkSource(" in (home.feast / "definitions.py").read_text("utf-8")
    assert [row.pupils for row in ledger.rows()] == [6]

    gate = Gate(read_contracts(), engine)
    plain = FeatureStore(home, gate, ledger, catalogue, StoreSettings())
    plain.apply(replace(use, action=Action.APPLY))
    expected = plain.retrieve(asked, "risk_v1", use)
    assert found.column_names == expected.column_names
    for name in found.column_names:
        ours, theirs = found[name].to_numpy(), expected[name].to_numpy()
        if found.schema.field(name).type == pa.float32():
            np.testing.assert_array_equal(ours, theirs, name)
        else:
            assert ours.tolist() == theirs.tolist()
    assert np.isnan(found[catalogue[0].name].to_numpy()).any()  # undefined is not missing


def test_a_week_before_never_stands_in_for_a_missing_monday(
    on_spark: FeatureStore, use: Use
) -> None:
    asked = on_spark.entities(MONDAYS[2:3], ["90CD00"])
    later = asked.set_column(
        asked.column_names.index("as_of"), "as_of", pa.array([MONDAYS[3]] * asked.num_rows)
    )
    with pytest.raises(NotThere, match="3 of 3 asked rows are not in the feature tables"):
        on_spark.retrieve(later, "risk_v1", use)
