"""Pupils of a school over the years: who enters, moves up, moves away and leaves."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from features.synthetic.names import draw_names
from features.synthetic.parameters import rates_of
from features.synthetic.region import Days, Flags, Ints, RegionTime
from features.synthetic.schools import School, SchoolTime, po_slot_plan, vo_slot_plan
from features.vocabulary import Sector

PO_YEARS = 8
VO_TRACKS = (("m", 4, 0.50), ("h", 5, 0.28), ("v", 6, 0.22))
"""Track letter, years and share of pupils: vmbo, havo, vwo."""
PO_GROUP_SIZE, VO_GROUP_SIZE = 31, 27
STARTS_AT = {Sector.PO: 4, Sector.VO: 12}


@dataclass(frozen=True)
class Pupils:
    """One row per pupil of a school; `cohort` is the year group in the history's first year.

    `left` is the last day (NaT: still there); `left_to` as in a delivery.
    """

    number: list[str]
    given_name: list[str]
    name_prefix: list[str]
    family_name: list[str]
    born: Days
    cohort: Ints
    track: Ints
    parallel: Ints
    enrolled: Days
    left: Days
    left_to: NDArray[np.str_]

    def __len__(self) -> int:
        return len(self.number)

    def leave_earlier(self, day: Days, left_to: str) -> "Pupils":
        """These pupils, gone on `day` (NaT: no change) unless they had left before."""
        earlier = ~np.isnat(day) & (np.isnat(self.left) | (day < self.left))
        return replace(
            self,
            left=np.where(earlier, day, self.left),
            left_to=np.where(earlier, left_to, self.left_to),
        )


def draw_pupils(school: School, time: RegionTime, rng: np.random.Generator) -> Pupils:
    """Everyone who is enrolled at the school at some day of the history."""
    last_year = int(time.last.year if time.last.month >= 8 else time.last.year - 1)
    years = last_year - time.first_year
    cohort, track = _draw_cohorts(school, years, rng)
    first = first_of_august(time.first_year - cohort + 1)
    born = _draw_births(school.sector, time.first_year - cohort + 1, rng)
    enrolled = np.maximum(first, first_of_august(np.full(len(cohort), time.first_year)))
    if school.sector is Sector.PO:
        # Children start at four: those born late in the year come in during group 1.
        fourth = (born + 48).astype("datetime64[D]") + rng.integers(0, 28, len(born))
        enrolled = np.maximum(enrolled, fourth)
    length = np.where(
        school.sector is Sector.PO, PO_YEARS, np.array([row[1] for row in VO_TRACKS])[track]
    )
    final = first_of_august(time.first_year - cohort + 1 + length) - 1
    moves = rates_of(school.sector).moves_a_year
    comes = rng.random(len(cohort)) < moves * (years + 1) / 2
    arrival = enrolled + (rng.random(len(cohort)) * 700).astype(np.int64)
    enrolled = np.where(comes, np.minimum(arrival, final - 60), enrolled)
    stay = (rng.exponential(365 / moves, len(cohort))).astype(np.int64) + 30
    left = np.minimum(enrolled + stay, final)
    # Few families leave in the summer weeks: the date is the last school day they could know.
    there = (enrolled <= np.datetime64(time.last)) & (enrolled < left)
    gone = left < np.datetime64(time.last)
    unknown = (left < final) & (rng.random(len(cohort)) < 0.06)
    left_to = np.where(gone, np.where(unknown, "unknown", "school"), "")
    given, prefix, family = draw_names(len(cohort), rng)
    size = PO_GROUP_SIZE if school.sector is Sector.PO else VO_GROUP_SIZE
    keep = np.flatnonzero(there)
    numbers = 1000 + rng.permutation(len(cohort) * 3)[: len(cohort)]
    return Pupils(
        number=[f"{numbers[row]:0{school.habits.number_width}d}" for row in keep],
        given_name=[given[row] for row in keep],
        name_prefix=[prefix[row] for row in keep],
        family_name=[family[row] for row in keep],
        born=born[keep],
        cohort=cohort[keep],
        track=track[keep],
        parallel=_parallel(cohort, track, size, rng)[keep],
        enrolled=enrolled[keep],
        left=np.where(gone, left, np.datetime64("NaT"))[keep],
        left_to=left_to[keep],
    )


def _draw_cohorts(school: School, years: int, rng: np.random.Generator) -> tuple[Ints, Ints]:
    """Cohort and track of everyone who starts in the ordinary way or is there at the start."""
    if school.sector is Sector.PO:
        each = school.size / PO_YEARS
        lengths, shares = np.array([PO_YEARS]), np.array([1.0])
    else:
        lengths = np.array([row[1] for row in VO_TRACKS])
        shares = np.array([row[2] for row in VO_TRACKS])
        each = school.size / float((lengths * shares).sum())
    cohorts, tracks = [], []
    for cohort in range(1 - years, int(lengths.max()) + 1):
        count = max(1, round(each * rng.uniform(0.88, 1.12)))
        track = rng.choice(len(lengths), count, p=shares)
        track = track[cohort <= lengths[track]]
        cohorts.append(np.full(len(track), cohort))
        tracks.append(track)
    return np.concatenate(cohorts), np.concatenate(tracks)


def _parallel(cohort: Ints, track: Ints, size: int, rng: np.random.Generator) -> Ints:
    """Which parallel class of cohort and track each pupil sits in, counted from zero."""
    result = np.zeros(len(cohort), dtype=np.int64)
    for key in np.unique(cohort * 10 + track):
        rows = np.flatnonzero(cohort * 10 + track == key)
        groups = -(-len(rows) // size)
        result[rows] = rng.permutation(np.arange(len(rows)) % groups)
    return result


def _draw_births(sector: Sector, start_year: Ints, rng: np.random.Generator) -> Days:
    """Birth months: the calendar year in which the pupil is four (PO) or twelve (VO) at entry."""
    month = rng.integers(0, 12, len(start_year))
    return ((start_year - STARTS_AT[sector] - 1970) * 12 + month).astype("datetime64[M]")


def first_of_august(year: Ints) -> Days:
    return ((year - 1970) * 12 + 7).astype("datetime64[M]").astype("datetime64[D]")


@dataclass(frozen=True)
class Groups:
    """Groups per school year: `member[pupil, year]` points into `names` (-1: not there).

    `plan[year, group, weekday]` counts half-days or lessons.
    """

    years: Ints
    names: list[str]
    member: Ints
    plan: NDArray[np.int8]


def build_groups(
    school: School, pupils: Pupils, time: RegionTime, rng: np.random.Generator
) -> Groups:
    """Group names and timetables per school year of the history."""
    last_year = int(time.last.year if time.last.month >= 8 else time.last.year - 1)
    years = np.arange(time.first_year, last_year + 1)
    year_group = pupils.cohort[:, None] + (years - time.first_year)[None, :]
    opens, closes = first_of_august(years), first_of_august(years + 1) - 1
    left = np.where(np.isnat(pupils.left), np.datetime64("2200-01-01"), pupils.left)
    there = (pupils.enrolled[:, None] <= closes) & (left[:, None] >= opens) & (year_group >= 1)
    labels = np.array(
        [
            [_group_name(school.sector, int(group), int(track), int(parallel)) for group in row]
            for row, track, parallel in zip(year_group, pupils.track, pupils.parallel, strict=True)
        ]
    )
    names = sorted({str(name) for name in labels[there]})
    member = np.where(there, np.searchsorted(np.array(names), labels), -1)
    plan = np.zeros((len(years), len(names), 5), dtype=np.int8)
    for year in range(len(years)):
        for group, name in enumerate(names):
            plan[year, group] = (
                po_slot_plan(int(name[0])) if school.sector is Sector.PO else vo_slot_plan(rng)
            )
    return Groups(years=years, names=names, member=member, plan=plan)


def _group_name(sector: Sector, year_group: int, track: int, parallel: int) -> str:
    """The school's name for a group.

    >>> _group_name(Sector.PO, 3, 0, 1), _group_name(Sector.VO, 2, 1, 0)
    ('3B', '2h1')
    """
    if sector is Sector.PO:
        return f"{year_group}{chr(65 + parallel)}"
    return f"{year_group}{VO_TRACKS[track][0]}{parallel + 1}"


def enrolled_days(pupils: Pupils, time: SchoolTime) -> Flags:
    """`[pupil, day]`: enrolled on this school day?"""
    left = np.where(np.isnat(pupils.left), np.datetime64("2200-01-01"), pupils.left)
    return (time.days >= pupils.enrolled[:, None]) & (time.days <= left[:, None])


def planned_slots(groups: Groups, time: SchoolTime, enrolled: Flags) -> NDArray[np.int8]:
    """`[pupil, day]`: half-days or lessons by the group's timetable; zero where not enrolled."""
    year = time.school_year - groups.years[0]
    member = groups.member[:, year]
    slots = groups.plan[year[None, :], np.maximum(member, 0), time.weekday[None, :]]
    return np.where(enrolled & (member >= 0), slots, 0).astype(np.int8)
