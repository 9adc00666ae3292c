"""Requests of pupils and parents: found, taken, answered in time; an erased pupil is nowhere."""

import contextlib
import io
import json
import re
import zlib
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from features.governance.audit import AuditChain
from features.governance.database import open_ledger
from features.governance.erasures import Erasures
from features.governance.objections import object_to_processing, objected
from features.governance.requests import Requests
from features.governance.vault import Vault
from features.records import DeliveryRows, LogTable, RecordLog, schema_of
from features.vocabulary import Role
from serving.beside import BesideStore, Place
from serving.lists import ListStore
from serving.tables import open_app
from tests.serving.invented_school import (
    IB,
    MONDAY,
    NOW,
    OFFICER,
    OTHER_SCHOOL,
    SCHOOL,
    InventedSchool,
    Pupil,
)
from tests.serving.page_rules import Element, parse, problems
from tests.serving.test_list_page import decide, search_answer
from tests.serving.visitors import Browser, Clock, Visit


def page(client: Browser, address: str) -> Element:
    answer = client.get(address)
    assert answer.status_code == 200, answer.text
    return checked(answer.text)


def checked(text: str) -> Element:
    found = parse(text)
    assert problems(found) == []
    return found


def hidden(found: Element, name: str) -> str:
    return next(
        field.attributes["value"]
        for field in found.all("input")
        if field.attributes.get("name") == name
    )


def search(client: Browser, asked: str, school: str = SCHOOL) -> Element:
    token = hidden(page(client, "/verzoeken"), "form_token")
    data = {"form_token": token, "school": school, "wie": asked}
    return checked(client.post("/verzoeken/zoek", data=data).text)


def take(client: Browser, pupil: Pupil, kind: str, received: str = "") -> str:
    """A request about a pupil, taken as its page would; its address."""
    found = search(client, pupil.name)
    data = {
        "form_token": hidden(found, "form_token"),
        "school": SCHOOL,
        "leerling": hidden(found, "leerling"),
        "soort": kind,
        "ontvangen": received,
    }
    answer = client.post("/verzoeken", data=data)
    assert answer.status_code == 303, answer.text
    return str(answer.headers["location"])


def send(client: Browser, address: str, what: str, **fields: str) -> Any:
    token = hidden(page(client, address), "form_token")
    return client.post(f"{address}/{what}", data={"form_token": token, **fields})


def test_a_pupil_is_found_by_name_or_number_within_a_school(
    visit: Visit, school: InventedSchool
) -> None:
    client, noor = visit(OFFICER), school.pupils[0]
    for asked in ("noor", "Berg Noor", "BERG", "1000", "01000"):
        found = search(client, asked)
        assert noor.name in found.text and "1 leerling gevonden" in found.text, asked
    assert "Daan Çelik" in search(client, "celik").text
    for asked in ("", "n", "Yara", "9999"):
        assert "Niemand gevonden." in search(client, asked).text, asked
    assert "Yara Smit" in search(client, "Yara", OTHER_SCHOOL).text
    chain = AuditChain(open_ledger(school.home))
    rows = chain.rows(event="pupil_searched")
    assert len(rows) == 11 and {row.actor for row in rows} == {OFFICER}
    assert "noor" not in str([vars(row) for row in rows]).lower(), "what was asked is a name"


def test_a_care_coordinator_cannot_search(visit: Visit) -> None:
    client = visit(IB)
    token = hidden(page(client, f"/lijst/{SCHOOL}"), "form_token")
    data = {"form_token": token, "school": SCHOOL, "wie": "Noor"}
    answer = client.post("/verzoeken/zoek", data=data)
    assert answer.status_code == 403 and "Noor" not in answer.text


def test_the_clock_of_a_month_runs_from_the_day_of_receipt(
    visit: Visit, school: InventedSchool, clock: Clock
) -> None:
    client = visit(OFFICER)
    address = take(client, school.pupils[0], "access", "2026-11-02")
    assert "nog 16 dagen (uiterlijk 2 dec 2026)" in page(client, address).text
    clock.now = NOW + timedelta(days=20)
    text = page(visit(OFFICER), "/verzoeken").text
    assert "4 dagen te laat (uiterlijk 2 dec 2026)" in text and "1 verzoek is te laat." in text
    client = visit(OFFICER)
    send(client, address, "sluit", uitkomst="Pakket op 16 november meegegeven.")
    assert "Pakket op 16 november meegegeven." in page(client, "/verzoeken").text
    events = [row.event for row in AuditChain(open_ledger(school.home)).rows()]
    assert "request_taken" in events and "request_handled" in events


def test_a_request_cannot_come_from_the_future(visit: Visit, school: InventedSchool) -> None:
    client = visit(OFFICER)
    found = search(client, "noor")
    data = {
        "form_token": hidden(found, "form_token"),
        "school": SCHOOL,
        "leerling": hidden(found, "leerling"),
        "soort": "access",
        "ontvangen": "2026-12-24",
    }
    assert client.post("/verzoeken", data=data).status_code == 403
    assert Requests(open_ledger(school.home)).all() == []


def test_the_access_package_holds_everything_and_making_it_is_logged(
    visit: Visit, school: InventedSchool
) -> None:
    noor, daan = school.pupils[:2]
    visit(IB).get(f"/lijst/{SCHOOL}")
    visit(IB).get(f"/leerling/{school.row_id(noor)}")
    client = visit(OFFICER)
    address = take(client, noor, "access")
    answer = send(client, address, "pakket", vorm="json", medewerkers="ja")
    document = json.loads(answer.text)
    assert document["leerling"]["naam"] == noor.name
    parts = {part["heading"]: part for part in document["onderdelen"]}
    assert len(parts["Gegevens: verzuim en verlof"]["rows"]) > 3
    weeks = [row[0] for row in parts["Op welke lijsten, met welke redenen"]["rows"]]
    assert f"{MONDAY:%d-%m-%Y}" in weeks
    looks = [(row[2], row[3]) for row in parts["Wie heeft gekeken"]["rows"]]
    assert ("pagina van de leerling bekeken", IB) in looks
    assert ("bespreeklijst bekeken", IB) in looks
    assert "niet te lezen" in document["ontbreekt"][0], "this home holds no features"
    assert daan.name not in answer.text and daan.key not in answer.text
    without = send(client, address, "pakket", vorm="json")
    assert IB not in without.text
    events = [row.event for row in AuditChain(open_ledger(school.home)).rows(subject=noor.key)]
    assert events.count("access_package_made") == 2


def test_the_package_has_sums_of_a_former_school_reasons_and_decisions(
    visit: Visit, school: InventedSchool
) -> None:
    noor = school.pupils[0]
    decide(visit(IB), school, 0, kind="plan_talk", owner="mentor Ria", note="gesprek op dinsdag")
    client = visit(OFFICER)
    address = take(client, noor, "access")
    document = json.loads(send(client, address, "pakket", vorm="json").text)
    parts = {part["heading"]: part for part in document["onderdelen"]}
    sums = parts["Gegevens: verzuim op een eerdere school"]
    half_days = [row[sums["columns"].index("Dagdelen geoorloofd")] for row in sums["rows"]]
    assert half_days == ["12", "99"], "as first delivered, and as improved"
    listed = parts["Op welke lijsten, met welke redenen"]
    assert all(row[listed["columns"].index("Reden zoals getoond")] for row in listed["rows"])
    decided = str(parts["Wat het team besloot"]["rows"])
    assert "mentor Ria" in decided and "gesprek op dinsdag" in decided
    assert {"Modellen die mede van deze leerling leerden", "Wie heeft gekeken"} <= set(parts)
    assert "Waarvoor de kenmerken zijn opgehaald" in parts
    on_paper = bookmarks(send(client, address, "pakket", vorm="pdf").content)
    assert set(parts) <= on_paper, "the paper has every part that the file has"


def test_who_looked_counts_every_page_that_showed_the_pupil(
    visit: Visit, school: InventedSchool
) -> None:
    coordinator, client = visit(IB), visit(OFFICER)
    decide(coordinator, school, 0, kind="plan_talk", owner="mentor", note="gesprek")
    side = BesideStore(open_app(school.home)).rows(SCHOOL, MONDAY)
    at_home = next(row.pupil_key for row in side if row.place is Place.AT_HOME)
    for address in (
        f"/lijst/{SCHOOL}",
        f"/al-in-beeld/{SCHOOL}",
        f"/zorgteam/{SCHOOL}",
    ):
        assert coordinator.get(address).status_code == 200
    assert search_answer(coordinator, "xx").status_code == 200

    def looks(pupil: Pupil) -> set[str]:
        address = take(client, pupil, "access")
        document = json.loads(send(client, address, "pakket", vorm="json", medewerkers="ja").text)
        (part,) = (one for one in document["onderdelen"] if one["heading"] == "Wie heeft gekeken")
        return {row[2] for row in part["rows"] if row[3] == IB}

    noor = looks(school.pupils[0])
    assert noor >= {"besluit bewaard", "bespreeklijst bekeken", "zorgteam-overzicht bekeken"}
    assert "op naam gezocht in de school" in noor and "al in beeld bekeken" not in noor
    home = looks(next(one for one in school.pupils if one.key == at_home))
    assert "al in beeld bekeken" in home and "zorgteam-overzicht bekeken" not in home


def bookmarks(content: bytes) -> set[str]:
    """The headings of a PDF, as its table of contents has them."""
    found = set()
    for part in re.findall(rb"stream\r?\n(.*?)\r?\nendstream", content, re.DOTALL):
        with contextlib.suppress(zlib.error):
            content += zlib.decompress(part)
    for title in re.findall(rb"/Title ?\((.*?)(?<!\\)\)", content, re.DOTALL):
        found.add(title.decode("utf-16") if title[:2] == b"\xfe\xff" else title.decode("latin-1"))
    return found


def improve_a_record(school: InventedSchool, pupil: Pupil, known_at: datetime) -> None:
    """The school corrects the newest absence of one pupil."""
    log = RecordLog(school.home.records)
    schema = schema_of(LogTable.ABSENCE)
    names = [name for name in schema.names if name not in ("delivery", "sequence")]
    of_pupil = log.read_as_of(LogTable.ABSENCE, NOW, pupil_keys=[pupil.key]).to_pylist()
    row = max(of_pupil, key=lambda row: row["known_at"]) | {"known_at": known_at, "minutes": 60}
    table = pa.Table.from_pylist(
        [{name: row[name] for name in names}], pa.schema([schema.field(name) for name in names])
    )
    with log.writing():
        log.append(DeliveryRows(known_at, "improved", {LogTable.ABSENCE: table}))


def test_a_list_that_rests_on_what_was_corrected_later_is_marked(
    visit: Visit, school: InventedSchool
) -> None:
    noor = school.pupils[0]
    client = visit(OFFICER)
    address = take(client, noor, "correction")

    def marks() -> set[str]:
        document = json.loads(send(client, address, "pakket", vorm="json").text)
        parts = {part["heading"]: part for part in document["onderdelen"]}
        listed = parts["Op welke lijsten, met welke redenen"]
        return {row[listed["columns"].index("Later verbeterd")] for row in listed["rows"]}

    assert marks() == {"nee"}
    improve_a_record(school, noor, NOW + timedelta(hours=1))
    assert "daarna verbeterd: 1" in marks()


def test_the_package_on_paper_is_a_tagged_pdf(visit: Visit, school: InventedSchool) -> None:
    client = visit(OFFICER)
    answer = send(client, take(client, school.pupils[0], "access"), "pakket", vorm="pdf")
    content: bytes = answer.content
    assert content.startswith(b"%PDF-") and b"/StructTreeRoot" in content
    assert answer.headers["content-disposition"].endswith('inzage-20261116.pdf"')


def test_an_objection_counts_from_then_on_and_can_be_withdrawn(
    visit: Visit, school: InventedSchool, clock: Clock
) -> None:
    client, noor = visit(OFFICER), school.pupils[0]
    address = take(client, noor, "objection")
    send(client, address, "bezwaar", besluit="vastleggen")
    ledger = open_ledger(school.home)
    assert objected(ledger, NOW) == frozenset()
    assert objected(ledger, NOW + timedelta(seconds=1)) == {noor.key}
    clock.now += timedelta(minutes=1)
    assert "ja, doet niet mee" in page(client, address).text
    send(client, address, "bezwaar", besluit="intrekken")
    assert objected(ledger, NOW + timedelta(hours=1)) == frozenset()


CANARY_NAME, CANARY_NUMBER = "Berg", "1000"


def traces(home: Path, *needles: str) -> Iterator[str]:
    """Where any of these texts stands below `home`: in bytes, and inside what is compressed."""
    for path in sorted(path for path in home.rglob("*") if path.is_file()):
        content = [path.read_bytes()]
        if path.suffix == ".parquet":
            content += [str(pq.read_table(io.BytesIO(content[0])).to_pylist()).encode()]
        if any(needle.encode() in part for part in content for needle in needles):
            yield path.relative_to(home).as_posix()


def test_the_scan_finds_a_pupil_who_is_there(school: InventedSchool) -> None:
    found = set(traces(school.home.root, school.pupils[0].key))
    assert {path.split("/")[0] for path in found} >= {"records", "app.db", "vault.db"}


def test_an_erased_pupil_is_nowhere_and_the_chain_leads_to_nobody(
    visit: Visit, school: InventedSchool
) -> None:
    noor, daan = school.pupils[:2]
    coordinator = visit(IB)
    coordinator.get(f"/leerling/{school.row_id(noor)}")
    ledger = open_ledger(school.home)
    object_to_processing(ledger, noor.key, SCHOOL, IB, Role.CARE_COORDINATOR, NOW)
    in_log = AuditChain(ledger).rows(subject=noor.key)[0].subject
    assert in_log != noor.key
    client = visit(OFFICER)
    address = take(client, noor, "erasure")
    assert send(client, address, "wis").status_code == 303, "one must say that one is sure"
    assert noor.key in ListStore(open_app(school.home)).members(SCHOOL)[MONDAY]
    answer = send(client, address, "wis", zeker="ja")
    report = checked(answer.text)
    counts = {row.all("th")[0].text: row.all("td")[0].text for row in report.all("tr")[1:]}
    assert (
        int(counts["gegevens: verzuim en verlof"]) > 3
        and counts["naam en nummer in de kluis"] == "1"
    )
    assert noor.name not in report.text and "AVG artikel 5 lid 2" in report.text

    assert set(traces(school.home.root, noor.key)) == set()
    assert AuditChain(ledger).rows(subject=noor.key) == []
    about = [row for row in AuditChain(ledger).rows(event="pupil_seen") if row.subject == in_log]
    assert len(about) == 1, "what people did stays accounted for, about nobody"
    assert noor.key not in Vault.open(school.home, {}).pupils_of(SCHOOL)
    assert set(traces(school.home.root, daan.key)) != set(), "nobody else was erased"
    assert Vault.open(school.home, {}).identities([daan.key])[daan.key].given_name == "Daan"
    assert AuditChain(ledger).verify().intact
    # The list stays readable under a new seal, which stands in the chain.
    published = ListStore(open_app(school.home)).get(SCHOOL, MONDAY)
    assert noor.key not in {row.pupil_key for row in published.rows}
    (erasure,) = Erasures(ledger).of(SCHOOL)
    assert erasure.lists[MONDAY][1] == published.content_hash
    assert "De leerling is gewist" in page(client, address).text
    assert coordinator.get(f"/lijst/{SCHOOL}").status_code == 200


def test_who_changed_school_is_erased_under_every_pseudonym(
    visit: Visit, school: InventedSchool
) -> None:
    noor, kept = school.pupils[0], school.others[0]
    Vault.open(school.home, {}).link([(noor.key, kept.key)])  # as a signed match does
    assert set(traces(school.home.root, noor.key)) >= {"app.db", "vault.db"}
    client = visit(OFFICER)
    report = checked(send(client, take(client, noor, "erasure"), "wis", zeker="ja").text)
    counts = {row.all("th")[0].text: row.all("td")[0].text for row in report.all("tr")[1:]}
    assert counts["naam en nummer in de kluis"] == "2"
    for key in (noor.key, kept.key):
        assert set(traces(school.home.root, key)) == set()
        assert key not in ListStore(open_app(school.home)).members(SCHOOL).get(MONDAY, ())


def test_who_changed_school_gets_one_package_and_objects_once(
    visit: Visit, school: InventedSchool
) -> None:
    yara, daan = school.others[0], school.pupils[1]
    Vault.open(school.home, {}).link([(daan.key, yara.key)])
    client = visit(OFFICER)
    address = take(client, daan, "objection")
    made = send(client, address, "pakket", vorm="json")
    document = json.loads(made.text)
    assert document["leerling"]["pseudoniemen"] == [yara.key, daan.key]
    parts = {part["heading"]: part for part in document["onderdelen"]}
    places = parts["Gegevens: inschrijving en groep"]
    schools = {row[places["columns"].index("School")] for row in places["rows"]}
    assert schools == {SCHOOL, OTHER_SCHOOL}, "the records of both schools"
    assert parts["Op welke lijsten, met welke redenen"]["rows"], "listed under the other key"
    send(client, address, "bezwaar", besluit="vastleggen")
    later = NOW + timedelta(minutes=1)
    assert objected(open_ledger(school.home), later) == {yara.key, daan.key}
    assert "ja, doet niet mee" in page(client, address).text
    send(client, address, "bezwaar", besluit="intrekken")
    assert objected(open_ledger(school.home), NOW + timedelta(minutes=2)) == frozenset()


def test_erasing_needs_a_request_for_it(visit: Visit, school: InventedSchool) -> None:
    client = visit(OFFICER)
    address = take(client, school.pupils[0], "access")
    answer = send(client, address, "wis", zeker="ja")
    assert answer.status_code == 403
    assert school.pupils[0].key in Vault.open(school.home, {}).pupils_of(SCHOOL)


@pytest.mark.parametrize("address", ["/verzoeken/onbekend", "/verzoeken/" + "0" * 32])
def test_a_request_that_is_not_there_is_not_found(visit: Visit, address: str) -> None:
    assert visit(OFFICER).get(address).status_code == 404
