"""The numbers of the invented region, each with its source in experiments/decisions/0003.

Rates are per school week or per school day as their names say; a school year has about 39 school
weeks and 190 school days. Where the public facts give no number it is invented, and 0003 says so.
"""

from dataclasses import dataclass

from features.vocabulary import Sector

SCHOOL_WEEKS_A_YEAR = 39
SCHOOL_DAYS_A_YEAR = 190
HORIZON_WEEKS = 8
RUN_DAYS = 20
RUN_SHARE = 0.8
LONGEST_ORDINARY_ILLNESS = 12
"""School days. Ordinary illness never makes a run: onsets come from the risk process only."""


@dataclass(frozen=True)
class Stage:
    """What may happen in one school week in one stage of a road to prolonged absence."""

    onward: float
    back: float
    recover: float
    help_comes: float


MOUNTING_STAGES = (
    Stage(onward=0.075, back=0.0, recover=0.075, help_comes=0.02),
    Stage(onward=0.085, back=0.03, recover=0.04, help_comes=0.05),
    Stage(onward=0.060, back=0.05, recover=0.03, help_comes=0.08),
)
TRUANCY_STAGES = (
    Stage(onward=0.060, back=0.0, recover=0.060, help_comes=0.02),
    Stage(onward=0.070, back=0.04, recover=0.03, help_comes=0.05),
    Stage(onward=0.050, back=0.06, recover=0.03, help_comes=0.08),
)
GAP_STAGES = (
    Stage(onward=0.060, back=0.0, recover=0.060, help_comes=0.04),
    Stage(onward=0.060, back=0.04, recover=0.04, help_comes=0.05),
    Stage(onward=0.060, back=0.05, recover=0.03, help_comes=0.06),
)
HELP_SLOWS_ONWARD = 0.75
HELP_SPEEDS_RECOVERY = 1.25
RISE_ENDS = 0.14
"""A temporary rise goes back by itself after seven school weeks on average."""
SUPPORT_LAPSES = 0.009
SUPPORT_NO_LONGER_NEEDED = 0.010
AWAY_RETURNS_EARLY = 0.05
AWAY_BECOMES_LONG = 0.08
AWAY_RETURNS_LATE = 0.015
EXEMPTION_FROM_LONG_AWAY = 0.006
AFTER_SETTLES = 0.04
AFTER_RELAPSES = 0.004

FRAILTY_BORDERS = (0.5, 0.85)
"""Quantiles of a pupil's lasting proneness to illness that divide low, middle and high."""
FRAILTY_ENTRY = (0.6, 1.0, 2.3)
PRONE_TO_TRUANCY = 0.35
TRUANCY_ENTRY_PRONE, TRUANCY_ENTRY_OTHER = 2.2, 0.35
AFTER_LONG_HOLIDAY = 1.5
"""Roads begin more often in the first three school weeks after the summer."""


@dataclass(frozen=True)
class SectorRates:
    """What differs between primary (PO) and secondary (VO) schools."""

    enter_sick_rise: float
    enter_mounting: float
    enter_truant_rise: float
    enter_truancy: float
    enter_support: float
    sudden: float
    sick_starts_a_year: float
    sick_lasting_shape: float
    sick_yearly_spread: float
    further_sick_days: float
    long_illness_share: float
    partial_first_day: float
    medical_visits_a_year: float
    leaves_a_year: float
    holidays_taken_a_year: float
    truant_days_a_year: float
    late_a_year: float
    sent_out_a_year: float
    suspensions_a_year: float
    staged_sick_starts: tuple[float, float, float]
    moves_a_year: float


PRIMARY = SectorRates(
    enter_sick_rise=0.0040,
    enter_mounting=0.00058,
    enter_truant_rise=0.0,
    enter_truancy=0.0,
    enter_support=0.0007,
    sudden=4.2e-5,
    sick_starts_a_year=1.33,
    sick_lasting_shape=8.0,
    sick_yearly_spread=0.25,
    further_sick_days=0.8,
    long_illness_share=0.012,
    partial_first_day=0.12,
    medical_visits_a_year=0.30,
    leaves_a_year=0.17,
    holidays_taken_a_year=0.03,
    truant_days_a_year=0.02,
    late_a_year=1.6,
    sent_out_a_year=0.0,
    suspensions_a_year=0.0004,
    staged_sick_starts=(0.010, 0.030, 0.075),
    moves_a_year=0.022,
)
SECONDARY = SectorRates(
    enter_sick_rise=0.0060,
    enter_mounting=0.00080,
    enter_truant_rise=0.0040,
    enter_truancy=0.00115,
    enter_support=0.0007,
    sudden=9.0e-5,
    sick_starts_a_year=4.5,
    sick_lasting_shape=0.9,
    sick_yearly_spread=0.20,
    further_sick_days=0.7,
    long_illness_share=0.010,
    partial_first_day=0.30,
    medical_visits_a_year=3.2,
    leaves_a_year=0.8,
    holidays_taken_a_year=0.03,
    truant_days_a_year=2.6,
    late_a_year=15.0,
    sent_out_a_year=1.2,
    suspensions_a_year=0.006,
    staged_sick_starts=(0.014, 0.040, 0.085),
    moves_a_year=0.025,
)


def rates_of(sector: Sector) -> SectorRates:
    """The rates of `sector`; the region has only PO and VO."""
    return PRIMARY if sector is Sector.PO else SECONDARY
