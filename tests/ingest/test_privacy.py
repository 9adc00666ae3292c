"""Names and free text go nowhere: not into a message, a log line, a report or a stored file."""

import dataclasses
import logging
from pathlib import Path

import pytest

from features.errors import DeliveryRefused, TijdigError
from features.ingest import ImportReport, ingest
from features.ingest.decoding import decode
from features.ingest.fields import Kind, fields_of
from features.ingest.forms import read_forms
from tests.ingest.office import FILES, RECEIVED, Office

MARKER = "Kanarie7Geheim"
NAMES = ("Noor", "van der", "Meerveld", "Sam", "Okafor", "00123")


def everything(office: Office) -> bytes:
    return b"\n".join(office.stored().values())


def said(report: ImportReport) -> str:
    return "\n".join([*report.lines(), report.to_json(), repr(report)])


def test_names_and_numbers_are_nowhere_on_disk(office: Office) -> None:
    office.deliver()
    stored = everything(office)
    for text in NAMES:
        assert text.encode() not in stored
        assert text.encode("utf-16-le") not in stored
    assert b"De Linde" in stored  # a school is no pupil: shows that this search can find things


def test_names_are_in_no_log_line_and_no_report(
    office: Office, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        report = office.deliver()
    for text in NAMES:
        assert text not in caplog.text
        assert text not in said(report)


FIELDS = [
    (form.file, heading)
    for form in read_forms()
    if form.profile == "canonical" and form.file in FILES
    for heading in form.required
    # The name of a school and the words for groups are stored as they come.
    if heading not in ("name", "group", "year_group", "given_name", "name_prefix", "family_name")
]


@pytest.mark.parametrize(("file", "heading"), FIELDS)
def test_a_text_in_the_wrong_place_is_repeated_nowhere(
    office: Office, caplog: pytest.LogCaptureFixture, file: str, heading: str
) -> None:
    """The marker stands in one field of every row of one file, and breaks some of them."""
    head, *rows = office.files[file].decode().strip().split("\n")
    place = head.split(",").index(heading)
    spoiled = [head]
    for row in rows:
        cells = row.split(",")
        cells[place] = f"{MARKER} {cells[place]}"
        spoiled.append(",".join(cells))
    office.files[file] = "\n".join(spoiled).encode()
    with caplog.at_level(logging.DEBUG):
        report = office.deliver()
    assert MARKER not in said(report)
    assert MARKER not in caplog.text
    if (file, heading) not in (("codes.csv", "code"),):  # a school's own word for a code
        assert MARKER.encode() not in everything(office)


def test_the_marker_in_every_field_of_a_broken_row_is_repeated_nowhere(
    office: Office, caplog: pytest.LogCaptureFixture
) -> None:
    for name, content in office.files.items():
        width = content.split(b"\n")[0].count(b",") + 1
        office.files[name] += ",".join([MARKER] * width).encode() + b"\n"
        office.files[name] += ",".join([MARKER] * (width + 2)).encode() + b"\n"
        office.files[name] += MARKER.encode() + b"\n"
    with caplog.at_level(logging.DEBUG):
        report = office.deliver()
    assert sum(count.quarantined for count in report.files) == 3 * len(office.files)
    assert MARKER not in said(report)
    assert MARKER not in caplog.text
    assert MARKER.encode() not in everything(office)


@pytest.mark.parametrize("spoil", ["encoding", "quotes", "headless", "workbook", "blocked"])
def test_a_refusal_and_all_that_hangs_on_it_repeats_nothing(office: Office, spoil: str) -> None:
    row = f"90AB00,{MARKER},{MARKER},,{MARKER},2016-03,5,5A,2026-08-01,,".encode()
    head, rest = office.files["pupils.csv"].split(b"\n", 1)
    office.files["pupils.csv"] = {
        "encoding": head + b"\n" + row + b"\x81\n" + rest,
        "quotes": head + b'\n"' + row + b"\n" + rest,
        "headless": row + b"\n" + rest,
        "workbook": head + b"\n" + row,
        "blocked": head.replace(b"left_to", b"BSN") + b"\n" + row + b"\n" + rest,
    }[spoil]
    if spoil == "workbook":
        office.files["pupils.xlsx"] = office.files.pop("pupils.csv")
    with pytest.raises(DeliveryRefused) as problem:
        office.deliver()
    seen: BaseException | None = problem.value
    while seen is not None:  # also what a traceback would print above it
        assert MARKER not in str(seen)
        assert MARKER not in repr(getattr(seen, "object", ""))
        seen = seen.__cause__ or seen.__context__
    assert office.stored() == {}


def test_a_file_that_is_no_text_leaves_no_bytes_hanging_on_its_refusal() -> None:
    with pytest.raises(DeliveryRefused) as problem:
        decode("pupils.csv", f"{MARKER}\x81".encode("latin-1"))
    assert problem.value.__cause__ is None
    assert problem.value.__context__ is None


def test_free_text_under_absence_code_is_neither_kept_nor_shown(office: Office) -> None:
    office.change("absence.csv", ",,O,", ",,moeder belde over thuis,")
    report = office.deliver()
    [unknown] = report.unknown_codes
    assert unknown.code.startswith("?")
    assert unknown.rows == 1
    assert "moeder" not in said(report)
    assert b"moeder" not in everything(office)


def test_a_lost_key_stops_the_delivery_before_anything_is_stored(office: Office) -> None:
    office.deliver()
    office.home.key.unlink()
    before = office.stored()
    with pytest.raises(TijdigError, match="Put the key back"):
        ingest(office.write(), office.home, RECEIVED)
    assert office.stored() == before


def test_what_is_kept_about_a_delivery_is_for_its_owner_only(office: Office) -> None:
    office.deliver()
    reports = list(Path(office.home.quarantine).iterdir())
    assert [report.stat().st_mode & 0o777 for report in reports] == [0o600]


def test_every_text_field_that_is_stored_as_it_comes_is_listed_here() -> None:
    """A new free-text field must be thought about before it is let through."""
    texts = {
        (table.value, name)
        for table in {form.table for form in read_forms()}
        for name, field in fields_of(table).items()
        if field.kind is Kind.TEXT
    }
    assert texts == {
        ("schools", "name"),
        ("codes", "code"),
        ("timetable", "group"),
        ("placements", "given_name"),  # vault only
        ("placements", "name_prefix"),  # vault only
        ("placements", "family_name"),  # vault only
        ("placements", "year_group"),
        ("placements", "group"),
        ("absence", "record_id"),  # keyed hash only
        ("absence", "code"),  # kept if it is a code
        ("support", "record_id"),  # keyed hash only
    }


def test_a_report_has_no_field_for_values() -> None:
    from features.ingest import Place

    assert [field.name for field in dataclasses.fields(Place)] == ["file", "row", "column", "rule"]
