"""Rows of other tables sealed in the audit chain: altered, removed and slipped-in rows show."""

import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, RowMapping, Table, func, select

from features.governance.audit import AuditChain
from features.governance.database import canonical
from features.vocabulary import Role


class SealedTable:
    """A table of the ledger database in which every row has its seal in the audit chain.

    `reference` is the name under which the seal tells the number of the row; `events` are the
    events of the chain that seal rows of this table.
    """

    def __init__(self, engine: Engine, table: Table, reference: str, events: frozenset[str]):
        self._engine = engine
        self._table = table
        self._reference = reference
        self._events = events
        number = table.c.id
        self._newest = select(func.coalesce(func.max(number), 0), func.count(number))
        self._read: tuple[tuple[int, int], tuple[RowMapping, ...]] | None = None
        self.chain = AuditChain(engine)

    def insert(
        self,
        connection: Connection,
        event: str,
        moment: datetime,
        actor: str,
        role: Role,
        row: Mapping[str, Any],
        *,
        subject: str = "",
        school: str = "",
        detail: Mapping[str, str | int] | None = None,
    ) -> int:
        """Write the row and its seal in the transaction of `connection`; the row's number."""
        assert event in self._events
        key = connection.execute(self._table.insert().values(**row)).inserted_primary_key
        assert key is not None
        number = int(key[0])
        seal = {self._reference: number, "sha256": fingerprint(row), **(detail or {})}
        self.chain.append(moment, actor, role, event, subject, school, seal, connection=connection)
        return number

    def seals(self) -> dict[int, Mapping[str, str | int]]:
        """The detail of every seal, by the number of its row."""
        return {
            int(row.detail[self._reference]): row.detail
            for event in sorted(self._events)
            for row in self.chain.rows(event=event)
        }

    def sealed_rows(self) -> list[RowMapping]:
        """The rows whose seal is there and fits, in order; what was slipped in does not count.

        Rows are only ever added, so they are read and checked again when there are others than
        before: every page asks for them. `verify` always reads all of it.
        """
        now = self._state()
        if self._read is None or self._read[0] != now:
            seals = self.seals()
            rows = tuple(
                row
                for row in self._stored().values()
                if row["id"] in seals and seals[row["id"]]["sha256"] == fingerprint(row)
            )
            self._read = (now, rows)
        return list(self._read[1])

    def verify(self) -> tuple[str, ...]:
        """What is wrong with the rows, in words; check the chain itself too."""
        seals, stored = self.seals(), self._stored()
        problems = []
        for number in sorted(seals.keys() | stored.keys()):
            here = f"{self._table.name} row {number}"
            if number not in stored:
                problems.append(f"{here}: was removed")
            elif number not in seals:
                problems.append(f"{here}: has no seal in the audit chain")
            elif seals[number]["sha256"] != fingerprint(stored[number]):
                problems.append(f"{here}: its content was altered")
        return tuple(problems)

    def _state(self) -> tuple[int, int]:
        """The last number and how many rows there are: another state, other rows."""
        with self._engine.connect() as connection:
            last, number = connection.execute(self._newest).one()
        return int(last), int(number)

    def _stored(self) -> dict[int, RowMapping]:
        ordered = select(self._table).order_by(self._table.c.id)
        with self._engine.connect() as connection:
            return {row["id"]: row for row in connection.execute(ordered).mappings()}


def fingerprint(row: Mapping[str, Any] | RowMapping) -> str:
    """SHA-256 over the content of a row; its number is not part of it."""
    content = {name: value for name, value in row.items() if name != "id"}
    return hashlib.sha256(canonical(content).encode()).hexdigest()
