"""From absence to records: who writes what down, in which style, and how late."""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

import numpy as np
from numpy.typing import NDArray

from features.synthetic.pieces import KIND_NUMBER, Pieces, Scene
from features.synthetic.region import Days, Flags, Ints, days_later, weekday_of
from features.synthetic.schools import Form, Habits, SchoolTime
from features.vocabulary import AbsenceKind, Sector

Moments = NDArray[np.datetime64]
OPEN, DAILY, EXTENDED, AFTERWARDS, WEEKLY = range(5)
LATE_DAYS = ((1, 3, 0.60), (4, 10, 0.28), (11, 21, 0.12))
"""How late the late records come: from, up to and including, share."""
CLOSED_LATE = 0.15
MINUTES_STATED = 0.7
RUN_STYLES = {True: (0.55, 0.25, 0.0, 0.0, 0.20), False: (0.0, 0.70, 0.0, 0.0, 0.30)}
"""Shares of the styles for a run: registered as illness, or otherwise."""


@dataclass(frozen=True)
class Records:
    """Versions of records, one row each; moments are local wall-clock time.

    `end` is NaT while a report is open; `minutes` and `slot` are -1 where nothing is stated.
    """

    record: Ints
    pupil: Ints
    start: Moments
    end: Moments
    minutes: Ints
    slot: Ints
    kind: Ints
    recorded: Moments
    withdrawn: Flags

    def __len__(self) -> int:
        return len(self.record)

    def where(self, chosen: Flags | Ints) -> "Records":
        """The chosen rows."""
        return Records(*(getattr(self, field.name)[chosen] for field in fields(self)))


def concatenate(parts: Sequence[Records]) -> Records:
    """All rows of `parts`; record numbers stand as they are."""
    return Records(
        *(
            np.concatenate([getattr(part, field.name) for part in parts])
            for field in fields(Records)
        )
    )


def numbered_apart(parts: Sequence[Records]) -> Records:
    """All rows of `parts`; records of different parts get different numbers."""
    shifted, offset = [], 0
    for part in parts:
        shifted.append(replace(part, record=part.record + offset))
        offset += int(part.record.max(initial=-1)) + 1
    return concatenate(shifted)


def write_down(scene: Scene, pieces: Pieces, rng: np.random.Generator) -> Records:
    """The records of all pieces in the way the school's system keeps them."""
    order = np.lexsort((pieces.day, pieces.spell))
    pieces = pieces.where(order)
    if scene.school.form is not Form.CANONICAL:
        return _by_slot(scene, pieces, rng)
    long_kinds = [KIND_NUMBER[kind] for kind in (AbsenceKind.SICK, *_ARRANGED)]
    by_spell = np.isin(pieces.kind, long_kinds) | pieces.in_run
    return numbered_apart(
        [
            _by_spell(scene, pieces.where(by_spell), rng),
            _one_by_one(scene, pieces.where(~by_spell), rng),
        ]
    )


_ARRANGED = (AbsenceKind.LEAVE, AbsenceKind.SUSPENSION, AbsenceKind.UNAUTHORISED_HOLIDAY)


def _moment(day: Days, minutes: Ints) -> Moments:
    result: Moments = day.astype("datetime64[m]") + minutes.astype("timedelta64[m]")
    return result


def _seconds_later(moment: Moments, seconds: Ints) -> Moments:
    result: Moments = moment.astype("datetime64[s]") + seconds.astype("timedelta64[s]")
    return result


def late(natural: Moments, habits: Habits, rng: np.random.Generator) -> Moments:
    """When something that could be recorded at `natural` was: mostly the same day, or days later.

    Late records are made on a weekday in office hours.
    """
    count = len(natural)
    soon = _seconds_later(natural, rng.exponential(40 * 60, count).astype(np.int64))
    late_class = rng.choice(len(LATE_DAYS), count, p=[share for _, _, share in LATE_DAYS])
    low, high = (np.array([row[side] for row in LATE_DAYS])[late_class] for side in (0, 1))
    days = low + (rng.random(count) * (high - low + 1)).astype(np.int64)
    later = office_hour(days_later(natural, days), rng)
    return np.where(rng.random(count) < habits.same_day, soon, later)


def office_hour(day: Days, rng: np.random.Generator) -> Moments:
    """A moment between 08:00 and 16:30 on `day`, or on the Monday after a week-end day."""
    weekday = weekday_of(day)
    workday = days_later(day, np.where(weekday > 4, 7 - weekday, 0))
    return _seconds_later(workday, rng.integers(8 * 3600, 16 * 3600 + 1800, len(day)))


def _bounds(scene: Scene) -> tuple[Ints, Ints]:
    slots = np.array(scene.school.slots)
    return slots[:, 0], slots[:, 1]


def _rows(scene: Scene, pieces: Pieces, record: Ints, recorded: Moments) -> Records:
    """One closed version per piece, from the begin of its first slot to the end of its last."""
    begin, end = _bounds(scene)
    day = scene.time.days[pieces.day]
    return Records(
        record=record,
        pupil=pieces.pupil,
        start=_moment(day, begin[pieces.first]),
        end=_moment(day, end[pieces.last]),
        minutes=np.full(len(pieces), -1),
        slot=np.full(len(pieces), -1),
        kind=pieces.kind,
        recorded=recorded,
        withdrawn=np.zeros(len(pieces), dtype=bool),
    )


def _one_by_one(scene: Scene, pieces: Pieces, rng: np.random.Generator) -> Records:
    """A record of its own for each piece; minutes stated for parts of a VO day."""
    begin, _ = _bounds(scene)
    natural = _moment(scene.time.days[pieces.day], begin[pieces.first])
    rows = _rows(scene, pieces, np.arange(len(pieces)), late(natural, scene.school.habits, rng))
    return replace(rows, minutes=_stated_minutes(scene, pieces, rng))


def _stated_minutes(scene: Scene, pieces: Pieces, rng: np.random.Generator) -> Ints:
    lessons = pieces.last - pieces.first + 1
    is_late = pieces.kind == KIND_NUMBER[AbsenceKind.LATE_ARRIVAL]
    minutes = np.where(is_late, rng.integers(3, 26, len(pieces)), lessons * 50)
    states = rng.random(len(pieces)) < MINUTES_STATED
    stated = is_late | (states & (scene.school.sector is Sector.VO))
    return np.where(stated, minutes, -1)


def _by_slot(scene: Scene, pieces: Pieces, rng: np.random.Generator) -> Records:
    """A record per half-day or lesson, as source systems keep them; made day by day."""
    begin, end = _bounds(scene)
    natural = _moment(scene.time.days[pieces.day], begin[pieces.first])
    recorded = late(natural, scene.school.habits, rng)
    recorded = np.where(_is_arranged(pieces), _arranged_before(recorded, rng), recorded)
    minutes = _stated_minutes(scene, pieces, rng)
    count = pieces.last - pieces.first + 1
    row = np.repeat(np.arange(len(pieces)), count)
    slot = pieces.first[row] + np.arange(len(row)) - np.repeat(np.cumsum(count) - count, count)
    day = scene.time.days[pieces.day[row]]
    is_late = pieces.kind[row] == KIND_NUMBER[AbsenceKind.LATE_ARRIVAL]
    # The parts of one day's report are stored seconds apart.
    seconds = slot - pieces.first[row]
    return Records(
        record=np.arange(len(row)),
        pupil=pieces.pupil[row],
        start=_moment(day, begin[slot]),
        end=_moment(day, end[slot]),
        minutes=np.where(is_late, minutes[row], (end - begin)[slot]),
        slot=slot,
        kind=pieces.kind[row],
        recorded=_seconds_later(recorded[row], seconds),
        withdrawn=np.zeros(len(row), dtype=bool),
    )


def _is_arranged(pieces: Pieces) -> Flags:
    leave: Flags = pieces.kind == KIND_NUMBER[AbsenceKind.LEAVE]
    return leave


def _arranged_before(recorded: Moments, rng: np.random.Generator) -> Moments:
    """Leave is asked for in advance: three days to three weeks before."""
    days = rng.integers(3, 22, len(recorded))
    return office_hour(days_later(recorded, -days - 2), rng)


def _by_spell(scene: Scene, pieces: Pieces, rng: np.random.Generator) -> Records:
    """One or more records per unbroken stretch of a spell, in the style chosen for it."""
    if not len(pieces):
        return _one_by_one(scene, pieces, rng)
    breaks = (np.diff(pieces.spell) != 0) | (np.diff(pieces.day) != 1) | (np.diff(pieces.kind) != 0)
    stretch = np.concatenate([[0], np.cumsum(breaks)])
    style = _styles(scene, pieces, stretch, rng)[stretch]
    whole = np.isin(style, (OPEN, AFTERWARDS))
    weekly = style == WEEKLY
    week_start = np.concatenate([[True], breaks | (np.diff(scene.time.week[pieces.day]) != 0)])
    by_week = np.cumsum(week_start) - 1
    return numbered_apart(
        [
            _open_ended(scene, pieces.where(style == OPEN), stretch[style == OPEN], rng),
            _closed(scene, pieces.where(weekly), by_week[weekly], rng, afterwards=False),
            _closed(
                scene,
                pieces.where(whole & (style == AFTERWARDS)),
                stretch[whole & (style == AFTERWARDS)],
                rng,
                afterwards=True,
            ),
            _extended(scene, pieces.where(style == EXTENDED), stretch[style == EXTENDED], rng),
            _one_by_one(scene, pieces.where(style == DAILY), rng),
        ]
    )


def _styles(scene: Scene, pieces: Pieces, stretch: Ints, rng: np.random.Generator) -> Ints:
    """The style of each stretch: the school's habit; runs and arranged absence have their own."""
    first = np.flatnonzero(np.diff(stretch, prepend=-1))
    luck = rng.random(len(first))
    style = np.searchsorted(np.cumsum(scene.school.habits.styles)[:-1], luck)
    is_sick = pieces.kind[first] == KIND_NUMBER[AbsenceKind.SICK]
    for sick, shares in RUN_STYLES.items():
        chosen = pieces.in_run[first] & (is_sick == sick)
        style = np.where(chosen, np.searchsorted(np.cumsum(shares)[:-1], luck), style)
    arranged = ~is_sick & ~pieces.in_run[first]
    result: Ints = np.where(arranged, WEEKLY, style)
    return result


def _edges(group: Ints) -> tuple[Ints, Ints]:
    """First and last row of each run of equal values."""
    starts = np.flatnonzero(np.diff(group, prepend=-1))
    return starts, np.append(starts[1:], len(group)) - 1 if len(starts) else starts


def _closed(
    scene: Scene, pieces: Pieces, group: Ints, rng: np.random.Generator, *, afterwards: bool
) -> Records:
    """One report with begin and end: in advance or on the first day, or after the return."""
    begin, end = _bounds(scene)
    first, last = _edges(group)
    days = scene.time.days
    from_day = _next_day(scene.time, pieces.day[last]) if afterwards else days[pieces.day[first]]
    recorded = late(_moment(from_day, begin[pieces.first[first]]), scene.school.habits, rng)
    head = pieces.where(first)
    recorded = np.where(_is_arranged(head), _arranged_before(recorded, rng), recorded)
    rows = _rows(scene, head, np.arange(len(first)), recorded)
    return replace(rows, end=_moment(days[pieces.day[last]], end[pieces.last[last]]))


def _next_day(time: SchoolTime, day: Ints) -> Days:
    """The next school day of the school; after the last known one, the day after it."""
    following = np.append(time.days[1:], time.days[-1] + 1)
    return following[day]


def _open_ended(scene: Scene, pieces: Pieces, group: Ints, rng: np.random.Generator) -> Records:
    """Reported without an end; closed on the day of the return, or some days later."""
    begin, end = _bounds(scene)
    first, last = _edges(group)
    days = scene.time.days
    natural = _moment(days[pieces.day[first]], begin[pieces.first[first]])
    opened = _rows(
        scene, pieces.where(first), np.arange(len(first)), late(natural, scene.school.habits, rng)
    )
    back = _next_day(scene.time, pieces.day[last])
    on_the_day = _moment(back, np.full(len(back), 525))
    days_late = rng.integers(1, 7, len(back))
    closed_at = np.where(
        rng.random(len(back)) < CLOSED_LATE,
        office_hour(days_later(back, days_late), rng),
        _seconds_later(on_the_day, rng.integers(0, 5400, len(back))),
    )
    closed = replace(
        opened,
        end=_moment(days[pieces.day[last]], end[pieces.last[last]]),
        recorded=np.maximum(closed_at, opened.recorded),
    )
    # Nobody knows of a return after the last day of the history.
    ends_known = pieces.day[last] < scene.shape[1] - 1
    still_open = ~ends_known | (opened.recorded < closed.recorded)
    opened = replace(opened, end=np.full(len(first), np.datetime64("NaT"), dtype="datetime64[m]"))
    return concatenate([opened.where(still_open), closed.where(ends_known)])


def _extended(scene: Scene, pieces: Pieces, group: Ints, rng: np.random.Generator) -> Records:
    """One report whose end moves on every day: each day a new version."""
    begin, _ = _bounds(scene)
    first, _last = _edges(group)
    number = np.cumsum(np.isin(np.arange(len(group)), first)) - 1
    natural = _moment(scene.time.days[pieces.day], begin[pieces.first])
    recorded = _seconds_later(natural, rng.integers(0, 3600, len(pieces)))
    rows = _rows(scene, pieces, number, recorded)
    return replace(rows, start=rows.start[first][number])
