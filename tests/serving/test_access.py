"""Every route, for every kind of visitor: a route that is not in the table fails the test."""

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
from tests.serving.invented_school import (
    IB,
    NEW_SCHOOL,
    NOW,
    OFFICER,
    OTHER_IB,
    OTHER_SCHOOL,
    SCHOOL,
    SCIENTIST,
    InventedSchool,
)
from tests.serving.visitors import Visit, client_of

# who: a stranger | the school's own care coordinator | another school's | scientist | officer
EXPECTED = """
GET  /                                303 303 303 303 303
GET  /inloggen                        200 303 303 303 303
POST /inloggen                        401 401 401 401 401
POST /uitloggen                       401 403 403 403 403
GET  /welkom/{token}                  404 404 404 404 404
POST /welkom/{token}                  404 404 404 404 404
GET  /lijst                           303 303 303 403 403
GET  /lijst/{school}                  303 200 403 403 403
GET  /leerling/{row_id}               303 200 403 403 403
POST /leerling/{row_id}/besluit       401 403 403 403 403
GET  /kenmerken                       303 403 403 200 200
GET  /gebruik                         303 403 403 403 200
GET  /inzage                          303 403 403 403 200
GET  /model                           303 403 403 200 403
GET  /uitleg                          200 200 200 200 200
GET  /gezond                          200 200 200 200 200
"""
VISITORS = ("stranger", IB, OTHER_IB, SCIENTIST, OFFICER)


def table() -> dict[tuple[str, str], list[int]]:
    lines = [line.split() for line in EXPECTED.strip().splitlines()]
    return {(line[0], line[1]): [int(status) for status in line[2:]] for line in lines}


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
        address = path.format(school=SCHOOL, row_id=row_id, token="x" * 43)
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
    account = Account("1", "a@b.example", "A", Role.REGION_COORDINATOR, frozenset({SCHOOL}))
    guard = Guard(AuditChain(open_ledger(school.home)))
    for area in Area:
        assert not may_visit(account, area)
        with pytest.raises(NotAllowed):
            guard.area(account, area, NOW)
