"""Where pupils stand in their school career, on one Monday, from the placements as known."""

import re
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from features.absence.planning import enrolment_start
from features.absence.pupils import Placements
from features.compiled import compiled
from features.elapsed import SchoolClock, begun_since
from features.vocabulary import Sector

Numbers = NDArray[np.float64]

AFTER_PRIMARY = frozenset({Sector.VO, Sector.VSO, Sector.PRO, Sector.MBO})
MOST_WEEKS = 40
FIRST_AFTER_PRIMARY = 11

CAREER = (
    "transition_year",
    "weeks_since_enrolment",
    "year_group_number",
    "changed_school",
    "repeats_year",
    "age_months",
)
"""The features in the order in which `career` writes them."""


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


class YearGroups(NamedTuple):
    """Per placement the number of the year group, [in primary, after it], and the month of birth.

    Months count from year 0; NaN where unknown.
    """

    number: Numbers
    born: Numbers


def year_groups(placements: pa.Table) -> YearGroups:
    """The year groups and birth months of rows of placements."""
    coded = placements["year_group"].combine_chunks().dictionary_encode()
    texts = [*coded.dictionary.to_pylist(), None]
    code = pc.fill_null(coded.indices, len(texts) - 1).to_numpy(zero_copy_only=False)
    numbers = [
        np.array([year_group_number(text, sector) for text in texts])[code]
        for sector in (Sector.PO, Sector.VO)
    ]
    born_on = placements["born_on"]
    months = pc.add(pc.multiply(pc.year(born_on), 12), pc.month(born_on))
    return YearGroups(np.stack(numbers), pc.fill_null(months.cast("float64"), np.nan).to_numpy())


class SchoolYear(NamedTuple):
    """A Monday in its school year: the day numbers on which this and last one began, and months.

    `earliest` is the first day of enrolment that is known of any pupil of the school.
    """

    began: int
    last_began: int
    month: int
    earliest: int
    is_after_primary: bool


@compiled
def earliest_enrolment(placements: Placements, first: int, end: int, moment: int) -> int:
    """The first day of enrolment known of the pupils from `first` up to `end`; 0 for none."""
    earliest, is_known = np.int64(0), False
    for row in range(placements.begin[first], placements.begin[end]):
        counts = placements.first[row] <= moment < placements.end[row]
        if counts and (not is_known or placements.enrolled[row] < earliest):
            earliest, is_known = placements.enrolled[row], True
    return earliest  # type: ignore[return-value]


@compiled
def career(
    placements: Placements,
    groups: YearGroups,
    pupil: int,
    placed: int,
    moment: int,
    year: SchoolYear,
    clock: SchoolClock,
    out: NDArray[np.float32],
    row: int,
) -> None:
    """Write CAREER of a pupil to column `row` of `out`; `placed` is the placement that holds."""
    numbers = groups.number[int(year.is_after_primary)]
    number = numbers[placed]
    start = enrolment_start(placements, pupil, moment, placed)
    # Nobody knows since when the pupils were there with whom the school's records begin.
    was_there = start == year.earliest
    weeks = min(begun_since(clock, start), float(MOST_WEEKS))
    out[0, row] = _transition(number) if year.is_after_primary else 0.0
    out[1, row] = np.nan if was_there and weeks < MOST_WEEKS else weeks
    out[2, row] = number
    out[3, row] = 0.0
    if start >= year.began:
        is_start = number == 1 or number == 2 or number == FIRST_AFTER_PRIMARY
        out[3, row] = np.nan if np.isnan(number) or was_there else not is_start
    before = _highest(placements, numbers, pupil, moment, year)
    is_unknown = np.isnan(number) or np.isnan(before) or placements.enrolled[placed] < year.began
    out[4, row] = np.nan if is_unknown else before >= number
    out[5, row] = year.month - groups.born[placed]


@compiled
def _transition(number: float) -> float:
    return number if np.isnan(number) else 1.0 * (number == FIRST_AFTER_PRIMARY)


@compiled
def _highest(
    placements: Placements, numbers: Numbers, pupil: int, moment: int, year: SchoolYear
) -> float:
    """The highest year group of placements with a day in the last school year; NaN without."""
    highest = np.nan
    for row in range(placements.begin[pupil], placements.begin[pupil + 1]):
        if (
            placements.first[row] <= moment < placements.end[row]
            and placements.enrolled[row] < year.began
            and placements.left[row] >= year.last_began
            and not highest >= numbers[row]
            and not np.isnan(numbers[row])
        ):
            highest = numbers[row]
    return highest
