"""Zorgteam-overzicht: what was agreed between two dates, on the page, as PDF and as spreadsheet."""

from datetime import date, timedelta
from typing import Annotated

from fastapi import APIRouter, Form, HTTPException
from fastapi.responses import RedirectResponse, Response

from serving.access import Area
from serving.exports import EXPORTS
from serving.sessions import Session
from serving.team_desk import Agreement, TeamView
from serving.web.contexts.team import AgreementLine, TeamPage
from serving.web.dutch import counted, local_day, long_day, moment, table_day
from serving.web.list_pages import own_schools
from serving.web.services import SignedIn, SignedInForm, Site, TheSite

router = APIRouter()

USUAL = timedelta(weeks=4)
LONGEST = timedelta(days=366)


@router.get("/zorgteam")
def own_school(site: TheSite, session: SignedIn) -> Response:
    """To the overview of one's own school."""
    school = site.premises.first_school(session.account, site.clock())
    return RedirectResponse(f"/zorgteam/{school}", 303)


@router.get("/zorgteam/{school}")
def overview(
    site: TheSite, session: SignedIn, school: str, van: str = "", tot: str = ""
) -> Response:
    """The agreements between two dates; the last four weeks when none are given."""
    now = site.clock()
    today = local_day(now)
    first, last, problem = _period(van, tot, today)
    view = site.team_desk.view(session.account, school, first, last, now)
    return site.render(_page(site, session, view, problem), 422 if problem else 200)


@router.post("/zorgteam/{school}/{form}")
def export(
    site: TheSite,
    session: SignedInForm,
    school: str,
    form: str,
    van: Annotated[str, Form()] = "",
    tot: Annotated[str, Form()] = "",
) -> Response:
    """The same as a file. A form and not a link: no browser fetches it ahead by itself."""
    now = site.clock()
    if form not in EXPORTS or not site.settings.exports:
        site.premises.guard.school(session.account, school, now)
        raise HTTPException(404)
    first, last, _problem = _period(van, tot, local_day(now))
    view = site.team_desk.export(session.account, school, first, last, form, now)
    media_type, write = EXPORTS[form]
    # The name of the file tells no pupil.
    name = f"zorgteam-{school}-{last.isoformat()}.{form}"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(write(_lines(view), view), media_type=media_type, headers=headers)


def _page(site: Site, session: Session, view: TeamView, problem: str) -> TeamPage:
    return TeamPage(
        frame=site.frame("Zorgteam-overzicht", session, Area.TEAM),
        school=view.school,
        school_name=view.school_name,
        schools=own_schools(site, session, view.school),
        first=view.first.isoformat(),
        last=view.last.isoformat(),
        period=f"{long_day(view.first)} t/m {long_day(view.last)}",
        count=counted(len(view.agreements), "afspraak", "afspraken"),
        lines=_lines(view),
        may_export=session.account.may_export and site.settings.exports,
        made_by=view.made_by,
        destroy_by=long_day(view.destroy_by),
        problem=problem,
    )


def _lines(view: TeamView) -> tuple[AgreementLine, ...]:
    return tuple(_line(agreement) for agreement in view.agreements)


def _line(agreement: Agreement) -> AgreementLine:
    decision = agreement.decision
    return AgreementLine(
        name=agreement.name.full,
        group=agreement.group or "–",
        what=decision.what,
        note=decision.note,
        owner=decision.owner,
        look_back=table_day(decision.look_back_on) if decision.look_back_on else "",
        decided=moment(decision.decided_at),
        outcome=decision.outcome.label if decision.outcome else "",
    )


def _period(van: str, tot: str, today: date) -> tuple[date, date, str]:
    """The days asked for, and what is wrong with them; the usual days where something is."""
    usual = (today - USUAL, today)
    try:
        first = date.fromisoformat(van) if van else usual[0]
        last = date.fromisoformat(tot) if tot else usual[1]
    except ValueError:
        return (*usual, "Dit is geen datum. Schrijf bijvoorbeeld 2026-11-30.")
    if first > last:
        return (*usual, "De eerste dag ligt na de laatste. Wissel ze om.")
    if last - first > LONGEST:
        return (*usual, "Kies hoogstens een jaar.")
    return first, last, ""
