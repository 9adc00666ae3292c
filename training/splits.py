"""Three periods that never touch: fit, calibration, and a whole school year for the final test.

A row belongs to a period only when its label window (horizon plus run) ends before the next period
begins; what lies between is the embargo. A pupil may be in all three: the periods part what can be
known, not who.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from features.errors import ExperimentError
from features.school_weeks import school_year_of
from training.experiment import SplitPlan
from training.origins import Origin, school_year_origin

Days = NDArray[np.datetime64]


class Part(IntEnum):
    """What a row is for.

    EMBARGO rows lie between fit and calibration, or reach from before the calibration into it;
    their labels are known before the test, so that a final fit may use them.
    """

    UNUSED = 0
    FIT = 1
    CALIBRATION = 2
    TEST = 3
    EMBARGO = 4


@dataclass(frozen=True)
class Periods:
    """The borders. Fit rows lie before `calibration_from`; the test is one school year."""

    calibration_from: date
    test_from: date
    test_until: date

    def parts(self, as_of: Days, window_end: Days) -> NDArray[np.int8]:
        """The part of each row, from its as-of date and the last day of its label window.

        >>> periods = Periods(date(2025, 3, 3), date(2025, 8, 1), date(2026, 8, 1))
        >>> as_of = np.array(["2024-11-04", "2025-02-24", "2025-03-03", "2025-06-02", "2025-09-01"],
        ...                  dtype="datetime64[D]")
        >>> [Part(part).name for part in periods.parts(as_of, as_of + 90)]
        ['FIT', 'EMBARGO', 'CALIBRATION', 'UNUSED', 'TEST']
        """
        fit = window_end < np.datetime64(self.calibration_from)
        calibration = as_of >= np.datetime64(self.calibration_from)
        calibration &= window_end < np.datetime64(self.test_from)
        test = (as_of >= np.datetime64(self.test_from)) & (as_of < np.datetime64(self.test_until))
        embargo = window_end < np.datetime64(self.test_from)
        parts = {
            Part.FIT: fit,
            Part.CALIBRATION: calibration,
            Part.TEST: test,
            Part.EMBARGO: embargo,
        }
        return np.select(list(parts.values()), list(parts)).astype(np.int8)

    @property
    def tested_on(self) -> str:
        """The test period as Dutch people write it."""
        return f"{self.test_from:%d-%m-%Y} t/m {self.test_until - timedelta(days=1):%d-%m-%Y}"

    def lines(self) -> tuple[str, ...]:
        """The periods in words, for logs and cards."""
        return (
            f"fit: labels known before {self.calibration_from}",
            f"calibration: as-of dates from {self.calibration_from}, "
            f"labels known before {self.test_from}",
            f"final test: as-of dates from {self.test_from} to {self.test_until - timedelta(1)}",
        )


def last_complete_school_year(data_end: date) -> int:
    """The calendar year in which the last complete school year before `data_end` started.

    >>> last_complete_school_year(date(2026, 11, 15)), last_complete_school_year(date(2026, 7, 30))
    (2025, 2024)
    """
    return school_year_of(data_end + timedelta(days=1)) - 1


def final_year(data_end: date, plan: SplitPlan) -> Origin:
    """The school year of the final test: the one that was asked for, or the last complete one."""
    last = last_complete_school_year(data_end)
    year = last if plan.test_school_year is None else plan.test_school_year
    if year > last:
        raise ExperimentError(
            f"splits.test_school_year = {year}: that school year is not complete at {data_end}; "
            f"the last complete one started in {last}"
        )
    return school_year_origin(year)


def plan_periods(as_of: Days, window_end: Days, test: Origin, plan: SplitPlan) -> Periods:
    """The borders for rows with these as-of dates and label windows, and this test period.

    Calibration takes the last `calibration_weeks` as-of dates whose labels are known before the
    test begins.
    """
    usable = np.unique(as_of[window_end < np.datetime64(test.start)])
    if len(usable) <= plan.calibration_weeks:
        raise ExperimentError(
            f"only {len(usable)} Mondays have labels known before {test.name} ({test.start}); "
            f"calibration alone asks {plan.calibration_weeks}. Build the features of earlier weeks "
            "or deliver an earlier school year"
        )
    periods = Periods(
        calibration_from=usable[-plan.calibration_weeks].astype(date),
        test_from=test.start,
        test_until=test.until,
    )
    check_embargo(as_of, window_end, periods.parts(as_of, window_end))
    return periods


def check_embargo(as_of: Days, window_end: Days, parts: NDArray[np.int8]) -> None:
    """Fails when the label window of any row reaches into a later period."""
    for earlier, later in (
        (Part.FIT, Part.CALIBRATION),
        (Part.FIT, Part.TEST),
        (Part.CALIBRATION, Part.TEST),
        (Part.EMBARGO, Part.TEST),
    ):
        ends, starts = window_end[parts == earlier], as_of[parts == later]
        if len(ends) and len(starts):
            assert ends.max() < starts.min(), f"{earlier.name} labels reach into {later.name}"
