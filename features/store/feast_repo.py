"""The Feast repository of one home; importing this module costs seconds, so only when used."""

import runpy
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import feast
import numpy as np
import pandas as pd
import pyarrow as pa
from feast.data_source import DataSource
from feast.errors import FeatureServiceNotFoundException
from feast.feature_view import DUMMY_ENTITY
from feast.infra.online_stores.helpers import compute_table_id
from feast.infra.online_stores.sqlite import SqliteOnlineStore
from feast.repo_contents import RepoContents
from sqlalchemy.exc import SQLAlchemyError

from features.errors import NotThere
from features.store.definitions import JOIN_KEY, TIMESTAMP
from features.store.on_spark import joined_on_spark, without_notes
from features.store.online import LABEL, ONLINE, entity_key, erase_online
from features.store.online_rows import write_view
from features.store.postgres import clear_schemas, erase_from_schema, swap_schemas
from features.store.production import (
    CONFIGURATION,
    ONLINE_SCHEMA,
    PASSWORD_VARIABLE,
    STAGED_SCHEMA,
)

DEFINITIONS = "definitions.py"
REGISTRY = "registry.db"
ROW_NUMBER = "row_number"


class FeastRepo:
    """What Tijdig asks of Feast: apply, retrieve as of moments, replace and read what is online."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        try:
            self._feast = feast.FeatureStore(repo_path=str(folder))
            if self.is_spark:
                without_notes()
            if self.is_postgres:
                self._feast.refresh_registry()
        except SQLAlchemyError as problem:
            raise NotThere(
                f"the registry of features that {folder / CONFIGURATION} names cannot be reached; "
                f"check [store] in tijdig.toml, {PASSWORD_VARIABLE} and the server"
            ) from problem

    @classmethod
    def create(cls, folder: Path, files: Mapping[str, str]) -> "FeastRepo":
        """A new repository from its generated files; an older one there is taken away first.

        A registry file holds nothing of its own, but it does hold absolute paths: one that came
        along from another place would still point there. What is online belongs to the older
        definitions.
        """
        folder.mkdir(parents=True, exist_ok=True)
        (folder / REGISTRY).unlink(missing_ok=True)
        for stale in (*folder.glob("online.*"), folder / LABEL):
            stale.unlink(missing_ok=True)
        for name, text in files.items():
            (folder / name).write_text(text, encoding="utf-8")
        repo = cls(folder)
        repo._apply()
        if repo.is_postgres:
            clear_schemas(repo._feast.config.online_store, ONLINE_SCHEMA)
            repo._tables_for(repo._feast.config, repo._all_views())
        return repo

    @property
    def is_postgres(self) -> bool:
        """Whether registry and online store are those of a PostgreSQL server."""
        return bool(self._feast.config.online_store.type == "postgres")

    @property
    def is_spark(self) -> bool:
        """Whether the rows of a retrieval are joined on Spark."""
        return bool(self._feast.config.offline_store.type == "spark")

    def for_pages(self) -> Any:
        """Feast's own store, which its own pages are made from."""
        return self._feast

    def holds(self, files: Mapping[str, str]) -> bool:
        """Whether the generated files on disk are these."""
        return all(
            (self._folder / name).exists()
            and (self._folder / name).read_text(encoding="utf-8") == text
            for name, text in files.items()
        )

    def plan(self, definitions: str) -> list[str]:
        """What applying this text would change in the registry, a line each; none: nothing."""
        # Beside the folder, so that the path of the rows, relative to it, is the same.
        with tempfile.TemporaryDirectory(dir=self._folder.parent) as folder:
            path = Path(folder) / DEFINITIONS
            path.write_text(definitions, encoding="utf-8")
            diff, _, _ = self._feast.plan(_contents(path))
        return [
            f"{one.transition_type.name.lower()} {one.feast_object_type.value} {one.name}"
            + _changes(one.feast_object_property_diffs)
            for one in diff.feast_object_diffs
            if one.transition_type.name != "UNCHANGED" and one.name != DUMMY_ENTITY.name
        ]

    def _apply(self) -> None:
        # What `feast apply` does, without its printing; `FeatureStore.apply` would leave the
        # registry without its record of the online tables, and `feast plan` would want them anew.
        contents = _contents(self._folder / DEFINITIONS)
        self._feast._apply_diffs(*self._feast.plan(contents))
        self._feast.refresh_registry()

    def tags(self, service: str) -> dict[str, str]:
        """The tags the service was applied with; none if applying was cut short."""
        try:
            return dict(self._service(service).tags)
        except FeatureServiceNotFoundException:
            return {}

    def source_paths(self, service: str) -> set[str]:
        """Where the views of the service read their rows."""
        views = [self._feast.get_feature_view(p.name) for p in self._projections(service)]
        return {view.batch_source.path for view in views}

    def historical(self, pupil_keys: pa.Array, moments: pa.Array, service: str) -> pa.Table:
        """Each pupil's features as of the moment beside it, in the order asked; null: no row."""
        numbers = pa.array(range(len(pupil_keys)), pa.int64())
        columns = {JOIN_KEY: pupil_keys, TIMESTAMP: moments, ROW_NUMBER: numbers}
        if self.is_spark:
            found = joined_on_spark(self._feast, pa.table(columns), self._service(service))
        else:
            # Feast wants a data frame; over Arrow it is no copy.
            asked = pa.table(columns).to_pandas(types_mapper=pd.ArrowDtype)
            found = self._feast.get_historical_features(
                entity_df=asked, features=self._service(service)
            ).to_arrow()
        if not found[ROW_NUMBER].equals(pa.chunked_array([numbers])):
            found = found.sort_by(ROW_NUMBER)  # Feast answers in any order
        return found.drop_columns([JOIN_KEY, TIMESTAMP, ROW_NUMBER])

    def replace_online(self, rows: pd.DataFrame, service: str) -> None:
        """Make the online store hold `rows` and nothing else, in one step."""
        if self.is_postgres:
            self._replace_schema(rows, service)
        else:
            self._replace_file(rows, service)

    def online_tables(self, service: str) -> tuple[str, ...]:
        """The tables of the online file that hold the values of a service; none on a server."""
        if self.is_postgres:
            return ()
        views = [self._feast.get_feature_view(p.name) for p in self._projections(service)]
        return tuple(_table_of(self._feast.config, view) for view in views)

    def clear_online(self, service: str) -> None:
        """Leave nothing online."""
        names = [field.name for view in self._all_views() for field in view.features]
        self.replace_online(pd.DataFrame(columns=[JOIN_KEY, TIMESTAMP, *names]), service)

    def erase_online(self, pupil_key: str) -> int:
        """Remove every online value of one pupil; values gone."""
        if self.is_postgres:
            return erase_from_schema(self._feast.config.online_store, ONLINE_SCHEMA, pupil_key)
        return erase_online(self._folder / ONLINE, pupil_key)

    def _replace_file(self, rows: pd.DataFrame, service: str) -> None:
        online = self._folder / str(self._feast.config.online_store.path)
        staged = online.with_suffix(".next")
        staged.unlink(missing_ok=True)
        config = self._feast.config.model_copy(deep=True)
        config.online_store.path = str(staged.absolute())
        self._write_staged(config, rows, service)
        staged.replace(online)

    def _replace_schema(self, rows: pd.DataFrame, service: str) -> None:
        config = self._feast.config.model_copy(deep=True)
        config.online_store.db_schema = STAGED_SCHEMA
        clear_schemas(config.online_store, STAGED_SCHEMA)
        self._write_staged(config, rows, service)
        swap_schemas(config.online_store, STAGED_SCHEMA, ONLINE_SCHEMA)

    def _write_staged(self, config: Any, rows: pd.DataFrame, service: str) -> None:
        staging = feast.FeatureStore(repo_path=str(self._folder), config=config)
        views = [staging.get_feature_view(p.name) for p in self._projections(service)]
        self._tables_for(config, views)
        if not self.is_postgres:
            self._write_file(config, views, rows)
            return
        for view in views:
            names = [field.name for field in view.features]
            # Feast warns about a view without a single value; an undefined value need not be kept.
            values = rows[~rows[names].isna().all(axis=1)]
            if len(values):
                staging.write_to_online_store(view.name, values[[JOIN_KEY, TIMESTAMP, *names]])
        _close(staging._get_provider().online_store)

    def _write_file(self, config: Any, views: Sequence[Any], rows: pd.DataFrame) -> None:
        if not len(rows):
            return
        path, moment = Path(config.online_store.path), rows[TIMESTAMP].iloc[0].to_pydatetime()
        keys = [entity_key(key) for key in rows[JOIN_KEY]]
        for view in views:
            names = [field.name for field in view.features]
            values = rows[names].to_numpy(np.float32)
            write_view(path, _table_of(config, view), names, keys, values, moment)

    def _tables_for(self, config: Any, views: Sequence[Any]) -> None:
        # Imported here: psycopg comes with the extra `postgres`.
        if self.is_postgres:
            from feast.infra.online_stores.postgres_online_store.postgres import (
                PostgreSQLOnlineStore,
            )

            store: Any = PostgreSQLOnlineStore()
        else:
            store = SqliteOnlineStore()
        store.update(config, [], views, [], [], partial=True)
        _close(store)

    def _all_views(self) -> Sequence[Any]:
        return list(self._feast.list_feature_views())

    def online(self, pupil_keys: Sequence[str], service: str) -> pa.Table:
        """What the online store holds of these pupils, in the order asked; null: no value."""
        return self._feast.get_online_features(
            features=self._service(service), entity_rows=[{JOIN_KEY: key} for key in pupil_keys]
        ).to_arrow()

    def _service(self, name: str) -> Any:
        return self._feast.get_feature_service(name, allow_cache=True)

    def _projections(self, service: str) -> Any:
        return self._service(service).feature_view_projections


def is_applied(folder: Path) -> bool:
    """Whether anything was ever applied in `folder`; on a server, its registry must say so too."""
    configured = folder / CONFIGURATION
    if not configured.exists():
        return False
    return (folder / REGISTRY).exists() or "registry_type: sql" in configured.read_text("utf-8")


def stamp(folder: Path) -> tuple[tuple[int, int], ...]:
    """Differs when the configuration, the definitions, or a registry or online file changed."""
    names = (CONFIGURATION, DEFINITIONS, REGISTRY, ONLINE)
    found = [(folder / name).stat() if (folder / name).exists() else None for name in names]
    return tuple((0, 0) if one is None else (one.st_ino, one.st_mtime_ns) for one in found)


def open_repo(folder: Path) -> FeastRepo:
    """The repository in `folder`; `NotThere` while nothing was applied."""
    if not is_applied(folder):
        raise NotThere(
            f"{folder}: the feature definitions were not applied yet; run `tijdig features`"
        )
    return FeastRepo(folder)


def _table_of(config: Any, view: Any) -> str:
    versioned = config.registry.enable_online_feature_view_versioning
    return str(compute_table_id(config.project, view, versioned))


def _close(online_store: Any) -> None:
    """Feast leaves its connection to a server open until the object is collected."""
    connection = getattr(online_store, "_conn", None)
    if connection is not None:
        connection.close()


def _contents(path: Path) -> RepoContents:
    named = list(runpy.run_path(str(path)).values())
    return RepoContents(
        projects=_of(named, feast.Project),
        data_sources=_of(named, DataSource),
        feature_views=_of(named, feast.FeatureView),
        on_demand_feature_views=[],
        stream_feature_views=[],
        label_views=[],
        entities=[*_of(named, feast.Entity), DUMMY_ENTITY],
        feature_services=_of(named, feast.FeatureService),
        permissions=[],
    )


def _are_fields(values: Sequence[Any]) -> bool:
    """Of a view; a service has projections of views instead."""
    return all(hasattr(value, "value_type") for value in values)


def _changes(properties: Sequence[Any]) -> str:
    """Which properties change; of the fields of a view, which ones."""
    told = []
    for one in properties or ():
        if one.property_name == "features" and _are_fields(one.val_existing):
            before = {field.name: field for field in one.val_existing}
            after = {field.name: field for field in one.val_declared}
            told += [f"+{name}" for name in sorted(after.keys() - before)]
            told += [f"-{name}" for name in sorted(before.keys() - after)]
            told += [
                f"~{name}" for name in sorted(before.keys() & after) if before[name] != after[name]
            ]
        else:
            told.append(str(one.property_name))
    return f": {', '.join(told)}" if told else ""


def _of(values: Sequence[object], kind: type) -> list[Any]:
    return [value for value in values if isinstance(value, kind)]
