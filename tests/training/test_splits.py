"""No label window reaches into a later period, whatever the calendar."""

from datetime import date
from itertools import pairwise
from typing import Literal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.errors import ExperimentError
from training.experiment import SplitPlan
from training.origins import origins
from training.splits import Part, check_embargo, final_year, plan_periods

MONDAYS = np.arange(np.datetime64("2023-08-28"), np.datetime64("2026-11-15"), 7)
TEST = final_year(date(2026, 11, 15), SplitPlan())


def test_the_test_is_the_last_complete_school_year_and_labels_mature_before_it() -> None:
    window_end = MONDAYS + 84
    periods = plan_periods(MONDAYS, window_end, TEST, SplitPlan(calibration_weeks=10))
    parts = periods.parts(MONDAYS, window_end)
    test = MONDAYS[parts == Part.TEST]
    assert (test[0], test[-1]) == (np.datetime64("2025-08-04"), np.datetime64("2026-07-27"))
    assert window_end[parts == Part.CALIBRATION].max() < np.datetime64("2025-08-01")
    assert (parts == Part.CALIBRATION).sum() == 10
    assert window_end[parts == Part.FIT].max() < np.datetime64(periods.calibration_from)


@given(
    windows=st.lists(st.integers(40, 160), min_size=len(MONDAYS), max_size=len(MONDAYS)),
    weeks=st.integers(2, 20),
)
def test_no_window_overlaps_the_next_period(windows: list[int], weeks: int) -> None:
    """Windows differ by school and pupil: a holiday, a part-time timetable."""
    window_end = MONDAYS + np.array(windows)
    periods = plan_periods(MONDAYS, window_end, TEST, SplitPlan(weeks))
    parts = periods.parts(MONDAYS, window_end)
    for row in np.flatnonzero(parts == Part.FIT):
        assert window_end[row] < np.datetime64(periods.calibration_from)
    for row in np.flatnonzero((parts == Part.FIT) | (parts == Part.CALIBRATION)):
        assert window_end[row] < np.datetime64(periods.test_from)
    check_embargo(MONDAYS, window_end, parts)


def test_an_overlap_is_found() -> None:
    parts = np.where(np.arange(len(MONDAYS)) < 70, Part.FIT, Part.TEST).astype(np.int8)
    with pytest.raises(AssertionError, match="FIT labels reach into TEST"):
        check_embargo(MONDAYS, MONDAYS + 84, parts)


def test_too_little_history_says_what_to_do() -> None:
    late = MONDAYS[92:]
    with pytest.raises(ExperimentError, match="earlier school year"):
        plan_periods(late, late + 84, TEST, SplitPlan())


def test_an_unfinished_school_year_is_no_test() -> None:
    with pytest.raises(ExperimentError, match="not complete"):
        final_year(date(2026, 11, 15), SplitPlan(test_school_year=2026))


@pytest.mark.parametrize("by", ["term", "school_year"])
@given(windows=st.integers(40, 160), weeks=st.integers(2, 10))
def test_no_origin_learns_what_was_not_known_then(
    by: Literal["term", "school_year"], windows: int, weeks: int
) -> None:
    """Every origin judges its own period, and together they cover the time without a gap."""
    window_end = MONDAYS + windows
    found = origins(by, date(2024, 9, 1), TEST.start)
    for one, other in pairwise(found):
        assert one.until == other.start
    for origin in found:
        periods = plan_periods(MONDAYS, window_end, origin, SplitPlan(weeks))
        parts = periods.parts(MONDAYS, window_end)
        learned = np.isin(parts, (Part.FIT, Part.EMBARGO, Part.CALIBRATION))
        assert window_end[learned].max() < np.datetime64(origin.start)
        judged = MONDAYS[parts == Part.TEST]
        assert judged.min() >= np.datetime64(origin.start)
        assert judged.max() < np.datetime64(origin.until) <= np.datetime64(TEST.start)
