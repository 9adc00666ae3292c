"""The application: services made once, pages by family, a door before them."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import datetime

import anyio.to_thread
from argon2 import PasswordHasher
from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles

from features.governance.audit import AuditChain
from features.governance.contracts import read_contracts
from features.governance.database import open_ledger
from features.governance.journal import journal_of
from features.governance.retention import RetentionSettings
from features.settings import Home, Settings
from serving.accounts import Accounts
from serving.desk import Desk
from serving.evaluation import FILE_NAME
from serving.home_desk import HomeDesk
from serving.premises import Premises
from serving.privacy_office import PrivacyOffice
from serving.proportionality import Proportionalities
from serving.region import RegionDesk
from serving.registers import Registers
from serving.sessions import Sessions
from serving.tables import open_app
from serving.team_desk import TeamDesk
from serving.value_desk import ValueDesk
from serving.web import (
    comparison_pages,
    contract_pages,
    dossier_pages,
    guide_page,
    home_pages,
    list_pages,
    messages,
    model_pages,
    proportionality_page,
    pupil_pages,
    region_pages,
    register_pages,
    retention_pages,
    rights_pages,
    sign_in,
    stop_pages,
    team_pages,
    value_pages,
)
from serving.web.security import Door
from serving.web.services import STATIC, Site, WebSettings, stylesheet_address, template_environment

THREADS = 4
"""Pages made at once. The forty of the library get in each other's way (one holds the interpreter):
measured with twenty who wait, a page took up to half as much processor time again and the slowest
in twenty up to twice as long (decision 0022). With two, one PDF would hold up half of them."""


@asynccontextmanager
async def _prepared(app: FastAPI) -> AsyncIterator[None]:
    """Before the first question is answered: nobody waits for what every first look needs."""
    site: Site = app.state.site
    anyio.to_thread.current_default_thread_limiter().total_tokens = THREADS
    for name in site.templates.list_templates():
        site.templates.get_template(name)
    site.desk.prepare(site.clock())
    site.value_desk.prepare()
    yield


FAMILIES = (
    sign_in,
    list_pages,
    pupil_pages,
    value_pages,
    home_pages,
    team_pages,
    region_pages,
    register_pages,
    contract_pages,
    stop_pages,
    rights_pages,
    retention_pages,
    dossier_pages,
    proportionality_page,
    model_pages,
    comparison_pages,
    guide_page,
)


def create_app(
    home: Home,
    settings: Settings,
    clock: Callable[[], datetime],
    environ: Mapping[str, str],
    hasher: PasswordHasher | None = None,
) -> FastAPI:
    """The pages on the data of `home`. `clock` is the only source of time, `environ` of secrets.

    The databases are made or brought up to date here. Tests pass a cheaper `hasher`.
    """
    web = settings.section("web", WebSettings)
    engine, ledger = open_app(home), open_ledger(home)
    audit = AuditChain(ledger)
    contracts = read_contracts()
    office = PrivacyOffice.at(
        home, environ, engine, ledger, contracts, settings.section("retention", RetentionSettings)
    )
    premises = Premises(home, environ, engine, ledger)
    site = Site(
        settings=web,
        clock=clock,
        accounts=Accounts(engine, hasher),
        sessions=Sessions(engine),
        premises=premises,
        desk=Desk(premises),
        value_desk=ValueDesk.at(home, premises, office.models),
        home_desk=HomeDesk(premises),
        team_desk=TeamDesk(premises),
        region_desk=RegionDesk(premises),
        registers=Registers(
            ledger, contracts, office.models.importance, Proportionalities(home, office.models)
        ),
        office=office,
        audit=audit,
        evaluation=home.root / FILE_NAME,
        templates=template_environment(),
        stylesheet=stylesheet_address(),
        # Only a simulator knows the truth about its pupils.
        is_invented=home.truth.exists(),
    )
    # No generated API pages: they would load scripts from elsewhere, and nobody calls an API here.
    app = FastAPI(
        title="Tijdig", openapi_url=None, docs_url=None, redoc_url=None, lifespan=_prepared
    )
    app.state.site = site
    for family in FAMILIES:
        app.include_router(family.router)
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    messages.add_handlers(app)
    app.add_middleware(
        Door,
        hosts=frozenset(web.hosts),
        https=web.https,
        refuse=lambda status: messages.message(site, status),
        is_closed=journal_of(home).exists,
    )
    return app
