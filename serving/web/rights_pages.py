"""Pages for requests of pupils and parents, with the clock that runs on each."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Form
from fastapi.responses import RedirectResponse, Response

from features.errors import NotAllowed
from features.governance.requests import LONGEST_OUTCOME, Request, RequestKind
from features.vocabulary import PupilKey
from serving.access import Area
from serving.rights.desk import OpenedRequest
from serving.rights.document import to_json, to_pdf
from serving.rights.erase import ErasureReport
from serving.web.contexts.frame import Link, Option
from serving.web.contexts.office import (
    Fact,
    Field,
    FormPart,
    Notice,
    OfficePage,
    Part,
    TablePart,
    TextPart,
)
from serving.web.dutch import counted, local_day, long_day, moment, table_day
from serving.web.services import SignedIn, SignedInForm, TheSite

router = APIRouter()

_BACK = (Link("Terug naar de verzoeken", "/verzoeken"),)
_NEXT = {
    RequestKind.ACCESS: "Maak het pakket, controleer wie het krijgt, en sluit het verzoek af.",
    RequestKind.CORRECTION: (
        "Laat de school het in haar eigen administratie verbeteren. Met de volgende aanlevering "
        "rekent Tijdig opnieuw; oude lijsten blijven staan zoals ze zijn getoond en het pakket "
        "laat beide versies zien. Sluit het verzoek dan af."
    ),
    RequestKind.OBJECTION: (
        "Leg het bezwaar vast. Vanaf de volgende lijst en de volgende training doet de leerling "
        "niet meer mee. De verzuimregistratie van de school zelf gaat door."
    ),
    RequestKind.ERASURE: (
        "Controleer of de school de gegevens niet nog moet bewaren en niet opnieuw aanlevert. "
        "Wissen kan niet ongedaan worden gemaakt."
    ),
}


@router.get("/verzoeken/zoek")
@router.get("/verzoeken")
def requests(site: TheSite, session: SignedIn) -> Response:
    """Every request with its term, and the form to find a pupil."""
    now = site.clock()
    desk = site.office.rights
    asked = desk.all(session.account, now)
    today = local_day(now)
    late = [one for one in asked if one.handled_at is None and one.days_left(today) < 0]
    notices = (
        Notice(
            (f"{counted(len(late), 'verzoek is', 'verzoeken zijn')} te laat.",), is_problem=True
        ),
    )
    page = OfficePage(
        frame=site.frame("Verzoeken", session, Area.RIGHTS),
        heading="Verzoeken van leerlingen en ouders",
        lead="Inzage, correctie, bezwaar en wissen. Voor elk verzoek geldt een termijn van een "
        "maand.",
        notices=notices if late else (),
        parts=(_table(asked, today), _search(desk.schools(session.account, now))),
    )
    return site.render(page)


def _table(asked: list[Request], today: date) -> TablePart:
    rows = tuple(
        (
            Link(one.kind.label, f"/verzoeken/{one.request_id}"),
            table_day(local_day(one.received_at)),
            one.school,
            _term(one, today),
            one.outcome or ("open" if one.handled_at is None else "afgehandeld"),
        )
        for one in asked
    )
    columns = ("Verzoek", "Aangenomen", "School", "Termijn", "Uitkomst")
    return TablePart("lijst", "Verzoeken", columns, rows, empty="Er zijn geen verzoeken.")


def _term(one: Request, today: date) -> str:
    if one.handled_at is not None:
        return f"afgehandeld op {table_day(local_day(one.handled_at))}"
    left = one.days_left(today)
    if left < 0:
        return f"{counted(-left, 'dag', 'dagen')} te laat (uiterlijk {table_day(one.due_on)})"
    return f"nog {counted(left, 'dag', 'dagen')} (uiterlijk {table_day(one.due_on)})"


def _search(schools: list[tuple[str, str]], chosen: str = "") -> FormPart:
    return FormPart(
        "zoek",
        "Nieuw verzoek: zoek de leerling",
        "/verzoeken/zoek",
        "Zoeken",
        (
            Field(
                "school",
                "School",
                "select",
                options=tuple(
                    Option(code, f"{name} ({code})", code == chosen) for code, name in schools
                ),
            ),
            Field("wie", "Naam of leerlingnummer", hint="Dat u zoekt wordt vastgelegd; wat u zoekt "
                  "niet."),
        ),
        note="Controleer eerst of degene die het vraagt de leerling of de ouder is.",
    )  # fmt: skip


@router.post("/verzoeken/zoek")
def search(
    site: TheSite,
    session: SignedInForm,
    school: Annotated[str, Form()] = "",
    wie: Annotated[str, Form()] = "",
) -> Response:
    """Who fits; the name is typed in a form and never stands in an address."""
    now = site.clock()
    desk = site.office.rights
    schools = desk.schools(session.account, now)
    found = desk.find(session.account, school, wie, now)
    today = local_day(now)
    parts: list[Part] = [
        FormPart(
            f"leerling-{number}",
            f"{one.name.full}, leerlingnummer {one.pupil_number}",
            "/verzoeken",
            "Verzoek aannemen",
            (
                Field(
                    "soort",
                    "Wat wordt gevraagd?",
                    "select",
                    options=tuple(Option(kind.value, kind.label) for kind in RequestKind),
                ),
                Field(
                    "ontvangen", "Ontvangen op", "date", today.isoformat(), high=today.isoformat()
                ),
            ),
            (("school", school), ("leerling", one.pupil_key)),
        )
        for number, one in enumerate(found, start=1)
    ]
    none = (Notice(("Niemand gevonden.", "Typ ten minste twee letters of het hele nummer.")),)
    page = OfficePage(
        frame=site.frame("Leerling gevonden", session, Area.RIGHTS),
        heading="Voor wie is het verzoek?",
        lead=f"{counted(len(found), 'leerling', 'leerlingen')} gevonden.",
        back=_BACK,
        notices=() if found else none,
        parts=(*parts, _search(schools, school)),
    )
    return site.render(page)


@router.post("/verzoeken")
def take(
    site: TheSite,
    session: SignedInForm,
    soort: Annotated[str, Form()],
    school: Annotated[str, Form()],
    leerling: Annotated[str, Form()],
    ontvangen: Annotated[str, Form()] = "",
) -> Response:
    """Keep a request."""
    if soort not in {kind.value for kind in RequestKind}:
        raise NotAllowed("there is no such kind of request")
    try:
        received = date.fromisoformat(ontvangen) if ontvangen else None
    except ValueError:
        received = None
    request = site.office.rights.take(
        session.account, RequestKind(soort), school, PupilKey(leerling), received, site.clock()
    )
    return RedirectResponse(f"/verzoeken/{request.request_id}", 303)


@router.get("/verzoeken/{request_id}")
def request(site: TheSite, session: SignedIn, request_id: str) -> Response:
    """One request: who, until when, and what can be done."""
    opened = site.office.rights.open(session.account, request_id, site.clock())
    return site.render(_request_page(site, session, opened))


def _request_page(site: TheSite, session: SignedIn, opened: OpenedRequest) -> OfficePage:
    asked = opened.request
    who = opened.pupil.name.full if opened.pupil else "De leerling is gewist"
    number = opened.pupil.pupil_number if opened.pupil else "–"
    is_open = asked.handled_at is None
    parts: list[Part] = [TextPart("Wat u doet", (_NEXT[asked.kind],))] if is_open else []
    if opened.pupil:
        parts += _package_forms(asked)
        if asked.kind is RequestKind.OBJECTION:
            parts.append(_objection_form(opened))
        if asked.kind is RequestKind.ERASURE and is_open:
            parts.append(_erase_form(opened))
    if is_open:
        parts.append(_close_form(asked))
    return OfficePage(
        frame=site.frame(asked.kind.label, session, Area.RIGHTS),
        heading=f"Verzoek om {asked.kind.label}",
        lead=who,
        back=_BACK,
        facts=(
            Fact("Leerlingnummer", number),
            Fact("School", opened.school_name),
            Fact("Aangenomen", f"{moment(asked.received_at)} door {asked.taken_by}"),
            Fact("Termijn", _term(asked, local_day(site.clock()))),
            Fact("Uitkomst", asked.outcome or "–"),
            Fact("Bezwaar", "ja, doet niet mee" if opened.has_objected else "nee"),
            Fact("Modellen die mede van deze leerling leerden", ", ".join(opened.models) or "geen"),
        ),
        parts=tuple(parts),
    )


def _package_forms(asked: Request) -> list[Part]:
    staff = Field(
        "medewerkers", "Met de accounts van wie heeft gekeken", "checkbox", is_required=False
    )
    address = f"/verzoeken/{asked.request_id}/pakket"
    note = (
        "Alle gegevens, kenmerken per maandag, lijsten en redenen, besluiten, wie heeft gekeken en "
        "welke modellen ervan leerden. Dat u het maakt wordt vastgelegd."
    )
    return [
        FormPart(
            f"pakket-{kind}",
            f"Inzagepakket ({kind.upper()})",
            address,
            f"Pakket maken ({kind.upper()})",
            (staff,),
            (("vorm", kind),),
            note=note if kind == "pdf" else "Hetzelfde, volledig, voor een computer.",
        )
        for kind in ("pdf", "json")
    ]


def _objection_form(opened: OpenedRequest) -> FormPart:
    address = f"/verzoeken/{opened.request.request_id}/bezwaar"
    if opened.has_objected:
        return FormPart(
            "bezwaar",
            "Bezwaar intrekken",
            address,
            "Intrekken",
            hidden=(("besluit", "intrekken"),),
            note="Alleen op verzoek van de leerling of de ouder.",
        )
    return FormPart(
        "bezwaar", "Bezwaar vastleggen", address, "Vastleggen", hidden=(("besluit", "vastleggen"),)
    )


def _erase_form(opened: OpenedRequest) -> FormPart:
    return FormPart(
        "wis",
        "Wissen",
        f"/verzoeken/{opened.request.request_id}/wis",
        "Definitief wissen",
        (Field("zeker", "Ik heb gecontroleerd dat dit mag en wil definitief wissen", "checkbox"),),
        warning="Alle gegevens van deze leerling verdwijnen uit Tijdig. Dit kan niet ongedaan "
        "worden gemaakt. Lijsten waarop de leerling stond, zijn daarna niet meer opnieuw te maken.",
    )


def _close_form(asked: Request) -> FormPart:
    return FormPart(
        "sluit",
        "Verzoek afsluiten",
        f"/verzoeken/{asked.request_id}/sluit",
        "Afsluiten",
        (Field("uitkomst", "Uitkomst", "textarea", hint="Geen naam of medische gegevens."),),
    )


@router.post("/verzoeken/{request_id}/pakket")
def package(
    site: TheSite,
    session: SignedInForm,
    request_id: str,
    vorm: Annotated[str, Form()] = "pdf",
    medewerkers: Annotated[str, Form()] = "",
) -> Response:
    """The access package as a download."""
    made = site.office.rights.package(
        session.account, request_id, site.clock(), staff=medewerkers == "ja"
    )
    is_pdf = vorm == "pdf"
    content: bytes = to_pdf(made) if is_pdf else to_json(made).encode()
    name = f"inzage-{local_day(made.made_at):%Y%m%d}.{'pdf' if is_pdf else 'json'}"
    return Response(
        content,
        media_type="application/pdf" if is_pdf else "application/json",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


@router.post("/verzoeken/{request_id}/bezwaar")
def objection(
    site: TheSite, session: SignedInForm, request_id: str, besluit: Annotated[str, Form()] = ""
) -> Response:
    """Keep or withdraw an objection."""
    desk = site.office.rights
    act = {"vastleggen": desk.accept_objection, "intrekken": desk.withdraw_objection}.get(besluit)
    if act is None:
        raise NotAllowed("an objection is kept or withdrawn, nothing else")
    act(session.account, request_id, site.clock())
    return RedirectResponse(f"/verzoeken/{request_id}", 303)


@router.post("/verzoeken/{request_id}/wis")
def erase(
    site: TheSite, session: SignedInForm, request_id: str, zeker: Annotated[str, Form()] = ""
) -> Response:
    """Erase, and show what went and what stays."""
    if zeker != "ja":
        return RedirectResponse(f"/verzoeken/{request_id}", 303)
    report = site.office.rights.erase(session.account, request_id, site.clock())
    return site.render(_erased_page(site, session, request_id, report))


def _erased_page(
    site: TheSite, session: SignedIn, request_id: str, report: ErasureReport
) -> OfficePage:
    rows = tuple((what, str(count)) for what, count in report.removed.items())
    return OfficePage(
        frame=site.frame("Gewist", session, Area.RIGHTS),
        heading="De leerling is gewist",
        lead=f"School {report.school}, {long_day(local_day(report.moment))}. Bewaar dit verslag "
        "bij het verzoek; er staat geen naam in.",
        back=_BACK,
        notices=(Notice(("Klaar.", "Sluit het verzoek hieronder af.")),),
        parts=(
            TablePart("weg", "Wat is weggehaald", ("Wat", "Rijen"), rows),
            TextPart("Wat blijft, en waarom dat mag", points=report.stays),
            _models(report),
            FormPart(
                "sluit",
                "Verzoek afsluiten",
                f"/verzoeken/{request_id}/sluit",
                "Afsluiten",
                (Field("uitkomst", "Uitkomst", "textarea", value="Gewist; verslag gegeven."),),
            ),
        ),
    )


def _models(report: ErasureReport) -> TextPart:
    if not report.models:
        return TextPart("Modellen", ("Geen enkel model in het register leerde van deze leerling.",))
    return TextPart(
        "Modellen, en wat opnieuw trainen doet",
        (
            "Deze modellen leerden mede van deze leerling. Bij de volgende training is de leerling "
            "er niet bij. Hoeveel een lijst daardoor verandert, meet de data scientist: die traint "
            "hetzelfde experiment opnieuw en vergelijkt het nieuwe model met het oude (Vergelijken "
            "in het menu). Per model staat hieronder hoe.",
        ),
        (*report.models, *report.effect, *report.measure),
    )


@router.post("/verzoeken/{request_id}/sluit")
def close(
    site: TheSite, session: SignedInForm, request_id: str, uitkomst: Annotated[str, Form()] = ""
) -> Response:
    """Close a request with its outcome; an empty or too long one brings the page back."""
    if uitkomst.strip() and len(uitkomst) <= LONGEST_OUTCOME:
        site.office.rights.handle(session.account, request_id, uitkomst, site.clock())
        return RedirectResponse("/verzoeken", 303)
    return RedirectResponse(f"/verzoeken/{request_id}", 303)
