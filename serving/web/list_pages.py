"""The bespreeklijst of one school and week, and the way to put a pupil on it by hand."""

from datetime import date, timedelta
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Form, HTTPException
from fastapi.responses import RedirectResponse, Response

from serving.access import Area
from serving.beside import AddedBecause, WeekFacts
from serving.desk import MOST_FOUND, WeekView
from serving.lists import Block
from serving.sessions import Session
from serving.web.contexts.frame import Link, Option
from serving.web.contexts.week_list import (
    AddPage,
    Column,
    FoundLine,
    GoneLine,
    ListPage,
    NoListPage,
)
from serving.web.dutch import (
    counted,
    full_day,
    local_day,
    long_day,
    moment,
    table_day,
    week_number,
    within,
)
from serving.web.list_rows import (
    DEFAULT_SORT,
    SELECTIONS,
    SORTINGS,
    Entry,
    blocks_of,
    entries_of,
    in_order,
)
from serving.web.services import SignedIn, SignedInForm, Site, TheSite

router = APIRouter()

KEEP = timedelta(days=13)
SOON = timedelta(days=14)
LONGEST_NAME = 60


@router.get("/lijst")
def own_list(site: TheSite, session: SignedIn) -> Response:
    """To the list of one's own school."""
    school = site.premises.first_school(session.account, site.clock())
    return RedirectResponse(f"/lijst/{school}", 303)


@router.get("/lijst/{school}")
def week_list(
    site: TheSite,
    session: SignedIn,
    school: str,
    week: str = "",
    sorteer: str = DEFAULT_SORT,
    richting: str = "op",
    toon: str = "",
    bewaard: str = "",
) -> Response:
    """The list of one week; without a week, the newest."""
    now = site.clock()
    view = site.desk.week(session.account, school, _monday(week), now)
    if view is None:
        frame = site.frame("Nog geen bespreeklijst", session, Area.LIST)
        return site.render(NoListPage(frame, site.premises.school_name(school, now)))
    sort = sorteer if sorteer in SORTINGS else DEFAULT_SORT
    direction = "af" if richting == "af" else "op"
    chosen = toon if toon in SELECTIONS else ""
    everyone = in_order(entries_of(view), sort, direction)
    entries = [entry for entry in everyone if SELECTIONS[chosen][1](entry)]
    published = view.published
    number = week_number(published.as_of)
    page = ListPage(
        frame=site.frame(f"Bespreeklijst week {number}", session, Area.LIST),
        school=school,
        school_name=view.school_name,
        schools=own_schools(site, session, school),
        week=number,
        week_of=full_day(published.as_of),
        weeks=_weeks(view),
        sort=sort,
        direction=direction,
        selection=chosen,
        selections=_selections(everyone, school, published.as_of, chosen),
        count=counted(
            sum(row.block is not Block.TOO_LITTLE_DATA for row in published.rows),
            "leerling",
            "leerlingen",
        ),
        open_count=counted(sum(entry.line.is_open for entry in everyone), "leerling", "leerlingen"),
        capacity=published.capacity,
        data_until=full_day(published.data_until),
        published=moment(published.published_at),
        model_version=published.model_version,
        columns=_columns(school, published.as_of, sort, direction, chosen),
        blocks=blocks_of(view, entries),
        gone=_gone(view),
        missing=_missing(view.facts),
        reminders=_reminders(view, local_day(now)),
        add_address=f"/lijst/{school}/toevoegen" if view.is_newest else "",
        newest_address="" if view.is_newest else f"/lijst/{school}",
        keep_until=long_day(published.as_of + KEEP),
        saved=_saved(everyone, bewaard),
    )
    return site.render(page)


@router.get("/lijst/{school}/toevoegen/zoek")
@router.get("/lijst/{school}/toevoegen")
def add_page(site: TheSite, session: SignedIn, school: str) -> Response:
    """The empty form to search a pupil of one's own school, to put on the list by hand."""
    return _add_page(site, session, school)


@router.post("/lijst/{school}/toevoegen/zoek")
def search(
    site: TheSite, session: SignedInForm, school: str, naam: Annotated[str, Form()] = ""
) -> Response:
    """Who fits; the name is typed in a form and never stands in an address."""
    return _add_page(site, session, school, naam)


@router.post("/lijst/{school}/toevoegen")
def add(
    site: TheSite,
    session: SignedInForm,
    school: str,
    naam: Annotated[str, Form()] = "",
    pupil: Annotated[str, Form()] = "",
    because: Annotated[str, Form()] = "",
) -> Response:
    """Put the chosen pupil on the newest list, and open the pupil's page."""
    if not pupil or because not in {one.value for one in AddedBecause}:
        problem = "Kies een leerling." if not pupil else "Kies waarom u deze leerling toevoegt."
        return _add_page(site, session, school, naam, problem, pupil, because)
    row = site.desk.add(
        session.account, school, pupil, AddedBecause(because), session.form_token, site.clock()
    )
    return RedirectResponse(f"/leerling/{row.row_id}", 303)


def _add_page(
    site: Site,
    session: Session,
    school: str,
    words: str = "",
    problem: str = "",
    pupil: str = "",
    because: str = "",
) -> Response:
    now = site.clock()
    words = words[:LONGEST_NAME].strip()
    found = site.desk.find(session.account, school, words, session.form_token, now)
    page = AddPage(
        frame=site.frame("Leerling toevoegen", session, Area.LIST),
        back=Link("Terug naar de lijst", f"/lijst/{school}"),
        action=f"/lijst/{school}/toevoegen",
        school_name=site.premises.school_name(school, now),
        words=words,
        longest=LONGEST_NAME,
        found=tuple(
            FoundLine(one.handle, one.name.full, one.group or "–", one.handle == pupil)
            for one in found
        ),
        nothing_found="" if found or not words else _NOTHING_FOUND,
        more=_MORE if len(found) == MOST_FOUND else "",
        because=tuple(Option(one.value, one.label, one.value == because) for one in AddedBecause),
        problem=problem,
    )
    return site.render(page, 422 if problem else 200)


_MORE = (
    f"Hier staan de eerste {MOST_FOUND}. Staat de leerling er niet bij? Typ dan meer van de naam."
)
_NOTHING_FOUND = (
    "Geen leerling van uw school gevonden met deze naam. Typ minstens twee letters, en kijk of de "
    "naam goed is gespeld."
)


def own_schools(site: Site, session: Session, school: str) -> tuple[Option, ...]:
    """The schools to choose from; none for who has one."""
    own = sorted(session.account.schools)
    now = site.clock()
    return tuple(
        Option(code, site.premises.school_name(code, now), code == school)
        for code in (own if len(own) > 1 else ())
    )


def _monday(week: str) -> date | None:
    if not week:
        return None
    try:
        return date.fromisoformat(week)
    except ValueError as problem:
        raise HTTPException(404) from problem


def _weeks(view: WeekView) -> tuple[Option, ...]:
    return tuple(
        Option(
            monday.isoformat(),
            f"week {week_number(monday)}, {table_day(monday)}",
            monday == view.published.as_of,
        )
        for monday in view.weeks
    )


def _selections(entries: list[Entry], school: str, as_of: date, chosen: str) -> tuple[Link, ...]:
    links = []
    for name, (label, belongs) in SELECTIONS.items():
        number = sum(belongs(entry) for entry in entries)
        query = urlencode({"week": as_of.isoformat(), "toon": name})
        links.append(Link(f"{label} ({number})", f"/lijst/{school}?{query}", name == chosen))
    return tuple(links)


def _columns(
    school: str, as_of: date, sort: str, direction: str, chosen: str
) -> tuple[Column, ...]:
    columns = []
    for name, (label, what, _key) in SORTINGS.items():
        turned = "af" if name == sort and direction == "op" else "op"
        query = {"week": as_of.isoformat(), "sorteer": name, "richting": turned}
        if chosen:
            query["toon"] = chosen
        aria = ""
        if name == sort:
            aria = "ascending" if direction == "op" else "descending"
        hint = f"sorteer op {what}" + (", omgekeerd" if turned == "af" else "")
        columns.append(Column(label, f"/lijst/{school}?{urlencode(query)}", aria, hint))
    return tuple(columns)


def _gone(view: WeekView) -> tuple[GoneLine, ...]:
    gone = view.facts.gone if view.facts else ()
    by_name = sorted(gone, key=lambda one: view.names[one.pupil_key].sort_key)
    return tuple(
        GoneLine(view.names[one.pupil_key].full, one.group or "–", one.because.label)
        for one in by_name
    )


def _missing(facts: WeekFacts | None) -> tuple[str, ...]:
    """What the records of the school lack, about the school and never about one pupil."""
    if facts is None:
        return ()
    lines = [
        f"Groep {group}: in {counted(weeks, 'week', 'weken')} van de laatste 12 schoolweken is "
        "niets geregistreerd. Die weken tellen niet mee als aanwezig."
        for group, weeks in facts.unregistered
    ]
    if facts.without_reason:
        pupils = counted(facts.without_reason, "leerling", "leerlingen")
        lines.append(f"Bij {pupils} is van afwezigheid de reden nog niet vastgelegd.")
    if facts.objections:
        pupils = counted(facts.objections, "leerling", "leerlingen")
        lines.append(f"{pupils} niet meegenomen: er is bezwaar gemaakt.")
    return tuple(lines)


def _reminders(view: WeekView, today: date) -> tuple[str, ...]:
    """Clocks of pupils at home that run out soon; who it is stands on the page of its own."""
    if not view.is_newest:
        return ()
    soon = [
        (words, clock)
        for row in view.at_home
        for words, clock in (
            ("vier weken", row.four_weeks_on),
            ("drie maanden", row.three_months_on),
        )
        if clock and today <= clock <= today + SOON
    ]
    lines = []
    for words in ("vier weken", "drie maanden"):
        clocks = sorted(clock for name, clock in soon if name == words)
        if clocks:
            pupils = counted(len(clocks), "leerling", "leerlingen")
            verb = "is" if len(clocks) == 1 else "zijn"
            lines.append(
                f"Op {table_day(clocks[0])} {verb} {pupils} {words} thuis."
                if len(set(clocks)) == 1
                else f"Tussen {table_day(clocks[0])} en {table_day(clocks[-1])} {verb} {pupils} "
                f"{words} thuis."
            )
    return tuple(lines)


def _saved(entries: list[Entry], row_id: str) -> str:
    for entry in entries:
        if entry.line.row_id == row_id and not entry.line.is_open:
            return f"Besluit bewaard voor {entry.line.name}: {within(entry.line.status)}."
    return ""
