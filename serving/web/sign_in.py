"""Pages before anything else: set-up link, sign in, sign out."""

from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import RedirectResponse, Response

from features.vocabulary import Role
from serving.accounts import (
    LONGEST_PASSWORD,
    SHORTEST_PASSWORD,
    Account,
    PasswordProblem,
    Refusal,
    password_problem,
)
from serving.sessions import LONGEST, Session, form_token_of
from serving.web.contexts.entry import (
    BeginPage,
    KeptField,
    MessagePage,
    ResumePage,
    SetUpPage,
    SignInPage,
)
from serving.web.contexts.frame import Link
from serving.web.resume import Kept, kept_of, own_address
from serving.web.services import MaybeSignedIn, SignedIn, SignedInForm, Site, TheSite

router = APIRouter()

_PASSWORD_PROBLEMS = {
    PasswordProblem.TOO_SHORT: f"Te kort. Neem minstens {SHORTEST_PASSWORD} tekens.",
    PasswordProblem.TOO_LONG: f"Te lang. Neem hoogstens {LONGEST_PASSWORD} tekens.",
    PasswordProblem.GUESSABLE: "Dit wachtwoord is makkelijk te raden. Kies iets anders.",
}
_REFUSALS = {
    Refusal.WRONG: "Het e-mailadres of het wachtwoord klopt niet.",
    Refusal.WAIT: "Te vaak een verkeerd wachtwoord. Probeer het over tien minuten opnieuw.",
}
_HOMES = {
    Role.CARE_COORDINATOR: "/lijst",
    Role.DATA_SCIENTIST: "/model",
    Role.PRIVACY_OFFICER: "/kenmerken",
    Role.REGION_COORDINATOR: "/regio",
}
_STEPS = {
    Role.CARE_COORDINATOR: (
        ("Maandag: open de bespreeklijst.", "Bij elke leerling staat wat opvalt en wat al loopt."),
        ("Kijk eerst zelf.", "Klopt de registratie? Weet u al wat er speelt?"),
        (
            "Leg per leerling een besluit vast.",
            "Elk besluit is goed, ook ‘niet relevant’. Drie minuten is genoeg.",
        ),
        (
            "Kies wie het oppakt en wanneer u terugkijkt.",
            "De leerling komt die week vanzelf terug op de lijst.",
        ),
        ("Mist u iemand?", "Zoek de leerling en zet die zelf op de lijst."),
        (
            "Kijk bij ‘Al in beeld’ wie al thuis is.",
            "Leg vast wie het regelt en of er een aanbod is.",
        ),
        ("Neem het zorgteam-overzicht mee", "naar uw overleg. Vernietig het daarna."),
    ),
    Role.REGION_COORDINATOR: (
        ("U ziet aantallen, geen leerlingen.", "Eén telling voor alle scholen van de regio."),
        ("Kleine aantallen zijn verborgen.", "Daarmee is niemand te herkennen."),
    ),
}
# Digits: letters are taken by browsers (Alt+D, Alt+F) and by screen readers on a Mac.
_SHORTCUTS = (
    ("8", "op de lijst: een leerling zoeken en toevoegen; bij een leerling: naar uw besluit"),
    ("9", "bij een leerling: terug naar de lijst"),
)
_STEPS_OF_OTHERS = (
    ("Boven aan elke pagina staat wat u kunt openen.", "Wat u opent, wordt vastgelegd."),
)


@router.get("/")
def home(session: MaybeSignedIn) -> Response:
    """To where the role begins."""
    if session is None:
        return RedirectResponse("/inloggen", 303)
    return RedirectResponse(_HOMES.get(session.account.role, "/uitleg"), 303)


@router.get("/inloggen")
def sign_in_page(site: TheSite, session: MaybeSignedIn, verder: str = "") -> Response:
    """The form to sign in; who is signed in goes on."""
    if session is not None:
        return RedirectResponse("/", 303)
    return sign_in_again(site, Kept(own_address(verder)))


def sign_in_again(
    site: Site, kept: Kept, status: int = 200, email: str = "", problem: str = ""
) -> Response:
    """The form to sign in, with what is carried along."""
    fields = tuple(KeptField(name, value) for name, value in kept.fields)
    page = SignInPage(site.frame("Inloggen"), email, problem, kept.address, fields)
    return site.render(page, status)


@router.get("/begin")
def begin(site: TheSite, session: SignedIn) -> Response:
    """How one works with the pages, in a few steps; where one lands the first time."""
    role = session.account.role
    page = BeginPage(
        frame=site.frame("Zo werkt het", session),
        name=session.account.name,
        steps=_STEPS.get(role, _STEPS_OF_OTHERS),
        onward=Link("Beginnen", _HOMES.get(role, "/uitleg")),
        shortcuts=_SHORTCUTS if role is Role.CARE_COORDINATOR else (),
    )
    return site.render(page)


@router.post("/inloggen")
def sign_in(
    request: Request,
    site: TheSite,
    kept: Annotated[Kept, Depends(kept_of)],
    email: Annotated[str, Form()] = "",
    password: Annotated[str, Form()] = "",
) -> Response:
    """Start a session, or say no without saying what was wrong."""
    now = site.clock()
    address = request.client.host if request.client else ""
    result = site.accounts.sign_in(email, password, address, now)
    if isinstance(result, Account):
        return _start(site, result, "signed_in", kept)
    known = site.accounts.find(email)
    if known is not None:
        site.audit.append(now, known.email, known.role, f"sign_in_{result.value}")
    status = 429 if result is Refusal.WAIT else 401
    return sign_in_again(site, kept, status, email[:254], _REFUSALS[result])


@router.post("/uitloggen")
def sign_out(request: Request, site: TheSite, session: SignedInForm) -> Response:
    """End the session on the server; the cookie goes as well."""
    site.sessions.end(request.cookies[site.cookie])
    account = session.account
    site.audit.append(site.clock(), account.email, account.role, "signed_out")
    response = RedirectResponse("/inloggen", 303)
    response.delete_cookie(site.cookie, path="/", secure=site.settings.https, httponly=True)
    return response


@router.get("/welkom/{token}")
def set_up_page(site: TheSite, token: str) -> Response:
    """Choose a password. Looking at the page does not use the link up."""
    account = site.accounts.account_of_link(token, site.clock())
    if account is None:
        return _spent(site)
    return _set_up(site, account, token)


@router.post("/welkom/{token}")
def set_up(site: TheSite, token: str, password: Annotated[str, Form()] = "") -> Response:
    """Keep the password, use the link up, end older sessions, and sign in."""
    now = site.clock()
    account = site.accounts.account_of_link(token, now)
    if account is None:
        return _spent(site)
    problem = password_problem(password, account)
    if problem is not None:
        return _set_up(site, account, token, _PASSWORD_PROBLEMS[problem])
    if site.accounts.use_link(token, password, now) is None:
        return _spent(site)
    site.sessions.end_all(account)
    return _start(site, account, "password_set", Kept("/begin"))


def _start(site: Site, account: Account, event: str, kept: Kept) -> Response:
    now = site.clock()
    site.audit.append(now, account.email, account.role, event)
    token = site.sessions.start(account, now)
    response: Response = RedirectResponse(kept.address or "/", 303)
    if kept.fields and kept.address:
        session = Session(account, form_token_of(token))
        fields = tuple(KeptField(name, value) for name, value in kept.fields)
        frame = site.frame("Weer ingelogd", session)
        response = site.render(ResumePage(frame, kept.address, fields))
    response.set_cookie(
        site.cookie,
        token,
        max_age=int(LONGEST.total_seconds()),
        path="/",
        secure=site.settings.https,
        httponly=True,
        samesite="lax",
    )
    return response


def _set_up(site: Site, account: Account, token: str, problem: str = "") -> Response:
    page = SetUpPage(
        frame=site.frame("Wachtwoord kiezen"),
        name=account.name,
        email=account.email,
        action=f"/welkom/{token}",
        shortest=SHORTEST_PASSWORD,
        longest=LONGEST_PASSWORD,
        problem=problem,
    )
    return site.render(page, 422 if problem else 200)


def _spent(site: Site) -> Response:
    page = MessagePage(
        frame=site.frame("Link werkt niet meer"),
        heading="Deze link werkt niet meer",
        lines=(
            "De link is al gebruikt, of te oud. Hebt u al een wachtwoord gekozen, log dan in.",
            "Lukt dat niet, vraag uw beheerder dan om een nieuwe link.",
        ),
        next_step=Link("Inloggen", "/inloggen"),
    )
    return site.render(page, 404)
