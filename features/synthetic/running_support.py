"""Support that runs: plans, arrangements, a place awaited, and what lapses without a successor."""

from datetime import date, timedelta

import numpy as np
from numpy.typing import NDArray

from features.school_weeks import first_day_of, school_year_of
from features.synthetic.region import RegionTime
from features.synthetic.risk_process import State
from features.synthetic.support_book import SupportBook, Version
from features.vocabulary import SupportKind, SupportStatus

RENEWED_IN_SUMMER = 0.85
"""A record ends on 31 July; so often someone makes the next one while the support goes on."""
WAITS_FOR_PLACE = 0.5
"""Of support that lapses: the pupil awaits a place elsewhere instead."""
PLACE_GRANTED = 0.8
PLACE_AFTER_GAP = 0.3
KINDS = (
    (SupportKind.SUPPORT_PLAN, 0.40),
    (SupportKind.OPP, 0.30),
    (SupportKind.ARRANGEMENT, 0.22),
    (SupportKind.YOUTH_CARE, 0.08),
)


def write_running_support(
    book: SupportBook, states: NDArray[np.int8], time: RegionTime, rng: np.random.Generator
) -> None:
    """Records for each stretch of school weeks in which a pupil is supported."""
    supported = states == State.SUPPORTED
    begins = supported.copy()
    begins[:, 1:] &= ~supported[:, :-1]
    for pupil, week in zip(*np.nonzero(begins), strict=True):
        stays = supported[pupil, week:]
        ends = int(week) + (len(stays) if stays.all() else int(np.argmin(stays)))
        after = int(states[pupil, ends]) if ends < time.weeks else None
        before = int(states[pupil, week - 1]) if week else -1
        starts = time.mondays[week].item() + timedelta(days=int(rng.integers(0, 5)))
        if week == 0:
            starts -= timedelta(days=int(rng.integers(0, 300)))
        until = time.mondays[ends].item() - timedelta(days=3)
        _one_stretch(book, int(pupil), _kind_of(before, rng), starts, until, after, rng)


def _kind_of(before: int, rng: np.random.Generator) -> SupportKind:
    awaited = State.GAP_1 <= before <= State.GAP_3_HELPED
    if awaited and rng.random() < PLACE_AFTER_GAP:
        return SupportKind.TLV
    return KINDS[int(rng.choice(len(KINDS), p=[share for _, share in KINDS]))][0]


def _one_stretch(
    book: SupportBook,
    pupil: int,
    kind: SupportKind,
    starts: date,
    until: date,
    after: int | None,
    rng: np.random.Generator,
) -> None:
    """A record per school year; `after` is the state that follows (None: it still runs)."""
    lapses = after is not None and State.GAP_1 <= after <= State.GAP_3_HELPED
    waits = lapses and rng.random() < WAITS_FOR_PLACE
    while starts < until:
        july = first_day_of(school_year_of(starts) + 1) - timedelta(days=1)
        written = starts + timedelta(days=int(rng.integers(0, 15)))
        versions = [Version(SupportStatus.RUNNING, starts, july, written)]
        if july >= until and after is not None and not waits:
            ended = max(until + timedelta(days=int(rng.integers(0, 10))), written)
            versions.append(Version(SupportStatus.DONE, starts, until, ended))
        book.add(pupil, kind, versions)
        starts = july + timedelta(days=1)
        if rng.random() > RENEWED_IN_SUMMER:
            # Support goes on, yet nobody made the next record: it looks like a lapse.
            starts += timedelta(days=int(rng.integers(60, 365)))
    if waits:
        _await_place(book, pupil, until, rng)


def _await_place(book: SupportBook, pupil: int, asked: date, rng: np.random.Generator) -> None:
    """A place elsewhere (TLV) is asked for; the answer takes six weeks to half a year."""
    answered = asked + timedelta(days=int(rng.integers(42, 190)))
    status = SupportStatus.DONE if rng.random() < PLACE_GRANTED else SupportStatus.REFUSED
    written = asked + timedelta(days=int(rng.integers(0, 6)))
    told = answered + timedelta(days=int(rng.integers(0, 8)))
    book.add(
        pupil,
        SupportKind.TLV_REQUEST,
        [
            Version(SupportStatus.REQUESTED, asked, None, written),
            Version(status, asked, answered, told),
        ],
    )
