"""The audit chain finds what was done to it, and two processes cannot fork it."""

import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine, text, update

from features.governance.audit import AuditChain, AuditHead
from features.governance.database import audit, writing
from features.settings import Home
from features.vocabulary import Role

MOMENT = datetime(2026, 11, 16, 7, 30, tzinfo=UTC)


@pytest.fixture
def chain(engine: Engine) -> AuditChain:
    chain = AuditChain(engine)
    for number in range(5):
        chain.append(
            MOMENT + timedelta(minutes=number),
            "ib@school",
            Role.CARE_COORDINATOR,
            "pupil_seen",
            subject=f"p1{number}",
            school="90AB00",
            detail={"page": "leerling", "weeks": 40},
        )
    return chain


def change(engine: Engine, *statements: str) -> None:
    with engine.begin() as connection:
        for statement in statements:
            connection.execute(text(statement))


def test_an_untouched_chain_is_intact_and_reads_back_newest_first(chain: AuditChain) -> None:
    verdict = chain.verify(expected_head=chain.head())
    assert verdict.intact
    assert verdict.rows == 5
    newest = chain.rows(limit=1)[0]
    assert (newest.sequence, newest.subject, newest.moment) == (5, "p14", MOMENT.replace(minute=34))
    assert newest.detail == {"page": "leerling", "weeks": 40}
    assert [row.sequence for row in chain.rows(subject="p12")] == [3]


def test_an_empty_chain_is_intact(engine: Engine) -> None:
    assert AuditChain(engine).verify(expected_head=AuditChain(engine).head()).intact


@pytest.mark.parametrize(
    "column", ["moment", "actor", "role", "event", "subject", "school", "detail"]
)
def test_an_altered_column_is_found(chain: AuditChain, engine: Engine, column: str) -> None:
    with engine.begin() as connection:
        connection.execute(update(audit).where(audit.c.sequence == 3).values({column: "x"}))
    verdict = chain.verify()
    assert verdict.problems == ("audit row 3: its content was altered",)


def test_a_removed_row_is_found(chain: AuditChain, engine: Engine) -> None:
    change(engine, "DELETE FROM audit WHERE sequence = 3")
    assert any("1 row(s) before it are missing" in problem for problem in chain.verify().problems)


def test_a_removed_row_is_found_when_the_rest_is_renumbered(
    chain: AuditChain, engine: Engine
) -> None:
    change(
        engine,
        "DELETE FROM audit WHERE sequence = 3",
        "UPDATE audit SET sequence = 3 WHERE sequence = 4",
        "UPDATE audit SET sequence = 4 WHERE sequence = 5",
    )
    assert not chain.verify().intact


def test_reordered_rows_are_found(chain: AuditChain, engine: Engine) -> None:
    change(
        engine,
        "UPDATE audit SET sequence = 99 WHERE sequence = 2",
        "UPDATE audit SET sequence = 2 WHERE sequence = 3",
        "UPDATE audit SET sequence = 3 WHERE sequence = 99",
    )
    assert not chain.verify().intact


def test_a_removed_tail_is_found_with_the_head_kept_elsewhere(
    chain: AuditChain, engine: Engine
) -> None:
    kept = chain.head()
    change(engine, "DELETE FROM audit WHERE sequence > 3")
    chain.heads = None
    assert chain.verify().intact, "a shorter chain is whole in itself"
    assert chain.verify(kept).problems == ("the chain ends at row 3; row 5 was there before",)


def test_a_chain_written_anew_is_found_with_the_head_kept_elsewhere(
    chain: AuditChain, engine: Engine
) -> None:
    kept = chain.head()
    change(engine, "DELETE FROM audit")
    chain.heads = None
    for _ in range(6):
        chain.append(MOMENT, "intruder", Role.JOB, "nothing_happened")
    assert chain.verify().intact
    assert not chain.verify(kept).intact


def test_an_event_in_a_transaction_that_fails_is_not_there(
    chain: AuditChain, engine: Engine
) -> None:
    with pytest.raises(ZeroDivisionError), writing(engine) as connection:
        chain.append(MOMENT, "job", Role.JOB, "half_done", connection=connection)
        raise ZeroDivisionError
    assert chain.head().sequence == 5


def test_a_moment_without_a_time_zone_is_refused(chain: AuditChain) -> None:
    naive = datetime(2026, 11, 16, 7, 30)
    with pytest.raises(ValueError, match="no time zone"):
        chain.append(naive, "job", Role.JOB, "x")


APPENDER = """
import sys
from datetime import datetime, UTC
from pathlib import Path
from features.governance import open_ledger
from features.governance.audit import AuditChain
from features.settings import Home
from features.vocabulary import Role
chain = AuditChain(open_ledger(Home(Path(sys.argv[1]))))
for number in range(60):
    chain.append(datetime(2026, 11, 16, tzinfo=UTC), sys.argv[2], Role.JOB, "tick")
"""


def test_two_processes_that_append_at_once_do_not_fork_the_chain(home: Home) -> None:
    writers = [
        subprocess.Popen([sys.executable, "-W", "error", "-c", APPENDER, str(home.root), name])
        for name in ("one", "two")
    ]
    assert [writer.wait(timeout=60) for writer in writers] == [0, 0]
    from features.governance import open_ledger

    chain = AuditChain(open_ledger(home))
    assert chain.verify() == chain.verify(chain.head())
    assert chain.verify().intact
    assert chain.head().sequence == 120
    assert {row.actor for row in chain.rows()} == {"one", "two"}


def test_head_zero_is_the_head_of_nothing(engine: Engine) -> None:
    assert AuditChain(engine).head() == AuditHead(0, "0" * 64)
