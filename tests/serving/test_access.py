"""Every route, for every kind of visitor: a route that is not in the table fails the test."""

from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute

from features.errors import NotAllowed
from features.governance.audit import AuditChain
from features.governance.database import open_ledger
from features.vocabulary import Role
from serving.access import Area, Guard, may_visit, reason_for_access
from serving.accounts import Account
from serving.decisions import Decisions
from serving.tables import open_app
from tests.serving.invented_school import (
    IB,
    NEW_SCHOOL,
    NOW,
    OFFICER,
    OTHER_IB,
    OTHER_SCHOOL,
    REGION,
    SCHOOL,
    SCIENTIST,
    InventedSchool,
)
from tests.serving.test_list_page import decide
from tests.serving.visitors import Visit, client_of

# who: stranger | the school's own care coordinator | another school's | scientist | privacy officer
# | coordinator of the region
EXPECTED = """
GET  /dossier/{version}/bestand.{kind} 303 404 404 404 404 404
GET  /                                303 303 303 303 303 303
GET  /inloggen                        200 303 303 303 303 303
POST /inloggen                        401 401 401 401 401 401
POST /uitloggen                       401 403 403 403 403 403
GET  /welkom/{token}                  404 404 404 404 404 404
POST /welkom/{token}                  404 404 404 404 404 404
GET  /lijst                           303 303 303 403 403 403
GET  /lijst/{school}                  303 200 403 403 403 403
GET  /lijst/{school}/toevoegen        303 200 403 403 403 403
POST /lijst/{school}/toevoegen        401 403 403 403 403 403
GET  /lijst/{school}/toevoegen/zoek   303 200 403 403 403 403
POST /lijst/{school}/toevoegen/zoek   401 403 403 403 403 403
GET  /leerling/{row_id}               303 200 403 403 403 403
GET  /leerling/{row_id}/tellingen     303 200 403 403 403 403
POST /leerling/{row_id}/besluit       401 403 403 403 403 403
POST /besluit/{decision_id}/uitkomst  401 403 403 403 403 403
GET  /al-in-beeld                     303 303 303 403 403 403
GET  /al-in-beeld/{school}            303 200 403 403 403 403
POST /al-in-beeld/rij/{row_id}        401 403 403 403 403 403
GET  /zorgteam                        303 303 303 403 403 403
GET  /zorgteam/{school}               303 200 403 403 403 403
POST /zorgteam/{school}/{form}        401 403 403 403 403 403
GET  /regio                           303 403 403 403 403 200
GET  /kenmerken                       303 403 403 200 200 403
GET  /kenmerken/{name}                303 403 403 404 404 403
POST /kenmerken/{name}/besluit        401 403 403 403 403 403
GET  /gebruik                         303 403 403 403 200 403
GET  /inzage                          303 403 403 403 200 403
POST /inzage/teken                    401 403 403 403 403 403
GET  /inzage/uitzonderingen           303 403 403 403 200 403
GET  /noodstop                        303 403 403 403 200 403
POST /noodstop/{what}                 401 403 403 403 403 403
GET  /verzoeken                       303 403 403 403 200 403
POST /verzoeken                       401 403 403 403 403 403
GET  /verzoeken/zoek                  303 403 403 403 200 403
POST /verzoeken/zoek                  401 403 403 403 403 403
GET  /verzoeken/{request_id}          303 403 403 403 404 403
POST /verzoeken/{request_id}/bezwaar  401 403 403 403 403 403
POST /verzoeken/{request_id}/pakket   401 403 403 403 403 403
POST /verzoeken/{request_id}/sluit    401 403 403 403 403 403
POST /verzoeken/{request_id}/wis      401 403 403 403 403 403
GET  /dossier                         303 403 403 200 200 403
GET  /dossier/{version}               303 403 403 404 404 403
GET  /gebruik/bestand.{kind}          303 403 403 403 200 403
GET  /bewaren                         303 403 403 403 200 403
POST /bewaren                         401 403 403 403 403 403
GET  /evenredigheid                   303 403 403 200 200 403
GET  /model                           303 403 403 200 403 403
GET  /vergelijken                     303 403 403 200 403 403
GET  /begin                           303 200 200 200 200 200
GET  /uitleg                          200 200 200 200 200 200
GET  /uitleg/ouders                   200 200 200 200 200 200
GET  /gezond                          200 200 200 200 200 200
"""
VISITORS = ("stranger", IB, OTHER_IB, SCIENTIST, OFFICER, REGION)
# The forms of the care coordinator, with what makes each of them complete.
FORMS = {
    "/lijst/{school}/toevoegen": {"pupil": "x", "because": "other"},
    "/lijst/{school}/toevoegen/zoek": {"naam": "noor"},
    "/leerling/{row_id}/besluit": {"kind": "plan_talk"},
    "/al-in-beeld/rij/{side_row_id}": {"in_charge": "mentor", "offer": "not_yet"},
    "/besluit/{decision_id}/uitkomst": {"outcome": "done", "row_id": "0" * 32},
    "/zorgteam/{school}/pdf": {},
    "/zorgteam/{school}/xlsx": {},
}


@pytest.fixture
def school(counted_school: InventedSchool, tmp_path: Path) -> InventedSchool:
    """A copy with this week's values online."""
    return counted_school.copied(tmp_path / "home")


def table() -> dict[tuple[str, str], list[int]]:
    lines = [line.split() for line in EXPECTED.strip().splitlines()]
    return {(line[0], line[1]): [int(status) for status in line[2:]] for line in lines}


class Parts(dict[str, str]):
    """The parts of an address; what is not given is something that does not exist."""

    def __missing__(self, name: str) -> str:
        return {"version": "1", "kind": "csv"}.get(name, "0" * 32)


def routes(app: FastAPI) -> set[tuple[str, str]]:
    return {(method, route.path) for route in walked(app.routes) for method in route.methods or ()}


def walked(found: Any) -> list[APIRoute]:
    """The routes, also those inside included routers."""
    flat: list[APIRoute] = []
    for route in found:
        if isinstance(route, APIRoute):
            flat.append(route)
        elif hasattr(route, "original_router"):
            flat += walked(route.original_router.routes)
    return flat


def test_the_table_names_every_route(app: FastAPI) -> None:
    assert routes(app) == set(table())


@pytest.mark.parametrize("visitor", VISITORS)
def test_every_route_answers_every_visitor_as_agreed(
    app: FastAPI, visit: Visit, school: InventedSchool, visitor: str
) -> None:
    row_id = school.row_id(school.pupils[0])
    client = client_of(app) if visitor == "stranger" else visit(visitor)
    for (method, path), statuses in table().items():
        address = path.format_map(Parts(school=SCHOOL, row_id=row_id, token="x" * 43))
        answer = client.request(method, address)
        expected = statuses[VISITORS.index(visitor)]
        assert answer.status_code == expected, f"{visitor}: {method} {path}"
        if answer.status_code in (401, 403, 404):
            assert not any(pupil.name in answer.text for pupil in school.pupils)


def test_the_other_school_is_seen_by_its_own_coordinator_only(
    visit: Visit, school: InventedSchool
) -> None:
    row_id = school.row_id(school.others[0])
    assert visit(OTHER_IB).get(f"/leerling/{row_id}").status_code == 200
    assert visit(IB).get(f"/leerling/{row_id}").status_code == 403
    assert visit(OTHER_IB).get(f"/leerling/{row_id}/tellingen").status_code == 200
    assert visit(IB).get(f"/leerling/{row_id}/tellingen").status_code == 403
    assert visit(OTHER_IB).get(f"/lijst/{OTHER_SCHOOL}").status_code == 200
    assert visit(OTHER_IB).get(f"/lijst/{NEW_SCHOOL}").status_code == 200
    assert visit(IB).get(f"/lijst/{OTHER_SCHOOL}").status_code == 403


def test_a_form_token_does_not_open_another_school(visit: Visit, school: InventedSchool) -> None:
    client = visit(IB)
    page = client.get(f"/leerling/{school.row_id(school.pupils[0])}").text
    token = page.split('name="form_token" value="')[1].split('"')[0]
    other = school.row_id(school.others[0])
    answer = client.post(
        f"/leerling/{other}/besluit", data={"form_token": token, "kind": "plan_talk"}
    )
    assert answer.status_code == 403


@pytest.mark.parametrize("visitor", VISITORS[1:])
def test_every_page_that_is_refused_is_logged(
    visit: Visit, school: InventedSchool, visitor: str
) -> None:
    row_id = school.row_id(school.pupils[0])
    client = visit(visitor)
    chain = AuditChain(open_ledger(school.home))
    for (method, path), statuses in table().items():
        if method == "GET" and statuses[VISITORS.index(visitor)] == 403:
            before = len(chain.rows(event="access_refused"))
            client.get(path.format_map(Parts(school=SCHOOL, row_id=row_id)))
            refused = chain.rows(event="access_refused")
            assert len(refused) == before + 1, path
            assert refused[0].actor == visitor


@pytest.mark.parametrize("visitor", [OTHER_IB, SCIENTIST, OFFICER, REGION])
def test_no_form_reaches_another_school_also_with_a_token_of_ones_own(
    visit: Visit, school: InventedSchool, visitor: str
) -> None:
    decide(visit(IB), school, 0, kind="plan_talk", look_back_on="2026-11-30")
    decisions = Decisions(open_app(school.home))
    (kept,) = decisions.of_pupil(SCHOOL, school.pupils[0].key)
    parts = Parts(
        school=SCHOOL,
        row_id=school.row_id(school.pupils[0]),
        side_row_id=school.row_id(school.pupils[6]),
        decision_id=kept.decision_id,
    )
    client = visit(visitor)
    token = client.get("/uitleg").text.split('name="form_token" value="')[1].split('"')[0]
    chain = AuditChain(open_ledger(school.home))
    for path, fields in FORMS.items():
        before = len(chain.rows(event="access_refused"))
        answer = client.post(path.format_map(parts), data=fields | {"form_token": token})
        assert answer.status_code == 403, path
        assert "Hier hebt u geen toegang toe" in answer.text, "refused, not merely without a token"
        assert not any(pupil.name in answer.text for pupil in school.pupils)
        assert len(chain.rows(event="access_refused")) == before + 1, path
    assert decisions.of_pupil(SCHOOL, school.pupils[0].key) == [kept]


def test_files_are_a_right_of_their_own(visit: Visit, school: InventedSchool) -> None:
    """The coordinator of the other school may see its overview, and may not take it along."""
    client = visit(OTHER_IB)
    page = client.get(f"/zorgteam/{OTHER_SCHOOL}").text
    assert "Maak een PDF" not in page
    token = page.split('name="form_token" value="')[1].split('"')[0]
    for form in ("pdf", "xlsx"):
        answer = client.post(f"/zorgteam/{OTHER_SCHOOL}/{form}", data={"form_token": token})
        assert answer.status_code == 403
    refused = AuditChain(open_ledger(school.home)).rows(event="access_refused")
    assert [row.detail["area"] for row in refused] == ["export", "export"]


def test_refusals_are_in_the_audit_chain(visit: Visit, school: InventedSchool) -> None:
    visit(SCIENTIST).get(f"/lijst/{SCHOOL}")
    chain = AuditChain(open_ledger(school.home))
    refused = chain.rows(event="access_refused")
    assert [(row.actor, row.school, row.detail["area"]) for row in refused] == [
        (SCIENTIST, SCHOOL, "list")
    ]
    assert chain.verify().intact


@pytest.mark.parametrize("role", list(Role))
def test_only_a_care_coordinator_has_a_reason_and_only_at_the_own_school(role: Role) -> None:
    account = Account("1", "a@b.example", "A", role, frozenset({SCHOOL}))
    has_reason = reason_for_access(account, SCHOOL) is not None
    assert has_reason is (role is Role.CARE_COORDINATOR)
    assert reason_for_access(account, OTHER_SCHOOL) is None


def test_a_role_without_areas_sees_nothing(school: InventedSchool) -> None:
    account = Account("1", "a@b.example", "A", Role.JOB, frozenset({SCHOOL}))
    guard = Guard(AuditChain(open_ledger(school.home)))
    for area in Area:
        assert not may_visit(account, area)
        with pytest.raises(NotAllowed):
            guard.area(account, area, NOW)
