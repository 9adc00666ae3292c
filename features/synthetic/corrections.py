"""What goes wrong in recording: kinds settled later, wrong ends, withdrawals, silent classes."""

from dataclasses import replace

import numpy as np

from features.synthetic.pieces import KIND_NUMBER, Pieces, Scene, make_pieces
from features.synthetic.recording import (
    Records,
    concatenate,
    late,
    numbered_apart,
    office_hour,
)
from features.synthetic.region import Flags, Ints, days_later
from features.synthetic.schools import Form
from features.vocabulary import AbsenceKind, Sector

UNREGISTERED_GROUP_WEEKS = 0.003
MISTAKES = 0.012
"""Records about the wrong pupil or day, as a share of all; most are withdrawn."""
MISTAKES_WITHDRAWN = 0.8
WRONG_END = 0.03
FIRST_SAID: dict[Sector, tuple[tuple[AbsenceKind, AbsenceKind, float], ...]] = {
    Sector.PO: (
        (AbsenceKind.SICK, AbsenceKind.UNVERIFIED, 0.03),
        (AbsenceKind.SICK, AbsenceKind.MEDICAL_VISIT, 0.01),
        (AbsenceKind.MEDICAL_VISIT, AbsenceKind.SICK, 0.05),
        (AbsenceKind.UNAUTHORISED, AbsenceKind.UNVERIFIED, 0.6),
        (AbsenceKind.UNAUTHORISED_HOLIDAY, AbsenceKind.SICK, 0.5),
    ),
    Sector.VO: (
        (AbsenceKind.SICK, AbsenceKind.UNVERIFIED, 0.12),
        (AbsenceKind.SICK, AbsenceKind.UNAUTHORISED, 0.015),
        (AbsenceKind.MEDICAL_VISIT, AbsenceKind.UNVERIFIED, 0.15),
        (AbsenceKind.UNAUTHORISED, AbsenceKind.UNVERIFIED, 0.7),
        (AbsenceKind.UNAUTHORISED_HOLIDAY, AbsenceKind.SICK, 0.5),
    ),
}
"""Real kind, what was recorded at first, and for which share of the records."""
NEVER_SETTLED = 0.12
"""Share of unauthorised absence that stays 'reason not known yet' for good."""


def silence_classes(
    scene: Scene, runs: Pieces, others: list[Pieces], rng: np.random.Generator
) -> list[Pieces]:
    """Leave out all absence of a group in the weeks in which nobody registered it.

    Only groups without a pupil in a run: in such weeks nothing at all is registered.
    """
    member = scene.groups.member[:, scene.year]
    weeks, groups = int(scene.time.week.max()) + 1, len(scene.groups.names)
    silent = rng.random((weeks, groups)) < UNREGISTERED_GROUP_WEEKS
    silent[scene.time.week[runs.day], member[runs.pupil, runs.day]] = False
    result = []
    for part in others:
        hit = silent[scene.time.week[part.day], member[part.pupil, part.day]]
        result.append(part.where(~np.isin(part.spell, np.unique(part.spell[hit]))))
    return result


def leave_unsettled(pieces: Pieces, rng: np.random.Generator) -> Pieces:
    """Some unauthorised absence is never settled: its reason stays unknown."""
    is_open = (pieces.kind == KIND_NUMBER[AbsenceKind.UNAUTHORISED]) & ~pieces.in_run
    stays = is_open & (rng.random(len(pieces)) < NEVER_SETTLED)
    kind = np.where(stays, KIND_NUMBER[AbsenceKind.UNVERIFIED], pieces.kind)
    return replace(pieces, kind=kind)


def settle_kinds(records: Records, sector: Sector, rng: np.random.Generator) -> Records:
    """Let some records say another kind at first, until a version one to twelve days later."""
    order = np.lexsort((records.recorded, records.record))
    records = records.where(order)
    starts = np.flatnonzero(np.diff(records.record, prepend=-1))
    number = np.cumsum(np.isin(np.arange(len(records)), starts)) - 1
    case = _cases(records.where(starts))
    luck = rng.random(int(case.max(initial=-1)) + 1)[case]
    said = np.full(len(starts), -1)
    for kind in AbsenceKind:
        taken = 0.0
        for real, first, share in FIRST_SAID[sector]:
            if real is kind:
                of_kind = records.kind[starts] == KIND_NUMBER[kind]
                said[of_kind & (luck >= taken) & (luck < taken + share)] = KIND_NUMBER[first]
                taken += share
    days = 1 + np.minimum(rng.exponential(3.0, len(luck)), 11).astype(np.int64)[case]
    settled = office_hour(days_later(records.recorded[starts], days), rng)
    wrong = (said[number] >= 0) & (records.recorded < settled[number])
    told = replace(records, kind=np.where(wrong, said[number], records.kind))
    last_wrong = wrong & ~np.append((number[1:] == number[:-1]) & wrong[1:], False)
    right = replace(records.where(last_wrong), recorded=settled[number[last_wrong]])
    return concatenate([told, right])


def _cases(records: Records) -> Ints:
    """What is settled in one go: a record, or all half-days or lessons of a pupil on a day."""
    day = records.start.astype("datetime64[D]").astype(np.int64)
    key = np.where(records.slot >= 0, records.pupil * 100_000 + day, -1 - records.record)
    return np.unique(key, return_inverse=True)[1]


def mistake_ends(records: Records, rng: np.random.Generator) -> Records:
    """Close a few reports of several days a day too late, and put that right days later."""
    several = ~np.isnat(records.end) & (
        records.end.astype("datetime64[D]") > records.start.astype("datetime64[D]")
    )
    newest = _is_newest(records)
    chosen = several & newest & (rng.random(len(records)) < WRONG_END)
    corrected = records.where(chosen)
    days = rng.integers(1, 11, len(corrected))
    corrected = replace(corrected, recorded=office_hour(days_later(corrected.recorded, days), rng))
    day = np.timedelta64(1, "D")
    return concatenate(
        [replace(records, end=np.where(chosen, records.end + day, records.end)), corrected]
    )


def _is_newest(records: Records) -> Flags:
    order = np.lexsort((records.recorded, records.record))
    last = np.append(np.diff(records.record[order]) != 0, True)
    result = np.zeros(len(records), dtype=bool)
    result[order[last]] = True
    return result


def add_mistakes(scene: Scene, records: Records, runs: Pieces, rng: np.random.Generator) -> Records:
    """Records of absence that never was: on the wrong pupil or day; most are withdrawn later."""
    count = rng.poisson(MISTAKES * len(np.unique(records.record)))
    pupil, day = rng.integers(0, scene.shape[0], count), rng.integers(0, scene.shape[1], count)
    in_run = np.zeros(scene.shape, dtype=bool)
    in_run[runs.pupil, runs.day] = True
    free = ~in_run[pupil, day]
    kind = AbsenceKind.SICK if scene.school.sector is Sector.PO else AbsenceKind.UNVERIFIED
    last: Ints | int = 99 if scene.school.sector is Sector.PO else 1
    pieces = make_pieces(scene, pupil[free], day[free], kind, first=0, last=last)
    begin = np.array(scene.school.slots)[:, 0]
    end = np.array(scene.school.slots)[:, 1]
    date = scene.time.days[pieces.day].astype("datetime64[m]")
    recorded = late(date + begin[pieces.first], scene.school.habits, rng)
    # Source systems keep slots apart; one slot is enough for a mistake.
    by_slot = scene.school.form is not Form.CANONICAL
    mistaken = Records(
        record=np.arange(len(pieces)),
        pupil=pieces.pupil,
        start=date + begin[pieces.first],
        end=date + end[pieces.first if by_slot else pieces.last],
        minutes=np.where(by_slot, (end - begin)[pieces.first], -1),
        slot=np.where(by_slot, pieces.first, -1),
        kind=pieces.kind,
        recorded=recorded,
        withdrawn=np.zeros(len(pieces), dtype=bool),
    )
    noticed = mistaken.where(rng.random(len(mistaken)) < MISTAKES_WITHDRAWN)
    days = rng.integers(0, 9, len(noticed))
    at = office_hour(days_later(noticed.recorded, 1 + days), rng)
    withdrawn = replace(noticed, recorded=at, withdrawn=np.ones(len(noticed), dtype=bool))
    return numbered_apart([records, concatenate([mistaken, withdrawn])])


def known_by(records: Records, last: np.datetime64) -> Records:
    """Versions recorded up to and including the day `last`, in the order of recording."""
    known = records.where(records.recorded.astype("datetime64[D]") <= last)
    order = np.lexsort((known.record, known.recorded))
    known = known.where(order)
    _, first, number = np.unique(known.record, return_index=True, return_inverse=True)
    rank = np.empty(len(first), dtype=np.int64)
    rank[np.argsort(first)] = np.arange(len(first))
    return replace(known, record=rank[number])
