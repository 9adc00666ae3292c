"""Codes of many texts at once are those of the standard, one by one."""

import polars as pl
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.cmac import CMAC
from hypothesis import given
from hypothesis import strategies as st

from features.governance import authentication
from features.governance.authentication import codes_of
from features.governance.pseudonyms import keyed_hashes

KEY = bytes(range(32))


def by_the_standard(text: str) -> bytes:
    one = CMAC(AES(KEY))
    one.update(text.encode())
    return one.finalize()


@given(st.lists(st.text(max_size=70), max_size=20))
def test_each_code_is_that_of_the_standard(texts: list[str]) -> None:
    codes = codes_of(KEY, pl.Series(texts, dtype=pl.String))
    assert [bytes(one) for one in codes] == [by_the_standard(text) for text in texts]


def test_lengths_around_a_block_and_parts_of_a_series() -> None:
    texts = pl.Series(["x" * length for length in (0, 1, 15, 16, 17, 31, 32, 33, 48)])
    expected = [by_the_standard(text).hex()[:24] for text in texts]
    assert keyed_hashes(KEY, texts).to_list() == expected
    assert keyed_hashes(KEY, texts[4:]).to_list() == expected[4:]


def test_more_texts_than_are_taken_at_once_stay_in_order() -> None:
    texts = pl.Series([str(number) for number in range(authentication.AT_ONCE + 3)])
    found = keyed_hashes(KEY, texts)
    for place in (0, authentication.AT_ONCE - 1, authentication.AT_ONCE, len(texts) - 1):
        assert found[place] == by_the_standard(str(place)).hex()[:24]
