"""The ledger: one row per retrieval of features, written before the data are returned."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Engine, RowMapping, desc, select
from sqlalchemy.exc import SQLAlchemyError

from features.errors import GateRefused
from features.governance.audit import AuditChain
from features.governance.database import as_text, canonical, ledger, writing
from features.governance.gate import Decision
from features.governance.use import Action, Purpose, Use
from features.vocabulary import Role

RETRIEVED = "features_retrieved"


@dataclass(frozen=True)
class LedgerRow:
    """One retrieval: who, for what, which features, of how many pupils of which schools."""

    number: int
    moment: datetime
    actor: str
    role: Role
    purpose: Purpose
    action: Action
    run: str
    service: str
    features: tuple[str, ...]
    contract_hash: str
    pupils: int
    schools: tuple[str, ...]
    decision: int


class Ledger:
    """Write a row for each use of features, and read them back."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._chain = AuditChain(engine)

    def record(
        self,
        use: Use,
        service: str,
        features: Sequence[str],
        contract_hash: str,
        pupils: int,
        schools: Sequence[str],
        decision: Decision,
    ) -> int:
        """Write the row and its seal in the audit chain, both or neither; the row's number.

        Raises `GateRefused` when it cannot be written: no row, no data.
        """
        row = {
            "moment": as_text(use.moment),
            "actor": use.actor,
            "role": use.role.value,
            "purpose": use.purpose.value,
            "action": use.action.value,
            "run": use.run,
            "service": service,
            "features": canonical(list(features)),
            "contract_hash": contract_hash,
            "pupils": pupils,
            "schools": canonical(sorted(schools)),
            "decision": decision.number,
        }
        try:
            with writing(self._engine) as connection:
                key = connection.execute(ledger.insert().values(**row)).inserted_primary_key
                assert key is not None
                seal: dict[str, str | int] = {"ledger": int(key[0]), "sha256": _fingerprint(row)}
                self._chain.append(
                    use.moment, use.actor, use.role, RETRIEVED, detail=seal, connection=connection
                )
        except SQLAlchemyError as problem:
            raise GateRefused(
                "the use of features cannot be written to the ledger, so nothing was returned; "
                "check that the ledger database can be written"
            ) from problem
        return int(key[0])

    def rows(self, *, run: str | None = None, limit: int | None = None) -> list[LedgerRow]:
        """The uses, newest first; all of them or those of one run."""
        query = select(ledger).order_by(desc(ledger.c.id)).limit(limit)
        if run is not None:
            query = query.where(ledger.c.run == run)
        with self._engine.connect() as connection:
            return [_row(row) for row in connection.execute(query).mappings()]

    def verify(self) -> tuple[str, ...]:
        """Problems of the rows against their seals in the audit chain; check the chain itself too.

        Altered and removed rows are found, and rows that were slipped in without a seal.
        """
        seals = {int(row.detail["ledger"]): row for row in self._chain.rows(event=RETRIEVED)}
        with self._engine.connect() as connection:
            stored = {row["id"]: row for row in connection.execute(select(ledger)).mappings()}
        problems = []
        for number in sorted(seals.keys() | stored.keys()):
            if number not in stored:
                problems.append(f"ledger row {number}: was removed")
            elif number not in seals:
                problems.append(f"ledger row {number}: has no seal in the audit chain")
            elif seals[number].detail["sha256"] != _fingerprint(stored[number]):
                problems.append(f"ledger row {number}: its content was altered")
        return tuple(problems)


def _fingerprint(row: RowMapping | dict[str, Any]) -> str:
    content = {name: value for name, value in row.items() if name != "id"}
    return hashlib.sha256(canonical(content).encode()).hexdigest()


def _row(row: RowMapping) -> LedgerRow:
    return LedgerRow(
        number=row["id"],
        moment=datetime.fromisoformat(row["moment"]),
        actor=row["actor"],
        role=Role(row["role"]),
        purpose=Purpose(row["purpose"]),
        action=Action(row["action"]),
        run=row["run"],
        service=row["service"],
        features=tuple(json.loads(row["features"])),
        contract_hash=row["contract_hash"],
        pupils=row["pupils"],
        schools=tuple(json.loads(row["schools"])),
        decision=row["decision"],
    )
