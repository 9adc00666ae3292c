"""When a pupil was absent or late: lateness, single days, fixed moments, mixture of kinds."""

from features.catalogue.absence_features import ABSENCE, PLANNED, period
from features.catalogue.feature import Feature, Unit
from features.vocabulary import Theme

COUNTED = ("absence.kind", "absence.starts_at", *PLANNED)


def _pattern(
    name: str,
    view: str,
    unit: Unit,
    window: int,
    label_nl: str,
    sentence_nl: str,
    description: str,
    sources: tuple[str, ...] = ABSENCE,
    theme: Theme = Theme.PATTERN,
) -> Feature:
    return Feature(
        name=name,
        view=view,
        theme=theme,
        role="model",
        unit=unit,
        window=window,
        sources=sources,
        label_nl=label_nl,
        sentence_nl=sentence_nl,
        direction=1,
        health=False,
        description=description,
        version=1,
    )


LATENESS = (
    *(
        _pattern(
            f"late_arrivals_{weeks}w",
            "lateness",
            Unit.COUNT,
            weeks,
            f"Keer te laat, {period(weeks)}",
            f"In {period(weeks)} {{value}} keer te laat.",
            f"Late arrivals on planned days, last {weeks} school weeks; at one moment counts once.",
            COUNTED,
        )
        for weeks in (4, 12, 40)
    ),
    *(
        _pattern(
            f"sent_out_{weeks}w",
            "lateness",
            Unit.COUNT,
            weeks,
            f"Keer uit de les gestuurd, {period(weeks)}",
            f"In {period(weeks)} {{value}} keer uit de les gestuurd.",
            f"Times sent out of a lesson on planned days, last {weeks} school weeks.",
            COUNTED,
        )
        for weeks in (12, 40)
    ),
)

PATTERNS = (
    _pattern(
        "one_day_absences_12w",
        "patterns",
        Unit.COUNT,
        12,
        "Losse dagen afwezig, de laatste 12 schoolweken",
        "In de laatste 12 schoolweken {value} keer precies één dag afwezig.",
        "Absent days (half of the planned time or more) with no absent day on the planned day "
        "before or after it, within the last 12 school weeks.",
        theme=Theme.ABSENCE,
    ),
    _pattern(
        "edge_absences_12w",
        "patterns",
        Unit.COUNT,
        12,
        "Losse dagen afwezig naast een weekend of vakantie, de laatste 12 schoolweken",
        "In de laatste 12 schoolweken {value} keer precies één dag afwezig, "
        "vlak voor of na een weekend of vrije dag.",
        "One-day absences on a day that has no school day of the school on the calendar day "
        "before or after it, last 12 school weeks.",
        theme=Theme.ABSENCE,
    ),
    _pattern(
        "weekday_concentration_12w",
        "patterns",
        Unit.SHARE,
        12,
        "Deel van de afwezige dagen op dezelfde weekdag, de laatste 12 schoolweken",
        "In de laatste 12 schoolweken viel {value} van de dagen met afwezigheid op dezelfde "
        "weekdag.",
        "Largest share of one weekday among planned days with some time absent, last 12 school "
        "weeks; NaN under 4 such days.",
    ),
    _pattern(
        "first_hour_share_12w",
        "patterns",
        Unit.SHARE,
        12,
        "Deel van de korte afwezigheid dat vroeg op de dag begint, de laatste 12 schoolweken",
        "In de laatste 12 schoolweken begon {value} van de dagen met korte afwezigheid "
        "vóór half tien.",
        "Among planned days with some, but less than half, of the planned time absent: the share "
        "with an absence that starts before 09:30 (and not at midnight, which means no time was "
        "given); last 12 school weeks; NaN without such days.",
    ),
    _pattern(
        "kinds_mixed_12w",
        "patterns",
        Unit.COUNT,
        12,
        "Verschillende soorten afwezigheid, de laatste 12 schoolweken",
        "Soorten afwezigheid of te laat komen in de laatste 12 schoolweken: {value}.",
        "How many occur in the last 12 school weeks of: sick; medical visit, leave, suspension or "
        "exemption; unauthorised; unverified; late arrival or sent out.",
        theme=Theme.ABSENCE,
    ),
)

FEATURES = (*LATENESS, *PATTERNS)
