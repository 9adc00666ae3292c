"""The gate: may these features be used for this? Asked before every use, and it fails closed."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from features.errors import GateRefused
from features.governance.contracts import FeatureContract, contract_hash
from features.governance.database import as_text, canonical, decisions, writing
from features.governance.use import Use
from features.school_weeks import AMSTERDAM


@dataclass(frozen=True)
class Decision:
    """What the gate decided and why; `number` is its row in the ledger database."""

    number: int
    use: Use
    features: tuple[str, ...]
    contract_hash: str
    reasons: tuple[str, ...]

    @property
    def allowed(self) -> bool:
        """No reason to refuse was found."""
        return not self.reasons


class Gate:
    """Holds the contracts and keeps every decision."""

    def __init__(self, contracts: Mapping[str, FeatureContract], engine: Engine) -> None:
        self._contracts = dict(contracts)
        self._engine = engine

    @property
    def contracts(self) -> Mapping[str, FeatureContract]:
        """The contracts by feature name."""
        return self._contracts

    def check(self, definitions: Mapping[str, str], use: Use) -> Decision:
        """Decide on a use of features, given as name -> hash of the definition in force.

        The decision is stored first; a refusal then raises `GateRefused` with all its reasons.
        """
        reasons = tuple(self._reasons(definitions, use))
        known = [self._contracts[name] for name in definitions if name in self._contracts]
        features, version = tuple(sorted(definitions)), contract_hash(known)
        decision = Decision(
            self._store(use, features, version, reasons), use, features, version, reasons
        )
        if not decision.allowed:
            raise GateRefused(
                f"{use.action} for {use.purpose} by {use.actor} is refused (decision "
                f"{decision.number}): {'; '.join(reasons)}. Ask the privacy officer to look at "
                "these contracts"
            )
        return decision

    def _reasons(self, definitions: Mapping[str, str], use: Use) -> Iterator[str]:
        if not definitions:
            yield "no feature was named"
        today = use.moment.astimezone(AMSTERDAM).date()
        by_problem: dict[str, list[str]] = {}
        for name in sorted(definitions):
            for problem in _problems(self._contracts.get(name), definitions[name], use, today):
                by_problem.setdefault(problem, []).append(name)
        for problem, names in by_problem.items():
            yield f"{problem}: {', '.join(names)}"

    def _store(
        self, use: Use, features: tuple[str, ...], version: str, reasons: tuple[str, ...]
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
        try:
            with writing(self._engine) as connection:
                key = connection.execute(decisions.insert().values(**row)).inserted_primary_key
        except SQLAlchemyError as problem:
            raise GateRefused(
                "the gate's decision cannot be stored, so nothing may be used; check that the "
                "ledger database can be written"
            ) from problem
        assert key is not None
        return int(key[0])


def _problems(
    contract: FeatureContract | None, definition_hash: str, use: Use, today: date
) -> Iterator[str]:
    if contract is None:
        yield "no contract"
        return
    if contract.definition_hash != definition_hash:
        yield "the definition changed since it was approved"
    if contract.approved_on is None or not contract.approved_by:
        yield "not approved"
    elif today < contract.approved_on:
        yield f"approved only from {contract.approved_on}"
    if today >= contract.expires_on:
        yield f"the contract expired on {contract.expires_on}"
    if use.purpose not in contract.purpose:
        yield f"not approved for the purpose {use.purpose}"
    if not contract.uses.permits(use.action):
        yield f"{use.action} is not among the allowed uses"
