"""Do the records named in a reason carry the score: take them away, and look at the score again."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from features.build import build_partition
from features.records.partition import PartitionTables
from features.school_weeks import as_of_moment
from features.vocabulary import AbsenceKind, PupilKey, SupportKind, Theme
from models.evidence import PupilRecords, SchoolRecords
from models.explain import contributions, leading_themes
from models.facts import Fact
from models.listing import tellable
from models.reasons import facts_of
from models.stored import RiskModel

Row = dict[str, Any]

_ABSENCE_LABELS = {kind.label: kind.value for kind in AbsenceKind}
_SUPPORT_LABELS = {kind.label: kind.value for kind in SupportKind}


@dataclass(frozen=True)
class Fidelity:
    """In how many cases the score fell when the records of the first reason were taken away.

    `cases` counts pupils with such records; `fell` those whose score became lower without them.
    """

    cases: int = 0
    fell: int = 0

    def __add__(self, other: "Fidelity") -> "Fidelity":
        return Fidelity(self.cases + other.cases, self.fell + other.fell)

    @property
    def share(self) -> float:
        """The share of cases in which the score fell; NaN without cases.

        >>> (Fidelity(3, 2) + Fidelity(1, 1)).share
        0.75
        """
        return self.fell / self.cases if self.cases else float("nan")


def fidelity(
    model: RiskModel,
    tables: PartitionTables,
    school: str,
    as_of: date,
    pupil_keys: Sequence[PupilKey],
) -> Fidelity:
    """Take from each of `pupil_keys` the records under the first reason, and score again.

    The pupils are enrolled at `school` on the Monday `as_of`, for instance those listed there. All
    versions of a record go, as if the school had never recorded it; the features of the pupil are
    built anew, so that everything that rests on the record goes with it. A pupil without a reason
    is no case. Costs a build of the school per pupil: sample the pupils.
    """
    own = tables.of_school(school)
    built = build_partition(own, [as_of])
    records = SchoolRecords(own, school, as_of)
    before, first = _scored(model, built)
    at = {key: number for number, key in enumerate(built["pupil_key"].to_pylist())}
    total = Fidelity()
    for key in pupil_keys:
        row = at[key]
        if first[row] < 0:
            continue
        theme = tuple(Theme)[first[row]]
        values = built.slice(row, 1).to_pylist()[0]
        values = {name: values[name] for name in model.features}
        pupil = records.of(key)
        less = without(own, pupil, facts_of(theme, pupil, values))
        again = build_partition(less, [as_of])
        now = model.margin(_matrix(model, again.filter(pc.field("pupil_key") == key)))[0]
        total += Fidelity(1, int(now < before[row]))
    return total


def without(tables: PartitionTables, pupil: PupilRecords, facts: Sequence[Fact]) -> PartitionTables:
    """The tables without the records that `facts` about `pupil` name: all versions of them.

    A record of several days goes when one of its days is named.
    """
    named = {part for fact in facts for line in fact.evidence for part in line.label.split(", ")}
    days = {day for fact in facts for day in fact.days}
    moment = as_of_moment(pupil.as_of)
    absence = {
        row["record_key"]
        for row in _own(tables.absence, pupil, named, _ABSENCE_LABELS)
        if row["known_at"] < moment and any(_touches(row, day) for day in days)
    }
    dates = {line.day for fact in facts for line in fact.evidence}
    support = {
        row["record_key"]
        for row in _own(tables.support, pupil, named, _SUPPORT_LABELS)
        if {row["starts_on"], row["ends_on"]} & dates
    }
    return replace(
        tables,
        absence=_dropped(tables.absence, absence),
        support=_dropped(tables.support, support),
    )


def _own(
    table: pa.Table, pupil: PupilRecords, named: set[str], labels: dict[str, str]
) -> list[Row]:
    kinds = pa.array(sorted({labels[name] for name in named if name in labels}), pa.string())
    own = table.filter((pc.field("pupil_key") == pupil.pupil_key) & pc.field("kind").isin(kinds))
    return list(own.to_pylist())


def _touches(row: Row, day: date) -> bool:
    starts_at, ends_at = row["starts_at"], row["ends_at"]
    first = starts_at.date()
    if ends_at is None:
        return bool(first == day or (row["minutes"] is None and first <= day))
    return bool(first <= day <= max(first, ends_at.date()))


def _dropped(table: pa.Table, record_keys: set[object]) -> pa.Table:
    keys = pa.array(sorted(map(str, record_keys)), pa.string())
    return table.filter(pc.invert(pc.is_in(table["record_key"], keys)))


def _scored(model: RiskModel, built: pa.Table) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """The margin of every row, and the number of its first theme that can be told, or -1."""
    x = _matrix(model, built)
    columns = {name: x[:, at] for at, name in enumerate(model.features)}
    return model.margin(x), leading_themes(contributions(model, x), tellable(columns))[:, 0]


def _matrix(model: RiskModel, table: pa.Table) -> NDArray[np.float32]:
    columns = [table[name].to_numpy() for name in model.features]
    return np.column_stack(columns).astype(np.float32)
