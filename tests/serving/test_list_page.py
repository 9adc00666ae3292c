"""The bespreeklijst: who stands where, in what order, and what came of it."""

import re
from datetime import timedelta
from typing import Any

import pytest

from features.governance.audit import AuditChain
from features.governance.database import open_ledger
from features.governance.stops import EmergencyStops
from features.vocabulary import Role, Theme
from serving.desk import _is_asked_for, plain_words
from tests.serving.invented_school import (
    EARLIER,
    IB,
    MONDAY,
    NEW_SCHOOL,
    NOW,
    OFFICER,
    OTHER_IB,
    SCHOOL,
    InventedSchool,
    publish_next_monday,
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


def search_answer(client: Browser, words: str) -> Any:
    """The answer to a name typed in the search of one's own school."""
    page = parse(client.get(f"{LIST}/toevoegen").text)
    form = next(each for each in page.all("form") if each.attributes.get("role") == "search")
    token = form.all("input")[0].attributes["value"]
    assert form.attributes["method"] == "post"
    return client.post(form.attributes["action"], data={"form_token": token, "naam": words})


def search(client: Browser, words: str) -> Element:
    return parse(search_answer(client, words).text)


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
        f"{Theme.ABSENCE.label} In de laatste 4 schoolweken 7 dagen afwezig; "
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
        "Amira el Haddad": "Terug eerder 2 nov 2026",
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
        "4 leerlingen, ingesteld op 5 per week",
        "Van elke 10 leerlingen in dit blok",
        "Deze lijst mist ook leerlingen.",
        "Deze lijst is voor intern overleg, maximaal t/m 29 november 2026. Niet doorsturen.",
        "met versie 3 van het model",
    ):
        assert expected in text


def test_earlier_weeks_can_be_read_back(visit: Visit) -> None:
    client = visit(IB)
    options = parse(client.get(LIST).text).by_id("week").all("option")
    weeks = [option.attributes["value"] for option in options]
    assert weeks == [day.isoformat() for day in (MONDAY, *reversed(EARLIER))]
    assert names(client, f"week={EARLIER[0]}") == ["Amira el Haddad"]
    assert names(client, f"week={EARLIER[1]}")[:2] == ["Thijs Jansen", "Sem de Vries"]


def test_who_is_gone_from_the_list_stands_there_with_the_reason(visit: Visit) -> None:
    client = visit(IB)
    gone = parse(client.get(f"{LIST}?week={EARLIER[1]}").text).all("table")[-1]
    assert [[cell.text for cell in row.all("th", "td")] for row in gone.all("tr")[1:]] == [
        ["Amira el Haddad", "6", "er valt nu minder op dan bij de leerlingen op deze lijst"]
    ]
    assert "Niet meer op de lijst" not in parse(client.get(LIST).text).text


def test_the_page_says_what_was_not_registered(visit: Visit) -> None:
    text = parse(visit(IB).get(LIST).text).text
    assert "Groep 5a: in 2 weken van de laatste 12 schoolweken is niets geregistreerd." in text
    assert "Bij 3 leerlingen is van afwezigheid de reden nog niet vastgelegd." in text


@pytest.mark.parametrize(
    ("selection", "expected"),
    [
        ("nieuw", ["Noor van den Berg", "Daan Çelik"]),
        ("zonder", ["Amira el Haddad", "Thijs Jansen", "Daan Çelik", "Sem de Vries"]),
        ("onzin", [*("Noor van den Berg", "Amira el Haddad", "Thijs Jansen"), "Daan Çelik"]),
    ],
)
def test_a_part_of_the_list_can_be_chosen(
    visit: Visit, selection: str, expected: list[str]
) -> None:
    assert names(visit(IB), f"toon={selection}")[: len(expected)] == expected


def test_a_pupil_is_found_by_name_and_added_by_hand(visit: Visit, school: InventedSchool) -> None:
    client = visit(IB)
    page = search(client, "BAKK")
    form = page.all("form")[-1]
    fields = {
        field.attributes["name"]: field.attributes["value"]
        for field in form.all("input")
        if field.attributes["type"] == "hidden" or "checked" in field.attributes
    }
    assert "Lotte Bakker, groep 8a" in form.text
    assert client.post(f"{LIST}/toevoegen", data=fields).status_code == 422, "no reason given"
    answer = client.post(f"{LIST}/toevoegen", data=fields | {"because": "concern_at_school"})
    assert answer.status_code == 303
    assert "Lotte Bakker" in client.get(answer.headers["location"]).text
    lotte = next(row for row in rows(parse(client.get(LIST).text)) if row[0] == "Lotte Bakker")
    assert lotte[2:4] == [
        "Zorg van leerkracht, mentor of uzelf (toegevoegd: Marieke Dekker).",
        "Zelf toegevoegd",
    ]
    chain = AuditChain(open_ledger(school.home))
    (added,) = chain.rows(event="pupil_added")
    assert added.actor == IB and added in chain.rows(subject=school.pupils[5].key)


def test_search_finds_nobody_of_another_school(visit: Visit, school: InventedSchool) -> None:
    text = search(visit(IB), "Smit").text
    assert "Yara" not in text and "Geen leerling van uw school gevonden" in text
    searched = AuditChain(open_ledger(school.home)).rows(event="pupils_searched")
    assert len(searched) == 1 and "Smit" not in str(searched[0].detail)


def test_a_handle_of_one_session_is_of_no_use_in_another(
    visit: Visit, school: InventedSchool
) -> None:
    first, second = visit(IB), visit(IB)
    page = search(first, "bakker")
    handle = page.by_id("pupil-1").attributes["value"]
    other = search(second, "bakker").all("form")[-1]
    token = other.all("input")[0].attributes["value"]
    data = {"form_token": token, "pupil": handle, "because": "other"}
    assert second.post(f"{LIST}/toevoegen", data=data).status_code == 404


def test_an_agreed_pupil_is_back_on_the_next_list(
    visit: Visit, school: InventedSchool, clock: Clock
) -> None:
    client = visit(IB)
    decide(client, school, 3, kind="plan_talk", owner="mentor 7b", look_back_on="2026-11-26")
    decide(client, school, 0, kind="call", look_back_on="2026-11-25")
    clock.now += timedelta(days=7)
    publish_next_monday(school)
    page = parse(visit(IB).get(LIST).text)
    assert page.all("h2")[0].text.startswith(("Termijnen", "Terug op afspraak"))
    found = {row[0]: row for row in rows(page)}
    assert found["Thijs Jansen"][2:4] == [
        "Afgesproken: gesprek plannen met leerling en ouders (mentor 7b); "
        "terugkijken op 26 nov 2026.",
        "Terug op afspraak",
    ]
    assert found["Noor van den Berg"][3] == "2e week op afspraak", "listed once, and agreed"


def test_lists_that_were_stopped_are_not_shown(visit: Visit, school: InventedSchool) -> None:
    client = visit(IB)
    stops = EmergencyStops(open_ledger(school.home))
    stops.stop(SCHOOL, "onderzoek", OFFICER, Role.PRIVACY_OFFICER, NOW)
    row_id = school.row_id(school.pupils[0])
    for address in (LIST, f"/leerling/{row_id}", f"/al-in-beeld/{SCHOOL}"):
        answer = client.get(address)
        assert answer.status_code == 503, address
        assert "De lijsten zijn stilgelegd" in answer.text
        assert school.pupils[0].name not in answer.text


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
        ({"kind": "no_action", "no_action_because": "explained"}, "Niet relevant"),
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
    monkeypatch.setattr("serving.web.list_rows.LONGEST_OPEN", 0)
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


def test_a_search_is_for_beginnings_of_names() -> None:
    """Or "an" would find every "van": twenty names before the one that was meant."""
    assert _is_asked_for(plain_words("Anna van den Berg"), ["an"])
    assert _is_asked_for(plain_words("Anna van den Berg"), ["be", "ann"])
    assert not _is_asked_for(plain_words("Milou van den Bosch"), ["an"])
