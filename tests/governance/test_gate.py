"""The gate fails closed, gives every reason at once, and keeps what it decided."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from sqlalchemy import Engine, create_engine, select

from features.errors import GateRefused
from features.governance.contracts import AllowedUses, FeatureContract
from features.governance.database import decisions
from features.governance.gate import Gate
from features.governance.use import Action, Purpose, Use

IN_FORCE = {"sick_share_4w": "a1", "absent_share_4w": "b1", "age_months": "c1"}
Contracts = dict[str, FeatureContract]


@pytest.fixture
def gate(contracts: Contracts, engine: Engine) -> Gate:
    return Gate(contracts, engine)


def stored(engine: Engine) -> list[tuple[bool, list[str]]]:
    with engine.connect() as connection:
        rows = connection.execute(select(decisions).order_by(decisions.c.id)).mappings().all()
    return [(row["allowed"], json.loads(row["reasons"])) for row in rows]


def test_approved_features_pass_and_the_decision_is_kept(
    gate: Gate, engine: Engine, use: Use
) -> None:
    decision = gate.check(IN_FORCE, use)
    assert decision.allowed
    assert decision.features == tuple(sorted(IN_FORCE))
    assert stored(engine) == [(True, [])]


BREAKS: dict[str, tuple[Callable[[FeatureContract], FeatureContract], str]] = {
    "changed definition": (
        lambda contract: replace(contract, definition_hash="older"),
        "the definition or the code that computes it changed since it was approved",
    ),
    "expired": (
        lambda contract: replace(contract, expires_on=date(2026, 11, 16)),
        "the contract expired on 2026-11-16",
    ),
    "approved later": (
        lambda contract: replace(contract, approved_on=date(2026, 11, 17)),
        "approved only from 2026-11-17",
    ),
    "no date of approval": (lambda contract: replace(contract, approved_on=None), "not approved"),
    "nobody approved": (lambda contract: replace(contract, approved_by=""), "not approved"),
    "other purpose": (
        lambda contract: replace(contract, purpose=(Purpose.REGIONAL_REPORT,)),
        "not approved for the purpose early_warning",
    ),
    "use not allowed": (
        lambda contract: replace(contract, uses=AllowedUses(True, False, True, True)),
        "score is not among the allowed uses",
    ),
}


@pytest.mark.parametrize("case", BREAKS)
def test_each_broken_term_stops_the_use(
    contracts: Contracts, engine: Engine, use: Use, case: str
) -> None:
    break_it, reason = BREAKS[case]
    gate = Gate(contracts | {"age_months": break_it(contracts["age_months"])}, engine)
    with pytest.raises(GateRefused, match=reason):
        gate.check(IN_FORCE, use)
    assert stored(engine) == [(False, [f"{reason}: age_months"])]


def test_a_feature_without_a_contract_stops_the_use(gate: Gate, use: Use) -> None:
    with pytest.raises(GateRefused, match="no contract: shoe_size"):
        gate.check(IN_FORCE | {"shoe_size": "d1"}, use)


def test_naming_no_feature_is_refused(gate: Gate, use: Use) -> None:
    with pytest.raises(GateRefused, match="no feature was named"):
        gate.check({}, use)


def test_all_reasons_are_given_at_once(contracts: Contracts, engine: Engine, use: Use) -> None:
    sick, absent = contracts["sick_share_4w"], contracts["absent_share_4w"]
    gate = Gate(
        {
            "sick_share_4w": replace(sick, definition_hash="x", expires_on=date(2026, 9, 1)),
            "absent_share_4w": replace(absent, uses=AllowedUses(True, False, False, False)),
        },
        engine,
    )
    with pytest.raises(GateRefused) as refused:
        gate.check(IN_FORCE, use)
    (kept,) = stored(engine)
    assert kept[1] == [
        "score is not among the allowed uses: absent_share_4w",
        "no contract: age_months",
        "the definition or the code that computes it changed since it was approved: sick_share_4w",
        "the contract expired on 2026-09-01: sick_share_4w",
    ]
    assert all(reason in str(refused.value) for reason in kept[1])


@pytest.mark.parametrize(
    ("moment", "passes"),
    [
        (datetime(2027, 7, 31, 21, 59, tzinfo=UTC), True),
        (datetime(2027, 7, 31, 22, 0, tzinfo=UTC), False),  # 1 August in Amsterdam
    ],
)
def test_a_contract_expires_at_midnight_in_amsterdam(
    gate: Gate, use: Use, moment: datetime, passes: bool
) -> None:
    later = replace(use, moment=moment)
    if passes:
        assert gate.check(IN_FORCE, later).allowed
    else:
        with pytest.raises(GateRefused, match="expired on 2027-08-01"):
            gate.check(IN_FORCE, later)


@pytest.mark.parametrize(
    ("action", "allowed"),
    [
        (Action.APPLY, AllowedUses(False, False, False, False)),
        (Action.TRAIN, AllowedUses(True, False, False, False)),
        (Action.PROMOTE, AllowedUses(True, True, False, False)),
        (Action.SCORE, AllowedUses(False, True, False, False)),
        (Action.SHOW, AllowedUses(False, False, True, False)),
        (Action.REPORT, AllowedUses(False, False, False, True)),
    ],
)
def test_each_action_asks_for_its_own_permission(
    contracts: Contracts, engine: Engine, use: Use, action: Action, allowed: AllowedUses
) -> None:
    narrow = {name: replace(terms, uses=allowed) for name, terms in contracts.items()}
    assert Gate(narrow, engine).check(IN_FORCE, replace(use, action=action)).allowed
    for other in Action:
        if not allowed.permits(other):
            with pytest.raises(GateRefused):
                Gate(narrow, engine).check(IN_FORCE, replace(use, action=other))
            told = f"{other} is not among the allowed uses: {', '.join(sorted(IN_FORCE))}"
            assert stored(engine)[-1] == (False, [told]), "kept with its reason, at every place"


def test_a_decision_that_cannot_be_kept_is_a_refusal(contracts: Contracts, use: Use) -> None:
    without_tables = create_engine("sqlite://")
    with pytest.raises(GateRefused, match="cannot be stored"):
        Gate(contracts, without_tables).check(IN_FORCE, use)
    without_tables.dispose()
