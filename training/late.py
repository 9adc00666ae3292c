"""How much late recording costs: the same Mondays with all that is known by now."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from features.build import PartitionTables, build_partition
from features.governance.use import Use
from features.records import RecordLog
from features.records.partition import read_partition
from features.store import FeatureStore
from models.bundle import Scorer
from training.bootstrap import Flags, Interval, Resamples
from training.evaluate import Evaluator, Rows

MONDAYS = 10
"""So many Mondays of the test year are built again; all of them would take minutes more."""


@dataclass(frozen=True)
class LateRecording:
    """Recall at capacity as known then, with all that is known now, and their paired difference.

    `same_names`: of the names listed then, the share that would also be listed with hindsight.
    """

    mondays: int
    rows: int
    then: Interval
    now: Interval
    difference: Interval
    same_names: float


def as_known_now(tables: PartitionTables) -> PartitionTables:
    """Only the newest version of every record, known from the moment it is about."""
    return replace(
        tables,
        absence=_known_when_it_happened(tables.absence, "starts_at"),
        support=_known_when_it_happened(tables.support, "starts_on"),
    )


def _known_when_it_happened(table: pa.Table, column: str) -> pa.Table:
    newest = table.filter(
        pc.and_(pc.is_null(table["superseded_at"]), pc.invert(table["withdrawn"]))
    )
    known = newest["known_at"]
    happened = newest[column].cast(pa.timestamp("us"))
    # Arrow compares numbers only; a record without a moment keeps the one at which it was known.
    earlier = pc.min_element_wise(*(each.cast(pa.int64()) for each in (known, happened)))
    place = newest.schema.get_field_index("known_at")
    return newest.set_column(place, "known_at", earlier.cast(known.type))


def late_recording(
    frame: pl.DataFrame, rows: Rows, then: NDArray[np.float64], model: Scorer, asked: "Hindsight"
) -> LateRecording | None:
    """Score some Mondays of the test again with hindsight; None when no row can be built again.

    `frame` and `rows` are the rows in scope, `then` their scores as known at the time.
    """
    now = np.full(len(frame), np.nan)
    chosen = _spread(sorted(frame["as_of"].unique()), MONDAYS)
    place = frame.select("pupil_key", "as_of").with_row_index("row")
    pupils = frame["pupil_key"].unique().to_arrow()
    for table in asked.built(sorted(frame["school"].unique()), chosen, pupils):
        x = np.stack([table[name].to_numpy() for name in model.features], axis=1)
        keyed = pl.DataFrame(table.select(["pupil_key", "as_of"])).with_columns(
            score=pl.Series(model.score(x))
        )
        found = place.join(keyed, on=["pupil_key", "as_of"], how="inner")
        now[found["row"].to_numpy()] = found["score"].to_numpy()
    both = ~np.isnan(now)
    return _measured(rows.take(both), then[both], now[both], asked) if both.any() else None


@dataclass(frozen=True)
class Hindsight:
    """What it takes to build features with hindsight; every use of them stands in the ledger."""

    log: RecordLog
    store: FeatureStore
    service: str
    use: Use
    moment: datetime
    evaluator: Evaluator
    level: float

    def built(
        self, schools: Sequence[str], mondays: Sequence[date], pupils: pa.Array
    ) -> Iterator[pa.Table]:
        """The features of these Mondays with all that is known now, a school at a time.

        Only of `pupils`, those in the experiment: whoever objected is used here neither.
        """
        for school in schools:
            tables = read_partition(self.log, school, self.moment)
            table = build_partition(as_known_now(tables), mondays)
            table = table.filter(pc.is_in(table["pupil_key"], pupils.cast(pa.string())))
            if table.num_rows:
                self.store.record_rebuild(table, self.use, self.service)
                yield table


def _measured(
    rows: Rows, then: NDArray[np.float64], now: NDArray[np.float64], asked: Hindsight
) -> LateRecording:
    _, pupil = np.unique(rows.pupil, return_inverse=True)
    rows = replace(rows, pupil=pupil)
    whole = asked.evaluator
    resamples = Resamples(rows.pupils, whole.resamples.replicates, whole.resamples.seed)
    judge = Evaluator(rows, whole.capacity, resamples)
    lists: list[Flags] = [judge.listed(values) for values in (then, now)]
    everything = np.ones(len(rows), dtype=np.bool_)
    recall = [judge.at_capacity(flags, everything)["recall"] for flags in lists]
    return LateRecording(
        mondays=len(np.unique(rows.as_of)),
        rows=len(rows),
        then=Interval.of(recall[0], asked.level),
        now=Interval.of(recall[1], asked.level),
        difference=Interval.of(recall[1] - recall[0], asked.level),
        same_names=float((lists[0] & lists[1]).sum() / max(lists[0].sum(), 1)),
    )


def _spread(mondays: Sequence[date], count: int) -> list[date]:
    """About `count` of them, evenly over the year.

    >>> _spread([date(2026, 1, 5), date(2026, 1, 12), date(2026, 1, 19)], 2)
    [datetime.date(2026, 1, 5), datetime.date(2026, 1, 19)]
    """
    places = np.unique(np.linspace(0, len(mondays) - 1, min(count, len(mondays))).round())
    return [mondays[int(place)] for place in places]
