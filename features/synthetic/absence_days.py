"""Ordinary absence and what the stages add to it: illness, visits, leave, truancy, lateness."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from features.synthetic import parameters as number
from features.synthetic.parameters import SCHOOL_DAYS_A_YEAR, rates_of
from features.synthetic.pieces import Pieces, Scene, join, make_pieces, without_overlap
from features.synthetic.region import Floats, Ints
from features.synthetic.risk_process import STATES, State
from features.vocabulary import AbsenceKind, Sector

STAGED_WEEKDAY = (1.6, 0.75, 0.55, 0.65, 1.45)
"""Mounting one-day reports fall on Mondays and Fridays more often than ordinary illness does."""
TOUCHES_HOLIDAY = {"illness": 1.25, "staged": 1.8, "leave": 6.0, "holiday": 30.0, "truancy": 1.3}


def _by_state(values: dict[State, float], base: float = 0.0) -> Floats:
    table = np.full(STATES + 1, base)
    for state, value in values.items():
        table[state] = value
    return table


def _staged_rates(scene: Scene) -> Floats:
    """Extra one-day illness starts per school day, by state (last entry: not there)."""
    one, two, three = rates_of(scene.school.sector).staged_sick_starts
    table = _by_state({State.SICK_RISE: 0.9 * two, State.AFTER: two})
    for helped in (0, 3):
        table[State.MOUNTING_1 + helped : State.MOUNTING_1 + helped + 3] = (one, two, three)
        table[State.TRUANCY_1 + helped : State.TRUANCY_1 + helped + 3] = (0, 0.4 * one, one)
        table[State.GAP_1 + helped : State.GAP_1 + helped + 3] = (0.5 * one, 0.6 * two, 0.8 * three)
    return table


def _truant_rates(sector: Sector) -> Floats:
    """Extra truant days per school day, by state."""
    table = _by_state({State.TRUANT_RISE: 0.08, State.AFTER: 0.01, State.MOUNTING_3: 0.01})
    for helped in (0, 3):
        table[State.TRUANCY_1 + helped : State.TRUANCY_1 + helped + 3] = (0.035, 0.11, 0.24)
        table[State.GAP_3 + helped] = 0.03
    return table if sector is Sector.VO else table * 0.3


LATE_FACTOR = _by_state(
    {
        State.TRUANT_RISE: 1.7,
        State.TRUANCY_1: 1.4,
        State.TRUANCY_2: 2.0,
        State.TRUANCY_3: 2.4,
        State.TRUANCY_1_HELPED: 1.4,
        State.TRUANCY_2_HELPED: 2.0,
        State.TRUANCY_3_HELPED: 2.4,
        State.SICK_RISE: 1.2,
        State.MOUNTING_2: 1.2,
        State.MOUNTING_3: 1.6,
        State.MOUNTING_2_HELPED: 1.2,
        State.MOUNTING_3_HELPED: 1.6,
        State.GAP_2: 1.2,
        State.GAP_3: 1.4,
    },
    base=1.0,
)
VISIT_FACTOR = _by_state(
    {
        State.SICK_RISE: 1.5,
        State.MOUNTING_1: 1.3,
        State.MOUNTING_2: 1.8,
        State.MOUNTING_3: 2.2,
        State.MOUNTING_1_HELPED: 1.4,
        State.MOUNTING_2_HELPED: 2.0,
        State.MOUNTING_3_HELPED: 2.4,
        State.SUPPORTED: 1.4,
        State.GAP_2: 1.5,
        State.GAP_3: 1.6,
    },
    base=1.0,
)


def ordinary_absence(scene: Scene, rng: np.random.Generator) -> list[Pieces]:
    """Everything outside runs, in the order in which it wins a day."""
    parts = [
        _suspensions(scene, rng),
        _days_off(scene, "leave", rng),
        _days_off(scene, "holiday", rng),
        _illness(scene, rng),
        _staged_illness(scene, rng),
        _visits(scene, rng),
        _truancy(scene, rng),
        _lateness(scene, rng),
    ]
    if scene.school.sector is Sector.VO:
        parts += [_sent_out(scene, rng), _books_forgotten(scene, rng)]
    return parts


def _happens(scene: Scene, chance: Floats, rng: np.random.Generator) -> tuple[Ints, Ints]:
    """Pupil and day where an event of daily `chance` happens, among planned days outside runs."""
    away = (scene.state >= State.AWAY_1) & (scene.state <= State.AWAY_LONG)
    chance = np.where((scene.slots > 0) & ~away, chance, 0.0)
    pupil, day = np.nonzero(rng.random(scene.shape, dtype=np.float32) < chance)
    return pupil, day


def _over_days(
    scene: Scene, pupil: Ints, day: Ints, length: Ints, kind: AbsenceKind
) -> tuple[Pieces, NDArray[np.bool_]]:
    """Spells of `length` school days from `day`; also: is the piece the first of its spell?"""
    spell = np.repeat(np.arange(len(pupil)), length)
    offset = np.arange(len(spell)) - np.repeat(np.cumsum(length) - length, length)
    days = day[spell] + offset
    inside = days < scene.shape[1]
    spell, days, offset = spell[inside], days[inside], offset[inside]
    inside = scene.slots[pupil[spell], days] > 0
    spell, days, offset = spell[inside], days[inside], offset[inside]
    return make_pieces(scene, pupil[spell], days, kind, spell=spell), offset == 0


def _illness(scene: Scene, rng: np.random.Generator) -> Pieces:
    rates, time = rates_of(scene.school.sector), scene.time
    by_day = time.illness * np.where(time.touches_holiday, TOUCHES_HOLIDAY["illness"], 1.0)
    chance = (
        rates.sick_starts_a_year / SCHOOL_DAYS_A_YEAR * scene.school.habits.illness
    ) * scene.proneness.illness[:, scene.year]
    pupil, day = _happens(scene, chance * by_day * _young_age(scene), rng)
    length = 1 + rng.poisson(rng.exponential(rates.further_sick_days, len(pupil)))
    long = rng.random(len(pupil)) < rates.long_illness_share
    length = np.where(long, 8 + rng.exponential(12.0, len(pupil)), length).astype(np.int64)
    length = np.minimum(length, number.LONGEST_ORDINARY_ILLNESS)
    pieces, is_first = _over_days(scene, pupil, day, length, AbsenceKind.SICK)
    return _home_during_first_day(pieces, is_first, rates.partial_first_day, rng)


def _young_age(scene: Scene) -> Floats:
    """The youngest in primary schools are ill somewhat more often."""
    if scene.school.sector is not Sector.PO:
        return np.ones((1, 1))
    group = scene.pupils.cohort[:, None] + scene.year[None, :]
    return np.where(group <= 2, 1.2, 0.96)


def _home_during_first_day(
    pieces: Pieces,
    is_first: NDArray[np.bool_],
    share: float,
    rng: np.random.Generator,
) -> Pieces:
    """Some fall ill during the day: the first day starts later than its first slot."""
    goes_home = is_first & (rng.random(len(pieces)) < share) & (pieces.last > 0)
    later = 1 + (rng.random(len(pieces)) * pieces.last).astype(np.int64)
    first = np.where(goes_home, np.minimum(later, pieces.last), pieces.first)
    return replace(pieces, first=first)


def _staged_illness(scene: Scene, rng: np.random.Generator) -> Pieces:
    """Mounting reports of one day, now and then two; the same in a temporary rise."""
    by_day = np.array(STAGED_WEEKDAY)[scene.time.weekday] * np.where(
        scene.time.touches_holiday, TOUCHES_HOLIDAY["staged"], 1.0
    )
    pupil, day = _happens(scene, _staged_rates(scene)[scene.state] * by_day, rng)
    length = 1 + (rng.random(len(pupil)) < 0.25).astype(np.int64)
    pieces, is_first = _over_days(scene, pupil, day, length, AbsenceKind.SICK)
    share = 1.5 * rates_of(scene.school.sector).partial_first_day
    return _home_during_first_day(pieces, is_first, share, rng)


def _visits(scene: Scene, rng: np.random.Generator) -> Pieces:
    """Doctor, dentist, therapist: a half-day or one or two lessons."""
    rates = rates_of(scene.school.sector)
    chance = rates.medical_visits_a_year / SCHOOL_DAYS_A_YEAR * VISIT_FACTOR[scene.state]
    pupil, day = _happens(scene, chance, rng)
    first = (rng.random(len(pupil)) * scene.slots[pupil, day]).astype(np.int64)
    last = first + (rng.random(len(pupil)) < 0.5 if scene.school.sector is Sector.VO else 0)
    return make_pieces(scene, pupil, day, AbsenceKind.MEDICAL_VISIT, first, last)


def _days_off(scene: Scene, which: str, rng: np.random.Generator) -> Pieces:
    """Granted leave, or a holiday nobody granted: mostly next to the holidays."""
    rates = rates_of(scene.school.sector)
    is_leave = which == "leave"
    yearly = rates.leaves_a_year if is_leave else rates.holidays_taken_a_year
    edge = TOUCHES_HOLIDAY[which]
    touching = scene.time.touches_holiday
    by_day = np.where(touching, edge, 1.0)
    by_day = by_day / by_day.mean()
    chance = np.broadcast_to(yearly / SCHOOL_DAYS_A_YEAR * by_day, scene.shape)
    pupil, day = _happens(scene, chance, rng)
    length = 1 + rng.poisson(0.4 if is_leave else 1.0, len(pupil))
    kind = AbsenceKind.LEAVE if is_leave else AbsenceKind.UNAUTHORISED_HOLIDAY
    return _over_days(scene, pupil, day, np.minimum(length, 5), kind)[0]


def _suspensions(scene: Scene, rng: np.random.Generator) -> Pieces:
    """One to three days; more often on the road of truancy."""
    factor = np.where((scene.state >= State.TRUANCY_1) & (scene.state < State.SUPPORTED), 5.0, 1.0)
    yearly = rates_of(scene.school.sector).suspensions_a_year
    pupil, day = _happens(scene, yearly / SCHOOL_DAYS_A_YEAR * factor, rng)
    length = rng.integers(1, 4, len(pupil))
    return _over_days(scene, pupil, day, length, AbsenceKind.SUSPENSION)[0]


def _truancy(scene: Scene, rng: np.random.Generator) -> Pieces:
    """Lessons without a valid reason: first or last hours, later on half and whole days."""
    yearly = rates_of(scene.school.sector).truant_days_a_year
    ordinary = yearly / SCHOOL_DAYS_A_YEAR * scene.proneness.truancy[:, None]
    by_day = np.where(scene.time.touches_holiday, TOUCHES_HOLIDAY["truancy"], 1.0)
    extra = _truant_rates(scene.school.sector)[scene.state]
    pupil, day = _happens(scene, np.minimum(ordinary + extra, 0.5) * by_day, rng)
    slots, state = scene.slots[pupil, day].astype(np.int64), scene.state[pupil, day]
    on_road = (state >= State.TRUANCY_1) & (state < State.SUPPORTED)
    stage = np.where(on_road, (state - State.TRUANCY_1) % 3, 0)
    whole = rng.random(len(pupil)) < np.array([0.06, 0.2, 0.45])[stage]
    length = np.where(whole, slots, rng.integers(1, 4, len(pupil)))
    where = rng.random(len(pupil))
    middle = (rng.random(len(pupil)) * slots).astype(np.int64)
    first = np.where(where < 0.45, 0, np.where(where < 0.8, np.maximum(slots - length, 0), middle))
    first = np.where(whole, 0, first)
    return make_pieces(scene, pupil, day, AbsenceKind.UNAUTHORISED, first, first + length - 1)


def _lateness(scene: Scene, rng: np.random.Generator) -> Pieces:
    """Late for one slot, mostly the first of the day."""
    yearly = rates_of(scene.school.sector).late_a_year * scene.school.habits.lateness
    prone = np.minimum(scene.proneness.lateness, 8.0)[:, None]
    chance = yearly / SCHOOL_DAYS_A_YEAR * prone * LATE_FACTOR[scene.state]
    pupil, day = _happens(scene, np.minimum(chance, 0.6), rng)
    any_slot = (rng.random(len(pupil)) * scene.slots[pupil, day]).astype(np.int64)
    slot = np.where(rng.random(len(pupil)) < 0.62, 0, any_slot)
    return make_pieces(scene, pupil, day, AbsenceKind.LATE_ARRIVAL, slot, slot)


def _sent_out(scene: Scene, rng: np.random.Generator) -> Pieces:
    yearly = rates_of(scene.school.sector).sent_out_a_year
    prone = np.where(scene.proneness.truant, 2.0, 0.45)[:, None]
    chance = yearly / SCHOOL_DAYS_A_YEAR * prone * LATE_FACTOR[scene.state]
    pupil, day = _happens(scene, chance, rng)
    slot = (rng.random(len(pupil)) * scene.slots[pupil, day]).astype(np.int64)
    return make_pieces(scene, pupil, day, AbsenceKind.SENT_OUT, slot, slot)


def _books_forgotten(scene: Scene, rng: np.random.Generator) -> Pieces:
    """Not absence at all, yet in the same export where a school has a code for it."""
    yearly = 0.6 if scene.school.habits.code_scheme == "letters" else 0.0
    pupil, day = _happens(scene, np.full(scene.shape, yearly / SCHOOL_DAYS_A_YEAR), rng)
    slot = (rng.random(len(pupil)) * scene.slots[pupil, day]).astype(np.int64)
    return make_pieces(scene, pupil, day, AbsenceKind.NOT_ABSENCE, slot, slot)


def all_absence(scene: Scene, runs: Pieces, rng: np.random.Generator) -> tuple[Pieces, Pieces]:
    """Ordinary pieces that count time, without overlap with `runs`; and those that do not."""
    parts = without_overlap([runs, *ordinary_absence(scene, rng)], scene.shape)
    timed = join(parts[1:8])
    untimed = join(parts[8:])
    return timed, untimed
