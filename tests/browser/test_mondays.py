"""A full Monday, the next one, a clock that runs out, and the coordinator's view, in Chromium."""

import os
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from features.governance.audit import AuditChain
from features.governance.database import open_ledger
from features.governance.objections import objected
from tests.browser.conftest import Served, SignIn
from tests.serving.invented_school import (
    IB,
    MONDAY,
    NEXT_MONDAY,
    REGION,
    SCHOOL,
    publish_next_monday,
)

pytestmark = pytest.mark.browser

LIST = f"/lijst/{SCHOOL}"
# One step each: five of the list, and five whom the coordinator adds by hand.
STEPS = (
    ("Noor van den Berg", "Gesprek plannen met leerling en ouders", "mentor 7b", "2026-11-25"),
    ("Thijs Jansen", "Bellen of praten met leerling of ouders", "mentor 7b", "2026-11-26"),
    ("Amira el Haddad", "Inbrengen in het ondersteuningsteam", "Ria", "2026-12-02"),
    ("Daan Çelik", "Volgen tot een datum", "", "2026-12-09"),
    ("Sem de Vries", "Registratie klopt niet", "administratie", ""),
)
ADDED = (
    ("Bakker", "Lotte Bakker", "Jeugdarts vragen (M@ZL)", "Ria"),
    ("Peeters", "Milan Peeters", "Overleg met leerplicht", ""),
    ("Dijk", "Fenna van Dijk", "Overleg met alle betrokkenen, plan op maat", "Ria"),
    ("Kok", "Ruben Kok", "Niet tonen: er is bezwaar gemaakt", ""),
)


def keep(page: Page, step: str, owner: str = "", look_back_on: str = "", note: str = "") -> None:
    page.get_by_label(step, exact=True).check()
    page.get_by_label("Wie pakt het op?").fill(owner)
    if look_back_on:
        page.get_by_label("Terugkijken op").fill(look_back_on)
    page.get_by_label("Aantekening").fill(note)
    page.get_by_role("button", name="Besluit bewaren").click()
    expect(page.get_by_role("status").first).to_contain_text("Besluit bewaard voor")


def shoot(page: Page, name: str) -> None:
    """Pictures to look at, on paper and on a phone as well, where a folder is named for them."""
    folder = os.environ.get("TIJDIG_SHOTS")
    if folder:
        page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)
        page.pdf(path=Path(folder) / f"{name}.pdf", format="A4")


def test_a_full_monday_and_the_next(sign_in: SignIn, served: Served) -> None:
    page = sign_in(IB)
    page.goto(LIST)
    expect(page.get_by_text("5 leerlingen", exact=True)).to_be_visible()
    for name, step, owner, look_back_on in STEPS:
        page.get_by_role("link", name=name).click()
        keep(page, step, owner, look_back_on)
    expect(page.get_by_text("Nog geen besluit (0)")).to_be_visible()

    # Corrected: the newest decision is what stands.
    served.wait(minutes=1)
    page.get_by_role("link", name="Daan Çelik").click()
    page.get_by_label("Niet relevant", exact=True).check()
    page.get_by_label("Bij ‘niet relevant’: waarom?").select_option("explained")
    page.get_by_role("button", name="Besluit bewaren").click()
    daan = page.get_by_role("row").filter(has_text="Daan Çelik")
    expect(daan).to_contain_text("Niet relevant")

    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    for words, name, step, owner in ADDED:
        page.goto(LIST)
        page.get_by_role("link", name="Leerling toevoegen").click()
        page.get_by_label("Naam van de leerling, of een deel daarvan").fill(words)
        page.get_by_role("button", name="Zoek").click()
        page.get_by_label("Zorg van leerkracht, mentor of uzelf").check()
        page.get_by_role("button", name="Op de lijst zetten").click()
        expect(page.get_by_role("heading", level=1)).to_have_text(name)
        keep(page, step, owner)
    expect(page.get_by_role("heading", name="Zelf toegevoegd 4")).to_be_visible()
    assert not [url for url in asked for words, *_ in ADDED if words.lower() in url.lower()]
    shoot(page, "maandag")
    ruben = served.school.pupils[8].key
    ledger = open_ledger(served.school.home)
    assert ruben in objected(ledger, served.clock().replace(year=2027))

    page.emulate_media(media="print")
    paper = page.locator("body").inner_text()
    assert "Noor van den Berg" in paper and "Niet doorsturen" in paper
    assert "Leerling toevoegen" not in paper
    page.emulate_media(media="screen")

    page.get_by_role("link", name="Zorgteam-overzicht").click()
    expect(page.get_by_text("10 afspraken")).to_be_visible()
    shoot(page, "zorgteam")
    for button, ending in (("Maak een PDF", "pdf"), ("Maak een spreadsheet", "xlsx")):
        with page.expect_download() as download:
            page.get_by_role("button", name=button).click()
        assert download.value.suggested_filename == f"zorgteam-{SCHOOL}-{MONDAY}.{ending}"
    exported = AuditChain(ledger).rows(event="exported")
    assert [row.detail["rows"] for row in exported] == [10, 10]

    # A week later: what was agreed comes back by itself.
    served.next_week()
    publish_next_monday(served.school)
    page = sign_in(IB)
    page.goto(LIST)
    expect(page.get_by_role("heading", level=1)).to_have_text(
        "Bespreeklijst schoolaanwezigheid – week 48"
    )
    expect(page.get_by_role("heading", name="Terug op afspraak 1")).to_be_visible()
    thijs = page.get_by_role("row").filter(has_text="Thijs Jansen")
    expect(thijs).to_contain_text("bellen of praten met leerling of ouders (mentor 7b)")
    expect(page.get_by_role("row").filter(has_text="Noor van den Berg")).to_contain_text(
        "op afspraak"
    )
    expect(page.get_by_text("Ruben Kok")).to_have_count(0)
    shoot(page, "volgende-maandag")

    page.get_by_role("link", name="Thijs Jansen").click()
    page.get_by_text("Vastleggen hoe het ging").click()
    page.get_by_label("Hoe ging het?").select_option("done")
    page.get_by_role("button", name="Bewaar", exact=True).click()
    expect(page.get_by_role("status")).to_have_text("Bewaard hoe het ging.")
    expect(page.get_by_text("Hoe het ging: Gedaan")).to_be_visible()
    page.get_by_role("link", name="Terug naar de lijst").click()
    page.get_by_label("Week").select_option(MONDAY.isoformat())
    page.get_by_role("button", name="Toon").click()
    expect(page.get_by_text("U kijkt terug naar een eerdere week.")).to_be_visible()
    assert NEXT_MONDAY.isoformat() not in page.url


def test_a_clock_runs_out_in_sight(sign_in: SignIn, served: Served) -> None:
    page = sign_in(IB)
    page.goto(LIST)
    expect(page.get_by_text("Op 25 nov 2026 is 1 leerling vier weken thuis.")).to_be_visible()
    page.get_by_role("link", name="Naar Al in beeld").click()
    milan = page.get_by_role("listitem").filter(has=page.get_by_role("link", name="Milan Peeters"))
    expect(milan).to_contain_text("op 25 nov 2026, over 9 dagen")
    milan.get_by_label("Wie regelt het?").fill("jeugdarts")
    milan.get_by_label("Is er een aanbod?").select_option("talked_about")
    milan.get_by_role("button", name="Bewaar").click()
    expect(page.get_by_role("status")).to_have_text("Bewaard voor Milan Peeters.")
    expect(page.get_by_text("Wie regelt het: jeugdarts.")).to_be_visible()
    shoot(page, "al-in-beeld")
    served.next_week()
    served.next_week()
    page = sign_in(IB)
    page.goto(f"/al-in-beeld/{SCHOOL}")
    expect(page.get_by_text("voorbij sinds 25 nov 2026")).to_be_visible()


def test_the_coordinator_sees_counts_and_nobody(sign_in: SignIn, served: Served) -> None:
    page = sign_in(REGION)
    page.goto("/regio")
    expect(page.get_by_role("img", name="Leerlingen die vier weken of langer")).to_be_visible()
    expect(page.get_by_role("row", name="november 2026")).to_be_visible()
    text = page.locator("main").inner_text()
    for pupil in served.school.pupils:
        assert pupil.name not in text
    cells = page.locator("tbody td").all_inner_texts()
    assert "×" in cells
    assert not {cell for cell in cells if cell in {"1", "2", "3", "4"}}
    shoot(page, "regiobeeld")
    page.goto(LIST)
    expect(page.get_by_role("heading", level=1)).to_have_text("Hier hebt u geen toegang toe")


def test_nothing_is_lost_when_the_session_runs_out(sign_in: SignIn, served: Served) -> None:
    page = sign_in(IB)
    page.goto(f"/leerling/{served.school.row_id(served.school.pupils[0])}")
    page.get_by_label("Bellen of praten met leerling of ouders").check()
    page.get_by_label("Aantekening").fill("Vader gebeld.")
    served.wait(minutes=31)
    page.get_by_role("button", name="Besluit bewaren").click()
    expect(page.get_by_role("status")).to_contain_text("Wat u typte, is niet kwijt")
    page.get_by_label("E-mailadres").fill(IB)
    page.get_by_label("Wachtwoord").fill("vier losse woorden samen")
    page.get_by_role("button", name="Inloggen").click()
    page.get_by_role("button", name="Alsnog versturen").click()
    expect(page.get_by_role("status").first).to_contain_text(
        "Besluit bewaard voor Noor van den Berg"
    )
