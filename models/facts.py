"""A fact about a pupil: what is counted, from which days, and when it is worth telling.

Every figure in a sentence is counted from records.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

import numpy as np

from features.catalogue import feature
from models.evidence import (
    Days,
    Evidence,
    Flags,
    Numbers,
    PupilRecords,
    Quantity,
    dutch_date,
)

FEWEST_CLASSMATES = 10
SMALLEST_STRENGTH = 0.5
"""Under half of a norm a fact is a trifle, and not told."""
ALONE_FROM = 0.75
"""Under this part of a norm a fact is told beside another one only: two single days absent in four
school weeks are nothing to call a family about (decision 0008)."""
LONG_WINDOW = 12
"""From so many school weeks on a sentence says since when: nobody counts back over a holiday."""


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
        strength, days = value / self.norm, dates_of(records, chosen)
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
            sentence = with_start(sentence, records, defined.window)
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


def dates_of(records: PupilRecords, chosen: Flags) -> tuple[date, ...]:
    """The dates of the chosen days of the pupil."""
    return tuple(records.own.date_of(int(number)) for number in np.flatnonzero(chosen))


def with_start(sentence: str, records: PupilRecords, weeks: int) -> str:
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
