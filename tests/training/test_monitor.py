"""The monitor: silent when nothing changed, loud when something did, and season-aware."""

from collections.abc import Mapping
from datetime import date

import numpy as np
import polars as pl
import pytest
from numpy.typing import NDArray

from features.vocabulary import Region
from training.bootstrap import Interval
from training.labels import Outcome
from training.monitor import LEVEL, Drift, _realised, drift, holm, same_weeks

Columns = dict[str, NDArray[np.float32]]


def one_week(generator: np.random.Generator, pupils: int) -> Columns:
    """Pupils of one week: shares, counts and a value that many miss, as the features have them."""
    columns: Columns = {}
    for number in range(20):
        share = generator.beta(0.6, 9, pupils)
        share[generator.random(pupils) < 0.3] = 0.0
        columns[f"share_{number}"] = share.astype(np.float32)
        columns[f"count_{number}"] = generator.poisson(0.7, pupils).astype(np.float32)
        missing = np.where(generator.random(pupils) < 0.4, np.nan, generator.random(pupils))
        columns[f"missing_{number}"] = missing.astype(np.float32)
    return columns


def halves(
    generator: np.random.Generator, pupils: int, schools: int
) -> Mapping[str, tuple[NDArray[np.bool_], NDArray[np.bool_]]]:
    """Each school's pupils of that one week, in two random halves."""
    school, first = np.arange(pupils) % schools, generator.random(pupils) < 0.5
    return {
        f"90A{number}00": ((school == number) & first, (school == number) & ~first)
        for number in range(schools)
    }


def alarms(columns: Columns, groups: Mapping[str, tuple[NDArray[np.bool_], ...]]) -> list[Drift]:
    return [each for each in drift(columns, groups) if each.alarms]  # type: ignore[arg-type]


def test_random_halves_of_one_week_raise_no_alarm() -> None:
    """Eight weeks of six schools and sixty features: 2,880 tests, not one alarm."""
    assert weeks_with_an_alarm(8) == 0


@pytest.mark.slow
def test_alarms_on_random_halves_stay_at_the_stated_level() -> None:
    assert weeks_with_an_alarm(200) / 200 <= 2 * LEVEL


def weeks_with_an_alarm(weeks: int) -> int:
    generator = np.random.default_rng(1)
    raised = 0
    for _ in range(weeks):
        columns = one_week(generator, 1500)
        raised += bool(alarms(columns, halves(generator, 1500, 6)))
    return raised


def test_registers_that_closed_and_a_new_code_are_found_at_their_school() -> None:
    generator = np.random.default_rng(2)
    columns, groups = one_week(generator, 1500), halves(generator, 1500, 6)
    closed, recoded = groups["90A100"][0], groups["90A300"][0]
    columns["share_4"][closed] = np.nan
    columns["count_7"][recoded] += 2
    found = {(each.school, each.name) for each in alarms(columns, groups)}
    assert found == {("90A100", "share_4"), ("90A300", "count_7")}


def test_a_small_school_is_left_out() -> None:
    generator = np.random.default_rng(3)
    few = np.arange(50) < 10
    assert drift(one_week(generator, 50), {"90AA00": (few, ~few)}) == ()


def test_without_the_correction_halves_would_alarm() -> None:
    """The test above can fail: uncorrected chances under the level do occur on halves."""
    generator = np.random.default_rng(4)
    columns, groups = one_week(generator, 1500), halves(generator, 1500, 6)
    found = drift(columns, groups)
    assert min(each.chance for each in found) > LEVEL
    assert holm(np.full(360, 0.005)).min() == 1.0


@pytest.mark.parametrize(
    ("region", "monday", "earlier"),
    [
        (Region.MIDDEN, date(2026, 11, 9), date(2025, 11, 10)),
        (Region.MIDDEN, date(2026, 1, 5), date(2025, 1, 6)),
        (Region.NOORD, date(2026, 10, 19), date(2025, 10, 13)),
    ],
)
def test_a_holiday_moves_the_week_of_comparison(
    region: Region, monday: date, earlier: date
) -> None:
    assert next(same_weeks(region, monday)) == earlier


def test_a_week_of_holidays_has_no_earlier_counterpart() -> None:
    assert list(same_weeks(Region.MIDDEN, date(2025, 12, 29))) == []


def outcomes(true: int, false: int) -> pl.DataFrame:
    came = [int(Outcome.ONSET)] * true + [int(Outcome.NO_ONSET)] * false
    return pl.DataFrame(
        {
            "school": "90AA00",
            "pupil_key": [f"p{number}" for number in range(len(came))],
            "as_of": date(2026, 3, 2),
            "outcome": came,
        }
    )


def test_lists_that_stop_coming_true_raise_an_alarm_and_chance_does_not() -> None:
    expected = Interval(0.10, 0.07, 0.13)
    assert _realised(1, outcomes(2, 398), expected, 0.95).alarms
    assert not _realised(1, outcomes(36, 364), expected, 0.95).alarms
    few = _realised(1, outcomes(0, 8), expected, 0.95)
    assert few.names == 8
    assert few.precision.value == 0.0
