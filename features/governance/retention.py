"""How long each kind of data is kept: settings with their source, and what is due on a day."""

import re
from dataclasses import dataclass, fields
from datetime import date

_TERM = re.compile(r"P(\d+)([YM])")
LEAST_LOG_MONTHS = 6
"""AI Act articles 19 and 26(6): logs are kept at least six months."""


@dataclass(frozen=True)
class RetentionSettings:
    """Section [retention]: terms as ISO durations in years or months, such as P2Y or P6M.

    None of the defaults is claimed as law; the privacy officer settles them, with their source.

    >>> RetentionSettings(logs="P3M")
    Traceback (most recent call last):
    ...
    ValueError: logs = P3M: logs are kept at least 6 months
    """

    left_pupils: str = "P5Y"
    feature_values: str = "P4Y"
    lists: str = "P2Y"
    logs: str = "P2Y"

    def __post_init__(self) -> None:
        """Refuse what is no term, and logs that go too soon."""
        for field in fields(self):
            months(getattr(self, field.name))
        if months(self.logs) < LEAST_LOG_MONTHS:
            raise ValueError(
                f"logs = {self.logs}: logs are kept at least {LEAST_LOG_MONTHS} months"
            )


@dataclass(frozen=True)
class Rule:
    """One kind of data: its setting, what it covers and where its term comes from, in Dutch."""

    name: str
    label: str
    source: str


RULES = (
    Rule(
        "left_pupils",
        "Alles over leerlingen die van school zijn, gerekend vanaf het uitschrijven",
        "verzuim, in- en uitschrijving: 5 jaar na uitschrijving (bewaartermijnen onderwijs; te "
        "bevestigen door de FG)",
    ),
    Rule(
        "feature_values",
        "Berekende kenmerken per maandag",
        "dit schooljaar en de drie daarvoor, nodig om te leren en te meten (besluit van de FG)",
    ),
    Rule(
        "lists",
        "Gepubliceerde lijsten met redenen, en besluiten daarover",
        "leerlingdossier: 2 jaar (te bevestigen door de FG)",
    ),
    Rule(
        "logs",
        "Inzagelog en gebruiksregister",
        "AI-verordening artikel 19 en 26(6): ten minste 6 maanden; hier 2 jaar",
    ),
)


def months(term: str) -> int:
    """A term in months.

    >>> months("P2Y"), months("P6M")
    (24, 6)
    """
    found = _TERM.fullmatch(term)
    if found is None:
        raise ValueError(f"{term}: expected a term such as P2Y or P6M")
    return int(found[1]) * (12 if found[2] == "Y" else 1)


def due_before(term: str, today: date) -> date:
    """What is older than this day has had its term on `today`; the day itself has not.

    >>> due_before("P6M", date(2026, 8, 31)), due_before("P2Y", date(2026, 11, 16))
    (datetime.date(2026, 2, 28), datetime.date(2024, 11, 16))
    """
    total = today.year * 12 + today.month - 1 - months(term)
    year, month = divmod(total, 12)
    for day in range(today.day, 27, -1):
        try:
            return date(year, month + 1, day)
        except ValueError:
            continue  # a shorter month
    return date(year, month + 1, today.day)
