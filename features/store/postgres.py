"""Whole schemas of online values on a PostgreSQL server: cleared, swapped, and one pupil erased."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from features.errors import NotThere
from features.store.production import PASSWORD_VARIABLE

if TYPE_CHECKING:
    from psycopg import Connection


def clear_schemas(config: Any, *schemas: str) -> None:
    """Leave these schemas there and empty. `config` is Feast's of the online store."""
    with _connection(config) as connection:
        for schema in schemas:
            connection.execute(_statement("DROP SCHEMA IF EXISTS {} CASCADE", schema))
            connection.execute(_statement("CREATE SCHEMA {}", schema))


def swap_schemas(config: Any, staged: str, live: str) -> None:
    """Make the staged schema the live one; readers see the old one or the new one, whole."""
    with _connection(config) as connection:
        connection.execute(_statement("DROP SCHEMA IF EXISTS {} CASCADE", live))
        connection.execute(_statement("ALTER SCHEMA {} RENAME TO {}", staged, live))


def erase_from_schema(config: Any, schema: str, pupil_key: str) -> int:
    """Remove every value of one pupil; values gone. The server reclaims the pages by vacuum.

    Feast keys a row by bytes that hold the pseudonym as text.
    """
    with _connection(config) as connection:
        found = connection.execute(
            "SELECT table_name FROM information_schema.columns "
            "WHERE table_schema = %s AND column_name = 'entity_key'",
            [schema],
        ).fetchall()
        return sum(
            connection.execute(
                _statement("DELETE FROM {}.{} WHERE position(%s in entity_key) > 0", schema, name),
                [pupil_key.encode()],
            ).rowcount
            for (name,) in found
        )


@contextmanager
def _connection(config: Any) -> Iterator["Connection"]:
    import psycopg

    try:
        connection = psycopg.connect(
            host=config.host,
            port=config.port,
            dbname=config.database,
            user=config.user,
            password=config.password,
            sslmode=config.sslmode,
        )
    except psycopg.OperationalError as problem:
        raise NotThere(
            "the online store cannot be reached; check [store] in tijdig.toml, "
            f"{PASSWORD_VARIABLE} and the server"
        ) from problem
    with connection:
        yield connection


def _statement(text: str, *names: str) -> Any:
    from psycopg import sql

    return sql.SQL(text).format(*map(sql.Identifier, names))
