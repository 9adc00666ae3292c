"""Pages for the privacy officer: features with their contracts, their use, the audit chain."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Query
from fastapi.responses import RedirectResponse, Response

from features.catalogue import CATALOGUE
from features.catalogue.formulas import FORMULAS_NL
from features.errors import NotThere
from features.governance.approvals import expiring
from features.governance.audit import AuditRow
from features.governance.ledger import LedgerRow
from features.governance.use import Purpose
from features.vocabulary import Role, Theme
from serving.access import Area
from serving.ledger_files import to_csv, to_json
from serving.registers import (
    PAGE,
    ContractStatus,
    RegisteredFeature,
    Selection,
    by_feature,
    month_of,
    pivot,
)
from serving.web.contexts.frame import Link, Option
from serving.web.contexts.office import OfficePage, TablePart
from serving.web.contexts.registers import (
    AuditLine,
    AuditPage,
    Choice,
    FeatureGroup,
    FeatureLine,
    LedgerLine,
    LedgerPage,
    PivotRow,
    RegisterPage,
)
from serving.web.dutch import counted, local_day, moment, period, table_day
from serving.web.proportionality_page import share
from serving.web.register_words import DETAILS, EVENTS, HIDDEN_DETAILS, SENSITIVITY, allowed_uses
from serving.web.services import SignedIn, SignedInForm, TheSite

router = APIRouter()

PageNumber = Annotated[int, Query(ge=0, le=10_000)]
_NOT_SIGNED = "De keten is niet heel en is daarom niet ondertekend."


def selection(kenmerk: str = "", doel: str = "", rol: str = "", maand: str = "") -> Selection:
    """The part of the ledger that the address asks for."""
    return Selection(kenmerk, doel, rol, maand)


Asked = Annotated[Selection, Depends(selection)]

_Filter = Callable[[RegisteredFeature], bool]
_FILTERS: Mapping[str, tuple[str, _Filter]] = {
    "": ("Alle kenmerken", lambda _entry: True),
    "verloopt": (
        "Verloopt binnen 60 dagen",
        lambda entry: entry.status is ContractStatus.EXPIRES_SOON,
    ),
    "zonder": ("Zonder geldige goedkeuring", lambda entry: not entry.status.may_be_used),
    "gebruikt-zonder": ("Gebruikt zonder goedkeuring", lambda entry: entry.without_leave),
    "gezondheid": ("Gezondheidsgegevens", lambda entry: entry.feature.health),
}


@router.get("/kenmerken")
def register(site: TheSite, session: SignedIn, toon: str = "") -> Response:
    """The register of features, whole or a part."""
    entries = site.registers.features(session.account, site.clock())
    chosen = toon if toon in _FILTERS else ""
    shown = [entry for entry in entries if _FILTERS[chosen][1](entry)]
    filters = tuple(
        Link(
            f"{label} ({sum(map(keep, entries))})",
            f"/kenmerken?toon={name}" if name else "/kenmerken",
            name == chosen,
        )
        for name, (label, keep) in _FILTERS.items()
    )
    groups = []
    for theme in Theme:
        lines = tuple(_feature(entry) for entry in shown if entry.feature.theme is theme)
        if lines:
            count = counted(len(lines), "kenmerk", "kenmerken")
            groups.append(FeatureGroup(theme.label, count, lines))
    frame = site.frame("Kenmerkenregister", session, Area.REGISTER)
    told = tuple(_warnings(entries, local_day(site.clock())))
    return site.render(RegisterPage(frame, len(entries), filters, tuple(groups), told))


@router.get("/gebruik")
def ledger(
    site: TheSite,
    session: SignedIn,
    asked: Asked,
    pagina: PageNumber = 0,
) -> Response:
    """The ledger of feature use, newest first, whole or a part, with a count of it."""
    rows = site.registers.all_uses(session.account, site.clock(), asked)
    shown = rows[pagina * PAGE : (pagina + 1) * PAGE]
    chosen = (asked.feature, asked.purpose, asked.role, asked.month)
    named = zip(("kenmerk", "doel", "rol", "maand"), chosen, strict=True)
    query = urlencode({name: value for name, value in named if value})
    address = f"/gebruik?{query}&pagina=" if query else "/gebruik?pagina="
    page = LedgerPage(
        frame=site.frame("Gebruiksregister", session, Area.LEDGER),
        choices=_choices(asked, rows),
        downloads=tuple(
            Link(f"Downloaden als {kind.upper()}", f"/gebruik/bestand.{kind}?{query}")
            for kind in ("csv", "json")
        ),
        counted=tuple(
            PivotRow(
                line.month,
                line.purpose.label,
                line.role.label,
                line.retrievals,
                line.features,
                line.pupils,
            )
            for line in pivot(rows)
        ),
        per_feature=tuple(
            (
                line.feature.label_nl,
                str(line.retrievals),
                ", ".join(purpose.label for purpose in line.purposes),
                ", ".join(role.label for role in line.roles),
                line.first_month,
                line.last_month,
            )
            for line in by_feature(rows)
        ),
        total=f"Pagina {pagina + 1}, nieuwste eerst." if shown else "",
        lines=tuple(_use(row) for row in shown),
        newer=f"{address}{pagina - 1}" if pagina else "",
        older=f"{address}{pagina + 1}" if len(rows) > (pagina + 1) * PAGE else "",
    )
    return site.render(page)


@router.get("/gebruik/bestand.{kind}")
def ledger_file(site: TheSite, session: SignedIn, asked: Asked, kind: str) -> Response:
    """The ledger or a part of it as a file; pupils stand in it sealed, readable with its key."""
    if kind not in ("csv", "json"):
        raise NotThere("the ledger comes as csv or json")
    rows, sets = site.registers.export_uses(session.account, site.clock(), asked)
    text = to_csv(rows, sets) if kind == "csv" else to_json(rows, sets)
    return Response(
        text,
        media_type="text/csv; charset=utf-8" if kind == "csv" else "application/json",
        headers={"Content-Disposition": f'attachment; filename="gebruiksregister.{kind}"'},
    )


@router.post("/inzage/teken")
def sign(site: TheSite, session: SignedInForm) -> Response:
    """A signed head of the chain as a file, to be kept where the administrator cannot reach."""
    head = site.registers.sign_head(session.account, site.clock())
    if head is None:
        return RedirectResponse("/inzage?getekend=nee", 303)
    name = f"keten-{head.sequence}.json"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(head.to_json(), media_type="application/json", headers=headers)


@router.get("/inzage/uitzonderingen")
def exceptions(site: TheSite, session: SignedIn) -> Response:
    """Looks that stand out."""
    rows = tuple(
        (
            moment(one.moment),
            one.why.label,
            EVENTS.get(one.event, one.event.replace("_", " ")),
            one.actor,
            one.role.label,
            one.school,
            str(one.count),
        )
        for one in site.registers.exceptions(session.account, site.clock())
    )
    page = OfficePage(
        frame=site.frame("Uitzonderingen", session, Area.AUDIT),
        heading="Uitzonderingen",
        lead="Inzage die opvalt: om naar te vragen, geen oordeel. Gelijke regels van één dag staan "
        "bij elkaar.",
        back=(Link("Terug naar het inzagelog", "/inzage"),),
        parts=(
            TablePart(
                "uitzonderingen",
                "Wat opvalt",
                ("Wanneer", "Waarom", "Wat", "Wie", "Rol", "School", "Keer"),
                rows,
                empty="Er is niets dat opvalt.",
            ),
        ),
    )
    return site.render(page)


@router.get("/inzage")
def audit(site: TheSite, session: SignedIn, pagina: PageNumber = 0, getekend: str = "") -> Response:
    """The audit chain: whether it is whole, and its newest events."""
    now = site.clock()
    state = site.registers.chain(session.account, pagina, now)
    problems = (*state.verdict.problems, *state.ledger_problems)
    page = AuditPage(
        frame=site.frame("Inzagelog en ketencontrole", session, Area.AUDIT),
        intact=not problems,
        total=counted(state.verdict.rows, "gebeurtenis", "gebeurtenissen"),
        problems=problems,
        head=state.head.hash,
        checked=moment(now),
        signed=_NOT_SIGNED if getekend == "nee" else "",
        lines=tuple(_event(row) for row in state.rows),
        newer=f"/inzage?pagina={pagina - 1}" if pagina else "",
        older=f"/inzage?pagina={pagina + 1}" if state.has_older else "",
    )
    return site.render(page)


def _feature(entry: RegisteredFeature) -> FeatureLine:
    feature, contract = entry.feature, entry.contract
    window = counted(feature.window, "schoolweek", "schoolweken") if feature.window else "zie tekst"
    known = FeatureLine(
        name=feature.name,
        label=feature.label_nl,
        formula=FORMULAS_NL[feature.name],
        window=window,
        source_count=counted(len(feature.sources), "bron", "bronnen"),
        sources=feature.sources,
        purposes=(),
        legal_basis="",
        special_category="gezondheid" if feature.health else "nee",
        exception="",
        sensitivity="onbekend",
        retention_source="onbekend",
        retention_value="onbekend",
        uses=(),
        owner="onbekend",
        approved="",
        expires="",
        status=entry.status.label,
        needs_attention=entry.status is not ContractStatus.APPROVED,
        address=f"/kenmerken/{feature.name}",
        sentence=feature.sentence_nl.replace("{value}", "…").replace("{other}", "…"),
        used=_used(entry),
        importance=(
            "" if entry.importance is None else f"{100 * entry.importance:.1f} %".replace(".", ",")
        ),
        worth=_worth(entry),
    )
    if contract is None:
        return known
    approved = ""
    if contract.approved_on:
        approved = f"{contract.approved_by}, {table_day(contract.approved_on)}"
    return replace(
        known,
        purposes=tuple(purpose.label for purpose in contract.purpose),
        legal_basis=contract.legal_basis,
        special_category=contract.special_category or "nee",
        exception=contract.exception,
        sensitivity=SENSITIVITY[contract.sensitivity],
        retention_source=period(contract.retention_source),
        retention_value=period(contract.retention_value),
        uses=allowed_uses(contract),
        owner=contract.owner,
        approved=approved,
        expires=f"verloopt op {table_day(contract.expires_on)}",
    )


def _worth(entry: RegisteredFeature) -> str:
    """What the lists lose without it, as measured; of its theme where it was not measured alone."""
    one = entry.worth
    if one is None:
        return "nog niet gemeten"
    lost = f"verlies aan recall {share(one.recall)} procentpunt: {one.verdict.words}"
    return lost if one.name == entry.feature.name else f"het hele thema: {lost}"


def _used(entry: RegisteredFeature) -> str:
    if entry.first_used is None or entry.last_used is None:
        return "nog nooit opgehaald"
    first, last = (table_day(local_day(each)) for each in (entry.first_used, entry.last_used))
    return f"{counted(entry.uses, 'keer', 'keer')} opgehaald, {first} tot {last}"


def _warnings(entries: Sequence[RegisteredFeature], today: date) -> Iterator[str]:
    known = {entry.feature.name: entry.contract for entry in entries if entry.contract}
    for days, names in expiring(known, today).items():
        few = counted(len(names), "goedkeuring verloopt", "goedkeuringen verlopen")
        yield f"{few} binnen {days} dagen. Daarna komt er geen lijst meer."
    stopped = [entry for entry in entries if entry.status is ContractStatus.EXPIRED]
    if stopped:
        few = counted(len(stopped), "goedkeuring is", "goedkeuringen zijn")
        yield f"{few} verlopen: er komt geen nieuwe lijst tot u opnieuw goedkeurt of uitzet."


def _choices(asked: Selection, rows: Sequence[LedgerRow]) -> tuple[Choice, ...]:
    months = sorted({month_of(row) for row in rows} | ({asked.month} - {""}), reverse=True)
    offered: tuple[tuple[str, str, str, list[tuple[str, str]]], ...] = (
        ("kenmerk", "Kenmerk", asked.feature, [(one.name, one.label_nl) for one in CATALOGUE]),
        ("doel", "Doel", asked.purpose, [(one.value, one.label) for one in Purpose]),
        ("rol", "Rol", asked.role, [(one.value, one.label) for one in Role]),
        ("maand", "Maand", asked.month, [(month, month) for month in months]),
    )
    return tuple(
        Choice(
            name,
            label,
            (Option("", "alle"), *(Option(value, text, value == chosen) for value, text in given)),
        )
        for name, label, chosen, given in offered
    )


def _use(row: LedgerRow) -> LedgerLine:
    schools = (
        ", ".join(row.schools)
        if len(row.schools) <= 3
        else counted(len(row.schools), "school", "scholen")
    )
    return LedgerLine(
        when=moment(row.moment),
        who=row.actor,
        role=row.role.label,
        purpose=Purpose(row.purpose).label,
        action=row.action.label,
        service=row.service,
        feature_count=counted(len(row.features), "kenmerk", "kenmerken"),
        features=row.features,
        contract=row.contract_hash[:12],
        pupils=row.pupils,
        schools=schools,
        decision=f"nr. {row.decision}",
        run=row.run,
    )


def _event(row: AuditRow) -> AuditLine:
    detail = [
        f"{DETAILS.get(name, name)}: {value}"
        for name, value in row.detail.items()
        if name not in HIDDEN_DETAILS
    ]
    return AuditLine(
        number=row.sequence,
        when=moment(row.moment),
        who=row.actor,
        role=row.role.label,
        event=EVENTS.get(row.event, row.event.replace("_", " ")),
        school=row.school,
        subject=row.subject,
        detail=", ".join(detail),
    )
