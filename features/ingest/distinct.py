"""Columns in which a few texts stand again and again: each text is read once, not once per row.

Such a column is an `Enum`: its words, and per row the number of one. A column of many different
texts, such as the ids of records, stays text. Both mean the same to whoever reads them.
"""

from collections.abc import Callable

import polars as pl
import pyarrow as pa


def by_word(texts: pl.Series, read: Callable[[pl.Series], pl.Series]) -> pl.Series:
    """`read` of every text; of an `Enum` it is asked about each word once.

    `read` gives one value per text, and looks at nothing but that text.

    >>> weekly = pl.Series(["ma", "di", "ma", None], dtype=pl.Enum(["ma", "di"]))
    >>> by_word(weekly, lambda words: words.str.to_uppercase()).to_list()
    ['MA', 'DI', 'MA', None]
    """
    if not isinstance(texts.dtype, pl.Enum):
        return read(texts)
    return read(texts.dtype.categories).gather(texts.to_physical()).alias(texts.name)


def words_by_word(texts: pl.Series, read: Callable[[pl.Series], pl.Series]) -> pl.Series:
    """The same where `read` gives texts: of an `Enum` an `Enum` again."""
    if not isinstance(texts.dtype, pl.Enum):
        return read(texts)
    return coded(read(texts.dtype.categories), texts.to_physical()).alias(texts.name)


def coded(words: pl.Series, places: pl.Series) -> pl.Series:
    """The word at each place, as an `Enum`; `words` may hold one twice, or null.

    >>> coded(pl.Series(["Z", None, "Z"]), pl.Series([2, 1, 0, None])).to_list()
    ['Z', None, 'Z', None]
    """
    different = words.drop_nulls().unique(maintain_order=True)
    if len(different) < len(words):
        numbers = pl.int_range(len(different), dtype=pl.UInt32, eager=True)
        places = words.replace_strict(
            different, numbers, default=None, return_dtype=pl.UInt32
        ).gather(places)
    return places.cast(pl.UInt32).cat.to(pl.Enum(different))


def cleaned(column: pa.ChunkedArray) -> pl.Series:
    """A column of texts without white space around them; blank ones are null.

    >>> weekly = pa.chunked_array([pa.array(["Z ", "", "Z", "O"]).dictionary_encode()])
    >>> cleaned(weekly).to_list(), cleaned(pa.chunked_array([["Z ", "", "Z"]])).to_list()
    (['Z', None, 'Z', 'O'], ['Z', None, 'Z'])
    """
    if not pa.types.is_dictionary(column.type):
        return stripped(pl.Series(column))
    if column.num_chunks != 1:  # each would have words of its own
        return stripped(pl.Series(column.cast(pa.string())))
    only = column.chunk(0)
    return coded(stripped(pl.Series(only.dictionary)), pl.Series(only.indices))


def stripped(texts: pl.Series) -> pl.Series:
    """Texts without white space around them; blank ones are null."""
    plain = texts.str.strip_chars()
    is_blank = plain.str.len_bytes() == 0
    return plain.set(is_blank, None) if is_blank.any() else plain
