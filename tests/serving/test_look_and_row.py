"""A look and its row: the row is committed first, and without a row no pupil is in the answer."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from features.governance.audit import AuditChain, AuditHead
from features.governance.vault import Vault
from serving.decisions import Decisions
from serving.lists import ListStore
from tests.serving.invented_school import IB, OFFICER, SCHOOL, InventedSchool
from tests.serving.test_list_page import decide
from tests.serving.test_rights_pages import take
from tests.serving.test_team import TEAM
from tests.serving.visitors import Browser, Visit

Look = Callable[[Browser, InventedSchool], Any]


def token(client: Browser, address: str) -> str:
    return str(client.get(address).text.split('name="form_token" value="')[1].split('"')[0])


def post(address: str, **fields: str) -> Look:
    """Send a form; its token was fetched before the chain broke."""

    def look(client: Browser, school: InventedSchool) -> Any:
        return client.post(address, data={"form_token": client.headers["x-token"], **fields})

    return look


def get(address: str) -> Look:
    return lambda client, school: client.get(address.format(row=client.headers["x-row"]))


# Every address of a care coordinator that shows a pupil.
LOOKS: dict[str, Look] = {
    "list": get(f"/lijst/{SCHOOL}"),
    "pupil": get("/leerling/{row}"),
    "values": get("/leerling/{row}/tellingen"),
    "search": post(f"/lijst/{SCHOOL}/toevoegen/zoek", naam="berg"),
    "at home": get(f"/al-in-beeld/{SCHOOL}"),
    "team": get(TEAM),
    "team as a sheet": post(f"{TEAM}/xlsx"),
    "team on paper": post(f"{TEAM}/pdf"),
}


def told(answer: Any, school: InventedSchool) -> list[str]:
    """What of a pupil stands in an answer: a name, a part of it, a pseudonym."""
    text = answer.content.decode("utf-8", "replace")
    names = [word for pupil in school.pupils for word in (pupil.name.split()[-1], pupil.key)]
    return [name for name in names if name in text]


@pytest.fixture
def school(counted_school: InventedSchool, tmp_path: Path) -> InventedSchool:
    """A copy with this week's values online."""
    return counted_school.copied(tmp_path / "home")


@pytest.fixture
def coordinator(visit: Visit, school: InventedSchool) -> Browser:
    """Signed in, with a decision to show in the overview of the care team."""
    client = visit(IB)
    decide(client, school, 0, kind="plan_talk", owner="mentor", note="gesprek")
    client.headers["x-token"] = token(client, TEAM)
    client.headers["x-row"] = school.row_id(school.pupils[0])
    return client


def refuse_rows(school: InventedSchool) -> None:
    """From now on the chain can be read and not be written, as when the disk is full."""
    with closing(sqlite3.connect(school.home.ledger)) as connection:
        connection.execute(
            "CREATE TRIGGER full BEFORE INSERT ON audit BEGIN SELECT RAISE(ABORT, 'disk full'); END"
        )
        connection.commit()


def test_a_chain_that_cannot_be_written_shows_no_pupil(
    coordinator: Browser, school: InventedSchool, monkeypatch: pytest.MonkeyPatch
) -> None:
    for what, look in LOOKS.items():
        before = look(coordinator, school)
        assert before.status_code == 200
        # A file is compressed; a page shows a pupil, so there is something to keep.
        assert what.startswith("team ") or told(before, school)
    refuse_rows(school)
    for what, look in LOOKS.items():
        answer = look(coordinator, school)
        assert answer.status_code == 500 and told(answer, school) == [], what
    # Who lets a failed row pass, shows pupils of whom the log does not speak.
    monkeypatch.setattr(AuditChain, "append", lambda *_, **__: AuditHead(0, ""))
    for what, look in LOOKS.items():
        assert look(coordinator, school).status_code == 200, what


def test_an_access_package_is_not_made_without_its_row(
    visit: Visit, school: InventedSchool
) -> None:
    client = visit(OFFICER)
    address = take(client, school.pupils[0], "access")
    data = {"form_token": token(client, address), "vorm": "json"}
    assert told(client.post(f"{address}/pakket", data=data), school)
    refuse_rows(school)
    for answer in (
        client.post(f"{address}/pakket", data=data),
        client.get(address),
        client.post("/verzoeken/zoek", data={**data, "school": SCHOOL, "wie": "noor"}),
    ):
        assert answer.status_code == 500 and told(answer, school) == []


def test_the_row_is_committed_before_the_read(
    coordinator: Browser, school: InventedSchool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another connection sees the row at the moment of the read, so no rollback can take it."""
    reads: list[int] = []

    def watch(owner: type, name: str) -> None:
        real = getattr(owner, name)

        def read(self: Any, *args: Any, **kwargs: Any) -> Any:
            reads.append(rows(school))
            return real(self, *args, **kwargs)

        monkeypatch.setattr(owner, name, read)

    watch(Vault, "identities")
    watch(ListStore, "get")  # the reasons of a list
    watch(Decisions, "of_pupil")
    watch(Decisions, "of_school")
    for what, look in LOOKS.items():
        reads.clear()
        start = rows(school)
        assert look(coordinator, school).status_code == 200
        assert reads and set(reads) == {start + 1}, what


def test_a_read_that_fails_leaves_its_row(
    coordinator: Browser, school: InventedSchool, monkeypatch: pytest.MonkeyPatch
) -> None:
    start = rows(school)
    monkeypatch.setattr(Vault, "identities", lambda *_: 1 / 0)
    assert LOOKS["pupil"](coordinator, school).status_code == 500
    assert rows(school) == start + 1, "a row without a read: the safe side"


def rows(school: InventedSchool) -> int:
    with closing(sqlite3.connect(school.home.ledger)) as connection:
        count: int = connection.execute("SELECT count(*) FROM audit").fetchone()[0]
        return count
