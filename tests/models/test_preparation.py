"""What a model sees of a feature holds no value of one pupil."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.preparation import COMMON, GRID, fit_preparation


def test_the_limits_are_reached_by_several_pupils() -> None:
    rng = np.random.default_rng(1)
    hours = rng.exponential(3, 5000)
    hours[:40] = 900.0 + np.arange(40)  # one pupil, forty Mondays
    pupils = np.r_[np.zeros(40), np.arange(40, 5000)].astype(np.int64)
    preparation = fit_preparation(hours.reshape(-1, 1).astype(np.float32), pupils)
    reached = np.unique(pupils[hours >= preparation.upper[0]])
    assert preparation.upper[0] < 900
    assert len(reached) >= COMMON


def test_without_pupils_forty_rows_of_one_pupil_would_set_the_limit() -> None:
    hours = np.r_[np.full(40, 900.0), np.random.default_rng(1).exponential(3, 4960)]
    assert fit_preparation(hours.reshape(-1, 1).astype(np.float32)).upper[0] > 800


def test_a_rare_flag_survives_clipping() -> None:
    flag = np.zeros((50_000, 1), dtype=np.float32)
    flag[:30] = 1  # 0.06 % of the rows
    prepared = fit_preparation(flag, np.arange(50_000)).apply(flag)
    assert prepared[:30].tolist() == [[1.0]] * 30


@pytest.mark.parametrize(
    "values",
    [[np.nan] * 40, [0.0] * 40, [7.0] * 40, [7.0], [-3.0, 4.0], [np.nan, 2.0] * 20],
    ids=["nothing known", "all zero", "constant", "one row", "two rows", "half missing"],
)
def test_odd_columns_keep_what_is_missing_and_stay_finite(values: list[float]) -> None:
    column = np.array(values, dtype=np.float32).reshape(-1, 1)
    prepared = fit_preparation(column).apply(column)
    assert (np.isnan(prepared) == np.isnan(column)).all()
    assert np.isfinite(prepared[~np.isnan(column)]).all()


@given(
    st.lists(st.floats(-1e4, 1e4, width=32), min_size=30, max_size=200),
    st.floats(-1e5, 1e5, width=32),
)
def test_preparing_keeps_order_and_is_done_once(values: list[float], other: float) -> None:
    column = np.array(values, dtype=np.float32).reshape(-1, 1)
    preparation = fit_preparation(column)
    probe = np.sort(np.append(column.ravel(), np.float32(other))).reshape(-1, 1)
    prepared = preparation.apply(probe)
    assert (np.diff(prepared.ravel()) >= 0).all()
    assert (preparation.apply(prepared) == prepared).all()
    assert len(np.unique(prepared)) <= GRID + 2
