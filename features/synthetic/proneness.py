"""How prone each pupil is to illness, truancy and lateness, and what that does to the chain."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from features.synthetic import parameters as number
from features.synthetic.region import Floats, Ints, RegionTime
from features.synthetic.risk_process import ENTRIES
from features.vocabulary import Sector

FRAILTIES = len(number.FRAILTY_ENTRY)
CLASSES_PER_COHORT = FRAILTIES * 2
TRUANCY_BY_YEAR = (0.4, 0.8, 1.2, 1.4, 1.2, 1.0)
FIRST_YEAR_OF_SECONDARY = 1.4
LATER_YEARS_OF_SECONDARY = 0.92


@dataclass(frozen=True)
class Proneness:
    """Factors with mean one, per pupil; `illness` per school year too, so that years resemble.

    `frailty` (0 low to 2 high) and `truant` are the parts that the risk process knows.
    """

    illness: Floats
    truancy: Floats
    lateness: Floats
    frailty: Ints
    truant: NDArray[np.bool_]


def draw_proneness(
    pupils: int, school_years: int, sector: Sector, rng: np.random.Generator
) -> Proneness:
    """Draw what is lasting and what belongs to one year."""
    rates = number.rates_of(sector)
    lasting = rng.gamma(rates.sick_lasting_shape, 1.0 / rates.sick_lasting_shape, pupils)
    spread = rates.sick_yearly_spread
    yearly = np.exp(rng.normal(-(spread**2) / 2, spread, (pupils, school_years)))
    order = (np.argsort(np.argsort(lasting)) + 0.5) / pupils
    frailty = np.searchsorted(number.FRAILTY_BORDERS, order)
    truant = rng.random(pupils) < (number.PRONE_TO_TRUANCY if sector is Sector.VO else 0.05)
    truancy = np.where(truant, rng.gamma(0.8, 1.0 / 0.8, pupils) / truant.mean().clip(0.01), 0.02)
    lateness = rng.gamma(0.7, 1.0 / 0.7, pupils) * np.where(truant, 1.6, 0.8)
    return Proneness(lasting[:, None] * yearly, truancy, lateness, frailty.astype(np.int64), truant)


def class_of(cohort: Ints, lowest_cohort: int, proneness: Proneness) -> Ints:
    """The class of each pupil in the tables of `entry_weights`."""
    within = proneness.frailty * 2 + proneness.truant
    return (cohort - lowest_cohort) * CLASSES_PER_COHORT + within


def entry_weights(
    time: RegionTime, sector: Sector, lowest_cohort: int, highest_cohort: int
) -> Floats:
    """`weights[class, week, entry]` of the risk process, for all weeks the region knows.

    A cohort is named by its year group in the first school year; it moves up each August.
    """
    cohorts = np.arange(lowest_cohort, highest_cohort + 1)
    months = time.mondays.astype("datetime64[M]").astype(np.int64)
    # A week belongs to the school year of its Friday's August; Mondays in July's end are holidays.
    year_group = cohorts[:, None] + (1970 + (months - 7) // 12 - time.first_year)[None, :]
    begin = np.broadcast_to(time.road_begins, year_group.shape)
    mounting, truancy = np.ones(year_group.shape), np.ones(year_group.shape)
    if sector is Sector.VO:
        mounting = np.where(year_group <= 1, FIRST_YEAR_OF_SECONDARY, LATER_YEARS_OF_SECONDARY)
        truancy = np.array(TRUANCY_BY_YEAR)[np.clip(year_group, 1, 6) - 1]
    frailty = np.repeat(number.FRAILTY_ENTRY, 2)
    truant = np.tile((number.TRUANCY_ENTRY_OTHER, number.TRUANCY_ENTRY_PRONE), FRAILTIES)
    weights = np.ones((len(cohorts), CLASSES_PER_COHORT, len(time.mondays), len(ENTRIES)))
    weights[..., 0] = frailty[None, :, None] * begin[:, None, :]
    weights[..., 1] = frailty[None, :, None] * (begin * mounting)[:, None, :]
    weights[..., 2] = truant[None, :, None] * truancy[:, None, :]
    weights[..., 3] = truant[None, :, None] * truancy[:, None, :]
    return weights.reshape(-1, len(time.mondays), len(ENTRIES))
