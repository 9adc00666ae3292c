"""Invented schools: sector, form of their deliveries, habits of recording, calendar, timetable."""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from features.synthetic.names import school_name
from features.synthetic.region import Days, Flags, Floats, Ints, RegionTime, weekday_of
from features.vocabulary import Sector

PO_SCHOOL_SIZE = 250
VO_SCHOOL_SIZE = 1000
PO_SHARE = 0.6
DAY_START = 8 * 60 + 30
PO_SLOTS = ((510, 720), (765, 885))
VO_SLOTS = tuple((start, start + 50) for start in (510, 560, 625, 675, 755, 805, 865, 915, 965))


class Form(StrEnum):
    """In which form a school delivers: canonical, or that of a source system."""

    CANONICAL = "canonical"
    PO_HALF_DAY = "po_half_day"
    VO_LESSON = "vo_lesson"


@dataclass(frozen=True)
class Habits:
    """How a school records: which share on the day itself, in which style, with which codes.

    `styles` are the shares of open-ended reports, a fresh report every day, one report that is
    extended every day, and one report after the fact.
    """

    same_day: float
    styles: tuple[float, float, float, float]
    code_scheme: str
    offset_in_moments: bool
    number_width: int
    illness: float
    lateness: float


@dataclass(frozen=True)
class School:
    """One invented school."""

    code: str
    name: str
    sector: Sector
    size: int
    form: Form
    habits: Habits

    @property
    def slots(self) -> tuple[tuple[int, int], ...]:
        """Begin and end, in minutes after midnight, of each half-day or lesson."""
        return PO_SLOTS if self.sector is Sector.PO else VO_SLOTS


@dataclass(frozen=True)
class SchoolTime:
    """A school's own planned days within the region's: study days are left out.

    `in_region` are the positions of the days in the region's; `touches_holiday` marks a day
    without school on the next or previous weekday.
    """

    days: Days
    week: Ints
    weekday: Ints
    school_year: Ints
    in_region: Ints
    touches_holiday: Flags
    illness: Floats
    study_days: Days


def plan_schools(pupils: int, rng: np.random.Generator) -> list[School]:
    """About 60 % of the pupils in PO schools of some 250, the rest in VO schools of some 1,000."""
    in_po = round(pupils * PO_SHARE)
    po_schools = max(1, round(in_po / PO_SCHOOL_SIZE))
    vo_schools = max(1, round((pupils - in_po) / VO_SCHOOL_SIZE))
    schools = []
    for sector, count, total in (
        (Sector.PO, po_schools, in_po),
        (Sector.VO, vo_schools, pupils - in_po),
    ):
        shares = rng.uniform(0.75, 1.25, count)
        sizes = np.maximum(16, np.round(total * shares / shares.sum())).astype(int)
        schools += [
            _plan_school(sector, order, count, int(size), rng) for order, size in enumerate(sizes)
        ]
    return schools


def _plan_school(
    sector: Sector, order: int, count: int, size: int, rng: np.random.Generator
) -> School:
    foreign = Form.PO_HALF_DAY if sector is Sector.PO else Form.VO_LESSON
    every = 3 if sector is Sector.PO else 4
    form = foreign if count > 1 and order % every == 1 else Form.CANONICAL
    main_style = rng.choice(4, p=(0.5, 0.2, 0.2, 0.1))
    styles = np.full(4, 0.05)
    styles[main_style] += 0.8
    return School(
        code=_school_code(sector, order),
        name=school_name(sector.value, order),
        sector=sector,
        size=size,
        form=form,
        habits=Habits(
            same_day=float(rng.uniform(0.75, 0.92)),
            styles=(float(styles[0]), float(styles[1]), float(styles[2]), float(styles[3])),
            code_scheme=("plain", "letters", "words")[int(rng.integers(0, 3))]
            if sector is Sector.PO
            else ("letters", "words")[order % 2],
            offset_in_moments=bool(rng.random() < 0.5),
            number_width=int(rng.integers(5, 7)),
            illness=float(np.exp(rng.normal(0.0, 0.12))),
            lateness=float(np.exp(rng.normal(0.0, 0.30))),
        ),
    )


def _school_code(sector: Sector, order: int) -> str:
    """A code in the form of BRIN and location; no school in use begins with 9 (PO 90-98, VO 99).

    >>> _school_code(Sector.PO, 1), _school_code(Sector.VO, 27)
    ('90AB00', '99BB00')
    """
    letters = f"{chr(65 + order // 26 % 26)}{chr(65 + order % 26)}"
    return f"{90 + order // 676 if sector is Sector.PO else 99}{letters}00"


def build_school_time(time: RegionTime, rng: np.random.Generator) -> SchoolTime:
    """The school's planned days: the region's, less three to five study days a year."""
    planned = np.ones(len(time.days), dtype=bool)
    years = _school_years(time.days)
    for year in np.unique(years):
        days = np.flatnonzero(years == year)
        # No more than one study day in a week: every school week keeps enough school days.
        weeks = rng.choice(np.unique(time.week[days]), size=min(4, len(days) // 30), replace=False)
        for week in np.sort(weeks):
            inside = days[time.week[days] == week]
            if len(inside) == 5:
                planned[inside[int(rng.choice((0, 2, 4)))]] = False
    in_region = np.flatnonzero(planned)
    own_days = time.days[in_region]
    weekday = weekday_of(own_days)
    gap_before = np.diff(own_days, prepend=own_days[0] - 9).astype(np.int64) > np.where(
        weekday == 0, 3, 1
    )
    gap_after = np.append(gap_before[1:], False)
    noise = np.exp(rng.normal(0.0, 0.15, int(time.week.max()) + 1))
    return SchoolTime(
        days=own_days,
        week=time.week[in_region],
        weekday=weekday,
        school_year=years[in_region],
        in_region=in_region,
        touches_holiday=gap_before | gap_after,
        illness=time.illness[in_region] * noise[time.week[in_region]],
        study_days=time.days[~planned],
    )


def _school_years(days: Days) -> Ints:
    months = days.astype("datetime64[M]").astype(np.int64)
    return 1970 + (months - 7) // 12


def po_slot_plan(group_number: int) -> NDArray[np.int8]:
    """Half-days on Monday to Friday: Wednesday is short, and Friday for the youngest.

    >>> po_slot_plan(2).tolist(), po_slot_plan(7).tolist()
    ([2, 2, 1, 2, 1], [2, 2, 1, 2, 2])
    """
    return np.array([2, 2, 1, 2, 1 if group_number <= 4 else 2], dtype=np.int8)


def vo_slot_plan(rng: np.random.Generator) -> NDArray[np.int8]:
    """Lessons on Monday to Friday: 28 to 34 a week, five to eight a day."""
    plan = np.full(5, 6, dtype=np.int8)
    wanted = int(rng.integers(28, 35))
    while (total := int(plan.sum())) != wanted:
        day = int(rng.integers(0, 5))
        plan[day] = np.clip(plan[day] + np.sign(wanted - total), 5, 8)
    return plan
