"""MLflow writes down where artifacts lie as absolute addresses; a home that moved gets new ones."""

import logging

import sqlalchemy as sa

log = logging.getLogger(__name__)

_ADDRESSES = {
    "experiments": ("artifact_location",),
    "runs": ("artifact_uri",),
    "model_versions": ("source", "storage_location"),
    "logged_models": ("artifact_location",),
}


def follow_home(tracking_uri: str, artifacts: str) -> int:
    """Point every artifact address at `artifacts`; gives how many rows had to change.

    Only addresses of files are touched, and only when the folder they name is not `artifacts`:
    an object store does not move with the home. Nothing happens before MLflow made its tables.
    """
    if not artifacts.startswith("file:"):
        return 0
    engine = sa.create_engine(tracking_uri, poolclass=sa.NullPool)
    try:
        with engine.begin() as connection:
            there = set(sa.inspect(connection).get_table_names())
            if "experiments" not in there:
                return 0
            former = _former(connection, artifacts)
            if former is None:
                return 0
            changed = _rewrite(connection, there, former, artifacts)
    finally:
        engine.dispose()
    log.info("%s artifact addresses follow the home that moved", changed)
    return changed


def _former(connection: sa.Connection, artifacts: str) -> str | None:
    """The folder in which the newest experiment put its artifacts, when it is another one."""
    experiments = sa.table(
        "experiments", sa.column("experiment_id"), sa.column("artifact_location", sa.String)
    )
    query = (
        sa.select(experiments.c.artifact_location)
        .where(experiments.c.artifact_location.like("file:%"))
        .order_by(experiments.c.experiment_id.desc())
    )
    # MLflow's own first experiment lies elsewhere; ours lie one below the folder of artifacts.
    for location in connection.scalars(query):
        folder = str(location).rpartition("/")[0]
        if folder.endswith("/artifacts"):
            return None if folder == artifacts else folder
    return None


def _rewrite(connection: sa.Connection, there: set[str], former: str, artifacts: str) -> int:
    changed = 0
    inspector = sa.inspect(connection)
    for name, columns in _ADDRESSES.items():
        if name not in there:
            continue
        known = {column["name"] for column in inspector.get_columns(name)}
        for column in (each for each in columns if each in known):
            cell: sa.ColumnClause[str] = sa.column(column, sa.String)
            rest = sa.func.substr(cell, len(former) + 1)
            statement = (
                sa.update(sa.table(name, cell))
                .where(cell.like(f"{_literal(former)}/%", escape="!"))
                .values({column: sa.literal(artifacts) + rest})
            )
            changed += connection.execute(statement).rowcount
    return changed


def _literal(text: str) -> str:
    """`text` for LIKE, with its own wildcards taken literally.

    >>> _literal("file:///srv/my_home")
    'file:///srv/my!_home'
    """
    return text.replace("!", "!!").replace("%", "!%").replace("_", "!_")
