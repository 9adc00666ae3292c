"""The erasure scan and the canaries can find: with one store left out, or a name let through."""

import logging
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest

import serving.rights.erase
from features.governance import objections, open_ledger
from features.governance.audit import AuditChain
from features.governance.log_names import LogNames
from features.governance.requests import Requests
from features.governance.vault import Vault
from features.settings import Settings
from features.vocabulary import Role
from serving.access import Guard
from serving.identity import Names, PupilName
from serving.web.app import create_app
from tests.serving.invented_school import IB, NOW, OFFICER, SCHOOL, InventedSchool
from tests.serving.test_rights_pages import send, take, traces
from tests.serving.visitors import CHEAP, Clock, Visit, client_of

Patch = pytest.MonkeyPatch


def keeps_records(patch: Patch) -> None:
    patch.setattr(serving.rights.erase, "erase_pupils", lambda log, keys: {})


def keeps_app(patch: Patch) -> None:
    patch.setattr(serving.rights.erase, "_delete", lambda connection, table, key: 0)


def keeps_objections(patch: Patch) -> None:
    patch.setattr(objections, "erase", lambda engine, key: 0)


def keeps_requests(patch: Patch) -> None:
    patch.setattr(Requests, "forget", lambda self, key: 0)


def keeps_vault(patch: Patch) -> None:
    patch.setattr(Vault, "forget", lambda self, key: 0)


def leaves_free_pages(patch: Patch) -> None:
    patch.setattr(serving.rights.erase, "rewrite_sqlite", lambda path: None)


LEFT_OUT: Mapping[str, tuple[Callable[[Patch], None], str]] = {
    "records": (keeps_records, "records"),
    "app": (keeps_app, "app.db"),
    "objections": (keeps_objections, "ledger.db"),
    "requests": (keeps_requests, "ledger.db"),
    "vault": (keeps_vault, "vault.db"),
    "free pages": (leaves_free_pages, ""),
}


@pytest.mark.parametrize("store", LEFT_OUT)
def test_the_scan_finds_an_erased_pupil_where_one_store_was_left_out(
    store: str, visit: Visit, school: InventedSchool, monkeypatch: Patch
) -> None:
    noor = school.pupils[0]
    ledger = open_ledger(school.home)
    objections.object_to_processing(ledger, noor.key, SCHOOL, IB, Role.CARE_COORDINATOR, NOW)
    client = visit(OFFICER)
    address = take(client, noor, "erasure")
    remove, place = LEFT_OUT[store]
    remove(monkeypatch)
    assert send(client, address, "wis", zeker="ja").status_code == 200
    found = {path.split("/")[0].removesuffix("-wal") for path in traces(school.home.root, noor.key)}
    assert found and (not place or found == {place})


def test_the_chain_would_still_lead_to_an_erased_pupil_without_forgetting_its_name(
    visit: Visit, school: InventedSchool, monkeypatch: Patch
) -> None:
    noor = school.pupils[0]
    visit(IB).get(f"/leerling/{school.row_id(noor)}")
    client = visit(OFFICER)
    address = take(client, noor, "erasure")
    monkeypatch.setattr(LogNames, "forget", lambda self, connection, key: 0)
    send(client, address, "wis", zeker="ja")
    assert AuditChain(open_ledger(school.home)).rows(subject=noor.key)


@pytest.fixture
def said(caplog: pytest.LogCaptureFixture) -> Iterator[Callable[[], str]]:
    """All that the application logs, at every level."""
    caplog.set_level(logging.DEBUG)
    yield lambda: "\n".join(record.getMessage() for record in caplog.records)


def day_of_work(school: InventedSchool, clock: Clock, email: str = IB) -> list[Any]:
    """What a coordinator and a mistaken address get to see, and what the server says of it."""
    client = client_of(create_app(school.home, Settings({}), clock, {}, CHEAP))
    token = school.set_up_tokens[email]
    client.post(f"/welkom/{token}", data={"password": "vier losse woorden samen"})
    noor = school.row_id(school.pupils[0])
    return [
        client.get(address)
        for address in (
            f"/lijst/{SCHOOL}",
            f"/leerling/{noor}",
            f"/leerling/{noor}/tellingen",
            "/leerling/onbekend",
            "/lijst/x",
        )
    ]


def test_no_name_or_pseudonym_reaches_the_logs_and_a_name_that_did_is_found(
    school: InventedSchool, clock: Clock, said: Callable[[], str], monkeypatch: Patch
) -> None:
    noor = school.pupils[0]
    needles = (noor.name, noor.name.split()[-1], noor.key)
    answers = day_of_work(school, clock)
    assert noor.name in answers[0].text, "the page shows it, so it passed by"
    assert not any(needle in said() for needle in needles)
    real = Names.look

    def telling(self: Names, *args: Any, **kwargs: Any) -> dict[Any, PupilName]:
        found = real(self, *args, **kwargs)
        logging.getLogger("serving").debug("names: %s", [one.full for one in found.values()])
        return found

    monkeypatch.setattr(Names, "look", telling)
    client = client_of(create_app(school.home, Settings({}), clock, {}, CHEAP))
    client.post("/inloggen", data={"email": IB, "password": "vier losse woorden samen"})
    client.get(f"/lijst/{SCHOOL}")
    assert noor.name in said()


def test_an_error_page_tells_no_name_even_where_the_fault_does(
    school: InventedSchool, clock: Clock, monkeypatch: Patch
) -> None:
    noor = school.pupils[0]

    def broken(self: Names, *args: Any, **kwargs: Any) -> dict[Any, PupilName]:
        raise RuntimeError(f"cannot show {noor.name}")

    monkeypatch.setattr(Names, "look", broken)
    app = create_app(school.home, Settings({}), clock, {}, CHEAP)
    client = client_of(app)
    token = school.set_up_tokens[IB]
    client.post(f"/welkom/{token}", data={"password": "vier losse woorden samen"})
    answer = client.get(f"/lijst/{SCHOOL}")
    assert answer.status_code == 500 and noor.name not in answer.text
    assert noor.name.split()[-1] not in answer.text


def test_pupils_of_another_school_are_seen_only_without_the_guard(
    visit: Visit, school: InventedSchool, monkeypatch: Patch
) -> None:
    """The file of a school holds its own pupils; without the guard, the other's would come out."""
    client = visit(IB)
    other, yara = "90AB01", school.others[0]
    assert client.get(f"/lijst/{other}").status_code == 403
    assert yara.name not in client.get(f"/lijst/{other}").text
    monkeypatch.setattr(Guard, "school", lambda self, account, place, moment: "x")
    monkeypatch.setattr("serving.identity.reason_for_access", lambda account, place: "x")
    answer = client.get(f"/lijst/{other}")
    assert answer.status_code == 200 and yara.name in answer.text
