"""Set-up links, sessions and the throttle on signing in."""

import re
from datetime import datetime, timedelta

import pytest
from fastapi import FastAPI

from features.errors import SettingsError
from features.governance.audit import AuditChain
from features.governance.database import open_ledger
from features.settings import Settings
from features.vocabulary import Role
from serving.accounts import LINK_LIFETIME, Accounts, Refusal
from serving.sessions import IDLE, LONGEST, Sessions
from serving.tables import SESSIONS, open_app
from serving.web.app import create_app
from tests.serving.invented_school import IB, NOW, PASSWORD, SCHOOL, SCIENTIST, InventedSchool
from tests.serving.visitors import CHEAP, Browser, Clock, Visit, client_of

LIST = f"/lijst/{SCHOOL}"


@pytest.fixture
def accounts(school: InventedSchool) -> Accounts:
    return Accounts(open_app(school.home), CHEAP)


def test_a_set_up_link_works_once(stranger: Browser, school: InventedSchool) -> None:
    link = f"/welkom/{school.set_up_tokens[IB]}"
    for _ in range(2):  # looking uses nothing up
        assert "Marieke Dekker" in stranger.get(link).text
    assert stranger.post(link, data={"password": PASSWORD}).status_code == 303
    assert stranger.get(LIST).status_code == 200
    assert stranger.get(link).status_code == 404
    again = stranger.post(link, data={"password": "een heel ander wachtwoord"})
    assert again.status_code == 404
    assert "Deze link werkt niet meer" in again.text


def test_a_set_up_link_runs_out(stranger: Browser, school: InventedSchool, clock: Clock) -> None:
    link = f"/welkom/{school.set_up_tokens[IB]}"
    clock.now = NOW + LINK_LIFETIME - timedelta(seconds=1)
    assert stranger.get(link).status_code == 200
    clock.now = NOW + LINK_LIFETIME
    assert stranger.get(link).status_code == 404
    assert stranger.post(link, data={"password": PASSWORD}).status_code == 404


def test_a_new_link_ends_the_older_one(accounts: Accounts, school: InventedSchool) -> None:
    newer = accounts.make_link(IB, NOW)
    assert accounts.account_of_link(school.set_up_tokens[IB], NOW) is None
    assert accounts.account_of_link(newer, NOW) is not None


@pytest.mark.parametrize(
    ("password", "message"),
    [
        ("kort", "Te kort"),
        ("x" * 129, "Te lang"),
        ("Wachtwoord12", "makkelijk te raden"),
        ("Marieke Dekker", "makkelijk te raden"),
        ("121212121212", "makkelijk te raden"),
    ],
)
def test_a_poor_password_is_refused_and_the_link_stays(
    stranger: Browser, school: InventedSchool, password: str, message: str
) -> None:
    link = f"/welkom/{school.set_up_tokens[IB]}"
    answer = stranger.post(link, data={"password": password})
    assert answer.status_code == 422
    assert message in answer.text
    assert f'value="{password}' not in answer.text
    assert stranger.post(link, data={"password": PASSWORD}).status_code == 303


def test_neither_tokens_nor_passwords_are_stored_readable(
    visit: Visit, school: InventedSchool
) -> None:
    client = visit(IB)
    stored = b"".join(path.read_bytes() for path in school.home.root.glob("app.db*"))
    for secret in (client.cookies["tijdig"], school.set_up_tokens[IB], PASSWORD):
        assert secret.encode() not in stored
    assert b"$argon2id$" in stored


def test_a_session_ends_when_idle(visit: Visit, clock: Clock) -> None:
    client = visit(IB)
    clock.now += IDLE - timedelta(seconds=1)
    assert client.get(LIST).status_code == 200
    clock.now += IDLE - timedelta(seconds=1)
    assert client.get(LIST).status_code == 200, "a look keeps it alive"
    clock.now += IDLE
    assert client.get(LIST).headers["location"].startswith("/inloggen?verder=")


def test_a_session_ends_after_a_working_day_however_busy(visit: Visit, clock: Clock) -> None:
    client = visit(IB)
    while clock.now < NOW + LONGEST - timedelta(minutes=20):
        clock.now += timedelta(minutes=20)
        if clock.now < NOW + LONGEST:
            assert client.get("/uitleg").status_code == 200
            assert client.get("/").headers["location"] == "/lijst"
    clock.now = NOW + LONGEST
    assert client.get(LIST).status_code == 303


def test_signing_out_ends_the_session_on_the_server(visit: Visit, app: FastAPI) -> None:
    client = visit(IB)
    cookie = client.cookies["tijdig"]
    assert client.post("/uitloggen", data={"form_token": form_token(client)}).status_code == 303
    stolen = client_of(app)
    stolen.cookies.set("tijdig", cookie)
    assert stolen.get(LIST).status_code == 303


def test_a_new_password_ends_other_sessions(visit: Visit, app: FastAPI, accounts: Accounts) -> None:
    client = visit(IB)
    token = accounts.make_link(IB, NOW)
    answer = client_of(app).post(f"/welkom/{token}", data={"password": "weer vier andere woorden"})
    assert answer.status_code == 303
    assert client.get(LIST).status_code == 303


def test_every_sign_in_gets_a_new_token(visit: Visit) -> None:
    assert visit(IB).cookies["tijdig"] != visit(IB).cookies["tijdig"]


def test_a_deactivated_account_is_out_at_once(visit: Visit, accounts: Accounts) -> None:
    client = visit(IB)
    accounts.deactivate(IB)
    assert client.get(LIST).status_code == 303
    assert accounts.sign_in(IB, PASSWORD, "", NOW) is Refusal.WRONG


def test_a_wrong_password_and_an_unknown_account_look_the_same(
    visit: Visit, stranger: Browser
) -> None:
    visit(IB)
    answers = [
        stranger.post("/inloggen", data={"email": email, "password": "niet het goede"})
        for email in (IB, "niemand@school.example")
    ]
    pages = [
        answer.text.replace(IB, "").replace("niemand@school.example", "") for answer in answers
    ]
    assert [answer.status_code for answer in answers] == [401, 401]
    assert pages[0] == pages[1]


def test_three_wrong_passwords_block_the_account_for_ten_minutes(
    visit: Visit, accounts: Accounts
) -> None:
    visit(IB)

    def try_at(password: str, moment: datetime) -> object:
        return accounts.sign_in(IB, password, "10.0.0.1", moment)

    for second in range(3):
        assert try_at("mis", NOW + timedelta(seconds=second)) is Refusal.WRONG
    assert try_at(PASSWORD, NOW + timedelta(minutes=9)) is Refusal.WAIT
    assert not isinstance(try_at(PASSWORD, NOW + timedelta(minutes=10, seconds=5)), Refusal)
    assert try_at("mis", NOW + timedelta(minutes=11)) is Refusal.WRONG, "it starts again at nought"


def test_an_address_is_blocked_after_many_accounts(accounts: Accounts) -> None:
    for number in range(20):
        accounts.sign_in(f"x{number}@y.example", "mis", "10.0.0.1", NOW)
    assert accounts.sign_in("new@y.example", "mis", "10.0.0.1", NOW) is Refusal.WAIT
    assert accounts.sign_in("new@y.example", "mis", "10.0.0.2", NOW) is Refusal.WRONG


def test_signing_in_and_failing_are_in_the_audit_chain(
    visit: Visit, stranger: Browser, school: InventedSchool
) -> None:
    visit(IB)
    stranger.post("/inloggen", data={"email": IB, "password": "mis"})
    stranger.post("/inloggen", data={"email": "niemand@y.example", "password": PASSWORD})
    rows = AuditChain(open_ledger(school.home)).rows()
    assert [(row.event, row.actor) for row in rows] == [
        ("sign_in_wrong", IB),
        ("password_set", IB),
    ]


def test_the_cookie_is_for_the_server_only(stranger: Browser, school: InventedSchool) -> None:
    link = f"/welkom/{school.set_up_tokens[IB]}"
    cookie = stranger.post(link, data={"password": PASSWORD}).headers["set-cookie"]
    assert cookie.startswith("tijdig=")
    for part in ("HttpOnly", "SameSite=lax", "Path=/", f"Max-Age={int(LONGEST.total_seconds())}"):
        assert part in cookie
    assert "Domain" not in cookie


def test_with_tls_the_cookie_is_bound_to_the_host(school: InventedSchool, clock: Clock) -> None:
    settings = Settings({"web": {"https": True, "hosts": ["tijdig.example"]}})
    client = client_of(
        create_app(school.home, settings, clock, {}, CHEAP), "https://tijdig.example"
    )
    link = f"/welkom/{school.set_up_tokens[IB]}"
    cookie = client.post(link, data={"password": PASSWORD}).headers["set-cookie"]
    assert cookie.startswith("__Host-tijdig=")
    assert "Secure" in cookie
    assert client.get(LIST).status_code == 200


def test_pages_over_an_open_network_are_refused(school: InventedSchool, clock: Clock) -> None:
    with pytest.raises(SettingsError, match="https = true"):
        create_app(school.home, Settings({"web": {"hosts": ["tijdig.example"]}}), clock, {})


def test_an_account_is_made_once(accounts: Accounts) -> None:
    with pytest.raises(SettingsError, match="exists"):
        accounts.add(IB.upper(), "Iemand", Role.CARE_COORDINATOR, [SCHOOL], NOW)
    assert SCIENTIST in [account.email for account in accounts.every()]


def test_sessions_that_ran_out_are_swept(school: InventedSchool, accounts: Accounts) -> None:
    engine = open_app(school.home)
    account = accounts.find(IB)
    assert account is not None
    sessions = Sessions(engine)
    sessions.start(account, NOW)
    sessions.start(account, NOW + timedelta(days=1))
    with engine.begin() as connection:
        assert len(connection.execute(SESSIONS.select()).all()) == 1


def form_token(client: Browser) -> str:
    match = re.search(r'name="form_token" value="([0-9a-f]{64})"', client.get("/uitleg").text)
    assert match is not None
    return match[1]
