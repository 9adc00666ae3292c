"""Draws that depend on what is recorded of a pupil, not on the pseudonym.

Pseudonyms are random in every installation. If they decided which rows are sampled, how ties fall
and whom a resample draws, the same records would give another model and another interval in
another home. A pupil's *lot* is a hash of the recorded days instead.
"""

import hashlib
from datetime import datetime

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from features.absence import DayGrid
from features.records.partition import PartitionTables

Lots = NDArray[np.uint64]
SAID = (
    "known_at", "withdrawn", "kind", "status", "starts_on", "ends_on",
    "year_group", "group", "born_on", "enrolled_on", "left_on", "left_to",
)  # fmt: skip
"""The columns of placements and support that say something of a pupil, apart from keys."""


def lots(grid: DayGrid, tables: PartitionTables, school: str, known: datetime) -> tuple[Lots, Lots]:
    """Two numbers per pupil of the grid, the same wherever the same is recorded before `known`.

    The first is the lot, from the recorded days; rows are drawn by it. The second, from placements
    and support, puts those in order who share a lot: pupils of one group who were never absent.
    Of whom all of it is the same, nothing but the pseudonym differs, and the order does not matter.
    """
    columns = [grid.planned, grid.late, grid.sent_out]
    columns += [grid.minutes[kind] for kind in sorted(grid.minutes)]
    groups = np.array([*grid.group_names, ""])
    first = [_first_group(row) for row in grid.group]
    drawn_by = [
        _hash(school, str(groups[first[pupil]]), *(column[pupil] for column in columns))
        for pupil in range(len(grid.pupil_keys))
    ]
    told = [_in_words(table, known) for table in (tables.placements, tables.support)]
    order = [_hash(*(words.get(key, "") for words in told)) for key in grid.pupil_keys]
    return np.array(drawn_by, dtype=np.uint64), np.array(order, dtype=np.uint64)


def uniform(lot: Lots, as_of: NDArray[np.datetime64], seed: int) -> NDArray[np.float64]:
    """A number in [0, 1) per row, from its lot, its as-of date and the seed alone.

    >>> lot = np.array([7, 7, 8], dtype=np.uint64)
    >>> weeks = np.array(["2026-11-09", "2026-11-16", "2026-11-09"], dtype="datetime64[D]")
    >>> uniform(lot, weeks, seed=1).round(2)
    array([0.22, 0.36, 0.58])
    """
    with np.errstate(over="ignore"):
        state = lot ^ _mixed(as_of.astype("datetime64[D]").astype(np.int64).astype(np.uint64))
        state = _mixed(state + _mixed(np.array([seed], dtype=np.uint64)))
    return (state >> np.uint64(11)).astype(np.float64) / 2.0**53


def with_history(rows: pl.DataFrame, earlier: pl.DataFrame | None) -> pl.DataFrame:
    """`rows` with lots that also tell apart who differed in an earlier period only.

    The earlier rows keep their own lots: what came after them must not decide about them.
    """
    if earlier is None:
        return rows
    before = earlier.group_by("pupil_key").agg(before=pl.col("lot").first())
    joined = rows.join(before, on="pupil_key", how="left", maintain_order="left")
    both = joined["lot"].to_numpy() ^ _mixed(joined["before"].fill_null(0).to_numpy())
    return rows.with_columns(lot=pl.Series(both))


def pupil_numbers(frame: pl.DataFrame) -> NDArray[np.int64]:
    """The pupil of each row as a number from 0, in the order of their lots.

    `frame` has the columns lot, order and pupil_key; a pupil known at two schools is one pupil.

    >>> frame = pl.DataFrame({"lot": [5, 2, 5, 9], "order": 0, "pupil_key": ["a", "b", "a", "b"]})
    >>> pupil_numbers(frame)
    array([1, 0, 1, 0])
    """
    pupils = frame.group_by("pupil_key").agg(pl.col("lot", "order").min())
    pupils = pupils.sort("lot", "order", "pupil_key")
    numbered = pupils.select("pupil_key").with_row_index("number")
    joined = frame.select("pupil_key").join(
        numbered, on="pupil_key", how="left", maintain_order="left"
    )
    return joined["number"].to_numpy().astype(np.int64)


def _in_words(table: pa.Table, known: datetime) -> dict[str, str]:
    """All versions of a pupil's records known before `known`, as one text per pupil."""
    frame = pl.DataFrame(table.filter(pc.field("known_at") < pa.scalar(known)))
    columns = [name for name in SAID if name in frame.columns]
    return dict(
        frame.select(
            "pupil_key", text=pl.concat_str(pl.col(columns).cast(pl.String), ignore_nulls=True)
        )
        .sort("pupil_key", "text")
        .group_by("pupil_key", maintain_order=True)
        .agg(pl.col("text").str.join("\n"))
        .iter_rows()
    )


def _first_group(groups: NDArray[np.int16]) -> int:
    placed = np.flatnonzero(groups >= 0)
    return int(groups[placed[0]]) if len(placed) else -1


def _hash(*parts: str | NDArray[np.generic]) -> int:
    digest = hashlib.blake2b(digest_size=8)
    for part in parts:
        content = part.encode() if isinstance(part, str) else np.ascontiguousarray(part).tobytes()
        digest.update(content + b"\x00")
    return int.from_bytes(digest.digest(), "big")


def _mixed(value: Lots) -> Lots:
    """SplitMix64's finaliser (Steele e.a. 2014): neighbouring numbers become unrelated ones."""
    value = (value ^ (value >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    value = (value ^ (value >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return value ^ (value >> np.uint64(31))
