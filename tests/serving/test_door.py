"""What every request meets: host, origin, size, headers, and pages when something goes wrong."""

from pathlib import Path

import pytest
from fastapi import FastAPI

from features.settings import Settings
from serving.web.app import create_app
from serving.web.security import CONTENT_POLICY, LARGEST_BODY
from tests.serving.invented_school import IB, PASSWORD, InventedSchool
from tests.serving.visitors import CHEAP, Browser, Clock, Visit, client_of

SIGN_IN = {"email": IB, "password": PASSWORD}


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Sec-Fetch-Site": "same-origin"}, 401),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Sec-Fetch-Site": "none"}, 403),
        ({"Sec-Fetch-Site": "cross-site", "Origin": "http://localhost"}, 403),
        ({"Origin": "http://localhost"}, 401),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({}, 403),
    ],
)
def test_only_our_own_pages_may_send_forms(
    app: FastAPI, headers: dict[str, str], status: int
) -> None:
    client = client_of(app)
    del client.headers["Sec-Fetch-Site"]
    assert client.post("/inloggen", data=SIGN_IN, headers=headers).status_code == status


@pytest.mark.parametrize("token", ["", "0" * 64])
def test_a_form_needs_the_token_of_its_session(
    visit: Visit, school: InventedSchool, token: str
) -> None:
    client = visit(IB)
    row_id = school.row_id(school.pupils[0])
    data = {"form_token": token, "kind": "plan_talk"}
    assert client.post(f"/leerling/{row_id}/besluit", data=data).status_code == 403
    assert client.post("/uitloggen", data={"form_token": token}).status_code == 403
    assert "Nog geen besluiten" in client.get(f"/leerling/{row_id}").text


def test_a_name_that_points_here_from_elsewhere_is_refused(app: FastAPI) -> None:
    client = client_of(app, "http://evil.example")
    assert client.get("/inloggen").status_code == 400


def test_a_large_body_is_refused_before_it_is_read(stranger: Browser) -> None:
    answer = stranger.post("/inloggen", data={"email": "x" * (LARGEST_BODY + 1)})
    assert answer.status_code == 413


@pytest.mark.parametrize(
    "address", ["/inloggen", "/nergens", "/uitleg", "/lijst", "/static/nergens.css"]
)
def test_every_answer_carries_the_headers(stranger: Browser, address: str) -> None:
    check_headers(dict(stranger.get(address).headers))


def check_headers(headers: dict[str, str]) -> None:
    assert headers["content-security-policy"] == CONTENT_POLICY
    assert "unsafe" not in CONTENT_POLICY and "script-src" not in CONTENT_POLICY
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cache-control"] == "no-store"
    assert "strict-transport-security" not in headers


def test_the_stylesheet_may_be_kept_and_pages_may_not(stranger: Browser) -> None:
    address = stranger.get("/inloggen").text.split('rel="stylesheet" href="')[1].split('"')[0]
    answer = stranger.get(address)
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "public, max-age=3600"
    assert answer.headers["content-type"].startswith("text/css")


def test_with_tls_browsers_are_told_to_stay_with_it(school: InventedSchool, clock: Clock) -> None:
    settings = Settings({"web": {"https": True, "hosts": ["tijdig.example"]}})
    client = client_of(
        create_app(school.home, settings, clock, {}, CHEAP), "https://tijdig.example"
    )
    assert "max-age=31536000" in client.get("/inloggen").headers["strict-transport-security"]


def test_a_bug_shows_a_page_that_tells_nothing(
    visit: Visit, school: InventedSchool, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = visit(IB)
    monkeypatch.setattr("serving.desk.Desk.pupil", lambda *_: 1 / 0)
    answer = client.get(f"/leerling/{school.row_id(school.pupils[0])}")
    assert answer.status_code == 500
    assert "Er ging iets mis" in answer.text
    assert "division" not in answer.text and "Traceback" not in answer.text
    check_headers(dict(answer.headers))


def test_a_vault_without_its_key_shows_no_list(visit: Visit, school: InventedSchool) -> None:
    client = visit(IB)
    school.home.key.unlink()
    answer = client.get("/lijst/90AB00")
    assert answer.status_code == 500
    assert "Er ging iets mis" in answer.text
    assert str(school.home.root) not in answer.text


@pytest.mark.parametrize(
    ("address", "status", "heading"),
    [
        ("/nergens", 404, "Deze pagina is er niet"),
        ("/leerling/0000", 404, "Deze pagina is er niet"),
        ("/lijst/90AB00?week=2026-11-17", 404, "Deze pagina is er niet"),
        ("/lijst/90AB00?week=morgen", 404, "Deze pagina is er niet"),
        ("/lijst/90AB01", 403, "Hier hebt u geen toegang toe"),
        ("/uitloggen", 405, "Dit verzoek klopt niet"),
    ],
)
def test_errors_are_pages_in_dutch(visit: Visit, address: str, status: int, heading: str) -> None:
    answer = visit(IB).get(address)
    assert answer.status_code == status
    assert f"<h1>{heading}</h1>" in answer.text


def test_no_page_asks_for_anything_inline_or_from_elsewhere() -> None:
    folder = Path(create_app.__code__.co_filename).parent / "templates"
    for path in sorted(folder.glob("*.html")):
        text = path.read_text(encoding="utf-8")
        for banned in ("<script", "<style", " style=", " onclick", " onsubmit", " onchange", "://"):
            assert banned not in text, f"{path.name}: {banned}"
