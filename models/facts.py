"""What stands out in the days of a pupil; every figure in a sentence is counted from records."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from features.absence.measures import FlaggedDays, flagged_days
from features.catalogue import feature
from features.vocabulary import ABSENT_KINDS, UNAUTHORISED_KINDS, AbsenceKind, Theme
from models.evidence import (
    Days,
    Evidence,
    Flags,
    Numbers,
    PupilRecords,
    absence_evidence,
    count_evidence,
    run_evidence,
)

FEWEST_CLASSMATES = 10
MOST_WEEKS = 40
SMALLEST_STRENGTH = 0.5
"""Under half of a norm a fact is a trifle, and no reason."""
PREVIOUS_YEAR_NORM = 15
"""Days absent in a school year, out of about 190, that stand out."""


@dataclass(frozen=True)
class Fact:
    """One thing that stands out, with the records that show it.

    `strength` is the quantity relative to a customary norm: 1 is where schools begin to act. Facts
    of one `family` say nearly the same, so that one of them is enough.
    """

    family: str
    strength: float
    sentence: str
    evidence: tuple[Evidence, ...]
    comparison: str = ""


@dataclass(frozen=True)
class Measure:
    """A feature of the catalogue, counted again from the days of a pupil and the classmates.

    `value` gives one number per pupil (NaN without planned time); `days` the days under it. Under
    `least` times the norm it is too little to mention.
    """

    feature: str
    family: str
    norm: float
    value: Callable[[Days], Numbers]
    days: Callable[[Days], Flags]
    evidence: Callable[[PupilRecords, Flags], tuple[Evidence, ...]]
    other: Callable[[Days], Numbers] | None = None
    least: float = SMALLEST_STRENGTH

    def fact(self, records: PupilRecords) -> Fact | None:
        """The fact about the pupil; None when there is nothing or no record under it."""
        values = self.value(records.days)
        value = float(values[0])
        if math.isnan(value) or value < self.least * self.norm:
            return None
        evidence = self.evidence(records, self.days(records.days)[0])
        if not evidence:
            return None
        other = math.nan if self.other is None else float(self.other(records.days)[0])
        sentence = feature(self.feature).sentence(value, other)
        if self.other is not None and math.isnan(other):
            sentence = sentence.split(";")[0].rstrip(".") + "."
        beside = comparison(values, feature(self.feature).label_nl)
        return Fact(self.family, value / self.norm, sentence, evidence, beside)


def comparison(values: Numbers, label: str) -> str:
    """How many classmates the pupil (the first value) exceeds; empty when it is not most of them.

    Hidden under ten classmates, about whom it would say too much.

    >>> comparison(np.array([6.0, *[1.0] * 22, *[6.0] * 4]), "Dagen afwezig")
    'Dagen afwezig: meer dan 22 van de 26 klasgenoten.'
    >>> [comparison(np.array([pupil] + [0.0] * others), "") for pupil, others in ((6, 9), (0, 20))]
    ['', '']
    """
    others = values[1:][~np.isnan(values[1:])]
    below = int((others < values[0]).sum())
    if len(others) < FEWEST_CLASSMATES or 2 * below <= len(others):
        return ""
    return f"{label}: meer dan {below} van de {len(others)} klasgenoten."


def _inside(days: Days, window: slice) -> Flags:
    inside = np.zeros(days.planned.shape, np.bool_)
    inside[:, window] = True
    return inside


def _known(days: Days, window: slice, values: NDArray[np.generic]) -> Numbers:
    has_time = days.counted[:, window].any(axis=1)
    return np.where(has_time, values.astype(np.float64), np.nan)


def _sum(
    quantity: Callable[[Days], NDArray[np.generic]], window: Callable[[Days], slice]
) -> Callable[[Days], Numbers]:
    def value(days: Days) -> Numbers:
        chosen = window(days)
        return _known(days, chosen, quantity(days)[:, chosen].sum(axis=1, dtype=np.int64))

    return value


def _flagged(
    flag: Callable[[Days], Flags], window: Callable[[Days], slice]
) -> Callable[[Days], Flags]:
    return lambda days: flag(days) & _inside(days, window(days))


def _last(weeks: int, skip: int = 0) -> Callable[[Days], slice]:
    return lambda days: days.last_weeks(weeks, skip)


def _is_absent(days: Days) -> Flags:
    return days.is_absent


def _some_absence(days: Days) -> Flags:
    return np.asarray(days.absent > 0)


def _part_day(days: Days) -> Flags:
    return _some_absence(days) & ~days.is_absent


def _sick(days: Days) -> Flags:
    return np.asarray(days.minutes[AbsenceKind.SICK] > 0)


def _unauthorised_hours(days: Days) -> Numbers:
    return _sum(lambda d: d.unauthorised, _last(4))(days) / 60


def _days_in_window(days: Days, window: slice, flag: Flags) -> FlaggedDays:
    number = np.arange(days.planned.shape[1], dtype=np.int64)[window]
    return flagged_days(days.counted[:, window].T, flag[:, window].T, number)


def _sick_episodes(days: Days) -> Numbers:
    window = days.last_weeks(12)
    return _known(days, window, _days_in_window(days, window, _sick(days)).episodes())


def _current_run(days: Days) -> Numbers:
    window = days.last_weeks(MOST_WEEKS)
    return _known(days, window, _days_in_window(days, window, _some_absence(days)).current_run())


def _current_run_days(days: Days) -> Flags:
    flags = np.zeros(days.planned.shape, np.bool_)
    length = _current_run(days)[0]
    counted = np.flatnonzero(days.counted[0])
    if length > 0:
        flags[0, counted[-int(length) :]] = True
    return flags


def _single(days: Days) -> Flags:
    window = days.last_weeks(12)
    flags = np.zeros(days.planned.shape, np.bool_)
    single = _days_in_window(days, window, days.is_absent).single()
    flags[single.pupil, single.day] = True
    return flags


def _edge(days: Days) -> Flags:
    school = days.weeks.school_days[: days.planned.shape[1] + 1]
    free_before = np.r_[True, ~school[:-1]][: days.planned.shape[1]]
    free_after = ~np.r_[school, True][1 : days.planned.shape[1] + 1]
    return np.asarray(_single(days) & (free_before | free_after))


def _weekday_share(days: Days) -> Numbers:
    window = days.last_weeks(12)
    return _days_in_window(days, window, _some_absence(days)).weekday_concentration()


def _longest_run_previous_year(days: Days) -> Numbers:
    window = days.previous_year()
    return _known(days, window, _days_in_window(days, window, days.is_absent).longest_run())


def _previous_year_run_days(days: Days) -> Flags:
    """The days of the longest run; of equal ones the first."""
    flags = np.zeros(days.planned.shape, np.bool_)
    window = days.previous_year()
    counted = np.flatnonzero(days.counted[0, window]) + window.start
    length, best = int(np.nan_to_num(_longest_run_previous_year(days)[0])), 0
    for at, day in enumerate(counted):
        best = best + 1 if days.is_absent[0, day] else 0
        if length and best == length:
            flags[0, counted[at + 1 - length : at + 1]] = True
            break
    return flags


def _all_kinds(records: PupilRecords, chosen: Flags) -> tuple[Evidence, ...]:
    return absence_evidence(records, chosen, ABSENT_KINDS)


def _sick_only(records: PupilRecords, chosen: Flags) -> tuple[Evidence, ...]:
    return absence_evidence(records, chosen, {AbsenceKind.SICK})


def _unauthorised_only(records: PupilRecords, chosen: Flags) -> tuple[Evidence, ...]:
    return absence_evidence(records, chosen, UNAUTHORISED_KINDS)


def _late(records: PupilRecords, chosen: Flags) -> tuple[Evidence, ...]:
    return count_evidence(records, chosen, AbsenceKind.LATE_ARRIVAL)


def _sent_out(records: PupilRecords, chosen: Flags) -> tuple[Evidence, ...]:
    return count_evidence(records, chosen, AbsenceKind.SENT_OUT)


def _lateness(weeks: int, norm: float) -> Measure:
    return Measure(
        f"late_arrivals_{weeks}w",
        "late",
        norm,
        _sum(lambda days: days.late, _last(weeks)),
        _flagged(lambda days: np.asarray(days.late > 0), _last(weeks)),
        _late,
    )


def _previous_year(days: Days) -> slice:
    return days.previous_year()


# The norms are customary, not law: M@ZL (4 reports in 12 school weeks), the reporting norm of 16
# hours halved, letters to parents at 3 late arrivals in 4 weeks, a tenth of the days.
MEASURES: Mapping[Theme, tuple[Measure, ...]] = {
    Theme.ABSENCE: (
        Measure(
            "absent_days_4w",
            "days",
            3,
            _sum(_is_absent, _last(4)),
            _flagged(_is_absent, _last(12)),
            _all_kinds,
            _sum(_is_absent, _last(8, skip=4)),
            least=1 / 3,
        ),
        Measure("current_run_days", "days", 3, _current_run, _current_run_days, _all_kinds),
        Measure(
            "unauthorised_hours_4w",
            "hours",
            8,
            _unauthorised_hours,
            _flagged(lambda days: np.asarray(days.unauthorised > 0), _last(4)),
            _unauthorised_only,
        ),
        Measure(
            "sick_episodes_12w",
            "sick",
            4,
            _sick_episodes,
            _flagged(_sick, _last(12)),
            _sick_only,
        ),
        Measure(
            "absent_days_12w",
            "days",
            9,
            _sum(_is_absent, _last(12)),
            _flagged(_is_absent, _last(12)),
            _all_kinds,
        ),
        Measure(
            "part_days_12w",
            "parts",
            6,
            _sum(_part_day, _last(12)),
            _flagged(_part_day, _last(12)),
            _all_kinds,
        ),
    ),
    Theme.PATTERN: (
        _lateness(4, 3),
        _lateness(12, 6),
        Measure(
            "sent_out_12w",
            "sent out",
            3,
            _sum(lambda days: days.sent_out, _last(12)),
            _flagged(lambda days: np.asarray(days.sent_out > 0), _last(12)),
            _sent_out,
        ),
        Measure("edge_absences_12w", "single", 3, _sum(_edge, _last(12)), _edge, _all_kinds),
        Measure("one_day_absences_12w", "single", 4, _sum(_single, _last(12)), _single, _all_kinds),
        Measure(
            "weekday_concentration_12w",
            "weekday",
            0.6,
            _weekday_share,
            _flagged(_some_absence, _last(12)),
            _all_kinds,
            least=1.0,  # every pupil has some weekday with more than the others
        ),
    ),
    Theme.EARLIER: (
        Measure(
            "longest_run_previous_year",
            "days",
            7,
            _longest_run_previous_year,
            _previous_year_run_days,
            run_evidence,
        ),
        Measure(
            "late_arrivals_previous_year",
            "late",
            15,
            _sum(lambda days: days.late, _previous_year),
            _flagged(lambda days: np.asarray(days.late > 0), _previous_year),
            _late,
        ),
    ),
}


def absence_facts(records: PupilRecords, theme: Theme) -> list[Fact]:
    """The facts of a theme that rests on days of absence or lateness."""
    found = (measure.fact(records) for measure in MEASURES[theme])
    return [fact for fact in found if fact is not None]


def earlier_facts(records: PupilRecords) -> list[Fact]:
    """What the school year before came to; the days of it are given per run."""
    facts = absence_facts(records, Theme.EARLIER)
    values = _sum(_is_absent, _previous_year)(records.days)
    if values[0] >= SMALLEST_STRENGTH * PREVIOUS_YEAR_NORM:
        chosen = _flagged(_is_absent, _previous_year)(records.days)[0]
        number = int(values[0])
        sentence = f"Vorig schooljaar {number} {'dag' if number == 1 else 'dagen'} afwezig."
        evidence = run_evidence(records, chosen)
        beside = comparison(values, "Dagen afwezig, vorig schooljaar")
        facts.append(Fact("days", number / PREVIOUS_YEAR_NORM, sentence, evidence, beside))
    return facts
