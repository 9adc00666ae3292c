"""Everything that was counted of one listed pupil this Monday, for who is asked about it."""

from collections.abc import Iterator

from fastapi import APIRouter
from fastapi.responses import Response

from features.catalogue import CATALOGUE, Feature
from features.catalogue.formulas import FORMULAS_NL
from features.errors import GateRefused
from features.vocabulary import Theme
from serving.access import Area
from serving.sessions import Session
from serving.value_desk import NoValues, ValueView, WhyNone
from serving.web.contexts.entry import MessagePage
from serving.web.contexts.frame import Link
from serving.web.contexts.values import ValueLine, ValuePart, ValuesPage
from serving.web.dutch import full_day, long_day, week_number
from serving.web.services import SignedIn, Site, TheSite
from serving.web.value_words import LAST_YEAR, because, outcome, period, what

router = APIRouter()

_NO_VALUES = "Van deze leerling staan hier geen tellingen"
_WHY: dict[WhyNone, tuple[str, ...]] = {
    WhyNone.NOT_LISTED: (
        "Alleen van leerlingen op de bespreeklijst van deze week worden de tellingen bewaard om te "
        "tonen. Deze leerling staat daar niet op.",
        "Vraagt een ouder wat er is vastgelegd? Dan kan de functionaris gegevensbescherming een "
        "volledig overzicht maken.",
    ),
    WhyNone.TOO_LITTLE_DATA: (
        "Deze leerling is te kort op deze school om iets te kunnen zeggen. Daarom is er niets "
        "geteld om te tonen.",
    ),
    WhyNone.OBJECTED: (
        "Er is bezwaar gemaakt tegen het gebruik van de gegevens van deze leerling. Daarom wordt "
        "er niets geteld en niets getoond.",
    ),
    WhyNone.NOT_READY: (
        "De tellingen van deze week staan nog niet klaar, of er is iets veranderd in wat er "
        "geteld mag worden.",
        "Na de lijst van de volgende maandag staan ze er weer.",
    ),
}
_REFUSED = (
    "Deze tellingen mogen nu niet getoond worden",
    (
        "Voor een of meer ervan geldt geen goedkeuring van de functionaris gegevensbescherming, of "
        "dat u ze bekijkt, kon niet worden vastgelegd.",
        "Vraag het de functionaris gegevensbescherming. De lijst en de leerlingpagina blijven "
        "gewoon werken.",
    ),
)
_ONLY_COHORT = (
    "Alleen om te bepalen wie op de lijst kan komen",
    "Het model kijkt hier niet naar. Hiermee wordt bepaald wie oud genoeg is, lang genoeg op deze "
    "school zit en niet al thuis is.",
)
_NOT_WEIGHED = ("Wel geteld, niet gebruikt", "Het model achter de lijst kijkt hier niet naar.")


@router.get("/leerling/{row_id}/tellingen")
def values_page(site: TheSite, session: SignedIn, row_id: str) -> Response:
    """The values of the pupil of this row; or why there are none to show."""
    back = Link("Terug naar de leerling", f"/leerling/{row_id}")
    try:
        view = site.value_desk.values(session.account, row_id, site.clock())
    except NoValues as none:
        return _told(site, session, 404, _NO_VALUES, _WHY[none.why], back)
    except GateRefused:
        return _told(site, session, 403, *_REFUSED, back)
    return site.render(_page(site, session, view, back))


def _told(
    site: Site, session: Session, status: int, heading: str, lines: tuple[str, ...], back: Link
) -> Response:
    frame = site.frame(heading, session, Area.LIST)
    return site.render(MessagePage(frame, heading, lines, back), status)


def _page(site: Site, session: Session, view: ValueView, back: Link) -> ValuesPage:
    week = week_number(view.as_of)
    parts = tuple(_parts(view))
    return ValuesPage(
        # The title stands in the browser's history, so it holds no name.
        frame=site.frame(f"Tellingen van een leerling, week {week}", session, Area.LIST),
        back=back,
        name=view.name.full,
        school_name=view.school_name,
        as_of=full_day(view.as_of),
        week=week,
        data_until=full_day(view.data_until) if view.data_until else "",
        access_reason=view.access_reason,
        other_week=_other_week(view),
        count=sum(len(part.lines) for part in parts),
        parts=parts,
    )


def _other_week(view: ValueView) -> str:
    if view.as_of == view.address.as_of:
        return ""
    return (
        f"U kwam van de lijst van week {week_number(view.address.as_of)}. Deze tellingen zijn van "
        f"{long_day(view.as_of)} (week {week_number(view.as_of)}); alleen die van één maandag "
        "worden bewaard om te tonen."
    )


def _parts(view: ValueView) -> Iterator[ValuePart]:
    """The themes with what the model looks at, then what else was counted."""
    shown = [feature for feature in CATALOGUE if feature.name in view.values]
    cohort = [feature for feature in shown if feature.role == "cohort"]
    weighed = [feature for feature in shown if _is_weighed(feature, view)]
    others = [feature for feature in shown if feature not in cohort and feature not in weighed]
    for theme in Theme:
        ours = [feature for feature in weighed if feature.theme is theme]
        if ours:
            yield _part(theme.value, theme.label, "", ours, view)
    if cohort:
        yield _part("wie", *_ONLY_COHORT, cohort, view)
    if others:
        yield _part("overig", *_NOT_WEIGHED, others, view)


def _is_weighed(feature: Feature, view: ValueView) -> bool:
    """Where it is not known what the model looks at, it may look at all that models may see."""
    return feature.name in view.weighed if view.weighed else feature.role == "model"


def _part(key: str, heading: str, note: str, features: list[Feature], view: ValueView) -> ValuePart:
    """The same over several times stands together."""
    order = list(dict.fromkeys(map(what, features)))
    together = sorted(features, key=lambda one: (order.index(what(one)), period(one) == LAST_YEAR))
    lines = tuple(_line(one, view.values[one.name]) for one in together)
    return ValuePart(key, heading, note, lines)


def _line(feature: Feature, value: float) -> ValueLine:
    return ValueLine(
        what=what(feature),
        period=period(feature),
        outcome=outcome(feature, value),
        because=because(feature, value),
        formula=FORMULAS_NL[feature.name],
    )
