"""The audit chain: who did what and when, each row sealed by the hash of the row before it."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection, Engine, RowMapping, desc, select

from features.governance.database import as_text, audit, canonical, keys_folder, writing
from features.governance.heads import HeadBook, SignedHead
from features.governance.log_names import LogNames
from features.vocabulary import Role

START = "0" * 64
_SEALED = (
    "sequence",
    "moment",
    "actor",
    "role",
    "event",
    "subject",
    "school",
    "detail",
    "previous",
)


@dataclass(frozen=True)
class AuditRow:
    """One event. `subject` is a pupil by its name in the log, a list, a feature or an account.

    Never a pseudonym of the records, a person's name or a pupil number.
    """

    sequence: int
    moment: datetime
    actor: str
    role: Role
    event: str
    subject: str
    school: str
    detail: Mapping[str, str | int]
    hash: str


@dataclass(frozen=True)
class AuditHead:
    """The last row of the chain at some moment; kept elsewhere, it betrays a removed tail."""

    sequence: int
    hash: str


@dataclass(frozen=True)
class AuditVerdict:
    """What checking the chain found; `problems` are in the order of the rows."""

    rows: int
    problems: tuple[str, ...] = field(default=())

    @property
    def intact(self) -> bool:
        """Nothing was altered, removed or reordered, as far as the chain can tell."""
        return not self.problems


class AuditChain:
    """Append to the chain, read it, and check it. There is no other way to change it."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._names = LogNames(engine)
        folder = keys_folder(engine)
        self.heads = HeadBook(engine, folder) if folder else None

    def append(
        self,
        moment: datetime,
        actor: str,
        role: Role,
        event: str,
        subject: str = "",
        school: str = "",
        detail: Mapping[str, str | int] | None = None,
        *,
        connection: Connection | None = None,
    ) -> AuditHead:
        """Add one event and return the new head; a pupil's pseudonym becomes its name in the log.

        With a `connection` from `database.writing`, the event is stored in that transaction or not
        at all. Two processes that append at once wait for each other: the chain does not fork.
        """
        with writing(self._engine, connection) as transaction:
            head = _head(transaction)
            named = self._names.given(transaction, [subject])[subject]
            row: dict[str, str | int] = {
                "sequence": head.sequence + 1,
                "moment": as_text(moment),
                "actor": actor,
                "role": role.value,
                "event": event,
                "subject": named,
                "school": school,
                "detail": canonical(detail or {}),
                "previous": head.hash,
            }
            sealed = AuditHead(head.sequence + 1, _seal(row))
            transaction.execute(audit.insert().values(**row, hash=sealed.hash))
        if connection is None and self.heads:
            self.heads.witness(sealed.sequence, sealed.hash, moment, head.hash)
        return sealed

    def witness(self, moment: datetime) -> None:
        """Tell the witness of the newest row; for who appended within a transaction of his own."""
        head = self.head()
        if self.heads and head.sequence:
            self.heads.witness(head.sequence, head.hash, moment)

    def head(self) -> AuditHead:
        """The last row's number and hash; number 0 for an empty chain."""
        with self._engine.connect() as connection:
            return _head(connection)

    def first(self) -> AuditRow | None:
        """The first event of all; None in an empty chain."""
        query = select(audit).order_by(audit.c.sequence).limit(1)
        with self._engine.connect() as connection:
            row = connection.execute(query).mappings().first()
        return None if row is None else _row(row)

    def verify(
        self,
        expected_head: AuditHead | None = None,
        kept_elsewhere: Iterable[SignedHead] = (),
    ) -> AuditVerdict:
        """Check every row against its own hash, the row before it and all signed heads.

        Altered, removed and reordered rows are found. A removed tail leaves a shorter chain that
        is whole in itself; the signed heads tell of it, and those `kept_elsewhere` also when the
        database and the keys beside it were both put back to an earlier state.
        """
        with self._engine.connect() as connection:
            stored = connection.execute(select(audit).order_by(audit.c.sequence)).mappings().all()
        problems = list(_problems(stored))
        if expected_head is not None:
            problems += _problems_of_head(stored, expected_head)
        if self.heads:
            problems += self.heads.problems(kept_elsewhere)
        return AuditVerdict(len(stored), tuple(problems))

    def rows(
        self,
        *,
        subject: str | None = None,
        event: str | None = None,
        school: str | None = None,
        limit: int | None = None,
    ) -> list[AuditRow]:
        """The events, newest first; all of them, or those of one subject, event or school."""
        query = select(audit).order_by(desc(audit.c.sequence)).limit(limit)
        with self._engine.connect() as connection:
            if subject is not None:
                subject = self._names.known(connection, [subject]).get(subject)
                if subject is None:
                    return []  # a pupil of whom the log never spoke
            for column, wanted in (("subject", subject), ("event", event), ("school", school)):
                if wanted is not None:
                    query = query.where(audit.c[column] == wanted)
            return [_row(row) for row in connection.execute(query).mappings()]


def _head(connection: Connection) -> AuditHead:
    newest = select(audit.c.sequence, audit.c.hash).order_by(desc(audit.c.sequence)).limit(1)
    row = connection.execute(newest).first()
    return AuditHead(0, START) if row is None else AuditHead(row.sequence, row.hash)


def _seal(row: Mapping[str, str | int]) -> str:
    content = canonical({name: row[name] for name in _SEALED})
    return hashlib.sha256(f"{row['previous']}{content}".encode()).hexdigest()


def _problems(stored: Iterable[RowMapping]) -> Iterable[str]:
    sequence, previous = 0, START
    for row in stored:
        here = f"audit row {row['sequence']}"
        if row["sequence"] != sequence + 1:
            yield f"{here}: {row['sequence'] - sequence - 1} row(s) before it are missing"
        if row["previous"] != previous:
            yield f"{here}: does not follow the row before it (removed, reordered or replaced)"
        if row["hash"] != _seal(dict(row)):
            yield f"{here}: its content was altered"
        sequence, previous = row["sequence"], row["hash"]


def _problems_of_head(stored: Iterable[RowMapping], expected: AuditHead) -> list[str]:
    kept = {row["sequence"]: row["hash"] for row in stored}
    if expected.sequence == 0 or kept.get(expected.sequence) == expected.hash:
        return []
    if expected.sequence in kept:
        return [f"audit row {expected.sequence}: is not the row whose hash was kept elsewhere"]
    last = max(kept, default=0)
    return [f"the chain ends at row {last}; row {expected.sequence} was there before"]


def _row(row: RowMapping) -> AuditRow:
    return AuditRow(
        sequence=row["sequence"],
        moment=datetime.fromisoformat(row["moment"]),
        actor=row["actor"],
        role=Role(row["role"]),
        event=row["event"],
        subject=row["subject"],
        school=row["school"],
        detail=json.loads(row["detail"]),
        hash=row["hash"],
    )
