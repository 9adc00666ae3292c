"""The privacy officer's pages and the data scientist's: contracts, use, chain, comparison."""

import json
from dataclasses import replace
from datetime import date, timedelta

import pytest
import sqlalchemy as sa

from features.catalogue import CATALOGUE
from features.governance.audit import AuditChain
from features.governance.contracts import read_contracts
from features.governance.database import open_ledger
from features.governance.gate import Gate
from features.governance.heads import read_head
from features.governance.ledger import Ledger
from features.governance.use import Action, Purpose, Use
from features.vocabulary import Role
from serving.evaluation import FILE_NAME
from serving.registers import SOON, ContractStatus, status_of
from tests.serving.invented_school import (
    NOW,
    OFFICER,
    SCHOOL,
    SCIENTIST,
    InventedSchool,
)
from tests.serving.page_rules import Element, parse, problems
from tests.serving.visitors import Browser, Visit

FEATURE = CATALOGUE[0]


def page(client: Browser, address: str) -> Element:
    answer = client.get(address)
    assert answer.status_code == 200
    found = parse(answer.text)
    assert problems(found) == []
    return found


def test_the_status_of_a_contract_follows_from_its_terms() -> None:
    good = replace(
        read_contracts()[FEATURE.name],
        definition_hash=FEATURE.definition_hash,
        approved_by="FG",
        approved_on=date(2026, 8, 1),
        expires_on=date(2027, 8, 1),
    )
    today = date(2026, 11, 16)
    cases = [
        (good, ContractStatus.APPROVED),
        (replace(good, expires_on=today + SOON), ContractStatus.EXPIRES_SOON),
        (replace(good, expires_on=today), ContractStatus.EXPIRED),
        (replace(good, approved_on=None), ContractStatus.NOT_APPROVED),
        (replace(good, approved_on=today + timedelta(days=1)), ContractStatus.NOT_APPROVED),
        (replace(good, definition_hash="other"), ContractStatus.CHANGED),
        (None, ContractStatus.NO_CONTRACT),
    ]
    for contract, expected in cases:
        assert status_of(FEATURE, contract, today) is expected


def test_the_register_shows_every_feature_with_its_terms(visit: Visit) -> None:
    found = page(visit(OFFICER), "/kenmerken")
    names = [code.text for code in found.all("code")]
    assert {feature.name for feature in CATALOGUE} <= set(names)
    first = found.all("tbody")[0].all("tr")[0].text
    for expected in ("vroegsignalering van langdurig verzuim", "AVG 6(1)(e)", "Eigenaar:"):
        assert expected in first


def test_the_register_shows_a_part(visit: Visit) -> None:
    found = page(visit(OFFICER), "/kenmerken?toon=gezondheid")
    shown = sum(len(table.all("tbody")[0].all("tr")) for table in found.all("table"))
    health = sum(feature.health for feature in CATALOGUE)
    assert shown == health
    chosen = [link.text for link in found.all("a") if "aria-current" in link.attributes]
    assert f"Gezondheidsgegevens ({health})" in chosen
    assert page(visit(OFFICER), "/kenmerken?toon=onzin").text.count("Alle kenmerken") == 1


def record_uses(school: InventedSchool, times: int) -> None:
    engine = open_ledger(school.home)
    use = Use("geplande taak", Role.JOB, Purpose.EARLY_WARNING, Action.SCORE, NOW, "run-1")
    names = {FEATURE.name: FEATURE.definition_hash}
    decision = Gate(read_contracts(), engine).check(names, use)
    ledger = Ledger(engine)
    for _ in range(times):
        ledger.record(use, "risk_v1", tuple(names), "c" * 64, 240, [SCHOOL], decision)


def test_the_ledger_shows_who_used_what_for_what(visit: Visit, school: InventedSchool) -> None:
    client = visit(OFFICER)
    assert "nog geen kenmerken opgehaald" in page(client, "/gebruik").text
    record_uses(school, 1)
    counts, per_feature, uses = page(client, "/gebruik").all("tbody")
    assert per_feature.all("tr")[0].text == (
        f"{FEATURE.label_nl} 1 vroegsignalering van langdurig verzuim geplande taak 2026-11 2026-11"
    )
    assert counts.all("tr")[0].text == (
        "2026-11 vroegsignalering van langdurig verzuim geplande taak 1 1 240"
    )
    row = uses.all("tr")[0].text
    for expected in (
        "16 nov 2026, 09:30",
        "geplande taak",
        "vroegsignalering van langdurig verzuim",
        "lijst maken",
        "risk_v1",
        FEATURE.name,
        "240",
        SCHOOL,
        "run-1",
    ):
        assert expected in row


def test_long_registers_have_pages(visit: Visit, school: InventedSchool) -> None:
    record_uses(school, 51)
    client = visit(OFFICER)
    first, second = page(client, "/gebruik"), page(client, "/gebruik?pagina=1")
    assert [len(each.all("tbody")[-1].all("tr")) for each in (first, second)] == [50, 1]
    assert "/gebruik?pagina=1" in [link.attributes["href"] for link in first.all("a")]
    assert "/gebruik?pagina=0" in [link.attributes["href"] for link in second.all("a")]
    assert len(page(client, "/inzage?pagina=1").all("tbody")[0].all("tr")) > 0
    assert client.get("/gebruik?pagina=-1").status_code == 400


def test_a_part_of_the_ledger_is_shown_and_taken_along(
    visit: Visit, school: InventedSchool
) -> None:
    record_uses(school, 2)
    client = visit(OFFICER)
    here = f"kenmerk={FEATURE.name}&rol=job&maand=2026-11"
    assert len(page(client, f"/gebruik?{here}").all("tbody")[-1].all("tr")) == 2
    for elsewhere in ("kenmerk=age_months", "rol=data_scientist", "maand=2026-10", "doel=rights"):
        assert "nog geen kenmerken opgehaald" in page(client, f"/gebruik?{elsewhere}").text
    lines = client.get(f"/gebruik/bestand.csv?{here}").text.split("\r\n")
    assert len(lines) == 4 and lines[0].startswith("number,moment,actor,role,purpose")
    document = client.get(f"/gebruik/bestand.json?{here}").json()
    assert [row["attributes"]["tijdig.pupils"] for row in document] == [240, 240]
    assert document[0]["attributes"]["dpl.core.processing_activity_id"] == "early_warning"
    assert client.get("/gebruik/bestand.xlsx").status_code == 404
    text = page(client, "/inzage/uitzonderingen").text
    assert "gebruiksregister gedownload" in text and "afdruk of uitvoer" in text


def test_nothing_was_used_without_leave_unless_somebody_wrote_it_in(
    visit: Visit, school: InventedSchool
) -> None:
    record_uses(school, 1)
    client = visit(OFFICER)
    shown = page(client, "/kenmerken?toon=gebruikt-zonder")
    assert "Gebruikt zonder goedkeuring (0)" in shown.text
    with open_ledger(school.home).begin() as connection:
        connection.execute(sa.text("update decisions set allowed = 0"))
    shown = page(client, "/kenmerken?toon=gebruikt-zonder")
    assert "Gebruikt zonder goedkeuring (1)" in shown.text and FEATURE.name in shown.text


def test_the_head_of_the_chain_is_signed_and_taken_away(
    visit: Visit, school: InventedSchool
) -> None:
    client = visit(OFFICER)
    answer = client.post("/inzage/teken", data={"form_token": token(client)})
    head = read_head(answer.text, "the download")
    chain = AuditChain(open_ledger(school.home))
    assert chain.verify(kept_elsewhere=[head]).intact
    with open_ledger(school.home).begin() as connection:
        connection.execute(sa.text("delete from audit where sequence >= :n"), {"n": head.sequence})
        connection.execute(sa.text("delete from signed_heads"))
    (school.home.key.parent / "audit-head.json").unlink()
    assert any("was signed" in line for line in chain.verify(kept_elsewhere=[head]).problems)
    with open_ledger(school.home).begin() as connection:
        connection.execute(sa.text("update audit set actor = 'x' where sequence = 1"))
    answer = client.post("/inzage/teken", data={"form_token": token(client)})
    assert answer.status_code == 303, "a broken chain is not signed"


def token(client: Browser) -> str:
    fields = parse(client.get("/inzage").text).all("input")
    named = {field.attributes.get("name"): field.attributes.get("value", "") for field in fields}
    return named["form_token"]


def test_the_chain_is_checked_while_one_looks(visit: Visit, school: InventedSchool) -> None:
    client = visit(OFFICER)
    assert "De keten is heel." in page(client, "/inzage").text
    with open_ledger(school.home).begin() as connection:
        connection.execute(sa.text("update audit set actor = 'iemand anders' where sequence = 1"))
    text = page(client, "/inzage").text
    assert "De keten is gebroken." in text and "audit row 1: its content was altered" in text


def test_looking_at_the_logs_is_logged(visit: Visit) -> None:
    client = visit(OFFICER)
    client.get("/gebruik")
    events = [row.all("td")[2].text for row in page(client, "/inzage").all("tbody")[-1].all("tr")]
    assert events == ["inzagelog bekeken", "gebruiksregister bekeken", "wachtwoord gekozen"]


COMPARISON = {
    "model_version": 3,
    "tested_on": "schooljaar 2025–2026",
    "rows": [
        {
            "name": "model",
            "label": "LightGBM",
            "kind": "model",
            "champion": True,
            "metrics": {
                "recall": {"value": 0.41, "low": 0.37, "high": 0.45},
                "median_lead": {"value": 4.0, "low": None, "high": None},
            },
        },
        {"name": "mazl", "label": "M@ZL", "kind": "rule", "metrics": {"recall": 0.3}},
    ],
    "comparisons": [
        {
            "model": "model",
            "other": "mazl",
            "metric": "recall",
            "interval": {"value": 0.11, "low": 0.05, "high": 0.17},
        }
    ],
    "a field of the future": {"x": [1]},
}


def test_the_model_stands_beside_the_rules(visit: Visit, school: InventedSchool) -> None:
    (school.home.root / FILE_NAME).write_text(json.dumps(COMPARISON), encoding="utf-8")
    found = page(visit(SCIENTIST), "/model")
    tables = [
        [[cell.text for cell in row.all("th", "td")] for row in table.all("tr")]
        for table in found.all("table")
    ]
    assert tables == [
        [
            ["Model of regel", "Recall", "Voorsprong"],
            ["LightGBM model", "41,0 % (37,0 tot 45,0)", "4,0"],
            ["M@ZL regel", "30,0 %", "–"],
        ],
        [["Tegenover", "Recall"], ["M@ZL", "+11,0 (+5,0 tot +17,0)"]],
    ]
    assert "schooljaar 2025–2026" in found.text


@pytest.mark.parametrize(
    "content",
    ["", "{", "[]", '{"rows": 3}', '{"rows": [1, {"metrics": {"recall": "veel"}}], "notes": 7}'],
)
def test_a_damaged_or_missing_comparison_breaks_nothing(
    visit: Visit, school: InventedSchool, content: str
) -> None:
    client = visit(SCIENTIST)
    assert "Er is nog geen vergelijking opgeslagen." in page(client, "/model").text
    (school.home.root / FILE_NAME).write_text(content, encoding="utf-8")
    page(client, "/model")
