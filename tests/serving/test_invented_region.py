"""Every page of an invented region says that nothing on it exists; others do not say so."""

import pytest
from fastapi import FastAPI

from features.settings import Settings
from serving.web.app import create_app
from tests.serving.invented_school import IB, SCHOOL, InventedSchool
from tests.serving.page_rules import parse
from tests.serving.visitors import CHEAP, Clock, Visit, client_of

WARNING = "Verzonnen regio."


@pytest.fixture
def app(school: InventedSchool, clock: Clock) -> FastAPI:
    """The pages on a home that a simulator filled."""
    school.home.truth.mkdir()
    return create_app(school.home, Settings({}), clock, {}, CHEAP)


def test_every_page_of_an_invented_region_says_so(
    app: FastAPI, visit: Visit, school: InventedSchool
) -> None:
    own = visit(IB)
    stranger = client_of(app)
    row_id = school.row_id(school.pupils[0])
    for client, address in (
        (stranger, "/inloggen"),
        (stranger, "/uitleg"),
        (stranger, "/nergens"),
        (own, f"/lijst/{SCHOOL}"),
        (own, f"/leerling/{row_id}"),
        (own, f"/leerling/{row_id}/tellingen"),
    ):
        page = parse(client.get(address).text)
        assert WARNING in page.all("header")[0].text, address


def test_a_region_that_exists_is_not_called_invented(school: InventedSchool, clock: Clock) -> None:
    page = client_of(create_app(school.home, Settings({}), clock, {}, CHEAP)).get("/uitleg")
    assert WARNING not in page.text
