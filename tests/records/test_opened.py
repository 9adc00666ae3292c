"""A log that is kept open sees every commit of others, and asks nothing twice."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
from deltalake import DeltaTable

from features.records import DeliveryRows, LogTable, RecordLog
from features.records.erasing import erase_pupils
from features.vocabulary import PupilKey

NOW = datetime(2026, 11, 16, 5, tzinfo=UTC)
Make = Callable[..., DeliveryRows]


def append(log: RecordLog, delivery: DeliveryRows) -> None:
    with log.writing():
        log.append(delivery)


def keys(log: RecordLog) -> list[str]:
    found: list[str] = log.read_as_of(LogTable.ABSENCE, NOW)["record_key"].to_pylist()
    return found


def test_what_another_writes_or_erases_is_seen_at_the_next_look(
    record_log: RecordLog, make_delivery: Make
) -> None:
    reader, writer = record_log, RecordLog(record_log.root)
    assert keys(reader) == []
    append(writer, make_delivery(("a", "2026-11-01", "sick", "")))
    assert keys(reader) == ["a"]
    append(writer, make_delivery(("b", "2026-11-02", "sick", "")))
    assert keys(reader) == ["a", "b"]
    earlier = reader.up_to(1)
    assert keys(earlier) == ["a"]
    # Erasing tidies away the commits themselves: the next one by number is not there to be seen.
    erase_pupils(writer, [PupilKey("p1a")])
    assert keys(reader) == ["b"] and keys(earlier) == []


def test_a_log_without_news_is_not_asked_again(
    record_log: RecordLog, make_delivery: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    append(record_log, make_delivery(("a", "2026-11-01", "sick", "")))
    assert keys(record_log) == ["a"]
    asked: list[object] = []
    monkeypatch.setattr(DeltaTable, "update_incremental", lambda self: asked.append(self))
    assert keys(record_log.up_to(1)) == keys(record_log) == ["a"]
    assert asked == []


def test_many_may_read_while_one_writes(record_log: RecordLog, make_delivery: Make) -> None:
    append(record_log, make_delivery(("a", "2026-11-01", "sick", "")))
    with ThreadPoolExecutor(8) as readers:
        looks = [readers.submit(keys, record_log.up_to(None)) for _ in range(200)]
        for number in range(5):
            found = (f"b{number}", "2026-11-02", "sick", "")
            append(RecordLog(record_log.root), make_delivery(found))
        seen = [look.result() for look in looks]
    assert all(one[0] == "a" for one in seen)
    assert len(keys(record_log)) == 6
