"""What a record says as one number of 64 bits: equal for equal content, in every later release.

Worked out over whole columns: a word is hashed once, however many rows say it. It tells versions
of one record apart; nobody's secret depends on it.
"""

import hashlib
from collections.abc import Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

from features.governance.authentication import as_hex

_Numbers = NDArray[np.uint64]
_NULL = np.uint64(0x6A09E667F3BCC908)
_STEP = np.uint64(0x9E3779B97F4A7C15)
_FIRST, _SECOND = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)


def fingerprints(rows: pl.DataFrame, names: Sequence[str], later: Sequence[str] = ()) -> pl.Series:
    """Per row 16 hexadecimal characters for the content of the columns `names` and `later`.

    A column of `later` counts only where it is filled: rows from before it existed keep theirs.

    >>> rows = pl.DataFrame({"kind": ["sick", "sick", None], "minutes": [50, 50, 50]})
    >>> fingerprints(rows, ["kind", "minutes"]).to_list()
    ['3682bc71e3463cde', '3682bc71e3463cde', '2001f326609ce3e5']
    """
    found = np.zeros(len(rows), np.uint64)
    for name in names:
        found = _mixed(found ^ _numbers(rows[name]))
    for place, name in enumerate(later, start=1):
        is_filled = rows[name].is_not_null().to_numpy()
        mixed = _mixed(found ^ _numbers(rows[name]) ^ np.uint64(place))
        found = np.where(is_filled, mixed, found)
    return as_hex(found.astype(">u8").view(np.uint8).reshape(len(rows), 8))


def _numbers(values: pl.Series) -> _Numbers:
    """One number per value; of a text the first 64 bits of its hash."""
    if isinstance(values.dtype, pl.Enum):
        plain = _of_words(values.dtype.categories).gather(values.to_physical())
    elif isinstance(values.dtype, pl.String):
        words = values.unique().drop_nulls()
        plain = values.replace_strict(words, _of_words(words), default=None)
    else:
        plain = values.to_physical().cast(pl.Int64).reinterpret(signed=False)
    numbers: _Numbers = plain.fill_null(int(_NULL)).to_numpy()
    return numbers


def _of_words(words: pl.Series) -> pl.Series:
    hashes = [hashlib.blake2b(one.encode(), digest_size=8).digest() for one in words]
    return pl.Series(np.frombuffer(b"".join(hashes), ">u8").astype(np.uint64))


def _mixed(numbers: _Numbers) -> _Numbers:
    """The finaliser of SplitMix64: every bit in moves half of the bits out."""
    mixed = numbers + _STEP
    mixed = (mixed ^ (mixed >> np.uint64(30))) * _FIRST
    mixed = (mixed ^ (mixed >> np.uint64(27))) * _SECOND
    return mixed ^ (mixed >> np.uint64(31))
