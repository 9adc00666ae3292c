"""Offline rows: whole writes only, replaced rows are gone, a killed write leaves nothing behind."""

import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from features.catalogue import Feature
from features.errors import NotThere
from features.governance.contracts import read_contracts
from features.governance.gate import Gate
from features.governance.ledger import Ledger
from features.settings import Home
from features.store import FeatureStore, offline

Rows = Callable[..., pa.Table]
Mondays = Sequence[date]
SCHOOLS = ("90AB00", "90AC00", "90AD00")


def live_rows(home: Home) -> pa.Table:
    return pq.read_table(home.offline / "current" / "rows")


def total(home: Home, feature: str = "sick_share_1w") -> float:
    return float(pc.sum(live_rows(home)[feature]).as_py())


@pytest.fixture
def filled(store: FeatureStore, rows: Rows, mondays: Mondays) -> FeatureStore:
    for school in SCHOOLS:
        store.write(rows(school), mondays)
    return store


def test_what_was_written_is_built_and_has_its_pupils(
    filled: FeatureStore, mondays: Mondays
) -> None:
    assert filled.built() == frozenset(mondays)
    found = filled.entities(mondays[1:3], ["90AC00"])
    assert found.column_names == ["pupil_key", "school", "group", "sector", "year_group", "as_of"]
    assert found["as_of"].to_pylist() == [mondays[1]] * 3 + [mondays[2]] * 3
    assert set(found["school"].to_pylist()) == {"90AC00"}
    assert filled.entities(mondays).num_rows == 3 * 3 * 5


def test_the_schools_of_pupils_are_those_where_they_have_rows(
    filled: FeatureStore, home: Home, rows: Rows, mondays: Mondays
) -> None:
    filled.write(pa.concat_tables(rows(f"90A{letter}00") for letter in "EF"), mondays)
    filled.write(rows("90AE00", mondays=mondays[1:2]), mondays[1:2])  # a file of another Monday
    everyone = live_rows(home)
    for school in (*SCHOOLS, "90AE00", "90AF00"):
        pupil = everyone.filter(pc.field("school") == school)["pupil_key"][0]
        for days in (None, mondays[:1], mondays[1:2], mondays):
            asked = pa.array([pupil.as_py(), "nobody"])
            assert filled._offline.schools_of(asked, days) == [school]
    keys = pc.unique(everyone["pupil_key"])
    assert filled._offline.schools_of(keys) == [*SCHOOLS, "90AE00", "90AF00"]
    assert filled._offline.schools_of(keys, [date(2001, 1, 1)]) == []


def test_a_school_and_monday_written_again_replaces_only_itself(
    filled: FeatureStore, home: Home, rows: Rows, mondays: Mondays
) -> None:
    before = total(home)
    filled.write(rows("90AC00", mondays=mondays[2:3], plus=1000), mondays[2:3])
    assert live_rows(home).num_rows == 45, "no row is there twice"
    assert total(home) == before + 3 * 1000
    assert filled.built() == frozenset(mondays)


def test_pupils_who_are_gone_in_the_new_rows_are_gone(
    filled: FeatureStore, rows: Rows, mondays: Mondays
) -> None:
    filled.write(rows("90AC00", pupils=1), mondays)
    assert filled.entities(mondays, ["90AC00"]).num_rows == 5


def test_the_same_rows_again_change_nothing(
    filled: FeatureStore, home: Home, rows: Rows, mondays: Mondays
) -> None:
    order = [("school", "ascending"), ("as_of", "ascending"), ("pupil_key", "ascending")]
    before = live_rows(home).sort_by(order)
    filled.write(rows("90AB00"), mondays)
    assert live_rows(home).sort_by(order).equals(before)


def test_a_monday_is_built_only_when_it_is_for_every_school(
    store: FeatureStore, rows: Rows, mondays: Mondays
) -> None:
    store.write(rows("90AB00"), mondays)
    store.write(rows("90AC00", mondays=mondays[:2]), mondays[:2])
    assert store.built() == frozenset(mondays[:2])
    assert store.built(["90AB00"]) == frozenset(mondays)
    assert store.built(["90AB00", "90AX00"]) == frozenset()
    with pytest.raises(NotThere, match=r"3 Monday\(s\) were not built for every school"):
        store.entities(mondays)


def test_a_school_without_pupils_counts_as_built_when_it_is_named(
    store: FeatureStore, rows: Rows, mondays: Mondays
) -> None:
    store.write(rows("90AB00"), mondays, ["90AB00", "90AX00"])
    assert store.built(["90AB00", "90AX00"]) == frozenset(mondays)
    assert store.entities(mondays, ["90AX00"]).num_rows == 0


def test_rows_of_other_definitions_count_as_not_there(
    filled: FeatureStore,
    home: Home,
    ledger: Ledger,
    catalogue: tuple[Feature, ...],
    mondays: Mondays,
    rows: Rows,
    engine: object,
) -> None:
    changed = (replace(catalogue[0], version=catalogue[0].version + 1), *catalogue[1:])
    later = FeatureStore(home, Gate(read_contracts(), engine), ledger, changed)  # type: ignore[arg-type]
    assert later.built() == frozenset()
    later.write(rows("90AB00"), mondays)
    assert later.built(["90AB00"]) == frozenset(mondays)
    assert live_rows(home).num_rows == 15, "nothing of the older definitions stays"


def test_small_files_are_merged_and_nothing_is_lost(
    store: FeatureStore,
    home: Home,
    rows: Rows,
    mondays: Mondays,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(offline, "MANY_SMALL_FILES", 4)
    for monday in mondays:
        for school in SCHOOLS:
            store.write(rows(school, mondays=[monday]), [monday])
    assert len(list((home.offline / "current" / "rows").iterdir())) < 4
    assert store.entities(mondays).num_rows == 45
    assert live_rows(home).num_rows == 45


BROKEN: dict[str, tuple[Callable[[pa.Table], pa.Table], str]] = {
    "a missing feature": (lambda t: t.drop_columns(["age_months"]), "without the columns age_mon"),
    "a null": (
        lambda t: t.set_column(7, t.column_names[7], pa.nulls(t.num_rows, pa.float32())),
        "an undefined feature is NaN",
    ),
    "a pupil twice": (lambda t: pa.concat_tables([t, t.slice(0, 1)]), r"1 pupil\(s\) twice"),
    "another moment": (
        lambda t: t.set_column(
            6,
            "event_timestamp",
            pc.add(t["event_timestamp"], pa.scalar(60_000_000, "duration[us]")),
        ),
        "is not Monday 06:00",
    ),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_table_of_another_shape_is_refused_whole(
    store: FeatureStore, home: Home, rows: Rows, mondays: Mondays, case: str
) -> None:
    break_it, problem = BROKEN[case]
    with pytest.raises(ValueError, match=problem):
        store.write(break_it(rows("90AB00")), mondays)
    assert not (home.offline / "current").exists()


def test_rows_outside_what_is_named_are_refused(
    store: FeatureStore, rows: Rows, mondays: Mondays
) -> None:
    with pytest.raises(ValueError, match="not among the Mondays named"):
        store.write(rows("90AB00"), mondays[:2])
    with pytest.raises(ValueError, match="not among those named"):
        store.write(rows("90AB00"), mondays, ["90AC00"])


KILLED = textwrap.dedent("""
    import os, signal, sys
    from datetime import date
    from pathlib import Path
    import pyarrow.parquet as pq
    from features.store import offline

    root, step = Path(sys.argv[1]), sys.argv[2]
    definitions = sys.argv[3]
    rows = offline.OfflineRows(root, definitions)
    table = pq.read_table(root / "current" / "rows")
    die = lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL)
    if step == "before the file":
        pq.write_table = die
    elif step == "before the coverage":
        offline.OfflineRows._publish = die
    else:
        Path.replace = die
    rows.write(table.slice(0, 0), rows.generation().covers)
""")


@pytest.mark.parametrize("step", ["before the file", "before the coverage", "before the link"])
def test_a_write_that_is_killed_changes_nothing_and_is_cleared_away(
    filled: FeatureStore, home: Home, rows: Rows, mondays: Mondays, step: str
) -> None:
    before, definitions = live_rows(home), filled._offline._definitions
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, str(home.offline), step, definitions], timeout=60
    )
    assert killed.returncode == -signal.SIGKILL
    assert live_rows(home).equals(before)
    filled.write(rows("90AB00"), mondays)
    assert filled.built() == frozenset(mondays)
    assert live_rows(home).num_rows == 45
    assert len(list((home.offline / "generations").iterdir())) == 1


def test_a_file_system_without_hard_links_gets_copies(
    filled: FeatureStore,
    home: Home,
    rows: Rows,
    mondays: Mondays,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(source: Path, target: Path) -> None:
        raise OSError

    monkeypatch.setattr(os, "link", refuse)
    filled.write(rows("90AB00"), mondays)
    assert live_rows(home).num_rows == 45


def test_importing_the_store_does_not_import_feast() -> None:
    asked = "import sys, features.store; sys.exit('feast' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", asked], timeout=60).returncode == 0
