"""Alembic's entry: migrate over the connection that `serving.tables.migrate` hands in."""

import sqlalchemy as sa
from alembic import context

from serving.tables import METADATA


def run(connection: sa.Connection) -> None:
    """Run the wanted migrations inside the transaction of `connection`."""
    context.configure(connection=connection, target_metadata=METADATA, render_as_batch=True)
    with context.begin_transaction():
        context.run_migrations()


# Alembic loads this file under the name env_py; a test runner that imports it migrates nothing.
if __name__ == "env_py":
    run(context.config.attributes["connection"])
