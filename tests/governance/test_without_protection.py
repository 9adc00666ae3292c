"""The checks of the chain can find: with the check taken away, the tests that rest on it fail."""

from collections.abc import Callable

import pytest
from sqlalchemy import Engine

from features.governance import audit
from features.governance.audit import AuditChain
from features.governance.contracts import FeatureContract
from features.governance.gate import Gate
from features.governance.heads import HeadBook, SignedHead
from features.governance.ledger import Ledger
from features.governance.log_names import LogNames
from features.governance.seals import SealedTable
from features.governance.use import Use
from features.settings import Home
from tests.governance import test_audit, test_heads, test_pupil_sets

FAILS = (AssertionError, pytest.fail.Exception)
Patch = pytest.MonkeyPatch


@pytest.fixture
def chain(engine: Engine) -> AuditChain:
    chain = AuditChain(engine)
    test_heads.add(chain, 5)
    return chain


def no_content_check(patch: Patch) -> None:
    real = audit._seal
    patch.setattr(audit, "_seal", lambda row: row["hash"] if "hash" in row else real(row))


def no_row_check(patch: Patch) -> None:
    patch.setattr(audit, "_problems", lambda stored: ())


def no_head_check(patch: Patch) -> None:
    patch.setattr(HeadBook, "problems", lambda self, kept=(): ())


def no_check_at_all(patch: Patch) -> None:
    no_row_check(patch)  # a renumbered chain is found by its rows, and by its heads as well
    no_head_check(patch)


def no_signature_check(patch: Patch) -> None:
    patch.setattr(SignedHead, "is_genuine", lambda self, key: True)


def no_expected_head(patch: Patch) -> None:
    patch.setattr(audit, "_problems_of_head", lambda stored, expected: [])


CHAIN: list[tuple[Callable[..., None], Callable[[Patch], None], str]] = [
    (test_audit.test_an_altered_column_is_found, no_content_check, "detail"),
    (test_audit.test_an_altered_column_is_found, no_content_check, "subject"),
    (test_audit.test_a_removed_row_is_found, no_row_check, ""),
    (test_audit.test_a_removed_row_is_found_when_the_rest_is_renumbered, no_check_at_all, ""),
    (test_audit.test_reordered_rows_are_found, no_row_check, ""),
    (test_audit.test_a_removed_tail_is_found_with_the_head_kept_elsewhere, no_expected_head, ""),
    (test_audit.test_a_chain_written_anew_is_found_with_the_head_kept_elsewhere,
     no_expected_head, ""),
    (test_heads.test_the_witness_tells_of_a_tail_that_was_removed, no_head_check, ""),
    (test_heads.test_rows_that_come_after_do_not_hide_a_removed_tail, no_head_check, ""),
    (test_heads.test_an_altered_signed_head_in_the_database_is_found, no_head_check, ""),
]  # fmt: skip


@pytest.mark.parametrize(("test", "removal", "column"), CHAIN)
def test_tampering_goes_unseen_without_the_check(
    test: Callable[..., None],
    removal: Callable[[Patch], None],
    column: str,
    chain: AuditChain,
    engine: Engine,
    monkeypatch: Patch,
) -> None:
    removal(monkeypatch)
    with pytest.raises(FAILS):
        test(chain, engine, column) if column else test(chain, engine)


@pytest.mark.parametrize(
    ("test", "removal"),
    [
        (test_heads.test_a_removed_witness_is_missed, no_head_check),
        (test_heads.test_a_head_kept_elsewhere_survives_who_turns_everything_back, no_head_check),
        (test_heads.test_a_forged_head_is_found, no_signature_check),
    ],
)
def test_forged_and_removed_heads_go_unseen_without_the_check(
    test: Callable[..., None],
    removal: Callable[[Patch], None],
    chain: AuditChain,
    engine: Engine,
    home: Home,
    monkeypatch: Patch,
) -> None:
    removal(monkeypatch)
    with pytest.raises(FAILS):
        test(chain, engine, home)


@pytest.fixture
def ledger(contracts: dict[str, FeatureContract], engine: Engine, use: Use) -> Ledger:
    return _filled(contracts, engine, use)


def _filled(contracts: dict[str, FeatureContract], engine: Engine, use: Use) -> Ledger:
    decision = Gate(contracts, engine).check({"age_months": "c1"}, use)
    ledger = Ledger(engine)
    for pupils in ([test_pupil_sets.ANNA, test_pupil_sets.BRAM], [test_pupil_sets.BRAM]):
        ledger.record(use, "risk_v1", ["age_months"], "c0", pupils, ["90AB00"], decision)
    return ledger


def test_a_set_that_was_altered_goes_unseen_without_its_seal(
    ledger: Ledger, engine: Engine, monkeypatch: Patch
) -> None:
    monkeypatch.setattr(Ledger, "_problems_of_sets", lambda self: iter(()))
    with pytest.raises(FAILS):
        test_pupil_sets.test_tampering_with_a_set_is_found(
            ledger, engine, "DELETE FROM ledger_pupils WHERE ledger = 2", 2
        )


def test_rows_that_were_altered_go_unseen_without_their_seals(
    ledger: Ledger, engine: Engine, monkeypatch: Patch
) -> None:
    test_heads.change(engine, "UPDATE ledger SET purpose = 'rights' WHERE id = 1")
    assert ledger.verify() != ()
    monkeypatch.setattr(SealedTable, "verify", lambda self: ())
    assert ledger.verify() == ()


def test_pseudonyms_would_stand_in_the_log_without_names_of_its_own(
    contracts: dict[str, FeatureContract], engine: Engine, use: Use, home: Home,
    monkeypatch: Patch,
) -> None:  # fmt: skip
    chain = AuditChain(engine)
    chain.append(test_heads.MOMENT, "ib", use.role, "pupil_seen", test_pupil_sets.ANNA)
    test_pupil_sets.test_no_pseudonym_stands_in_the_ledger(_filled(contracts, engine, use), home)
    monkeypatch.setattr(LogNames, "given", lambda self, connection, keys: {k: k for k in keys})
    chain.append(test_heads.MOMENT, "ib", use.role, "pupil_seen", test_pupil_sets.ANNA)
    with pytest.raises(FAILS):
        test_pupil_sets.test_no_pseudonym_stands_in_the_ledger(Ledger(engine), home)
