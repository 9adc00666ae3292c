"""What somebody typed while the session ran out: carried through signing in, so nothing is lost."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from fastapi import Request
from fastapi.datastructures import FormData

PREFIX = "bewaard."
MOST_FIELDS, LONGEST_NAME, LONGEST_VALUE = 30, 40, 2000
# Never carried along: secrets, and the token of a session that is gone.
_DROPPED = frozenset({"password", "email", "form_token", "verder"})
_ADDRESS = re.compile(r"/(?!/)[A-Za-z0-9/_.-]{0,200}(?:\?[A-Za-z0-9=&%+_.-]{0,300})?")
_NOT_BACK_TO = ("/inloggen", "/uitloggen", "/welkom")


@dataclass(frozen=True)
class Kept:
    """Where somebody was going (empty: nowhere in particular), and the fields of a form."""

    address: str = ""
    fields: tuple[tuple[str, str], ...] = ()


def own_address(address: str) -> str:
    """The address when it is one of our own pages; else nothing.

    >>> own_address("/lijst/90AB00?week=2026-11-16"), own_address("//elders.example/x")
    ('/lijst/90AB00?week=2026-11-16', '')
    """
    is_ours = _ADDRESS.fullmatch(address) and not address.startswith(_NOT_BACK_TO)
    return address if is_ours else ""


async def kept_of(request: Request) -> Kept:
    """What a form of the sign-in page carries along."""
    form = await request.form()
    fields = _texts(form, (name for name in form if name.startswith(PREFIX)))
    address = form.get("verder", "")
    return Kept(
        own_address(address if isinstance(address, str) else ""),
        tuple((name.removeprefix(PREFIX), value) for name, value in fields),
    )


async def kept_from(request: Request) -> Kept:
    """What a form held that came too late."""
    form = await request.form()
    fields = _texts(form, (name for name in form if name not in _DROPPED))
    return Kept(own_address(request.url.path), fields)


def _texts(form: FormData, names: Iterable[str]) -> tuple[tuple[str, str], ...]:
    found = []
    for name in list(dict.fromkeys(names))[:MOST_FIELDS]:
        value = form.get(name)
        if isinstance(value, str) and len(name) <= LONGEST_NAME + len(PREFIX):
            found.append((name, value[:LONGEST_VALUE]))
    return tuple(found)
