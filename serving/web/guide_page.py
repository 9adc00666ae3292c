"""What the list does and does not do; open to everyone."""

from fastapi import APIRouter
from fastapi.responses import PlainTextResponse, Response

from serving.web.contexts.guide import GuidePage
from serving.web.services import MaybeSignedIn, TheSite

router = APIRouter()


@router.get("/uitleg")
def guide(site: TheSite, session: MaybeSignedIn) -> Response:
    """Explanation and limits."""
    return site.render(GuidePage(site.frame("Uitleg en grenzen", session), site.settings.contact))


@router.get("/gezond")
def healthy() -> Response:
    """For whoever watches whether the pages answer; says nothing else."""
    return PlainTextResponse("in orde\n")
