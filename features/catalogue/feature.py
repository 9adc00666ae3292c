"""What a feature is: its definition, the hash that approval rests on, and its Dutch sentence."""

import hashlib
import json
import math
import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from features.catalogue.transformation import family_of, transformation_hash
from features.vocabulary import Theme


class Unit(StrEnum):
    """What one unit of a feature's value is; decides how people read it."""

    SHARE = "share"
    POINTS = "points"
    DAYS = "days"
    HOURS = "hours"
    MINUTES = "minutes"
    COUNT = "count"
    WEEKS = "weeks"
    MONTHS = "months"
    FLAG = "flag"
    CODE = "code"


_AS_PERCENTAGE = {Unit.SHARE, Unit.POINTS}

_SINGULARS = {
    "dagen": "dag",
    "schooldagen": "schooldag",
    "schoolweken": "schoolweek",
    "ziekteperioden": "ziekteperiode",
    "maanden": "maand",
    "minuten": "minuut",
}
_ONE_OF_MANY = re.compile(rf"(?<![\d,–-])1 ({'|'.join(_SINGULARS)})\b")


@dataclass(frozen=True, kw_only=True)
class Feature:
    """One feature, defined once.

    `window` counts school weeks before the as-of date (None: another period, said in the
    description). `sources` are columns of the record log. `sentence_nl` states a fact with its
    figure and period; `{value}` is this feature's figure, `{other}` that of the feature `other`.
    `direction` is the sign expected of more of it on the risk (0: none expected). `role` is
    "cohort" for what only decides who is in scope. An undefined value is NaN.
    """

    name: str
    view: str
    theme: Theme
    role: Literal["model", "cohort"]
    unit: Unit
    window: int | None
    sources: tuple[str, ...]
    label_nl: str
    sentence_nl: str
    direction: Literal[-1, 0, 1]
    health: bool
    description: str
    version: int
    other: str | None = None

    @property
    def definition_hash(self) -> str:
        """SHA-256 of what the feature measures and of the code that computes it.

        Its Dutch wording may change without a new one. It is what an approval rests on.
        """
        meaning = {
            "name": self.name,
            "view": self.view,
            "theme": self.theme,
            "role": self.role,
            "unit": self.unit,
            "window": self.window,
            "sources": sorted(self.sources),
            "direction": self.direction,
            "health": self.health,
            "description": self.description,
            "version": self.version,
            "transformation": transformation_hash(family_of(self.view)),
        }
        return hashlib.sha256(json.dumps(meaning, sort_keys=True).encode()).hexdigest()

    def figure(self, value: float) -> str:
        """`value` as people read it: shares as percentages, a decimal comma, "onbekend" for NaN.

        >>> from features.catalogue import feature
        >>> feature("sick_share_4w").figure(0.125), feature("unauthorised_hours_4w").figure(12.5)
        ('12,5 %', '12,5')
        """
        if math.isnan(value):
            return "onbekend"
        if self.unit is Unit.FLAG:
            return "ja" if value else "nee"
        number = round(value * 100 if self.unit in _AS_PERCENTAGE else value, 1)
        text = f"{number:.0f}" if number == int(number) else f"{number:.1f}".replace(".", ",")
        return f"{text} %" if self.unit in _AS_PERCENTAGE else text

    def sentence(self, value: float, other: float = math.nan) -> str:
        """The Dutch sentence with its figures filled in: "1 dag", and "minder" for less than zero.

        >>> from features.catalogue import feature
        >>> feature("absent_days_4w").sentence(6, 1)
        'In de laatste 4 schoolweken 6 dagen afwezig; in de 8 schoolweken daarvoor 1 dag.'
        >>> feature("group_deviation_4w").sentence(-0.04)
        'In de laatste 4 schoolweken 4 % van de lestijd minder afwezig dan gemiddeld in de groep.'
        """
        sentence = self.sentence_nl
        if self.unit is Unit.POINTS and value < 0:
            sentence, value = sentence.replace(" meer ", " minder "), -value
        filled = sentence.format(value=self.figure(value), other=self.figure(other))
        return _ONE_OF_MANY.sub(lambda found: f"1 {_SINGULARS[found[1]]}", filled)
