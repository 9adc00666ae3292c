"""What a privacy officer decides rules the gate at once; changed terms void it; SQL gives none."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import Engine, text

from features.errors import GateRefused, NotAllowed, NotThere
from features.governance.approvals import (
    Approvals,
    ContractEvent,
    expiring,
    missing_features,
)
from features.governance.audit import AuditChain
from features.governance.contracts import FeatureContract
from features.governance.gate import Gate
from features.governance.use import Action, Purpose, Use
from features.vocabulary import Role

IN_FORCE = {"sick_share_4w": "a1", "absent_share_4w": "b1", "age_months": "c1"}
MOMENT = datetime(2026, 11, 16, 7, 30, tzinfo=UTC)
UNTIL = date(2027, 1, 15)
Contracts = dict[str, FeatureContract]


@pytest.fixture
def unapproved(contracts: Contracts) -> Contracts:
    return contracts | {
        "age_months": replace(contracts["age_months"], approved_by="", approved_on=None)
    }


def decide(
    engine: Engine,
    contract: FeatureContract,
    event: ContractEvent,
    moment: datetime = MOMENT,
    expires_on: date | None = None,
    reason: str = "",
) -> None:
    Approvals(engine).decide(
        contract, event, "fg@swv", Role.PRIVACY_OFFICER, moment, expires_on=expires_on,
        reason=reason,
    )  # fmt: skip


def later(use: Use, **changes: object) -> Use:
    return replace(use, moment=MOMENT + timedelta(minutes=5), **changes)  # type: ignore[arg-type]


def test_an_approval_opens_the_gate_until_its_last_day(
    unapproved: Contracts, engine: Engine, use: Use
) -> None:
    gate = Gate(unapproved, engine)
    with pytest.raises(GateRefused, match="not approved: age_months"):
        gate.check(IN_FORCE, later(use))
    decide(engine, unapproved["age_months"], ContractEvent.APPROVED, expires_on=UNTIL)
    assert gate.check(IN_FORCE, later(use)).allowed
    assert gate.contracts["age_months"].approved_by == "fg@swv"
    with pytest.raises(GateRefused, match="expired on 2027-01-15: age_months"):
        gate.check(IN_FORCE, replace(use, moment=datetime(2027, 1, 15, 8, tzinfo=UTC)))


def test_a_changed_definition_or_term_voids_the_approval(
    unapproved: Contracts, engine: Engine, use: Use
) -> None:
    decide(engine, unapproved["age_months"], ContractEvent.APPROVED, expires_on=UNTIL)
    for changed in (
        replace(unapproved["age_months"], definition_hash="c2"),
        replace(unapproved["age_months"], retention_value="P99Y"),
    ):
        gate = Gate(unapproved | {"age_months": changed}, engine)
        with pytest.raises(GateRefused, match="not approved: age_months"):
            gate.check(IN_FORCE | {"age_months": changed.definition_hash}, later(use))


@pytest.mark.parametrize(
    ("event", "words"),
    [(ContractEvent.SWITCHED_OFF, "switched off"), (ContractEvent.REFUSED, "refused")],
)
def test_what_was_switched_off_or_refused_stops_every_action(
    contracts: Contracts, engine: Engine, use: Use, event: ContractEvent, words: str
) -> None:
    gate = Gate(contracts, engine)
    decide(engine, contracts["age_months"], event, reason="not needed")
    assert set(gate.set_aside) == {"age_months"}
    for action in Action:
        with pytest.raises(GateRefused, match=f"{words} by the privacy officer on 2026-11-16"):
            gate.check(IN_FORCE, later(use, action=action))
    rest = {name: known for name, known in IN_FORCE.items() if name != "age_months"}
    assert gate.check(rest, later(use)).allowed


def test_a_model_that_needs_it_is_named_and_nothing_is_filled_in(
    contracts: Contracts, engine: Engine
) -> None:
    decide(engine, contracts["age_months"], ContractEvent.SWITCHED_OFF, reason="not needed")
    aside = Approvals(engine).set_aside()
    missing_features(["sick_share_4w"], aside, "model version 3")
    with pytest.raises(NotThere, match=r"model version 3 needs .* age_months \(uitgezet, 2026"):
        missing_features(["sick_share_4w", "age_months"], aside, "model version 3")


def test_the_newest_decision_counts_and_the_history_stays(
    contracts: Contracts, engine: Engine, use: Use
) -> None:
    contract = contracts["age_months"]
    decide(engine, contract, ContractEvent.SWITCHED_OFF, reason="first")
    decide(engine, contract, ContractEvent.APPROVED, expires_on=UNTIL)
    assert Gate(contracts, engine).check(IN_FORCE, later(use)).allowed
    told = [row.event for row in Approvals(engine).history("age_months")]
    assert told == [ContractEvent.APPROVED, ContractEvent.SWITCHED_OFF]
    assert [row.event for row in AuditChain(engine).rows(subject="age_months")] == told


def test_an_experiment_trains_until_its_last_day_and_is_never_promoted(
    unapproved: Contracts, engine: Engine, use: Use
) -> None:
    contract = unapproved["age_months"]
    gate = Gate(unapproved, engine)
    decide(engine, contract, ContractEvent.EXPERIMENT, expires_on=UNTIL)
    train, promote = (later(use, action=one, run="r1") for one in (Action.TRAIN, Action.PROMOTE))
    assert gate.check(IN_FORCE, train).experimental == ("age_months",)
    for action in (Action.SCORE, Action.SHOW, Action.PROMOTE):
        with pytest.raises(GateRefused, match="not approved: age_months"):
            gate.check(IN_FORCE, later(use, action=action, run="r1"))
    with pytest.raises(GateRefused, match="not approved: age_months"):
        gate.check(IN_FORCE, replace(train, moment=datetime(2027, 1, 15, 8, tzinfo=UTC)))
    # An approval that comes later does not make the experiment's model fit for use.
    decide(engine, contract, ContractEvent.APPROVED, expires_on=UNTIL)
    with pytest.raises(GateRefused, match="was an experiment and is never promoted: age_months"):
        gate.check(IN_FORCE, promote)
    assert gate.check(IN_FORCE, replace(promote, run="r2")).allowed


def test_an_approval_written_by_hand_into_the_database_does_not_count(
    unapproved: Contracts, engine: Engine, use: Use
) -> None:
    row = {
        "moment": "2026-11-16T07:30:00.000000+00:00",
        "terms": unapproved["age_months"].terms_hash(),
    }
    with engine.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO contract_events VALUES (1, :moment, 'age_months', "
                "'contract_approved', :terms, 'fg@swv', 'privacy_officer', '2028-01-01', '')"
            ),
            row,
        )
    with pytest.raises(GateRefused, match="not approved: age_months"):
        Gate(unapproved, engine).check(IN_FORCE, later(use))
    problem = "contract_events row 1: has no seal in the audit chain"
    assert Approvals(engine).verify() == (problem,)


def test_stretching_an_approval_by_hand_voids_it(
    unapproved: Contracts, engine: Engine, use: Use
) -> None:
    decide(engine, unapproved["age_months"], ContractEvent.APPROVED, expires_on=UNTIL)
    with engine.begin() as connection:
        connection.execute(text("UPDATE contract_events SET expires_on = '2099-01-01'"))
    with pytest.raises(GateRefused, match="not approved: age_months"):
        Gate(unapproved, engine).check(IN_FORCE, later(use))
    assert Approvals(engine).verify() == ("contract_events row 1: its content was altered",)


@pytest.mark.parametrize(
    ("event", "expires_on", "reason", "problem"),
    [
        (ContractEvent.APPROVED, None, "", "a last day is needed"),
        (ContractEvent.APPROVED, date(2026, 11, 16), "", "must lie after today"),
        (ContractEvent.APPROVED, date(2029, 1, 1), "", "within 731 days"),
        (ContractEvent.EXPERIMENT, date(2027, 6, 1), "", "within 92 days"),
        (ContractEvent.SWITCHED_OFF, None, " ", "a reason is needed"),
        (ContractEvent.REFUSED, None, "x" * 501, "longer than 500"),
    ],
)
def test_a_decision_without_its_terms_is_refused(
    contracts: Contracts,
    engine: Engine,
    event: ContractEvent,
    expires_on: date | None,
    reason: str,
    problem: str,
) -> None:
    with pytest.raises(NotAllowed, match=problem):
        decide(engine, contracts["age_months"], event, expires_on=expires_on, reason=reason)
    assert Approvals(engine).history() == []


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.PRIVACY_OFFICER])
def test_only_a_privacy_officer_decides(contracts: Contracts, engine: Engine, role: Role) -> None:
    with pytest.raises(NotAllowed, match="a privacy officer does"):
        Approvals(engine).decide(
            contracts["age_months"], ContractEvent.APPROVED, "x", role, MOMENT, expires_on=UNTIL
        )


def test_for_the_rights_of_a_pupil_only_a_privacy_officer_may_look(
    unapproved: Contracts, engine: Engine, use: Use
) -> None:
    gate = Gate(unapproved, engine)
    look = later(use, purpose=Purpose.RIGHTS, action=Action.SHOW, role=Role.PRIVACY_OFFICER)
    assert gate.check(IN_FORCE, look).allowed
    for other in (replace(look, action=Action.TRAIN), replace(look, role=Role.DATA_SCIENTIST)):
        with pytest.raises(GateRefused, match="a privacy officer may look and nothing else"):
            gate.check(IN_FORCE, other)


def test_what_expires_is_told_sixty_thirty_and_seven_days_before(contracts: Contracts) -> None:
    def at(days: int) -> dict[int, tuple[str, ...]]:
        return expiring(contracts, date(2027, 8, 1) - timedelta(days=days))

    everything = tuple(contracts)
    assert at(61) == {}
    assert at(60) == {60: everything} and at(31) == {60: everything}
    assert at(30) == {30: everything} and at(7) == {7: everything} and at(1) == {7: everything}
    assert at(0) == {}, "expired: the gate stops it"
