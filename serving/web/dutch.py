"""Dates, moments and counts as Dutch people read them; no locale of the machine involved."""

import re
from collections.abc import Sequence
from datetime import date, datetime

from features.school_weeks import AMSTERDAM

WEEKDAYS = ("maandag", "dinsdag", "woensdag", "donderdag", "vrijdag", "zaterdag", "zondag")
MONTHS = (
    "januari",
    "februari",
    "maart",
    "april",
    "mei",
    "juni",
    "juli",
    "augustus",
    "september",
    "oktober",
    "november",
    "december",
)
_SHORT = ("jan", "feb", "mrt", "apr", "mei", "juni", "juli", "aug", "sep", "okt", "nov", "dec")


def full_day(day: date) -> str:
    """With the weekday.

    >>> full_day(date(2026, 11, 16))
    'maandag 16 november 2026'
    """
    return f"{WEEKDAYS[day.weekday()]} {long_day(day)}"


def long_day(day: date) -> str:
    """Without the weekday.

    >>> long_day(date(2026, 3, 1))
    '1 maart 2026'
    """
    return f"{day.day} {MONTHS[day.month - 1]} {day.year}"


def short_day(day: date) -> str:
    """For tables, where the year is clear from the place.

    >>> short_day(date(2026, 11, 16))
    '16 nov'
    """
    return f"{day.day} {_SHORT[day.month - 1]}"


def table_day(day: date) -> str:
    """For tables that span years.

    >>> table_day(date(2026, 11, 16))
    '16 nov 2026'
    """
    return f"{short_day(day)} {day.year}"


def moment(at: datetime) -> str:
    """Day and time in Amsterdam.

    >>> from datetime import UTC
    >>> moment(datetime(2026, 11, 16, 5, 0, tzinfo=UTC))
    '16 nov 2026, 06:00'
    """
    local = at.astimezone(AMSTERDAM)
    return f"{table_day(local.date())}, {local:%H:%M}"


def local_day(at: datetime) -> date:
    """The day in Amsterdam at this moment.

    >>> from datetime import UTC
    >>> local_day(datetime(2026, 11, 15, 23, 30, tzinfo=UTC))
    datetime.date(2026, 11, 16)
    """
    return at.astimezone(AMSTERDAM).date()


def week_number(monday: date) -> int:
    """The ISO week, as on Dutch calendars."""
    return monday.isocalendar().week


def counted(number: int, one: str, many: str) -> str:
    """A count with its noun.

    >>> counted(1, "dag", "dagen"), counted(0, "dag", "dagen")
    ('1 dag', '0 dagen')
    """
    return f"{number} {one if number == 1 else many}"


def listing(parts: Sequence[str]) -> str:
    """Parts joined as in a sentence.

    >>> listing(["9 ziek", "2 verlof", "1 ongeoorloofd"])
    '9 ziek, 2 verlof en 1 ongeoorloofd'
    """
    if len(parts) < 2:
        return "".join(parts)
    return f"{', '.join(parts[:-1])} en {parts[-1]}"


def within(text: str) -> str:
    """A text that begins with a capital, inside a sentence; names in it keep theirs.

    >>> within("Jeugdarts vragen (M@ZL)")
    'jeugdarts vragen (M@ZL)'
    """
    return text[:1].lower() + text[1:]


_PERIOD = re.compile(r"P(\d+)([YMD])")
_PERIOD_WORDS = {"Y": ("jaar", "jaar"), "M": ("maand", "maanden"), "D": ("dag", "dagen")}


def period(text: str) -> str:
    """An ISO duration in words; what is not one stays as it is.

    >>> period("P5Y"), period("P13M"), period("tot schoolverlaten")
    ('5 jaar', '13 maanden', 'tot schoolverlaten')
    """
    match = _PERIOD.fullmatch(text)
    if match is None:
        return text
    return counted(int(match[1]), *_PERIOD_WORDS[match[2]])
