"""A name typed to search with stands in no address, so in no history and no access log."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.dependencies.utils import get_flat_params
from fastapi.params import Query

from features.governance.audit import AuditChain
from features.governance.database import open_ledger
from serving.sessions import IDLE
from tests.serving.invented_school import IB, OFFICER, SCHOOL, InventedSchool
from tests.serving.page_rules import parse
from tests.serving.test_access import walked
from tests.serving.test_list_page import LIST, search_answer
from tests.serving.visitors import Browser, Clock, Visit, client_of

TYPED = "Bakker"
SEARCHES = ((IB, f"{LIST}/toevoegen", "naam"), (OFFICER, "/verzoeken", "wie"))
# Everything that a page may be asked by its address: choices and days; nothing that is typed.
ASKED = frozenset(
    {"week", "sorteer", "richting", "toon", "bewaard", "van", "tot", "naar", "naast", "pagina"}
    | {"getekend", "kenmerk", "doel", "rol", "maand", "verder"}
)


def addresses(answer: Any) -> Iterator[str]:
    """Every address in an answer and on the way to it."""
    yield str(answer.request.url)
    yield answer.headers.get("location", "")
    for element in parse(answer.text).walk() if answer.text else ():
        for name in ("href", "action", "formaction", "src"):
            yield element.attributes.get(name, "")


def sent(client: Browser, page: str, field: str, token: str | None = None) -> Any:
    """The answer to what was typed; without the token of the page, with this one."""
    form_token = token
    if form_token is None:
        text = client.get(page).text
        form_token = text.split('name="form_token" value="')[1].split('"')[0]
    data = {"form_token": form_token, "school": SCHOOL, field: TYPED}
    return client.post(f"{page}/zoek", data=data)


def test_no_page_takes_more_by_its_address_than_choices_and_days(app: FastAPI) -> None:
    asked = {
        one.alias
        for route in walked(app.routes)
        for one in get_flat_params(route.dependant)
        if isinstance(one.field_info, Query)
    }
    assert asked == ASKED


@pytest.mark.parametrize(("who", "page", "field"), SEARCHES)
def test_what_was_typed_stands_in_no_address(visit: Visit, who: str, page: str, field: str) -> None:
    answer = sent(visit(who), page, field)
    assert answer.status_code == 200 and "Lotte Bakker" in answer.text
    assert answer.headers["cache-control"] == "no-store"
    assert not [one for one in addresses(answer) if TYPED.lower() in one.lower()]


@pytest.mark.parametrize(("who", "page", "field"), SEARCHES)
def test_what_was_typed_too_late_stands_in_no_address(
    visit: Visit, clock: Clock, who: str, page: str, field: str
) -> None:
    client = visit(who)
    token = client.get(page).text.split('name="form_token" value="')[1].split('"')[0]
    clock.now += IDLE + timedelta(minutes=1)
    answer = sent(client, page, field, token)
    assert answer.status_code == 401 and TYPED in answer.text, "carried along in the form"
    assert not [one for one in addresses(answer) if TYPED.lower() in one.lower()]


@pytest.mark.parametrize(("who", "page", "field"), SEARCHES)
def test_a_search_comes_from_our_own_page(
    visit: Visit, school: InventedSchool, who: str, page: str, field: str
) -> None:
    client = visit(who)
    assert sent(client, page, field, "x" * 64).status_code == 403
    client.headers["Sec-Fetch-Site"] = "cross-site"
    assert sent(client, page, field).status_code == 403, "also with the right token"
    chain = AuditChain(open_ledger(school.home))
    assert not [*chain.rows(event="pupils_searched"), *chain.rows(event="pupil_searched")]


@pytest.mark.parametrize(("who", "page", "field"), SEARCHES)
@pytest.mark.parametrize("ending", ["", "/zoek"])
def test_an_address_with_a_name_finds_nobody(
    visit: Visit, school: InventedSchool, who: str, page: str, field: str, ending: str
) -> None:
    answer = visit(who).get(f"{page}{ending}?{field}={TYPED}&school={SCHOOL}")
    assert answer.status_code == 200 and TYPED not in answer.text
    chain = AuditChain(open_ledger(school.home))
    assert not [*chain.rows(event="pupils_searched"), *chain.rows(event="pupil_searched")]


@pytest.mark.parametrize(("who", "page", "field"), SEARCHES)
def test_an_old_address_with_a_name_goes_no_further_than_the_door(
    app: FastAPI, who: str, page: str, field: str
) -> None:
    answer = client_of(app).get(f"{page}?{field}={TYPED}")
    assert answer.status_code == 303
    assert TYPED not in answer.headers["location"]


def test_a_search_is_logged_without_what_was_typed(visit: Visit, school: InventedSchool) -> None:
    search_answer(visit(IB), TYPED)
    (row,) = AuditChain(open_ledger(school.home)).rows(event="pupils_searched")
    assert row.actor == IB and row.detail == {"pupils": len(school.pupils)}
