"""Feast's own pages about the definitions, without the ways to values that Feast serves beside.

The server behind these pages also answers with stored rows, puts rows in and takes definitions away
(labelling, exports, deletion), asked by anyone who reaches it: past the gate and the ledger. All of
that is asked with other methods than GET, so only reading is let through.
"""

from collections.abc import Awaitable, Callable, MutableMapping
from pathlib import Path
from typing import Any

from features.errors import NotThere
from features.store.feast_repo import open_repo

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Message, Receive, Send], Awaitable[None]]

READING = ("GET", "HEAD")
_VALUES = "/api/v1/saved_datasets/data"


def definition_pages(folder: Path) -> Application:
    """The pages of the repository in `folder`, to be served on this machine only."""
    try:
        from feast.ui_server import get_app
    except ImportError as problem:
        raise NotThere(
            "Feast's pages need the extra `ui`; run `pip install tijdig[ui]`"
        ) from problem
    store = open_repo(folder).for_pages()
    pages: Application = get_app(store, store.project)
    return reading_only(pages)


def reading_only(pages: Application) -> Application:
    """`pages`, of which only what is asked with READING and holds no values is answered."""

    async def answer(scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and not _is_reading(scope):
            await _refuse(send)
        elif scope["type"] in ("http", "lifespan"):
            await pages(scope, receive, send)

    return answer


def _is_reading(scope: Message) -> bool:
    return scope["method"] in READING and not scope["path"].startswith(_VALUES)


async def _refuse(send: Send) -> None:
    text = b"These pages show definitions. Values are read through `tijdig`, behind its gate.\n"
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"allow", b"GET, HEAD")]
    await send({"type": "http.response.start", "status": 405, "headers": headers})
    await send({"type": "http.response.body", "body": text})
