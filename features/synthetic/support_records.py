"""Support in the records: what is arranged, talked about, awaited, and what lapses."""

from dataclasses import dataclass, field

import numpy as np

from features.synthetic.pieces import KIND_NUMBER, Pieces, Scene
from features.synthetic.region import Ints, RegionTime
from features.synthetic.risk_process import State
from features.synthetic.timetables import Reduced
from features.vocabulary import AbsenceKind, Sector, SupportKind, SupportStatus

REGISTERED = 0.85
"""Share of talks and meetings that anyone writes down."""
TALKS_A_WEEK = {"calm": 0.004, "rise": 0.03}
TALK_AFTER_FOURTH_REPORT = 0.3
REPORTS, REPORT_DAYS = 4, 60
RENEWED_IN_SUMMER = 0.85
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


@dataclass
class SupportBook:
    """Versions of support records as they are written, in columns; dates are `datetime64[D]`."""

    record: list[int] = field(default_factory=list)
    pupil: list[int] = field(default_factory=list)
    kind: list[str] = field(default_factory=list)
    status: list[str] = field(default_factory=list)
    starts: list[np.datetime64] = field(default_factory=list)
    ends: list[np.datetime64] = field(default_factory=list)
    recorded: list[np.datetime64] = field(default_factory=list)
    withdrawn: list[bool] = field(default_factory=list)
    next_record: int = 0

    def add(
        self,
        pupil: int,
        kind: SupportKind,
        versions: list[tuple[SupportStatus, np.datetime64, np.datetime64, np.datetime64]],
        *,
        withdrawn: bool = False,
    ) -> None:
        """One record; each version is (status, starts, ends, day on which it is written)."""
        for status, starts, ends, written in versions:
            self.record.append(self.next_record)
            self.pupil.append(pupil)
            self.kind.append(kind.value)
            self.status.append(status.value)
            self.starts.append(starts)
            self.ends.append(ends)
            self.recorded.append(written)
            self.withdrawn.append(False)
        if withdrawn:
            for column in (self.record, self.pupil, self.kind, self.status, self.starts, self.ends):
                column.append(column[-1])  # type: ignore[attr-defined]
            self.recorded.append(self.recorded[-1] + 7)
            self.withdrawn.append(True)
        self.next_record += 1


NEVER = np.datetime64("NaT", "D")


def write_support(
    scene: Scene, pieces: Pieces, reduced: Reduced, time: RegionTime, rng: np.random.Generator
) -> SupportBook:
    """All support records of a school; `pieces` are its ordinary absence (for the fourth report)."""
    book = SupportBook()
    states = scene.paths.states[:, : time.weeks]
    before = np.concatenate([np.full((len(states), 1), -1), states[:, :-1]], axis=1)
    _help_that_comes(book, states, before, time, rng)
    _talks_for_other_reasons(book, scene, states, pieces, time, rng)
    _running_support(book, states, before, time, rng)
    for pupil, starts, ends in zip(reduced.pupil, reduced.starts, reduced.ends, strict=True):
        written = starts - int(rng.integers(0, 8))
        versions = [(SupportStatus.RUNNING, starts, ends, written)]
        book.add(int(pupil), SupportKind.REDUCED_TIMETABLE, versions)
    return book


def _contact(
    book: SupportBook, pupil: int, kind: SupportKind, day: np.datetime64, rng: np.random.Generator
) -> None:
    """A talk: often planned first, then done; sometimes called off or written down late."""
    if rng.random() > REGISTERED:
        return
    versions = []
    if rng.random() < 0.5:
        planned = day - int(rng.integers(2, 10))
        versions.append((SupportStatus.PLANNED, day, NEVER, planned))
    ending = SupportStatus.CANCELLED if rng.random() < 0.04 else SupportStatus.DONE
    lag = 0 if rng.random() < 0.7 else int(rng.integers(1, 15))
    versions.append((ending, day, day, day + lag))
    book.add(pupil, kind, versions, withdrawn=rng.random() < 0.01)


def _help_that_comes(
    book: SupportBook,
    states: np.ndarray[tuple[int, ...], np.dtype[np.int8]],
    before: np.ndarray[tuple[int, ...], np.dtype[np.signedinteger]],
    time: RegionTime,
    rng: np.random.Generator,
) -> None:
    """Contacts from the week in which a stage turns into a helped one, and after an onset."""
    for name, low, high in (
        ("mounting", State.MOUNTING_1_HELPED, State.MOUNTING_3_HELPED),
        ("truancy", State.TRUANCY_1_HELPED, State.TRUANCY_3_HELPED),
        ("gap", State.GAP_1_HELPED, State.GAP_3_HELPED),
        ("away", State.AWAY_1, State.AWAY_1),
    ):
        inside = (states >= low) & (states <= high)
        arrives = inside & ~((before >= low) & (before <= high))
        for pupil, week in zip(*np.nonzero(arrives), strict=True):
            for kind, share, weeks_later in HELP_KINDS[name]:
                when = week + weeks_later + int(rng.integers(0, 2))
                if rng.random() < share and when < time.weeks:
                    day = time.mondays[when] + int(rng.integers(0, 5))
                    _contact(book, int(pupil), kind, day, rng)


def _talks_for_other_reasons(
    book: SupportBook,
    scene: Scene,
    states: np.ndarray[tuple[int, ...], np.dtype[np.int8]],
    pieces: Pieces,
    time: RegionTime,
    rng: np.random.Generator,
) -> None:
    """Talks that have nothing to do with a road: chance, a temporary rise, a fourth report."""
    rise = (states == State.SICK_RISE) | (states == State.TRUANT_RISE)
    chance = np.where(rise, TALKS_A_WEEK["rise"], TALKS_A_WEEK["calm"])
    chance = np.where(states < 0, 0.0, chance)
    for pupil, week in zip(*np.nonzero(rng.random(states.shape) < chance), strict=True):
        kind = (SupportKind.PARENT_TALK, SupportKind.ATTENDANCE_TALK, SupportKind.SUPPORT_TEAM)[
            int(rng.choice(3, p=(0.6, 0.25, 0.15)))
        ]
        _contact(book, int(pupil), kind, time.mondays[week] + int(rng.integers(0, 5)), rng)
    for pupil, day in _fourth_reports(pieces):
        if rng.random() < TALK_AFTER_FOURTH_REPORT:
            doctor = scene.school.sector is Sector.VO and rng.random() < 0.3
            kind = SupportKind.SCHOOL_DOCTOR if doctor else SupportKind.ATTENDANCE_TALK
            when = scene.time.days[day] + int(rng.integers(2, 12))
            _contact(book, pupil, kind, when, rng)


def _fourth_reports(pieces: Pieces) -> list[tuple[int, int]]:
    """Pupil and day of each fourth illness within `REPORT_DAYS` school days."""
    sick = pieces.where(pieces.kind == KIND_NUMBER[AbsenceKind.SICK])
    _, first = np.unique(sick.spell, return_index=True)
    starts = sick.where(first)
    starts = starts.where(np.lexsort((starts.day, starts.pupil)))
    back = REPORTS - 1
    same = starts.pupil[back:] == starts.pupil[:-back]
    near = starts.day[back:] - starts.day[:-back] <= REPORT_DAYS
    rows = back + np.flatnonzero(same & near)
    return [(int(starts.pupil[row]), int(starts.day[row])) for row in rows]


def _running_support(
    book: SupportBook,
    states: np.ndarray[tuple[int, ...], np.dtype[np.int8]],
    before: np.ndarray[tuple[int, ...], np.dtype[np.signedinteger]],
    time: RegionTime,
    rng: np.random.Generator,
) -> None:
    """Plans and arrangements from the week support begins to the week it ends or lapses."""
    supported = states == State.SUPPORTED
    begins = supported & (before != State.SUPPORTED)
    for pupil, week in zip(*np.nonzero(begins), strict=True):
        stays = supported[pupil, week:]
        ends = week + (int(np.argmin(stays)) if not stays.all() else len(stays))
        next_state = int(states[pupil, ends]) if ends < time.weeks else None
        was_waiting = State.GAP_1 <= before[pupil, week] <= State.GAP_3_HELPED
        _one_support(book, int(pupil), int(week), int(ends), next_state, was_waiting, time, rng)


def _one_support(
    book: SupportBook,
    pupil: int,
    week: int,
    ends: int,
    next_state: int | None,
    was_waiting: bool,
    time: RegionTime,
    rng: np.random.Generator,
) -> None:
    """Support of one pupil over one stretch of weeks, renewed each summer if anyone thinks of it."""
    kinds = (
        SupportKind.SUPPORT_PLAN,
        SupportKind.OPP,
        SupportKind.ARRANGEMENT,
        SupportKind.YOUTH_CARE,
    )
    kind = (
        SupportKind.TLV
        if was_waiting and rng.random() < 0.3
        else (kinds[int(rng.choice(4, p=(0.4, 0.3, 0.22, 0.08)))])
    )
    starts = time.mondays[week] + int(rng.integers(0, 5))
    if week == 0:
        starts = starts - int(rng.integers(0, 300))
    last = time.mondays[min(ends, len(time.mondays) - 1)] - 3
    lapses = next_state is not None and State.GAP_1 <= next_state <= State.GAP_3_HELPED
    waits = lapses and rng.random() < 0.5
    while starts < last:
        july = _july_end(starts)
        is_last = july >= last
        until = last if is_last else july
        written = starts + int(rng.integers(0, 15))
        versions = [(SupportStatus.RUNNING, starts, july, written)]
        if is_last and next_state is not None and not waits:
            ended = until + int(rng.integers(0, 10))
            versions.append((SupportStatus.DONE, starts, until, max(ended, written + 1)))
        book.add(pupil, kind, versions)
        if not is_last and rng.random() > RENEWED_IN_SUMMER:
            # Support goes on, yet nobody renewed the record: in the records it looks like a lapse.
            starts = july + 1
            starts = min(last, starts + int(rng.integers(60, 365)))
            continue
        starts = july + 1
    if waits:
        _await_place(book, pupil, last, rng)


def _await_place(
    book: SupportBook, pupil: int, asked: np.datetime64, rng: np.random.Generator
) -> None:
    """A TLV is requested; the answer takes six weeks to half a year."""
    answered = asked + int(rng.integers(42, 190))
    granted = rng.random() < 0.8
    status = SupportStatus.DONE if granted else SupportStatus.REFUSED
    book.add(
        pupil,
        SupportKind.TLV_REQUEST,
        [
            (SupportStatus.REQUESTED, asked, NEVER, asked + int(rng.integers(0, 6))),
            (status, asked, answered, answered + int(rng.integers(0, 8))),
        ],
    )


def _july_end(day: np.datetime64) -> np.datetime64:
    """31 July of the school year of `day`."""
    month = int(day.astype("datetime64[M]").astype(np.int64))
    school_year = (month - 7) // 12
    return np.datetime64((school_year + 1) * 12 + 7, "M").astype("datetime64[D]") - 1


def in_order(book: SupportBook, last: np.datetime64) -> Ints:
    """Rows known by `last`, in the order in which they were recorded."""
    recorded = np.array(book.recorded, dtype="datetime64[D]")
    known = np.flatnonzero(recorded <= last)
    return known[np.lexsort((np.array(book.record)[known], recorded[known]))]
