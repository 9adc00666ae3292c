"""What the list does and does not do; open to everyone."""

from fastapi import APIRouter
from fastapi.responses import PlainTextResponse, Response

from serving.frequencies import frequencies
from serving.web.contexts.guide import GuidePage, ParentsPage
from serving.web.services import MaybeSignedIn, TheSite

router = APIRouter()


@router.get("/uitleg")
def guide(site: TheSite, session: MaybeSignedIn) -> Response:
    """Explanation and limits."""
    page = GuidePage(
        frame=site.frame("Uitleg en grenzen", session),
        contact=site.settings.contact,
        how_often=tuple(
            (block.label, text) for block, text in frequencies(site.evaluation).items()
        ),
    )
    return site.render(page)


@router.get("/uitleg/ouders")
def for_parents(site: TheSite, session: MaybeSignedIn) -> Response:
    """A text for parents, for a school to make its own."""
    return site.render(ParentsPage(site.frame("Tekst voor ouders", session)))


@router.get("/gezond")
def healthy() -> Response:
    """For whoever watches whether the pages answer; says nothing else."""
    return PlainTextResponse("in orde\n")
