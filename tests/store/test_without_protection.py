"""Each of the ten ways round is really tried: with its protection taken away, its test fails."""

from collections.abc import Callable
from typing import Any

import pytest

from features.governance import gate
from features.governance.audit import AuditChain, AuditVerdict
from features.governance.ledger import Ledger
from features.governance.seals import SealedTable
from features.store import FeatureStore
from tests.store import test_ways_round
from tests.store.test_ways_round import ready

__all__ = ["ready"]
Patch = pytest.MonkeyPatch


def open_gate(patch: Patch) -> None:
    patch.setattr(gate, "_reasons", lambda definitions, use, terms: ())


def no_ledger(patch: Patch) -> None:
    patch.setattr(Ledger, "record", lambda self, *args, **kwargs: 0)


def nothing_is_compared(patch: Patch) -> None:
    patch.setattr(FeatureStore, "_in_force", lambda self, repo, asked: True)


def no_seals(patch: Patch) -> None:
    patch.setattr(SealedTable, "verify", lambda self: ())


def no_chain(patch: Patch) -> None:
    patch.setattr(AuditChain, "verify", lambda self, *args: AuditVerdict(0))


WAYS: dict[str, Callable[[Patch], None]] = {
    "test_1_the_sdk_leaves_a_row_with_its_pupils_before_the_data": no_ledger,
    "test_2_a_notebook_goes_through_the_same_door": open_gate,
    "test_3_a_later_or_earlier_clock_does_not_help": open_gate,
    "test_4_contracts_of_ones_own_do_not_fit_what_is_applied": nothing_is_compared,
    "test_5_a_feature_that_was_switched_off_is_not_offered": nothing_is_compared,
    "test_6_the_online_store_is_asked_and_written_down_like_the_other": open_gate,
    "test_7_the_purpose_of_rights_is_no_way_to_train": open_gate,
    "test_8_values_made_again_from_the_records_are_accounted_for": no_ledger,
    "test_9_a_row_taken_out_of_the_ledger_by_sql_is_missed": no_seals,
    "test_10_without_a_ledger_there_are_no_data": no_ledger,
}


@pytest.mark.parametrize("name", WAYS)
def test_the_way_round_is_open_without_its_protection(
    name: str, request: pytest.FixtureRequest, monkeypatch: Patch
) -> None:
    test: Callable[..., None] = getattr(test_ways_round, name)
    wanted = test.__code__.co_varnames[: test.__code__.co_argcount]
    given: dict[str, Any] = {one: request.getfixturevalue(one) for one in wanted}
    WAYS[name](monkeypatch)
    with pytest.raises((AssertionError, ValueError, pytest.fail.Exception)):
        test(**given)


def test_taking_the_seals_along_is_not_found_without_the_chain(
    request: pytest.FixtureRequest, monkeypatch: Patch
) -> None:
    no_chain(monkeypatch)
    given = {one: request.getfixturevalue(one)
             for one in ("ready", "engine", "use", "mondays", "ledger")}  # fmt: skip
    with pytest.raises(AssertionError, match="taking the seals along"):
        test_ways_round.test_9_a_row_taken_out_of_the_ledger_by_sql_is_missed(**given)


def test_all_ten_are_tried() -> None:
    there = {name for name in vars(test_ways_round) if name.startswith("test_")}
    assert set(WAYS) == {name for name in there if name.split("_")[1].isdigit()}
    assert len(WAYS) == 10
