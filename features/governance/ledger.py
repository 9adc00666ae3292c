"""The ledger: one row per retrieval of features, written before the data are returned."""

import functools
import hashlib
import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, RowMapping, desc, func, select
from sqlalchemy.exc import SQLAlchemyError

from features.errors import GateRefused, VaultError
from features.governance.database import (
    as_text,
    canonical,
    decisions,
    keys_folder,
    ledger,
    ledger_pupils,
    writing,
)
from features.governance.gate import Decision
from features.governance.log_names import LogNames
from features.governance.pupil_sets import PupilSets
from features.governance.seals import SealedTable
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
        self._names = LogNames(engine)
        self._sealed = SealedTable(engine, ledger, "ledger", frozenset({RETRIEVED}))

    def record(
        self,
        use: Use,
        service: str,
        features: Sequence[str],
        contract_hash: str,
        pupils: int | Collection[str],
        schools: Sequence[str],
        decision: Decision,
    ) -> int:
        """Write the row and its seal in the audit chain, both or neither; the row's number.

        `pupils` are the pseudonyms of whom it is about, kept sealed, so that "was this pupil in
        it?" can be answered; a bare number only where they cannot be told apart (a report).
        Raises `GateRefused` when it cannot be written: no row, no data.
        """
        named = () if isinstance(pupils, int) else frozenset(pupils)
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
            "pupils": pupils if isinstance(pupils, int) else len(named),
            "schools": canonical(sorted(schools)),
            "decision": decision.number,
        }
        try:
            with writing(self._engine) as connection:
                number = self._insert(connection, use, row, named)
        except SQLAlchemyError as problem:
            raise GateRefused(
                "the use of features cannot be written to the ledger, so nothing was returned; "
                "check that the ledger database can be written"
            ) from problem
        self._sealed.chain.witness(use.moment)
        return number

    def _insert(
        self,
        connection: Connection,
        use: Use,
        row: Mapping[str, Any],
        named: Collection[str],
    ) -> int:
        if not named:
            return self._sealed.insert(connection, RETRIEVED, use.moment, use.actor, use.role, row)
        highest = select(func.coalesce(func.max(ledger.c.id), 0))
        number = int(connection.execute(highest).scalar_one()) + 1
        names = self._names.given(connection, named).values()
        sealed = self._sets.seal(names, number)
        connection.execute(ledger_pupils.insert().values(ledger=number, sealed=sealed))
        return self._sealed.insert(
            connection,
            RETRIEVED,
            use.moment,
            use.actor,
            use.role,
            {"id": number, **row},
            detail={"pupils_sha256": hashlib.sha256(sealed).hexdigest()},
        )

    def about(self, pupil_key: str) -> list[LedgerRow]:
        """The uses that this pupil was in, newest first; the answer to a request for access."""
        theirs = self.holding(pupil_key, self.sealed_sets())
        return [row for row in self.rows() if row.number in theirs]

    def sealed_sets(self) -> dict[int, bytes]:
        """The sealed set of pupils of each row that has one; unreadable without the ledger's key.

        A row of a bare number of pupils (a report) has none.
        """
        with self._engine.connect() as connection:
            return {row.ledger: row.sealed for row in connection.execute(select(ledger_pupils))}

    def holding(self, pupil_key: str, sets: Mapping[int, bytes]) -> frozenset[int]:
        """The rows whose sealed set holds this pupil; also of sets that left as an export.

        An erased pupil is in none: what led to the name in the log is gone.
        Raises `VaultError` when a set was altered or does not belong to its row.
        """
        with self._engine.connect() as connection:
            name = self._names.known(connection, [pupil_key]).get(pupil_key)
        if name is None:
            return frozenset()
        return frozenset(row for row, sealed in sets.items() if self._sets.holds(sealed, row, name))

    def pupils_in(self, run: str, action: Action) -> int:
        """How many different pupils one run had for `action`, over all its retrievals.

        A training retrieves in parts, and a pupil comes back in many; 0 when only numbers are kept.
        """
        mine = {row.number for row in self.rows(run=run) if row.action is action}
        sets = {row: sealed for row, sealed in self.sealed_sets().items() if row in mine}
        return self._sets.count_together(sets)

    def rows(self, *, run: str | None = None, limit: int | None = None) -> list[LedgerRow]:
        """The uses, newest first; all of them or those of one run."""
        query = select(ledger).order_by(desc(ledger.c.id)).limit(limit)
        if run is not None:
            query = query.where(ledger.c.run == run)
        with self._engine.connect() as connection:
            return [_row(row) for row in connection.execute(query).mappings()]

    def without_leave(self) -> frozenset[int]:
        """Rows of the ledger without a decision of the gate that allowed them; there are none.

        Unless somebody wrote in the database: what can be retrieved goes past the gate first.
        """
        allowed = select(decisions.c.id).where(decisions.c.allowed)
        query = select(ledger.c.id).where(ledger.c.decision.not_in(allowed))
        with self._engine.connect() as connection:
            return frozenset(connection.scalars(query))

    def verify(self) -> tuple[str, ...]:
        """Problems of the rows against their seals in the audit chain; check the chain itself too.

        Altered and removed rows are found, and rows that were slipped in without a seal.
        """
        return (*self._sealed.verify(), *self._problems_of_sets())

    def _problems_of_sets(self) -> Iterator[str]:
        stored = self.sealed_sets()
        for number, seal in sorted(self._sealed.seals().items()):
            told = seal.get("pupils_sha256", "")
            found = hashlib.sha256(stored[number]).hexdigest() if number in stored else ""
            if told != found:
                yield f"ledger row {number}: its set of pupils was altered or removed"

    @functools.cached_property
    def _sets(self) -> PupilSets:
        folder = keys_folder(self._engine)
        if folder is None:
            raise VaultError("this ledger has no folder of keys; open it with open_ledger(home)")
        with self._engine.connect() as connection:
            before = connection.execute(select(ledger_pupils.c.ledger).limit(1)).first()
        return PupilSets(folder, sealed_before=before is not None)


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
