"""The app database: accounts, sessions, published lists and what was decided; migrated here."""

import contextlib
import logging
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic import command
from alembic.config import Config

from features.settings import Home

MIGRATIONS = Path(__file__).with_name("migrations")


class Moment(sa.types.TypeDecorator[datetime]):
    """A moment with its time zone, kept as UTC; SQLite itself would drop the zone."""

    impl = sa.DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: object) -> datetime | None:  # noqa: ARG002
        """Refuse a moment without a zone: it could be anyone's clock."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"a moment needs its time zone; got {value}")
        return value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: object) -> datetime | None:  # noqa: ARG002
        """Give the zone back."""
        return None if value is None else value.replace(tzinfo=UTC)


METADATA = sa.MetaData()

ACCOUNTS = sa.Table(
    "accounts",
    METADATA,
    sa.Column("account_id", sa.String(32), primary_key=True),
    sa.Column("email", sa.String(254), nullable=False, unique=True),
    sa.Column("name", sa.String(100), nullable=False),
    sa.Column("role", sa.String(30), nullable=False),
    sa.Column("password", sa.String(200), nullable=True),
    sa.Column("active", sa.Boolean, nullable=False),
    sa.Column("created_at", Moment, nullable=False),
    # Taking pupils out of the pages is a right of its own.
    sa.Column("may_export", sa.Boolean, nullable=False, server_default=sa.false()),
)
ACCOUNT_SCHOOLS = sa.Table(
    "account_schools",
    METADATA,
    sa.Column("account_id", sa.ForeignKey("accounts.account_id"), primary_key=True),
    sa.Column("school", sa.String(6), primary_key=True),
)
SETUP_LINKS = sa.Table(
    "setup_links",
    METADATA,
    sa.Column("token_hash", sa.String(64), primary_key=True),
    sa.Column("account_id", sa.ForeignKey("accounts.account_id"), nullable=False),
    sa.Column("expires_at", Moment, nullable=False),
    sa.Column("used_at", Moment, nullable=True),
)
SESSIONS = sa.Table(
    "sessions",
    METADATA,
    sa.Column("token_hash", sa.String(64), primary_key=True),
    sa.Column("account_id", sa.ForeignKey("accounts.account_id"), nullable=False, index=True),
    sa.Column("started_at", Moment, nullable=False),
    sa.Column("seen_at", Moment, nullable=False),
)
SIGN_IN_FAILURES = sa.Table(
    "sign_in_failures",
    METADATA,
    sa.Column("failure_id", sa.Integer, primary_key=True),
    sa.Column("email_hash", sa.String(64), nullable=False, index=True),
    sa.Column("address", sa.String(64), nullable=False, index=True),
    sa.Column("failed_at", Moment, nullable=False),
)
LISTS = sa.Table(
    "lists",
    METADATA,
    sa.Column("list_id", sa.String(32), primary_key=True),
    sa.Column("school", sa.String(6), nullable=False),
    sa.Column("as_of", sa.Date, nullable=False),
    sa.Column("published_at", Moment, nullable=False),
    sa.Column("model_version", sa.String(100), nullable=False),
    sa.Column("bundle_hash", sa.String(64), nullable=False),
    sa.Column("feature_service", sa.String(100), nullable=False),
    sa.Column("data_until", sa.Date, nullable=False),
    sa.Column("log_head", sa.Integer, nullable=False),
    sa.Column("capacity", sa.Integer, nullable=False),
    sa.Column("frequencies", sa.JSON, nullable=False),
    sa.Column("content_hash", sa.String(64), nullable=False),
    sa.UniqueConstraint("school", "as_of", name="one_list_per_school_and_week"),
)
LIST_ROWS = sa.Table(
    "list_rows",
    METADATA,
    sa.Column("row_id", sa.String(32), primary_key=True),
    sa.Column("list_id", sa.ForeignKey("lists.list_id"), nullable=False),
    sa.Column("pupil_key", sa.String(64), nullable=False, index=True),
    sa.Column("block", sa.String(20), nullable=False),
    sa.Column("newness", sa.String(10), nullable=False),
    sa.Column("position", sa.Integer, nullable=False),
    sa.Column("group_name", sa.String(50), nullable=False),
    sa.Column("explanation", sa.JSON, nullable=False),
    sa.UniqueConstraint("list_id", "pupil_key", name="one_row_per_pupil"),
)
# Rows beside the published list, to look at and decide on like its own: added by hand, back by
# appointment, at home, or gone without a known next school.
SIDE_ROWS = sa.Table(
    "side_rows",
    METADATA,
    sa.Column("row_id", sa.String(32), primary_key=True),
    sa.Column("school", sa.String(6), nullable=False),
    sa.Column("as_of", sa.Date, nullable=False),
    sa.Column("pupil_key", sa.String(64), nullable=False, index=True),
    sa.Column("place", sa.String(20), nullable=False),
    sa.Column("group_name", sa.String(50), nullable=False),
    sa.Column("detail", sa.JSON, nullable=False),
    sa.Column("account_id", sa.ForeignKey("accounts.account_id"), nullable=True),
    sa.Column("placed_at", Moment, nullable=False),
    sa.UniqueConstraint("school", "as_of", "pupil_key", "place", name="one_side_row_per_place"),
)
# What a school's week holds beside its rows: who is gone from the list, what was not registered.
WEEK_FACTS = sa.Table(
    "week_facts",
    METADATA,
    sa.Column("school", sa.String(6), primary_key=True),
    sa.Column("as_of", sa.Date, primary_key=True),
    sa.Column("content", sa.JSON, nullable=False),
)
WEEK_GONE = sa.Table(
    "week_gone",
    METADATA,
    sa.Column("school", sa.String(6), primary_key=True),
    sa.Column("as_of", sa.Date, primary_key=True),
    sa.Column("pupil_key", sa.String(64), primary_key=True),
    sa.Column("group_name", sa.String(50), nullable=False),
    sa.Column("because", sa.String(20), nullable=False),
)
# The pupils of the newest Monday only: to find one by name and put it on the list by hand.
ENROLLED = sa.Table(
    "enrolled",
    METADATA,
    sa.Column("school", sa.String(6), primary_key=True),
    sa.Column("pupil_key", sa.String(64), primary_key=True),
    sa.Column("group_name", sa.String(50), nullable=False),
)
MONTH_COUNTS = sa.Table(
    "month_counts",
    METADATA,
    sa.Column("school", sa.String(6), primary_key=True),
    sa.Column("month", sa.Date, primary_key=True),
    sa.Column("until", sa.Date, nullable=False),
    sa.Column("pupils", sa.Integer, nullable=False),
    sa.Column("over_four_weeks", sa.Integer, nullable=False),
    sa.Column("over_three_months", sa.Integer, nullable=False),
    sa.Column("began", sa.Integer, nullable=False),
    sa.Column("returned", sa.Integer, nullable=False),
    sa.Column("left", sa.Integer, nullable=False),
)
# A decision holds its own pupil and week: its row may be one of two kinds.
DECISIONS = sa.Table(
    "decisions",
    METADATA,
    sa.Column("decision_id", sa.String(32), primary_key=True),
    sa.Column("row_id", sa.String(32), nullable=False, index=True),
    sa.Column("school", sa.String(6), nullable=False, index=True),
    sa.Column("pupil_key", sa.String(64), nullable=False, index=True),
    sa.Column("as_of", sa.Date, nullable=False),
    sa.Column("account_id", sa.ForeignKey("accounts.account_id"), nullable=False),
    sa.Column("decided_at", Moment, nullable=False),
    sa.Column("kind", sa.String(30), nullable=False),
    sa.Column("no_action_because", sa.String(30), nullable=False),
    sa.Column("owner", sa.String(100), nullable=False),
    sa.Column("look_back_on", sa.Date, nullable=True),
    sa.Column("note", sa.String(280), nullable=False),
)
OUTCOMES = sa.Table(
    "outcomes",
    METADATA,
    sa.Column("outcome_id", sa.String(32), primary_key=True),
    sa.Column("decision_id", sa.ForeignKey("decisions.decision_id"), nullable=False, index=True),
    sa.Column("account_id", sa.ForeignKey("accounts.account_id"), nullable=False),
    sa.Column("recorded_at", Moment, nullable=False),
    sa.Column("kind", sa.String(30), nullable=False),
)
# Who is in charge of a pupil at home, and whether there is an offer: entered by the coordinator.
CARE_ENTRIES = sa.Table(
    "care_entries",
    METADATA,
    sa.Column("entry_id", sa.String(32), primary_key=True),
    sa.Column("school", sa.String(6), nullable=False, index=True),
    sa.Column("pupil_key", sa.String(64), nullable=False, index=True),
    sa.Column("account_id", sa.ForeignKey("accounts.account_id"), nullable=False),
    sa.Column("entered_at", Moment, nullable=False),
    sa.Column("in_charge", sa.String(100), nullable=False),
    sa.Column("offer", sa.String(30), nullable=False),
)


def open_app(home: Home) -> sa.Engine:
    """The app database of `home`, brought up to the newest schema first."""
    home.app.parent.mkdir(parents=True, exist_ok=True)
    engine = sqlite_engine(home.app)
    migrate(engine)
    home.app.chmod(0o600)
    return engine


def sqlite_engine(path: Path) -> sa.Engine:
    """SQLite with write-ahead log, foreign keys, and transactions that really begin."""
    engine = sa.create_engine(f"sqlite:///{path}")

    @sa.event.listens_for(engine, "connect")
    def _prepare(connection: Any, _record: Any) -> None:
        # Otherwise the driver begins a transaction at the first write only: SELECTs stay outside.
        connection.isolation_level = None
        for pragma in ("journal_mode=WAL", "foreign_keys=ON", "busy_timeout=5000"):
            connection.execute(f"PRAGMA {pragma}")

    @sa.event.listens_for(engine, "begin")
    def _begin(connection: sa.Connection) -> None:
        writes = connection.get_execution_options().get("writes", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


@contextlib.contextmanager
def writing(engine: sa.Engine) -> Iterator[sa.Connection]:
    """One write transaction: the lock is taken at its start, so that what it reads stays true."""
    with engine.execution_options(writes=True).begin() as connection:
        yield connection


def migrate(engine: sa.Engine) -> None:
    """Bring the schema to the newest version; does nothing when it is there."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    logging.getLogger("alembic").setLevel(logging.WARNING)
    with writing(engine) as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
