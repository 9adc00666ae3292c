"""Wires that a leak trips over: shuffled futures, windows that overlap, figures too good."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from features.build import PartitionTables, build_partition
from features.catalogue import Feature
from features.school_weeks import as_of_moment
from training.experiment import Label, Promotion

Build = Callable[[PartitionTables, Sequence[date]], pa.Table]
SHUFFLED = ("absence", "support", "placements")


@dataclass(frozen=True)
class Tripwire:
    """One wire: did it hold, and what was seen (counts and names of features, no values)."""

    name: str
    holds: bool
    detail: str


@dataclass(frozen=True)
class Reach:
    """The school weeks that something is computed from, relative to the as-of date.

    `first` and `end` in weeks; 0 is the as-of date itself, `end` is not included. None: as far
    back as the records go.
    """

    first: int | None
    end: int

    def meets(self, other: "Reach") -> bool:
        """Whether they share a day.

        >>> Reach(-12, 0).meets(Reach(0, 8)), Reach(-40, 4).meets(Reach(0, 8))
        (False, True)
        """
        starts = [-(10**6) if each.first is None else each.first for each in (self, other)]
        return starts[0] < other.end and starts[1] < self.end


def feature_reach(feature: Feature) -> Reach:
    """What a feature of the catalogue looks at: it ends at the as-of date."""
    return Reach(None if feature.window is None else -feature.window, 0)


def label_reach(label: Label) -> Reach:
    """What a label looks at: it begins at the as-of date (the run after its horizon included)."""
    run_weeks = 0 if label.kind == "share" else -(-label.run_days // 5)
    return Reach(0, label.weeks + run_weeks)


def label_overlap(features: Iterable[tuple[str, Reach]], label: Reach) -> Tripwire:
    """Refuses a definition under which label and features share days, before anything is fitted."""
    shared = sorted(name for name, reach in features if reach.meets(label))
    detail = f"shares days with the label: {', '.join(shared)}" if shared else "no day is shared"
    return Tripwire("label overlap", not shared, detail)


def future_shuffle(
    tables: PartitionTables,
    monday: date,
    names: Sequence[str],
    seed: int,
    build: Build = build_partition,
) -> Tripwire:
    """Exchange between pupils whatever became known from `monday` on: no feature may move.

    A score is a function of these features, so that it cannot move either.
    """
    after = shuffled(tables, as_of_moment(monday), seed)
    before, again = (_ordered(build(each, [monday])) for each in (tables, after))
    if before["pupil_key"].to_pylist() != again["pupil_key"].to_pylist():
        return Tripwire("future shuffle", False, f"{monday}: other pupils are enrolled")
    moved = [
        name
        for name in names
        if not np.array_equal(before[name].to_numpy(), again[name].to_numpy(), equal_nan=True)
    ]
    exchanged = sum(len(getattr(tables, name)) for name in SHUFFLED)
    detail = f"moved with a shuffled future: {', '.join(moved)}" if moved else "no feature moved"
    return Tripwire("future shuffle", not moved, f"{monday}, {exchanged} records: {detail}")


def shuffled(tables: PartitionTables, moment: datetime, seed: int) -> PartitionTables:
    """The same records, with all that became known at `moment` or later given to other pupils."""
    generator = np.random.default_rng(seed)
    changed = {}
    for name in SHUFFLED:
        table = getattr(tables, name)
        late = pc.greater_equal(table["known_at"], pa.scalar(moment, table["known_at"].type))
        order = np.arange(len(table))
        numbers = np.flatnonzero(late.to_numpy())
        order[numbers] = generator.permutation(numbers)
        keys = table["pupil_key"].take(pa.array(order))
        place = table.schema.get_field_index("pupil_key")
        changed[name] = table.set_column(place, "pupil_key", keys)
    return replace(tables, **changed)


def too_good(roc_auc: float, recall: float, limits: Promotion) -> Tripwire:
    """Figures that no honest model of so rare an outcome reaches are taken for a leak.

    >>> too_good(0.99, 0.5, Promotion()).holds, too_good(0.75, 0.2, Promotion()).holds
    (False, True)
    """
    holds = not (roc_auc > limits.too_good or recall > limits.too_good_recall)
    limit = f"alarm above {limits.too_good} and {limits.too_good_recall}"
    return Tripwire("too good", holds, f"ROC AUC {roc_auc:.3f}, recall {recall:.3f}; {limit}")


def _ordered(table: pa.Table) -> pa.Table:
    return table.sort_by([("pupil_key", "ascending")])
