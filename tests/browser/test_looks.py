"""What people get to see: axe on every page, no sideways scrolling, paper without controls."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from features.catalogue import CATALOGUE
from tests.browser.conftest import Served, SignIn
from tests.serving.invented_school import (
    EARLIER,
    IB,
    NEW_SCHOOL,
    OFFICER,
    OTHER_IB,
    REGION,
    SCHOOL,
    SCIENTIST,
)
from tests.serving.test_comparison_page import comparison, store
from tests.serving.test_proportionality_page import two_versions

pytestmark = pytest.mark.browser

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "EN-301-549", "best-practice"]


def every_page(sign_in: SignIn, served: Served, width: int = 1280) -> Iterator[tuple[str, Page]]:
    """Each page as someone sees it who may."""
    stranger = sign_in(width=width)
    for address in ("/inloggen", f"/welkom/{served.school.set_up_tokens[IB]}", "/nergens"):
        stranger.goto(address)
        yield address, stranger
    row_id = served.school.row_id(served.school.pupils[0])
    two_versions(served.school.home)
    store(served.school, "1-2.json", json.dumps(comparison()))
    for email, addresses in (
        (
            IB,
            [
                "/begin",
                f"/lijst/{SCHOOL}?sorteer=naam",
                f"/lijst/{SCHOOL}?week={EARLIER[1]}",
                f"/lijst/{SCHOOL}/toevoegen",
                f"/leerling/{row_id}",
                f"/leerling/{row_id}/tellingen",
                f"/leerling/{served.school.row_id(served.school.pupils[6])}",
                f"/leerling/{served.school.row_id(served.school.pupils[6])}/tellingen",
                f"/al-in-beeld/{SCHOOL}",
                f"/zorgteam/{SCHOOL}",
                "/uitleg",
                "/uitleg/ouders",
                "/model",
            ],
        ),
        (OTHER_IB, ["/lijst", f"/lijst/{NEW_SCHOOL}", f"/al-in-beeld/{NEW_SCHOOL}"]),
        (REGION, ["/regio"]),
        (SCIENTIST, ["/model", "/vergelijken"]),
        (
            OFFICER,
            [
                "/kenmerken?toon=gezondheid",
                f"/kenmerken/{CATALOGUE[0].name}",
                "/gebruik",
                "/inzage",
                "/inzage/uitzonderingen",
                "/verzoeken",
                "/dossier",
                "/dossier/1",
                "/dossier/2?naast=1",
                "/noodstop",
                "/bewaren",
                "/evenredigheid",
            ],
        ),
    ):
        page = sign_in(email, width=width)
        for address in addresses:
            page.goto(address)
            yield address, page
        if email == OFFICER:
            yield from pages_of_a_request(page)
            page.goto("/noodstop")
            stop = page.get_by_role("region", name="Lijsten stoppen")
            stop.get_by_label("Reden").fill("model onder onderzoek")
            stop.get_by_role("button", name="Stoppen").click()
            page.get_by_role("button", name="Hervatten").first.wait_for()
            yield "stopped", page
        if email == IB:
            page.goto(f"/lijst/{SCHOOL}/toevoegen")
            page.get_by_label("Naam van de leerling, of een deel daarvan").fill("Bakker")
            page.get_by_role("button", name="Zoek").click()
            page.get_by_role("button", name="Op de lijst zetten").wait_for()
            yield "found by name", page
            page.goto(f"/leerling/{row_id}")
            page.get_by_label("Aantekening").fill("adhd")
            page.get_by_role("button", name="Besluit bewaren").click()
            yield "with problems", page
            # Every state that a form can be in is looked at as well.
            page.get_by_label("Aantekening").fill("Belt morgen.")
            page.get_by_label("Bellen of praten").check()
            page.get_by_role("button", name="Besluit bewaren").click()
            yield "decided", page
            page.goto(f"/leerling/{row_id}")
            yield "decided pupil", page
            page.goto(f"/zorgteam/{SCHOOL}")
            yield "team with agreements", page
            page.goto(f"/al-in-beeld/{SCHOOL}")
            page.get_by_label("Wie regelt het?").first.fill("a@b.nl")
            page.get_by_role("button", name="Bewaar").first.click()
            yield "at home with problems", page


def pages_of_a_request(page: Page) -> Iterator[tuple[str, Page]]:
    """From the search to each kind of request as the privacy officer sees it."""
    for kind in ("access", "erasure"):
        page.goto("/verzoeken")
        page.get_by_label("School").select_option(SCHOOL)
        page.get_by_label("Naam of leerlingnummer").fill("noor berg")
        page.get_by_role("button", name="Zoeken").click()
        page.get_by_label("Wat wordt gevraagd?").select_option(kind)
        yield f"found for {kind}", page
        page.get_by_role("button", name="Verzoek aannemen").click()
        page.get_by_role("heading", level=1, name="Verzoek om").wait_for()
        yield f"request for {kind}", page


def violations(page: Page) -> list[str]:
    page.evaluate("for (const each of document.querySelectorAll('details')) each.open = true")
    found: dict[str, Any] = (
        Axe()
        .run(
            page,
            options={
                "runOnly": {"type": "tag", "values": RULES},
                "resultTypes": ["violations"],
            },
        )
        .response
    )
    return [
        f"{problem['id']}: {node['target']}"
        for problem in found["violations"]
        for node in problem["nodes"]
    ]


def test_axe_finds_nothing_on_any_page(sign_in: SignIn, served: Served) -> None:
    found = {
        address: wrong
        for address, page in every_page(sign_in, served)
        if (wrong := violations(page))
    }
    assert found == {}


def test_axe_finds_what_is_wrong(sign_in: SignIn) -> None:
    """The check above can fail."""
    page = sign_in(IB)
    page.goto("/lijst")
    page.evaluate("document.querySelector('label[for=week]').remove()")
    assert any(problem.startswith("select-name") for problem in violations(page))


@pytest.mark.parametrize("width", [320, 768])
def test_nothing_scrolls_sideways(sign_in: SignIn, served: Served, width: int) -> None:
    for address, page in every_page(sign_in, served, width):
        wide = page.evaluate("document.documentElement.scrollWidth")
        assert wide <= width, f"{address} is {wide} wide on a screen of {width}"


def test_what_one_can_press_is_large_enough(sign_in: SignIn, served: Served) -> None:
    page = sign_in(IB, width=360)
    page.goto(f"/leerling/{served.school.row_id(served.school.pupils[0])}")
    for control in page.locator("button, summary, .choice label, select, input:visible").all():
        box = control.bounding_box()
        assert box is not None and box["height"] >= 20, control.inner_text()


def test_paper_has_the_facts_and_the_records_but_no_controls(
    sign_in: SignIn, served: Served
) -> None:
    page = sign_in(IB)
    page.goto(f"/leerling/{served.school.row_id(served.school.pupils[0])}")
    page.emulate_media(media="print")
    text = page.locator("body").inner_text()
    for expected in (
        "Noor van den Berg",
        "In de laatste 40 schoolweken",
        "2 nov 2026",  # evidence that is folded on the screen
        "Niet doorsturen",
        "Getoond op 16 nov 2026, 09:35 aan Marieke Dekker.",
    ):
        assert expected in text
    for control in ("Besluit bewaren", "Uitloggen", "Naar uw besluit"):
        assert control not in text


def test_the_calendar_says_the_same_without_colour(sign_in: SignIn, served: Served) -> None:
    page = sign_in(IB)
    page.goto(f"/leerling/{served.school.row_id(served.school.pupils[0])}")
    cells = page.locator("td.day.sick, td.day.unexcused, td.day.excused, td.day.unknown").all()
    assert len(cells) > 10
    for cell in cells:
        assert cell.locator("span").first.inner_text().strip(), "a letter, not a colour alone"


def test_the_page_asks_for_nothing_from_elsewhere(sign_in: SignIn, served: Served) -> None:
    page = sign_in(IB)
    asked: list[str] = []
    said: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: said.append(message.text))
    for address in (f"/lijst/{SCHOOL}", "/uitleg"):
        page.goto(address)
    assert all(url.startswith(served.address) for url in asked), asked
    assert said == [], "the content policy was violated, or something else was said"
