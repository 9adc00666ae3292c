"""The page on what is kept and for how long: terms with their source, what is due, and proof."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Form
from fastapi.responses import RedirectResponse, Response

from features.governance.renewals import Renewal
from features.governance.retention import LEAST_LOG_MONTHS, RULES
from serving.access import Area
from serving.retention import Due, Run
from serving.retention_desk import Keeping
from serving.web.contexts.office import (
    Field,
    FormPart,
    Notice,
    OfficePage,
    Part,
    TablePart,
    TextPart,
)
from serving.web.dutch import counted, moment, period, table_day
from serving.web.services import SignedIn, SignedInForm, TheSite

router = APIRouter()

_COUNTED = {
    "left_pupils": ("leerling", "leerlingen"),
    "feature_values": ("maandag", "maandagen"),
    "lists": ("lijst", "lijsten"),
}
_SHORT = {
    "left_pupils": "vertrokken leerlingen",
    "feature_values": "berekende kenmerken",
    "lists": "lijsten en besluiten",
    "logs": "logboeken",
}


@router.get("/bewaren")
def retention(site: TheSite, session: SignedIn) -> Response:
    """Each kind of data: its term, where that comes from, what has had its term today."""
    now = site.clock()
    state = site.office.retention.state(session.account, now)
    page = OfficePage(
        frame=site.frame("Bewaren", session, Area.RETENTION),
        heading="Bewaren en weghalen",
        lead="Hoe lang Tijdig iets bewaart, waar die termijn vandaan komt en wat vandaag over de "
        "termijn is. Kijken haalt niets weg.",
        notices=tuple(_notices(state)),
        parts=tuple(_parts(state)),
    )
    return site.render(page)


@router.post("/bewaren")
def run(site: TheSite, session: SignedInForm, zeker: Annotated[str, Form()] = "") -> Response:
    """Take out what is due, when the officer is sure."""
    if zeker == "ja":
        site.office.retention.run(session.account, site.clock())
    return RedirectResponse("/bewaren", 303)


def _notices(state: Keeping) -> list[Notice]:
    told = []
    if state.problems:
        told.append(
            Notice(("Het bewijs van weghalen klopt niet meer.", *state.problems), is_problem=True)
        )
    if state.renewal_due:
        told.append(
            Notice(
                (
                    "De pseudoniemen moeten worden vernieuwd.",
                    f"Dat hoort elk jaar vanaf 1 augustus, nu dus sinds "
                    f"{table_day(state.renewal_due)}. Vraag het de beheerder; die gebruikt de "
                    "opdracht tijdig privacy rotate.",
                ),
                is_problem=True,
            )
        )
    return told


def _parts(state: Keeping) -> list[Part]:
    due = sum(one.found or 0 for one in state.rules)
    parts: list[Part] = [
        TablePart(
            "regels",
            "Termijnen",
            ("Soort gegevens", "Termijn", "Waar die vandaan komt", "Grens", "Over de termijn"),
            tuple(_rule(one) for one in state.rules),
            note="De beheerder stelt termijnen in onder [retention]. Logboeken blijven ten minste "
            f"{LEAST_LOG_MONTHS} maanden; een kortere termijn wordt geweigerd.",
        )
    ]
    if due:
        parts.append(
            FormPart(
                "weghalen",
                "Weghalen wat over de termijn is",
                "/bewaren",
                "Definitief weghalen",
                (Field("zeker", "Ik heb de lijst hierboven gecontroleerd", "checkbox"),),
                warning="Dit kan niet ongedaan worden gemaakt. Het bewijs komt in het inzagelog.",
            )
        )
    parts.append(_proofs(state.runs))
    parts += _pseudonyms(state.renewals)
    return parts


def _rule(one: Due) -> tuple[str, ...]:
    few = "wordt niet ingekort"
    if one.found is not None:
        few = counted(one.found, *_COUNTED[one.rule.name]) if one.found else "niets"
    return (
        one.rule.label,
        period(one.term),
        one.rule.source,
        f"van voor {table_day(one.before)}",
        few,
    )


def _proofs(runs: Sequence[Run]) -> TablePart:
    names = [rule.name for rule in RULES if rule.name in _COUNTED]
    rows = tuple(
        (
            moment(one.moment),
            ", ".join(f"{_SHORT[name]} {period(term)}" for name, term in one.terms.items()),
            ", ".join(f"{_SHORT[name]}: {one.removed.get(name, 0)} rijen" for name in names),
        )
        for one in runs
    )
    return TablePart(
        "bewijs",
        "Bewijs van weghalen",
        ("Wanneer", "Volgens welke termijnen", "Weggehaald"),
        rows,
        note="Elke regel is verzegeld in het inzagelog.",
        empty="Er is nog niets weggehaald.",
    )


def _pseudonyms(renewals: Sequence[Renewal]) -> list[Part]:
    rows = tuple(
        (
            moment(one.moment),
            f"versie {one.version}",
            "jaarlijks" if one.reason == "yearly" else one.reason,
            f"{sum(one.changed.values())} rijen",
            f"{sum(map(len, one.lists.values()))} lijsten opnieuw verzegeld",
        )
        for one in renewals
    )
    return [
        TextPart(
            "Pseudoniemen",
            (
                "Elk jaar, vanaf 1 augustus, krijgt iedere leerling een nieuw pseudoniem. De oude "
                "sleutel wordt vernietigd: met een oud uittreksel is dan niemand meer te vinden.",
                "Wie keek en wat er werd besloten, blijft na te gaan: het inzagelog kent een "
                "leerling onder een eigen naam, die niet verandert.",
            ),
        ),
        TablePart(
            "vernieuwd",
            "Vernieuwingen",
            ("Wanneer", "Nu", "Waarom", "Herschreven", "Lijsten"),
            rows,
            empty="Nog niet vernieuwd.",
        ),
    ]
