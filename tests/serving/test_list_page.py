"""The bespreeklijst: who stands where, in what order, and what came of it."""

import re
from datetime import timedelta

import pytest

from features.governance.audit import AuditChain
from features.governance.database import open_ledger
from tests.serving.invented_school import (
    EARLIER,
    IB,
    MONDAY,
    NEW_SCHOOL,
    OTHER_IB,
    SCHOOL,
    InventedSchool,
)
from tests.serving.page_rules import Element, parse
from tests.serving.visitors import Browser, Clock, Visit

LIST = f"/lijst/{SCHOOL}"


def rows(page: Element) -> list[list[str]]:
    """The cells of all blocks, as text."""
    return [
        [cell.text for cell in row.all("th", "td")]
        for table in page.all("table")
        for row in table.all("tbody")[0].all("tr")
    ]


def names(client: Browser, query: str = "") -> list[str]:
    return [row[0] for row in rows(parse(client.get(f"{LIST}?{query}").text))]


def decide(client: Browser, school: InventedSchool, number: int, **entry: str) -> str:
    """Keep a decision about pupil `number`; the address one is sent back to."""
    address = f"/leerling/{school.row_id(school.pupils[number])}"
    page = parse(client.get(address).text)
    hidden = {
        field.attributes["name"]: field.attributes["value"]
        for field in page.by_id("besluit").all("input")
        if field.attributes["type"] == "hidden"
    }
    answer = client.post(f"{address}/besluit", data=hidden | entry)
    assert answer.status_code == 303, parse(answer.text).text
    return str(answer.headers["location"])


def test_new_pupils_come_first_then_by_family_name(visit: Visit) -> None:
    assert names(visit(IB)) == [
        *("Noor van den Berg", "Amira el Haddad", "Thijs Jansen"),
        "Daan Çelik",
        "Sem de Vries",
    ]


@pytest.mark.parametrize(
    ("query", "first_three"),
    [
        ("sorteer=naam", ["Noor van den Berg", "Amira el Haddad", "Thijs Jansen"]),
        ("sorteer=naam&richting=af", ["Thijs Jansen", "Amira el Haddad", "Noor van den Berg"]),
        ("sorteer=groep", ["Amira el Haddad", "Noor van den Berg", "Thijs Jansen"]),
        ("sorteer=loopt&richting=af", ["Noor van den Berg", "Amira el Haddad", "Thijs Jansen"]),
        ("sorteer=score", ["Noor van den Berg", "Amira el Haddad", "Thijs Jansen"]),
    ],
)
def test_the_order_is_for_the_reader_to_choose(
    visit: Visit, query: str, first_three: list[str]
) -> None:
    assert names(visit(IB), query)[:3] == first_three


def test_the_heads_say_how_the_list_is_sorted(visit: Visit) -> None:
    page = parse(visit(IB).get(f"{LIST}?sorteer=groep&richting=af").text)
    heads = page.all("table")[0].all("thead")[0].all("th")
    sorts = [head.attributes.get("aria-sort", "") for head in heads]
    assert sorts == ["", "descending", "", "", "", ""]
    assert "sorteer=groep&richting=op" in heads[1].all("a")[0].attributes["href"]


def test_a_row_says_what_stands_out_and_nothing_like_a_score(visit: Visit) -> None:
    page = parse(visit(IB).get(LIST).text)
    assert rows(page)[0] == [
        "Noor van den Berg",
        "Groep 7b",
        "Afwezigheid dit schooljaar In de laatste 4 schoolweken 7 dagen afwezig; "
        "in de 8 schoolweken daarvoor 4.",
        "Nieuw",
        "Loopt al: handelingsplan",
        "Nog geen besluit",
    ]
    for table in page.all("table"):
        assert "%" not in table.text
        assert not re.search(r"\d[.,]\d", table.text)


def test_newness_counts_the_weeks_on_end(visit: Visit) -> None:
    assert {row[0]: row[3] for row in rows(parse(visit(IB).get(LIST).text))} == {
        "Noor van den Berg": "Nieuw",
        "Amira el Haddad": "Terug",
        "Thijs Jansen": "2e week",
        "Daan Çelik": "Nieuw",
        "Sem de Vries": "2e week",
    }


def test_the_page_says_what_it_is_and_until_when(visit: Visit) -> None:
    text = parse(visit(IB).get(LIST).text).text
    for expected in (
        "Bespreeklijst schoolaanwezigheid – week 47",
        "Een signaal is een reden om te kijken, geen oordeel. U beslist.",
        "De Regenboog",
        "Gegevens tot en met vrijdag 13 november 2026",
        "5 leerlingen, ingesteld op 5 per week",
        "Van elke 10 leerlingen in dit blok",
        "Deze lijst mist ook leerlingen.",
        "Deze lijst is voor intern overleg, maximaal t/m 29 november 2026. Niet doorsturen.",
        "Model versie 3",
    ):
        assert expected in text


def test_earlier_weeks_can_be_read_back(visit: Visit) -> None:
    client = visit(IB)
    options = parse(client.get(LIST).text).by_id("week").all("option")
    weeks = [option.attributes["value"] for option in options]
    assert weeks == [day.isoformat() for day in (MONDAY, *reversed(EARLIER))]
    assert names(client, f"week={EARLIER[0]}") == ["Amira el Haddad"]
    assert names(client, f"week={EARLIER[1]}") == ["Thijs Jansen", "Sem de Vries"]


def test_a_school_without_a_list_gets_a_page_that_says_so(visit: Visit) -> None:
    text = parse(visit(OTHER_IB).get(f"/lijst/{NEW_SCHOOL}").text).text
    assert "Nog geen bespreeklijst" in text and "De Zonnebloem" in text


def test_who_has_two_schools_can_choose(visit: Visit) -> None:
    page = parse(visit(OTHER_IB).get("/lijst/90AB01").text)
    links = [link.text for link in page.all("a")]
    assert "Het Kompas" in links and "De Zonnebloem" in links
    assert "De Regenboog" not in page.text


@pytest.mark.parametrize(
    ("entry", "status"),
    [
        ({"kind": "registration_wrong"}, "Registratie klopt niet"),
        (
            {"kind": "plan_talk", "owner": "mentor 7b", "look_back_on": "2026-11-30"},
            "Gesprek plannen met leerling en ouders mentor 7b, terugkijken op 30 nov 2026",
        ),
        ({"kind": "no_action", "no_action_because": "explained"}, "Geen actie"),
        ({"kind": "objection"}, "Niet tonen: er is bezwaar gemaakt"),
    ],
)
def test_any_decision_clears_the_row(
    visit: Visit, school: InventedSchool, entry: dict[str, str], status: str
) -> None:
    client = visit(IB)
    back = decide(client, school, 0, **entry)
    page = parse(client.get(back.split("#")[0]).text)
    assert rows(page)[0][5] == status
    assert "Besluit bewaard voor Noor van den Berg" in page.text
    assert "4 leerlingen" in page.text, "one fewer to decide on"
    assert back.endswith(f"#rij-{school.row_id(school.pupils[0])}")


def test_next_week_shows_what_was_decided_before(
    visit: Visit, school: InventedSchool, clock: Clock
) -> None:
    client = visit(IB)
    address = f"/leerling/{school.row_id(school.pupils[3], EARLIER[1])}"
    page = parse(client.get(address).text)
    data = {
        field.attributes["name"]: field.attributes["value"]
        for field in page.by_id("besluit").all("input")
        if field.attributes["type"] == "hidden"
    }
    clock.now += timedelta(minutes=1)
    client.post(f"{address}/besluit", data=data | {"kind": "support_team"})
    thijs = rows(parse(client.get(LIST).text))[2]
    assert thijs[0] == "Thijs Jansen"
    assert thijs[5] == (
        "Nog geen besluit Vorige keer (16 nov 2026): inbrengen in het ondersteuningsteam"
    )


def test_a_long_block_of_too_little_data_is_folded(
    visit: Visit, school: InventedSchool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("serving.web.list_pages.LONGEST_OPEN", 0)
    page = parse(visit(IB).get(LIST).text)
    assert [each.all("summary")[0].text for each in page.all("details")] == [
        "Toon deze 1 leerlingen"
    ]
    assert [row[0] for row in rows(page)][-1] == "Sem de Vries"


def test_every_look_at_the_list_is_logged(visit: Visit, school: InventedSchool) -> None:
    client = visit(IB)
    client.get(LIST)
    client.get(f"{LIST}?week={EARLIER[0]}")
    seen = AuditChain(open_ledger(school.home)).rows(event="list_seen")
    assert [(row.actor, row.school, dict(row.detail)) for row in seen] == [
        (IB, SCHOOL, {"pupils": 1, "as_of": EARLIER[0].isoformat()}),
        (IB, SCHOOL, {"pupils": 5, "as_of": MONDAY.isoformat()}),
    ]
