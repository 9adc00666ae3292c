"""The overview of a care team: on the page, as a tagged PDF and as a sheet without formulas."""

import io
import re
import zipfile
from datetime import timedelta

import pytest
from python_calamine import CalamineWorkbook

from features.governance.audit import AuditChain
from features.governance.database import open_ledger
from serving.exports import COLUMNS
from tests.serving.invented_school import IB, SCHOOL, InventedSchool
from tests.serving.page_rules import parse
from tests.serving.test_list_page import decide
from tests.serving.test_pages import BANNED, CAUSE
from tests.serving.visitors import Browser, Clock, Visit

TEAM = f"/zorgteam/{SCHOOL}"
NOTES = ("=1+1", "+31 is het landnummer", "@mentor belt", "-gesprek-", "#set text(red) [x]")


def filled(visit: Visit, school: InventedSchool) -> Browser:
    """Five decisions, each with a note that would be code somewhere."""
    client = visit(IB)
    for number, note in enumerate(NOTES):
        decide(client, school, number, kind="plan_talk", owner=f"mentor {number}", note=note)
    return client


def export(client: Browser, form: str) -> bytes:
    token = client.get(TEAM).text.split('name="form_token" value="')[1].split('"')[0]
    answer = client.post(f"{TEAM}/{form}", data={"form_token": token})
    assert answer.status_code == 200
    assert re.fullmatch(
        rf'attachment; filename="zorgteam-{SCHOOL}-2026-11-16\.{form}"',
        answer.headers["content-disposition"],
    )
    assert answer.headers["cache-control"] == "no-store"
    return bytes(answer.content)


def test_the_page_has_pupil_agreement_owner_and_date(visit: Visit, school: InventedSchool) -> None:
    client = visit(IB)
    decide(client, school, 0, kind="call", owner="Ria", look_back_on="2026-11-30", note="Belt.")
    (row,) = parse(client.get(TEAM).text).all("tbody")[0].all("tr")
    cells = [cell.text for cell in row.all("th", "td")]
    assert cells == [
        "Noor van den Berg",
        "Groep 7b",
        "Bellen of praten met leerling of ouders Belt. 16 nov 2026, 09:30",
        "Wie: Ria",
        "Terugkijken op: 30 nov 2026",
        "Hoe het ging: –",
    ]


def test_only_the_days_asked_for(visit: Visit, school: InventedSchool, clock: Clock) -> None:
    client = visit(IB)
    decide(client, school, 0, kind="call")
    clock.now += timedelta(days=2)
    client = visit(IB)
    decide(client, school, 3, kind="call")
    text = parse(client.get(f"{TEAM}?van=2026-11-18&tot=2026-11-18").text).text
    assert "Thijs Jansen" in text and "Noor van den Berg" not in text
    assert client.get(f"{TEAM}?van=2026-11-19&tot=2026-11-18").status_code == 422


def test_the_sheet_holds_text_only(visit: Visit, school: InventedSchool) -> None:
    content = export(filled(visit, school), "xlsx")
    with zipfile.ZipFile(io.BytesIO(content)) as book:
        sheet = book.read("xl/worksheets/sheet1.xml").decode()
    assert "<f>" not in sheet and "<f " not in sheet
    rows = CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_index(0).to_python()
    assert tuple(rows[0]) == COLUMNS
    for row in rows:
        for cell in row:
            assert isinstance(cell, str)
            assert not cell.startswith(("=", "+", "-", "@", "\t", "\r")), cell
    assert {row[3] for row in rows[1:6]} == {f"'{note}" for note in NOTES[:4]} | {NOTES[4]}
    assert "Vernietig na bespreking, uiterlijk 30-11-2026." in str(rows[-1][0])


def test_the_document_is_tagged_and_says_whose_it_is(visit: Visit, school: InventedSchool) -> None:
    content = export(filled(visit, school), "pdf")
    assert content.startswith(b"%PDF-")
    for mark in (b"/StructTreeRoot", b"/MarkInfo", b"/Lang", b"pdfuaid:part"):
        assert mark in content, mark


def test_every_file_is_in_the_audit_chain(visit: Visit, school: InventedSchool) -> None:
    client = filled(visit, school)
    export(client, "pdf")
    (row,) = AuditChain(open_ledger(school.home)).rows(event="exported")
    assert (row.actor, row.school) == (IB, SCHOOL)
    assert (row.detail["form"], row.detail["rows"], row.detail["pupils"]) == ("pdf", 5, 5)
    assert not any(pupil.name in str(row) for pupil in school.pupils)


def test_no_word_of_judgement_or_cause_goes_out(visit: Visit, school: InventedSchool) -> None:
    content = export(filled(visit, school), "xlsx")
    rows = CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_index(0).to_python()
    text = " ".join(str(cell) for row in rows for cell in row)
    assert not BANNED.search(text) and not CAUSE.search(text)


@pytest.mark.parametrize("form", ["csv", "docx"])
def test_there_are_no_other_files(visit: Visit, form: str) -> None:
    client = visit(IB)
    token = client.get(TEAM).text.split('name="form_token" value="')[1].split('"')[0]
    assert client.post(f"{TEAM}/{form}", data={"form_token": token}).status_code == 404
