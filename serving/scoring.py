"""Score one Monday with one model and cut the list: pure, the same for publishing and verifying."""

import functools
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from features.catalogue import COHORT_FEATURES
from features.vocabulary import PupilKey, Theme
from models.capacity import Capacity, LastList
from models.cohort import Cohort
from models.explain import contributions
from models.listing import Cut, cut
from models.stored import RiskModel
from models.terms import terms_of
from serving.lists import Block

Places = NDArray[np.int64]
LastNames = Collection[PupilKey] | None


@dataclass(frozen=True)
class ListedPupil:
    """Who stands where on the list of a school, before there are words for it."""

    pupil_key: PupilKey
    group: str
    block: Block
    order: int
    parts: dict[Theme, float]
    values: dict[str, float]


@dataclass(frozen=True)
class ScoredMonday:
    """The rows of one Monday with their scores; NaN where a pupil is not scored.

    `table` has a row per enrolled pupil: pupil_key, school, group and every catalogue feature.
    """

    as_of: date
    table: pa.Table
    bundle: RiskModel
    scores: NDArray[np.float64]

    @property
    def cohort(self) -> Cohort:
        """Who is in scope: as the model was measured."""
        return terms_of(self.bundle.metadata).cohort

    @property
    def capacity(self) -> Capacity:
        """How many a team can discuss: as the model was measured."""
        return terms_of(self.bundle.metadata).capacity

    @property
    def schools(self) -> list[str]:
        """The schools with pupils on this Monday, sorted."""
        return sorted(self._rows)

    def places(self, school: str) -> int:
        """How many pupils the team of `school` can discuss this week."""
        return self.capacity.of(int((~np.isnan(self.scores[self._of(school)])).sum()))

    def passed_over(self, school: str, last: LastNames) -> int:
        """How many pupils of `school` gave up their place: a signal without a reason."""
        return int(self._cut(self._of(school), last).passed_over.sum())

    def listed(self, school: str, last: LastNames) -> list[ListedPupil]:
        """The list of `school`: to discuss, to follow, and those too new to say anything about.

        `last` holds who stood on the list before, in this school year; None when there was none.
        The first half of the places is to discuss. Whoever the records give no reason for is passed
        over (`models.listing`). Pupils already at home are not on this list.
        """
        mine = self._of(school)
        keys = self._keys(mine)
        found = self._cut(mine, last)
        on_list = found.listed
        chosen = mine[on_list]
        chosen = chosen[np.lexsort((keys[on_list], -self.scores[chosen]))]
        rows: list[ListedPupil] = []
        if len(chosen):
            explained = contributions(self.bundle, _matrix(self.table.take(chosen), self.bundle))
            discussed = set(mine[found.discussed].tolist())
            rows = [
                self._pupil(
                    int(row),
                    Block.DISCUSS if int(row) in discussed else Block.FOLLOW,
                    place,
                    explained.of_row(place),
                )
                for place, row in enumerate(chosen)
            ]
        status = _status(self.table)
        new = mine[self.cohort.too_little_data(status)[mine]]
        for row in sorted(new, key=lambda row: str(self.table["pupil_key"][int(row)])):
            rows.append(self._pupil(int(row), Block.TOO_LITTLE_DATA, len(rows), {}))
        return rows

    def _cut(self, mine: Places, last: LastNames) -> Cut:
        table, keys = self.table.take(mine), self._keys(mine)
        before = LastList.none(len(mine))
        if last is not None:
            on_it = np.array([key in last for key in keys], np.bool_)
            before = LastList(np.ones(len(mine), np.bool_), on_it)
        return cut(
            self.capacity,
            self.bundle,
            {name: _column(table, name) for name in self.bundle.features},
            self.scores[mine],
            np.zeros(len(mine), np.int64),
            keys,
            before,
        )

    @functools.cached_property
    def _rows(self) -> dict[str, Places]:
        """The rows of each school: found once, for a region has many schools."""
        coded = self.table["school"].combine_chunks().dictionary_encode()
        codes = coded.indices.to_numpy()
        order = np.argsort(codes, kind="stable")
        parts = np.split(order, np.flatnonzero(np.diff(codes[order])) + 1)
        # Split by code: the first of `codes` is 0, and every code occurs.
        return dict(zip(coded.dictionary.to_pylist(), parts, strict=True)) if len(codes) else {}

    def of_school(self, school: str) -> pa.Table:
        """The rows of one school."""
        return self.table.take(self._of(school))

    def _of(self, school: str) -> Places:
        return self._rows.get(school, np.empty(0, np.int64))

    def _keys(self, rows: Places) -> NDArray[np.str_]:
        return np.asarray(self.table["pupil_key"].take(rows).to_pylist(), dtype=np.str_)

    def _pupil(self, row: int, block: Block, order: int, parts: dict[Theme, float]) -> ListedPupil:
        values = self.table.slice(row, 1).to_pylist()[0]
        return ListedPupil(
            pupil_key=PupilKey(values["pupil_key"]),
            group=values["group"],
            block=block,
            order=order,
            parts=parts,
            values={name: values[name] for name in (*self.bundle.features, *COHORT_FEATURES)},
        )


def score_monday(as_of: date, table: pa.Table, bundle: RiskModel) -> ScoredMonday:
    """Score everyone in scope of `table`; the rows are put in the order of school and pupil.

    Scope and capacity are those of the experiment the model came from: they travel with it.
    """
    ordered = table.sort_by([("school", "ascending"), ("pupil_key", "ascending")])
    scores = np.full(ordered.num_rows, np.nan)
    members = np.flatnonzero(terms_of(bundle.metadata).cohort.members(_status(ordered)))
    if len(members):
        scores[members] = bundle.score(_matrix(ordered.take(members), bundle))
    return ScoredMonday(as_of, ordered, bundle, scores)


def _status(table: pa.Table) -> dict[str, NDArray[np.float64]]:
    return {name: _column(table, name).astype(np.float64) for name in COHORT_FEATURES}


def _matrix(table: pa.Table, bundle: RiskModel) -> NDArray[np.float32]:
    columns = [_column(table, name) for name in bundle.features]
    return np.column_stack(columns).astype(np.float32)


def _column(table: pa.Table, name: str) -> NDArray[np.float32]:
    column: NDArray[np.float32] = table[name].combine_chunks().to_numpy(zero_copy_only=False)
    return column
