"""Signed heads find a removed tail, a chain written anew, a forged head and a removed witness."""

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from sqlalchemy import Engine, text

from features.errors import VaultError
from features.governance import open_ledger
from features.governance.audit import AuditChain
from features.governance.heads import SIGNING_KEY, WITNESS, HeadBook, SignedHead, Signer, read_head
from features.settings import Home
from features.vocabulary import Role

MOMENT = datetime(2026, 11, 16, 7, 30, tzinfo=UTC)


@pytest.fixture
def chain(engine: Engine) -> AuditChain:
    chain = AuditChain(engine)
    add(chain, 5)
    return chain


def add(chain: AuditChain, times: int, actor: str = "ib@school") -> None:
    for _ in range(times):
        chain.append(MOMENT, actor, Role.CARE_COORDINATOR, "pupil_seen")


def change(engine: Engine, *statements: str) -> None:
    with engine.begin() as connection:
        for statement in statements:
            connection.execute(text(statement))


def book(chain: AuditChain) -> HeadBook:
    assert chain.heads is not None
    return chain.heads


def signed(chain: AuditChain) -> SignedHead:
    head = book(chain).sign(MOMENT)
    assert head is not None
    return head


def test_an_untouched_chain_agrees_with_its_heads(chain: AuditChain) -> None:
    head = signed(chain)
    add(chain, 2)
    assert (head.sequence, book(chain).kept()) == (5, [head])
    assert read_head(head.to_json(), "a letter") == head
    assert chain.verify(kept_elsewhere=[head]).intact


def test_the_witness_tells_of_a_tail_that_was_removed(chain: AuditChain, engine: Engine) -> None:
    change(engine, "DELETE FROM audit WHERE sequence > 3")
    assert chain.verify().problems == (
        "the chain ends at row 3; row 5 was there on 2026-11-16 and was signed",
    )


def test_rows_that_come_after_do_not_hide_a_removed_tail(chain: AuditChain, engine: Engine) -> None:
    change(engine, "DELETE FROM audit WHERE sequence > 3")
    add(chain, 7, "someone else")
    assert chain.verify().problems == ("audit row 5: is not the row that was signed on 2026-11-16",)


def test_a_removed_witness_is_missed(chain: AuditChain, engine: Engine, home: Home) -> None:
    signed(chain)
    (home.key.parent / WITNESS).unlink()
    change(engine, "DELETE FROM audit WHERE sequence = 5")
    problems = chain.verify().problems
    assert any("the file with the newest head was removed" in problem for problem in problems)
    assert any("row 5 was there" in problem for problem in problems)


def test_a_head_kept_elsewhere_survives_who_turns_everything_back(
    chain: AuditChain, engine: Engine, home: Home
) -> None:
    earlier = (home.key.parent / WITNESS).read_text(encoding="utf-8")
    add(chain, 3)
    kept = signed(chain)
    change(engine, "DELETE FROM audit WHERE sequence > 5", "DELETE FROM signed_heads")
    (home.key.parent / WITNESS).write_text(earlier, encoding="utf-8")
    assert chain.verify().intact, "nothing inside the installation can tell"
    assert chain.verify(kept_elsewhere=[kept]).problems == (
        "the chain ends at row 5; row 8 was there on 2026-11-16 and was signed",
    )


def test_a_forged_head_is_found(chain: AuditChain, engine: Engine, home: Home) -> None:
    head = signed(chain)
    other = Signer(home.root / "elsewhere", signed_before=False)
    for forged in (
        replace(head, hash="0" * 64),
        replace(head, moment="2026-11-17T00:00:00.000000+00:00"),
        replace(head, signature="?"),
        other.sign(head.sequence, head.hash, MOMENT),
    ):
        problems = chain.verify(kept_elsewhere=[forged]).problems
        assert problems == ("signed head of row 5: the signature is not ours",)


def test_an_altered_signed_head_in_the_database_is_found(chain: AuditChain, engine: Engine) -> None:
    signed(chain)
    change(engine, "UPDATE signed_heads SET sequence = 4")
    assert not chain.verify().intact


def test_a_lost_signing_key_is_never_replaced(chain: AuditChain, home: Home) -> None:
    (home.key.parent / SIGNING_KEY).unlink()
    with pytest.raises(VaultError, match="No new key was made"):
        AuditChain(open_ledger(home)).append(MOMENT, "x", Role.JOB, "y")


def test_the_witness_holds_no_more_than_a_number_and_hashes(chain: AuditChain, home: Home) -> None:
    told = json.loads((home.key.parent / WITNESS).read_text(encoding="utf-8"))
    assert sorted(told) == ["hash", "moment", "public_key", "sequence", "signature"]
    assert (home.key.parent / SIGNING_KEY).stat().st_mode & 0o777 == 0o600
