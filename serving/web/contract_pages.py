"""Pages to follow one feature and decide on it."""

from datetime import date, timedelta
from typing import Annotated

from fastapi import APIRouter, Form
from fastapi.responses import RedirectResponse, Response

from features.catalogue import CATALOGUE, Feature
from features.catalogue.feature import Unit
from features.catalogue.formulas import FORMULAS_NL
from features.governance.approvals import (
    LONGEST_APPROVAL,
    LONGEST_EXPERIMENT,
    ContractEvent,
    decision_problems,
)
from serving.access import Area, may_visit
from serving.contract_desk import FollowedFeature
from serving.models_in_use import KnownModel
from serving.registers import ContractStatus
from serving.web.contexts.frame import Link
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
from serving.web.dutch import counted, listing, local_day, long_day, moment, period, table_day
from serving.web.register_words import SENSITIVITY, allowed_uses
from serving.web.services import SignedIn, SignedInForm, TheSite

router = APIRouter()

_LATEST_WEEKS = 4


@router.get("/kenmerken/{name}")
def feature(site: TheSite, session: SignedIn, name: str, bewaard: str = "") -> Response:
    """One feature from source column to list, with its decisions and the forms to decide."""
    now = site.clock()
    followed = site.office.contracts.follow(session.account, name, now)
    may_decide = may_visit(session.account, Area.CONTRACTS)
    parts: list[Part] = [_lineage(followed), _terms(followed), _history(followed), _uses(followed)]
    if may_decide:
        parts += _forms(followed, local_day(now))
    page = OfficePage(
        frame=site.frame(followed.feature.label_nl, session, Area.REGISTER),
        heading=followed.feature.label_nl,
        lead=_sentence(followed.feature),
        back=(Link("Terug naar het kenmerkenregister", "/kenmerken"),),
        notices=_notices(followed, bewaard),
        facts=_facts(followed),
        parts=tuple(parts),
    )
    return site.render(page)


@router.post("/kenmerken/{name}/besluit")
def decide(
    site: TheSite,
    session: SignedInForm,
    name: str,
    besluit: Annotated[str, Form()] = "",
    tot: Annotated[str, Form()] = "",
    reden: Annotated[str, Form()] = "",
) -> Response:
    """Keep a decision on one feature."""
    now = site.clock()
    site.office.contracts.may_decide(session.account, now)
    event, until = _EVENTS.get(besluit), _date(tot)
    if event is None or any(decision_problems(event, local_day(now), until, reden)):
        return RedirectResponse(f"/kenmerken/{name}?bewaard=nee#besluit", 303)
    site.office.contracts.decide(
        session.account, name, event, now, expires_on=until, reason=reden.strip()
    )
    return RedirectResponse(f"/kenmerken/{name}?bewaard=ja", 303)


_EVENTS = {
    "goedkeuren": ContractEvent.APPROVED,
    "afkeuren": ContractEvent.REFUSED,
    "uitzetten": ContractEvent.SWITCHED_OFF,
    "proef": ContractEvent.EXPERIMENT,
}


_UNITS = {
    Unit.SHARE: "deel van de lestijd of van het geheel",
    Unit.POINTS: "verschil in procentpunten",
    Unit.DAYS: "dagen",
    Unit.HOURS: "uren",
    Unit.MINUTES: "minuten",
    Unit.COUNT: "aantal",
    Unit.WEEKS: "weken",
    Unit.MONTHS: "maanden",
    Unit.FLAG: "ja of nee",
    Unit.CODE: "volgnummer",
}


def _sentence(one: Feature) -> str:
    return one.sentence_nl.replace("{value}", "…").replace("{other}", "…")


def _facts(followed: FollowedFeature) -> tuple[Fact, ...]:
    used = [row.moment for row in followed.uses]
    share = next((one.importance for one in followed.models if one.in_use), {})
    weight = f"{100 * share[followed.feature.name]:.1f} %".replace(".", ",") if share else "–"
    return (
        Fact("Stand", followed.status.label),
        Fact("Kenmerk", followed.feature.name),
        Fact("Opgehaald", counted(len(used), "keer", "keer")),
        Fact("Eerst gebruikt", moment(min(used)) if used else "nooit"),
        Fact("Laatst gebruikt", moment(max(used)) if used else "nooit"),
        Fact("Aandeel in het model in gebruik", weight),
    )


def _notices(followed: FollowedFeature, kept: str) -> tuple[Notice, ...]:
    told: list[Notice] = []
    if kept == "ja" and followed.history:
        newest = followed.history[0]
        told.append(Notice((f"Bewaard: {newest.event.label}, {moment(newest.moment)}.",)))
    if kept == "nee":
        told.append(
            Notice(
                (
                    "Er is niets bewaard.",
                    "Kies een laatste dag binnen de toegestane tijd, of vul een reden in.",
                ),
                is_problem=True,
            )
        )
    if not followed.status.may_be_used:
        told.append(Notice(_consequences(followed), is_problem=True))
    return tuple(told)


def _consequences(followed: FollowedFeature) -> tuple[str, ...]:
    lines = [f"{followed.status.label}: Tijdig gebruikt dit kenmerk niet."]
    stopped = [one for one in followed.models if one.in_use]
    if stopped:
        lines.append(
            f"{_versions(stopped)} heeft dit kenmerk nodig. Er komt geen nieuwe lijst: niets wordt "
            "stil ingevuld. Laat een model zonder dit kenmerk trainen en in gebruik nemen, of keur "
            "het kenmerk opnieuw goed."
        )
    return tuple(lines)


def _versions(models: list[KnownModel]) -> str:
    return f"Modelversie {listing([str(one.version) for one in models])}"


def _lineage(followed: FollowedFeature) -> TablePart:
    one = followed.feature
    models = [
        f"versie {each.version}{' (in gebruik)' if each.in_use else ''}" for each in followed.models
    ]
    weeks = [f"week van {table_day(week)}" for week in followed.weeks[:_LATEST_WEEKS]]
    on_lists = (
        f"{counted(len(followed.weeks), 'week', 'weken')} bij "
        f"{counted(followed.schools, 'school', 'scholen')}, het laatst {listing(weeks)}"
        if weeks
        else "nog geen"
    )
    window = counted(one.window, "schoolweek", "schoolweken") if one.window else "zie omschrijving"
    rows = (
        ("1. Bronkolommen", ", ".join(one.sources)),
        (
            "2. Berekening",
            f"{FORMULAS_NL[one.name]} Venster: {window}; eenheid: {_UNITS[one.unit]}; "
            f"versie {one.version}",
        ),
        (
            "3. Kenmerk",
            f"{one.name}, vingerafdruk van definitie en berekening {one.definition_hash[:12]}",
        ),
        (
            "4. Contract",
            f"versie {followed.contract.content_hash()[:12]}" if followed.contract else "geen",
        ),
        ("5. Modellen", ", ".join(models) or "geen"),
        ("6. Lijsten", on_lists),
    )
    return TablePart("keten", "Van bron tot lijst", ("Stap", "Wat"), rows)


def _terms(followed: FollowedFeature) -> Part:
    contract = followed.contract
    if contract is None:
        return TextPart("Contract", ("Er is geen contract.",))
    kept = f"bron {period(contract.retention_source)}, waarde {period(contract.retention_value)}"
    rows = (
        ("Doel", listing([purpose.label for purpose in contract.purpose])),
        ("Grondslag", contract.legal_basis),
        ("Bijzonder gegeven", contract.special_category or "nee"),
        ("Gevoeligheid", SENSITIVITY[contract.sensitivity]),
        ("Toegestaan gebruik", listing(allowed_uses(contract))),
        ("Uitzondering en onderbouwing", contract.exception or "niet nodig"),
        ("Bewaren", kept),
        ("Eigenaar", contract.owner),
        ("Goedgekeurd door", contract.approved_by or "niemand"),
        ("Verloopt op", long_day(contract.expires_on) if contract.approved_on else "–"),
    )
    return TablePart("contract", "Contract", ("Onderdeel", "Inhoud"), rows)


def _history(followed: FollowedFeature) -> TablePart:
    rows = tuple(
        (
            moment(row.moment),
            row.event.label,
            row.actor,
            table_day(row.expires_on) if row.expires_on else "",
            row.reason,
        )
        for row in followed.history
    )
    return TablePart(
        "geschiedenis",
        "Besluiten in de app",
        ("Wanneer", "Besluit", "Wie", "Tot", "Reden"),
        rows,
        empty="In de app is nog niets besloten; het contract staat zoals het is meegeleverd.",
    )


def _uses(followed: FollowedFeature) -> TablePart:
    rows = tuple(
        (
            moment(row.moment),
            row.actor,
            row.purpose.label,
            row.action.label,
            str(row.pupils),
            f"nr. {row.decision}",
        )
        for row in followed.uses[:20]
    )
    return TablePart(
        "gebruik",
        "Laatste keren opgehaald",
        ("Wanneer", "Wie", "Doel", "Handeling", "Leerlingen", "Besluit"),
        rows,
        empty="Dit kenmerk is nog nooit opgehaald.",
    )


def _forms(followed: FollowedFeature, today: date) -> list[Part]:
    action = f"/kenmerken/{followed.feature.name}/besluit"
    in_use = [one for one in followed.models if one.in_use]
    warning = (
        f"{_versions(in_use)} is in gebruik en heeft dit kenmerk nodig. Zet u het uit, dan komt er "
        "geen nieuwe lijst tot er een model zonder dit kenmerk in gebruik is."
        if in_use
        else ""
    )
    reason = Field("reden", "Reden", "textarea", hint="Geen gegevens over een leerling.")
    approve = FormPart(
        "goedkeuren",
        "Goedkeuren",
        action,
        "Goedkeuren",
        (_until(today, LONGEST_APPROVAL, timedelta(days=365)),),
        (("besluit", "goedkeuren"),),
        note="Vervalt als definitie, berekening of voorwaarden veranderen.",
    )
    off = FormPart(
        "uitzetten",
        "Uitzetten",
        action,
        "Uitzetten",
        (reason,),
        (("besluit", "uitzetten"),),
        warning=warning,
    )
    refuse = FormPart(
        "afkeuren", "Afkeuren", action, "Afkeuren", (reason,), (("besluit", "afkeuren"),)
    )
    trial = FormPart(
        "proef",
        "Alleen een proef toestaan",
        action,
        "Proef toestaan",
        (_until(today, LONGEST_EXPERIMENT, timedelta(days=30)),),
        (("besluit", "proef"),),
        note="Een model uit een proef mag nooit in gebruik, ook niet als u het kenmerk later "
        "goedkeurt.",
    )
    usable = (ContractStatus.APPROVED, ContractStatus.EXPIRES_SOON)
    return [approve, off] if followed.status in usable else [approve, refuse, trial, off]


def _until(today: date, longest: timedelta, proposal: timedelta) -> Field:
    return Field(
        "tot",
        "Laatste dag",
        "date",
        value=(today + proposal).isoformat(),
        hint=f"Uiterlijk {long_day(today + longest)}.",
        low=(today + timedelta(days=1)).isoformat(),
        high=(today + longest).isoformat(),
    )


def _date(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def feature_links() -> dict[str, str]:
    """The address of each feature's page."""
    return {one.name: f"/kenmerken/{one.name}" for one in CATALOGUE}
