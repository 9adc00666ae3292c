"""Feast's retrieval for a store of snapshots: all views of one source in one point-in-time join.

Feast's own DuckDB store joins every view apart, on text made of key and moment, over all columns.
Here the views share one source, so only keys and moments are joined (Polars `join_asof`, with the
TTL as its tolerance), and the values are then taken from the files, one row group at a time.
The rule stays Feast's: the newest row at or before the moment asked, no older than the TTL. Where
its assumptions do not hold, Feast's DuckDB store answers. Named as `offline_store` in the generated
`feature_store.yaml` (decision 0016).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from feast.data_format import ParquetFormat
from feast.infra.offline_stores.duckdb import DuckDBOfflineStore, DuckDBOfflineStoreConfig
from feast.infra.offline_stores.file_source import FileSource
from feast.infra.offline_stores.offline_store import RetrievalJob, RetrievalMetadata
from feast.infra.offline_stores.offline_utils import infer_event_timestamp_from_entity_df
from feast.types import Float32
from numpy.typing import NDArray

STORED_ROW = "stored_row"
ASKED_ROW = "asked_row"
NOWHERE = -1
COLUMNS_AT_ONCE = 16
"""A row group of a million rows with all features would be a third of a gigabyte."""


class SnapshotOfflineStoreConfig(DuckDBOfflineStoreConfig):  # type: ignore[misc]
    """The section `offline_store` of `feature_store.yaml`."""

    type: str = "features.store.snapshots.SnapshotOfflineStore"


class SnapshotOfflineStore(DuckDBOfflineStore):  # type: ignore[misc]
    """Feast's DuckDB store with another way to join views of one source of local Parquet files."""

    @staticmethod
    def get_historical_features(
        config: Any,
        feature_views: Sequence[Any],
        feature_refs: Sequence[str],
        entity_df: pd.DataFrame,
        registry: Any,
        project: str,
        full_feature_names: bool = False,
        filter_by_created_timestamp: bool = False,
    ) -> RetrievalJob:
        """What Feast calls; the rows come back in the order asked, null where there is no row."""
        source = _shared_source(feature_views)
        if source is None or full_feature_names or not isinstance(entity_df, pd.DataFrame):
            return DuckDBOfflineStore.get_historical_features(
                config,
                feature_views,
                feature_refs,
                entity_df,
                registry,
                project,
                full_feature_names,
                filter_by_created_timestamp,
            )
        return SnapshotRetrieval(source, [ref.split(":")[1] for ref in feature_refs], entity_df)


@dataclass(frozen=True)
class Source:
    """Local Parquet files that some views share, with how they are joined."""

    folder: Path
    key: str
    moment: str
    ttl: timedelta


class SnapshotRetrieval(RetrievalJob):  # type: ignore[misc]
    """One retrieval; nothing is read before its rows are asked for."""

    def __init__(self, source: Source, features: Sequence[str], asked: pd.DataFrame) -> None:
        self._source = source
        self._features = list(features)
        self._moment = infer_event_timestamp_from_entity_df(dict(asked.dtypes))
        self._asked = asked

    def _to_arrow_internal(self, timeout: int | None = None) -> pa.Table:  # noqa: ARG002
        asked = pa.Table.from_pandas(self._asked, preserve_index=False)
        keys, moments = asked[self._source.key], asked[self._moment]
        groups = list(_row_groups(self._source, moments))
        found = _joined(self._source, groups, keys, moments)
        values = _values(groups, self._features, found)
        missing = found == NOWHERE
        for name, column in zip(self._features, values, strict=True):
            mask = missing if missing.any() else None
            asked = asked.append_column(name, pa.array(column, mask=mask))
        return asked

    def _to_df_internal(self, timeout: int | None = None) -> pd.DataFrame:
        return self._to_arrow_internal(timeout).to_pandas()

    @property
    def full_feature_names(self) -> bool:
        """Whether names carry that of their view: never here."""
        return False

    @property
    def on_demand_feature_views(self) -> list[Any]:
        """None: all features are stored."""
        return []

    @property
    def metadata(self) -> RetrievalMetadata:
        """What was asked, as Feast's own jobs tell it."""
        moments = self._asked[self._moment]
        keys = [name for name in self._asked.columns if name != self._moment]
        return RetrievalMetadata(self._features, keys, moments.min(), moments.max())


@dataclass(frozen=True)
class RowGroup:
    """A row group of a file: the unit in which values are read."""

    path: Path
    number: int
    rows: int

    def read(self, columns: Sequence[str]) -> pa.Table:
        """These columns of it."""
        # One handle per group: a generation may hold thousands of files.
        with pq.ParquetFile(self.path) as file:
            return file.read_row_group(self.number, columns=list(columns))


def _shared_source(views: Sequence[Any]) -> Source | None:
    """The one source of these views, if they are joined alike and nothing is renamed."""
    first = views[0].batch_source
    plain = (
        isinstance(first, FileSource)
        and isinstance(first.file_format, ParquetFormat)
        and Path(first.path).is_dir()
        and not first.created_timestamp_column
    )
    alike = all(
        view.batch_source == first
        and view.ttl == views[0].ttl
        and len(view.entity_columns) == 1
        and view.entity_columns[0].name == views[0].entity_columns[0].name
        and not view.batch_source.field_mapping
        and not view.projection.join_key_map
        and not view.projection.name_alias
        and all(field.dtype == Float32 for field in view.features)
        for view in views
    )
    if not (plain and alike and views[0].ttl):
        return None
    key = views[0].entity_columns[0].name
    return Source(Path(first.path), key, first.timestamp_field, views[0].ttl)


def _row_groups(source: Source, moments: pa.ChunkedArray) -> Iterator[RowGroup]:
    """The row groups that can hold a row for one of these moments, going by their statistics."""
    if not len(moments):
        return
    earliest, latest = pc.min_max(moments).as_py().values()
    since, until = earliest - source.ttl, latest
    for path in sorted(source.folder.glob("*.parquet")):
        with pq.ParquetFile(path) as file:
            column = file.schema_arrow.get_field_index(source.moment)
            for number in range(file.num_row_groups):
                group = file.metadata.row_group(number)
                if _within(group.column(column).statistics, since, until):
                    yield RowGroup(path, number, group.num_rows)


def _within(statistics: Any, since: datetime, until: datetime) -> bool:
    if statistics is None or not statistics.has_min_max:
        return True
    return bool(statistics.min <= until and since <= statistics.max)


def _joined(
    source: Source, groups: Sequence[RowGroup], keys: pa.ChunkedArray, moments: pa.ChunkedArray
) -> NDArray[np.int64]:
    """For each row asked the place of its row among those of all groups, or NOWHERE.

    A group at a time, and of it only the rows of keys that are asked: memory follows what is
    asked, not what is stored.
    """
    moment = pl.col(source.moment).cast(pl.Datetime("us", "UTC"))
    asked = pl.DataFrame(pa.table([keys, moments], names=[source.key, source.moment]))
    asked = asked.with_columns(moment).with_row_index(ASKED_ROW).sort(source.moment)
    found = np.full(len(keys), NOWHERE, np.int64)
    newest = np.full(len(keys), np.iinfo(np.int64).min)
    begin = 0
    for group in groups:
        stored = pl.DataFrame(group.read([source.key, source.moment])).with_columns(moment)
        stored = stored.with_row_index(STORED_ROW, offset=begin)
        begin += group.rows
        stored = stored.join(asked, on=source.key, how="semi").sort(source.moment)
        here = asked.join(stored, on=source.key, how="semi", maintain_order="left")
        joined = here.join_asof(
            stored.with_columns(known=moment.dt.epoch("us")),
            on=source.moment,
            by=source.key,
            tolerance=source.ttl,
            check_sortedness=False,
        ).drop_nulls(STORED_ROW)
        rows, known = (joined[name].to_numpy() for name in (ASKED_ROW, "known"))
        # One pupil's rows may lie in several groups: the newest of them counts.
        newer = known > newest[rows]
        found[rows[newer]] = joined[STORED_ROW].to_numpy()[newer]
        newest[rows[newer]] = known[newer]
    return found


def _values(
    groups: Sequence[RowGroup], features: Sequence[str], found: NDArray[np.int64]
) -> list[NDArray[np.float32]]:
    """The columns of `features` for the rows found; what stands for NOWHERE means nothing."""
    columns = [np.empty(len(found), np.float32) for _ in features]
    order = np.argsort(found, kind="stable")
    ends = np.cumsum([0, *(group.rows for group in groups)])
    cuts = np.searchsorted(found[order], ends)
    for group, begin, first, last in zip(groups, ends[:-1], cuts[:-1], cuts[1:], strict=True):
        if first == last:
            continue
        asked = order[first:last]
        places = found[asked] - begin
        for some in range(0, len(features), COLUMNS_AT_ONCE):
            names = features[some : some + COLUMNS_AT_ONCE]
            rows = group.read(names)
            for name, column in zip(names, columns[some:], strict=False):
                column[asked] = rows[name].to_numpy()[places]
    return columns
