"""The page of one pupil, and the decision that is kept from it."""

import re
import secrets
from datetime import date, timedelta
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Form, HTTPException
from fastapi.responses import RedirectResponse, Response

from features.school_weeks import Duty
from serving.access import Area
from serving.beside import Place
from serving.decisions import (
    FURTHEST_LOOK_BACK,
    Decision,
    Draft,
    DraftProblem,
    check,
)
from serving.desk import PupilView
from serving.facts import SupportItem
from serving.lists import Block, ListRow, Newness
from serving.notes import LONGEST_NOTE
from serving.sessions import Session
from serving.steps import STEPS, DecisionKind, NoActionBecause, Outcome
from serving.value_desk import why_none
from serving.web.contexts.frame import Link, Option
from serving.web.contexts.pupil import (
    DecisionForm,
    DecisionLine,
    EvidenceLine,
    MembershipLine,
    PupilPage,
    ReasonPart,
    StepGroup,
    SupportLine,
)
from serving.web.dutch import counted, full_day, local_day, moment, table_day, week_number
from serving.web.former_school import former_school
from serving.web.pupil_calendar import calendar_parts, legend, summary
from serving.web.services import SignedIn, SignedInForm, Site, TheSite

router = APIRouter()

FORM_FIELDS = ("kind", "no_action_because", "owner", "look_back_on", "note")
_DECISION_ID = re.compile(r"[0-9a-f]{32}")
_NEWNESS = {
    Newness.NEW: "voor het eerst",
    Newness.AGAIN: "ook vorige week",
    Newness.BACK: "terug op de lijst",
}


@router.get("/leerling/{row_id}")
def pupil_page(site: TheSite, session: SignedIn, row_id: str, bewaard: str = "") -> Response:
    """The page of the row with this id."""
    saved = "Bewaard hoe het ging." if bewaard == "uitkomst" else ""
    return _page(site, session, row_id, Draft(), (), saved)


@router.post("/leerling/{row_id}/besluit")
def decide(
    site: TheSite,
    session: SignedInForm,
    row_id: str,
    kind: Annotated[str, Form()] = "",
    no_action_because: Annotated[str, Form()] = "",
    owner: Annotated[str, Form()] = "",
    look_back_on: Annotated[str, Form()] = "",
    note: Annotated[str, Form()] = "",
    decision_id: Annotated[str, Form()] = "",
) -> Response:
    """Keep the decision and go back to the list; or show the form again, with what was typed."""
    now = site.clock()
    # Browsers send line ends as two characters; people count one.
    plain = note.replace("\r\n", "\n").strip()
    draft = Draft(kind, no_action_because, owner.strip(), look_back_on.strip(), plain)
    problems = check(draft, local_day(now))
    if problems:
        return _page(site, session, row_id, draft, problems)
    once = decision_id if _DECISION_ID.fullmatch(decision_id) else ""
    listed = site.desk.decide(session.account, row_id, draft, once, now)
    query = urlencode({"week": listed.as_of.isoformat(), "bewaard": row_id})
    return RedirectResponse(f"/lijst/{listed.school}?{query}#rij-{row_id}", 303)


@router.post("/besluit/{decision_id}/uitkomst")
def record_outcome(
    site: TheSite,
    session: SignedInForm,
    decision_id: str,
    outcome: Annotated[str, Form()] = "",
    row_id: Annotated[str, Form()] = "",
) -> Response:
    """Keep how it went with what was agreed, and go back to the page it was sent from."""
    if outcome not in {one.value for one in Outcome} or not _DECISION_ID.fullmatch(row_id):
        raise HTTPException(400)
    site.desk.record_outcome(session.account, decision_id, Outcome(outcome), site.clock())
    return RedirectResponse(f"/leerling/{row_id}?bewaard=uitkomst#kop-eerder", 303)


def _page(
    site: Site,
    session: Session,
    row_id: str,
    draft: Draft,
    problems: tuple[DraftProblem, ...],
    saved: str = "",
) -> Response:
    now = site.clock()
    view = site.desk.pupil(session.account, row_id, now)
    listed, facts = view.listed, view.facts
    week = week_number(listed.as_of)
    query = urlencode({"week": listed.as_of.isoformat()})
    page = PupilPage(
        # The title stands in the browser's history, so it holds no name.
        frame=site.frame(f"Leerling, week {week}", session, Area.LIST),
        back=Link(f"Terug naar de lijst van week {week}", f"/lijst/{listed.school}?{query}"),
        name=view.name.full,
        group=facts.group or listed.row.group or "onbekend",
        year_group=facts.year_group,
        school_name=view.school_name,
        place=_place(view),
        access_reason=view.access_reason,
        row_id=row_id,
        saved=saved,
        week=week,
        data_until=full_day(listed.data_until),
        summary=(
            *summary(facts),
            *(line for one in facts.former for line in former_school(one)),
        ),
        calendar=calendar_parts(facts),
        legend=legend(),
        support=tuple(_support(number, item) for number, item in enumerate(facts.support, start=1)),
        reasons=_reasons(listed.row),
        counter_evidence=listed.row.explanation.counter_evidence,
        not_weighed=_NOT_WEIGHED[view.side.place] if view.side else "",
        all_values=(
            Link(
                "Alles wat deze week over deze leerling is geteld", f"/leerling/{row_id}/tellingen"
            )
            if why_none(view.memberships) is None
            else None
        ),
        memberships=_memberships(view),
        decisions=tuple(_decision(decision) for decision in view.decisions),
        legal=legal(facts.duty),
        form=_form(view, draft, problems, local_day(now)),
    )
    return site.render(page, 422 if problems else 200)


_NOT_WEIGHED = {
    Place.ADDED: "Deze leerling is met de hand toegevoegd. Er is niets gewogen.",
    Place.BY_APPOINTMENT: (
        "Deze leerling staat hier op afspraak, niet om wat er deze week in de gegevens staat."
    ),
    Place.AT_HOME: "Deze leerling is al thuis. Dan wordt er niets meer gewogen.",
    Place.OUT_OF_SIGHT: "Deze leerling is uitgeschreven. Er wordt niets meer gewogen.",
}


def legal(duty: Duty | None) -> str:
    """What must be reported; the duty begins after the fifth birthday and ends at eighteen.

    >>> legal(Duty.NOT_YET)
    'deze leerling is nog niet leerplichtig; melden bij 16 uur hoeft nog niet.'
    """
    match duty:
        case Duty.NOT_YET:
            return "deze leerling is nog niet leerplichtig; melden bij 16 uur hoeft nog niet."
        case Duty.ADULT:
            return (
                "deze leerling is 18 jaar of ouder; melden bij 16 uur ongeoorloofd verzuim "
                "in 4 lesweken mag, maar hoeft niet."
            )
        case _:
            return "bij 16 uur ongeoorloofd verzuim in 4 lesweken meldt de directeur direct."


def _place(view: PupilView) -> str:
    week = week_number(view.listed.as_of)
    if view.side is not None:
        return f"week {week}, {view.side.place.label.lower()}"
    row = view.listed.row
    return f"week {week}, {Block(row.block).label.lower()}, {_NEWNESS[Newness(row.newness)]}"


def _reasons(row: ListRow) -> tuple[ReasonPart, ...]:
    return tuple(
        ReasonPart(
            theme=reason.theme.label,
            sentence=reason.sentence,
            comparison=reason.comparison,
            evidence=tuple(
                EvidenceLine(table_day(item.day), item.label, item.detail)
                for item in reason.evidence
            ),
            evidence_count=counted(len(reason.evidence), "registratie", "registraties"),
        )
        for reason in row.explanation.reasons
    )


def _support(number: int, item: SupportItem) -> SupportLine:
    period = table_day(item.starts_on) if item.starts_on else "datum niet vastgelegd"
    if item.ends_on and item.ends_on != item.starts_on:
        period += f" t/m {table_day(item.ends_on)}"
    elif item.is_open and item.starts_on:
        period = f"sinds {period}"
    return SupportLine(number, item.kind.label, item.status.label, period)


def _memberships(view: PupilView) -> tuple[MembershipLine, ...]:
    return tuple(
        MembershipLine(
            f"week {week_number(monday)}, {table_day(monday)}",
            block.label if block else "niet op de lijst",
            monday == view.listed.as_of,
        )
        for monday, block in view.memberships.items()
    )


def _decision(decision: Decision) -> DecisionLine:
    agreed = decision.kind.is_help or decision.look_back_on is not None
    return DecisionLine(
        decision_id=decision.decision_id,
        when=moment(decision.decided_at),
        who=decision.decided_by,
        what=decision.what,
        owner=decision.owner,
        look_back=table_day(decision.look_back_on) if decision.look_back_on else "",
        note=decision.note,
        outcome=decision.outcome.label if decision.outcome else "",
        outcomes=tuple(
            Option(one.value, one.label, one is decision.outcome)
            for one in (Outcome if agreed else ())
        ),
    )


def _form(
    view: PupilView, draft: Draft, problems: tuple[DraftProblem, ...], today: date
) -> DecisionForm:
    by_field = {
        name: tuple(problem.message for problem in problems if problem.field == name)
        for name in FORM_FIELDS
    }
    return DecisionForm(
        action=f"/leerling/{view.address.row_id}/besluit",
        # Sent twice (a double click, a reload) it is still one decision.
        decision_id=secrets.token_hex(16),
        steps=tuple(
            StepGroup(f"stap-{number}", heading, tuple(_step(kind, draft) for kind in kinds))
            for number, (heading, kinds) in enumerate(STEPS, start=1)
        ),
        because=tuple(
            Option(because.value, because.label, because == draft.no_action_because)
            for because in NoActionBecause
        ),
        owner=draft.owner,
        owners=view.owners,
        look_back_on=draft.look_back_on,
        earliest=(today + timedelta(days=1)).isoformat(),
        latest=(today + FURTHEST_LOOK_BACK).isoformat(),
        note=draft.note,
        longest_note=LONGEST_NOTE,
        problems=by_field,
        problem_count=(
            f"Kijk naar {counted(len(problems), 'punt', 'punten')} hieronder." if problems else ""
        ),
    )


def _step(kind: DecisionKind, draft: Draft) -> Option:
    return Option(kind.value, kind.label, kind == draft.kind)
