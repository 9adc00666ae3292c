"""The app database: migrations give the schema of the code, moments keep their zone."""

import threading
from datetime import datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from features.settings import Home
from serving.tables import METADATA, SIGN_IN_FAILURES, open_app, writing
from tests.serving.invented_school import NOW


@pytest.fixture
def engine(tmp_path: Path) -> sa.Engine:
    return open_app(Home(tmp_path / "home"))


def test_the_migrations_give_the_schema_of_the_code(engine: sa.Engine) -> None:
    with engine.begin() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, METADATA) == []


def test_opening_again_keeps_what_is_there(tmp_path: Path, engine: sa.Engine) -> None:
    note_failure(engine)
    again = open_app(Home(tmp_path / "home"))
    with again.begin() as connection:
        assert connection.execute(sa.select(SIGN_IN_FAILURES.c.failed_at)).scalar_one() == NOW


def test_the_file_is_for_its_owner_only(tmp_path: Path, engine: sa.Engine) -> None:
    assert (tmp_path / "home" / "app.db").stat().st_mode & 0o077 == 0


def test_a_moment_without_a_zone_is_refused(engine: sa.Engine) -> None:
    with pytest.raises(sa.exc.StatementError, match="time zone"):
        note_failure(engine, datetime(2026, 11, 16, 8, 0))


def test_writers_wait_for_each_other(engine: sa.Engine) -> None:
    def add_one() -> None:
        with writing(engine) as connection:
            count = connection.scalar(sa.select(sa.func.count()).select_from(SIGN_IN_FAILURES))
            values = {"email_hash": f"{count}", "address": "", "failed_at": NOW}
            connection.execute(SIGN_IN_FAILURES.insert(), values)

    threads = [threading.Thread(target=add_one) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with engine.begin() as connection:
        seen = connection.scalars(sa.select(SIGN_IN_FAILURES.c.email_hash)).all()
    assert sorted(seen) == [f"{number}" for number in range(8)]


def note_failure(engine: sa.Engine, moment: datetime = NOW) -> None:
    with writing(engine) as connection:
        values = {"email_hash": "x", "address": "", "failed_at": moment}
        connection.execute(SIGN_IN_FAILURES.insert(), values)
