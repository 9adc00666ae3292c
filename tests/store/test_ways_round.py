"""Ten ways round the gate: within the product each is refused or leaves its row; files are files.

What the last test shows is not promised: who can read the files of an installation (its
administrator, or a notebook on that machine) reads the values, with Feast, SQL or Parquet, and no
ledger hears of it. The product's own code cannot do so by accident: import contracts keep Feast and
the stores behind `features.store`.
"""

import importlib
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sqlalchemy import Engine, text

from features.catalogue import Feature
from features.errors import GateRefused, NotThere
from features.governance.approvals import Approvals, ContractEvent
from features.governance.audit import AuditChain
from features.governance.contracts import FeatureContract, read_contracts
from features.governance.gate import Gate
from features.governance.ledger import Ledger
from features.governance.use import Action, Purpose, Use
from features.settings import Home
from features.store import RISK_SERVICE, FeatureStore
from features.vocabulary import Role

Rows = Callable[..., pa.Table]
Mondays = tuple[date, ...]
OFFICER = ("fg@swv", Role.PRIVACY_OFFICER)


@pytest.fixture
def ready(store: FeatureStore, rows: Rows, mondays: Mondays, use: Use) -> FeatureStore:
    store.apply(use)
    store.write(rows("90AB00"), mondays)
    return store


def ask(store: FeatureStore, mondays: Mondays, use: Use) -> pa.Table:
    return store.retrieve(store.entities(mondays[-1:]), RISK_SERVICE, use)


def switch_off(engine: Engine, feature: Feature, moment: datetime) -> None:
    contract = read_contracts()[feature.name]
    Approvals(engine).decide(
        contract, ContractEvent.SWITCHED_OFF, *OFFICER, moment, reason="not needed"
    )


def test_1_the_sdk_leaves_a_row_with_its_pupils_before_the_data(
    ready: FeatureStore, use: Use, ledger: Ledger, mondays: Mondays
) -> None:
    found = ask(ready, mondays, use)
    (row,) = ledger.rows()
    assert row.pupils == found.num_rows == 3
    assert [each.number for each in ledger.about("p190ab000")] == [row.number]
    assert ledger.about("p190ac000") == []


def test_2_a_notebook_goes_through_the_same_door(
    home: Home, use: Use, ready: FeatureStore, mondays: Mondays, catalogue: tuple[Feature, ...]
) -> None:
    """Whoever opens the store anew, as a notebook does, is asked and written down as well."""
    engine = ready._ledger._engine
    mine = FeatureStore(home, Gate(read_contracts(), engine), Ledger(engine), catalogue)
    curious = Use("data@swv", Role.DATA_SCIENTIST, Purpose.REGIONAL_REPORT, Action.TRAIN,
                  use.moment)  # fmt: skip
    with pytest.raises(GateRefused, match="not approved for the purpose"):
        ask(mine, mondays, curious)
    assert Ledger(engine).rows() == []
    ask(mine, mondays, replace(curious, purpose=Purpose.EARLY_WARNING))
    assert [row.actor for row in Ledger(engine).rows()] == ["data@swv"]


def test_3_a_later_or_earlier_clock_does_not_help(
    ready: FeatureStore, use: Use, mondays: Mondays, ledger: Ledger
) -> None:
    for moment in (datetime(2028, 1, 1, tzinfo=UTC), datetime(2020, 1, 1, tzinfo=UTC)):
        with pytest.raises(GateRefused):
            ask(ready, mondays, replace(use, moment=moment))
    assert ledger.rows() == []


def test_4_contracts_of_ones_own_do_not_fit_what_is_applied(
    home: Home,
    engine: Engine,
    use: Use,
    ready: FeatureStore,
    mondays: Mondays,
    catalogue: tuple[Feature, ...],
) -> None:
    def generous(contract: FeatureContract) -> FeatureContract:
        return replace(contract, expires_on=date(2099, 1, 1), approved_by="myself")

    own = {name: generous(contract) for name, contract in read_contracts().items()}
    store = FeatureStore(home, Gate(own, engine), Ledger(engine), catalogue)
    with pytest.raises(NotThere, match="other definitions, contracts"):
        ask(store, mondays, replace(use, moment=datetime(2028, 1, 1, tzinfo=UTC)))
    assert Ledger(engine).rows() == []


def test_5_a_feature_that_was_switched_off_is_not_offered(
    ready: FeatureStore,
    engine: Engine,
    use: Use,
    mondays: Mondays,
    catalogue: tuple[Feature, ...],
) -> None:
    switch_off(engine, catalogue[0], use.moment)
    with pytest.raises(NotThere, match="other definitions, contracts"):
        ask(ready, mondays, use)
    ready.apply(use)
    found = ask(ready, mondays, use)
    assert catalogue[0].name not in found.column_names
    assert catalogue[1].name in found.column_names
    definitions = (ready._home.feast / "definitions.py").read_text(encoding="utf-8")
    assert f'"{catalogue[0].name}"' not in definitions, "Feast's own pages say the same"
    with pytest.raises(GateRefused, match="switched off by the privacy officer"):
        Gate(read_contracts(), engine).check({catalogue[0].name: catalogue[0].definition_hash}, use)


def test_6_the_online_store_is_asked_and_written_down_like_the_other(
    ready: FeatureStore, use: Use, mondays: Mondays, ledger: Ledger
) -> None:
    values = ask(ready, mondays, use)
    show = replace(use, action=Action.SHOW)
    ready.put_online(values, mondays[-1], show)
    before = len(ledger.rows())
    ready.read_online(["p190ab000"], show)
    assert len(ledger.rows()) == before + 1
    for wrong in (
        replace(show, purpose=Purpose.REGIONAL_REPORT),
        replace(show, moment=datetime(2028, 1, 1, tzinfo=UTC)),
    ):
        with pytest.raises(GateRefused):
            ready.read_online(["p190ab000"], wrong)
        with pytest.raises(GateRefused):
            ready.put_online(values, mondays[-1], wrong)
    assert len(ledger.rows()) == before + 1


def test_7_the_purpose_of_rights_is_no_way_to_train(
    ready: FeatureStore, use: Use, mondays: Mondays, ledger: Ledger
) -> None:
    rights = replace(use, purpose=Purpose.RIGHTS)
    for wrong in (
        replace(rights, action=Action.TRAIN, role=Role.PRIVACY_OFFICER),
        replace(rights, action=Action.SHOW, role=Role.DATA_SCIENTIST),
    ):
        with pytest.raises(GateRefused, match="a privacy officer may look"):
            ask(ready, mondays, wrong)
    ask(ready, mondays, replace(rights, action=Action.SHOW, role=Role.PRIVACY_OFFICER))
    assert [row.purpose for row in ledger.rows()] == [Purpose.RIGHTS]


def test_8_values_made_again_from_the_records_are_accounted_for(
    ready: FeatureStore, use: Use, rows: Rows, ledger: Ledger
) -> None:
    ready.record_rebuild(rows("90AB00"), use)
    assert [(row.pupils, row.schools) for row in ledger.rows()] == [(3, ("90AB00",))]
    with pytest.raises(GateRefused):
        ready.record_rebuild(rows("90AB00"), replace(use, purpose=Purpose.REGIONAL_REPORT))


def test_9_a_row_taken_out_of_the_ledger_by_sql_is_missed(
    ready: FeatureStore, engine: Engine, use: Use, mondays: Mondays, ledger: Ledger
) -> None:
    ask(ready, mondays, use)
    with engine.begin() as connection:
        connection.execute(text("DELETE FROM ledger"))
        connection.execute(text("DELETE FROM ledger_pupils"))
    assert "ledger row 1: was removed" in ledger.verify()
    with engine.begin() as connection:
        connection.execute(text("DELETE FROM audit"))
    assert not AuditChain(engine).verify().intact, "taking the seals along is found as well"


def test_10_without_a_ledger_there_are_no_data(
    ready: FeatureStore, engine: Engine, use: Use, mondays: Mondays
) -> None:
    entities = ready.entities(mondays[-1:])
    with engine.begin() as connection:
        connection.execute(text("DROP TABLE ledger"))
    with pytest.raises(GateRefused, match="nothing was returned"):
        ready.retrieve(entities, RISK_SERVICE, use)


def test_who_reads_the_files_reads_the_values_and_nothing_hears_of_it(
    ready: FeatureStore, home: Home, ledger: Ledger, catalogue: tuple[Feature, ...]
) -> None:
    """Not promised; see the top of this file. Guard the files: rights, disk encryption, backups."""
    live = home.offline / "current" / "rows"
    by_parquet = pa.concat_tables([pq.read_table(path) for path in live.glob("*.parquet")])
    assert by_parquet["pupil_key"].to_pylist()
    by_sql = duckdb.sql(f"select {catalogue[0].name} from '{live}/*.parquet'").fetchall()  # noqa: S608
    assert by_sql
    feast = importlib.import_module("feast").FeatureStore(repo_path=str(home.feast))
    assert feast.list_feature_services()
    assert ledger.rows() == []
