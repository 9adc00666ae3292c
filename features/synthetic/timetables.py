"""Timetables: each group's planned minutes, and a few pupils' own reduced ones."""

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from features.synthetic.pupils import Groups, first_of_august
from features.synthetic.region import Days, Ints, RegionTime
from features.synthetic.risk_process import Paths, State
from features.synthetic.schools import School, SchoolTime

REDUCED_AFTER_RETURN = 0.5
REDUCED_WHEN_SUPPORTED = 0.04
REDUCED_TO = 0.6


@dataclass(frozen=True)
class Reduced:
    """Reduced timetables, one row each; first and last day, within one school year."""

    pupil: Ints
    starts: Days
    ends: Days


def draw_reduced(paths: Paths, time: RegionTime, rng: np.random.Generator) -> Reduced:
    """Half of those who come back start with fewer hours; a few supported pupils do too."""
    states = paths.states[:, : time.weeks]
    back = (states == State.BACK) & (rng.random(states.shape) < REDUCED_AFTER_RETURN)
    supported = (states[:, 1:] == State.SUPPORTED) & (states[:, :-1] == State.CALM)
    back[:, 1:] |= supported & (rng.random(supported.shape) < REDUCED_WHEN_SUPPORTED)
    pupil, week = np.nonzero(back)
    # One per pupil: overlapping timetables of one pupil would contradict each other.
    pupil, first = np.unique(pupil, return_index=True)
    starts = time.mondays[week[first]]
    july = first_of_august(1971 + (starts.astype("datetime64[M]").astype(np.int64) - 7) // 12) - 1
    ends = starts + rng.integers(5, 13, len(starts)) * 7 - 3
    return Reduced(pupil, starts, np.minimum(ends, july))


def apply_reduced(slots: NDArray[np.int8], reduced: Reduced, time: SchoolTime) -> NDArray[np.int8]:
    """The planned slots with the reduced timetables over them; a planned day keeps one slot."""
    result = slots.copy()
    for pupil, starts, ends in zip(reduced.pupil, reduced.starts, reduced.ends, strict=True):
        inside = (time.days >= starts) & (time.days <= ends)
        result[pupil, inside] = np.ceil(slots[pupil, inside] * REDUCED_TO)
    return result


def timetable_rows(
    school: School, groups: Groups, reduced: Reduced, numbers: list[str]
) -> pl.DataFrame:
    """`timetable.csv`: one row per group, weekday and school year, and per reduced timetable."""
    minutes = np.concatenate([[0], np.cumsum([end - begin for begin, end in school.slots])])
    columns: dict[str, list[object]] = {
        name: []
        for name in (
            "group",
            "pupil_number",
            "weekday",
            "valid_from",
            "valid_to",
            "planned_minutes",
        )
    }

    def add(group: int, number: str, plan: NDArray[np.int8], first: Days, last: Days) -> None:
        for weekday in range(5):
            columns["group"].append(groups.names[group])
            columns["pupil_number"].append(number)
            columns["weekday"].append(weekday + 1)
            columns["valid_from"].append(str(first))
            columns["valid_to"].append(str(last))
            columns["planned_minutes"].append(int(minutes[plan[weekday]]))

    opens, closes = first_of_august(groups.years), first_of_august(groups.years + 1) - 1
    for year in range(len(groups.years)):
        for group in np.unique(groups.member[:, year][groups.member[:, year] >= 0]):
            add(int(group), "", groups.plan[year, group], opens[year], closes[year])
    for pupil, starts, ends in zip(reduced.pupil, reduced.starts, reduced.ends, strict=True):
        year = int(np.searchsorted(opens, starts, side="right")) - 1
        group = int(groups.member[pupil, year])
        if group >= 0:
            plan = np.ceil(groups.plan[year, group] * REDUCED_TO).astype(np.int8)
            add(group, numbers[pupil], plan, starts, ends)
    return pl.DataFrame(columns).with_columns(pl.lit(school.code).alias("school"))
