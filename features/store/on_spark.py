"""Retrieval through Feast's own Spark store, made exact: what it gets wrong is mended here.

Feast 0.67's `SparkOfflineStore` joins in Spark SQL by the rule we need: newest row at or before the
moment, no older than the TTL, edges included. Three things around that join are not exact:

- It brings the answer home through pandas, where an undefined value (NaN) and a row that does not
  exist (null) become the same. We take the frame from Spark as Arrow, which keeps them apart.
- It writes the bounds of the retrieval as text in UTC and lets the session read them in its own
  time zone. A session of another zone loses rows or reads too many; ours is put in UTC each time.
- Of rows made twice it takes the newest created, also one made after the moment asked. We name no
  created timestamp: there is one row per pupil and moment, and a replaced one is gone.
"""

import warnings
from typing import Any

import pyarrow as pa

from features.errors import NotThere


def joined_on_spark(feast_store: Any, asked: pa.Table, service: Any) -> pa.Table:
    """The rows of `asked` with the features of `service`, in any order; null: no such row."""
    session = _spark_store().get_spark_session_or_start_new_with_repoconfig(
        feast_store.config.offline_store
    )
    session.conf.set("spark.sql.session.timeZone", "UTC")
    job = feast_store.get_historical_features(entity_df=asked.to_pandas(), features=service)
    return job.to_spark_df().toArrow()


def without_notes() -> None:
    """No more notes of Feast that its Spark store and source are young: what we use is tested."""
    _spark_store()  # importing it makes such notes appear again
    warnings.filterwarnings("ignore", "The spark ", RuntimeWarning)


def _spark_store() -> Any:
    try:
        from feast.infra.offline_stores.contrib.spark_offline_store import spark
    except ImportError as problem:
        raise NotThere(
            "Spark is not installed; run `pip install tijdig[spark]`, or set offline = "
            '"files" in section [store] of tijdig.toml and apply again'
        ) from problem
    return spark
