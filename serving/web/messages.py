"""What people read when something is not there, not allowed, or went wrong."""

import logging
from urllib.parse import urlencode

from fastapi import FastAPI, Request
from fastapi.dependencies.utils import get_flat_params
from fastapi.exceptions import RequestValidationError
from fastapi.responses import RedirectResponse, Response
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException

from features.errors import NotAllowed, NotThere, TijdigError
from serving.premises import ListsStopped
from serving.sessions import Session
from serving.web.contexts.entry import MessagePage
from serving.web.contexts.frame import Link
from serving.web.resume import kept_from, own_address
from serving.web.security import SAFE_METHODS, add_headers
from serving.web.services import SignInNeeded, Site, session_of, site_of
from serving.web.sign_in import sign_in_again

log = logging.getLogger(__name__)

Text = tuple[str, tuple[str, ...]]
_TEXTS: dict[int, Text] = {
    400: (
        "Dit verzoek klopt niet",
        ("Er ontbreekt iets, of het adres klopt niet. Ga terug en probeer het opnieuw.",),
    ),
    401: (
        "U bent niet meer ingelogd",
        (
            "Na een half uur zonder handeling, en na een werkdag, logt Tijdig u uit.",
            "Log opnieuw in en ga verder waar u was.",
        ),
    ),
    403: (
        "Dit formulier is niet aangenomen",
        (
            "Het kwam niet van een open pagina van Tijdig. Misschien was u intussen uitgelogd.",
            "Er is niets bewaard. Open de pagina opnieuw en probeer het nog eens.",
        ),
    ),
    404: (
        "Deze pagina is er niet",
        ("Het adres is onbekend, of wat er stond is weggehaald. Ga terug naar het begin.",),
    ),
    405: ("Dit verzoek klopt niet", ("Deze pagina kan dit niet. Ga terug naar het begin.",)),
    413: ("Dit is te veel tekst", ("Wat u verstuurde, is te groot. Ga terug en maak het korter.",)),
    503: (
        "Tijdig is even dicht",
        (
            "De pseudoniemen van alle leerlingen worden vernieuwd. Dat duurt meestal een paar "
            "minuten.",
            "Wat u eerder vastlegde, is bewaard. Probeer het straks opnieuw.",
        ),
    ),
    500: (
        "Er ging iets mis",
        (
            "Het ligt niet aan u. Wat u deed, is misschien niet bewaard: kijk het na.",
            "Blijft het misgaan, waarschuw dan uw beheerder.",
        ),
    ),
}
_STOPPED = (
    "De lijsten zijn stilgelegd",
    (
        "De functionaris gegevensbescherming heeft de lijsten van deze school stilgelegd.",
        "Wat u eerder vastlegde, is bewaard. Vraag de functionaris wanneer het verder gaat.",
    ),
)
_NO_ACCESS = (
    "Hier hebt u geen toegang toe",
    (
        "Deze pagina hoort bij een andere school of een andere rol.",
        "Klopt dat niet? Vraag het uw beheerder. Dat u deze pagina vroeg, is vastgelegd.",
    ),
)


def message(
    site: Site, status: int, session: Session | None = None, text: Text | None = None
) -> Response:
    """The page for a status; an unknown status reads as the nearest general one."""
    fallback = 500 if status >= 500 else 400
    heading, lines = text or _TEXTS.get(status) or _TEXTS[fallback]
    next_step = Link("Inloggen", "/inloggen") if status == 401 else Link("Naar het begin", "/")
    page = MessagePage(site.frame(heading, session), heading, lines, next_step)
    return site.render(page, status)


def add_handlers(app: FastAPI) -> None:
    """Every way in which a request can fail gets its page; none shows what went wrong inside."""

    @app.exception_handler(SignInNeeded)
    async def _sign_in(request: Request, _problem: SignInNeeded) -> Response:
        if request.method in SAFE_METHODS:
            back_to = own_address(request.url.path + _query(request))
            onward = f"?{urlencode({'verder': back_to})}" if back_to not in ("", "/") else ""
            return RedirectResponse(f"/inloggen{onward}", 303)
        return sign_in_again(site_of(request), await kept_from(request), 401)

    @app.exception_handler(NotAllowed)
    def _not_allowed(request: Request, _problem: NotAllowed) -> Response:
        site = site_of(request)
        return message(site, 403, session_of(request, site), _NO_ACCESS)

    @app.exception_handler(ListsStopped)
    def _stopped(request: Request, _problem: ListsStopped) -> Response:
        site = site_of(request)
        return message(site, 503, session_of(request, site), _STOPPED)

    @app.exception_handler(NotThere)
    def _not_there(request: Request, _problem: NotThere) -> Response:
        return _answer(request, 404)

    @app.exception_handler(HTTPException)
    def _http(request: Request, problem: HTTPException) -> Response:
        return _answer(request, problem.status_code)

    @app.exception_handler(RequestValidationError)
    def _invalid(request: Request, _problem: RequestValidationError) -> Response:
        return _answer(request, 400)

    @app.exception_handler(TijdigError)
    def _known(request: Request, problem: TijdigError) -> Response:
        log.error("%s: %s", type(problem).__name__, problem)
        return _answer(request, 500)

    @app.exception_handler(Exception)
    def _bug(request: Request, _problem: Exception) -> Response:
        # Made outside the door that adds the headers. The server logs the traceback.
        site = site_of(request)
        response = message(site, 500)
        add_headers(MutableHeaders(raw=response.raw_headers), https=site.settings.https)
        return response


def _query(request: Request) -> str:
    """What the page itself asks for; anything else (a name, in an old bookmark) goes no further."""
    route = request.scope.get("route")
    known = {one.alias for one in get_flat_params(route.dependant)} if route else set()
    kept = [(name, value) for name, value in request.query_params.multi_items() if name in known]
    return f"?{urlencode(kept)}" if kept else ""


def _answer(request: Request, status: int) -> Response:
    site = site_of(request)
    return message(site, status, session_of(request, site))
