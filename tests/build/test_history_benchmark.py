"""The other ways to sum a history say the same, so that the benchmark compares exact ways."""

from pathlib import Path

import duckdb
import pytest

from experiments.benchmarks.history import (
    MEASURES,
    WEEKS,
    cumulative_sums,
    per_monday_of,
    versions_to_file,
    window_frames,
)
from experiments.benchmarks.region import history_mondays, make_log

PUPILS = 200
SUMS = [f"{name}_{weeks}" for name in MEASURES for weeks in WEEKS]


@pytest.fixture(scope="module")
def summed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("history")
    make_log(root / "log", PUPILS)
    versions_to_file(root / "log", root / "versions.parquet")
    window_frames(root / "versions.parquet", root / "frames.parquet", PUPILS)
    cumulative_sums(root / "versions.parquet", root / "sums.parquet", PUPILS)
    return root


def test_window_frames_and_cumulative_sums_agree(summed: Path) -> None:
    rows, others = _compared(
        f"'{summed}/frames.parquet' a JOIN '{summed}/sums.parquet' b "
        "ON a.pupil_key = b.pupil_key AND a.monday = b.week + 1"
    )
    assert rows > PUPILS * len(history_mondays())
    assert others == 0


@pytest.mark.parametrize("number", [20, 80, 150])
def test_per_monday_agrees_with_them(summed: Path, number: int) -> None:
    out = summed / f"monday-{number}.parquet"
    per_monday_of(summed / "versions.parquet", history_mondays()[number], out)
    rows, others = _compared(
        f"'{out}' a JOIN '{summed}/frames.parquet' b "
        f"ON a.pupil_key = b.pupil_key AND b.monday = {number}"
    )
    assert rows > PUPILS
    assert others == 0


def _compared(joined: str) -> tuple[int, int]:
    """How many rows two ways have together, and how many sums are not the same."""
    others = " + ".join(f"(coalesce(a.{name}, 0) <> b.{name})::INTEGER" for name in SUMS)
    asked = f"SELECT count(*), sum({others}) FROM {joined}"  # noqa: S608
    with duckdb.connect() as connection:
        found = connection.execute(asked).fetchall()
    return found[0][0], found[0][1]
