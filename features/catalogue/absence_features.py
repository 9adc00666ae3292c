"""How much a pupil was absent: per kind, in all, in runs, beside the group, last school year.

Every feature of absence is NaN when its window holds no planned time of the pupil.
"""

from features.catalogue.feature import Feature, Unit
from features.vocabulary import Theme

PLANNED = (
    "timetable.planned_minutes",
    "calendar.kind",
    "placements.group",
    "placements.enrolled_on",
    "placements.left_on",
)
ABSENCE = ("absence.kind", "absence.starts_at", "absence.ends_at", "absence.minutes", *PLANNED)
EPISODES = (*ABSENCE, "schools.episodes_over_holidays")


_THEMES = {"unauthorised": Theme.UNAUTHORISED}
"""The views of which the theme is not absence; last school year goes with what it is about."""


def period(weeks: int) -> str:
    """The Dutch words for the last `weeks` school weeks.

    >>> period(1), period(4)
    ('de laatste schoolweek', 'de laatste 4 schoolweken')
    """
    return "de laatste schoolweek" if weeks == 1 else f"de laatste {weeks} schoolweken"


def _share(
    stem: str, view: str, weeks: int, what_nl: str, what: str, *, health: bool = False
) -> Feature:
    return Feature(
        name=f"{stem}_{weeks}w",
        view=view,
        theme=_THEMES.get(view, Theme.ABSENCE),
        role="model",
        unit=Unit.SHARE,
        window=weeks,
        sources=ABSENCE,
        label_nl=f"Deel van de lestijd {what_nl}, {period(weeks)}",
        sentence_nl=f"In {period(weeks)} {{value}} van de lestijd {what_nl}.",
        direction=1,
        health=health,
        description=f"Minutes {what} divided by planned minutes, last {weeks} school weeks.",
        version=1,
    )


def _volume(
    name: str,
    view: str,
    unit: Unit,
    window: int | None,
    label_nl: str,
    sentence_nl: str,
    description: str,
    *,
    sources: tuple[str, ...] = ABSENCE,
    health: bool = False,
    other: str | None = None,
    theme: Theme | None = None,
) -> Feature:
    return Feature(
        name=name,
        view=view,
        theme=theme or _THEMES.get(view, Theme.ABSENCE),
        role="model",
        unit=unit,
        window=window,
        sources=sources,
        label_nl=label_nl,
        sentence_nl=sentence_nl,
        direction=1,
        health=health,
        description=description,
        version=1,
        other=other,
    )


SICK = (
    *(
        _share("sick_share", "sick", weeks, "ziek", "sick", health=True)
        for weeks in (1, 4, 12, 26, 40)
    ),
    _volume(
        "sick_episodes_12w",
        "sick",
        Unit.COUNT,
        12,
        "Ziekteperioden, de laatste 12 schoolweken",
        "In de laatste 12 schoolweken {value} ziekteperioden.",
        "Sick episodes with a day in the last 12 school weeks: planned days with sick time that "
        "follow each other within 5 days are one episode, however often it was reported. Where the "
        "school says that its reports run on through a holiday, one counts as a week-end; the "
        "summer holiday divides.",
        sources=EPISODES,
        health=True,
    ),
    _volume(
        "sick_episodes_40w",
        "sick",
        Unit.COUNT,
        40,
        "Ziekteperioden, de laatste 40 schoolweken",
        "In de laatste 40 schoolweken {value} ziekteperioden.",
        "Sick episodes with a day in the last 40 school weeks, merged as for 12 weeks.",
        sources=EPISODES,
        health=True,
    ),
    _volume(
        "mean_sick_episode_days_40w",
        "sick",
        Unit.DAYS,
        40,
        "Gemiddelde lengte van een ziekteperiode, de laatste 40 schoolweken",
        "In de laatste 40 schoolweken duurde een ziekteperiode gemiddeld {value} schooldagen.",
        "Planned days with sick time per sick episode, last 40 school weeks; NaN without episode.",
        sources=EPISODES,
        health=True,
    ),
    _volume(
        "sick_days_this_year",
        "sick",
        Unit.DAYS,
        None,
        "Dagen ziek, dit schooljaar",
        "Dit schooljaar {value} dagen (deels) ziek.",
        "Planned days with sick time in the weeks that begin in the school year of the as-of date.",
        health=True,
    ),
    _volume(
        "sick_episodes_this_year",
        "sick",
        Unit.COUNT,
        None,
        "Ziekteperioden, dit schooljaar",
        "Dit schooljaar {value} ziekteperioden.",
        "Sick episodes with a day in the weeks that begin in the school year of the as-of date.",
        sources=EPISODES,
        health=True,
    ),
    _volume(
        "medical_visit_days_12w",
        "sick",
        Unit.DAYS,
        12,
        "Dagen met een medisch bezoek, de laatste 12 schoolweken",
        "In de laatste 12 schoolweken {value} dagen met een medisch bezoek.",
        "Planned days with time at a medical visit, last 12 school weeks.",
        health=True,
    ),
    _volume(
        "longest_sick_run_12w",
        "sick",
        Unit.DAYS,
        12,
        "Langste reeks dagen (deels) ziek, de laatste 12 schoolweken",
        "In de laatste 12 schoolweken was de langste reeks {value} schooldagen op rij (deels) "
        "ziek.",
        "Most planned days in a row with some sick time, within the last 12 school weeks.",
        health=True,
    ),
    _volume(
        "sick_slope",
        "sick",
        Unit.POINTS,
        12,
        "Verandering in ziekte: de laatste 4 schoolweken min de 8 daarvoor",
        "In de laatste 4 schoolweken {value} van de lestijd meer ziek dan in de 8 daarvoor.",
        "Sick share of the last 4 school weeks minus that of the 8 school weeks before; NaN when "
        "either is.",
        health=True,
    ),
)

AUTHORISED = tuple(
    _share(
        "other_authorised_share",
        "authorised",
        weeks,
        "met toestemming afwezig (niet ziek)",
        "at a medical visit, on leave, suspended or exempt",
        health=True,
    )
    for weeks in (4, 12)
)

UNAUTHORISED = (
    *(
        _share(
            "unauthorised_share",
            "unauthorised",
            weeks,
            "ongeoorloofd afwezig",
            "absent without authorisation, or on holiday without leave",
        )
        for weeks in (4, 12, 26, 40)
    ),
    *(
        _share(
            "unverified_share",
            "unauthorised",
            weeks,
            "afwezig zonder bekende reden",
            "absent for a reason not yet known",
        )
        for weeks in (4, 12)
    ),
    _volume(
        "unauthorised_hours_4w",
        "unauthorised",
        Unit.HOURS,
        4,
        "Uren ongeoorloofd afwezig, de laatste 4 schoolweken",
        "In de laatste 4 schoolweken {value} uur ongeoorloofd afwezig (meldgrens: 16 uur).",
        "Hours absent without authorisation, or on holiday without leave, last 4 school weeks.",
    ),
    _volume(
        "unauthorised_slope",
        "unauthorised",
        Unit.POINTS,
        12,
        "Verandering in ongeoorloofd verzuim: de laatste 4 schoolweken min de 8 daarvoor",
        "In de laatste 4 schoolweken {value} van de lestijd meer ongeoorloofd afwezig dan in de 8 "
        "daarvoor.",
        "Share absent without authorisation, or on holiday without leave, of the last 4 school "
        "weeks minus that of the 8 school weeks before; NaN when either is.",
    ),
)

ALL_ABSENCE = (
    *(
        _share("absent_share", "absence", weeks, "afwezig", "absent for any reason")
        for weeks in (1, 2, 4, 8, 12, 26, 40)
    ),
    _volume(
        "absent_days_4w",
        "absence",
        Unit.DAYS,
        4,
        "Dagen afwezig, de laatste 4 schoolweken",
        "In de laatste 4 schoolweken {value} dagen afwezig; "
        "in de 8 schoolweken daarvoor {other} dagen.",
        "Planned days with at least half of the planned time absent, last 4 school weeks.",
        other="absent_days_8w_before",
    ),
    _volume(
        "absent_days_8w_before",
        "absence",
        Unit.DAYS,
        12,
        "Dagen afwezig, de 8 schoolweken vóór de laatste 4",
        "In de 8 schoolweken vóór de laatste 4: {value} dagen afwezig.",
        "Planned days with at least half of the planned time absent, in the 8 school weeks before "
        "the last 4.",
    ),
    _volume(
        "absent_days_12w",
        "absence",
        Unit.DAYS,
        12,
        "Dagen afwezig, de laatste 12 schoolweken",
        "In de laatste 12 schoolweken {value} dagen afwezig.",
        "Planned days with at least half of the planned time absent, last 12 school weeks.",
    ),
    _volume(
        "part_days_12w",
        "absence",
        Unit.DAYS,
        12,
        "Dagen voor een klein deel afwezig, de laatste 12 schoolweken",
        "In de laatste 12 schoolweken {value} dagen minder dan de helft van de dag afwezig.",
        "Planned days with some, but less than half, of the planned time absent, last 12 school "
        "weeks.",
    ),
    _volume(
        "absent_slope",
        "absence",
        Unit.POINTS,
        12,
        "Verandering in afwezigheid: de laatste 4 schoolweken min de 8 daarvoor",
        "In de laatste 4 schoolweken {value} van de lestijd meer afwezig dan in de 8 daarvoor.",
        "Absent share of the last 4 school weeks minus that of the 8 school weeks before; NaN "
        "when either is.",
    ),
    _volume(
        "september_share",
        "absence",
        Unit.SHARE,
        None,
        "Deel van de lestijd afwezig, september van dit schooljaar",
        "In september van dit schooljaar {value} van de lestijd afwezig.",
        "Absent share over the weeks that begin in September of the school year of the as-of date, "
        "as far as they lie before it.",
    ),
)

RUNS = (
    _volume(
        "current_run_days",
        "runs",
        Unit.DAYS,
        40,
        "Schooldagen op rij (deels) afwezig, tot nu",
        "Nu {value} schooldagen op rij (deels) afwezig.",
        "Planned days in a row up to the as-of date with some time absent, looking back at most "
        "40 school weeks.",
    ),
    *(
        _volume(
            f"longest_run_{weeks}w",
            "runs",
            Unit.DAYS,
            weeks,
            f"Langste reeks dagen afwezig, {period(weeks)}",
            f"In {period(weeks)} was de langste reeks {{value}} schooldagen op rij afwezig.",
            "Most planned days in a row with at least half of the planned time absent, within the "
            f"last {weeks} school weeks.",
        )
        for weeks in (12, 40)
    ),
    _volume(
        "weeks_since_full_week",
        "runs",
        Unit.WEEKS,
        40,
        "Schoolweken sinds de laatste week zonder afwezigheid",
        "Schoolweken achter elkaar met afwezigheid, tot nu: {value}.",
        "The pupil's school weeks since the last one with no time absent, looking back at most 40 "
        "school weeks; 0 when that was the last one.",
    ),
)

GROUP = tuple(
    _volume(
        f"group_deviation_{weeks}w",
        "group",
        Unit.POINTS,
        weeks,
        f"Afwezigheid vergeleken met de groep, {period(weeks)}",
        f"In {period(weeks)} {{value}} van de lestijd meer afwezig dan gemiddeld in de groep.",
        f"Own absent share minus the mean of the other pupils of the group, last {weeks} school "
        "weeks; NaN when fewer than 8 others have a share.",
    )
    for weeks in (1, 4, 12)
)

EARLIER = (
    *(
        _volume(
            f"{stem}_share_previous_year",
            "earlier",
            Unit.SHARE,
            None,
            f"Deel van de lestijd {what_nl}, vorig schooljaar",
            f"Vorig schooljaar {{value}} van de lestijd {what_nl}.",
            f"Minutes {what} divided by planned minutes, in the weeks that begin in the school "
            "year before that of the as-of date, at this school.",
            health=stem == "sick",
            theme=_THEMES.get(stem),
        )
        for stem, what_nl, what in (
            ("absent", "afwezig", "absent for any reason"),
            ("sick", "ziek", "sick"),
            ("unauthorised", "ongeoorloofd afwezig", "absent without authorisation"),
        )
    ),
    _volume(
        "longest_run_previous_year",
        "earlier",
        Unit.DAYS,
        None,
        "Langste reeks dagen afwezig, vorig schooljaar",
        "Vorig schooljaar was de langste reeks {value} schooldagen op rij afwezig.",
        "Most planned days in a row with at least half of the planned time absent, within the "
        "weeks that begin in the school year before that of the as-of date.",
    ),
    _volume(
        "late_arrivals_previous_year",
        "earlier",
        Unit.COUNT,
        None,
        "Keer te laat, vorig schooljaar",
        "Vorig schooljaar {value} keer te laat.",
        "Late arrivals on planned days in the weeks that begin in the school year before that of "
        "the as-of date.",
        theme=Theme.PATTERN,
    ),
)

FEATURES = (
    *SICK,
    *AUTHORISED,
    *UNAUTHORISED,
    *ALL_ABSENCE,
    *RUNS,
    *GROUP,
    *EARLIER,
)
