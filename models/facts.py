"""What stands out in the days of a pupil; every figure in a sentence is counted from records."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np

from features.catalogue import feature
from features.vocabulary import ABSENT_KINDS, UNAUTHORISED_KINDS, AbsenceKind, Theme
from models import quantities as q
from models.evidence import (
    Days,
    Evidence,
    Flags,
    Numbers,
    PupilRecords,
    Quantity,
    absence_evidence,
    count_evidence,
    dutch_date,
    month_evidence,
    run_evidence,
)

FEWEST_CLASSMATES = 10
SMALLEST_STRENGTH = 0.5
"""Under half of a norm a fact is a trifle, and not told."""
ALONE_FROM = 0.75
"""Under this part of a norm a fact is told beside another one only: two single days absent in four
school weeks are nothing to call a family about (decision 0008)."""
PREVIOUS_YEAR_NORM = 15
"""Days absent in a school year, out of about 190, that stand out."""
LONG_WINDOW = 12
"""From so many school weeks on a sentence says since when: nobody counts back over a holiday."""
FEWEST_ON_WEEKDAY = 4
DAYS_OF_PREVIOUS_YEAR = q.total(q.is_absent, q.previous_year)
_WEEKDAYS = ("maandag", "dinsdag", "woensdag", "donderdag", "vrijdag", "zaterdag", "zondag")


@dataclass(frozen=True)
class Fact:
    """One thing that stands out, with the records that show it.

    `strength` is the quantity relative to a customary norm: 1 is where schools begin to act. Facts
    of one `family` say nearly the same, so that one of them is enough. What does not stand `alone`
    is told beside another fact, and is never all there is to say about a pupil. `days` are those
    that the figure was counted from and the evidence names.
    """

    family: str
    strength: float
    sentence: str
    evidence: tuple[Evidence, ...]
    comparison: str = ""
    alone: bool = True
    days: tuple[date, ...] = ()


@dataclass(frozen=True)
class Standing:
    """What stands out, before there are words for it: `tell` finds these, and the records.

    Most of it is never told, and finding dates and words takes far longer than counting.
    """

    family: str
    strength: float
    alone: bool
    tell: Callable[[], Fact | None]

    @classmethod
    def of(cls, fact: Fact) -> "Standing":
        """What has its words already."""
        return cls(fact.family, fact.strength, fact.alone, lambda: fact)


@dataclass(frozen=True)
class Measure:
    """A feature of the catalogue, counted again from the days of a pupil and the classmates.

    `value` gives one number per pupil (NaN without planned time); `days` the days under it;
    `before` the same quantity over the `weeks_before` school weeks before the window. Under
    `least` times the norm it is too little to mention. Without `alone` its fact never stands alone.
    """

    feature: str
    family: str
    norm: float
    value: Quantity
    days: Callable[[Days], Flags]
    evidence: Callable[[PupilRecords, Flags], tuple[Evidence, ...]]
    before: Quantity | None = None
    weeks_before: int = 0
    least: float = SMALLEST_STRENGTH
    alone: bool = True
    said: Callable[[PupilRecords], str] | None = None

    @property
    def smallest(self) -> np.float32:
        """The smallest value worth telling, in the precision of a feature."""
        return np.float32(self.least * self.norm)

    @property
    def smallest_alone(self) -> np.float32:
        """The smallest value that is a reason by itself; infinite when no value is."""
        return np.float32(max(self.least, ALONE_FROM) * self.norm if self.alone else np.inf)

    def standing(self, records: PupilRecords) -> Standing | None:
        """What stands out about the pupil; None when nothing does."""
        value = float(records.figures(self.value)[0])
        if math.isnan(value) or np.float32(value) < self.smallest:
            return None
        alone = bool(np.float32(value) >= self.smallest_alone)
        return Standing(self.family, value / self.norm, alone, lambda: self._fact(records))

    def _fact(self, records: PupilRecords) -> Fact | None:
        """The fact about the pupil; None when there is no record under it."""
        values = records.figures(self.value)
        value = float(values[0])
        chosen = self.days(records.own)[0]
        evidence = self.evidence(records, chosen)
        sentence = self._sentence(records, value)
        if not evidence or not sentence:
            return None
        beside = comparison(values, feature(self.feature).label_nl)
        alone = bool(np.float32(value) >= self.smallest_alone)
        strength, days = value / self.norm, _dates(records, chosen)
        return Fact(self.family, strength, sentence, evidence, beside, alone, days)

    def _sentence(self, records: PupilRecords, value: float) -> str:
        if self.said is not None:
            return self.said(records)
        defined = feature(self.feature)
        before = self._before(records)
        sentence = defined.sentence(value, before)
        if defined.other is not None and math.isnan(before):
            sentence = sentence.split(";")[0].rstrip(".") + "."
        if defined.window is not None and defined.window >= LONG_WINDOW:
            sentence = _with_start(sentence, records, defined.window)
        if defined.other is None and not math.isnan(before):
            earlier = f"in de {self.weeks_before} schoolweken daarvoor {defined.figure(before)}"
            sentence = f"{sentence.removesuffix('.')}; {earlier}."
        return sentence

    def _before(self, records: PupilRecords) -> float:
        """The pupil's own earlier period; NaN where the pupil was not there for half of it."""
        if self.before is None:
            return math.nan
        days = records.own
        window = days.last_weeks(self.weeks_before, skip=feature(self.feature).window or 0)
        weeks = days.counted[0, window].reshape(-1, 7).any(axis=1).sum()
        return float(self.before(days)[0]) if 2 * weeks >= self.weeks_before else math.nan


def _dates(records: PupilRecords, chosen: Flags) -> tuple[date, ...]:
    return tuple(records.own.date_of(int(number)) for number in np.flatnonzero(chosen))


def _with_start(sentence: str, records: PupilRecords, weeks: int) -> str:
    """The sentence with the first day of its window behind "de laatste 12 schoolweken"."""
    first = records.own.date_of(records.own.last_weeks(weeks).start)
    period = f"de laatste {weeks} schoolweken"
    return sentence.replace(period, f"{period} (sinds {dutch_date(first, records.as_of)})", 1)


def comparison(values: Numbers, label: str) -> str:
    """How many classmates the pupil (the first value) exceeds; empty when it is not most of them.

    Hidden under ten classmates, about whom it would say too much.

    >>> comparison(np.array([6.0, *[1.0] * 22, *[6.0] * 4]), "Dagen afwezig")
    'Dagen afwezig: meer dan 22 van de 26 klasgenoten.'
    >>> comparison(np.array([6.0, *[1.0] * 22]), "Dagen afwezig")
    'Dagen afwezig: meer dan alle 22 klasgenoten.'
    >>> [comparison(np.array([pupil] + [0.0] * others), "") for pupil, others in ((6, 9), (0, 20))]
    ['', '']
    """
    others = values[1:][~np.isnan(values[1:])]
    below = int((others < values[0]).sum())
    if len(others) < FEWEST_CLASSMATES or 2 * below <= len(others):
        return ""
    if below == len(others):
        return f"{label}: meer dan alle {below} klasgenoten."
    return f"{label}: meer dan {below} van de {len(others)} klasgenoten."


def _all_kinds(records: PupilRecords, chosen: Flags) -> tuple[Evidence, ...]:
    return absence_evidence(records, chosen, ABSENT_KINDS)


def _sick_only(records: PupilRecords, chosen: Flags) -> tuple[Evidence, ...]:
    return absence_evidence(records, chosen, {AbsenceKind.SICK})


def _unauthorised_only(records: PupilRecords, chosen: Flags) -> tuple[Evidence, ...]:
    return absence_evidence(records, chosen, UNAUTHORISED_KINDS)


def _unverified_only(records: PupilRecords, chosen: Flags) -> tuple[Evidence, ...]:
    return absence_evidence(records, chosen, {AbsenceKind.UNVERIFIED})


def _late_only(records: PupilRecords, chosen: Flags) -> tuple[Evidence, ...]:
    return count_evidence(records, chosen, AbsenceKind.LATE_ARRIVAL)


def _sent_out_only(records: PupilRecords, chosen: Flags) -> tuple[Evidence, ...]:
    return count_evidence(records, chosen, AbsenceKind.SENT_OUT)


def _late_by_month(records: PupilRecords, chosen: Flags) -> tuple[Evidence, ...]:
    return month_evidence(records, chosen, AbsenceKind.LATE_ARRIVAL)


def _late(days: Days) -> Flags:
    return np.asarray(days.late > 0)


def _sent_out(days: Days) -> Flags:
    return np.asarray(days.sent_out > 0)


def _weekday_days(days: Days) -> Flags:
    """The days with any absence of the commonest weekday of the first pupil."""
    chosen = q.flagged(q.some_absence, q.last(12))(days)
    weekday = np.arange(chosen.shape[1]) % 7
    commonest = np.bincount(weekday[chosen[0]], minlength=7).argmax()
    return np.asarray(chosen & (weekday == commonest))


def _weekday_sentence(records: PupilRecords) -> str:
    """Whole numbers instead of a share; nothing when it rests on a handful of days."""
    days = records.own
    on_weekday = np.flatnonzero(_weekday_days(days)[0])
    every = int(q.flagged(q.some_absence, q.last(12))(days)[0].sum())
    if len(on_weekday) < FEWEST_ON_WEEKDAY:
        return ""
    name = _WEEKDAYS[on_weekday[0] % 7]
    sentence = (
        f"In de laatste 12 schoolweken vielen {len(on_weekday)} van de {every} dagen met "
        f"afwezigheid op een {name}."
    )
    return _with_start(sentence, records, 12)


def _lateness(weeks: int, norm: float, weeks_before: int) -> Measure:
    return Measure(
        f"late_arrivals_{weeks}w",
        "late",
        norm,
        q.total(lambda days: days.late, q.last(weeks)),
        q.flagged(_late, q.last(weeks)),
        _late_only,
        q.total(lambda days: days.late, q.last(weeks_before, skip=weeks)),
        weeks_before,
    )


# The norms are customary, not law: M@ZL (4 reports in 12 school weeks, 7 school days on end), the
# reporting norm of 16 hours halved, letters to parents at 3 late arrivals in 4 weeks, a tenth of
# the days.
MEASURES: Mapping[Theme, tuple[Measure, ...]] = {
    Theme.ABSENCE: (
        Measure(
            "absent_days_4w",
            "days",
            3,
            q.total(q.is_absent, q.last(4)),
            q.flagged(q.is_absent, q.last(12)),
            _all_kinds,
            q.total(q.is_absent, q.last(8, skip=4)),
            8,
        ),
        Measure("current_run_days", "run", 3, q.current_run, q.current_run_days, _all_kinds),
        Measure(
            "sick_episodes_12w",
            "sick",
            4,
            q.sick_episodes(q.last(12)),
            q.flagged(q.sick, q.last(12)),
            _sick_only,
            q.sick_episodes(q.last(12, skip=12)),
            12,
        ),
        Measure(
            "absent_days_12w",
            "days",
            9,
            q.total(q.is_absent, q.last(12)),
            q.flagged(q.is_absent, q.last(12)),
            _all_kinds,
            q.total(q.is_absent, q.last(12, skip=12)),
            12,
        ),
        Measure(
            "longest_run_12w",
            "run",
            7,
            q.longest_run(q.last(12)),
            q.longest_run_days(q.last(12)),
            _all_kinds,
        ),
        Measure(
            "part_days_12w",
            "parts",
            8,
            q.total(q.part_day, q.last(12)),
            q.flagged(q.part_day, q.last(12)),
            _all_kinds,
            q.total(q.part_day, q.last(12, skip=12)),
            12,
        ),
        Measure(
            "edge_absences_12w",
            "single",
            3,
            q.total(q.edge_days(q.last(12)), q.last(12)),
            q.edge_days(q.last(12)),
            _all_kinds,
            alone=False,
        ),
        Measure(
            "one_day_absences_12w",
            "single",
            4,
            q.total(q.single_days(q.last(12)), q.last(12)),
            q.single_days(q.last(12)),
            _all_kinds,
            alone=False,
        ),
        Measure(
            "longest_run_previous_year",
            "previous year",
            7,
            q.longest_run(q.previous_year),
            q.longest_run_days(q.previous_year),
            run_evidence,
            alone=False,
        ),
    ),
    Theme.UNAUTHORISED: (
        Measure(
            "unauthorised_hours_4w",
            "hours",
            8,
            q.unauthorised_hours(q.last(4)),
            q.flagged(lambda days: np.asarray(days.unauthorised > 0), q.last(4)),
            _unauthorised_only,
            q.unauthorised_hours(q.last(8, skip=4)),
            8,
            least=0.25,
        ),
        Measure(
            "unauthorised_share_12w",
            "hours",
            0.05,
            q.share(q.unauthorised, q.last(12)),
            q.flagged(lambda days: np.asarray(days.unauthorised > 0), q.last(12)),
            _unauthorised_only,
            q.share(q.unauthorised, q.last(12, skip=12)),
            12,
        ),
        Measure(
            "unverified_share_4w",
            "unverified",
            0.05,
            q.share(q.unverified, q.last(4)),
            q.flagged(lambda days: np.asarray(q.unverified(days) > 0), q.last(4)),
            _unverified_only,
            q.share(q.unverified, q.last(8, skip=4)),
            8,
        ),
    ),
    Theme.PATTERN: (
        _lateness(4, 3, weeks_before=8),
        _lateness(12, 6, weeks_before=12),
        Measure(
            "sent_out_12w",
            "sent out",
            3,
            q.total(lambda days: days.sent_out, q.last(12)),
            q.flagged(_sent_out, q.last(12)),
            _sent_out_only,
            q.total(lambda days: days.sent_out, q.last(12, skip=12)),
            12,
        ),
        Measure(
            "weekday_concentration_12w",
            "weekday",
            0.6,
            q.weekday_share,
            _weekday_days,
            _all_kinds,
            least=1.0,  # every pupil has some weekday with more than the others
            alone=False,
            said=_weekday_sentence,
        ),
        Measure(
            "late_arrivals_previous_year",
            "previous year",
            15,
            q.total(lambda days: days.late, q.previous_year),
            q.flagged(_late, q.previous_year),
            _late_by_month,
            alone=False,
        ),
    ),
}


def absence_standing(
    records: PupilRecords, theme: Theme, values: Mapping[str, float]
) -> list[Standing]:
    """What stands out in a theme that rests on days of absence or lateness.

    Only what the features of the row, `values`, hold is told: what a model may not look at is not
    shown as its reason either.
    """
    found = [measure.standing(records) for measure in MEASURES[theme] if measure.feature in values]
    if theme is Theme.ABSENCE and "absent_share_previous_year" in values:
        found.append(_previous_year(records))
    return [one for one in found if one is not None]


def _previous_year(records: PupilRecords) -> Standing | None:
    days = records.figures(DAYS_OF_PREVIOUS_YEAR)[0]
    if not days >= SMALLEST_STRENGTH * PREVIOUS_YEAR_NORM:
        return None
    strength = int(days) / PREVIOUS_YEAR_NORM
    return Standing("previous year", strength, False, lambda: _previous_year_fact(records))


def _previous_year_fact(records: PupilRecords) -> Fact:
    """What the school year before came to; the days of it are given per run."""
    values = records.figures(DAYS_OF_PREVIOUS_YEAR)
    chosen = q.flagged(q.is_absent, q.previous_year)(records.own)[0]
    number = int(values[0])
    sentence = f"Vorig schooljaar {number} {'dag' if number == 1 else 'dagen'} afwezig."
    evidence = run_evidence(records, chosen)
    beside = comparison(values, "Dagen afwezig, vorig schooljaar")
    strength = number / PREVIOUS_YEAR_NORM
    days = _dates(records, chosen)
    return Fact("previous year", strength, sentence, evidence, beside, alone=False, days=days)
