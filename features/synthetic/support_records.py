"""Talks and meetings in the records: help that comes, help for other reasons, the fourth report."""

from datetime import date, timedelta

import numpy as np
from numpy.typing import NDArray

from features.synthetic.pieces import KIND_NUMBER, Pieces, Scene
from features.synthetic.region import RegionTime
from features.synthetic.risk_process import State
from features.synthetic.running_support import write_running_support
from features.synthetic.support_book import SupportBook, Version
from features.synthetic.timetables import Reduced
from features.vocabulary import AbsenceKind, Sector, SupportKind, SupportStatus

REGISTERED = 0.85
"""Share of talks and meetings that anyone writes down."""
TALKS_A_WEEK = {"calm": 0.004, "rise": 0.03}
TALK_AFTER_FOURTH_REPORT = 0.3
REPORTS, REPORT_DAYS = 4, 60
HELP_KINDS: dict[str, tuple[tuple[SupportKind, float, int], ...]] = {
    "mounting": (
        (SupportKind.ATTENDANCE_TALK, 0.7, 0),
        (SupportKind.PARENT_TALK, 0.5, 1),
        (SupportKind.SUPPORT_TEAM, 0.4, 3),
        (SupportKind.SCHOOL_DOCTOR, 0.35, 3),
    ),
    "truancy": (
        (SupportKind.ATTENDANCE_TALK, 0.8, 0),
        (SupportKind.PARENT_TALK, 0.4, 1),
        (SupportKind.ATTENDANCE_OFFICER, 0.4, 3),
        (SupportKind.DUO_REPORT, 0.3, 3),
    ),
    "gap": (
        (SupportKind.PARENT_TALK, 0.6, 0),
        (SupportKind.SUPPORT_TEAM, 0.6, 2),
        (SupportKind.MULTI_AGENCY_MEETING, 0.3, 4),
    ),
    "away": (
        (SupportKind.PARENT_TALK, 0.7, 1),
        (SupportKind.SUPPORT_TEAM, 0.5, 3),
        (SupportKind.SCHOOL_DOCTOR, 0.4, 3),
        (SupportKind.MULTI_AGENCY_MEETING, 0.3, 6),
        (SupportKind.ATTENDANCE_OFFICER, 0.3, 4),
    ),
}
"""What help looks like in the records: kind, how often, and weeks after help began."""
HELPED_STATES = {
    "mounting": (State.MOUNTING_1_HELPED, State.MOUNTING_3_HELPED),
    "truancy": (State.TRUANCY_1_HELPED, State.TRUANCY_3_HELPED),
    "gap": (State.GAP_1_HELPED, State.GAP_3_HELPED),
    "away": (State.AWAY_1, State.AWAY_1),
}
OTHER_TALKS = (SupportKind.PARENT_TALK, SupportKind.ATTENDANCE_TALK, SupportKind.SUPPORT_TEAM)


def write_support(
    scene: Scene, pieces: Pieces, reduced: Reduced, time: RegionTime, rng: np.random.Generator
) -> SupportBook:
    """All support records of a school; `pieces` is its ordinary absence (for the fourth report)."""
    book = SupportBook()
    states = scene.paths.states[:, : time.weeks]
    _help_that_comes(book, states, time, rng)
    _talks_for_other_reasons(book, states, time, rng)
    _talks_after_fourth_report(book, scene, pieces, rng)
    write_running_support(book, states, time, rng)
    for pupil, starts, ends in zip(reduced.pupil, reduced.starts, reduced.ends, strict=True):
        written = starts.item() - timedelta(days=int(rng.integers(0, 8)))
        version = Version(SupportStatus.RUNNING, starts.item(), ends.item(), written)
        book.add(int(pupil), SupportKind.REDUCED_TIMETABLE, [version])
    return book


def _contact(
    book: SupportBook, pupil: int, kind: SupportKind, day: date, rng: np.random.Generator
) -> None:
    """A talk: often planned first, then done; sometimes called off, or written down late."""
    if rng.random() > REGISTERED:
        return
    versions = []
    if rng.random() < 0.5:
        planned = day - timedelta(days=int(rng.integers(2, 10)))
        versions.append(Version(SupportStatus.PLANNED, day, None, planned))
    ending = SupportStatus.CANCELLED if rng.random() < 0.04 else SupportStatus.DONE
    days_late = 0 if rng.random() < 0.7 else int(rng.integers(1, 15))
    versions.append(Version(ending, day, day, day + timedelta(days=days_late)))
    book.add(pupil, kind, versions, withdrawn=rng.random() < 0.01)


def _day_in(time: RegionTime, week: int, rng: np.random.Generator) -> date:
    monday: date = time.mondays[week].item()
    return monday + timedelta(days=int(rng.integers(0, 5)))


def _help_that_comes(
    book: SupportBook, states: NDArray[np.int8], time: RegionTime, rng: np.random.Generator
) -> None:
    """Contacts from the week in which a stage turns into a helped one, and after an onset."""
    for name, (low, high) in HELPED_STATES.items():
        inside = (states >= low) & (states <= high)
        arrives = inside.copy()
        arrives[:, 1:] &= ~inside[:, :-1]
        for pupil, week in zip(*np.nonzero(arrives), strict=True):
            for kind, share, weeks_later in HELP_KINDS[name]:
                when = int(week) + weeks_later + int(rng.integers(0, 2))
                if rng.random() < share and when < time.weeks:
                    _contact(book, int(pupil), kind, _day_in(time, when, rng), rng)


def _talks_for_other_reasons(
    book: SupportBook, states: NDArray[np.int8], time: RegionTime, rng: np.random.Generator
) -> None:
    """Talks that have nothing to do with a road: by chance, or in a temporary rise."""
    rise = (states == State.SICK_RISE) | (states == State.TRUANT_RISE)
    chance = np.where(rise, TALKS_A_WEEK["rise"], TALKS_A_WEEK["calm"])
    chance[states < 0] = 0.0
    for pupil, week in zip(*np.nonzero(rng.random(states.shape) < chance), strict=True):
        kind = OTHER_TALKS[int(rng.choice(3, p=(0.6, 0.25, 0.15)))]
        _contact(book, int(pupil), kind, _day_in(time, int(week), rng), rng)


def _talks_after_fourth_report(
    book: SupportBook, scene: Scene, pieces: Pieces, rng: np.random.Generator
) -> None:
    """A fourth illness within twelve school weeks leads to a talk at some schools, some times."""
    sick = pieces.where(pieces.kind == KIND_NUMBER[AbsenceKind.SICK])
    _, first = np.unique(sick.spell, return_index=True)
    starts = sick.where(first)
    starts = starts.where(np.lexsort((starts.day, starts.pupil)))
    back = REPORTS - 1
    same = starts.pupil[back:] == starts.pupil[:-back]
    near = starts.day[back:] - starts.day[:-back] <= REPORT_DAYS
    for row in back + np.flatnonzero(same & near):
        if rng.random() < TALK_AFTER_FOURTH_REPORT:
            doctor = scene.school.sector is Sector.VO and rng.random() < 0.3
            kind = SupportKind.SCHOOL_DOCTOR if doctor else SupportKind.ATTENDANCE_TALK
            day: date = scene.time.days[starts.day[row]].item()
            when = day + timedelta(days=int(rng.integers(2, 12)))
            _contact(book, int(starts.pupil[row]), kind, when, rng)
