"""Features of days in a row: runs, sick episodes, single days, fixed weekdays (compiled).

Days of absence are few, so these loop over the days on which a record lies. Each has its *place*:
its number among the days that count. Days without planned time have none and are passed over as
if they did not exist. Nothing outside the window is looked at.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from features.absence.episodes import EPISODE_GAP_DAYS
from features.absence.pupil import ANY, HALF, SICK, Cells, Pupil, Weeks
from features.absence.quantities import ABSENT, COUNTED, PLANNED, SICK_DAYS
from features.absence.volumes import Windows, total
from features.absence.windows import PREVIOUS_YEAR, THIS_YEAR, W12, W40
from features.compiled import compiled

CONCENTRATION_MIN_DAYS = 4

PATTERNS = (
    "current_run_days",
    "current_absence_run",
    "longest_run_12w",
    "longest_run_40w",
    "longest_sick_run_12w",
    "longest_run_previous_year",
    "weeks_since_full_week",
    "sick_episodes_12w",
    "sick_episodes_40w",
    "sick_episodes_this_year",
    "mean_sick_episode_days_40w",
    "one_day_absences_12w",
    "edge_absences_12w",
    "weekday_concentration_12w",
)
"""The features in the order in which `patterns` writes them."""


class Runs(NamedTuple):
    """Runs of half-absent days: the current and longest one; days that stand alone, at an edge."""

    current: int
    longest: int
    single: int
    at_edge: int


@compiled
def runs_between(
    cells: Cells,
    weeks: Weeks,
    mark: int,
    first_week: int,
    end_week: int,
    beside_free: NDArray[np.bool_],
) -> Runs:
    """Runs of days with `mark` in the weeks from `first_week` up to `end_week`."""
    last, length, longest, single, at_edge = -1, 0, 0, 0, 0
    last_day = 0
    for cell in range(cells.of_week[first_week], cells.of_week[end_week]):
        if cells.marks[cell] & mark:
            day, place = cells.day[cell], cells.place[cell]
            if length > 0 and place == last + 1:
                length += 1
            else:
                if length == 1:
                    single += 1
                    at_edge += beside_free[last_day]
                length = 1
            longest = max(longest, length)
            last, last_day = place, day
    if length == 1:
        single += 1
        at_edge += beside_free[last_day]
    current = length if last == weeks.totals[end_week, COUNTED] else 0
    return Runs(current, longest, single, at_edge)


@compiled
def sick_episodes(
    cells: Cells, first_week: int, end_week: int, episode_days: NDArray[np.int32]
) -> int:
    """Stretches of sick days that follow each other within EPISODE_GAP_DAYS."""
    last, last_day, number = -1, -1, 0
    for cell in range(cells.of_week[first_week], cells.of_week[end_week]):
        if cells.marks[cell] & SICK:
            day, place = episode_days[cells.day[cell]], cells.place[cell]
            is_same = number > 0 and place == last + 1 and day - last_day <= EPISODE_GAP_DAYS
            number += not is_same
            last, last_day = place, day
    return number


@compiled
def weekday_concentration(cells: Cells, first_week: int, end_week: int) -> float:
    """The largest share of one weekday; NaN under CONCENTRATION_MIN_DAYS days."""
    # A byte per weekday: there are fewer weeks than it counts to.
    days, most, of_weekdays = 0, 0, 0
    for cell in range(cells.of_week[first_week], cells.of_week[end_week]):
        if cells.marks[cell] & ANY:
            byte = 8 * (cells.day[cell] % 7)
            of_weekdays += 1 << byte
            most = max(most, of_weekdays >> byte & 255)
            days += 1
    return most / days if days >= CONCENTRATION_MIN_DAYS else np.nan


@compiled
def weeks_since_full_week(weeks: Weeks, first_week: int, end_week: int) -> int:
    """Weeks with planned time after the last one without absence; all if none is."""
    passed = 0
    for week in range(end_week - 1, first_week - 1, -1):
        if weeks.sums[week, PLANNED] > 0:
            if weeks.sums[week, ABSENT] == 0:
                return passed
            passed += 1
    return passed


@compiled
def patterns(
    pupil: Pupil,
    windows: Windows,
    beside_free: NDArray[np.bool_],
    episode_days: NDArray[np.int32],
    out: NDArray[np.float32],
    row: int,
) -> None:
    """Write PATTERNS of a pupil to column `row` of `out`."""
    cells, weeks = pupil.cells, pupil.weeks
    totals, end = weeks.totals, windows[W40, 1]
    w12, w40, year = windows[W12, 0], windows[W40, 0], windows[THIS_YEAR, 0]
    has_12 = total(totals, windows, PLANNED, W12) > 0
    has_40 = total(totals, windows, PLANNED, W40) > 0
    half_12 = runs_between(cells, weeks, HALF, w12, end, beside_free)
    half_40 = runs_between(cells, weeks, HALF, w40, end, beside_free)
    episodes = sick_episodes(cells, w40, end, episode_days)
    out[0, row] = (
        runs_between(cells, weeks, ANY, w40, end, beside_free).current if has_40 else np.nan
    )
    out[1, row] = half_40.current if has_40 else np.nan
    out[2, row] = half_12.longest if has_12 else np.nan
    out[3, row] = half_40.longest if has_40 else np.nan
    sick_12 = runs_between(cells, weeks, SICK, w12, end, beside_free).longest
    out[4, row] = sick_12 if has_12 else np.nan
    previous = windows[PREVIOUS_YEAR]
    has_previous = total(totals, windows, PLANNED, PREVIOUS_YEAR) > 0
    half = runs_between(cells, weeks, HALF, previous[0], previous[1], beside_free)
    out[5, row] = half.longest if has_previous else np.nan
    out[6, row] = weeks_since_full_week(weeks, w40, end) if has_40 else np.nan
    out[7, row] = sick_episodes(cells, w12, end, episode_days) if has_12 else np.nan
    out[8, row] = episodes if has_40 else np.nan
    has_year = total(totals, windows, PLANNED, THIS_YEAR) > 0
    out[9, row] = sick_episodes(cells, year, end, episode_days) if has_year else np.nan
    sick_days = total(totals, windows, SICK_DAYS, W40)
    out[10, row] = sick_days / episodes if has_40 and episodes > 0 else np.nan
    out[11, row] = half_12.single if has_12 else np.nan
    out[12, row] = half_12.at_edge if has_12 else np.nan
    out[13, row] = weekday_concentration(cells, w12, end)
