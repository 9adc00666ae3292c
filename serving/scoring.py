"""Score one Monday with one model and cut the list: pure, the same for publishing and verifying."""

import functools
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from features.catalogue import COHORT_FEATURES
from features.vocabulary import PupilKey, Theme
from models.capacity import Capacity, LastList
from models.cohort import Cohort
from models.explain import Contributions, contributions
from models.listing import Cut, cut
from models.stored import RiskModel
from models.terms import terms_of
from serving.lists import Block


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

    `table` has a row per enrolled pupil, by school and pupil: pupil_key, school, group and every
    catalogue feature.
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

    @functools.cached_property
    def schools(self) -> list[str]:
        """The schools with pupils on this Monday, sorted."""
        return sorted(self._rows)

    @functools.cached_property
    def _rows(self) -> dict[str, slice]:
        """The rows of each school, which lie together: found once, a region has many schools."""
        coded = self.table["school"].combine_chunks().dictionary_encode()
        codes = coded.indices.to_numpy()
        starts = np.flatnonzero(np.r_[True, codes[1:] != codes[:-1]][: len(codes)])
        ends = [*starts[1:].tolist(), len(codes)]
        names = coded.dictionary.to_pylist()
        return {
            names[codes[start]]: slice(start, end)
            for start, end in zip(starts.tolist(), ends, strict=False)
        }

    def of_school(self, school: str) -> pa.Table:
        """The rows of one school."""
        mine = self._of(school)
        return self.table.slice(mine.start, mine.stop - mine.start)

    def _of(self, school: str) -> slice:
        return self._rows.get(school, slice(0, 0))

    def cut(self, last: Mapping[str, Collection[PupilKey]]) -> "CutMonday":
        """The lists of every school, all in one go: the same as each alone.

        `last` holds who stood on the list before, of each school that had one this school year.
        """
        rows = self.table.num_rows
        block = np.zeros(rows, np.int64)
        there, on_it = np.zeros(rows, np.bool_), np.zeros(rows, np.bool_)
        for number, (school, mine) in enumerate(self._rows.items()):
            block[mine], there[mine] = number, school in last
        for school, names in last.items():
            keys = self.of_school(school)["pupil_key"]
            stood = pc.is_in(keys, pa.array(sorted(names), pa.string()))
            on_it[self._of(school)] = stood.to_numpy()
        found = cut(
            self.capacity,
            self.bundle,
            {name: _column(self.table, name) for name in self.bundle.features},
            self.scores,
            block,
            # Rows go by pupil within a school: equal scores by pseudonym, as everywhere.
            np.arange(rows),
            LastList(there, on_it),
        )
        return CutMonday(self, found)


@dataclass(frozen=True)
class CutMonday:
    """The lists of every school on one Monday: pupils in their places, before there are words."""

    scored: ScoredMonday
    found: Cut

    def places(self, school: str) -> int:
        """How many pupils the team of `school` can discuss this week."""
        known = ~np.isnan(self.scored.scores[self.scored._of(school)])
        return self.scored.capacity.of(int(known.sum()))

    def passed_over(self) -> int:
        """How many pupils gave up their place: a signal without a reason."""
        return int(self.found.passed_over.sum())

    def listed(self, school: str) -> list[ListedPupil]:
        """The list of `school`: to discuss, to follow, and those too new to say anything about.

        The first half of the places is to discuss. Whoever the records give no reason for is passed
        over (`models.listing`). Pupils already at home are not on this list.
        """
        mine = self.scored._of(school)
        chosen = mine.start + np.flatnonzero(self.found.listed[mine])
        # Equal scores in the order of the rows, that of the pseudonyms.
        chosen = chosen[np.argsort(-self.scored.scores[chosen], kind="stable")]
        rows = [
            self._pupil(
                row,
                Block.DISCUSS if self.found.discussed[row] else Block.FOLLOW,
                place,
                self._explained.of_row(self._place[row]),
            )
            for place, row in enumerate(chosen.tolist())
        ]
        for row in (mine.start + np.flatnonzero(self._too_new[mine])).tolist():
            rows.append(self._pupil(row, Block.TOO_LITTLE_DATA, len(rows), {}))
        return rows

    def _pupil(self, row: int, block: Block, order: int, parts: dict[Theme, float]) -> ListedPupil:
        values = self._values[self._place[row]]
        return ListedPupil(
            pupil_key=PupilKey(values["pupil_key"]),
            group=values["group"],
            block=block,
            order=order,
            parts=parts,
            values={name: values[name] for name in self._names},
        )

    @functools.cached_property
    def _too_new(self) -> NDArray[np.bool_]:
        return self.scored.cohort.too_little_data(_status(self.scored.table))

    @functools.cached_property
    def _shown(self) -> NDArray[np.int64]:
        """The rows of all who stand on a list: first who is explained."""
        listed, new = (np.flatnonzero(flags) for flags in (self.found.listed, self._too_new))
        return np.concatenate([listed, new])

    @functools.cached_property
    def _place(self) -> dict[int, int]:
        return {row: place for place, row in enumerate(self._shown.tolist())}

    @property
    def _names(self) -> tuple[str, ...]:
        return (*self.scored.bundle.features, *COHORT_FEATURES)

    @functools.cached_property
    def _values(self) -> list[dict[str, Any]]:
        names = list(dict.fromkeys(("pupil_key", "group", *self._names)))
        return list(self.scored.table.select(names).take(pa.array(self._shown)).to_pylist())

    @functools.cached_property
    def _explained(self) -> Contributions:
        listed, bundle = np.flatnonzero(self.found.listed), self.scored.bundle
        return contributions(bundle, _matrix(self.scored.table, listed, bundle))


def score_monday(as_of: date, table: pa.Table, bundle: RiskModel) -> ScoredMonday:
    """Score everyone in scope of `table`; the rows are put in the order of school and pupil.

    Scope and capacity are those of the experiment the model came from: they travel with it.
    """
    ordered = _by_school(table)
    scores = np.full(ordered.num_rows, np.nan)
    members = np.flatnonzero(terms_of(bundle.metadata).cohort.members(_status(ordered)))
    if len(members):
        scores[members] = bundle.score(_matrix(ordered, members, bundle))
    return ScoredMonday(as_of, ordered, bundle, scores)


def _by_school(table: pa.Table) -> pa.Table:
    """`table` by school and pupil; retrieved rows are so already, and sorting texts takes long."""
    school, key = (table[name].combine_chunks() for name in ("school", "pupil_key"))
    rises = pc.less(school[:-1], school[1:])
    stays = pc.and_(pc.equal(school[:-1], school[1:]), pc.less_equal(key[:-1], key[1:]))
    if pc.all(pc.or_(rises, stays), min_count=0).as_py():
        return table.combine_chunks()
    return table.sort_by([("school", "ascending"), ("pupil_key", "ascending")]).combine_chunks()


def _status(table: pa.Table) -> dict[str, NDArray[np.float64]]:
    return {name: _column(table, name).astype(np.float64) for name in COHORT_FEATURES}


def _matrix(table: pa.Table, rows: NDArray[np.int64], bundle: RiskModel) -> NDArray[np.float32]:
    columns = [_column(table, name)[rows] for name in bundle.features]
    return np.column_stack(columns).astype(np.float32, copy=False)


def _column(table: pa.Table, name: str) -> NDArray[np.float32]:
    column: NDArray[np.float32] = table[name].combine_chunks().to_numpy(zero_copy_only=False)
    return column
