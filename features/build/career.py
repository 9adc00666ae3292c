"""Where pupils stand in their school career, on one Monday, from the placements as known."""

import re
from collections.abc import Mapping
from datetime import date

import numpy as np
import pyarrow.compute as pc
from numpy.typing import NDArray

from features.absence.planned import PlannedTime
from features.school_weeks import SchoolWeeks, first_day_of, school_year_of
from features.vocabulary import Sector

Numbers = NDArray[np.float64]

AFTER_PRIMARY = frozenset({Sector.VO, Sector.VSO, Sector.PRO, Sector.MBO})
MOST_WEEKS = 40
FIRST_AFTER_PRIMARY = 11
STARTING_YEARS = (1, 2, FIRST_AFTER_PRIMARY)


def year_group_number(year_group: str | None, sector: str) -> float:
    """The year group as a number: 1-8 in primary, 11-16 after it; NaN without a fitting number.

    >>> [year_group_number(text, "vo") for text in ("3", "13", "havo 3", "schakel")]
    [13.0, 13.0, 13.0, nan]
    >>> year_group_number("8", "po"), year_group_number("11", "po")
    (8.0, nan)
    """
    found = re.search(r"\d+", year_group or "")
    number = int(found[0]) if found else 0
    if sector in AFTER_PRIMARY:
        number = number + 10 if 1 <= number <= 6 else number
        return float(number) if 11 <= number <= 16 else float("nan")
    return float(number) if 1 <= number <= 8 else float("nan")


class Career:
    """Career features of the pupils of one school; `rows` are row numbers of the placements."""

    def __init__(self, planned: PlannedTime) -> None:
        self._planned = planned
        placements = planned.placements
        self._year_groups = np.array(placements["year_group"].to_pylist(), object)
        born_on = placements["born_on"]
        months = pc.add(pc.multiply(pc.year(born_on), 12), pc.month(born_on))
        self._born: Numbers = pc.fill_null(months.cast("float64"), np.nan).to_numpy()
        self._numbers: dict[str, Numbers] = {}

    def features(
        self, moment: int, rows: NDArray[np.int64], as_of: date, weeks: SchoolWeeks, sector: str
    ) -> Mapping[str, Numbers]:
        """Every career feature of the pupils placed by `rows`, on the Monday `as_of`."""
        planned = self._planned
        number = self._year_group_numbers(sector)[rows]
        start = planned.enrolment_start[rows]
        # Nobody knows since when the pupils were there with whom the school's records begin.
        was_there = start == planned.enrolled[planned.known_placements(moment)].min()
        on_school = np.minimum(weeks.begun_since(start, as_of), MOST_WEEKS)
        began = planned.span.number_of(first_day_of(school_year_of(as_of)))
        is_new = np.where(np.isnan(number) | was_there, np.nan, ~np.isin(number, STARTING_YEARS))
        before = self._highest_between(
            self._year_group_numbers(sector),
            moment,
            planned.span.number_of(first_day_of(school_year_of(as_of) - 1)),
            began,
        )[planned.pupil_of_row[rows]]
        transition = np.where(np.isnan(number), np.nan, number == FIRST_AFTER_PRIMARY)
        return {
            "transition_year": transition if sector in AFTER_PRIMARY else np.zeros(len(rows)),
            "weeks_since_enrolment": np.where(
                was_there & (on_school < MOST_WEEKS), np.nan, on_school
            ),
            "year_group_number": number,
            "changed_school": np.where(start >= began, is_new, 0.0),
            "repeats_year": np.where(
                np.isnan(number) | np.isnan(before) | (planned.enrolled[rows] < began),
                np.nan,
                before >= number,
            ),
            "age_months": as_of.year * 12 + as_of.month - self._born[rows],
        }

    def _highest_between(self, number: Numbers, moment: int, first: int, end: int) -> Numbers:
        """Per pupil the highest year group of placements with a day from `first` before `end`."""
        planned = self._planned
        held = planned.known_placements(moment) & (planned.enrolled < end) & (planned.left >= first)
        highest = np.full(len(planned.pupil_keys), np.nan)
        np.fmax.at(highest, planned.pupil_of_row[held], number[held])
        return highest

    def _year_group_numbers(self, sector: str) -> Numbers:
        if sector not in self._numbers:
            known = {text: year_group_number(text, sector) for text in set(self._year_groups)}
            self._numbers[sector] = np.array([known[text] for text in self._year_groups], float)
        return self._numbers[sector]
