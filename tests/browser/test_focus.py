"""By keyboard alone: every control of every page in turn, seen, in order, and never stuck."""

from typing import Any
from urllib.parse import urlsplit

import pytest
from fastapi.routing import APIRoute
from playwright.sync_api import Page, expect

from serving.web.app import FAMILIES
from tests.browser.conftest import Served, SignIn
from tests.browser.test_looks import every_page
from tests.serving.invented_school import IB, PASSWORD, SCHOOL

pytestmark = pytest.mark.browser

# What Tab must reach, in the order of the page; of a group of choices the one that is chosen, or
# the first. Number each, so that a stop can be recognised.
NUMBER_THEM = """() => {
  const all = [...document.querySelectorAll(
    'a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex="0"]')];
  const seen = all.filter(each => each.checkVisibility() && !each.disabled);
  const groups = new Set();
  const stops = seen.filter(each => {
    if (each.type !== 'radio') return true;
    const chosen = document.querySelector(`input[name=${each.name}]:checked`);
    if (chosen) return each === chosen;
    if (groups.has(each.name)) return false;
    groups.add(each.name);
    return true;
  });
  stops.forEach((each, number) => each.dataset.stop = number);
  return stops.map(each => (each.textContent || each.name || '').trim().slice(0, 40));
}"""
FROM_THE_TOP = """() => {
  document.body.tabIndex = -1;  // an address with a fragment begins there; a walk at the top
  document.body.focus();
  document.body.removeAttribute('tabindex');
  window.scrollTo(0, 0);
}"""
WHERE = """() => {
  const here = document.activeElement;
  if (!here || here === document.body) return null;
  const box = here.getBoundingClientRect();
  const style = getComputedStyle(here);
  const x = Math.min(Math.max(box.left + Math.min(box.width, 8) / 2, 0), innerWidth - 1);
  const y = Math.min(Math.max(box.top + box.height / 2, 0), innerHeight - 1);
  const top = document.elementFromPoint(x, y);
  return {
    stop: here.dataset.stop === undefined ? null : Number(here.dataset.stop),
    what: here.outerHTML.slice(0, 80),
    outline: style.outlineStyle === 'none' ? 0 : parseFloat(style.outlineWidth),
    inside: box.bottom > 0 && box.top < innerHeight && box.width > 0,
    covered: !(top && (here === top || here.contains(top) || top.contains(here))),
  };
}"""


def walk(page: Page) -> list[str]:
    """Tab through the whole page; what is wrong, in words."""
    names: list[str] = page.evaluate(NUMBER_THEM)
    page.evaluate(FROM_THE_TOP)
    found: list[str] = []
    order: list[int] = []
    for _ in range(2 * len(names) + 5):
        page.keyboard.press("Tab")
        here: dict[str, Any] | None = page.evaluate(WHERE)
        if here is None or (order and here["stop"] == order[0]):
            break
        if here["stop"] is None:
            found.append(f"an unknown stop: {here['what']}")
            continue
        if order and here["stop"] == order[-1]:
            # A date is one control with several fields; anything else holds the focus.
            if 'type="date"' not in here["what"]:
                found.append(f"stuck at {here['what']}")
            continue
        order.append(here["stop"])
        if here["outline"] < 2:
            found.append(f"focus cannot be seen: {here['what']}")
        if not here["inside"] or here["covered"]:
            found.append(f"focus is out of sight or covered: {here['what']}")
    else:
        found.append("the walk does not end")
    if order != sorted(order):
        found.append(f"not in the order of the page: {order}")
    found += [f"not reached: {names[stop]}" for stop in range(len(names)) if stop not in order]
    if names and names[0] != "Naar de inhoud":
        found.append(f"the first stop is {names[0]}")
    return found


@pytest.mark.parametrize("width", [1280, 320])
def test_every_control_is_reached_seen_and_left(
    sign_in: SignIn, served: Served, width: int
) -> None:
    found, seen = {}, set()
    for address, page in every_page(sign_in, served, width):
        seen.add(urlsplit(page.url).path)
        if wrong := walk(page):
            found[address] = wrong
    assert found == {}
    assert not_seen(seen) == set()


# Answers that are no page of their own: on to another page, a file, a sign of life.
NO_PAGE = {"/", "/gezond", "/lijst", "/al-in-beeld", "/zorgteam"}
NO_PAGE |= {"/dossier/{version}/bestand.{kind}", "/gebruik/bestand.{kind}"}


def not_seen(addresses: set[str]) -> set[str]:
    """The routes of pages that none of these addresses belongs to."""
    routes = [route for family in FAMILIES for route in family.router.routes]
    pages = [each for each in routes if isinstance(each, APIRoute)]
    return {
        each.path
        for each in pages
        if "GET" in (each.methods or ())
        and not any(each.path_regex.match(address) for address in addresses)
    } - NO_PAGE


@pytest.mark.parametrize(
    ("harm", "told"),
    [
        ("a.as-button { outline: none !important }", "focus cannot be seen"),
        (".top { position: fixed; inset: 0 0 20% 0; z-index: 9 }", "covered"),
    ],
)
def test_the_walk_sees_what_is_wrong(sign_in: SignIn, harm: str, told: str) -> None:
    page = sign_in(IB)
    page.goto(f"/lijst/{SCHOOL}")
    page.evaluate(
        """style => {
          const own = new CSSStyleSheet();
          own.replaceSync(style);
          document.adoptedStyleSheets = [own];
        }""",
        harm,
    )
    assert any(told in each for each in walk(page))


def test_a_control_out_of_turn_or_out_of_reach_is_told(sign_in: SignIn) -> None:
    page = sign_in(IB)
    page.goto(f"/lijst/{SCHOOL}")
    for turn in (5, -1):
        page.evaluate("turn => { document.querySelector('#week').tabIndex = turn }", turn)
        assert any("not in the order" in each or "not reached" in each for each in walk(page))
        page.reload()


def alt(page: Page, digit: str) -> None:
    """Alt and a digit as a keyboard sends it; `press` leaves out which character the key bears."""
    event = {"modifiers": 1, "key": digit, "code": f"Digit{digit}", "unmodifiedText": digit}
    event["windowsVirtualKeyCode"] = ord(digit)
    session = page.context.new_cdp_session(page)
    session.send("Input.dispatchKeyEvent", {"type": "rawKeyDown", **event})
    session.send("Input.dispatchKeyEvent", {"type": "char", "text": digit, **event})
    session.send("Input.dispatchKeyEvent", {"type": "keyUp", **event})
    session.detach()


def test_digits_go_where_they_say(sign_in: SignIn, served: Served) -> None:
    page = sign_in(IB)
    page.goto("/begin")
    alt(page, "2")
    expect(page.get_by_role("heading", level=1)).to_have_text("Al in beeld")
    alt(page, "1")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Bespreeklijst")
    page.goto(f"/leerling/{served.school.row_id(served.school.pupils[0])}")
    alt(page, "8")
    expect(page.locator("#besluit")).to_be_focused()
    alt(page, "9")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Bespreeklijst")
    alt(page, "8")
    expect(page.get_by_role("heading", level=1)).to_have_text("Leerling toevoegen")


def test_a_plain_letter_or_digit_does_nothing(sign_in: SignIn) -> None:
    """Somebody who dictates or types beside a field must not set something off."""
    page = sign_in(IB)
    page.goto(f"/lijst/{SCHOOL}")
    for key in "0123456789abcdefghijklmnopqrstuvwxyz/?":
        page.keyboard.press(key)
    assert page.url.endswith(f"/lijst/{SCHOOL}")


def test_a_password_can_be_pasted_and_filled_in(sign_in: SignIn) -> None:
    page = sign_in()
    page.goto("/inloggen")
    assert page.locator("#email").get_attribute("autocomplete") == "username"
    assert page.locator("#password").get_attribute("autocomplete") == "current-password"
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.evaluate("text => navigator.clipboard.writeText(text)", PASSWORD)
    page.locator("#password").focus()
    page.keyboard.press("Control+V")
    expect(page.locator("#password")).to_have_value(PASSWORD)
