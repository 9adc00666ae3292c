"""Every page: what its dataclass says and no more, and rules that axe does not know."""

import re
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from jinja2 import Environment, meta, nodes

from serving.web import contexts
from serving.web.services import template_environment
from tests.serving.invented_school import (
    EARLIER,
    IB,
    NEW_SCHOOL,
    OFFICER,
    OTHER_IB,
    OTHER_SCHOOL,
    REGION,
    SCHOOL,
    SCIENTIST,
    InventedSchool,
)
from tests.serving.page_rules import parse, problems
from tests.serving.test_list_page import search_answer
from tests.serving.visitors import Visit, client_of

TEMPLATES = Path(contexts.__file__).parents[1] / "templates"
BANNED = re.compile(
    r"thuiszitter|risicoleerling|spijbelaar|schoolweigeraar|probleemgezin"
    r"|\bkans op\b|risicoscore",
    re.IGNORECASE,
)
CAUSE = re.compile(r"\bomdat\b|\bdoor\b|\bdoordat\b|\bveroorzaak", re.IGNORECASE)


@pytest.fixture
def school(counted_school: InventedSchool, tmp_path: Path) -> InventedSchool:
    """A copy with this week's values online."""
    return counted_school.copied(tmp_path / "home")


def all_pages(app: FastAPI, visit: Visit, school: InventedSchool) -> Iterator[tuple[str, str]]:
    """Each page as someone sees it who may."""
    stranger, own, other = client_of(app), visit(IB), visit(OTHER_IB)
    row_id = school.row_id(school.pupils[0])
    token = school.set_up_tokens[SCIENTIST]
    for client, addresses in (
        (
            stranger,
            ["/inloggen", f"/welkom/{token}", "/welkom/x", "/nergens", "/uitleg", "/uitleg/ouders"],
        ),
        (
            own,
            [
                f"/lijst/{SCHOOL}",
                f"/lijst/{SCHOOL}?week={EARLIER[1]}",
                f"/lijst/{SCHOOL}/toevoegen",
                f"/leerling/{row_id}",
                f"/leerling/{row_id}/tellingen",
                f"/leerling/{school.row_id(school.pupils[6])}",
                f"/leerling/{school.row_id(school.pupils[6])}/tellingen",
                f"/al-in-beeld/{SCHOOL}",
                f"/zorgteam/{SCHOOL}",
                f"/zorgteam/{SCHOOL}?van=2026-13-45",
                "/begin",
                "/uitleg",
                "/model",
            ],
        ),
        (
            other,
            [
                f"/lijst/{NEW_SCHOOL}",
                f"/lijst/{OTHER_SCHOOL}",
                f"/al-in-beeld/{NEW_SCHOOL}",
                f"/al-in-beeld/{OTHER_SCHOOL}",
                f"/zorgteam/{OTHER_SCHOOL}",
            ],
        ),
        (visit(REGION), ["/regio", "/lijst"]),
    ):
        for address in addresses:
            yield address, client.get(address).text
    page = own.get(f"/leerling/{row_id}").text
    form_token = page.split('name="form_token" value="')[1].split('"')[0]
    wrong = {"form_token": form_token, "kind": "follow_until", "note": "adhd", "owner": "a@b.nl"}
    yield "with problems", own.post(f"/leerling/{row_id}/besluit", data=wrong).text
    for words in ("bak", "xyz"):
        yield f"search {words}", search_answer(own, words).text
    yield "/model", visit(SCIENTIST).get("/model").text
    yield "/vergelijken", visit(SCIENTIST).get("/vergelijken").text
    officer = visit(OFFICER)
    for address in ("/kenmerken", "/gebruik", "/inzage"):
        yield address, officer.get(address).text


def test_every_page_keeps_the_rules(app: FastAPI, visit: Visit, school: InventedSchool) -> None:
    found = {
        address: wrong
        for address, text in all_pages(app, visit, school)
        if (wrong := problems(parse(text)))
    }
    assert found == {}


def test_no_page_uses_a_banned_word(app: FastAPI, visit: Visit, school: InventedSchool) -> None:
    for address, text in all_pages(app, visit, school):
        words = parse(text).text
        match = BANNED.search(words)
        if address.startswith(
            ("/lijst", "/leerling", "/al-in", "/zorg")
        ):  # where sentences are about a pupil
            match = match or CAUSE.search(words)
        assert match is None, f"{address}: {match}"


def test_no_page_names_a_pupil_by_key(app: FastAPI, visit: Visit, school: InventedSchool) -> None:
    keys = [pupil.key for pupil in (*school.pupils, *school.others)]
    for address, text in all_pages(app, visit, school):
        if address != "/inzage":  # the privacy officer's log is by pseudonym
            assert not any(key in text for key in keys), address


@pytest.mark.parametrize("page", contexts.pages(), ids=lambda page: page.__name__)
def test_a_template_uses_exactly_the_names_of_its_page(page: Any) -> None:
    environment = template_environment()
    assert names_used(environment, page.template) == {field.name for field in fields(page)}


def names_used(environment: Environment, template: str) -> set[str]:
    """The free names of a template and of those it extends."""
    assert environment.loader is not None
    source = environment.loader.get_source(environment, template)[0]
    tree = environment.parse(source)
    imported = {name for node in tree.find_all(nodes.FromImport) for name in node.names}
    names = meta.find_undeclared_variables(tree) - imported
    for parent in tree.find_all(nodes.Extends):
        assert isinstance(parent.template, nodes.Const)
        names |= names_used(environment, parent.template.value)
    return names


def test_every_template_has_its_page() -> None:
    pages = {page.template for page in contexts.pages()}
    whole = {path.name for path in TEMPLATES.glob("*.html") if not path.name.startswith("_")}
    assert whole == pages | {"base.html"}


def test_every_class_name_of_a_template_has_a_style() -> None:
    style = (TEMPLATES.parent / "static" / "tijdig.css").read_text(encoding="utf-8")
    for path in TEMPLATES.glob("*.html"):
        for names in re.findall(r'class="([^"{]*)"', path.read_text(encoding="utf-8")):
            for name in names.split():
                assert f".{name}" in style, f"{path.name}: .{name}"


def test_colours_stand_out_enough() -> None:
    style = (TEMPLATES.parent / "static" / "tijdig.css").read_text(encoding="utf-8")
    colours = dict(re.findall(r"--([a-z0-9-]+): (#[0-9a-f]{3,6});", style))
    pairs = (
        ("ink", "paper", 4.5),
        ("muted", "paper", 4.5),
        ("muted", "ground", 4.5),
        ("hue-700", "ground", 4.5),
        ("paper", "hue-500", 4.5),  # Z on a day of illness
        ("paper", "hue-900", 4.5),
        ("ink", "hue-200", 4.5),
        ("ink", "hue-300", 4.5),
        ("hue-200", "hue-900", 4.5),
        ("line-strong", "paper", 3.0),  # the edge of a field
        ("focus", "ground", 3.0),
    )
    for front, back, wanted in pairs:
        assert contrast(colours[front], colours[back]) >= wanted, f"{front} on {back}"


def contrast(one: str, other: str) -> float:
    """The contrast ratio of WCAG."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def luminance(colour: str) -> float:
    digits = colour[1:] if len(colour) == 7 else "".join(2 * digit for digit in colour[1:])
    parts = [int(digits[place : place + 2], 16) / 255 for place in (0, 2, 4)]
    linear = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
