"""What the privacy officer decided on contracts: approved, refused, switched off, an experiment.

The packaged file holds the terms; decisions taken in the app stand in the ledger database, each
sealed in the audit chain. A decision holds for the terms (definition included) it was taken on:
when those change, an approval is void.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum

from sqlalchemy import Engine, RowMapping

from features.errors import NotAllowed, NotThere
from features.governance.contracts import FeatureContract
from features.governance.database import as_text, contract_events, writing
from features.governance.seals import SealedTable
from features.school_weeks import AMSTERDAM
from features.vocabulary import Role

LONGEST_APPROVAL = timedelta(days=731)
LONGEST_EXPERIMENT = timedelta(days=92)
LONGEST_REASON = 500


class ContractEvent(StrEnum):
    """What was decided; the value is also the event in the audit chain."""

    APPROVED = "contract_approved"
    REFUSED = "contract_refused"
    SWITCHED_OFF = "feature_switched_off"
    EXPERIMENT = "experiment_permitted"

    @property
    def label(self) -> str:
        """The Dutch words that people read.

        >>> ContractEvent.EXPERIMENT.label
        'proef toegestaan'
        """
        return _LABELS[self]


_LABELS = {
    ContractEvent.APPROVED: "goedgekeurd",
    ContractEvent.REFUSED: "afgekeurd",
    ContractEvent.SWITCHED_OFF: "uitgezet",
    ContractEvent.EXPERIMENT: "proef toegestaan",
}


@dataclass(frozen=True)
class ContractDecision:
    """One decision on one contract. `expires_on` counts for an approval and an experiment only.

    `terms` is the hash of the terms it was taken on.
    """

    number: int
    moment: datetime
    feature: str
    event: ContractEvent
    terms: str
    actor: str
    expires_on: date | None
    reason: str


class Approvals:
    """Decisions on contracts, and the contracts as they stand after them."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        events = frozenset(event.value for event in ContractEvent)
        self._sealed = SealedTable(engine, contract_events, "decision_on_contract", events)

    def decide(
        self,
        contract: FeatureContract,
        event: ContractEvent,
        actor: str,
        role: Role,
        moment: datetime,
        *,
        expires_on: date | None = None,
        reason: str = "",
    ) -> None:
        """Keep a decision on `contract` as it reads now; only a privacy officer may.

        An approval and an experiment need a last day; the other two need a reason.
        """
        if role is not Role.PRIVACY_OFFICER:
            raise NotAllowed(f"role {role} may not decide on contracts; a privacy officer does")
        today = moment.astimezone(AMSTERDAM).date()
        if problems := tuple(decision_problems(event, today, expires_on, reason)):
            raise NotAllowed(f"{contract.name}: {'; '.join(problems)}")
        row = {
            "moment": as_text(moment),
            "feature": contract.name,
            "event": event.value,
            "terms": contract.terms_hash(),
            "actor": actor,
            "role": role.value,
            "expires_on": expires_on.isoformat() if expires_on else "",
            "reason": reason,
        }
        with writing(self._engine) as connection:
            self._sealed.insert(connection, event, moment, actor, role, row, subject=contract.name)
        self._sealed.chain.witness(moment)

    def history(self, feature: str | None = None) -> list[ContractDecision]:
        """The decisions, newest first; without `feature`, those on all."""
        rows = [_decision(row) for row in self._sealed.sealed_rows()]
        return [row for row in reversed(rows) if feature in (None, row.feature)]

    def newest(self) -> dict[str, ContractDecision]:
        """The decision in force on each feature that was decided on."""
        return {row.feature: row for row in reversed(self.history())}

    def in_force(self, packaged: Mapping[str, FeatureContract]) -> dict[str, FeatureContract]:
        """The contracts with what was decided on them; one without a decision stays as packaged."""
        newest = self.newest()
        return {
            name: _decided(contract, newest[name]) if name in newest else contract
            for name, contract in packaged.items()
        }

    def set_aside(self) -> dict[str, ContractDecision]:
        """The features that were switched off or refused: no service offers them any more."""
        stopped = (ContractEvent.SWITCHED_OFF, ContractEvent.REFUSED)
        return {name: row for name, row in self.newest().items() if row.event in stopped}

    def experiments(self, packaged: Mapping[str, FeatureContract], today: date) -> frozenset[str]:
        """The features that may be tried out today, on the terms they have today."""
        return frozenset(
            name
            for name, row in self.newest().items()
            if row.event is ContractEvent.EXPERIMENT
            and name in packaged
            and row.terms == packaged[name].terms_hash()
            and row.expires_on is not None
            and today < row.expires_on
        )

    def verify(self) -> tuple[str, ...]:
        """What is wrong with the stored decisions; one without its seal does not count anyway."""
        return self._sealed.verify()


def decision_problems(
    event: ContractEvent, today: date, expires_on: date | None, reason: str
) -> Iterable[str]:
    """What is missing or out of bounds in a decision that someone is about to take.

    >>> list(decision_problems(ContractEvent.APPROVED, date(2026, 11, 16), None, ""))
    ['a last day is needed']
    """
    longest = {
        ContractEvent.APPROVED: LONGEST_APPROVAL,
        ContractEvent.EXPERIMENT: LONGEST_EXPERIMENT,
    }.get(event)
    if longest is None:
        if not reason.strip():
            yield "a reason is needed"
    elif expires_on is None:
        yield "a last day is needed"
    elif not today < expires_on <= today + longest:
        yield f"the last day must lie after today and within {longest.days} days"
    if len(reason) > LONGEST_REASON:
        yield f"the reason is longer than {LONGEST_REASON} characters"


def expiring(
    contracts: Mapping[str, FeatureContract], today: date, days: Iterable[int] = (60, 30, 7)
) -> dict[int, tuple[str, ...]]:
    """Approved features by the nearest threshold (in days) within which they expire.

    A feature that expired already is not among them: the gate stops it.
    """
    thresholds = sorted(days)
    found: dict[int, list[str]] = {}
    for name, contract in contracts.items():
        if contract.approved_on is None or contract.expires_on <= today:
            continue
        left = (contract.expires_on - today).days
        nearest = next((limit for limit in thresholds if left <= limit), None)
        if nearest is not None:
            found.setdefault(nearest, []).append(name)
    return {limit: tuple(found[limit]) for limit in sorted(found)}


def _decided(contract: FeatureContract, decision: ContractDecision) -> FeatureContract:
    if decision.event is ContractEvent.APPROVED and decision.terms == contract.terms_hash():
        assert decision.expires_on is not None
        return replace(
            contract,
            approved_by=decision.actor,
            approved_on=decision.moment.astimezone(AMSTERDAM).date(),
            expires_on=decision.expires_on,
        )
    return replace(contract, approved_by="", approved_on=None)


def _decision(row: RowMapping) -> ContractDecision:
    return ContractDecision(
        number=row["id"],
        moment=datetime.fromisoformat(row["moment"]),
        feature=row["feature"],
        event=ContractEvent(row["event"]),
        terms=row["terms"],
        actor=row["actor"],
        expires_on=date.fromisoformat(row["expires_on"]) if row["expires_on"] else None,
        reason=row["reason"],
    )


def missing_features(
    asked: Iterable[str], set_aside: Mapping[str, ContractDecision], model: str
) -> None:
    """Refuse to run a model that needs a feature which was set aside; nothing is filled in."""
    gone = [set_aside[name] for name in asked if name in set_aside]
    if gone:
        told = "; ".join(
            f"{row.feature} ({row.event.label}, {row.moment:%Y-%m-%d})" for row in gone
        )
        raise NotThere(
            f"{model} needs features that the privacy officer set aside: {told}. Train a model "
            "without them and promote it; no list is made meanwhile"
        )
