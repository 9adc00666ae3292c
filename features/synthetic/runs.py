"""Runs of prolonged absence: from the onset the risk process gives until the pupil is back."""

from dataclasses import dataclass

import numpy as np

from features.synthetic.parameters import EXEMPTION_FROM_LONG_AWAY, RUN_DAYS, RUN_SHARE
from features.synthetic.pieces import KIND_NUMBER, Pieces, Scene, absent_share
from features.synthetic.pupils import Pupils
from features.synthetic.region import Flags, Floats, Ints, RegionTime
from features.synthetic.risk_process import ROADS, Paths, Road, State
from features.vocabulary import AbsenceKind

DAY_BACK_IN_RUN = 0.04
"""After the first week away: share of days on which a pupil tries to come."""
ABSENT_DAY = 0.5
ORDINARY_SHARE = 0.7
RUN_STARTS_EARLY = 4
"""School days: with 80 % of 20 days absent, ordinary absence just before a run may belong to it."""
RUN_KINDS: dict[Road, tuple[tuple[AbsenceKind, AbsenceKind, float], ...]] = {
    Road.MOUNTING_SICKNESS: (
        (AbsenceKind.SICK, AbsenceKind.SICK, 0.80),
        (AbsenceKind.SICK, AbsenceKind.UNVERIFIED, 0.20),
    ),
    Road.TRUANCY: (
        (AbsenceKind.UNAUTHORISED, AbsenceKind.UNAUTHORISED, 0.90),
        (AbsenceKind.SICK, AbsenceKind.UNAUTHORISED, 0.10),
    ),
    Road.SUPPORT_GAP: (
        (AbsenceKind.SICK, AbsenceKind.SICK, 0.50),
        (AbsenceKind.UNAUTHORISED, AbsenceKind.UNAUTHORISED, 0.25),
        (AbsenceKind.UNVERIFIED, AbsenceKind.UNVERIFIED, 0.25),
    ),
    Road.SUDDEN: (
        (AbsenceKind.SICK, AbsenceKind.SICK, 0.85),
        (AbsenceKind.UNVERIFIED, AbsenceKind.UNAUTHORISED, 0.15),
    ),
}
"""How a run is registered: its first ten days, what follows, and the share of runs."""


@dataclass(frozen=True)
class Onsets:
    """Onsets of a school, one row each; `complete`: not cut short by leaving the school."""

    pupil: Ints
    day: Ints
    last_day: Ints
    road: Ints
    complete: Flags


def leave_by_exemption(
    pupils: Pupils, paths: Paths, time: RegionTime, rng: np.random.Generator
) -> Pupils:
    """A very few of those long away get an exemption (article 5 under a) and leave the register."""
    long_away = paths.states[:, : time.weeks] == State.AWAY_LONG
    granted = long_away & (rng.random(long_away.shape) < EXEMPTION_FROM_LONG_AWAY)
    # Eight weeks after the onset at the earliest, so that a run of 20 school days is complete.
    day = np.full(len(pupils), np.datetime64("NaT"), dtype="datetime64[D]")
    week = granted.argmax(axis=1)
    any_granted = granted.any(axis=1)
    day[any_granted] = time.mondays[week[any_granted]] + 4
    day[day > np.datetime64(time.last)] = np.datetime64("NaT")
    return pupils.leave_earlier(day, "exemption")


def place_onsets(scene: Scene, rng: np.random.Generator) -> Onsets:
    """A first day for each onset, on a random school day of its week, and the last day of its run.

    Onsets of pupils who are not (or no longer) at the school in that week fall away; so do those
    after the end of the history.
    """
    rows: list[tuple[int, int, int, int, bool]] = []
    paths, week = scene.paths, scene.time.week
    for pupil, onset_week, road in zip(
        paths.onset_pupil, paths.onset_week, paths.onset_road, strict=True
    ):
        luck = rng.random()
        there = np.flatnonzero(scene.slots[pupil] > 0)
        inside = there[week[there] == onset_week]
        if not len(inside):
            continue
        first = int(inside[int(luck * len(inside))])
        after = there[there >= first]
        back = np.flatnonzero(paths.states[pupil, onset_week + 1 :] == State.BACK)
        days = len(after)
        if len(back):
            until_back = int((week[after] < onset_week + 1 + back[0]).sum())
            days = min(days, max(until_back, RUN_DAYS))
        still_there = after[-1] == scene.shape[1] - 1
        complete = days >= RUN_DAYS or bool(still_there)
        rows.append((int(pupil), first, int(after[days - 1]), int(road), complete))
    table = np.array(rows, dtype=np.int64).reshape(-1, 5)
    return Onsets(table[:, 0], table[:, 1], table[:, 2], table[:, 3], table[:, 4].astype(bool))


def run_pieces(scene: Scene, onsets: Onsets, rng: np.random.Generator) -> Pieces:
    """Whole days of absence from the first to the last day of each run, with a rare day back."""
    parts: list[tuple[Ints, ...]] = []
    for spell, (pupil, first, last, road) in enumerate(
        zip(onsets.pupil, onsets.day, onsets.last_day, onsets.road, strict=True)
    ):
        days = first + np.flatnonzero(scene.slots[pupil, first : last + 1] > 0)
        order = np.arange(len(days))
        tries = (rng.random(len(days)) < DAY_BACK_IN_RUN) & (order >= 5)
        # At most three days back in the first twenty: the run stays a run.
        tries &= np.cumsum(tries) <= 3 + np.maximum(order - RUN_DAYS, 0) // 10
        early, late = _kinds_of_run(ROADS[road], rng)
        kind = np.where(order < 10, KIND_NUMBER[early], KIND_NUMBER[late])
        slots = scene.slots[pupil, days].astype(np.int64)
        columns = (np.full(len(days), pupil), days, np.zeros_like(days), slots - 1, kind)
        parts.append(tuple(column[~tries] for column in (*columns, np.full(len(days), spell))))
    if not parts:
        none = np.zeros(0, dtype=np.int64)
        return Pieces(none, none, none, none, none, none, none.astype(bool))
    pupil_of, day_of, first_of, last_of, kind_of, spell_of = (
        np.concatenate(column) for column in zip(*parts, strict=True)
    )
    in_run = np.ones(len(pupil_of), dtype=bool)
    return Pieces(pupil_of, day_of, first_of, last_of, kind_of, spell_of, in_run)


def _kinds_of_run(road: Road, rng: np.random.Generator) -> tuple[AbsenceKind, AbsenceKind]:
    choices = RUN_KINDS[road]
    chosen = int(np.searchsorted(np.cumsum([share for _, _, share in choices])[:-1], rng.random()))
    return choices[chosen][0], choices[chosen][1]


def labelled_onsets(
    share: Floats, planned: Flags, least: float = RUN_SHARE
) -> list[tuple[int, int]]:
    """(pupil, day) of each first absent day from which 20 planned days are a run.

    `planned` is unbroken from a pupil's first day to the last. One run gives one row: the next is
    sought after its 20 days, and windows that follow on each other are one run.
    """
    total = np.cumsum(np.pad(share, ((0, 0), (1, 0))), axis=1)
    mean = (total[:, RUN_DAYS:] - total[:, :-RUN_DAYS]) / RUN_DAYS
    days = mean.shape[1]
    within = planned[:, :days] & planned[:, RUN_DAYS - 1 :]
    starts = within & (mean >= least - 1e-9) & (share[:, :days] >= ABSENT_DAY)
    found, end, current = [], -1, -1
    for pupil, day in zip(*np.nonzero(starts), strict=True):
        if pupil != current or day > end:
            found.append((int(pupil), int(day)))
            end = -1
        current, end = pupil, max(end, int(day) + RUN_DAYS)
    return found


def thin_accidental_runs(
    scene: Scene, ordinary: Pieces, onsets: Onsets, runs: Pieces, rng: np.random.Generator
) -> Pieces:
    """Drop ordinary absence where chance would make it a run of its own, or start one too early.

    Away from runs it must stay well below one, a day counted whole: records round up.
    """
    inside = np.zeros(scene.shape, dtype=bool)
    for pupil, first, last in zip(onsets.pupil, onsets.day, onsets.last_day, strict=True):
        inside[pupil, max(0, first - RUN_STARTS_EARLY) : last + 1] = True
    planned = scene.slots > 0
    while True:
        alone = absent_share(scene, ordinary)
        accidents = labelled_onsets(np.ceil(alone), planned, ORDINARY_SHARE)
        together = labelled_onsets(alone + absent_share(scene, runs), planned)
        accidents += [at for at in together if not inside[at]]
        if not accidents:
            return ordinary
        keep = np.ones(len(ordinary), dtype=bool)
        for pupil, day in accidents:
            near = (ordinary.day >= day) & (ordinary.day < day + RUN_DAYS)
            window = (ordinary.pupil == pupil) & near
            # Whole spells go, so that no illness has a hole in it that nobody would have recorded.
            spells = np.unique(ordinary.spell[window])
            goes = rng.random(len(spells)) < 0.5
            goes[rng.integers(0, len(spells))] = True
            keep &= ~(window & np.isin(ordinary.spell, spells[goes]))
        ordinary = ordinary.where(keep)
