"""The emergency stop: no more lists for one school or for all, until it is lifted."""

from typing import Annotated

from fastapi import APIRouter, Form
from fastapi.responses import RedirectResponse, Response

from features.errors import NotAllowed
from features.governance.stops import EVERYWHERE
from serving.access import Area
from serving.web.contexts.frame import Option
from serving.web.contexts.office import Field, FormPart, Notice, OfficePage, Part, TablePart
from serving.web.dutch import moment
from serving.web.services import SignedIn, SignedInForm, TheSite

router = APIRouter()

_ALL_SCHOOLS = "alle"


@router.get("/noodstop")
def emergency(site: TheSite, session: SignedIn, bewaard: str = "") -> Response:
    """Which lists are stopped, and the forms to stop and resume."""
    now = site.clock()
    desk = site.office.contracts
    desk.may_decide(session.account, now)
    names = dict(desk.schools(now)) | {EVERYWHERE: "Alle scholen"}
    stops = desk.stops()
    rows = tuple(
        (names.get(stop.school, stop.school), moment(stop.since), stop.actor, stop.reason)
        for stop in stops.values()
    )
    reason = Field("reden", "Reden", "textarea", hint="De scholen lezen dit.")
    schools = tuple(Option(_ALL_SCHOOLS if c == EVERYWHERE else c, n) for c, n in names.items())
    stopped = tuple(option for option in schools if _code(option.value) in stops)
    parts: list[Part] = [
        TablePart(
            "gestopt",
            "Nu gestopt",
            ("Voor", "Sinds", "Door", "Reden"),
            rows,
            empty="Niets: alle lijsten gaan door.",
        ),
        FormPart(
            "stop",
            "Lijsten stoppen",
            "/noodstop/stop",
            "Stoppen",
            (
                Field(
                    "school", "Voor welke school?", "select", options=(schools[-1:] + schools[:-1])
                ),
                reason,
            ),
            note="Er wordt geen lijst meer gemaakt en niets meer getoond tot u dit opheft.",
        ),
    ]
    if stopped:
        parts.append(
            FormPart(
                "hervat",
                "Hervatten",
                "/noodstop/hervat",
                "Hervatten",
                (Field("school", "Voor welke school?", "select", options=stopped), reason),
            )
        )
    told = {"ja": Notice(("Bewaard.",)), "nee": Notice(("Vul een reden in.",), is_problem=True)}
    page = OfficePage(
        frame=site.frame("Noodstop", session, Area.CONTRACTS),
        heading="Noodstop",
        lead="Stop de lijsten van één school of van alle scholen, met een reden.",
        notices=tuple(told[kept] for kept in (bewaard,) if kept in told),
        parts=tuple(parts),
    )
    return site.render(page)


@router.post("/noodstop/{what}")
def change_stop(
    site: TheSite,
    session: SignedInForm,
    what: str,
    school: Annotated[str, Form()] = "",
    reden: Annotated[str, Form()] = "",
) -> Response:
    """Stop or resume."""
    desk = site.office.contracts
    change = {"stop": desk.stop, "hervat": desk.lift}.get(what)
    if change is None:
        raise NotAllowed("lists are stopped or resumed, nothing else")
    if not reden.strip():
        desk.may_decide(session.account, site.clock())
        return RedirectResponse("/noodstop?bewaard=nee", 303)
    change(session.account, _code(school), reden, site.clock())
    return RedirectResponse("/noodstop?bewaard=ja", 303)


def _code(value: str) -> str:
    return EVERYWHERE if value == _ALL_SCHOOLS else value
