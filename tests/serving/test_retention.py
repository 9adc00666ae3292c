"""What has had its term is told by a dry run, taken out by a run, and proven; the rest stays."""

from datetime import UTC, date, datetime, timedelta

import pyarrow as pa
import pytest
import sqlalchemy as sa

from features.governance import open_ledger
from features.governance.audit import AuditChain
from features.governance.retention import RetentionSettings, due_before
from features.records import DeliveryRows, LogTable, RecordLog, schema_of
from features.vocabulary import Role
from serving.lists import ListStore
from serving.retention import RAN, Proofs, Retention
from serving.tables import open_app
from tests.serving.invented_school import EARLIER, MONDAY, NOW, SCHOOL, InventedSchool


def retention(school: InventedSchool, **terms: str) -> Retention:
    home = school.home
    return Retention(home, open_app(home), open_ledger(home), RetentionSettings(**terms))


def leave(school: InventedSchool, number: int, left_on: date) -> None:
    """One pupil leaves, in a later version of each placement."""
    log = RecordLog(school.home.records)
    placements = log.read_as_of(LogTable.PLACEMENTS, NOW)
    key = school.pupils[number].key
    later = {"left_on": left_on, "known_at": datetime(2026, 11, 15, tzinfo=UTC)}
    rows = [row | later for row in placements.to_pylist() if row["pupil_key"] == key]
    schema = schema_of(LogTable.PLACEMENTS)
    names = [name for name in schema.names if name not in ("delivery", "sequence")]
    table = pa.Table.from_pylist(rows, pa.schema([schema.field(name) for name in names]))
    with log.writing():
        log.append(DeliveryRows(NOW, "leave", {LogTable.PLACEMENTS: table}))


def found(rules: Retention, moment: datetime = NOW) -> dict[str, int | None]:
    return {one.rule.name: one.found for one in rules.due(moment)}


def test_nothing_is_due_in_a_young_installation(school: InventedSchool) -> None:
    assert found(retention(school)) == {
        "left_pupils": 0, "feature_values": 0, "lists": 0, "logs": None
    }  # fmt: skip


def test_lists_go_when_their_term_is_over_and_not_a_day_earlier(school: InventedSchool) -> None:
    rules = retention(school, lists="P1M")
    first = EARLIER[0]
    on_the_day = datetime(first.year, first.month + 1, first.day, 9, tzinfo=UTC)
    assert found(rules, on_the_day)["lists"] == 0
    a_day_later = on_the_day + timedelta(days=1)
    due = found(rules, a_day_later)["lists"]
    assert due
    weeks = ListStore(open_app(school.home)).weeks(SCHOOL)
    assert weeks[-1] == first, "a dry run takes nothing out"
    removed = rules.run({}, "job", Role.JOB, a_day_later)
    assert removed["lists"] > due, "rows and what belongs to them go along"
    assert ListStore(open_app(school.home)).weeks(SCHOOL)[-1] == EARLIER[1]
    assert ListStore(open_app(school.home)).get(SCHOOL, MONDAY).rows
    assert found(rules, a_day_later)["lists"] == 0


def test_who_left_long_ago_goes_altogether_and_who_stayed_does_not(school: InventedSchool) -> None:
    leave(school, 0, date(2021, 11, 1))
    leave(school, 1, date(2021, 12, 1))
    rules = retention(school)
    assert found(rules)["left_pupils"] == 1
    removed = rules.run({}, "job", Role.JOB, NOW)
    assert removed["left_pupils"] > 2
    log = RecordLog(school.home.records)
    keys = set(log.read_versions(LogTable.ABSENCE)["pupil_key"].to_pylist())
    keys |= set(log.read_versions(LogTable.PLACEMENTS)["pupil_key"].to_pylist())
    assert school.pupils[0].key not in keys and school.pupils[1].key in keys
    assert school.pupils[0].key.encode() not in school.home.vault.read_bytes()


def test_a_run_leaves_its_proof_in_the_chain(school: InventedSchool) -> None:
    rules = retention(school, lists="P1M")
    rules.run({}, "job", Role.JOB, NOW + timedelta(days=60))
    ledger = open_ledger(school.home)
    proofs = Proofs(ledger)
    (row,) = AuditChain(ledger).rows(event=RAN)
    assert row.detail["lists"] > 0 and proofs.verify() == ()  # type: ignore[operator]
    with open_ledger(school.home).begin() as connection:
        connection.execute(sa.text("update retention_runs set removed = '{}'"))
    assert proofs.verify() == ("retention_runs row 1: its content was altered",)


@pytest.mark.parametrize("term", ["P5M", "2 jaar", "P0Y", "PT1H"])
def test_terms_that_are_none_or_too_short_for_logs_are_refused(term: str) -> None:
    with pytest.raises(ValueError, match=r"logs are kept|expected a term"):
        RetentionSettings(logs=term)


def test_a_term_of_months_ends_on_the_last_day_of_a_shorter_month() -> None:
    assert due_before("P1M", date(2026, 3, 31)) == date(2026, 2, 28)
    assert due_before("P12M", date(2028, 2, 29)) == date(2027, 2, 28)
