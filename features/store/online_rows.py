"""The rows of Feast's online tables, written at once.

A value at a time takes Feast ten times as long, and a region lists thousands of pupils.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from features.store.online import BEFORE_FLOAT, NO_VALUE


def write_view(
    path: Path,
    table: str,
    names: Sequence[str],
    keys: Sequence[bytes],
    values: NDArray[np.float32],
    moment: datetime,
) -> None:
    """Write `values`, [pupils, features called `names`], into the empty table of a view in `path`.

    The same rows as Feast writes: an undefined value (NaN) is kept as none, and a pupil without any
    value in the view is not kept.
    """
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany(
            f'INSERT INTO "{table}" (entity_key, feature_name, value, value_text, event_ts) '  # noqa: S608
            "VALUES (?, ?, ?, ?, ?)",
            _rows(keys, names, values, int(moment.timestamp())),
        )
        connection.execute("COMMIT")


def _rows(
    keys: Sequence[bytes], names: Sequence[str], values: NDArray[np.float32], seconds: int
) -> Iterator[tuple[bytes, str, bytes, str | None, int]]:
    stored, width = values.astype("<f4"), len(names)
    for pupil in np.flatnonzero(~np.isnan(values).all(axis=1)).tolist():
        coded, plain = stored[pupil].tobytes(), stored[pupil].tolist()
        for at in range(width):
            if plain[at] != plain[at]:
                yield keys[pupil], names[at], NO_VALUE, None, seconds
            else:
                value = BEFORE_FLOAT + coded[4 * at : 4 * at + 4]
                yield keys[pupil], names[at], value, str(plain[at]), seconds
