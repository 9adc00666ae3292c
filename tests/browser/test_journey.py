"""Monday morning: from the set-up link to a decision that stands on the list."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Served, SignIn
from tests.serving.invented_school import IB, PASSWORD

pytestmark = pytest.mark.browser


def test_from_set_up_link_to_a_decision_on_the_list(sign_in: SignIn, served: Served) -> None:
    page: Page = sign_in()
    page.goto(f"/welkom/{served.school.set_up_tokens[IB]}")
    expect(page.get_by_role("heading", name="Welkom, Marieke Dekker")).to_be_visible()
    page.get_by_label("Nieuw wachtwoord").fill(PASSWORD)
    page.get_by_role("button", name="Wachtwoord bewaren en inloggen").click()

    heading = page.get_by_role("heading", level=1)
    expect(heading).to_have_text("Welkom, Marieke Dekker")
    page.get_by_role("link", name="Beginnen").click()
    expect(heading).to_have_text("Bespreeklijst schoolaanwezigheid – week 47")
    row = page.get_by_role("row").filter(has_text="Noor van den Berg")
    expect(row).to_contain_text("Nog geen besluit")

    page.get_by_role("link", name="Noor van den Berg").click()
    expect(heading).to_have_text("Noor van den Berg")
    assert "noor" not in page.url.lower()
    page.get_by_text("6 registraties").click()
    expect(page.get_by_role("cell", name="hele dag").first).to_be_visible()

    page.get_by_label("Volgen tot een datum").check()
    page.get_by_label("Aantekening").fill("Heeft dyslexie volgens vader")
    page.get_by_role("button", name="Besluit bewaren").click()
    expect(page.get_by_role("alert")).to_contain_text("Het besluit is nog niet bewaard.")
    expect(page.locator("#note-problem")).to_contain_text("medisch woord: ‘dyslexie’")
    expect(page.get_by_label("Aantekening")).to_have_value("Heeft dyslexie volgens vader")
    expect(page.get_by_label("Volgen tot een datum")).to_be_checked()

    page.get_by_label("Aantekening").fill("Vader gebeld.")
    page.get_by_label("Terugkijken op").fill("2026-11-30")
    page.get_by_label("Wie pakt het op?").fill("mentor 7b")
    page.get_by_role("button", name="Besluit bewaren").click()

    expect(page.get_by_role("status")).to_contain_text("Besluit bewaard voor Noor van den Berg")
    expect(row).to_contain_text("Volgen tot een datum")
    expect(row).to_contain_text("mentor 7b, terugkijken op 30 nov 2026")

    page.get_by_role("button", name="Uitloggen").click()
    expect(heading).to_have_text("Inloggen")
    page.goto("/lijst")
    expect(heading).to_have_text("Inloggen")
    page.go_back()
    expect(page.get_by_text("Noor van den Berg")).to_have_count(0)


def test_nothing_stays_in_the_browser(sign_in: SignIn) -> None:
    page = sign_in(IB)
    page.goto("/lijst")
    page.get_by_role("link", name="Noor van den Berg").click()
    stored = page.evaluate("() => [localStorage.length, sessionStorage.length, document.cookie]")
    assert stored == [0, 0, ""]


def test_the_keyboard_alone_is_enough(sign_in: SignIn) -> None:
    page = sign_in(IB)
    page.goto("/lijst")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Naar de inhoud")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.textContent") == "Noor van den Berg":
            break
    assert float(page.evaluate("parseFloat(getComputedStyle(document.activeElement).outlineWidth)"))
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Noor van den Berg")
    page.get_by_label("Registratie klopt niet").focus()
    page.keyboard.press("Space")
    page.get_by_role("button", name="Besluit bewaren").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("registratie klopt niet")
