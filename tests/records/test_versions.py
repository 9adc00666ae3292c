"""Versions read in any order are superseded at the same moments as versions put in order."""

import random
from datetime import UTC, datetime, timedelta

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from features.records import LogTable, schema_of
from features.records.versions import in_order, superseded

BEGIN = datetime(2026, 11, 2, 6, tzinfo=UTC)


@given(st.lists(st.tuples(st.sampled_from("abcd"), st.integers(0, 3)), max_size=12), st.randoms())
def test_superseded_at_does_not_hang_on_order(
    rows: list[tuple[str, int]], dice: random.Random
) -> None:
    numbered = list(enumerate(rows))
    dice.shuffle(numbered)
    versions = pa.Table.from_pylist(
        [
            {"record_key": key, "known_at": BEGIN + timedelta(hours=hours), "sequence": number}
            for number, (key, hours) in numbered
        ],
        schema=schema_of(LogTable.ABSENCE),
    )
    columns = ["record_key", "known_at", "sequence", "superseded_at"]
    by_sequence = [("sequence", "ascending")]
    found = superseded(versions).select(columns).sort_by(by_sequence)
    assert found.equals(in_order(versions, LogTable.ABSENCE).select(columns).sort_by(by_sequence))
