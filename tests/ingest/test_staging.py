"""Rows kept aside come back whole, in shares that do not grow with a school or with the file."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from features.ingest import staging
from features.ingest.staging import Share, Staging, columns_on_the_way
from features.records import LogTable

ROWS = {"90AB00": 10, "90CD00": 2_000, "90EF00": 30, "90GH00": 40, "90IJ00": 90}


def rows_of(schools: dict[str, int], seed: int) -> pl.DataFrame:
    random = np.random.default_rng(seed)
    school = np.repeat(list(schools), list(schools.values()))
    random.shuffle(school)
    rows = pl.DataFrame(
        {
            "school": school,
            "record_key": [random.bytes(16).hex() for _ in school],
            "order": np.arange(len(school)) + 1_000_000 * seed,
        }
    )
    names = columns_on_the_way(LogTable.ABSENCE)
    return rows.with_columns(
        pl.lit(None, pl.String).alias(name) for name in names if name not in rows.columns
    ).select(names)


@pytest.fixture
def parts(monkeypatch: pytest.MonkeyPatch) -> list[pl.DataFrame]:
    monkeypatch.setattr(staging, "ROWS_AT_ONCE", 100)
    again = rows_of({"90AB00": 3, "90CD00": 60, "90KL00": 1}, 2)
    doubles = rows_of({"90CD00": 500}, 3)
    first = rows_of(ROWS, 1)
    keys = first.filter(pl.col("school") == "90CD00")["record_key"].sample(500, seed=1)
    return [first, again, doubles.with_columns(keys.alias("record_key"))]


@pytest.fixture
def aside(parts: list[pl.DataFrame], tmp_path: Path) -> Staging:
    found = Staging(tmp_path / "staging", LogTable.ABSENCE)
    for part in parts:
        found.add(part)
    return found


def test_every_row_is_in_one_share_school_by_school_as_it_came(
    aside: Staging, parts: list[pl.DataFrame]
) -> None:
    shares = [(share, aside.read(share)) for share in aside.shares()]
    read = pl.concat([rows for _, rows in shares])
    assert read.sort("order").equals(pl.concat(parts).sort("order"))
    for share, rows in shares:
        assert set(rows["school"]) <= set(share.schools)
        by_school = rows.group_by("school", maintain_order=True)
        assert [str(school) for (school,), _ in by_school] == sorted(set(rows["school"]))
        assert all(own["order"].is_sorted() for _, own in by_school)


def test_all_versions_of_a_record_are_in_one_share(aside: Staging) -> None:
    keys = [set(aside.read(share)["record_key"]) for share in aside.shares()]
    assert sum(map(len, keys)) == len(set.union(*keys))


def test_no_share_grows_with_its_school(aside: Staging) -> None:
    """Keys are spread by chance: some shares of a large school are a little larger than others."""
    shares = list(aside.shares())
    assert max(len(aside.read(share)) for share in shares) < 150
    assert sum(not share.is_whole for share in shares) == 26
    assert {share.schools for share in shares if not share.is_whole} == {("90CD00",)}


def test_an_empty_share_of_a_school_has_its_columns(aside: Staging) -> None:
    rows = aside.read(Share(("90AB00",), "g"))
    assert rows.is_empty() and rows.columns == columns_on_the_way(LogTable.ABSENCE)
