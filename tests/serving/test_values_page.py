"""Everything that was counted of a pupil, in words, from the online store behind its gate."""

import math
import sqlite3
from contextlib import closing
from datetime import UTC, date, datetime
from pathlib import Path

import pyarrow as pa
import pytest

from features.build import build
from features.catalogue import CATALOGUE, feature
from features.governance import gate, open_ledger
from features.governance.approvals import Approvals, ContractEvent
from features.governance.audit import AuditChain
from features.governance.contracts import read_contracts
from features.governance.ledger import Ledger, LedgerRow
from features.governance.objections import object_to_processing
from features.governance.use import Action, Purpose
from features.records import RecordLog
from features.vocabulary import Role
from serving.web.value_words import NOT_TO_SAY, outcome, period, what
from tests.serving.invented_school import (
    IB,
    MONDAY,
    NEXT_MONDAY,
    NOW,
    OFFICER,
    SCHOOL,
    InventedSchool,
    Pupil,
    publish_next_monday,
)
from tests.serving.page_rules import Element, parse
from tests.serving.visitors import Browser, Clock, Visit

NOOR, DAAN, SEM, LOTTE, MILAN = 0, 1, 4, 5, 6


@pytest.fixture
def school(counted_school: InventedSchool, tmp_path: Path) -> InventedSchool:
    """A copy with this week's values online."""
    return counted_school.copied(tmp_path / "home")


def address(school: InventedSchool, number: int = NOOR, as_of: date = MONDAY) -> str:
    return f"/leerling/{school.row_id(school.pupils[number], as_of)}/tellingen"


def lines(page: Element) -> list[tuple[str, str, str]]:
    """What was counted, over which time, and what came out; of every table in turn."""
    rows = [row for table in page.all("table") for row in table.all("tbody")[0].all("tr")]
    return [(row.all("th")[0].text, *(cell.text for cell in row.all("td"))) for row in rows]  # type: ignore[misc]


def counted(school: InventedSchool, pupil: Pupil) -> dict[str, float]:
    """The values of a pupil, counted once more from the records."""
    table = pa.concat_tables(build(RecordLog(school.home.records), [MONDAY]))
    (row,) = [row for row in table.to_pylist() if row["pupil_key"] == pupil.key]
    return {one.name: row[one.name] for one in CATALOGUE}


def uses(school: InventedSchool) -> list[LedgerRow]:
    return Ledger(open_ledger(school.home)).rows()


def looks_at(school: InventedSchool, number: int) -> int:
    """How often the chain says that somebody looked at the values of a pupil."""
    rows = AuditChain(open_ledger(school.home)).rows(subject=school.pupils[number].key)
    return sum(row.event == "values_seen" for row in rows)


def told(client: Browser, where: str) -> tuple[int, str]:
    answer = client.get(where)
    return answer.status_code, parse(answer.text).all("main")[0].text


def test_every_value_of_the_records_stands_there_once_in_words(
    visit: Visit, school: InventedSchool
) -> None:
    page = parse(visit(IB).get(address(school)).text)
    found = {(name, when): said for name, when, said in lines(page)}
    assert len(lines(page)) == len(found) == len(CATALOGUE)
    for name, value in counted(school, school.pupils[NOOR]).items():
        said = found[what(feature(name)), period(feature(name))]
        assert said.startswith(outcome(feature(name), value)), name
        assert (said.startswith(NOT_TO_SAY)) is math.isnan(value)
    # By hand, from the days of the invented school; the autumn holiday is no school week.
    assert found["Dagen afwezig", "de laatste 4 schoolweken"] == "8 dagen"
    assert found["Keer te laat", "de laatste 12 schoolweken"] == "3 keer"
    assert found["Uren ongeoorloofd afwezig", "de laatste 4 schoolweken"] == "2 uur"
    assert found["Lestijd volgens het rooster", "de laatste 4 schoolweken"] == "102 uur"
    assert found["Leeftijd", "nu"] == "10 jaar en 8 maanden"
    assert found["Leerjaar", "nu"] == "groep 7"
    assert found["Er loopt een maatwerkrooster", "nu"] == "nee"


def test_it_says_of_when_and_what_it_is_and_where_the_reasons_are(
    visit: Visit, school: InventedSchool
) -> None:
    client = visit(IB)
    page = parse(client.get(address(school)).text)
    text = page.text
    assert "Alle tellingen van Noor van den Berg" in page.all("h1")[0].text
    assert "maandag 16 november 2026, met wat toen om 06:00 uur bekend was" in text
    assert "Gegevens tot en met vrijdag 13 november 2026" in text
    assert "U bent intern begeleider van deze school." in text
    assert "geen oordeel" in text and "U kwam van de lijst" not in text
    assert school.pupils[NOOR].name not in page.all("title")[0].text
    (reasons,) = [link for link in page.all("a") if link.text == "pagina van de leerling"]
    reasons_page = parse(client.get(reasons.attributes["href"].split("#")[0]).text)
    assert reasons_page.by_id(reasons.attributes["href"].split("#")[1]).name == "h2"


def test_nothing_on_it_ranks_or_judges(visit: Visit, school: InventedSchool) -> None:
    text = parse(visit(IB).get(address(school)).text).all("main")[0].text.lower()
    for word in (
        "kans",
        "risico",
        "score",
        "rang",
        "hoger dan",
        "zorgwekkend",
        "bespreken",
        "rood",
    ):
        assert word not in text, word


def test_the_look_stands_in_the_chain_and_the_retrieval_in_the_ledger(
    visit: Visit, school: InventedSchool
) -> None:
    noor, before = school.pupils[NOOR], len(uses(school))
    client = visit(IB)
    assert client.get(address(school)).status_code == 200
    rows = uses(school)
    assert len(rows) == before + 1
    assert (rows[0].actor, rows[0].role) == (IB, Role.CARE_COORDINATOR)
    assert (rows[0].purpose, rows[0].action) == (Purpose.EARLY_WARNING, Action.SHOW)
    assert (rows[0].pupils, rows[0].schools) == (1, (SCHOOL,))
    assert set(rows[0].features) == {one.name for one in CATALOGUE}
    ledger = open_ledger(school.home)
    assert rows[0].number in {row.number for row in Ledger(ledger).about(noor.key)}
    (look,) = AuditChain(ledger).rows(subject=noor.key)
    assert (look.event, look.actor, look.school) == ("values_seen", IB, SCHOOL)
    assert look.detail["as_of"] == MONDAY.isoformat()


@pytest.mark.parametrize(
    ("number", "said"),
    [(SEM, "te kort op deze school"), (MILAN, "Deze leerling staat daar niet op")],
)
def test_who_is_not_on_the_list_has_no_values_and_no_link(
    visit: Visit, school: InventedSchool, number: int, said: str
) -> None:
    client, before = visit(IB), len(uses(school))
    where, looks = address(school, number), looks_at(school, number)
    assert where not in client.get(where.removesuffix("/tellingen")).text
    status, text = told(client, where)
    assert status == 404 and said in text
    assert school.pupils[number].name not in text
    assert len(uses(school)) == before, "nothing was read"
    assert looks_at(school, number) == looks + 1, "that there is nothing is about the pupil too"


def test_who_is_on_the_list_has_a_link(visit: Visit, school: InventedSchool) -> None:
    client = visit(IB)
    for number in (NOOR, DAAN):
        where = address(school, number)
        assert where in client.get(where.removesuffix("/tellingen")).text


def test_values_of_another_monday_than_the_list_are_called_so(
    visit: Visit, school: InventedSchool
) -> None:
    publish_next_monday(school)  # and nothing put online yet
    client = visit(IB)
    status, text = told(client, address(school, NOOR, NEXT_MONDAY))
    assert status == 200
    assert "U kwam van de lijst van week 48" in text
    assert "Deze tellingen zijn van 16 november 2026 (week 47)" in text
    # Daan is gone from the newest list, Lotte is new on it: of neither is anything to show.
    assert "staat daar niet op" in told(client, address(school, DAAN))[1]
    status, text = told(client, address(school, LOTTE, NEXT_MONDAY))
    assert status == 404 and "staan nog niet klaar" in text


def test_without_anything_online_it_says_when_there_will_be(
    visit: Visit, school: InventedSchool
) -> None:
    (school.home.feast / "listed.json").unlink()
    status, text = told(visit(IB), address(school))
    assert status == 404 and "Na de lijst van de volgende maandag" in text


def decide(school: InventedSchool, name: str, event: ContractEvent) -> None:
    until = date(2026, 12, 1) if event is ContractEvent.EXPERIMENT else None
    Approvals(open_ledger(school.home)).decide(
        read_contracts()[name],
        event,
        OFFICER,
        Role.PRIVACY_OFFICER,
        datetime(2026, 11, 16, 8, tzinfo=UTC),
        expires_on=until,
        reason="niet nodig",
    )


def test_a_feature_that_was_set_aside_is_not_shown(visit: Visit, school: InventedSchool) -> None:
    decide(school, "late_arrivals_4w", ContractEvent.SWITCHED_OFF)
    found = lines(parse(visit(IB).get(address(school)).text))
    assert len(found) == len(CATALOGUE) - 1
    assert ("Keer te laat", "de laatste 4 schoolweken") not in {one[:2] for one in found}
    assert "late_arrivals_4w" not in uses(school)[0].features


def test_what_the_gate_refuses_gives_a_dutch_page_and_no_value(
    visit: Visit, school: InventedSchool, monkeypatch: pytest.MonkeyPatch
) -> None:
    decide(school, "late_arrivals_4w", ContractEvent.EXPERIMENT)  # to try out, not to show
    client, before = visit(IB), len(uses(school))
    status, text = told(client, address(school))
    assert status == 403 and "mogen nu niet getoond worden" in text
    assert school.pupils[NOOR].name not in text and "keer" not in text
    assert len(uses(school)) == before
    # It is the gate that refuses: with an open one the values of other terms are not there.
    monkeypatch.setattr(gate, "_reasons", lambda definitions, use, terms: ())
    assert told(client, address(school))[0] == 404
    assert len(uses(school)) == before + 1


def test_who_objected_is_not_read(visit: Visit, school: InventedSchool, clock: Clock) -> None:
    ledger, before = open_ledger(school.home), len(uses(school))
    noor = school.pupils[NOOR].key
    object_to_processing(ledger, noor, SCHOOL, IB, Role.CARE_COORDINATOR, NOW)
    clock.now = NOW.replace(minute=45)
    status, text = told(visit(IB), address(school))
    assert status == 404 and "Er is bezwaar gemaakt" in text
    assert len(uses(school)) == before
    assert looks_at(school, NOOR) == 1


def test_no_ledger_no_values(visit: Visit, school: InventedSchool) -> None:
    client = visit(IB)
    with closing(sqlite3.connect(school.home.ledger)) as connection:
        connection.execute(
            "CREATE TRIGGER full BEFORE INSERT ON ledger "
            "BEGIN SELECT RAISE(ABORT, 'disk full'); END"
        )
        connection.commit()
    status, text = told(client, address(school))
    assert status == 403 and "kon niet worden vastgelegd" in text and "keer" not in text
