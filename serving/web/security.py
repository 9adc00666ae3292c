"""At the door of every request: known host, same origin, small body; headers on every answer."""

import hmac
from collections.abc import Callable, MutableMapping
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
LARGEST_BODY = 64 * 1024
STATIC = "/static/"

CONTENT_POLICY = "; ".join(
    (
        "default-src 'none'",
        "style-src 'self'",
        "img-src 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
    )
)
ONE_YEAR = "max-age=31536000; includeSubDomains"


def add_headers(headers: MutableHeaders, *, https: bool, static: bool = False) -> None:
    """What every answer carries. Nothing about a pupil stays in a browser's cache."""
    headers["Content-Security-Policy"] = CONTENT_POLICY
    headers["X-Content-Type-Options"] = "nosniff"
    headers["Referrer-Policy"] = "no-referrer"
    headers["Permissions-Policy"] = "camera=(), geolocation=(), microphone=()"
    headers["Cross-Origin-Opener-Policy"] = "same-origin"
    headers["Cross-Origin-Resource-Policy"] = "same-origin"
    headers["Cache-Control"] = "public, max-age=3600" if static else "no-store"
    if https:
        headers["Strict-Transport-Security"] = ONE_YEAR


def is_same_origin(headers: Headers) -> bool:
    """Whether a request that changes something comes from our own pages.

    Browsers say so in `Sec-Fetch-Site`, which no page can forge; where it is missing (an address
    without TLS that is not this machine, an old browser), `Origin` must be our host. Neither: no.

    >>> is_same_origin(Headers({"sec-fetch-site": "cross-site", "origin": "http://a", "host": "a"}))
    False
    >>> is_same_origin(Headers({"origin": "http://a:8000", "host": "a:8000"}))
    True
    >>> is_same_origin(Headers({"host": "a:8000"}))
    False
    """
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site == "same-origin"
    origin, host = headers.get("origin"), headers.get("host")
    return origin is not None and host is not None and urlsplit(origin).netloc == host


def tokens_match(expected: str, given: str) -> bool:
    """Compare secrets in a time that does not tell how far they agree."""
    return bool(expected) and hmac.compare_digest(expected.encode(), given.encode())


def host_name(headers: Headers) -> str:
    """The host that was asked for, without its port.

    >>> host_name(Headers({"host": "[::1]:8000"})), host_name(Headers({"host": "localhost"}))
    ('::1', 'localhost')
    """
    try:
        return urlsplit(f"//{headers.get('host', '')}").hostname or ""
    except ValueError:
        return ""


class Door:
    """Stands before the application; what it refuses never reaches a page.

    `refuse` makes the page that tells so, from a status code. While `is_closed`, nobody gets in:
    the stores are being rewritten.
    """

    def __init__(
        self,
        app: ASGIApp,
        hosts: frozenset[str],
        https: bool,
        refuse: Callable[[int], Response],
        is_closed: Callable[[], bool],
    ) -> None:
        self._app = app
        self._is_closed = is_closed
        self._hosts = hosts
        self._https = https
        self._refuse = refuse

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Check, then let through with headers on the answer."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        static = scope["path"].startswith(STATIC)

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                is_static = static and message["status"] == 200
                add_headers(MutableHeaders(scope=message), https=self._https, static=is_static)
            await send(message)

        status = self._problem(scope)
        if status is None and not static and self._is_closed():
            status = 503
        app: ASGIApp = self._app if status is None else self._refuse(status)
        await app(scope, receive, send_with_headers)

    def _problem(self, scope: MutableMapping[str, object]) -> int | None:
        headers = Headers(scope=scope)
        # A page elsewhere whose name was made to point at this machine is not let in.
        if host_name(headers) not in self._hosts:
            return 400
        if scope["method"] in SAFE_METHODS:
            return None
        if not is_same_origin(headers):
            return 403
        length = headers.get("content-length", "")
        # Forms of browsers always say how long they are.
        if not length.isdigit() or int(length) > LARGEST_BODY:
            return 413
        return None
