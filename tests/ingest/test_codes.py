"""A school's own codes: what they mean and since when, and what is never kept of them."""

from datetime import timedelta
from typing import Any

import pytest

from features.ingest import codes
from features.records import LogTable
from tests.ingest.office import RECEIVED, Office

WEEK = timedelta(weeks=1)


def absence_of(office: Office) -> list[dict[str, Any]]:
    return sorted(office.newest(LogTable.ABSENCE), key=lambda row: row["starts_at"])


def rows(office: Office, *codes: str) -> None:
    """One day of absence per code, from 7 September, each of another pupil."""
    pupils = office.files["pupils.csv"].decode()
    lines = "school,record_id,pupil_number,starts_at,ends_at,minutes,code,recorded_at,withdrawn\n"
    for place, code in enumerate(codes):
        if f",{200 + place}," not in pupils:
            pupils += f"90AB00,{200 + place},,,,2016-03,5,5A,2026-08-01,,\n"
        lines += f"90AB00,c{place},{200 + place},2026-09-{7 + place:02d}T08:30,,,{code},,no\n"
    office.files["pupils.csv"] = pupils.encode()
    office.files["absence.csv"] = lines.encode()


def test_a_code_means_what_it_meant_on_its_day(office: Office) -> None:
    office.put(
        "codes.csv",
        """
        school,code,category,authorised,valid_from,valid_to
        90AB00,B,leave,yes,,2026-09-08
        90AB00,B,unauthorised_holiday,no,2026-09-09,
        """,
    )
    rows(office, "B", "B", "B", "B")
    assert office.deliver().unknown_codes == ()
    assert [(row["kind"], row["authorised"]) for row in absence_of(office)] == [
        ("leave", True),
        ("leave", True),
        ("unauthorised_holiday", False),
        ("unauthorised_holiday", False),
    ]
    assert len(office.newest(LogTable.CODES)) == 2
    assert office.deliver(RECEIVED + WEEK).new_versions == 0


def test_of_two_meanings_for_a_day_the_one_that_began_last_counts(office: Office) -> None:
    office.put(
        "codes.csv",
        """
        school,code,category,authorised,valid_from,valid_to
        90AB00,B,suspension,yes,2026-09-08,
        90AB00,B,leave,yes,,
        """,
    )
    rows(office, "B", "B")
    office.deliver()
    assert [row["kind"] for row in absence_of(office)] == ["leave", "suspension"]


def test_outside_its_days_a_code_is_not_explained(office: Office) -> None:
    office.put(
        "codes.csv",
        """
        school,code,category,authorised,valid_from,valid_to
        90AB00,B,leave,yes,,2026-09-07
        """,
    )
    rows(office, "B", "B")
    [asked] = office.deliver().unknown_codes
    assert (asked.code, asked.rows) == ("B", 1)
    assert [row["kind"] for row in absence_of(office)] == ["leave", "unverified"]


def test_a_meaning_that_ends_before_it_begins_is_set_apart(office: Office) -> None:
    office.put(
        "codes.csv",
        """
        school,code,category,authorised,valid_from,valid_to
        90AB00,B,leave,yes,2026-09-08,2026-09-01
        """,
    )
    office.only("schools.csv", "codes.csv")
    assert [place.rule for place in office.deliver().places] == ["ends_before_it_starts"]


def test_the_same_code_means_another_thing_at_another_school(office: Office) -> None:
    office.files["schools.csv"] += b"90CD00,De Brug,po,midden\n"
    office.files["codes.csv"] += b"90CD00,O,medical_visit,yes\n"
    office.files["pupils.csv"] += b"90CD00,1,,,,2016-03,5,5A,2026-08-01,,\n"
    office.files["absence.csv"] += b"90CD00,z1,1,2026-09-15T08:30,,,O,,no\n"
    office.deliver()
    assert {row["school"]: row["kind"] for row in absence_of(office) if row["code"] == "O"} == {
        "90AB00": "unauthorised",
        "90CD00": "medical_visit",
    }


@pytest.mark.parametrize("name", ["Noor", "Meerveld", "Sam", "Bo-Anne", "ziekjes!"])
def test_a_name_typed_for_a_code_is_neither_kept_nor_shown(office: Office, name: str) -> None:
    rows(office, name, name)
    report = office.deliver()
    [asked] = report.unknown_codes
    assert asked.code.startswith("?")
    assert asked.rows == 2
    assert name not in "".join(report.lines()) + report.to_json()
    assert not any(name.encode() in content for content in office.stored().values())
    assert {row["code"] for row in absence_of(office)} == {asked.code}
    assert {row["kind"] for row in absence_of(office)} == {"unverified"}
    assert {row["authorised"] for row in absence_of(office)} == {None}


def test_a_text_that_many_pupils_have_is_a_code_and_is_shown_to_ask_about_it(
    office: Office,
) -> None:
    rows(office, *["ZKM"] * 5)
    report = office.deliver()
    assert [(one.code, one.rows) for one in report.unknown_codes] == [("ZKM", 5)]
    assert {row["code"][0] for row in absence_of(office)} == {"?"}  # explained first, kept then


def test_a_column_of_remarks_taken_for_codes_is_counted_beyond_the_first(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(codes, "MOST_CODES", 2)
    rows(office, "QA", "QB", "QA", "QC", "QD", "QC", "QB")
    report = office.deliver()
    assert [(one.code, one.rows) for one in report.unknown_codes] == [("QA", 2), ("QB", 2)]
    assert report.rows_of_codes_left_out == 3
    assert all(count.adds_up for count in report.files)
    assert "3 more rows of absence say something else again" in "".join(report.lines())


def test_four_pupils_are_not_enough(office: Office) -> None:
    rows(office, *["ZKM"] * 4)
    [asked] = office.deliver().unknown_codes
    assert asked.code.startswith("?")


def test_once_explained_the_code_itself_is_kept(office: Office) -> None:
    rows(office, "ZKM")
    office.deliver()
    office.files["codes.csv"] += b"90AB00,ZKM,sick,yes\n"
    office.deliver(RECEIVED + WEEK)
    assert [(row["kind"], row["code"]) for row in absence_of(office)] == [("sick", "ZKM")]


def test_the_hash_is_the_same_every_week(office: Office) -> None:
    rows(office, "ZKM")
    office.deliver()
    assert office.deliver(RECEIVED + WEEK).new_versions == 0


def test_codes_of_before_there_were_dates_are_read_as_ever(office: Office) -> None:
    """A log of an earlier release has no such columns, and gets them with the next delivery."""
    import pyarrow as pa
    from deltalake import DeltaTable, write_deltalake

    office.deliver()
    path = str(office.home.records / "codes")
    old = pa.table(DeltaTable(path).to_pyarrow_table()).drop_columns(["valid_from", "valid_to"])
    write_deltalake(path, old, mode="overwrite", schema_mode="overwrite")
    assert office.deliver(RECEIVED + WEEK).new_versions == 0
    office.files["codes.csv"] = office.files["codes.csv"].replace(b"V,leave,yes", b"V,leave,no")
    assert office.deliver(RECEIVED + 2 * WEEK).new_versions > 0
    assert len(office.newest(LogTable.CODES)) == 3
