"""What all pages share: settings, services, who is signed in, and how a page is made."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Protocol

from fastapi import Depends, Form, HTTPException, Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from features.governance.audit import AuditChain
from serving.access import Area, may_visit
from serving.accounts import Account, Accounts
from serving.desk import Desk
from serving.home_desk import HomeDesk
from serving.premises import Premises
from serving.privacy_office import PrivacyOffice
from serving.region import RegionDesk
from serving.registers import Registers
from serving.sessions import Session, Sessions
from serving.team_desk import TeamDesk
from serving.value_desk import ValueDesk
from serving.web.contexts.frame import Frame, Link
from serving.web.dutch import moment
from serving.web.security import tokens_match

HERE = Path(__file__).parent
STATIC = HERE / "static"
LOOPBACK = ("127.0.0.1", "localhost", "::1")

_MENU = (
    (Area.LIST, Link("Bespreeklijst", "/lijst")),
    (Area.AT_HOME, Link("Al in beeld", "/al-in-beeld")),
    (Area.TEAM, Link("Zorgteam-overzicht", "/zorgteam")),
    (Area.REGION, Link("Regiobeeld", "/regio")),
    (Area.MODEL, Link("Model", "/model")),
    (Area.REGISTER, Link("Kenmerkenregister", "/kenmerken")),
    (Area.LEDGER, Link("Gebruiksregister", "/gebruik")),
    (Area.AUDIT, Link("Inzagelog", "/inzage")),
    (Area.RIGHTS, Link("Verzoeken", "/verzoeken")),
    (Area.RETENTION, Link("Bewaren", "/bewaren")),
    (Area.DOSSIER, Link("Dossiers", "/dossier")),
    (Area.CONTRACTS, Link("Noodstop", "/noodstop")),
)


@dataclass(frozen=True)
class WebSettings:
    """Section [web]. `hosts` are the names under which browsers reach the pages.

    Without TLS that is this machine only. `mlflow` is an address to show. `exports = false` takes
    away every way to take pupils out of the pages, also from who has the right.

    >>> WebSettings(hosts=("tijdig.school.example",))
    Traceback (most recent call last):
    ...
    ValueError: hosts = tijdig.school.example: needs TLS in front of it and https = true
    """

    https: bool = False
    hosts: tuple[str, ...] = LOOPBACK
    mlflow: str = "http://127.0.0.1:5000"
    exports: bool = True
    contact: str = "Vraag het de beheerder van Tijdig bij uw samenwerkingsverband."

    def __post_init__(self) -> None:
        """Refuse to show pupils over an open network."""
        elsewhere = sorted(set(self.hosts) - set(LOOPBACK))
        if elsewhere and not self.https:
            raise ValueError(
                f"hosts = {', '.join(elsewhere)}: needs TLS in front of it and https = true"
            )


class Page(Protocol):
    """One of the dataclasses of `contexts`."""

    @property
    def template(self) -> str: ...
    @property
    def frame(self) -> Frame: ...


@dataclass(frozen=True)
class Site:
    """The services behind the pages, made once by `create_app`; `clock` is the only time."""

    settings: WebSettings
    clock: Callable[[], datetime]
    accounts: Accounts
    sessions: Sessions
    premises: Premises
    desk: Desk
    value_desk: ValueDesk
    home_desk: HomeDesk
    team_desk: TeamDesk
    region_desk: RegionDesk
    registers: Registers
    office: PrivacyOffice
    audit: AuditChain
    evaluation: Path
    templates: Environment
    stylesheet: str
    is_invented: bool

    @property
    def cookie(self) -> str:
        """The name of the session cookie; with TLS the prefix binds it to this host."""
        return "__Host-tijdig" if self.settings.https else "tijdig"

    def frame(self, title: str, session: Session | None = None, here: Area | None = None) -> Frame:
        """The frame of a page for who is signed in, with the menu of the role."""
        shown_at = moment(self.clock())
        if session is None:
            return Frame(title, self.stylesheet, shown_at, is_invented=self.is_invented)
        account = session.account
        return Frame(
            title=title,
            stylesheet=self.stylesheet,
            shown_at=shown_at,
            person=account.name,
            role=account.role.label,
            schools=self._schools_of(account),
            form_token=session.form_token,
            navigation=tuple(
                Link(link.label, link.href, area is here)
                for area, link in _MENU
                if may_visit(account, area)
            ),
            is_invented=self.is_invented,
            notices=self.office.contracts.notices(account, self.clock()),
        )

    def _schools_of(self, account: Account) -> str:
        now = self.clock()
        if len(account.schools) > 2:
            return f"{len(account.schools)} scholen"
        return " en ".join(sorted(self.premises.school_name(code, now) for code in account.schools))

    def render(self, page: Page, status: int = 200) -> HTMLResponse:
        """The page: its template gets the fields of its dataclass and nothing else."""
        values: Mapping[str, Any] = {
            field.name: getattr(page, field.name)
            for field in fields(page)  # type: ignore[arg-type]
        }
        text = self.templates.get_template(page.template).render(values)
        return HTMLResponse(text, status_code=status)


def template_environment() -> Environment:
    """Templates that escape everything and stop at a name they do not know."""
    return Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def stylesheet_address() -> str:
    """The stylesheet with a fingerprint, so that a new version is fetched at once."""
    digest = hashlib.sha256((STATIC / "tijdig.css").read_bytes()).hexdigest()
    return f"/static/tijdig.css?v={digest[:12]}"


class SignInNeeded(Exception):
    """Nobody is signed in; a page becomes the sign-in page, a form becomes 401."""


def site_of(request: Request) -> Site:
    """The services of the application that got this request."""
    site: Site = request.app.state.site
    return site


TheSite = Annotated[Site, Depends(site_of)]


def session_of(request: Request, site: TheSite) -> Session | None:
    """The session of the cookie, if it is alive."""
    token = request.cookies.get(site.cookie, "")
    return site.sessions.find(token, site.clock()) if token else None


MaybeSignedIn = Annotated[Session | None, Depends(session_of)]


def signed_in(session: MaybeSignedIn) -> Session:
    """The session, or the way to the sign-in page."""
    if session is None:
        raise SignInNeeded
    return session


SignedIn = Annotated[Session, Depends(signed_in)]


def with_form_token(session: SignedIn, form_token: Annotated[str, Form()] = "") -> Session:
    """The session, when the form carries its token: second layer behind the origin check."""
    if not tokens_match(session.form_token, form_token):
        raise HTTPException(403)
    return session


SignedInForm = Annotated[Session, Depends(with_form_token)]
