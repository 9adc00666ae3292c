"""The pupils of some schools and where they were placed, as arrays."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from features.absence.span import Span
from features.records.partition import lifetimes

LONG_AGO, FAR_AHEAD = date(1900, 1, 1), date(2200, 1, 1)
Whole = NDArray[np.int64]


class Placements(NamedTuple):
    """Placements of pupils, sorted by school, pupil, day of enrolment and record.

    Those of pupil number p are the rows from `begin[p]` up to `begin[p + 1]`. `enrolled` and
    `left` (included) are day numbers. `group` numbers the groups of one school. A row counts at
    moment number k when `first[row] <= k < end[row]`.
    """

    begin: Whole
    enrolled: Whole
    left: Whole
    group: Whole
    first: Whole
    end: Whole


@dataclass(frozen=True)
class Pupils:
    """Every (school, pupil) with a placement, numbered in that order.

    Those of school number s of `schools` are the numbers from `of_school[s]` up to
    `of_school[s + 1]`; `groups[s]` are the names of its groups. `table` holds the placements
    themselves, in the order of `placements`.
    """

    schools: list[str]
    of_school: Whole
    groups: list[list[str]]
    keys: pa.Array
    placements: Placements
    table: pa.Table

    def numbers_of(self, rows: pa.Table) -> Whole:
        """The pupil number of each row of a table with `school` and `pupil_key`; -1 for none.

        A pupil who moved between two of these schools is two numbers: one at each.
        """
        names = pc.unique(self.keys)
        schools = len(self.schools)
        key = positions(rows["pupil_key"], names)
        school = positions(rows["school"], pa.array(self.schools, pa.string()))
        own_key = positions(self.keys, names)
        own_pair = own_key * schools + self._school_of_pupil
        pair = np.where((key < 0) | (school < 0), -1, key * schools + school)
        if len(names) == len(self.keys):
            number = np.full(len(names) + 1, -1, np.int64)
            number[own_key] = np.arange(len(own_key))
            found = number[key]
        else:
            order = np.argsort(own_pair)
            found = np.append(order, -1)[np.searchsorted(own_pair[order], pair)]
        return np.where((pair >= 0) & (np.append(own_pair, -2)[found] == pair), found, -1)

    @property
    def _school_of_pupil(self) -> Whole:
        return np.repeat(np.arange(len(self.schools)), np.diff(self.of_school))


def pupils_of(
    placements: pa.Table, schools: Sequence[str], span: Span, moments: Sequence[datetime]
) -> Pupils:
    """The pupils of `schools` (in order) from the versions of their placements."""
    # Where two placements hold for a day, the one that began last wins.
    keys = ("school", "pupil_key", "enrolled_on", "record_key")
    table = placements.sort_by([(key, "ascending") for key in keys]).combine_chunks()
    school = positions(table["school"], pa.array(schools, pa.string()))
    pupil_key = table["pupil_key"].combine_chunks()
    is_first = np.ones(len(table), bool)
    is_first[1:] = school[1:] != school[:-1]
    is_first[1:] |= pc.not_equal(pupil_key[1:], pupil_key[:-1]).to_numpy(zero_copy_only=False)
    begin = np.flatnonzero(is_first)
    live = lifetimes(table, moments)
    group, groups = _groups_of(table, school, len(schools))
    return Pupils(
        schools=list(schools),
        of_school=np.searchsorted(school[begin], np.arange(len(schools) + 1)),
        groups=groups,
        keys=pupil_key.take(pa.array(begin)),
        placements=Placements(
            begin=np.append(begin, len(table)),
            enrolled=span.numbers_of(table["enrolled_on"], LONG_AGO),
            left=span.numbers_of(table["left_on"], FAR_AHEAD),
            group=group,
            first=live.first,
            end=live.end,
        ),
        table=table,
    )


def positions(values: pa.ChunkedArray | pa.Array, among: pa.Array) -> Whole:
    """Where each value stands in `among`; -1 where it does not. Values may be a dictionary's."""
    if pa.types.is_dictionary(values.type):
        coded = values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values
        place: Whole = np.append(positions(coded.dictionary, among), -1)
        return place.take(np.asarray(pc.fill_null(coded.indices, -1)))
    found = pc.fill_null(pc.index_in(values, among), -1)
    numbers = found.to_numpy() if isinstance(found, pa.ChunkedArray) else np.asarray(found)
    return numbers.astype(np.int64)


def spans_of(number: Whole, count: int) -> tuple[Whole, Whole]:
    """Which rows belong to each number below `count`, for rows of number `number` (-1: to none).

    Rows of number n are `order[begin[n] : begin[n + 1]]`, in their own order.

    >>> begin, order = spans_of(np.array([1, -1, 0, 1]), 3)
    >>> begin, order
    (array([0, 1, 3, 3]), array([2, 0, 3]))
    """
    order = np.argsort(number, kind="stable")
    order = order[np.count_nonzero(number < 0) :]
    return np.searchsorted(number[order], np.arange(count + 1)), order


def _groups_of(table: pa.Table, school: Whole, schools: int) -> tuple[Whole, list[list[str]]]:
    """Per row the number of its group within its school, and the names of the groups, sorted."""
    coded = pc.fill_null(table["group"], "").combine_chunks().dictionary_encode()
    names = np.array(coded.dictionary.to_pylist(), object)
    rank = np.empty(len(names), np.int64)
    rank[np.argsort(names)] = np.arange(len(names))
    code = rank[np.asarray(coded.indices)] if len(names) else np.zeros(0, np.int64)
    by_rank = np.sort(names)
    pairs, group = np.unique(school * max(1, len(names)) + code, return_inverse=True)
    of_pair = pairs // max(1, len(names))
    first = np.searchsorted(of_pair, np.arange(schools + 1))
    groups = [
        by_rank[pairs[first[s] : first[s + 1]] % max(1, len(names))].tolist()
        for s in range(schools)
    ]
    return group - first[school], groups
