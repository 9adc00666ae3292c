"""Pages for the dossier of each model version, and for what each theme is worth."""

from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import Response

from features.errors import NotThere
from serving.access import Area
from serving.dossier import Dossier, difference
from serving.dossier_desk import FILES
from serving.web.contexts.frame import Link
from serving.web.contexts.office import (
    Fact,
    LinksPart,
    Notice,
    OfficePage,
    Part,
    TablePart,
    TextPart,
)
from serving.web.dutch import counted, long_day
from serving.web.services import SignedIn, TheSite

router = APIRouter()

_BACK = (Link("Terug naar de dossiers", "/dossier"),)


@router.get("/dossier")
def dossiers(site: TheSite, session: SignedIn) -> Response:
    """The versions that have a dossier."""
    now = site.clock()
    rows = tuple(
        (
            Link(f"Versie {one.version}", f"/dossier/{one.version}"),
            "in gebruik" if one.in_use else "niet in gebruik",
            str(len(one.features)),
            one.bundle_hash[:12],
        )
        for one in site.office.dossiers.versions(session.account, now)
    )
    page = OfficePage(
        frame=site.frame("Dossiers", session, Area.DOSSIER),
        heading="Dossier per modelversie",
        lead="Gemaakt uit metingen, contracten, besluiten en teksten van mensen. Een model komt "
        "niet in gebruik zolang er iets ontbreekt.",
        parts=(
            LinksPart("Ook", (Link("Evenredigheid per thema en kenmerk", "/evenredigheid"),)),
            TablePart(
                "versies",
                "Versies",
                ("Versie", "Stand", "Kenmerken", "Vingerafdruk"),
                rows,
                empty="Er is nog geen model.",
            ),
        ),
    )
    return site.render(page)


@router.get("/dossier/{version}")
def dossier(
    site: TheSite,
    session: SignedIn,
    version: int,
    naast: Annotated[int | None, Query(ge=1)] = None,
) -> Response:
    """One dossier, or what differs from another version."""
    now = site.clock()
    desk = site.office.dossiers
    made = desk.of(session.account, version, now)
    others = [one.version for one in desk.versions(session.account, now) if one.version != version]
    parts: list[Part] = [_files(made, others, naast)]
    if naast is not None:
        parts.append(_difference(desk.of(session.account, naast, now), made))
    else:
        parts += _sections(made)
    page = OfficePage(
        frame=site.frame(f"Dossier versie {version}", session, Area.DOSSIER),
        heading=f"Dossier van modelversie {version}",
        lead="In de volgorde van bijlage IV van de AI-verordening.",
        back=_BACK,
        notices=(_completeness(made),),
        facts=(Fact("Gemaakt op", long_day(made.made_on)),),
        parts=tuple(parts),
    )
    return site.render(page)


@router.get("/dossier/{version}/bestand.{kind}")
def dossier_file(site: TheSite, session: SignedIn, version: int, kind: str) -> Response:
    """The dossier as a download."""
    if kind not in FILES:
        raise NotThere("a dossier comes as yaml, pdf or html")
    content, media_type = site.office.dossiers.file(session.account, version, kind, site.clock())
    return Response(
        content,
        media_type=media_type,
        headers={"Content-Disposition": f'attachment; filename="dossier-versie-{version}.{kind}"'},
    )


def _completeness(made: Dossier) -> Notice:
    if made.missing:
        few = counted(len(made.missing), "onderdeel ontbreekt", "onderdelen ontbreken")
        return Notice((f"Niet volledig: {few}.", *made.missing), is_problem=True)
    example = "De teksten zijn een voorbeeld bij een verzonnen regio." if made.is_example else ""
    return Notice(tuple(line for line in ("Het dossier is volledig.", example) if line))


def _files(made: Dossier, others: list[int], beside: int | None) -> LinksPart:
    address = f"/dossier/{made.version}"
    files = [Link(f"Als {kind.upper()}", f"{address}/bestand.{kind}") for kind in FILES]
    compared = [
        Link(f"Verschil met versie {one}", f"{address}?naast={one}", one == beside)
        for one in others
    ]
    return LinksPart("Bestanden en verschillen", (*files, *compared))


def _sections(made: Dossier) -> list[Part]:
    parts: list[Part] = []
    for number, one in enumerate(made.sections):
        if one.columns:
            parts.append(
                TablePart(f"deel-{number}", one.heading, one.columns, one.rows, one.explanation)
            )
        else:
            parts.append(TextPart(one.heading, (one.explanation,)))
    return parts


def _difference(older: Dossier, newer: Dossier) -> TextPart:
    lines = difference(older, newer)
    return TextPart(
        f"Verschil met versie {older.version}",
        ("Regels met een min staan alleen in de andere versie, met een plus alleen in deze.",)
        if lines
        else ("Er is geen verschil.",),
        lines,
    )
