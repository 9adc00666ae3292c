"""The Feast repository of one home; importing this module costs seconds, so only when used."""

import runpy
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import feast
import pandas as pd
import pyarrow as pa
from feast.infra.online_stores.sqlite import SqliteOnlineStore
from feast.infra.registry.base_registry import BaseRegistry

from features.errors import NotThere
from features.store.definitions import JOIN_KEY, TIMESTAMP

ROW_NUMBER = "row_number"


class FeastRepo:
    """What Tijdig asks of Feast: apply, retrieve as of moments, replace and read what is online."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._feast = feast.FeatureStore(repo_path=str(folder))

    def apply(self) -> None:
        """Make the registry say what `definitions.py` says, no more and no less."""
        named = runpy.run_path(str(self._folder / "definitions.py"))
        kinds = (feast.Entity, feast.FileSource, feast.FeatureView, feast.FeatureService)
        wanted = [value for value in named.values() if isinstance(value, kinds)]
        kept = {(type(value), value.name) for value in wanted}
        gone = [v for v in _registered(self._feast) if (type(v), v.name) not in kept]
        self._feast.apply(wanted, objects_to_delete=gone, partial=False)

    def tags(self, service: str) -> dict[str, str]:
        """The tags the service was applied with."""
        return dict(self._service(service).tags)

    def source_paths(self, service: str) -> set[str]:
        """Where the views of the service read their rows."""
        views = [self._feast.get_feature_view(p.name) for p in self._projections(service)]
        return {view.batch_source.path for view in views}

    def historical(self, pupil_keys: pa.Array, moments: pa.Array, service: str) -> pa.Table:
        """Each pupil's features as of the moment beside it, in the order asked; null: no row."""
        asked = pd.DataFrame(
            {
                JOIN_KEY: pupil_keys.to_pandas(),
                TIMESTAMP: moments.to_pandas(),
                ROW_NUMBER: range(len(pupil_keys)),
            }
        )
        with _known_warnings():
            found = self._feast.get_historical_features(
                entity_df=asked, features=self._service(service)
            ).to_arrow()
        # Feast answers in any order.
        return found.sort_by(ROW_NUMBER).drop_columns([JOIN_KEY, TIMESTAMP, ROW_NUMBER])

    def replace_online(self, rows: pd.DataFrame, service: str) -> None:
        """Make the online store hold `rows` and nothing else, in one step."""
        online = self._folder / str(self._feast.config.online_store.path)
        staged = online.with_suffix(".next")
        staged.unlink(missing_ok=True)
        config = self._feast.config.model_copy(deep=True)
        config.online_store.path = str(staged.absolute())
        staging = feast.FeatureStore(repo_path=str(self._folder), config=config)
        views = [staging.get_feature_view(p.name) for p in self._projections(service)]
        store = SqliteOnlineStore()
        store.update(config, [], views, [], [], partial=True)
        for view in views:
            names = [field.name for field in view.features]
            # Feast warns about a view without a single value; an undefined value need not be kept.
            values = rows[~rows[names].isna().all(axis=1)]
            if len(values):
                staging.write_to_online_store(view.name, values[[JOIN_KEY, TIMESTAMP, *names]])
        staged.replace(online)

    def online(self, pupil_keys: Sequence[str], service: str) -> pa.Table:
        """What the online store holds of these pupils, in the order asked; null: no value."""
        return self._feast.get_online_features(
            features=self._service(service), entity_rows=[{JOIN_KEY: key} for key in pupil_keys]
        ).to_arrow()

    def _service(self, name: str) -> Any:
        return self._feast.get_feature_service(name)

    def _projections(self, service: str) -> Any:
        return self._service(service).feature_view_projections


def open_repo(folder: Path) -> FeastRepo:
    """The repository in `folder`; `NotThere` while nothing was applied."""
    if not (folder / "registry.db").exists():
        raise NotThere(
            f"{folder}: the feature definitions were not applied yet; run `tijdig features`"
        )
    return FeastRepo(folder)


def _registered(store: feast.FeatureStore) -> list[Any]:
    registry: BaseRegistry = store.registry
    return [
        *registry.list_feature_services(store.project),
        *registry.list_feature_views(store.project),
        *registry.list_data_sources(store.project),
        *(entity for entity in registry.list_entities(store.project) if entity.name != "__dummy"),
    ]


@contextmanager
def _known_warnings() -> Iterator[None]:
    with warnings.catch_warnings():
        # ibis 12 calls a DuckDB method by its old name; gone with the next ibis that Feast allows.
        warnings.filterwarnings("ignore", r"fetch_arrow_table\(\)", DeprecationWarning)
        yield
