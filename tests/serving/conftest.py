"""A small home, an application on it, and visitors who signed in."""

from pathlib import Path

import pytest
from fastapi import FastAPI

from features.settings import Settings
from serving.web.app import create_app
from tests.serving import invented_school
from tests.serving.invented_school import PASSWORD, InventedSchool
from tests.serving.visitors import CHEAP, Browser, Clock, Visit, client_of


@pytest.fixture(scope="session")
def built_school(tmp_path_factory: pytest.TempPathFactory) -> InventedSchool:
    """Made once; nobody writes in it."""
    return invented_school.build(tmp_path_factory.mktemp("school") / "home")


@pytest.fixture
def school(built_school: InventedSchool, tmp_path: Path) -> InventedSchool:
    """A copy of one's own."""
    return built_school.copied(tmp_path / "home")


@pytest.fixture(scope="session")
def counted_school(
    built_school: InventedSchool, tmp_path_factory: pytest.TempPathFactory
) -> InventedSchool:
    """With the values of who is listed online; nobody writes in it either."""
    school = built_school.copied(tmp_path_factory.mktemp("counted") / "home")
    invented_school.put_values_online(school)
    return school


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def app(school: InventedSchool, clock: Clock) -> FastAPI:
    return create_app(school.home, Settings({}), clock, {}, CHEAP)


@pytest.fixture
def stranger(app: FastAPI) -> Browser:
    """Someone who did not sign in, with a browser that says where requests come from."""
    return client_of(app)


@pytest.fixture
def visit(app: FastAPI, school: InventedSchool) -> Visit:
    """Sign in as one of the people of the school, over the set-up link the first time."""

    def sign_in(email: str) -> Browser:
        client = client_of(app)
        answer = client.post(f"/welkom/{school.set_up_tokens[email]}", data={"password": PASSWORD})
        if answer.status_code != 303:
            answer = client.post("/inloggen", data={"email": email, "password": PASSWORD})
        assert answer.status_code == 303, answer.text
        return client

    return sign_in
