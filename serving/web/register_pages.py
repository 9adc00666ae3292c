"""Pages for the privacy officer: features with their contracts, their use, the audit chain."""

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import Response

from features.governance.audit import AuditRow
from features.governance.contracts import Sensitivity
from features.governance.ledger import LedgerRow
from features.governance.use import Purpose
from features.vocabulary import Theme
from serving.access import Area
from serving.registers import ContractStatus, RegisteredFeature
from serving.web.contexts.frame import Link
from serving.web.contexts.registers import (
    AuditLine,
    AuditPage,
    FeatureGroup,
    FeatureLine,
    LedgerLine,
    LedgerPage,
    RegisterPage,
)
from serving.web.dutch import counted, moment, table_day
from serving.web.services import SignedIn, TheSite

router = APIRouter()

PageNumber = Annotated[int, Query(ge=0, le=10_000)]

_Filter = Callable[[RegisteredFeature], bool]
_FILTERS: Mapping[str, tuple[str, _Filter]] = {
    "": ("Alle kenmerken", lambda _entry: True),
    "verloopt": (
        "Verloopt binnen 60 dagen",
        lambda entry: entry.status is ContractStatus.EXPIRES_SOON,
    ),
    "zonder": ("Zonder geldige goedkeuring", lambda entry: not entry.status.may_be_used),
    "gebruikt-zonder": (
        "Gebruikt zonder geldige goedkeuring",
        lambda entry: entry.was_used and not entry.status.may_be_used,
    ),
    "gezondheid": ("Gezondheidsgegevens", lambda entry: entry.feature.health),
}
_SENSITIVITY = {Sensitivity.LOW: "laag", Sensitivity.MEDIUM: "midden", Sensitivity.HIGH: "hoog"}
_USES = {
    "train": "model trainen",
    "score": "lijst maken",
    "show": "tonen",
    "report": "aantallen rapporteren",
}
_EVENTS = {
    "signed_in": "ingelogd",
    "signed_out": "uitgelogd",
    "sign_in_wrong": "verkeerd wachtwoord",
    "sign_in_wait": "inloggen tijdelijk geblokkeerd",
    "password_set": "wachtwoord gekozen",
    "list_seen": "bespreeklijst bekeken",
    "pupil_seen": "leerling bekeken",
    "decision_kept": "besluit bewaard",
    "access_refused": "toegang geweigerd",
    "ledger_seen": "gebruiksregister bekeken",
    "audit_seen": "inzagelog bekeken",
    "features_retrieved": "kenmerken opgehaald",
    "lists_published": "lijsten gepubliceerd",
    "model_promoted": "model in gebruik genomen",
    "model_promotion_refused": "model niet in gebruik genomen",
}
_DETAILS = {
    "pupils": "leerlingen",
    "as_of": "lijst van",
    "kind": "besluit",
    "area": "onderdeel",
    "ledger": "regel gebruiksregister",
    "lists": "lijsten",
    "model_version": "modelversie",
    "version": "modelversie",
    "signed_by": "getekend",
    "reasons": "redenen",
    "gate_decision": "besluit van de poort",
}
# Hashes are for a machine to compare; the chain seals them.
_HIDDEN_DETAILS = frozenset({"sha256", "bundle", "evaluation"})
_PERIOD = re.compile(r"P(\d+)([YMD])")
_PERIOD_WORDS = {"Y": ("jaar", "jaar"), "M": ("maand", "maanden"), "D": ("dag", "dagen")}


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
    return site.render(RegisterPage(frame, len(entries), filters, tuple(groups)))


@router.get("/gebruik")
def ledger(site: TheSite, session: SignedIn, pagina: PageNumber = 0) -> Response:
    """The ledger of feature use, newest first."""
    rows, has_older = site.registers.uses(session.account, pagina, site.clock())
    page = LedgerPage(
        frame=site.frame("Gebruiksregister", session, Area.LEDGER),
        total=f"Pagina {pagina + 1}, nieuwste eerst." if rows else "",
        lines=tuple(_use(row) for row in rows),
        newer=f"/gebruik?pagina={pagina - 1}" if pagina else "",
        older=f"/gebruik?pagina={pagina + 1}" if has_older else "",
    )
    return site.render(page)


@router.get("/inzage")
def audit(site: TheSite, session: SignedIn, pagina: PageNumber = 0) -> Response:
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
        description=feature.description,
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
        sensitivity=_SENSITIVITY[contract.sensitivity],
        retention_source=period(contract.retention_source),
        retention_value=period(contract.retention_value),
        uses=tuple(words for name, words in _USES.items() if getattr(contract.uses, name)),
        owner=contract.owner,
        approved=approved,
        expires=f"verloopt op {table_day(contract.expires_on)}",
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
        f"{_DETAILS.get(name, name)}: {value}"
        for name, value in row.detail.items()
        if name not in _HIDDEN_DETAILS
    ]
    return AuditLine(
        number=row.sequence,
        when=moment(row.moment),
        who=row.actor,
        role=row.role.label,
        event=_EVENTS.get(row.event, row.event.replace("_", " ")),
        school=row.school,
        subject=row.subject,
        detail=", ".join(detail),
    )


def period(text: str) -> str:
    """An ISO duration in words; what is not one stays as it is.

    >>> period("P5Y"), period("P13M"), period("tot schoolverlaten")
    ('5 jaar', '13 maanden', 'tot schoolverlaten')
    """
    match = _PERIOD.fullmatch(text)
    if match is None:
        return text
    return counted(int(match[1]), *_PERIOD_WORDS[match[2]])
