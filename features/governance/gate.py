"""The gate: may these features be used for this? Asked before every use, and it fails closed."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from sqlalchemy import Engine, select
from sqlalchemy.exc import SQLAlchemyError

from features.errors import GateRefused
from features.governance.approvals import Approvals, ContractDecision, ContractEvent
from features.governance.contracts import FeatureContract, contract_hash
from features.governance.database import (
    as_text,
    canonical,
    decisions,
    experimental_uses,
    writing,
)
from features.governance.use import Action, Purpose, Use
from features.school_weeks import AMSTERDAM
from features.vocabulary import Role


@dataclass(frozen=True)
class Decision:
    """What the gate decided and why; `number` is its row in the ledger database.

    `experimental` names the features that only an experiment's permission let through.
    """

    number: int
    use: Use
    features: tuple[str, ...]
    contract_hash: str
    reasons: tuple[str, ...]
    experimental: tuple[str, ...] = ()

    @property
    def allowed(self) -> bool:
        """No reason to refuse was found."""
        return not self.reasons


class Gate:
    """Holds the contracts, packaged and as decided in the app, and keeps every decision."""

    def __init__(self, contracts: Mapping[str, FeatureContract], engine: Engine) -> None:
        self._packaged = dict(contracts)
        self._engine = engine
        self._approvals = Approvals(engine)

    @property
    def contracts(self) -> Mapping[str, FeatureContract]:
        """The contracts by feature name, as they stand now."""
        return self._approvals.in_force(self._packaged)

    @property
    def set_aside(self) -> Mapping[str, ContractDecision]:
        """The features that were switched off or refused; no service offers them."""
        return self._approvals.set_aside()

    def check(self, definitions: Mapping[str, str], use: Use) -> Decision:
        """Decide on a use of features, given as name -> hash of the definition in force.

        The decision is stored first; a refusal then raises `GateRefused` with all its reasons.
        """
        try:
            terms = self._terms(use)
            reasons = tuple(_reasons(definitions, use, terms))
            known = [terms.contracts[name] for name in definitions if name in terms.contracts]
            features, version = tuple(sorted(definitions)), contract_hash(known)
            tried = () if reasons else tuple(terms.tried(features, use))
            number = self._store(use, features, version, reasons, tried)
        except SQLAlchemyError as problem:
            raise GateRefused(
                "the gate's decision cannot be stored, so nothing may be used; check that the "
                "ledger database can be written"
            ) from problem
        decision = Decision(number, use, features, version, reasons, tried)
        if not decision.allowed:
            raise GateRefused(
                f"{use.action} for {use.purpose} by {use.actor} is refused (decision "
                f"{decision.number}): {'; '.join(reasons)}. Ask the privacy officer to look at "
                "these contracts"
            )
        return decision

    def _terms(self, use: Use) -> "_Terms":
        today = use.moment.astimezone(AMSTERDAM).date()
        experiments = self._approvals.experiments(self._packaged, today)
        return _Terms(self.contracts, self.set_aside, experiments, today, self._tried_in(use.run))

    def _tried_in(self, run: str) -> frozenset[str]:
        """The features that `run` had by an experiment's permission only."""
        if not run:
            return frozenset()
        query = select(experimental_uses.c.features).where(experimental_uses.c.run == run)
        with self._engine.connect() as connection:
            found = [json.loads(text) for text in connection.scalars(query)]
        return frozenset(name for names in found for name in names)

    def _store(
        self,
        use: Use,
        features: tuple[str, ...],
        version: str,
        reasons: tuple[str, ...],
        tried: tuple[str, ...],
    ) -> int:
        row = {
            "moment": as_text(use.moment),
            "actor": use.actor,
            "role": use.role.value,
            "purpose": use.purpose.value,
            "action": use.action.value,
            "run": use.run,
            "allowed": not reasons,
            "features": canonical(features),
            "contract_hash": version,
            "reasons": canonical(reasons),
        }
        with writing(self._engine) as connection:
            key = connection.execute(decisions.insert().values(**row)).inserted_primary_key
            assert key is not None
            number = int(key[0])
            if tried:
                kept = {"decision": number, "run": use.run, "features": canonical(tried)}
                connection.execute(experimental_uses.insert().values(**kept))
        return number


@dataclass(frozen=True)
class _Terms:
    """All that a decision on one use is taken on."""

    contracts: Mapping[str, FeatureContract]
    set_aside: Mapping[str, ContractDecision]
    experiments: frozenset[str]
    today: date
    tried_before: frozenset[str]

    def tried(self, features: Iterable[str], use: Use) -> Iterator[str]:
        """The features that this use gets by an experiment's permission only."""
        if use.action is Action.TRAIN:
            for name in features:
                contract = self.contracts[name]
                if name in self.experiments and contract.approved_on is None:
                    yield name


def _reasons(definitions: Mapping[str, str], use: Use, terms: _Terms) -> Iterator[str]:
    if not definitions:
        yield "no feature was named"
    if use.purpose is Purpose.RIGHTS:
        # What is known about a pupil is told on request, whatever the terms say.
        if use.action is not Action.SHOW or use.role is not Role.PRIVACY_OFFICER:
            yield "for the rights of a pupil, a privacy officer may look and nothing else"
        return
    if use.action is Action.PROMOTE and terms.tried_before:
        yield (
            "the run was an experiment and is never promoted: "
            f"{', '.join(sorted(terms.tried_before))}"
        )
    by_problem: dict[str, list[str]] = {}
    for name in sorted(definitions):
        for problem in _problems(name, definitions[name], use, terms):
            by_problem.setdefault(problem, []).append(name)
    for problem, names in by_problem.items():
        yield f"{problem}: {', '.join(names)}"


def _problems(name: str, definition_hash: str, use: Use, terms: _Terms) -> Iterator[str]:
    contract = terms.contracts.get(name)
    if contract is None:
        yield "no contract"
        return
    if contract.definition_hash != definition_hash:
        yield "the definition or the code that computes it changed since it was approved"
    if name in terms.set_aside:
        decided = terms.set_aside[name]
        yield f"{_SET_ASIDE[decided.event]} by the privacy officer on {decided.moment:%Y-%m-%d}"
    elif use.action is Action.TRAIN and name in terms.experiments:
        return
    elif contract.approved_on is None or not contract.approved_by:
        yield "not approved"
    elif terms.today < contract.approved_on:
        yield f"approved only from {contract.approved_on}"
    if terms.today >= contract.expires_on:
        yield f"the contract expired on {contract.expires_on}"
    if use.purpose not in contract.purpose:
        yield f"not approved for the purpose {use.purpose}"
    if not contract.uses.permits(use.action):
        yield f"{use.action} is not among the allowed uses"


_SET_ASIDE = {
    ContractEvent.SWITCHED_OFF: "switched off",
    ContractEvent.REFUSED: "refused",
}
