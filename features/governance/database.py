"""The ledger database: gate decisions, the ledger of feature use and the audit chain."""

import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import (
    Boolean,
    Column,
    Connection,
    Engine,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    create_engine,
    event,
)
from sqlalchemy.exc import SQLAlchemyError

from features.errors import TijdigError
from features.governance.journal import refuse_while_renewing
from features.settings import Home

BUSY_SECONDS = 30
_WRITES = "tijdig_writes"
_KEYS = "tijdig_keys"

metadata = MetaData()

decisions = Table(
    "decisions",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("moment", String, nullable=False),
    Column("actor", String, nullable=False),
    Column("role", String, nullable=False),
    Column("purpose", String, nullable=False),
    Column("action", String, nullable=False),
    Column("run", String, nullable=False),
    Column("allowed", Boolean, nullable=False),
    Column("features", Text, nullable=False),
    Column("contract_hash", String, nullable=False),
    Column("reasons", Text, nullable=False),
)

ledger = Table(
    "ledger",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("moment", String, nullable=False),
    Column("actor", String, nullable=False),
    Column("role", String, nullable=False),
    Column("purpose", String, nullable=False),
    Column("action", String, nullable=False),
    Column("run", String, nullable=False),
    Column("service", String, nullable=False),
    Column("features", Text, nullable=False),
    Column("contract_hash", String, nullable=False),
    Column("pupils", Integer, nullable=False),
    Column("schools", Text, nullable=False),
    Column("decision", Integer, nullable=False),
)

experimental_uses = Table(
    "experimental_uses",
    metadata,
    Column("decision", Integer, primary_key=True, autoincrement=False),
    Column("run", String, nullable=False, index=True),
    Column("features", Text, nullable=False),
)

ledger_pupils = Table(
    "ledger_pupils",
    metadata,
    Column("ledger", Integer, primary_key=True, autoincrement=False),
    Column("sealed", LargeBinary, nullable=False),
)

log_names = Table(
    "log_names",
    metadata,
    Column("tag", LargeBinary, primary_key=True),
    Column("name", String, nullable=False, unique=True),
)

contract_events = Table(
    "contract_events",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("moment", String, nullable=False),
    Column("feature", String, nullable=False, index=True),
    Column("event", String, nullable=False),
    Column("terms", String, nullable=False),
    Column("actor", String, nullable=False),
    Column("role", String, nullable=False),
    Column("expires_on", String, nullable=False),
    Column("reason", Text, nullable=False),
)

stop_events = Table(
    "stop_events",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("moment", String, nullable=False),
    Column("school", String, nullable=False),
    Column("event", String, nullable=False),
    Column("actor", String, nullable=False),
    Column("role", String, nullable=False),
    Column("reason", Text, nullable=False),
)

objection_events = Table(
    "objection_events",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("moment", String, nullable=False),
    Column("pupil_key", String, nullable=False, index=True),
    Column("school", String, nullable=False),
    Column("event", String, nullable=False),
    Column("actor", String, nullable=False),
    Column("role", String, nullable=False),
)

requests = Table(
    "requests",
    metadata,
    Column("id", String, primary_key=True),
    Column("received_at", String, nullable=False),
    Column("kind", String, nullable=False),
    Column("school", String, nullable=False),
    Column("pupil_key", String, nullable=False, index=True),
    Column("taken_by", String, nullable=False),
    Column("due_on", String, nullable=False),
    Column("handled_at", String, nullable=False),
    Column("outcome", Text, nullable=False),
)

erasures = Table(
    "erasures",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("moment", String, nullable=False),
    Column("school", String, nullable=False),
    Column("removed", Text, nullable=False),
    Column("lists", Text, nullable=False),
)

renewals = Table(
    "renewals",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("moment", String, nullable=False),
    Column("version", Integer, nullable=False),
    Column("reason", Text, nullable=False),
    Column("changed", Text, nullable=False),
    Column("lists", Text, nullable=False),
)

retention_runs = Table(
    "retention_runs",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("moment", String, nullable=False),
    Column("terms", Text, nullable=False),
    Column("removed", Text, nullable=False),
)

signed_heads = Table(
    "signed_heads",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("sequence", Integer, nullable=False),
    Column("hash", String, nullable=False),
    Column("moment", String, nullable=False),
    Column("public_key", String, nullable=False),
    Column("signature", String, nullable=False),
)

audit = Table(
    "audit",
    metadata,
    Column("sequence", Integer, primary_key=True, autoincrement=False),
    Column("moment", String, nullable=False),
    Column("actor", String, nullable=False),
    Column("role", String, nullable=False),
    Column("event", String, nullable=False, index=True),
    Column("subject", String, nullable=False, index=True),
    Column("school", String, nullable=False),
    Column("detail", Text, nullable=False),
    Column("previous", String, nullable=False),
    Column("hash", String, nullable=False),
)


def open_ledger(home: Home, *, while_renewing: bool = False) -> Engine:
    """The ledger database of this installation, with its tables made where they are missing.

    Refused while pseudonyms are being renewed, except to who renews them (`while_renewing`): no
    data without a ledger, so nothing is read half old and half new.
    """
    if not while_renewing:
        refuse_while_renewing(home)
    home.ledger.parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(
        f"sqlite:///{home.ledger}",
        connect_args={"timeout": BUSY_SECONDS},
        execution_options={_KEYS: home.key.parent},
    )
    event.listen(engine, "connect", _configure)
    event.listen(engine, "begin", _begin)
    try:
        with writing(engine) as connection:
            metadata.create_all(connection)
    except SQLAlchemyError as problem:
        raise TijdigError(
            f"{home.ledger}: the ledger cannot be opened for writing; without it nothing may be "
            "used. Check that the file and its folder are writable and the disk is not full"
        ) from problem
    return engine


@contextmanager
def writing(engine: Engine, connection: Connection | None = None) -> Iterator[Connection]:
    """A transaction that holds the write lock from its start, so that no other can slip between.

    With a `connection` of the caller, its own transaction is used and left open: begin it with
    `writing` as well.
    """
    if connection is not None:
        yield connection
        return
    with engine.connect().execution_options(**{_WRITES: True}) as own, own.begin():
        yield own


def keys_folder(engine: Engine) -> Path | None:
    """Where the keys of this ledger's installation are; None for a database without one."""
    folder: Path | None = engine.get_execution_options().get(_KEYS)
    return folder


def rewrite_sqlite(path: Path) -> None:
    """Write an SQLite file anew: what was deleted lingers in free pages and its log until then.

    Does nothing where there is no such file.
    """
    if path.exists():
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            connection.execute(f"PRAGMA busy_timeout = {BUSY_SECONDS * 1000}")
            connection.execute("VACUUM")
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()


def as_text(moment: datetime) -> str:
    """A moment as stored: ISO in UTC, always with microseconds, so that text order is time order.

    >>> as_text(datetime(2026, 11, 16, 5, tzinfo=UTC))
    '2026-11-16T05:00:00.000000+00:00'
    """
    if moment.utcoffset() is None:
        raise ValueError(f"{moment} has no time zone; moments are stored in UTC")
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


def canonical(value: Mapping[str, Any] | Sequence[str]) -> str:
    """JSON with one spelling per value, fit for hashing.

    >>> canonical({"b": 1, "a": "é"})
    '{"a":"é","b":1}'
    """
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _configure(connection: sqlite3.Connection, _record: object) -> None:
    # The driver's own transactions begin late, at the first write; we begin them ourselves.
    connection.isolation_level = None
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    # What is deleted is overwritten at once: an erased pupil leaves no bytes in free pages.
    connection.execute("PRAGMA secure_delete = ON")


def _begin(connection: Connection) -> None:
    writes = connection.get_execution_options().get(_WRITES, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
