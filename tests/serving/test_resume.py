"""A session that ran out loses nothing that was typed."""

from datetime import timedelta

from serving.decisions import Decisions
from serving.sessions import IDLE
from serving.steps import DecisionKind
from serving.tables import open_app
from tests.serving.invented_school import IB, OTHER_IB, PASSWORD, SCHOOL, InventedSchool
from tests.serving.page_rules import Element, parse
from tests.serving.visitors import Browser, Clock, Visit

TYPED = {"kind": "plan_talk", "owner": "mentor 7b", "note": 'Vader gebeld, "donderdag".'}


def fields_of(form: Element) -> dict[str, str]:
    return {
        field.attributes["name"]: field.attributes.get("value", "")
        for field in form.all("input")
        if field.attributes["type"] == "hidden"
    }


def too_late(visit: Visit, school: InventedSchool, clock: Clock) -> tuple[Browser, Element, str]:
    """A decision sent half an hour too late: the browser, the page it got, and its address."""
    client = visit(IB)
    address = f"/leerling/{school.row_id(school.pupils[0])}"
    form = parse(client.get(address).text).by_id("besluit")
    clock.now += IDLE + timedelta(minutes=1)
    answer = client.post(f"{address}/besluit", data=fields_of(form) | TYPED)
    assert answer.status_code == 401
    return client, parse(answer.text), address


def kept(school: InventedSchool) -> list[DecisionKind]:
    decisions = Decisions(open_app(school.home)).of_pupil(SCHOOL, school.pupils[0].key)
    return [one.kind for one in decisions]


def test_what_was_typed_is_sent_after_signing_in_again(
    visit: Visit, school: InventedSchool, clock: Clock
) -> None:
    client, page, address = too_late(visit, school, clock)
    assert "Wat u typte, is niet kwijt" in page.text
    carried = fields_of(page.all("form")[0])
    assert "form_token" not in str(carried)

    wrong = client.post("/inloggen", data=carried | {"email": IB, "password": "niet het goede"})
    assert wrong.status_code == 401
    carried = fields_of(parse(wrong.text).all("form")[0])

    answer = client.post("/inloggen", data=carried | {"email": IB, "password": PASSWORD})
    assert answer.status_code == 200
    assert kept(school) == [], "nothing is kept before somebody says so"
    form = parse(answer.text).all("main")[0].all("form")[0]
    assert form.attributes["action"] == f"{address}/besluit"
    sent = client.post(form.attributes["action"], data=fields_of(form))
    assert sent.status_code == 303
    (decision,) = Decisions(open_app(school.home)).of_pupil(SCHOOL, school.pupils[0].key)
    assert (decision.kind, decision.owner, decision.note) == tuple(TYPED.values())


def test_another_account_does_not_get_in_with_what_was_typed(
    visit: Visit, school: InventedSchool, clock: Clock
) -> None:
    visit(OTHER_IB)  # chooses a password
    client, page, _address = too_late(visit, school, clock)
    carried = fields_of(page.all("form")[0])
    answer = client.post("/inloggen", data=carried | {"email": OTHER_IB, "password": PASSWORD})
    form = parse(answer.text).all("main")[0].all("form")[0]
    assert client.post(form.attributes["action"], data=fields_of(form)).status_code == 403
    assert kept(school) == []


def test_one_comes_back_to_the_page_one_asked_for(visit: Visit, school: InventedSchool) -> None:
    client = visit(IB)
    client.cookies.clear()
    asked = client.get(f"/lijst/{SCHOOL}?week=2026-11-09")
    page = parse(client.get(asked.headers["location"]).text)
    carried = fields_of(page.all("form")[0])
    answer = client.post("/inloggen", data=carried | {"email": IB, "password": PASSWORD})
    assert answer.headers["location"] == f"/lijst/{SCHOOL}?week=2026-11-09"


def test_nobody_is_sent_elsewhere(visit: Visit) -> None:
    client = visit(IB)
    client.cookies.clear()
    for elsewhere in ("https://elders.example", "//elders.example", "/\\elders.example", "/welkom"):
        data = {"verder": elsewhere, "email": IB, "password": PASSWORD}
        assert client.post("/inloggen", data=data).headers["location"] == "/"
        client.cookies.clear()
