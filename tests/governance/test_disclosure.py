"""Small counts stay hidden: nobody finds one by adding, subtracting or comparing tables."""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.errors import VerificationFailed
from features.governance.disclosure import SMALLEST_SHOWN, SMALLEST_WIDTH, protect

Cell = tuple[int, int]


def two_way(rows: list[list[int]]) -> tuple[dict[Cell, int], list[dict[Cell, int]]]:
    """A table with totals of rows (column -1), columns (row -1) and of everything."""
    height, width = len(rows), len(rows[0])
    counts = {(r, c): rows[r][c] for r in range(height) for c in range(width)}
    counts |= {(r, -1): sum(rows[r]) for r in range(height)}
    counts |= {(-1, c): sum(row[c] for row in rows) for c in range(width)}
    counts[-1, -1] = sum(map(sum, rows))
    relations = [{(r, -1): 1} | {(r, c): -1 for c in range(width)} for r in range(height)]
    relations += [{(-1, c): 1} | {(r, c): -1 for r in range(height)} for c in range(width)]
    relations += [{(-1, -1): 1} | {(r, -1): -1 for r in range(height)}]
    relations += [{(-1, -1): 1} | {(-1, c): -1 for c in range(width)}]
    return counts, relations


def possible(
    counts: dict[Cell, int], relations: list[dict[Cell, int]], shown: dict[Cell, int | None]
) -> dict[Cell, set[int]]:
    """Every value that each hidden count can have: all fillings up to 11 tried, nothing clever.

    The counts are at most 7, so that there is room for a reader's doubt above each of them.
    """
    hidden = [cell for cell, count in shown.items() if count is None]
    inner = [cell for cell in hidden if -1 not in cell]
    found: dict[Cell, set[int]] = {cell: set() for cell in hidden}
    for values in itertools.product(range(12), repeat=len(inner)):
        guess = dict(shown) | dict(zip(inner, values, strict=True))
        for margin in (cell for cell in hidden if -1 in cell and cell != (-1, -1)):
            row = margin[1] == -1
            guess[margin] = sum(
                guess[cell] or 0
                for cell in counts
                if -1 not in cell and (cell[0] == margin[0] if row else cell[1] == margin[1])
            )
        if guess[-1, -1] is None:
            guess[-1, -1] = sum(guess[c] or 0 for c in counts if c[1] == -1 and c[0] != -1)
        is_zero_known = all((guess[c] == 0) == (counts[c] == 0) for c in hidden)
        if is_zero_known and all(
            sum(number * (guess[cell] or 0) for cell, number in relation.items()) == 0
            for relation in relations
        ):
            for cell in hidden:
                found[cell].add(guess[cell] or 0)
    return found


@settings(max_examples=25)
@given(st.lists(st.lists(st.integers(0, 7), min_size=2, max_size=2), min_size=2, max_size=2))
def test_nobody_finds_a_small_count_by_trying_every_filling(rows: list[list[int]]) -> None:
    counts, relations = two_way(rows)
    shown = protect(counts, relations)
    found = possible(counts, relations, shown)
    for cell, count in counts.items():
        if 0 < count < SMALLEST_SHOWN:
            assert shown[cell] is None
            assert max(found[cell]) - min(found[cell]) >= SMALLEST_WIDTH
            assert count in found[cell]


@given(st.lists(st.lists(st.integers(0, 40), min_size=3, max_size=3), min_size=3, max_size=4))
def test_nothing_small_is_shown_and_nothing_large_is_changed(rows: list[list[int]]) -> None:
    counts, relations = two_way(rows)
    for cell, count in protect(counts, relations).items():
        assert count is None or count == counts[cell]
        assert count is None or count == 0 or count >= SMALLEST_SHOWN


def test_two_months_do_not_give_away_what_happened_between() -> None:
    """Stocks of 20 and 22, 7 new: 5 came back is shown, so one who left would be the difference."""
    counts = {"october": 20, "november": 21, "new": 8, "back": 6, "left": 1}
    flow = {"november": 1, "october": -1, "new": -1, "back": 1, "left": 1}
    shown = protect(counts, [flow])
    assert shown["left"] is None
    assert sum(count is None for count in shown.values()) >= 2


def test_a_table_without_anything_small_is_shown_whole() -> None:
    counts, relations = two_way([[5, 0], [12, 9]])
    assert protect(counts, relations) == counts


def test_a_table_that_does_not_add_up_is_refused() -> None:
    with pytest.raises(VerificationFailed, match="1 sums of the table do not add up"):
        protect({"a": 3, "b": 8, "t": 12}, [{"t": 1, "a": -1, "b": -1}])
