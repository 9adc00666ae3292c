"""Registers for the privacy officer: features with their contracts, the ledger, the audit chain."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

import sqlalchemy as sa

from features.catalogue import CATALOGUE, Feature
from features.governance.approvals import Approvals, ContractDecision, ContractEvent
from features.governance.audit import AuditChain, AuditHead, AuditRow, AuditVerdict
from features.governance.contracts import FeatureContract
from features.governance.erasures import Erasures
from features.governance.heads import SignedHead
from features.governance.ledger import Ledger, LedgerRow
from features.governance.renewals import Renewals
from features.governance.stops import EmergencyStops
from features.governance.use import Purpose
from features.school_weeks import AMSTERDAM
from features.vocabulary import Role
from serving.access import Area, Guard
from serving.accounts import Account
from serving.exceptions import Noticed, noticed
from serving.proportionality import Proportionalities, Weighed
from serving.retention import Proofs

SOON = timedelta(days=60)
PAGE = 50


class ContractStatus(StrEnum):
    """How a feature stands with its contract today; all but the first two stop its use."""

    APPROVED = "approved"
    EXPIRES_SOON = "expires_soon"
    EXPIRED = "expired"
    SWITCHED_OFF = "switched_off"
    REFUSED = "refused"
    EXPERIMENT = "experiment"
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
    ContractStatus.SWITCHED_OFF: "Uitgezet",
    ContractStatus.REFUSED: "Afgekeurd",
    ContractStatus.EXPERIMENT: "Alleen voor een proef",
    ContractStatus.CHANGED: "Gewijzigd na goedkeuring",
    ContractStatus.NOT_APPROVED: "Niet goedgekeurd",
    ContractStatus.NO_CONTRACT: "Geen contract",
}


_STATUS_AFTER = {
    ContractEvent.SWITCHED_OFF: ContractStatus.SWITCHED_OFF,
    ContractEvent.REFUSED: ContractStatus.REFUSED,
    ContractEvent.EXPERIMENT: ContractStatus.EXPERIMENT,
}


def status_of(
    feature: Feature,
    contract: FeatureContract | None,
    today: date,
    decided: ContractDecision | None = None,
) -> ContractStatus:
    """How `feature` stands with `contract`, as decided in the app, on `today`."""
    if contract is None:
        return ContractStatus.NO_CONTRACT
    if decided is not None and decided.event in _STATUS_AFTER:
        return _STATUS_AFTER[decided.event]
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
    """A feature with its contract and its use as the ledger has it.

    `without_leave`: it was retrieved although the gate did not allow it; there is no such case
    unless somebody changed the database. `importance` is the share of the model in use, if known;
    `worth` what the lists lose without it, or else without its theme, once measured.
    """

    feature: Feature
    contract: FeatureContract | None
    status: ContractStatus
    uses: int = 0
    first_used: datetime | None = None
    last_used: datetime | None = None
    without_leave: bool = False
    importance: float | None = None
    worth: Weighed | None = None


@dataclass(frozen=True)
class ChainState:
    """What checking the chain and the ledger found, and a page of events, newest first."""

    verdict: AuditVerdict
    ledger_problems: tuple[str, ...]
    head: AuditHead
    rows: tuple[AuditRow, ...]
    has_older: bool


@dataclass(frozen=True)
class Selection:
    """Which part of the ledger to show; an empty field leaves out nothing.

    `month` is a year and a month, as in 2026-11.
    """

    feature: str = ""
    purpose: str = ""
    role: str = ""
    month: str = ""

    def holds(self, row: LedgerRow) -> bool:
        """Whether a row belongs to this part."""
        return (
            (not self.feature or self.feature in row.features)
            and (not self.purpose or self.purpose == row.purpose)
            and (not self.role or self.role == row.role)
            and (not self.month or self.month == month_of(row))
        )


@dataclass(frozen=True)
class PivotLine:
    """How often features were retrieved for one purpose by one role in one month.

    `pupils` is the largest number in one retrieval: the same pupils come every week.
    """

    month: str
    purpose: Purpose
    role: Role
    retrievals: int
    features: int
    pupils: int


class Registers:
    """Reads the registers for accounts that may; looking at the logs is itself logged."""

    def __init__(
        self,
        engine: sa.Engine,
        contracts: Mapping[str, FeatureContract],
        importance: Callable[[], Mapping[str, float]] = dict,
        proportionalities: Proportionalities | None = None,
    ) -> None:
        self._contracts = contracts
        self._importance = importance
        self._proportionalities = proportionalities
        self._approvals = Approvals(engine)
        self._stops = EmergencyStops(engine)
        self._erasures = Erasures(engine)
        self._renewals = Renewals(engine)
        self._proofs = Proofs(engine)
        self._ledger = Ledger(engine)
        self._audit = AuditChain(engine)
        self._guard = Guard(self._audit)

    def features(self, account: Account, moment: datetime) -> list[RegisteredFeature]:
        """Every feature of the catalogue, in its order."""
        self._guard.area(account, Area.REGISTER, moment)
        rows = self._ledger.rows()
        forbidden = self._ledger.without_leave()
        in_force, newest = self._approvals.in_force(self._contracts), self._approvals.newest()
        importance, worth = self._importance(), self._worth(in_force)
        today = moment.astimezone(AMSTERDAM).date()
        found = []
        for feature in CATALOGUE:
            contract = in_force.get(feature.name)
            moments = [row.moment for row in rows if feature.name in row.features]
            found.append(
                RegisteredFeature(
                    feature=feature,
                    contract=contract,
                    status=status_of(feature, contract, today, newest.get(feature.name)),
                    uses=len(moments),
                    first_used=min(moments, default=None),
                    last_used=max(moments, default=None),
                    without_leave=any(
                        row.number in forbidden and feature.name in row.features for row in rows
                    ),
                    importance=importance.get(feature.name),
                    worth=worth.get(feature.name) or worth.get(feature.theme.value),
                )
            )
        return found

    def _worth(self, contracts: Mapping[str, FeatureContract]) -> dict[str, Weighed]:
        """What was measured, by the name of the feature or theme."""
        found = self._proportionalities.newest(contracts) if self._proportionalities else None
        return {one.name: one for one in (*found.themes, *found.features)} if found else {}

    def all_uses(
        self, account: Account, moment: datetime, selection: Selection = Selection()
    ) -> tuple[LedgerRow, ...]:
        """A part of the ledger, newest first."""
        self._guard.area(account, Area.LEDGER, moment)
        self._audit.append(moment, account.email, account.role, "ledger_seen")
        return tuple(row for row in self._ledger.rows() if selection.holds(row))

    def export_uses(
        self, account: Account, moment: datetime, selection: Selection
    ) -> tuple[tuple[LedgerRow, ...], dict[int, bytes]]:
        """A part of the ledger to be taken out, with the sealed sets of pupils; written down."""
        rows = self.all_uses(account, moment, selection)
        self.write_export(account, "ledger_exported", len(rows), moment)
        return rows, self._ledger.sealed_sets()

    def write_export(self, account: Account, event: str, rows: int, moment: datetime) -> None:
        """Say in the chain that something was taken out of the system."""
        detail: dict[str, str | int] = {"rows": rows}
        self._audit.append(moment, account.email, account.role, event, detail=detail)

    def exceptions(self, account: Account, moment: datetime) -> tuple[Noticed, ...]:
        """Looks that stand out, newest first."""
        self._guard.area(account, Area.AUDIT, moment)
        self._audit.append(moment, account.email, account.role, "exceptions_seen")
        return noticed(self._audit.rows())

    def sign_head(self, account: Account, moment: datetime) -> SignedHead | None:
        """Sign the newest row of a chain that is whole, to be kept elsewhere."""
        self._guard.area(account, Area.AUDIT, moment)
        self._audit.append(moment, account.email, account.role, "audit_head_signed")
        if self._audit.heads is None or not self._audit.verify().intact:
            return None
        return self._audit.heads.sign(moment)

    def chain(self, account: Account, page: int, moment: datetime) -> ChainState:
        """The audit chain, checked whole, with page `page` (from 0) of its events."""
        self._guard.area(account, Area.AUDIT, moment)
        head = self._audit.append(moment, account.email, account.role, "audit_seen")
        rows = self._audit.rows(limit=(page + 1) * PAGE + 1)
        return ChainState(
            verdict=self._audit.verify(head),
            ledger_problems=(
                *self._ledger.verify(),
                *self._approvals.verify(),
                *self._stops.verify(),
                *self._erasures.verify(),
                *self._renewals.verify(),
                *self._proofs.verify(),
            ),
            head=head,
            rows=tuple(rows[page * PAGE : (page + 1) * PAGE]),
            has_older=len(rows) > (page + 1) * PAGE,
        )


def pivot(rows: Iterable[LedgerRow]) -> tuple[PivotLine, ...]:
    """The ledger counted by month, purpose and role; the newest month on top."""
    groups: dict[tuple[str, Purpose, Role], list[LedgerRow]] = {}
    for row in rows:
        groups.setdefault((month_of(row), row.purpose, row.role), []).append(row)
    lines = [
        PivotLine(
            month,
            purpose,
            role,
            retrievals=len(members),
            features=len({name for row in members for name in row.features}),
            pupils=max(row.pupils for row in members),
        )
        for (month, purpose, role), members in groups.items()
    ]
    lines.sort(key=lambda line: (line.purpose, line.role))
    return tuple(sorted(lines, key=lambda line: line.month, reverse=True))


@dataclass(frozen=True)
class FeatureCount:
    """How often one feature was retrieved, for what, by whom and in which months."""

    feature: Feature
    retrievals: int
    purposes: tuple[Purpose, ...]
    roles: tuple[Role, ...]
    first_month: str
    last_month: str


def by_feature(rows: Sequence[LedgerRow]) -> tuple[FeatureCount, ...]:
    """The ledger counted by feature, in the order of the catalogue; those that were retrieved."""
    found = []
    for feature in CATALOGUE:
        theirs = [row for row in rows if feature.name in row.features]
        if theirs:
            months = sorted(month_of(row) for row in theirs)
            found.append(
                FeatureCount(
                    feature,
                    len(theirs),
                    tuple(sorted({row.purpose for row in theirs})),
                    tuple(sorted({row.role for row in theirs})),
                    months[0],
                    months[-1],
                )
            )
    return tuple(found)


def month_of(row: LedgerRow) -> str:
    """The year and month in Amsterdam, as in 2026-11."""
    return f"{row.moment.astimezone(AMSTERDAM):%Y-%m}"
