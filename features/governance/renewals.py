"""Which renewals of pseudonyms there were: when, why, how much changed, and the lists resealed."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Connection, Engine, update

from features.governance.database import (
    as_text,
    canonical,
    objection_events,
    renewals,
    requests,
    writing,
)
from features.governance.journal import Journal
from features.governance.log_names import LogNames
from features.governance.seals import SealedTable
from features.school_weeks import AMSTERDAM
from features.vocabulary import PupilKey, Role

RENEWED = "pseudonyms_renewed"
MONTH_OF_RENEWAL = 8
"""Pseudonyms are renewed once a year from the first of August, when a school year begins."""


@dataclass(frozen=True)
class Renewal:
    """One renewal. `lists` holds, per school and Monday, the fingerprint before and after."""

    moment: datetime
    version: int
    reason: str
    changed: Mapping[str, int]
    lists: Mapping[str, Mapping[date, tuple[str, str]]]


class Renewals:
    """The renewals of this installation, each sealed in the audit chain."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._sealed = SealedTable(engine, renewals, "renewal", frozenset({RENEWED}))

    def complete(
        self, journal: Journal, renewed: Mapping[PupilKey, PupilKey], actor: str, role: Role
    ) -> None:
        """Rewrite what stands in the ledger database and write the renewal down, all or nothing.

        Done once: when this version stands there already, nothing happens. The audit chain and the
        sets of the ledger stay as they are; what leads to them follows the new pseudonyms.
        """
        moment = datetime.fromisoformat(journal.moment)
        if any(one.version == journal.version for one in self.all()):
            return
        with writing(self._engine) as connection:
            changed = {
                **journal.changed,
                "names_in_log": LogNames(self._engine).renew(connection, renewed),
                "objections_and_requests": _rename(connection, renewed),
            }
            row = {
                "moment": as_text(moment),
                "version": journal.version,
                "reason": journal.reason,
                "changed": canonical(changed),
                "lists": canonical(journal.lists or {}),
            }
            self._sealed.insert(connection, RENEWED, moment, actor, role, row, detail=changed)
        self._sealed.chain.witness(moment)

    def all(self) -> list[Renewal]:
        """The renewals, oldest first."""
        return [
            Renewal(
                moment=datetime.fromisoformat(row["moment"]),
                version=row["version"],
                reason=row["reason"],
                changed=json.loads(row["changed"]),
                lists={
                    school: {
                        date.fromisoformat(day): (before, now)
                        for day, (before, now) in weeks.items()
                    }
                    for school, weeks in json.loads(row["lists"]).items()
                },
            )
            for row in self._sealed.sealed_rows()
        ]

    def verify(self) -> tuple[str, ...]:
        """What is wrong with the stored renewals."""
        return self._sealed.verify()


def due_since(today: date, last: date | None) -> date | None:
    """The first of August since which a renewal is due; None while there is no need.

    `last` is the day of the last renewal, or of the first use when there was none.

    >>> due_since(date(2026, 11, 16), date(2026, 8, 3)), due_since(date(2026, 11, 16), None)
    (None, None)
    >>> due_since(date(2027, 8, 1), date(2026, 8, 3))
    datetime.date(2027, 8, 1)
    """
    year = today.year if today.month >= MONTH_OF_RENEWAL else today.year - 1
    newest = date(year, MONTH_OF_RENEWAL, 1)
    return newest if last is not None and last < newest else None


def local_day(moment: datetime) -> date:
    """The day of a moment in Amsterdam."""
    return moment.astimezone(AMSTERDAM).date()


def _rename(connection: Connection, renewed: Mapping[PupilKey, PupilKey]) -> int:
    changed = 0
    for table in (objection_events, requests):
        theirs = {row.pupil_key for row in connection.execute(table.select())}
        for old in sorted(theirs & renewed.keys()):
            statement = update(table).where(table.c.pupil_key == old)
            changed += connection.execute(statement.values(pupil_key=renewed[old])).rowcount
    return changed
