"""Retrieval through Feast: the asked Monday's own values, in the asked order, and never unseen."""

import json
import math
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

import feast
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from sqlalchemy import Engine, text

from features.catalogue import CATALOGUE, Feature
from features.errors import GateRefused, NotThere
from features.governance.contracts import contract_hash, read_contracts
from features.governance.gate import Gate
from features.governance.ledger import Ledger
from features.governance.use import Action, Purpose, Use
from features.school_weeks import as_of_moment
from features.settings import Home
from features.store import FeatureStore

Rows = Callable[..., pa.Table]
Mondays = Sequence[date]


@pytest.fixture
def ready(store: FeatureStore, rows: Rows, mondays: Mondays, use: Use) -> FeatureStore:
    """Two schools, built and applied."""
    store.apply(use)
    store.write(rows("90AB00"), mondays)
    store.write(rows("90AC00"), mondays)
    return store


def shuffled(entities: pa.Table, seed: int = 1) -> pa.Table:
    order = np.random.default_rng(seed).permutation(entities.num_rows)
    return entities.take(pa.array(order))


def expected(entities: pa.Table, number: int, mondays: Mondays) -> list[float]:
    """The values that the rows fixture gave feature `number`."""
    return [
        100.0 * number + 10 * mondays.index(row["as_of"]) + int(row["pupil_key"][-1])
        for row in entities.to_pylist()
    ]


def test_each_row_gets_the_values_of_its_own_monday_in_the_order_asked(
    ready: FeatureStore,
    use: Use,
    mondays: Mondays,
    catalogue: tuple[Feature, ...],
) -> None:
    asked = shuffled(ready.entities(mondays))
    asked = pa.concat_tables([asked, asked.slice(0, 4)])  # rows may be asked twice
    found = ready.retrieve(asked, "risk_v1", use)
    assert found.select(asked.column_names).equals(asked)
    assert found.column_names == [*asked.column_names, *(feature.name for feature in catalogue)]
    for number, feature in enumerate(catalogue):
        assert found.schema.field(feature.name).type == pa.float32()
        assert found[feature.name].to_pylist() == expected(asked, number, mondays)


def test_an_undefined_value_stays_nan(
    ready: FeatureStore, use: Use, rows: Rows, mondays: Mondays
) -> None:
    table = rows("90AB00")
    place = table.column_names.index("group_deviation_4w")
    undefined = pa.array(np.full(table.num_rows, np.nan, dtype=np.float32))
    ready.write(table.set_column(place, "group_deviation_4w", undefined), mondays)
    found = ready.retrieve(ready.entities(mondays, ["90AB00"]), "risk_v1", use)
    assert found["group_deviation_4w"].null_count == 0
    assert all(math.isnan(value) for value in found["group_deviation_4w"].to_pylist())


def test_a_week_before_or_after_never_stands_in_for_a_missing_monday(
    store: FeatureStore, use: Use, rows: Rows, mondays: Mondays
) -> None:
    store.apply(use)
    around = [monday for monday in mondays if monday != mondays[2]]
    store.write(rows("90AB00", mondays=around), around)
    missing = pa.table({"pupil_key": ["p190ab000"], "as_of": pa.array([mondays[2]], pa.date32())})
    with pytest.raises(NotThere, match="1 of 1 asked rows are not in the feature tables"):
        store.retrieve(missing, "risk_v1", use)


def test_a_replaced_value_is_not_read_any_more(
    ready: FeatureStore, use: Use, rows: Rows, mondays: Mondays
) -> None:
    ready.write(rows("90AB00", mondays=mondays[1:2], plus=5000), mondays[1:2])
    asked = ready.entities(mondays, ["90AB00"])
    found = ready.retrieve(asked, "risk_v1", use)["sick_share_1w"].to_pylist()
    old = expected(asked, 0, mondays)
    assert [new - value for new, value in zip(found, old, strict=True)] == (
        [0.0] * 3 + [5000.0] * 3 + [0.0] * 9
    )


def test_a_retrieval_leaves_one_row_with_the_right_counts(
    ready: FeatureStore, use: Use, ledger: Ledger, mondays: Mondays, catalogue: tuple[Feature, ...]
) -> None:
    asked = ready.entities(mondays[:2]).slice(0, 5)  # Monday one: all six but one
    ready.retrieve(asked, "risk_v1", use)
    (row,) = ledger.rows()
    assert (row.pupils, row.schools) == (5, ("90AB00", "90AC00"))
    assert (row.actor, row.role, row.purpose, row.action, row.run, row.moment) == (
        use.actor,
        use.role,
        use.purpose,
        use.action,
        use.run,
        use.moment,
    )
    assert row.features == tuple(feature.name for feature in catalogue)
    terms = read_contracts()
    assert row.contract_hash == contract_hash(terms[feature.name] for feature in catalogue)
    assert row.contract_hash == ready.contract_hash()
    one_school = ready.entities(mondays, ["90AC00"])
    ready.retrieve(one_school, "risk_v1", use)
    assert (ledger.rows()[0].pupils, ledger.rows()[0].schools) == (3, ("90AC00",))


def test_values_made_again_from_the_records_are_accounted_for_as_well(
    store: FeatureStore, use: Use, ledger: Ledger, rows: Rows
) -> None:
    store.record_rebuild(rows("90AB00"), use)
    assert [(row.pupils, row.schools) for row in ledger.rows()] == [(3, ("90AB00",))]
    with pytest.raises(GateRefused):
        store.record_rebuild(rows("90AB00"), replace(use, purpose=Purpose.RIGHTS))
    assert len(ledger.rows()) == 1


def test_a_refused_use_gets_no_data_and_no_ledger_row(
    ready: FeatureStore, use: Use, ledger: Ledger, mondays: Mondays
) -> None:
    asked = ready.entities(mondays)
    with pytest.raises(GateRefused, match="regional_report"):
        ready.retrieve(asked, "risk_v1", replace(use, purpose=Purpose.REGIONAL_REPORT))
    with pytest.raises(GateRefused, match="expired"):
        ready.retrieve(asked, "risk_v1", replace(use, moment=use.moment.replace(year=2028)))
    assert ledger.rows() == []


@pytest.mark.parametrize("table", ["ledger", "audit"])
def test_no_ledger_row_no_data(
    ready: FeatureStore, use: Use, engine: Engine, mondays: Mondays, table: str
) -> None:
    asked = ready.entities(mondays)
    with engine.begin() as connection:
        connection.execute(
            text(
                f"CREATE TRIGGER full BEFORE INSERT ON {table} "
                "BEGIN SELECT RAISE(ABORT, 'disk full'); END"
            )
        )
    with pytest.raises(GateRefused, match="nothing was returned"):
        ready.retrieve(asked, "risk_v1", use)
    with pytest.raises(GateRefused, match="nothing was returned"):
        ready.read_online(["p190ab000"], use)


def test_the_ledger_is_written_before_feast_is_asked(
    ready: FeatureStore, use: Use, ledger: Ledger, mondays: Mondays
) -> None:
    stranger = pa.table({"pupil_key": ["p1nobody"], "as_of": pa.array(mondays[:1], pa.date32())})
    with pytest.raises(NotThere):
        ready.retrieve(stranger, "risk_v1", use)
    assert [row.pupils for row in ledger.rows()] == [1]


def test_asking_for_nothing_gives_nothing_with_all_columns(
    ready: FeatureStore, use: Use, mondays: Mondays, catalogue: tuple[Feature, ...]
) -> None:
    nothing = ready.entities(mondays).slice(0, 0)
    found = ready.retrieve(nothing, "risk_v1", use)
    assert found.num_rows == 0
    assert found.column_names[-1] == catalogue[-1].name


def test_before_applying_or_building_it_says_what_to_do(
    store: FeatureStore, use: Use, mondays: Mondays, rows: Rows
) -> None:
    asked = pa.table({"pupil_key": ["p190ab000"], "as_of": pa.array(mondays[:1], pa.date32())})
    with pytest.raises(NotThere, match="were not applied yet; run `tijdig features`"):
        store.retrieve(asked, "risk_v1", use)
    store.apply(use)
    with pytest.raises(NotThere, match="nothing was built yet"):
        store.retrieve(asked, "risk_v1", use)
    with pytest.raises(NotThere, match="known: risk_v1"):
        store.retrieve(asked, "risk_v9", use)


def test_definitions_that_changed_since_apply_must_be_applied_again(
    ready: FeatureStore,
    use: Use,
    home: Home,
    engine: Engine,
    ledger: Ledger,
    catalogue: tuple[Feature, ...],
    mondays: Mondays,
    rows: Rows,
) -> None:
    fewer = FeatureStore(home, Gate(read_contracts(), engine), ledger, catalogue[:-1])
    fewer.write(rows("90AB00"), mondays)
    asked = fewer.entities(mondays)
    with pytest.raises(NotThere, match="to apply again"):
        fewer.retrieve(asked, "risk_v1", use)
    fewer.apply(use)
    found = fewer.retrieve(asked, "risk_v1", use)
    assert found["sick_share_1w"].to_pylist() == expected(asked, 0, mondays)


def test_applying_again_changes_nothing_and_an_apply_cut_short_is_made_good(
    ready: FeatureStore, use: Use, home: Home, mondays: Mondays
) -> None:
    values = ready.retrieve(ready.entities(mondays[-1:]), "risk_v1", use)
    ready.put_online(values, mondays[-1], use)
    registry = home.feast / "registry.db"
    before = registry.read_bytes()
    ready.apply(use)
    assert registry.read_bytes() == before
    assert len(online_keys(home)) == 6
    registry.write_bytes(b"")
    with pytest.raises(NotThere, match="to apply again"):
        ready.retrieve(values.select(["pupil_key", "as_of"]), "risk_v1", use)
    ready.apply(use)
    assert ready.retrieve(values.select(["pupil_key", "as_of"]), "risk_v1", use).num_rows == 6
    assert online_keys(home) == set(), "what was online belonged to the older definitions"


def test_applying_asks_the_gate(
    home: Home, engine: Engine, ledger: Ledger, use: Use, catalogue: tuple[Feature, ...]
) -> None:
    changed = (replace(catalogue[0], version=99), *catalogue[1:])
    store = FeatureStore(home, Gate(read_contracts(), engine), ledger, changed)
    with pytest.raises(GateRefused, match="computes it changed since it was approved"):
        store.apply(use)
    assert not home.feast.exists()


# Online


def online_keys(home: Home) -> set[bytes]:
    connection = sqlite3.connect(home.feast / "online.db")
    names = [
        row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type='table'")
    ]
    keys = {
        row[0]
        for name in names
        for row in connection.execute(f'SELECT entity_key FROM "{name}"')  # noqa: S608
    }
    connection.close()
    return keys


def test_only_the_pupils_put_there_last_are_online(
    ready: FeatureStore, use: Use, home: Home, mondays: Mondays
) -> None:
    values = ready.retrieve(ready.entities(mondays[-1:]), "risk_v1", use)
    ready.put_online(values.slice(0, 4), mondays[-1], use)
    assert len(online_keys(home)) == 4
    ready.put_online(values.slice(3, 2), mondays[-1], use)
    keys = online_keys(home)
    assert len(keys) == 2
    names = values["pupil_key"].to_pylist()
    on_disk = (home.feast / "online.db").read_bytes()
    assert [name.encode() in on_disk for name in names] == [False, False, False, True, True, False]
    assert [path.name for path in home.feast.glob("online*")] == ["online.db"]
    ready.put_online(values.slice(0, 0), mondays[-1], use)
    assert online_keys(home) == set()


def test_online_values_are_those_of_the_list_in_the_order_asked(
    ready: FeatureStore, use: Use, ledger: Ledger, rows: Rows, mondays: Mondays
) -> None:
    table = rows("90AB00")
    for name in ("group_deviation_4w", "group_deviation_12w"):  # a view without a single value
        undefined = pa.array(np.full(table.num_rows, np.nan, dtype=np.float32))
        table = table.set_column(table.column_names.index(name), name, undefined)
    ready.write(table, mondays)
    values = ready.retrieve(ready.entities(mondays[-1:]), "risk_v1", use)
    ready.put_online(values, mondays[-1], use)
    rows_before = len(ledger.rows())
    keys = ["p190ac002", "p190ab000", "p190ab001"]
    found = ready.read_online(keys, replace(use, action=Action.SHOW))
    assert found["pupil_key"].to_pylist() == keys
    assert found["sick_share_1w"].to_pylist() == [42.0, 40.0, 41.0]
    assert [math.isnan(value) for value in found["group_deviation_4w"].to_pylist()] == [
        False,
        True,
        True,
    ]
    newest = ledger.rows()[0]
    assert len(ledger.rows()) == rows_before + 1
    assert (newest.pupils, newest.schools, newest.action) == (3, ("90AB00", "90AC00"), Action.SHOW)


def test_a_pupil_who_is_not_listed_is_not_online(
    ready: FeatureStore, use: Use, mondays: Mondays
) -> None:
    values = ready.retrieve(ready.entities(mondays[-1:]), "risk_v1", use)
    ready.put_online(values.slice(0, 2), mondays[-1], use)
    with pytest.raises(NotThere, match="1 of 2 pupils are not in the online store"):
        ready.read_online(["p190ab000", "p190ac002"], use)
    assert ready.read_online([], use).num_rows == 0


# The Feast repository on disk


@pytest.fixture
def whole(home: Home, use: Use) -> Iterator[FeatureStore]:
    """A store of the whole catalogue, applied."""
    store = FeatureStore.at(home)
    store.apply(use)
    yield store


def test_plain_feast_commands_work_and_find_nothing_to_change(
    whole: FeatureStore, home: Home, use: Use, mondays: Mondays, rows: Rows
) -> None:
    whole.write(rows("90AB00", features=CATALOGUE), mondays)
    feast = Path(sys.executable).with_name("feast")
    commands = {"list": ["feature-views", "list"], "plan": ["plan"]}
    running = {
        name: subprocess.Popen(
            [feast, "-c", home.feast, *command],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for name, command in commands.items()
    }
    said = {name: process.communicate(timeout=300)[0] for name, process in running.items()}
    assert {name: process.returncode for name, process in running.items()} == dict.fromkeys(
        commands, 0
    ), said
    for theme in {feature.theme.value for feature in CATALOGUE}:
        assert f"\n{theme} " in said["list"]
    assert "No changes to registry" in said["plan"], said["plan"]
    assert "No changes to infrastructure" in said["plan"], said["plan"]
    assert "WARNING" not in said["plan"], said["plan"]


def test_definitions_carry_the_terms_of_every_contract(whole: FeatureStore, home: Home) -> None:
    import feast

    applied = feast.FeatureStore(repo_path=str(home.feast))
    fields = {
        field.name: field.tags for view in applied.list_feature_views() for field in view.features
    }
    contracts = read_contracts()
    assert set(fields) == {feature.name for feature in CATALOGUE}
    for feature in CATALOGUE:
        tags, terms = fields[feature.name], contracts[feature.name]
        assert tags["definition_hash"] == feature.definition_hash
        assert tags["contract_hash"] == terms.content_hash()
        assert tags["purpose"] == "early_warning"
        assert tags["legal_basis"] == terms.legal_basis
        assert bool(tags["special_category"]) == feature.health
        assert tags["exception"] == terms.exception and tags["uses"] == "score,show,train"
        for term in ("retention_source", "retention_value", "owner", "approved_by"):
            assert tags[term] == getattr(terms, term)
        assert tags["expires_on"] == str(terms.expires_on)
    service = applied.get_feature_service("risk_v1")
    assert service.tags["contract_hash"] == whole.contract_hash()


def test_every_feature_of_the_catalogue_comes_back_through_feast(
    whole: FeatureStore, use: Use, mondays: Mondays, rows: Rows
) -> None:
    table = rows("90AB00", features=CATALOGUE)
    whole.write(table, mondays)
    found = whole.retrieve(whole.entities(mondays), "risk_v1", use)
    order = [("as_of", "ascending"), ("pupil_key", "ascending")]
    for feature in CATALOGUE:
        wanted = table.sort_by(order)[feature.name].to_pylist()
        assert found.sort_by(order)[feature.name].to_pylist() == wanted, feature.name


def test_a_home_that_was_moved_must_be_applied_again(
    ready: FeatureStore, use: Use, home: Home, tmp_path: Path, mondays: Mondays
) -> None:
    moved = Home(tmp_path / "elsewhere")
    home.root.rename(moved.root)
    from features.governance import open_ledger

    engine = open_ledger(moved)
    there = FeatureStore(
        moved, Gate(read_contracts(), engine), Ledger(engine), ready.service().features
    )
    asked = there.entities(mondays)
    with pytest.raises(NotThere, match="to apply again"):
        there.retrieve(asked, "risk_v1", use)
    there.apply(use)
    assert there.retrieve(asked, "risk_v1", use).num_rows == asked.num_rows


def test_decisions_of_the_gate_name_the_features(
    ready: FeatureStore, use: Use, engine: Engine, catalogue: tuple[Feature, ...]
) -> None:
    with engine.connect() as connection:
        stored = connection.execute(text("SELECT action, features FROM decisions")).one()
    assert stored.action == "apply"
    assert json.loads(stored.features) == sorted(feature.name for feature in catalogue)


def moments_of(table: pa.Table) -> set[datetime]:
    return set(pc.unique(table["event_timestamp"]).to_pylist())


def test_stored_moments_are_six_o_clock_in_amsterdam_in_summer_and_winter(
    ready: FeatureStore, home: Home
) -> None:
    import pyarrow.parquet as pq

    hours = {m.hour for m in moments_of(pq.read_table(home.offline / "current" / "rows"))}
    assert hours == {4, 5}


def test_a_plan_says_nothing_right_after_applying_and_names_what_changed(
    store: FeatureStore,
    home: Home,
    engine: Engine,
    ledger: Ledger,
    catalogue: tuple[Feature, ...],
    use: Use,
) -> None:
    store.apply(replace(use, action=Action.APPLY))
    assert store.plan() == []
    told = replace(catalogue[1], description="Counted in another way.")
    changed = FeatureStore(
        home, Gate(read_contracts(), engine), ledger, (*catalogue[2:], told)
    ).plan()
    (view,) = [line for line in changed if f"feature view {told.theme.value}:" in line]
    assert f"-{catalogue[0].name}" in view
    assert f"~{told.name}" in view
    assert catalogue[2].name not in view
    assert any(line.startswith("update feature service risk_v1") for line in changed)
    assert store.plan() == []  # planning changes nothing


def test_what_is_online_is_what_feast_itself_would_have_written(
    ready: FeatureStore, use: Use, home: Home, rows: Rows, mondays: Mondays
) -> None:
    """Its tables, keys and values to the byte: with undefined values, and a pupil without any."""
    table = rows("90AB00")
    for name in ("group_deviation_4w", "group_deviation_12w", "sick_share_1w"):
        odd = np.array([math.nan, 0.1, -0.0, 1e-7] * table.num_rows, np.float32)
        place = table.column_names.index(name)
        table = table.set_column(place, name, pa.array(odd[: table.num_rows]))
    ready.write(table, mondays)
    values = ready.retrieve(ready.entities(mondays[-1:]), "risk_v1", use)
    ready.put_online(values, mondays[-1], use)
    feast_itself = feast.FeatureStore(repo_path=str(home.feast))
    service = feast_itself.get_feature_service("risk_v1")
    ours = stored_online(home.feast / "online.db")
    with closing(sqlite3.connect(home.feast / "online.db")) as connection:
        for name in ours:
            connection.execute(f'DELETE FROM "{name}"')  # noqa: S608
        connection.commit()
    frame = values.to_pandas().assign(event_timestamp=as_of_moment(mondays[-1]))
    for one in service.feature_view_projections:
        names = [field.name for field in feast_itself.get_feature_view(one.name).features]
        some = frame[~frame[names].isna().all(axis=1)]
        if len(some):
            feast_itself.write_to_online_store(one.name, some)
    theirs = stored_online(home.feast / "online.db")
    assert sum(map(len, ours.values())) > 100
    assert ours == theirs


def stored_online(path: Path) -> dict[str, list[Any]]:
    """Every row of every online table, in order."""
    with closing(sqlite3.connect(path)) as connection:
        found = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        return {
            name: sorted(connection.execute(f'SELECT * FROM "{name}"').fetchall(), key=repr)  # noqa: S608
            for (name,) in found
        }
