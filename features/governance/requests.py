"""Requests of pupils and parents under the AVG, with the clock that runs on each."""

import calendar
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import Engine, Row, Select, select, update

from features.errors import NotAllowed, NotThere
from features.governance.audit import AuditChain
from features.governance.database import as_text, requests, writing
from features.school_weeks import AMSTERDAM
from features.vocabulary import PupilKey, Role

TAKEN, HANDLED = "request_taken", "request_handled"
SOON = timedelta(days=7)
LONGEST_OUTCOME = 500


class RequestKind(StrEnum):
    """What is asked; each has its article of the AVG."""

    ACCESS = "access"
    CORRECTION = "correction"
    OBJECTION = "objection"
    ERASURE = "erasure"

    @property
    def label(self) -> str:
        """The Dutch words that people read.

        >>> RequestKind.ACCESS.label
        'inzage (artikel 15)'
        """
        return _LABELS[self]


_LABELS = {
    RequestKind.ACCESS: "inzage (artikel 15)",
    RequestKind.CORRECTION: "correctie (artikel 16)",
    RequestKind.OBJECTION: "bezwaar (artikel 21)",
    RequestKind.ERASURE: "wissen (artikel 17)",
}


@dataclass(frozen=True)
class Request:
    """One request. `pupil_key` is empty once the pupil was erased; `handled_at` None: open."""

    request_id: str
    received_at: datetime
    kind: RequestKind
    school: str
    pupil_key: PupilKey
    taken_by: str
    due_on: date
    handled_at: datetime | None
    outcome: str

    def days_left(self, today: date) -> int:
        """Days until the answer is due; negative when it is late."""
        return (self.due_on - today).days


class Requests:
    """The requests in the ledger database; taking and handling stand in the audit chain."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._chain = AuditChain(engine)

    def take(
        self,
        kind: RequestKind,
        school: str,
        pupil_key: PupilKey,
        actor: str,
        role: Role,
        moment: datetime,
        received_on: date | None = None,
    ) -> Request:
        """Keep a request; the clock runs from `received_on` (default: the day of `moment`)."""
        today = moment.astimezone(AMSTERDAM).date()
        received = received_on or today
        if received > today:
            raise NotAllowed(f"a request cannot have come in on {received}, after today")
        row = {
            "id": secrets.token_hex(16),
            "received_at": as_text(moment),
            "kind": kind.value,
            "school": school,
            "pupil_key": pupil_key,
            "taken_by": actor,
            "due_on": one_month_after(received).isoformat(),
            "handled_at": "",
            "outcome": "",
        }
        detail: dict[str, str | int] = {"kind": kind.value, "due_on": row["due_on"]}
        with writing(self._engine) as connection:
            connection.execute(requests.insert().values(**row))
            self._chain.append(
                moment, actor, role, TAKEN, pupil_key, school, detail, connection=connection
            )
        self._chain.witness(moment)
        return self.get(row["id"])

    def handle(
        self, request_id: str, outcome: str, actor: str, role: Role, moment: datetime
    ) -> None:
        """Close a request with its outcome in words; closing it twice changes nothing."""
        asked = self.get(request_id)
        if asked.handled_at is not None:
            return
        if not outcome.strip() or len(outcome) > LONGEST_OUTCOME:
            raise NotAllowed(f"an outcome of 1 to {LONGEST_OUTCOME} characters is needed")
        detail: dict[str, str | int] = {"kind": asked.kind.value}
        with writing(self._engine) as connection:
            connection.execute(
                update(requests)
                .where(requests.c.id == request_id)
                .values(handled_at=as_text(moment), outcome=outcome.strip())
            )
            self._chain.append(
                moment, actor, role, HANDLED, asked.pupil_key, asked.school, detail,
                connection=connection,
            )  # fmt: skip
        self._chain.witness(moment)

    def get(self, request_id: str) -> Request:
        """One request."""
        found = self._read(select(requests).where(requests.c.id == request_id))
        if not found:
            raise NotThere("there is no such request; open it from the list of requests")
        return found[0]

    def all(self, pupil_key: PupilKey | None = None) -> list[Request]:
        """The requests (of one pupil), those that are due first on top, handled ones below."""
        query = select(requests).order_by(requests.c.handled_at != "", requests.c.due_on)
        if pupil_key is not None:
            query = query.where(requests.c.pupil_key == pupil_key)
        return self._read(query)

    def forget(self, pupil_key: PupilKey) -> int:
        """Take an erased pupil out of its requests; how many requests there were."""
        with writing(self._engine) as connection:
            changed = connection.execute(
                update(requests).where(requests.c.pupil_key == pupil_key).values(pupil_key="")
            )
            return changed.rowcount

    def _read(self, query: Select[Any]) -> list[Request]:
        with self._engine.connect() as connection:
            return [_request(row) for row in connection.execute(query)]


def one_month_after(day: date) -> date:
    """The last day of the term of article 12(3): the same day next month, or that month's last.

    >>> one_month_after(date(2026, 11, 16)), one_month_after(date(2027, 1, 31))
    (datetime.date(2026, 12, 16), datetime.date(2027, 2, 28))
    """
    year, month = (day.year, day.month + 1) if day.month < 12 else (day.year + 1, 1)
    return date(year, month, min(day.day, calendar.monthrange(year, month)[1]))


def urgent(asked: Iterable[Request], today: date) -> list[Request]:
    """The open requests that are late or due within a week."""
    return [
        each for each in asked if each.handled_at is None and each.days_left(today) <= SOON.days
    ]


def _request(row: Row[Any]) -> Request:
    return Request(
        request_id=row.id,
        received_at=datetime.fromisoformat(row.received_at),
        kind=RequestKind(row.kind),
        school=row.school,
        pupil_key=PupilKey(row.pupil_key),
        taken_by=row.taken_by,
        due_on=date.fromisoformat(row.due_on),
        handled_at=datetime.fromisoformat(row.handled_at) if row.handled_at else None,
        outcome=row.outcome,
    )
