"""The page on what each theme and feature is worth, beside what it tells about a pupil."""

from datetime import datetime

from fastapi import APIRouter
from fastapi.responses import Response

from serving.access import Area
from serving.proportionality import Estimate, Proportionate, SmallestSet, Weighed
from serving.web.contexts.frame import Link
from serving.web.contexts.office import Fact, Notice, OfficePage, Part, TablePart, TextPart
from serving.web.dutch import counted, listing, moment
from serving.web.register_words import SENSITIVITY
from serving.web.services import SignedIn, TheSite

router = APIRouter()

_BACK = (
    Link("Terug naar de dossiers", "/dossier"),
    Link("Naar het kenmerkenregister", "/kenmerken"),
)
_NOT_YET = Notice(
    (
        "Nog niet gemeten.",
        "Van geen enkel kenmerk is bekend wat de lijst zonder dat kenmerk verliest. De data "
        "scientist meet dit met de opdracht tijdig proportionality; dat kan een uur duren.",
        "Tot die tijd rust een goedkeuring alleen op de onderbouwing in het contract. Wees dan "
        "terughoudend met wat gevoelig is.",
    )
)
_HOW = (
    "Het model is telkens opnieuw gemaakt zonder het thema of kenmerk. Daarna is geteld wat de "
    "lijsten dan missen, op dezelfde leerlingen en weken. Een plus is verlies.",
    "Recall is het deel van de leerlingen die langdurig uitvielen, dat vooraf op een lijst stond. "
    "Voorsprong is hoe lang dat vooraf was; wie niet op een lijst stond, telt voor nul.",
    "Het interval zegt hoe zeker dat is: loopt het van min naar plus, dan is niet aangetoond dat "
    "het verschil maakt. Dat is iets anders dan aangetoond dat het geen verschil maakt.",
    "Ter vergelijking: bij een model in Den Haag voegden inkomen, gezin en politiegegevens samen "
    "0,02 AUC toe. Tijdig gebruikt die gegevens niet.",
)


@router.get("/evenredigheid")
def proportionality(site: TheSite, session: SignedIn) -> Response:
    """What recall and lead lose without each theme and feature."""
    found = site.office.dossiers.proportionality(session.account, site.clock())
    page = OfficePage(
        frame=site.frame("Evenredigheid", session, Area.DOSSIER),
        heading="Evenredigheid",
        lead="Wat de lijst verliest zonder een thema of kenmerk, naast wat het over een leerling "
        "vertelt. Wat niet aantoonbaar nodig is en wel gevoelig, staat bovenaan.",
        back=_BACK,
        notices=tuple(_notices(found)),
        facts=_measured_on(found) if found else (),
        parts=_parts(found) if found else (TextPart("Hoe er wordt gemeten", _HOW),),
    )
    return site.render(page)


def _notices(found: Proportionate | None) -> list[Notice]:
    if found is None:
        return [_NOT_YET]
    told = []
    if not found.in_use:
        told.append(
            Notice(
                (
                    f"Deze meting is van versie {found.model_version}, en die is niet in gebruik.",
                    "Vraag de data scientist het model in gebruik te meten.",
                ),
                is_problem=True,
            )
        )
    if not found.same_model:
        told.append(
            Notice(
                (
                    "Het hele model, opnieuw gemaakt, is niet tot op de letter het model uit het "
                    "register.",
                    "Er is intussen iets bijgekomen of weggehaald. De verschillen hieronder gelden "
                    "voor het opnieuw gemaakte model.",
                )
            )
        )
    return told


def _measured_on(found: Proportionate) -> tuple[Fact, ...]:
    return (
        Fact("Modelversie", str(found.model_version)),
        Fact("Gemeten op", found.tested_on),
        Fact("Gemaakt op", moment(datetime.fromisoformat(found.made_at))),
        Fact("Recall van het hele model", f"{share(found.recall)} %"),
        Fact("Voorsprong van het hele model", f"{weeks(found.lead)} schoolweken"),
        Fact("Klein verlies is", f"minder dan {figure(100 * found.margin)} procentpunt recall"),
    )


def _parts(found: Proportionate) -> tuple[Part, ...]:
    parts: list[Part] = [TextPart("Hoe er is gemeten", _HOW)]
    if found.themes:
        parts.append(_table("themas", "Zonder dit thema", "Thema", found.themes))
    if found.smallest is not None:
        parts += _smallest(found.smallest)
    if found.features:
        parts.append(_table("kenmerken", "Zonder dit ene kenmerk", "Kenmerk", found.features))
    else:
        parts.append(
            TextPart(
                "Zonder dit ene kenmerk",
                ("Nog niet gemeten per kenmerk. In het register staat het thema ervoor.",),
            )
        )
    return tuple(parts)


def _table(key: str, heading: str, first: str, weighed: tuple[Weighed, ...]) -> TablePart:
    rows = tuple(
        (
            one.label,
            sensitivity(one),
            f"{share(one.recall)} procentpunt",
            f"{weeks(one.lead)} schoolweken",
            one.verdict.words,
        )
        for one in weighed
    )
    columns = (first, "Gevoelig", "Verlies aan recall", "Verlies aan voorsprong", "Oordeel")
    return TablePart(key, heading, columns, rows, note="Tussen haakjes het 95%-interval.")


def _smallest(found: SmallestSet) -> list[Part]:
    health = counted(found.health_left_out, "gezondheidsgegeven", "gezondheidsgegevens")
    return [
        TextPart(
            "Kleinste verzameling die op eerdere jaren genoeg was",
            (
                f"{counted(len(found.kept), 'kenmerk', 'kenmerken')} in plaats van "
                f"{len(found.kept) + len(found.left_out)}; {health} minder. Gezocht in eerdere "
                "jaren en op het laatste jaar één keer gemeten.",
                f"Verlies aan recall {share(found.recall)} procentpunt, aan voorsprong "
                f"{weeks(found.lead)} schoolweken. Oordeel over wat is weggelaten: "
                f"{found.verdict.words}.",
            ),
            found.kept,
        ),
        TextPart("Wat daarbij is weggelaten", (f"{listing(list(found.left_out))}.",))
        if found.left_out
        else TextPart("Wat daarbij is weggelaten", ("Niets: alle kenmerken waren nodig.",)),
    ]


def sensitivity(one: Weighed) -> str:
    """How sensitive what is left out is, and how much of it is about health."""
    level = SENSITIVITY[one.sensitivity] if one.sensitivity else "onbekend"
    if not one.health:
        return level
    if one.features == 1:
        return f"{level}, gezondheid"
    return f"{level}; {one.health} van {one.features} over gezondheid"


def share(one: Estimate) -> str:
    """A share or a difference of shares in points of a hundred, with its interval.

    >>> share(Estimate(0.04, -0.01, 0.09)), share(Estimate())
    ('4,0 (-1,0 tot 9,0)', '–')
    """
    return _with_interval(one, 100)


def weeks(one: Estimate) -> str:
    """School weeks, with their interval.

    >>> weeks(Estimate(0.5))
    '0,5'
    """
    return _with_interval(one, 1)


def _with_interval(one: Estimate, scale: int) -> str:
    if one.value != one.value:
        return "–"
    text = figure(scale * one.value)
    if one.measured:
        text += f" ({figure(scale * one.low)} tot {figure(scale * one.high)})"
    return text


def figure(value: float) -> str:
    """A number with one decimal and a comma; no minus before zero.

    >>> figure(-0.04), figure(-1.25)
    ('0,0', '-1,2')
    """
    return f"{round(value, 1) + 0.0:.1f}".replace(".", ",")
