"""One row per use, sealed by the audit chain; no row, no data."""

import pytest
from sqlalchemy import Engine, text

from features.errors import GateRefused
from features.governance.audit import AuditChain
from features.governance.contracts import FeatureContract
from features.governance.gate import Decision, Gate
from features.governance.ledger import Ledger
from features.governance.use import Use

IN_FORCE = {"absent_share_4w": "b1", "age_months": "c1"}


@pytest.fixture
def decision(contracts: dict[str, FeatureContract], engine: Engine, use: Use) -> Decision:
    return Gate(contracts, engine).check(IN_FORCE, use)


@pytest.fixture
def ledger(engine: Engine, use: Use, decision: Decision) -> Ledger:
    ledger = Ledger(engine)
    for pupils in (30, 40):
        ledger.record(
            use, "risk_v1", list(IN_FORCE), "c0ffee", pupils, ["90AC00", "90AB00"], decision
        )
    return ledger


def test_a_row_reads_back_as_it_was_written(ledger: Ledger, use: Use, decision: Decision) -> None:
    newest, first = ledger.rows()
    assert (first.pupils, newest.pupils) == (30, 40)
    assert newest.schools == ("90AB00", "90AC00")
    assert newest.features == ("absent_share_4w", "age_months")
    assert (newest.actor, newest.role, newest.purpose, newest.action) == (
        use.actor,
        use.role,
        use.purpose,
        use.action,
    )
    assert (newest.moment, newest.run) == (use.moment, use.run)
    assert (newest.service, newest.contract_hash) == ("risk_v1", "c0ffee")
    assert newest.decision == decision.number
    assert ledger.rows(run="another run") == []
    assert ledger.rows(run=use.run, limit=1) == [newest]


def test_an_untouched_ledger_has_no_problems(ledger: Ledger, engine: Engine) -> None:
    assert ledger.verify() == ()
    assert AuditChain(engine).verify().intact


@pytest.mark.parametrize(
    ("tampering", "problem"),
    [
        ("UPDATE ledger SET pupils = 1 WHERE id = 2", "ledger row 2: its content was altered"),
        ("DELETE FROM ledger WHERE id = 2", "ledger row 2: was removed"),
        (
            "INSERT INTO ledger SELECT 3, moment, actor, role, purpose, action, run, service,"
            " features, contract_hash, pupils, schools, decision FROM ledger WHERE id = 1",
            "ledger row 3: has no seal in the audit chain",
        ),
    ],
)
def test_tampering_is_found(ledger: Ledger, engine: Engine, tampering: str, problem: str) -> None:
    with engine.begin() as connection:
        connection.execute(text(tampering))
    assert ledger.verify() == (problem,)


def test_a_row_that_cannot_be_sealed_is_not_written_either(
    ledger: Ledger, engine: Engine, use: Use, decision: Decision
) -> None:
    with engine.begin() as connection:
        connection.execute(text("DROP TABLE audit"))
    with pytest.raises(GateRefused, match="nothing was returned"):
        ledger.record(use, "risk_v1", list(IN_FORCE), "c0ffee", 50, ["90AB00"], decision)
    assert [row.pupils for row in ledger.rows()] == [40, 30]
