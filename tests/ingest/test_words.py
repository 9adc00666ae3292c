"""A column read as words says the same as one read as text."""

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.ingest import splitting
from features.ingest.splitting import parsed

CELL = st.sampled_from(
    ["Z", " Z", "Z ", "", " ", "O", "50", "050", "é", '"a, b"', '"a\nb"', "x" * 40]
)
ROWS = st.lists(st.tuples(CELL, CELL, CELL), min_size=2, max_size=30)


def read(text: str, sample: int) -> pl.DataFrame:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(splitting, "SAMPLE_BYTES", sample)
        found = parsed(text, ",", 3)
    assert found.frame is not None
    return found.frame


@given(ROWS, st.integers(4, 200))
def test_words_and_text_hold_the_same_values(rows: list[tuple[str, ...]], sample: int) -> None:
    text = "".join(f"{','.join(row)}\n" for row in rows)
    as_text, as_words = read(text, 1 << 30), read(text, sample)
    assert as_text.schema.dtypes() == [pl.String] * 3
    assert as_words.cast(pl.String).equals(as_text)


def test_what_repeats_is_read_as_words_and_blank_ones_are_no_word() -> None:
    frame = read("1,,Z\n2, ,Z \n3,O,Z\n4,,O\n", 18)
    assert frame["0"].dtype == pl.String
    assert frame["2"].dtype == pl.Enum(["Z", "O"])
    assert frame["1"].to_list() == [None, None, "O", None]
    assert frame["2"].to_list() == ["Z", "Z", "Z", "O"]
