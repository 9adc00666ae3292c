"""The features of an experiment's rows, retrieved once, as one array."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import polars as pl
import pyarrow as pa
from numpy.typing import NDArray

from features.catalogue import COHORT_FEATURES, MODEL_FEATURES
from features.errors import ExperimentError
from features.governance.use import Use
from features.store import FeatureStore
from models.cohort import Cohort
from models.risk_model import TrainingRows
from training.cohort import ExperimentRows
from training.lots import pupil_numbers
from training.splits import Part

BATCH_ROWS = 400_000
"""Rows per retrieval: bounds the memory of the join; each retrieval is a row of the ledger."""


@dataclass(frozen=True)
class Values:
    """One row per row of the experiment, one column per feature; NaN where undefined."""

    x: NDArray[np.float32]
    names: tuple[str, ...]

    def take(self, rows: NDArray[np.bool_] | NDArray[np.int64]) -> "Values":
        """Some of the rows: a mask or their numbers."""
        return replace(self, x=self.x[rows])

    def of(self, names: tuple[str, ...]) -> NDArray[np.float32]:
        """The columns of these features, in this order."""
        chosen: NDArray[np.float32] = self.x[:, [self.names.index(name) for name in names]]
        return chosen

    def columns(self) -> Mapping[str, NDArray[np.float32]]:
        """One array per feature; views, not copies."""
        return {name: self.x[:, number] for number, name in enumerate(self.names)}


def retrieve(store: FeatureStore, frame: pl.DataFrame, service: str, use: Use) -> Values:
    """The features of `service` for every row of `frame`, through the one door.

    What a privacy officer set aside is not among them: a new model learns without it.
    """
    aside = store.set_aside
    if lost := [name for name in COHORT_FEATURES if name in aside]:
        raise ExperimentError(
            f"{', '.join(lost)}: set aside by the privacy officer, and without it nobody can tell "
            "who is in scope; no model can be trained"
        )
    names = tuple(name for name in MODEL_FEATURES + COHORT_FEATURES if name not in aside)
    entities = frame.select("pupil_key", "as_of").to_arrow(compat_level=pl.CompatLevel.oldest())
    entities = entities.cast(pa.schema({"pupil_key": pa.string(), "as_of": pa.date32()}))
    x = np.empty((len(frame), len(names)), dtype=np.float32)
    # School by school: a batch then touches few of the files, which hold schools.
    order = np.argsort(frame["school"].to_numpy(), kind="stable")
    for start in range(0, len(frame), BATCH_ROWS):
        rows = order[start : start + BATCH_ROWS]
        found = store.retrieve(entities.take(pa.array(rows)), service, use)
        for column, name in enumerate(names):
            x[rows, column] = found[name].to_numpy()
    return Values(x, names)


def in_scope(rows: ExperimentRows, values: Values, cohort: Cohort) -> tuple[ExperimentRows, Values]:
    """The rows of the pupils who are scored: of school age, known long enough, not yet in view."""
    members = cohort.members(values.columns())
    return replace(rows, frame=rows.frame.filter(pl.Series(members))), values.take(members)


def training_rows(rows: ExperimentRows, values: Values, *parts: Part) -> TrainingRows:
    """The rows of these parts, as the models take them."""
    inside = rows.frame["part"].is_in([part.value for part in parts])
    chosen, mask = rows.frame.filter(inside), inside.to_numpy()
    offered = tuple(name for name in values.names if name in MODEL_FEATURES)
    return TrainingRows(
        x=values.x[mask][:, : len(offered)],
        y=(chosen["outcome"] == 1).to_numpy(),
        weight=chosen["weight"].to_numpy().astype(np.float64),
        features=offered,
        pupils=pupil_numbers(chosen),
    )


def fingerprint(rows: ExperimentRows, values: Values) -> str:
    """SHA-256 over rows, outcomes, parts and feature values: the same data, the same text.

    Pseudonyms do not enter: the same records in another installation give the same text.
    """
    digest = hashlib.sha256("\n".join(values.names).encode())
    for name in ("lot", "order", "as_of", "outcome", "part"):
        digest.update(np.ascontiguousarray(rows.frame[name].to_numpy()).tobytes())
    digest.update(np.ascontiguousarray(values.x).tobytes())
    return digest.hexdigest()
