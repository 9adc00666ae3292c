"""What a privacy officer sees of one feature and decides on it; and the emergency stop."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

import sqlalchemy as sa

from features.catalogue import CATALOGUE, Feature
from features.errors import GateRefused, NotThere
from features.governance.approvals import Approvals, ContractDecision, ContractEvent, expiring
from features.governance.audit import AuditChain
from features.governance.contracts import FeatureContract
from features.governance.ledger import Ledger, LedgerRow
from features.governance.stops import EVERYWHERE, EmergencyStops, Stop
from features.governance.use import Action, Purpose, Use
from features.records import RecordLog
from features.school_weeks import AMSTERDAM
from features.settings import Home
from features.store import FeatureStore
from serving.access import Area, Guard, may_visit
from serving.accounts import Account
from serving.facts import school_names
from serving.models_in_use import KnownModel, ModelsInUse
from serving.registers import ContractStatus, status_of
from serving.tables import LISTS


@dataclass(frozen=True)
class FollowedFeature:
    """One feature from its source columns to the lists it had a part in."""

    feature: Feature
    contract: FeatureContract | None
    status: ContractStatus
    history: tuple[ContractDecision, ...]
    uses: tuple[LedgerRow, ...]
    models: tuple[KnownModel, ...]
    weeks: tuple[date, ...]
    schools: int


@dataclass(frozen=True)
class Decided:
    """What came of a decision. `models` are the versions that can no longer score."""

    feature: str
    event: ContractEvent
    models: tuple[KnownModel, ...]
    mirrored: bool


class ContractDesk:
    """Contracts and stops for who may decide on them; each step stands in the audit chain."""

    def __init__(
        self,
        home: Home,
        app: sa.Engine,
        ledger: sa.Engine,
        contracts: Mapping[str, FeatureContract],
        models: ModelsInUse,
    ) -> None:
        self._home = home
        self._contracts = contracts
        self._models = models
        self._approvals = Approvals(ledger)
        self._stops = EmergencyStops(ledger)
        self._ledger = Ledger(ledger)
        self._app = app
        self._audit = AuditChain(ledger)
        self._guard = Guard(self._audit)

    def follow(self, account: Account, name: str, moment: datetime) -> FollowedFeature:
        """Everything about one feature; anyone who may see the register may follow it."""
        self._guard.area(account, Area.REGISTER, moment)
        feature = _known(name)
        contract = self._approvals.in_force(self._contracts).get(name)
        newest = self._approvals.newest().get(name)
        models = self._models.needing(name)
        weeks, schools = self._published_with(models)
        return FollowedFeature(
            feature=feature,
            contract=contract,
            status=status_of(feature, contract, _today(moment), newest),
            history=tuple(self._approvals.history(name)),
            uses=tuple(row for row in self._ledger.rows() if name in row.features),
            models=models,
            weeks=weeks,
            schools=schools,
        )

    def decide(
        self,
        account: Account,
        name: str,
        event: ContractEvent,
        moment: datetime,
        *,
        expires_on: date | None = None,
        reason: str = "",
    ) -> Decided:
        """Keep a decision, and let the tags in Feast say the same where they can.

        The next weekly run mirrors what could not be mirrored now (a gate that refuses).
        """
        self._guard.area(account, Area.CONTRACTS, moment)
        _known(name)
        if name not in self._contracts:
            raise NotThere(f"{name} has no contract to decide on; run `tijdig privacy contracts`")
        self._approvals.decide(
            self._contracts[name],
            event,
            account.email,
            account.role,
            moment,
            expires_on=expires_on,
            reason=reason,
        )
        stops = event is not ContractEvent.APPROVED
        return Decided(
            name, event, self._models.needing(name) if stops else (), self._mirror(account, moment)
        )

    def warnings(self, moment: datetime) -> dict[int, tuple[str, ...]]:
        """Features that expire within 60, 30 or 7 days."""
        return expiring(self._approvals.in_force(self._contracts), _today(moment))

    def notices(self, account: Account, moment: datetime) -> tuple[str, ...]:
        """What anyone who works with lists must know now: stopped, or no new list and why.

        Shown on every page of a care coordinator (of the own schools) and a privacy officer.
        """
        if not may_visit(account, Area.LIST) and not may_visit(account, Area.CONTRACTS):
            return ()
        told = [_stopped(stop) for stop in self._stops_for(account)]
        in_use = next((one for one in self._models.all() if one.in_use), None)
        needed = in_use.features if in_use else ()
        contracts, aside = self._approvals.in_force(self._contracts), self._approvals.set_aside()
        reasons = standing_reasons(contracts, aside, needed, moment)
        if reasons:
            more = f" en nog {len(reasons) - 1}" if len(reasons) > 1 else ""
            told.append(
                "Er komt geen nieuwe lijst: het model heeft een kenmerk nodig dat nu niet gebruikt "
                f"mag worden ({reasons[0]}{more}). Lijsten die er al waren, blijven staan."
            )
        return tuple(told)

    def _stops_for(self, account: Account) -> Sequence[Stop]:
        mine = account.schools | {EVERYWHERE}
        everything = may_visit(account, Area.CONTRACTS)
        return [stop for code, stop in self._stops.standing().items() if everything or code in mine]

    def may_decide(self, account: Account, moment: datetime) -> None:
        """Refuse who may not decide on contracts or stop lists."""
        self._guard.area(account, Area.CONTRACTS, moment)

    def schools(self, moment: datetime) -> Sequence[tuple[str, str]]:
        """Code and name of every school."""
        return sorted(school_names(RecordLog(self._home.records), moment).items())

    def stops(self) -> Mapping[str, Stop]:
        """The stops that stand, by school; EVERYWHERE for all."""
        return self._stops.standing()

    def stop(self, account: Account, school: str, reason: str, moment: datetime) -> None:
        """Stop the lists of one school or of all."""
        self._guard.area(account, Area.CONTRACTS, moment)
        self._known_school(school, moment)
        self._stops.stop(school, reason, account.email, account.role, moment)

    def lift(self, account: Account, school: str, reason: str, moment: datetime) -> None:
        """Let the lists go on."""
        self._guard.area(account, Area.CONTRACTS, moment)
        self._known_school(school, moment)
        self._stops.lift(school, reason, account.email, account.role, moment)

    def _known_school(self, school: str, moment: datetime) -> None:
        if school != EVERYWHERE and school not in dict(self.schools(moment)):
            raise NotThere("there is no such school; choose one from the page")

    def _mirror(self, account: Account, moment: datetime) -> bool:
        if not (self._home.feast / "definitions.py").exists():
            return False
        use = Use(account.email, account.role, Purpose.EARLY_WARNING, Action.APPLY, moment)
        try:
            FeatureStore.at(self._home).apply(replace(use, action=Action.APPLY))
        except GateRefused:
            return False
        return True

    def _published_with(self, models: Sequence[KnownModel]) -> tuple[tuple[date, ...], int]:
        versions = [str(one.version) for one in models]
        query = sa.select(LISTS.c.school, LISTS.c.as_of).where(LISTS.c.model_version.in_(versions))
        with self._app.begin() as connection:
            found = connection.execute(query).all()
        weeks = tuple(sorted({row.as_of for row in found}, reverse=True))
        return weeks, len({row.school for row in found})


def _stopped(stop: Stop) -> str:
    where = "alle scholen" if stop.school == EVERYWHERE else f"school {stop.school}"
    day = stop.since.astimezone(AMSTERDAM)
    return f"De lijsten van {where} zijn stilgelegd sinds {day:%d-%m-%Y}: {stop.reason}"


def standing_reasons(
    contracts: Mapping[str, FeatureContract],
    set_aside: Mapping[str, ContractDecision],
    needed: Sequence[str],
    moment: datetime,
) -> tuple[str, ...]:
    """Why no list can be made today with a model that needs these features, in Dutch."""
    today = _today(moment)
    labels = {one.name: one.label_nl for one in CATALOGUE}
    told: list[str] = []
    for name in needed:
        label = labels.get(name, name)
        contract = contracts.get(name)
        if name in set_aside:
            told.append(f"{label}: {set_aside[name].event.label}")
        elif contract is None or contract.approved_on is None:
            told.append(f"{label}: niet goedgekeurd")
        elif contract.expires_on <= today:
            told.append(f"{label}: goedkeuring verlopen op {contract.expires_on:%d-%m-%Y}")
    return tuple(told)


def _known(name: str) -> Feature:
    found = next((one for one in CATALOGUE if one.name == name), None)
    if found is None:
        raise NotThere("there is no such feature; choose one from the register")
    return found


def _today(moment: datetime) -> date:
    return moment.astimezone(AMSTERDAM).date()
