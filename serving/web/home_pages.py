"""Al in beeld: who is at home now, which clocks run, what is offered and who is in charge."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Annotated

from fastapi import APIRouter, Form
from fastapi.responses import RedirectResponse, Response

from serving.access import Area
from serving.beside import Place, SideRow
from serving.home_desk import (
    AT_HOME_OFFERS,
    LEAVER_OFFERS,
    LONGEST_IN_CHARGE,
    HomeView,
    Offer,
    in_charge_problem,
)
from serving.sessions import Session
from serving.web.contexts.at_home import (
    AtHomePage,
    CareForm,
    ClockLine,
    HomeLine,
    NobodyHomePage,
)
from serving.web.contexts.frame import Option
from serving.web.dutch import (
    counted,
    full_day,
    listing,
    local_day,
    long_day,
    moment,
    table_day,
    week_number,
)
from serving.web.list_pages import own_schools
from serving.web.services import SignedIn, SignedInForm, Site, TheSite

router = APIRouter()

SOON = timedelta(days=14)


@dataclass(frozen=True)
class Typed:
    """What somebody typed that could not be kept, and about which row."""

    row_id: str = ""
    in_charge: str = ""
    offer: str = ""
    problem: str = ""


@router.get("/al-in-beeld")
def own_school(site: TheSite, session: SignedIn) -> Response:
    """To the pupils at home of one's own school."""
    school = site.premises.first_school(session.account, site.clock())
    return RedirectResponse(f"/al-in-beeld/{school}", 303)


@router.get("/al-in-beeld/{school}")
def at_home(site: TheSite, session: SignedIn, school: str, bewaard: str = "") -> Response:
    """The pupils at home of one school, on its newest Monday."""
    return _page(site, session, school, Typed(), bewaard)


@router.post("/al-in-beeld/rij/{row_id}")
def enter(
    site: TheSite,
    session: SignedInForm,
    row_id: str,
    in_charge: Annotated[str, Form()] = "",
    offer: Annotated[str, Form()] = "",
) -> Response:
    """Keep who is in charge and what the offer is; or show the page again with what was typed."""
    now = site.clock()
    in_charge = in_charge.strip()
    problem = in_charge_problem(in_charge)
    if offer not in {one.value for one in Offer}:
        problem = problem or "Kies of er een aanbod is."
    if problem:
        school = site.home_desk.school_of(session.account, row_id, now)
        return _page(site, session, school, Typed(row_id, in_charge, offer, problem), "")
    row = site.home_desk.enter(session.account, row_id, in_charge, Offer(offer), now)
    return RedirectResponse(f"/al-in-beeld/{row.school}?bewaard={row_id}#rij-{row_id}", 303)


def _page(site: Site, session: Session, school: str, typed: Typed, saved: str) -> Response:
    now = site.clock()
    view = site.home_desk.view(session.account, school, now)
    if view is None:
        frame = site.frame("Al in beeld", session, Area.AT_HOME)
        return site.render(NobodyHomePage(frame, site.premises.school_name(school, now)))
    today = local_day(now)
    lines = [_line(view, row, today, typed) for row in view.at_home]
    leavers = [_line(view, row, today, typed) for row in view.out_of_sight]
    page = AtHomePage(
        frame=site.frame("Al in beeld", session, Area.AT_HOME),
        school_name=view.school_name,
        schools=own_schools(site, session, school),
        week=week_number(view.as_of),
        data_until=full_day(view.data_until),
        count=counted(len(lines), "leerling", "leerlingen"),
        long=_passed(view.at_home, "four_weeks_on", today),
        very_long=_passed(view.at_home, "three_months_on", today),
        reminders=tuple(reminders(view, today)),
        lines=tuple(line for _key, line in sorted(lines, key=lambda pair: pair[0])),
        leavers=tuple(line for _key, line in sorted(leavers, key=lambda pair: pair[0])),
        saved=_saved(view, saved),
        problem=typed.problem,
        longest=LONGEST_IN_CHARGE,
    )
    return site.render(page, 422 if typed.problem else 200)


def _line(
    view: HomeView, row: SideRow, today: date, typed: Typed
) -> tuple[tuple[date, tuple[str, str]], HomeLine]:
    """The line, and what it is sorted by: the longest at home first, then by name."""
    name = view.names[row.pupil_key]
    entry = view.entries.get(row.pupil_key)
    decisions = view.decisions.get(row.pupil_key, [])
    offers = AT_HOME_OFFERS if row.place is Place.AT_HOME else LEAVER_OFFERS
    mine = typed if typed.row_id == row.row_id else None
    chosen = mine.offer if mine else entry.offer.value if entry else ""
    in_charge = mine.in_charge if mine else entry.in_charge if entry else ""
    line = HomeLine(
        row_id=row.row_id,
        name=name.full,
        group=row.group or "–",
        since=long_day(row.since) if row.since else "niet precies bekend",
        days=counted(row.school_days, "schooldag", "schooldagen"),
        note=_between(row),
        kinds=listing([kind.label for kind in row.kinds]),
        clocks=tuple(_clocks(row, today)),
        running=row.running,
        last_contact=table_day(row.last_contact) if row.last_contact else "",
        in_charge=entry.in_charge if entry else "",
        offer=entry.offer.label if entry else "",
        entered=f"{moment(entry.entered_at)}, {entry.entered_by}" if entry else "",
        decided=decisions[0].what if decisions else "",
        form=CareForm(
            action=f"/al-in-beeld/rij/{row.row_id}",
            in_charge=in_charge,
            offers=tuple(Option(one.value, one.label, one.value == chosen) for one in offers),
            problem=mine.problem if mine else "",
        ),
    )
    return (row.since or date.max, name.sort_key), line


def _between(row: SideRow) -> str:
    """What lies between the first day and now, apart from days missed."""
    parts = ["een vakantie"] if row.over_holiday else []
    if row.days_at_school:
        parts.append(f"{counted(row.days_at_school, 'dag', 'dagen')} wel op school")
    return f"met {listing(parts)} ertussen" if parts else ""


def _clocks(row: SideRow, today: date) -> list[ClockLine]:
    clocks = (("Vier weken", row.four_weeks_on), ("Drie maanden", row.three_months_on))
    return [
        ClockLine(label, _when(clock, today), today <= clock <= today + SOON)
        for label, clock in clocks
        if clock is not None
    ]


def _when(clock: date, today: date) -> str:
    """A clock in words.

    >>> _when(date(2026, 11, 25), date(2026, 11, 16)), _when(date(2026, 9, 1), date(2026, 11, 16))
    ('op 25 nov 2026, over 9 dagen', 'voorbij sinds 1 sep 2026')
    """
    if clock < today:
        return f"voorbij sinds {table_day(clock)}"
    if clock == today:
        return f"vandaag, {table_day(clock)}"
    return f"op {table_day(clock)}, over {counted((clock - today).days, 'dag', 'dagen')}"


def reminders(view: HomeView, today: date) -> list[str]:
    """Clocks that run out soon, the first one first, with who is in charge: none unseen."""
    lines = []
    for row in view.at_home:
        entry = view.entries.get(row.pupil_key)
        charge = entry.in_charge if entry and entry.in_charge else "nog niemand"
        name = view.names[row.pupil_key]
        for day, clock in zip(_days(row), _clocks(row, today), strict=True):
            if clock.is_near:
                told = f"{clock.label} thuis: {name.full}, {clock.when}. Wie regelt het: {charge}."
                lines.append((day, name.sort_key, told))
    return [told for _day, _name, told in sorted(lines)]


def _days(row: SideRow) -> list[date]:
    return [day for day in (row.four_weeks_on, row.three_months_on) if day is not None]


def _passed(rows: tuple[SideRow, ...], clock: str, today: date) -> str:
    passed = sum((day := getattr(row, clock)) is not None and day <= today for row in rows)
    return counted(passed, "leerling", "leerlingen")


def _saved(view: HomeView, row_id: str) -> str:
    names: Mapping[str, str] = {
        row.row_id: view.names[row.pupil_key].full for row in (*view.at_home, *view.out_of_sight)
    }
    if row_id in names:
        return f"Bewaard voor {names[row_id]}."
    return "Bewaard." if row_id else ""
