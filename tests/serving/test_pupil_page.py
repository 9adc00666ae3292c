"""The pupil's page: facts as known then, reasons with records, a decision that is kept."""

import re
from datetime import UTC, date, datetime

import pytest

from features.governance.audit import AuditChain
from features.governance.database import open_ledger
from features.records import DeliveryRows, LogTable, RecordLog, schema_of
from features.school_weeks import Duty
from serving.decisions import Decisions
from serving.facts import read_facts
from serving.tables import open_app
from serving.web.pupil_pages import legal
from tests.serving.invented_school import IB, MONDAY, SCHOOL, InventedSchool
from tests.serving.page_rules import Element, parse
from tests.serving.test_list_page import decide
from tests.serving.visitors import Browser, Visit


def pupil(client: Browser, school: InventedSchool, number: int = 0) -> Element:
    return parse(client.get(f"/leerling/{school.row_id(school.pupils[number])}").text)


def calendar(page: Element) -> dict[str, str]:
    """The letters of the calendar, per weekday, oldest week first; a space is a day off."""
    days: dict[str, str] = {}
    tables = [table for table in page.all("table") if " t/m " in table.all("caption")[0].text]
    for table in tables:
        for row in table.all("tbody")[0].all("tr"):
            day = row.all("th")[0].text.split()[1]
            letters = [cell.all("span")[0].text or " " for cell in row.all("td")]
            days[day] = days.get(day, "") + "".join(letters)
    return days


def test_the_calendar_is_what_the_records_say(visit: Visit, school: InventedSchool) -> None:
    days = calendar(pupil(visit(IB), school))
    assert {day: len(letters) for day, letters in days.items()} == dict.fromkeys(days, 40)
    #                                 from 31 August on, ten school weeks
    assert days["maandag"][-10:] == "··Z·ZZZ·ZZ"
    assert days["dinsdag"][-10:] == "·L······ZZ"
    assert days["woensdag"][-10:] == "·····L··LZ"
    assert days["donderdag"][-10:] == "······o···"
    assert days["vrijdag"][-10:] == "·····m··?Z"


def test_every_cell_of_the_calendar_speaks(visit: Visit, school: InventedSchool) -> None:
    page = pupil(visit(IB), school)
    spoken = [
        cell.all("span")[1].text
        for table in page.all("table")
        for cell in table.all("td")
        if "day" in cell.attributes.get("class", "").split()
    ]
    assert len(spoken) == 200
    assert spoken.count("ziek") == 14
    assert spoken.count("medisch bezoek, minder dan een halve dag") == 1
    assert "" not in spoken


def test_the_summary_says_the_same_in_words(visit: Visit, school: InventedSchool) -> None:
    text = pupil(visit(IB), school).text
    assert (
        "In de laatste 40 schoolweken 16 dagen een halve dag of langer afwezig: 14 ziek, "
        "1 verlof of vrijstelling en 1 afwezig, reden nog niet bekend."
    ) in text
    assert "2 keer een deel van de dag afwezig en 3 keer te laat." in text


def test_an_earlier_schools_sums_are_told_as_known_then_and_not_weighed(
    visit: Visit, school: InventedSchool
) -> None:
    said = (
        "Op een eerdere school, in de twaalf maanden tot en met 31 juli 2025: 12 dagdelen "
        "geoorloofd afwezig; 2,5 uur ongeoorloofd afwezig; 7 keer afwezig. "
        "Dat is niet meegewogen."
    )
    client = visit(IB)
    assert said in pupil(client, school).text
    assert "eerdere school" not in pupil(client, school, number=1).text


@pytest.mark.parametrize(
    ("born_on", "duty", "said"),
    [
        (date(2016, 3, 1), Duty.COMPULSORY, "bij 16 uur ongeoorloofd verzuim in 4 lesweken meldt"),
        (date(2021, 11, 1), Duty.NOT_YET, "deze leerling is nog niet leerplichtig"),
        (date(2021, 10, 1), Duty.COMPULSORY, "bij 16 uur"),
        (date(2008, 11, 1), Duty.QUALIFICATION, "bij 16 uur"),
        (date(2008, 10, 1), Duty.ADULT, "deze leerling is 18 jaar of ouder"),
    ],
)
def test_what_the_law_asks_goes_by_the_age_on_that_monday(
    school: InventedSchool, born_on: date, duty: Duty, said: str
) -> None:
    noor = school.pupils[0].key
    born(school, noor, born_on)
    facts = read_facts(RecordLog(school.home.records), SCHOOL, noor, MONDAY)
    assert facts.duty is duty
    assert said in legal(facts.duty)


def test_the_page_says_what_the_law_asks_once(visit: Visit, school: InventedSchool) -> None:
    text = pupil(visit(IB), school).text
    assert text.count("Wettelijk: bij 16 uur ongeoorloofd verzuim in 4 lesweken meldt") == 1


def test_what_became_known_later_changes_nothing(visit: Visit, school: InventedSchool) -> None:
    client = visit(IB)
    before = calendar(pupil(client, school))
    correct(school, known_at=datetime(2026, 11, 16, 5, tzinfo=UTC))
    assert calendar(pupil(client, school)) == before


def test_what_was_delivered_after_the_list_does_not_change_its_page(
    visit: Visit, school: InventedSchool
) -> None:
    """Recorded before the Monday, but it came in later: the list did not know it."""
    client = visit(IB)
    before = calendar(pupil(client, school))
    correct(school, known_at=datetime(2026, 11, 12, tzinfo=UTC))
    assert calendar(pupil(client, school)) == before


def born(school: InventedSchool, pupil_key: str, born_on: date) -> None:
    """A new delivery, known before the list, with another month of birth."""
    known_at = datetime(2026, 10, 1, tzinfo=UTC)
    log = RecordLog(school.home.records)
    placements = log.read_as_of(
        LogTable.PLACEMENTS, datetime(2027, 1, 1, tzinfo=UTC), pupil_keys=[pupil_key]
    )
    rows = [row | {"born_on": born_on, "known_at": known_at} for row in placements.to_pylist()]
    schema = schema_of(LogTable.PLACEMENTS)
    table = placements.from_pylist(rows, schema=schema).drop_columns(["delivery", "sequence"])
    with log.writing():
        log.append(DeliveryRows(known_at, "b" * 64, {LogTable.PLACEMENTS: table}))


def correct(school: InventedSchool, known_at: datetime) -> None:
    """A new delivery that turns every sick report of the pupil into late arrivals."""
    log = RecordLog(school.home.records)
    absence = log.read_as_of(LogTable.ABSENCE, datetime(2027, 1, 1, tzinfo=UTC))
    rows = [
        row | {"kind": "late_arrival", "known_at": known_at}
        for row in absence.to_pylist()
        if row["kind"] == "sick"
    ]
    schema = schema_of(LogTable.ABSENCE)
    table = absence.from_pylist(rows, schema=schema).drop_columns(["delivery", "sequence"])
    with log.writing():
        log.append(DeliveryRows(known_at, "a" * 64, {LogTable.ABSENCE: table}))


def test_support_stands_on_the_same_axis(visit: Visit, school: InventedSchool) -> None:
    page = pupil(visit(IB), school)
    table = next(t for t in page.all("table") if "Wat er is vastgelegd" in t.text)
    lines = [[cell.text for cell in row.all("td", "th")] for row in table.all("tr")[1:]]
    assert lines == [
        ["1", "arrangement", "afgerond", "12 jan 2026 t/m 10 juli 2026"],
        ["2", "handelingsplan", "loopt", "sinds 7 sep 2026"],
        ["3", "aanvraag toelaatbaarheidsverklaring (TLV)", "aangevraagd", "sinds 26 okt 2026"],
        ["4", "gesprek met ouders", "afgerond", "3 nov 2026"],
    ]
    last = [table for table in page.all("table") if " t/m " in table.all("caption")[0].text][-1]
    support = {
        row.all("th")[0].text.split()[0]: [cell.attributes["class"] for cell in row.all("td")]
        for row in last.all("tbody")[1].all("tr")
    }
    assert support["2"] == ["none"] + ["running"] * 9
    assert support["3"] == ["none"] * 7 + ["waiting"] * 3
    assert support["4"] == ["none"] * 8 + ["contact"] + ["none"]


def test_a_reason_stands_on_its_records(visit: Visit, school: InventedSchool) -> None:
    page = pupil(visit(IB), school)
    details = page.all("details")
    assert [each.all("summary")[0].text.split(" bij ")[0] for each in details] == [
        "6 registraties",
        "1 registratie",
        "1 registratie",
    ]
    first = [row.text for row in details[0].all("tbody")[0].all("tr")]
    assert first[0] == "2 nov 2026 ziek hele dag" and len(first) == 6
    for expected in (
        "Meer dan 21 van de 23 klasgenoten.",
        "Dit is geen oorzaak en geen oordeel over leerling of ouders.",
        "Deze week elke dag aanwezig.",
        "Niet meegewogen",
    ):
        assert expected in page.text


def test_the_page_says_why_one_sees_it(visit: Visit, school: InventedSchool) -> None:
    assert "U bent intern begeleider van deze school." in pupil(visit(IB), school).text


def test_neither_address_nor_title_tells_who(visit: Visit, school: InventedSchool) -> None:
    page = pupil(visit(IB), school)
    title = page.all("title")[0].text
    assert title == "Leerling, week 47 – Tijdig"
    links = [link.attributes["href"] for link in page.all("a")]
    assert not any("Noor" in link or school.pupils[0].key in link for link in links)


def test_too_little_data_is_said_plainly(visit: Visit, school: InventedSchool) -> None:
    assert "te weinig geregistreerd" in pupil(visit(IB), school, 4).text


def test_a_decision_is_kept_and_shown(visit: Visit, school: InventedSchool) -> None:
    client = visit(IB)
    note = "Moeder gebeld.\nGesprek op donderdag <b>na school</b>."
    entry = {"kind": "plan_talk", "owner": "mentor", "look_back_on": "2026-11-30", "note": note}
    decide(client, school, 0, **entry)
    text = pupil(client, school).by_id("kop-eerder")
    page = pupil(client, school).text
    assert text.text == "Eerdere besluiten"
    assert "Gesprek plannen met leerling en ouders" in page
    assert "Gesprek op donderdag <b>na school</b>." in page, "as typed, not as HTML"
    assert "Marieke Dekker; opgepakt bij: mentor; terugkijken op 30 nov 2026" in page


@pytest.mark.parametrize(
    ("note", "message"),
    [
        ("Zie 123456782 voor overleg", "burgerservicenummer"),
        ("Zie 1234.56.782 voor overleg", "burgerservicenummer"),
        ("mail naar moeder@thuis.nl", "e-mailadres"),
        ("Heeft ADHD volgens moeder", "medisch woord: ‘ADHD’"),
        ("krijgt medicatie", "medisch woord: ‘medicatie’"),
        ("dreigt thuiszitter te worden", "oordeel"),
        ("x" * 281, "281 tekens lang; er is plaats voor 280"),
    ],
)
def test_a_note_that_may_not_be_kept_stays_on_the_screen(
    visit: Visit, school: InventedSchool, note: str, message: str
) -> None:
    client = visit(IB)
    answer = send(client, school, {"kind": "support_team", "owner": "mentor", "note": note})
    assert answer.status_code == 422
    page = parse(answer.text)
    assert message in page.by_id("note-problem").text
    assert page.by_id("note").text == note
    assert page.by_id("owner").attributes["value"] == "mentor"
    assert "checked" in page.by_id("kind-support_team").attributes
    assert "Nog geen besluiten" in pupil(client, school).text


@pytest.mark.parametrize(
    "note",
    [
        "Contact opgenomen met ouders, adres klopt, additionele les.",
        "Gebeld op 06-12345678, nummer 123456789 is van de mentor.",
        "x" * 280,
    ],
)
def test_an_ordinary_note_is_kept(visit: Visit, school: InventedSchool, note: str) -> None:
    assert send(visit(IB), school, {"kind": "plan_talk", "note": note}).status_code == 303


@pytest.mark.parametrize(
    ("entry", "field"),
    [
        ({}, "kind"),
        ({"kind": "shout"}, "kind"),
        ({"kind": "no_action"}, "no_action_because"),
        ({"kind": "follow_until"}, "look_back_on"),
        ({"kind": "follow_until", "look_back_on": "2026-11-16"}, "look_back_on"),
        ({"kind": "follow_until", "look_back_on": "2028-01-01"}, "look_back_on"),
        ({"kind": "follow_until", "look_back_on": "morgen"}, "look_back_on"),
        ({"kind": "plan_talk", "owner": "x" * 101}, "owner"),
    ],
)
def test_what_is_missing_or_wrong_is_said_at_the_field(
    visit: Visit, school: InventedSchool, entry: dict[str, str], field: str
) -> None:
    answer = send(visit(IB), school, entry)
    assert answer.status_code == 422
    assert parse(answer.text).by_id(f"{field}-problem").text


def test_a_form_sent_twice_is_one_decision(visit: Visit, school: InventedSchool) -> None:
    client = visit(IB)
    data = hidden_fields(client, school) | {"kind": "plan_talk"}
    address = f"/leerling/{school.row_id(school.pupils[0])}/besluit"
    assert [client.post(address, data=data).status_code for _ in range(2)] == [303, 303]
    kept = Decisions(open_app(school.home)).of_school(SCHOOL)
    assert len(kept[school.pupils[0].key]) == 1


def test_every_look_and_every_decision_is_logged(visit: Visit, school: InventedSchool) -> None:
    client = visit(IB)
    decide(client, school, 0, kind="plan_talk")
    chain = AuditChain(open_ledger(school.home))
    rows = chain.rows(subject=school.pupils[0].key)
    assert [(row.event, row.actor, row.school) for row in rows] == [
        ("decision_kept", IB, SCHOOL),
        ("pupil_seen", IB, SCHOOL),
    ]
    assert rows[0].detail == {"as_of": MONDAY.isoformat(), "kind": "plan_talk"}
    names = [pupil.name for pupil in school.pupils]
    assert not any(name in str(row) for row in chain.rows() for name in names)


def hidden_fields(client: Browser, school: InventedSchool) -> dict[str, str]:
    form = pupil(client, school).by_id("besluit")
    hidden = [field for field in form.all("input") if field.attributes["type"] == "hidden"]
    return {field.attributes["name"]: field.attributes["value"] for field in hidden}


def send(client: Browser, school: InventedSchool, entry: dict[str, str]):  # type: ignore[no-untyped-def]
    address = f"/leerling/{school.row_id(school.pupils[0])}/besluit"
    return client.post(address, data=hidden_fields(client, school) | entry)


def test_a_made_up_decision_id_is_not_stored(visit: Visit, school: InventedSchool) -> None:
    data = {"kind": "plan_talk", "decision_id": "'; drop table decisions"}
    assert send(visit(IB), school, data).status_code == 303
    engine = open_app(school.home)
    with engine.begin() as connection:
        stored = connection.exec_driver_sql("select decision_id from decisions").scalar_one()
    assert re.fullmatch(r"[0-9a-f]{32}", stored)
