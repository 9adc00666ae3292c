"""The page on what is kept: terms with their source, what is due, proof, and the pseudonyms."""

from datetime import timedelta

from fastapi import FastAPI

from features.governance import open_ledger
from features.governance.audit import AuditChain
from features.settings import Settings
from serving.lists import ListStore
from serving.renewal import PseudonymRenewal
from serving.tables import open_app
from serving.web.app import create_app
from tests.serving.invented_school import EARLIER, IB, MONDAY, OFFICER, SCHOOL, InventedSchool
from tests.serving.page_rules import Element, parse, problems
from tests.serving.test_rights_pages import hidden
from tests.serving.visitors import CHEAP, Browser, Clock, Visit, client_of

YEARS = timedelta(days=2 * 365 + 5)


def page(client: Browser, address: str = "/bewaren") -> Element:
    answer = client.get(address)
    assert answer.status_code == 200, answer.text
    found = parse(answer.text)
    assert problems(found) == []
    return found


def rows(found: Element) -> dict[str, list[str]]:
    return {
        row.all("th")[0].text: [cell.text for cell in row.all("td")]
        for row in found.all("tr")
        if row.all("td")
    }


def test_each_term_stands_with_its_source_and_nothing_is_due_yet(visit: Visit) -> None:
    found = page(visit(OFFICER))
    lists = rows(found)["Gepubliceerde lijsten met redenen, en besluiten daarover"]
    assert lists[0] == "2 jaar" and "leerlingdossier" in lists[1] and lists[3] == "niets"
    logs = rows(found)["Inzagelog en gebruiksregister"]
    assert "ten minste 6 maanden" in logs[1] and logs[3] == "wordt niet ingekort"
    assert "Definitief weghalen" not in found.text, "nothing to press while nothing is due"
    assert "Er is nog niets weggehaald." in found.text


def test_looking_takes_nothing_out_and_being_sure_does(
    visit: Visit, school: InventedSchool, clock: Clock
) -> None:
    visit(OFFICER)  # sets the password, while the link to do so still works
    clock.now += YEARS
    client = visit(OFFICER)
    found = page(client)
    due = rows(found)["Gepubliceerde lijsten met redenen, en besluiten daarover"][3]
    assert due != "niets" and "lijst" in due
    lists = ListStore(open_app(school.home))
    token = {"form_token": hidden(found, "form_token")}
    assert client.post("/bewaren", data=token).status_code == 303
    assert EARLIER[0] in lists.weeks(SCHOOL), "one must say that one is sure"
    assert client.post("/bewaren", data={**token, "zeker": "ja"}).status_code == 303
    assert MONDAY not in lists.weeks(SCHOOL)
    after = page(client)
    assert "lijsten en besluiten: " in after.text and "Definitief weghalen" not in after.text
    events = AuditChain(open_ledger(school.home)).rows(event="retention_run")
    assert [row.actor for row in events] == [OFFICER]


def test_the_terms_are_those_of_the_settings(school: InventedSchool, clock: Clock) -> None:
    settings = Settings({"retention": {"lists": "P1Y", "logs": "P18M"}})
    app: FastAPI = create_app(school.home, settings, clock, {}, CHEAP)
    client = client_of(app)
    token = school.set_up_tokens[OFFICER]
    client.post(f"/welkom/{token}", data={"password": "vier losse woorden samen"})
    found = rows(page(client))
    assert found["Gepubliceerde lijsten met redenen, en besluiten daarover"][0] == "1 jaar"
    assert found["Inzagelog en gebruiksregister"][0] == "18 maanden"


def test_it_tells_when_pseudonyms_should_be_renewed_and_when_they_were(
    visit: Visit, school: InventedSchool, clock: Clock
) -> None:
    visit(IB).get(f"/lijst/{SCHOOL}")
    assert "moeten worden vernieuwd" not in page(visit(OFFICER)).text
    clock.now += timedelta(days=300)
    told = page(visit(OFFICER)).text
    assert "De pseudoniemen moeten worden vernieuwd." in told and "1 aug 2027" in told
    PseudonymRenewal(school.home, {}).run("beheer", "", clock.now, lambda line: None)
    after = page(visit(OFFICER)).text
    assert "moeten worden vernieuwd" not in after and "versie 2" in after and "jaarlijks" in after
