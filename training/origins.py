"""Rolling origins: moments to train at, and the school year or the term after each to judge on."""

from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from typing import Literal

from features.school_weeks import first_day_of, known_school_years, term_starts

By = Literal["term", "school_year"]


@dataclass(frozen=True)
class Origin:
    """All that is known before `start` may be learned from; judged are the Mondays up to `until`.

    `until` is not included. `name` is how people call the period: "2025-26" or "2025-26 term 2".
    """

    name: str
    start: date
    until: date


def school_year_origin(year: int) -> Origin:
    """The school year that starts in calendar year `year`.

    >>> school_year_origin(2025).name
    '2025-26'
    """
    return Origin(_name(year), first_day_of(year), first_day_of(year + 1))


def origins(by: By, after: date, end: date) -> tuple[Origin, ...]:
    """Every school year or term that starts after `after` and is over at `end`, in order of time.

    A term lies between two national holidays; holidays that regions take in different weeks begin
    a new term when the first region takes them.

    >>> [each.name for each in origins("school_year", date(2023, 9, 1), date(2026, 8, 1))]
    ['2024-25', '2025-26']
    >>> [str(each.start) for each in origins("term", date(2025, 1, 6), date(2025, 8, 1))]
    ['2025-02-17', '2025-04-28']
    """
    found = []
    for year in known_school_years():
        whole = school_year_origin(year)
        if by == "school_year":
            found.append(whole)
            continue
        borders = (*term_starts(year), whole.until)
        for number, (start, until) in enumerate(pairwise(borders), 1):
            found.append(Origin(f"{whole.name} term {number}", start, until))
    return tuple(each for each in found if each.start > after and each.until <= end)


def _name(year: int) -> str:
    return f"{year}-{(year + 1) % 100:02d}"
