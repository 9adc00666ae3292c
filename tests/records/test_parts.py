"""Parts of a region on several threads: in order, bounded, and the first error is the one told."""

import dataclasses
import threading
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from features.errors import NotThere
from features.records import DeliveryRows, LogTable, RecordLog, parts
from features.records import log as log_module
from features.records.log import ROWS_PER_DELIVERY
from features.records.parts import parts_of, through

Make = Callable[..., DeliveryRows]
SCHOOLS = [f"90A{letter}00" for letter in "ABCDEFGH"]
COLUMNS = ["school", "pupil_key", "kind", "record_key", "known_at", "withdrawn", "sequence"]


def test_one_part_is_read_at_a_time_and_made_from_what_was_read() -> None:
    reading = threading.Lock()

    def read(part: Sequence[str]) -> str:
        assert reading.acquire(blocking=False), "two parts were read at once"
        reading.release()
        return "-".join(part)

    made = through([["a", "b"], ["c"], ["d"]], read, lambda part, text: (len(part), text))
    assert list(made) == [(2, "a-b"), (1, "c"), (1, "d")]


@pytest.mark.parametrize("where", ["read", "make"])
def test_the_first_error_in_order_ends_it(where: str) -> None:
    done: list[str] = []

    def fails(part: Sequence[str]) -> None:
        if part[0] in ("c", "d"):
            raise NotThere(f"part {part[0]} cannot be read; read it again")

    def read(part: Sequence[str]) -> str:
        if where == "read":
            fails(part)
        return part[0]

    def make(part: Sequence[str], text: str) -> str:
        if where == "make":
            fails(part)
        done.append(text)
        return text

    with pytest.raises(NotThere, match="part c cannot be read"):
        list(through([[name] for name in "abcdefghijklmnop"], read, make))
    assert "a" in done and "p" not in done, "the rest was worked on for nothing"


def filled(log: RecordLog, make: Make) -> None:
    for number, school in enumerate([*SCHOOLS[::2], *SCHOOLS, SCHOOLS[3]]):
        delivery = make(
            (f"{school}-a", f"2026-09-{number + 1:02}", "sick", ""),
            (f"{school}-b", f"2026-09-{number + 2:02}", "leave", "withdrawn" if number > 9 else ""),
            (f"{school}-c{number}", "2026-09-03", "medical_visit", ""),
            school=school,
        )
        with log.writing():
            log.append(delivery)
    together = [
        make((f"{school}-t", "2026-09-05", "sick", ""), school=school) for school in SCHOOLS
    ]
    rows = pa.concat_tables([one.tables[LogTable.ABSENCE] for one in together])
    with log.writing():  # of all schools in one file
        log.append(dataclasses.replace(together[0], tables={LogTable.ABSENCE: rows}))
    with log.writing():  # a smaller file among them
        log.append(make((f"{SCHOOLS[3]}-z", "2026-09-04", "sick", ""), school=SCHOOLS[3]))


@pytest.mark.parametrize("large", [0, 3, log_module.LARGE_FILE])
@pytest.mark.parametrize("asked", [SCHOOLS, SCHOOLS[2:5], [SCHOOLS[0], SCHOOLS[7]], ["99ZZ00"]])
def test_columns_read_from_row_groups_are_those_of_the_versions(
    record_log: RecordLog,
    make_delivery: Make,
    asked: list[str],
    large: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """From row groups, by a scan of small files, or some of both."""
    monkeypatch.setattr(log_module, "LARGE_FILE", large)
    filled(record_log, make_delivery)
    before = datetime(2026, 9, 10, tzinfo=UTC)
    for head in (None, 7):
        log = RecordLog(record_log.root, head)
        read = log.read_columns(LogTable.ABSENCE, COLUMNS, schools=asked, known_before=before)
        wanted = log.read_versions(LogTable.ABSENCE, schools=asked, known_before=before)
        order = [(name, "ascending") for name in ("record_key", "known_at", "sequence")]
        plain = read.cast(wanted.select(read.column_names).schema).sort_by(order)
        assert plain.equals(wanted.select(read.column_names))
        assert wanted.num_rows > 5 or asked == ["99ZZ00"]


@pytest.mark.parametrize("large", [0, log_module.LARGE_FILE])
def test_rows_that_a_killed_run_left_behind_are_not_read(
    record_log: RecordLog, make_delivery: Make, large: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_module, "LARGE_FILE", large)
    filled(record_log, make_delivery)
    before, rows = datetime(2026, 12, 1, tzinfo=UTC), 0
    with monkeypatch.context() as patched, pytest.raises(RuntimeError), record_log.writing():
        patched.setattr(RecordLog, "_commit", lambda *_: (_ for _ in ()).throw(RuntimeError()))
        record_log.append(make_delivery(("x", "2026-09-01", "sick", ""), school=SCHOOLS[0]))
    log = RecordLog(record_log.root)
    for _ in range(2):
        read = log.read_columns(LogTable.ABSENCE, COLUMNS, schools=SCHOOLS, known_before=before)
        newest = pc.max(pc.divide(read["sequence"], ROWS_PER_DELIVERY)).as_py()
        assert newest == log.head()
        assert read.num_rows == rows or rows == 0
        rows = read.num_rows


def test_parts_hold_whole_schools_and_every_school_once(
    record_log: RecordLog, make_delivery: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    filled(record_log, make_delivery)
    assert list(parts_of(record_log, SCHOOLS)) == [SCHOOLS]
    monkeypatch.setattr(RecordLog, "sizes", lambda *_: dict.fromkeys(SCHOOLS, 2))
    monkeypatch.setattr(parts, "PLACEMENTS_READ", 5)
    assert [len(part) for part in parts_of(record_log, SCHOOLS)] == [2, 2, 2, 2]
    monkeypatch.setattr(parts, "PLACEMENTS_READ", 1)
    assert [part for (part,) in parts_of(record_log, SCHOOLS)] == SCHOOLS
