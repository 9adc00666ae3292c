"""The ledger can say whether a pupil was in a retrieval, and tells nobody who else was."""

import pytest
from sqlalchemy import Engine, text

from features.errors import VaultError
from features.governance import open_ledger
from features.governance.contracts import FeatureContract
from features.governance.gate import Gate
from features.governance.keys import LEDGER_KEY
from features.governance.ledger import Ledger
from features.governance.use import Use
from features.settings import Home

ANNA, BRAM, CARL = (f"p1{letter * 26}" for letter in "abc")


@pytest.fixture
def ledger(contracts: dict[str, FeatureContract], engine: Engine, use: Use) -> Ledger:
    decision = Gate(contracts, engine).check({"age_months": "c1"}, use)
    ledger = Ledger(engine)
    for pupils in ([ANNA, BRAM], [BRAM], 7):
        ledger.record(use, "risk_v1", ["age_months"], "c0", pupils, ["90AB00"], decision)
    return ledger


def test_each_pupil_is_found_in_the_uses_that_it_was_in(ledger: Ledger) -> None:
    assert [row.number for row in ledger.about(ANNA)] == [1]
    assert [row.number for row in ledger.about(BRAM)] == [2, 1]
    assert ledger.about(CARL) == []
    assert [row.pupils for row in ledger.rows()] == [7, 1, 2]
    assert ledger.verify() == ()


def test_no_pseudonym_stands_in_the_ledger(ledger: Ledger, home: Home) -> None:
    stored = b"".join(path.read_bytes() for path in home.root.rglob("*") if path.is_file())
    for key in (ANNA, BRAM):
        assert key.encode() not in stored and key[2:20].encode() not in stored


@pytest.mark.parametrize(
    ("tampering", "row"),
    [
        ("DELETE FROM ledger_pupils WHERE ledger = 2", 2),
        ("UPDATE ledger_pupils SET sealed = x'00' WHERE ledger = 1", 1),
        ("INSERT INTO ledger_pupils VALUES (3, x'00')", 3),
    ],
)
def test_tampering_with_a_set_is_found(
    ledger: Ledger, engine: Engine, tampering: str, row: int
) -> None:
    with engine.begin() as connection:
        connection.execute(text(tampering))
    problem = f"ledger row {row}: its set of pupils was altered or removed"
    assert ledger.verify() == (problem,)


def test_pupils_of_a_run_count_once_over_its_retrievals(ledger: Ledger, use: Use) -> None:
    assert ledger.pupils_in(use.run, use.action) == 2
    assert ledger.pupils_in("another", use.action) == 0


def test_a_set_moved_to_another_row_does_not_open(ledger: Ledger, engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(text("DELETE FROM ledger_pupils WHERE ledger = 1"))
        connection.execute(text("UPDATE ledger_pupils SET ledger = 1 WHERE ledger = 2"))
    with pytest.raises(VaultError, match="ledger row 1: its set of pupils does not open"):
        ledger.about(ANNA)


def test_a_lost_ledger_key_stops_and_is_not_replaced(ledger: Ledger, home: Home) -> None:
    (home.key.parent / LEDGER_KEY).unlink()
    with pytest.raises(VaultError, match="No new key was made"):
        Ledger(open_ledger(home)).about(ANNA)
