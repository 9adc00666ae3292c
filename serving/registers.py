"""Registers for the privacy officer: features with their contracts, the ledger, the audit chain."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

import sqlalchemy as sa

from features.catalogue import CATALOGUE, Feature
from features.governance.audit import AuditChain, AuditHead, AuditRow, AuditVerdict
from features.governance.contracts import FeatureContract
from features.governance.ledger import Ledger, LedgerRow
from features.school_weeks import AMSTERDAM
from serving.access import Area, Guard
from serving.accounts import Account

SOON = timedelta(days=60)
PAGE = 50


class ContractStatus(StrEnum):
    """How a feature stands with its contract today; all but the first two stop its use."""

    APPROVED = "approved"
    EXPIRES_SOON = "expires_soon"
    EXPIRED = "expired"
    CHANGED = "changed"
    NOT_APPROVED = "not_approved"
    NO_CONTRACT = "no_contract"

    @property
    def label(self) -> str:
        """The Dutch words that people read."""
        return _STATUS_LABELS[self]

    @property
    def may_be_used(self) -> bool:
        """Whether the gate lets the feature through, as far as the contract goes.

        >>> ContractStatus.EXPIRES_SOON.may_be_used, ContractStatus.CHANGED.may_be_used
        (True, False)
        """
        return self in (ContractStatus.APPROVED, ContractStatus.EXPIRES_SOON)


_STATUS_LABELS = {
    ContractStatus.APPROVED: "Goedgekeurd",
    ContractStatus.EXPIRES_SOON: "Verloopt binnen 60 dagen",
    ContractStatus.EXPIRED: "Verlopen",
    ContractStatus.CHANGED: "Gewijzigd na goedkeuring",
    ContractStatus.NOT_APPROVED: "Niet goedgekeurd",
    ContractStatus.NO_CONTRACT: "Geen contract",
}


def status_of(feature: Feature, contract: FeatureContract | None, today: date) -> ContractStatus:
    """How `feature` stands with `contract` on `today`."""
    if contract is None:
        return ContractStatus.NO_CONTRACT
    if contract.definition_hash != feature.definition_hash:
        return ContractStatus.CHANGED
    if not contract.approved_by or contract.approved_on is None or contract.approved_on > today:
        return ContractStatus.NOT_APPROVED
    if contract.expires_on <= today:
        return ContractStatus.EXPIRED
    if contract.expires_on <= today + SOON:
        return ContractStatus.EXPIRES_SOON
    return ContractStatus.APPROVED


@dataclass(frozen=True)
class RegisteredFeature:
    """A feature with its contract; `was_used`: the ledger has a retrieval of it."""

    feature: Feature
    contract: FeatureContract | None
    status: ContractStatus
    was_used: bool


@dataclass(frozen=True)
class ChainState:
    """What checking the chain and the ledger found, and a page of events, newest first."""

    verdict: AuditVerdict
    ledger_problems: tuple[str, ...]
    head: AuditHead
    rows: tuple[AuditRow, ...]
    has_older: bool


class Registers:
    """Reads the registers for accounts that may; looking at the logs is itself logged."""

    def __init__(self, engine: sa.Engine, contracts: Mapping[str, FeatureContract]) -> None:
        self._contracts = contracts
        self._ledger = Ledger(engine)
        self._audit = AuditChain(engine)
        self._guard = Guard(self._audit)

    def features(self, account: Account, moment: datetime) -> list[RegisteredFeature]:
        """Every feature of the catalogue, in its order."""
        self._guard.area(account, Area.REGISTER, moment)
        used = {name for row in self._ledger.rows() for name in row.features}
        today = moment.astimezone(AMSTERDAM).date()
        found = []
        for feature in CATALOGUE:
            contract = self._contracts.get(feature.name)
            status = status_of(feature, contract, today)
            found.append(RegisteredFeature(feature, contract, status, feature.name in used))
        return found

    def uses(
        self, account: Account, page: int, moment: datetime
    ) -> tuple[tuple[LedgerRow, ...], bool]:
        """Page `page` (from 0) of the ledger, newest first, and whether there are older rows."""
        self._guard.area(account, Area.LEDGER, moment)
        self._audit.append(moment, account.email, account.role, "ledger_seen")
        rows = self._ledger.rows(limit=(page + 1) * PAGE + 1)
        return tuple(rows[page * PAGE : (page + 1) * PAGE]), len(rows) > (page + 1) * PAGE

    def chain(self, account: Account, page: int, moment: datetime) -> ChainState:
        """The audit chain, checked whole, with page `page` (from 0) of its events."""
        self._guard.area(account, Area.AUDIT, moment)
        head = self._audit.append(moment, account.email, account.role, "audit_seen")
        rows = self._audit.rows(limit=(page + 1) * PAGE + 1)
        return ChainState(
            verdict=self._audit.verify(head),
            ledger_problems=self._ledger.verify(),
            head=head,
            rows=tuple(rows[page * PAGE : (page + 1) * PAGE]),
            has_older=len(rows) > (page + 1) * PAGE,
        )
