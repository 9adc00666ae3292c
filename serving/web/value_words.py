"""The values of features in words that people use: what was counted, when, and what came out."""

import math
from collections.abc import Callable

from features.catalogue import Feature, Unit
from serving.web.dutch import counted

NOT_TO_SAY = "niet te zeggen"
LAST_YEAR = "vorig schooljaar"
_PERIODS = ("de laatste ", "dit schooljaar", LAST_YEAR, "september ", "tot nu", "de 8 ")
_UP_TO_NOW = "tot nu, hoogstens 40 schoolweken terug"
_WHEN = {
    "weeks_since_full_week": _UP_TO_NOW,
    "support_running": "nu",
    "support_running_weeks": _UP_TO_NOW,
    "reduced_timetable_running": "nu",
    "support_requested": "nu",
    "support_waiting_weeks": _UP_TO_NOW,
    "weeks_since_support_ended": _UP_TO_NOW,
    "tlv_waiting_weeks": _UP_TO_NOW,
    "weeks_since_contact": _UP_TO_NOW,
    "transition_year": "nu",
    "weeks_since_enrolment": _UP_TO_NOW,
    "year_group_number": "nu",
    "changed_school": "dit schooljaar",
    "repeats_year": "dit schooljaar",
    "weeks_of_history": "de laatste 40 schoolweken",
    "age_months": "nu",
}
_WHAT = {
    "part_days_12w": "Dagen minder dan de helft van de dag afwezig",
    "weeks_since_full_week": "Schoolweken achter elkaar met afwezigheid",
    "one_day_absences_12w": "Losse dagen afwezig (de dag ervoor en erna aanwezig)",
    "edge_absences_12w": "Losse dagen afwezig naast een weekend of vrije dag",
    "first_hour_share_12w": "Deel van de korte afwezigheid dat vóór half tien begint",
    "support_running_weeks": "Hoe lang de langst lopende ondersteuning loopt",
    "support_waiting_weeks": "Hoe lang aangevraagde of geplande ondersteuning wacht",
    "weeks_since_support_ended": "Hoe lang geleden ondersteuning eindigde zonder vervolg",
    "tlv_waiting_weeks": "Hoe lang een aanvraag voor een toelaatbaarheidsverklaring (TLV) wacht",
    "weeks_since_contact": "Hoe lang geleden het laatste gesprek of overleg was",
    "weeks_since_enrolment": "Hoe lang op deze school",
    "late_recorded_share_12w": "Deel van de meldingen dat meer dan een week later is vastgelegd",
    "weeks_of_history": "Schoolweken met lestijd op deze school",
    "planned_minutes_4w": "Lestijd volgens het rooster",
    "age_months": "Leeftijd",
    "duo_reports_40w": "Wettelijke verzuimmeldingen (bij DUO)",
    "changed_school": "Van een andere school gekomen",
}
_COMPARED = {
    "sick_slope": "Verandering in ziekte",
    "unauthorised_slope": "Verandering in ongeoorloofd verzuim",
    "absent_slope": "Verandering in afwezigheid",
}
_BESIDE_BEFORE = "de laatste 4 schoolweken naast de 8 daarvoor"

_NO_LESSONS = "In deze tijd stond er voor deze leerling geen les op het rooster."
_NO_LESSONS_LAST_YEAR = (
    "Van vorig schooljaar is op deze school geen lestijd van deze leerling bekend."
)
_NOT_BOTH = "Voor een van de twee tijden stond er geen les op het rooster."
_FEW_OTHERS = "Er zijn minder dan 8 groepsgenoten om mee te vergelijken."
_YEAR_GROUP = "Het leerjaar is niet bekend."
_LAST_YEAR = (
    "absent_share_previous_year",
    "sick_share_previous_year",
    "unauthorised_share_previous_year",
    "longest_run_previous_year",
    "late_arrivals_previous_year",
)
_BECAUSE = {
    "mean_sick_episode_days_40w": "Er was in deze tijd geen ziekteperiode.",
    **dict.fromkeys(_COMPARED, _NOT_BOTH),
    "september_share": "Er is dit schooljaar nog geen schoolweek in september geweest, of er stond "
    "geen les op het rooster.",
    **{f"group_deviation_{weeks}w": _FEW_OTHERS for weeks in (1, 4, 12)},
    **dict.fromkeys(_LAST_YEAR, _NO_LESSONS_LAST_YEAR),
    "weekday_concentration_12w": "Er waren in deze tijd minder dan 4 dagen met afwezigheid.",
    "first_hour_share_12w": "Er was in deze tijd geen dag met korte afwezigheid.",
    "support_running_weeks": "Er loopt geen ondersteuning, of het begin is niet vastgelegd.",
    "support_waiting_weeks": "Er wacht geen ondersteuning die al begonnen had moeten zijn.",
    "weeks_since_support_ended": "Er loopt nu ondersteuning, of er eindigde er geen in deze tijd.",
    "tlv_waiting_weeks": "Er wacht geen aanvraag.",
    "weeks_since_contact": "In deze tijd is geen gesprek of overleg vastgelegd.",
    "transition_year": _YEAR_GROUP,
    "weeks_since_enrolment": "De leerling was hier al toen de gegevens van de school begonnen.",
    "year_group_number": _YEAR_GROUP,
    "changed_school": "Het leerjaar is niet bekend, of de leerling was hier al toen de gegevens "
    "van de school begonnen.",
    "repeats_year": "De plaatsing van nu begon al voor dit schooljaar, of het leerjaar van nu of "
    "van vorig jaar is niet bekend.",
    "late_recorded_share_12w": "Er zijn in deze tijd geen meldingen waarvan bekend is wanneer ze "
    "zijn vastgelegd.",
    "corrected_share_12w": "Er zijn in deze tijd geen meldingen.",
    "age_months": "De geboortemaand is niet bekend.",
}
_NOUNS = {
    "sick_episodes_12w": ("periode", "perioden"),
    "sick_episodes_40w": ("periode", "perioden"),
    "sick_episodes_this_year": ("periode", "perioden"),
    "one_day_absences_12w": ("dag", "dagen"),
    "edge_absences_12w": ("dag", "dagen"),
    "kinds_mixed_12w": ("soort", "soorten"),
    "support_running": ("vorm", "vormen"),
    "support_requested": ("vorm", "vormen"),
}
_MOST_WEEKS = 40
_AT_LEAST = frozenset(
    {
        "weeks_since_full_week",
        "support_running_weeks",
        "support_waiting_weeks",
        "tlv_waiting_weeks",
        "weeks_since_enrolment",
    }
)
"""Counted up to 40 weeks and no further, so that 40 may be more."""


def what(feature: Feature) -> str:
    """What was counted, without its period.

    >>> from features.catalogue import feature
    >>> what(feature("sick_share_4w")), what(feature("absent_slope"))
    ('Deel van de lestijd ziek', 'Verandering in afwezigheid')
    """
    named = _WHAT | _COMPARED
    return named.get(feature.name) or _split(feature)[0]


def period(feature: Feature) -> str:
    """Over which time it was counted.

    >>> from features.catalogue import feature
    >>> period(feature("sick_share_4w")), period(feature("support_running"))
    ('de laatste 4 schoolweken', 'nu')
    """
    if feature.name in _COMPARED:
        return _BESIDE_BEFORE
    return _WHEN.get(feature.name) or _split(feature)[1]


def _split(feature: Feature) -> tuple[str, str]:
    head, _, tail = feature.label_nl.rpartition(", ")
    return (head, tail) if head and tail.startswith(_PERIODS) else (feature.label_nl, "")


def outcome(feature: Feature, value: float) -> str:
    """The value as people say it; an undefined one is not to say.

    >>> from features.catalogue import feature
    >>> outcome(feature("sick_share_4w"), 0.125), outcome(feature("absent_days_4w"), 1)
    ('12,5 %', '1 dag')
    >>> outcome(feature("group_deviation_4w"), -0.04), outcome(feature("sick_share_4w"), math.nan)
    ('4 % van de lestijd minder dan gemiddeld in de groep', 'niet te zeggen')
    """
    return NOT_TO_SAY if math.isnan(value) else _WORDS[feature.unit](feature, value)


def because(feature: Feature, value: float) -> str:
    """Why a value can be missing; empty for one that is there.

    >>> from features.catalogue import feature
    >>> because(feature("tlv_waiting_weeks"), math.nan)
    'Er wacht geen aanvraag.'
    """
    return _BECAUSE.get(feature.name, _NO_LESSONS) if math.isnan(value) else ""


def _share(feature: Feature, value: float) -> str:
    """What rounds to nothing and is something, is not called nothing."""
    figure = feature.figure(value)
    return "minder dan 0,1 %" if figure == "0 %" and value > 0 else figure


def _points(feature: Feature, value: float) -> str:
    """A difference: with the weeks before, or with the group."""
    figure = feature.figure(abs(value))
    if figure == "0 %":
        return "gelijk" if value == 0 else "bijna gelijk"
    than = "daarvoor" if feature.name in _COMPARED else "gemiddeld in de groep"
    return f"{figure} van de lestijd {'meer' if value > 0 else 'minder'} dan {than}"


def _of(one: str, many: str) -> Callable[[Feature, float], str]:
    def words(feature: Feature, value: float) -> str:
        single, several = _NOUNS.get(feature.name, (one, many))
        return f"{feature.figure(value)} {single if value == 1 else several}"

    return words


def _weeks(feature: Feature, value: float) -> str:
    words = _of("schoolweek", "schoolweken")(feature, value)
    return f"{words} of meer" if feature.name in _AT_LEAST and value >= _MOST_WEEKS else words


def _minutes(_feature: Feature, value: float) -> str:
    hours, minutes = divmod(round(value), 60)
    rest = f" en {counted(minutes, 'minuut', 'minuten')}" if minutes else ""
    return f"{hours} uur{rest}"


def _months(_feature: Feature, value: float) -> str:
    years, months = divmod(round(value), 12)
    rest = f" en {counted(months, 'maand', 'maanden')}" if months else ""
    return f"{years} jaar{rest}"


def _year_group(_feature: Feature, value: float) -> str:
    """Groups of primary school are 1 to 8; what comes after it begins at 11."""
    number = round(value)
    return f"groep {number}" if number <= 8 else f"leerjaar {number - 10} na de basisschool"


_WORDS: dict[Unit, Callable[[Feature, float], str]] = {
    Unit.SHARE: _share,
    Unit.POINTS: _points,
    Unit.DAYS: _of("dag", "dagen"),
    Unit.HOURS: _of("uur", "uur"),
    Unit.MINUTES: _minutes,
    Unit.COUNT: _of("keer", "keer"),
    Unit.WEEKS: _weeks,
    Unit.MONTHS: _months,
    Unit.FLAG: lambda feature, value: feature.figure(value),
    Unit.CODE: _year_group,
}
