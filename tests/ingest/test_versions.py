"""What a delivery adds to the log, and since when each version counts as known."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from features.records import LogTable, RecordLog
from tests.ingest.office import RECEIVED, Office

WEEK = timedelta(weeks=1)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def known(rows: list[dict[str, Any]], *columns: str) -> list[tuple[Any, ...]]:
    return sorted(
        ((row["known_at"], row["known_at_basis"], *(row[one] for one in columns)) for row in rows),
        key=lambda row: row[0],
    )


def counts(office: Office, received_at: datetime, name: str) -> tuple[int, int, int, int]:
    report = office.deliver(received_at)
    [one] = [count for count in report.files if count.file == name]
    return one.accepted, one.changed, one.repeated, one.quarantined


def test_the_same_delivery_twice_adds_nothing(office: Office) -> None:
    first = office.deliver()
    assert first.new_versions == first.rows_read == 13
    before = {table: office.versions(table) for table in LogTable}
    again = office.deliver(RECEIVED + WEEK)
    assert again.new_versions == 0
    assert sum(count.repeated for count in again.files) == 13
    assert {table: office.versions(table) for table in LogTable} == before


def test_a_delivery_that_adds_nothing_is_still_known_to_have_come(office: Office) -> None:
    office.deliver()
    office.deliver(RECEIVED + WEEK)
    found = RecordLog(office.home.records).deliveries().to_pylist()
    assert [(row["received_at"], row["schools"]) for row in found] == [
        (RECEIVED, ["90AB00"]),
        (RECEIVED + WEEK, ["90AB00"]),
    ]


def test_a_full_export_repeated_adds_only_what_changed(office: Office) -> None:
    office.deliver()
    office.change("absence.csv", ",,O,2026-09-14T09:00:00", ",,Z,2026-09-16T08:00:00")
    office.files["absence.csv"] += b"90AB00,r4,124,2026-11-02T08:30,,,Z,2026-11-02T08:40:00,no\n"
    assert counts(office, RECEIVED + WEEK, "absence.csv") == (1, 1, 2, 0)
    assert counts(office, RECEIVED + 2 * WEEK, "absence.csv") == (0, 0, 4, 0)


def test_a_correction_is_known_when_the_school_recorded_it(office: Office) -> None:
    office.deliver()
    office.change("absence.csv", ",,O,2026-09-14T09:00:00", ",,Z,2026-11-03T08:00:00")
    office.deliver(RECEIVED + WEEK)
    versions = [row for row in office.versions(LogTable.ABSENCE) if row["code"] in ("O", "Z")]
    assert known(versions, "kind")[1:] == [
        (utc("2026-09-14T07:00"), "recorded", "unauthorised"),
        (utc("2026-11-03T07:00"), "recorded", "sick"),
    ]


def test_all_versions_of_a_record_can_come_in_one_file_in_any_order(office: Office) -> None:
    office.put(
        "absence.csv",
        """
        school,record_id,pupil_number,starts_at,ends_at,minutes,code,recorded_at,withdrawn
        90AB00,r1,00123,2026-09-07T08:30,,,Z,2026-09-09T09:00:00,yes
        90AB00,r1,00123,2026-09-07T08:30,,,O,2026-09-07T09:00:00,no
        90AB00,r1,00123,2026-09-07T08:30,,,Z,2026-09-08T09:00:00,no
        """,
    )
    assert counts(office, RECEIVED, "absence.csv") == (1, 2, 0, 0)
    assert known(office.versions(LogTable.ABSENCE), "kind", "withdrawn") == [
        (utc("2026-09-07T07:00"), "recorded", "unauthorised", False),
        (utc("2026-09-08T07:00"), "recorded", "sick", False),
        (utc("2026-09-09T07:00"), "recorded", "sick", True),
    ]
    assert office.newest(LogTable.ABSENCE) == []
    assert counts(office, RECEIVED + WEEK, "absence.csv") == (0, 0, 3, 0)


def test_other_content_under_the_same_moment_is_known_from_its_delivery(office: Office) -> None:
    office.deliver()
    office.change("absence.csv", ",,O,2026-09-14", ",,Z,2026-09-14")
    office.deliver(RECEIVED + WEEK)
    [newest] = [row for row in office.newest(LogTable.ABSENCE) if row["starts_at"].day == 14]
    assert (newest["kind"], newest["known_at"], newest["known_at_basis"]) == (
        "sick",
        RECEIVED + WEEK,
        "delivery",
    )


def test_a_source_that_goes_back_to_what_it_said_before_is_followed(office: Office) -> None:
    office.deliver()
    office.change("absence.csv", ",,O,2026-09-14", ",,Z,2026-09-14")
    office.deliver(RECEIVED + WEEK)
    office.change("absence.csv", ",,Z,2026-09-14", ",,O,2026-09-14")
    office.deliver(RECEIVED + 2 * WEEK)
    assert office.deliver(RECEIVED + 3 * WEEK).new_versions == 0
    [newest] = [row for row in office.newest(LogTable.ABSENCE) if row["starts_at"].day == 14]
    assert newest["kind"] == "unauthorised"
    assert newest["known_at"] == RECEIVED + 2 * WEEK


def test_an_older_version_told_differently_does_not_overtake_the_newest(office: Office) -> None:
    history = """
        school,record_id,pupil_number,starts_at,ends_at,minutes,code,recorded_at,withdrawn
        90AB00,r1,00123,2026-09-07T08:30,,,{first},2026-09-07T09:00:00,no
        90AB00,r1,00123,2026-09-07T08:30,,,Z,2026-09-08T09:00:00,no
    """
    office.put("absence.csv", history.format(first="O"))
    office.deliver()
    office.put("absence.csv", history.format(first="V"))
    assert counts(office, RECEIVED + WEEK, "absence.csv") == (0, 0, 2, 0)
    assert [row["kind"] for row in office.newest(LogTable.ABSENCE)] == ["sick"]


def test_an_old_export_that_comes_late_does_not_overtake_the_newest(office: Office) -> None:
    office.files["absence.csv"] += b"90AB00,r2,00123,2026-09-14T08:30,,,Z,2026-09-16T09:00:00,no\n"
    office.deliver()
    office.put(
        "absence.csv",
        """
        school,record_id,pupil_number,starts_at,ends_at,minutes,code,recorded_at,withdrawn
        90AB00,r2,00123,2026-09-14T08:30,,,V,2026-09-14T09:00:00,no
        """,
    )
    assert counts(office, RECEIVED + WEEK, "absence.csv") == (0, 0, 1, 0)
    kinds = [row["kind"] for row in office.newest(LogTable.ABSENCE) if row["starts_at"].day == 14]
    assert kinds == ["sick"]


def test_a_version_never_seen_before_takes_its_place_in_the_history(office: Office) -> None:
    office.deliver()
    office.files["absence.csv"] += b"90AB00,r2,00123,2026-09-14T08:30,,,V,2026-09-13T09:00:00,no\n"
    assert counts(office, RECEIVED + WEEK, "absence.csv") == (0, 1, 3, 0)
    kinds = [row["kind"] for row in office.newest(LogTable.ABSENCE) if row["starts_at"].day == 14]
    assert kinds == ["unauthorised"]


def test_without_a_recording_moment_a_first_load_assumes_a_lag_and_later_ones_do_not(
    office: Office,
) -> None:
    office.deliver()
    office.files["absence.csv"] += b"90AB00,r4,124,2026-06-02T08:30,,,Z,,no\n"
    office.deliver(RECEIVED + WEEK)
    assert [row for row in known(office.versions(LogTable.ABSENCE)) if row[1] != "recorded"] == [
        (utc("2026-06-08T10:00"), "assumed"),  # r3 ended 1 June 12:00, seven days before
        (RECEIVED + WEEK, "delivery"),
    ]


def test_an_assumed_moment_is_never_after_the_delivery(office: Office) -> None:
    office.put(
        "absence.csv",
        """
        school,record_id,pupil_number,starts_at,ends_at,minutes,code,recorded_at,withdrawn
        90AB00,r1,00123,2026-10-30T08:30,,,Z,,no
        """,
    )
    office.deliver()
    assert known(office.versions(LogTable.ABSENCE)) == [(RECEIVED, "assumed")]


def test_a_placement_of_a_first_load_begins_and_ends_as_two_versions(office: Office) -> None:
    office.deliver()
    sam = [row for row in office.versions(LogTable.PLACEMENTS) if row["enrolled_on"].year == 2025]
    assert known(sam, "left_on", "left_to") == [
        (utc("2025-07-31T22:00"), "assumed", None, None),
        (utc("2026-08-06T22:00"), "assumed", datetime(2026, 7, 31).date(), "school"),
    ]
    office.change("pupils.csv", "2026-08-01,,", "2026-08-01,2026-11-06,unknown")
    office.deliver(RECEIVED + WEEK)
    noor = [row for row in office.versions(LogTable.PLACEMENTS) if row["enrolled_on"].year == 2026]
    assert known(noor, "left_to") == [
        (utc("2026-07-31T22:00"), "assumed", None),
        (RECEIVED + WEEK, "delivery", "unknown"),
    ]


@pytest.mark.parametrize(
    "table", [LogTable.SCHOOLS, LogTable.CODES, LogTable.CALENDAR, LogTable.TIMETABLE]
)
def test_what_a_school_is_like_counts_as_always_known_at_a_first_load_only(
    office: Office, table: LogTable
) -> None:
    office.deliver()
    assert {row["known_at"] for row in office.versions(table)} == {utc("1970-01-01T00:00")}
    office.change("schools.csv", "De Linde", "De Nieuwe Linde")
    office.change("codes.csv", "V,leave,yes", "V,medical_visit,yes")
    office.change("calendar.csv", "study_day", "closed")
    office.change("timetable.csv", ",330", ",300")
    office.deliver(RECEIVED + WEEK)
    assert max(row["known_at"] for row in office.versions(table)) == RECEIVED + WEEK


def test_a_code_explained_later_changes_its_rows_from_then_on(office: Office) -> None:
    office.change("absence.csv", ",,O,", ",,XQ,")
    office.deliver()
    office.files["codes.csv"] += b"90AB00,XQ,medical_visit,yes\n"
    report = office.deliver(RECEIVED + WEEK)
    assert report.unknown_codes == ()
    explained = [row for row in office.versions(LogTable.ABSENCE) if row["code"] == "XQ"]
    assert known(explained, "kind") == [
        (utc("2026-09-14T07:00"), "recorded", "unverified"),
        (RECEIVED + WEEK, "delivery", "medical_visit"),
    ]


def test_codes_of_an_earlier_delivery_still_translate(office: Office) -> None:
    office.deliver()
    office.only("absence.csv")
    office.files["absence.csv"] += b"90AB00,r4,124,2026-11-03T08:30,,,Z,2026-11-03T09:00:00,no\n"
    assert office.deliver(RECEIVED + WEEK).unknown_codes == ()
    assert {row["kind"] for row in office.newest(LogTable.ABSENCE)} == {
        "sick",
        "unauthorised",
        "leave",
    }


def test_religious_leave_becomes_leave_and_leaves_no_trace_with_the_pupil(office: Office) -> None:
    office.change("codes.csv", "V,leave,yes", "REL,religious_leave,yes")
    office.change("absence.csv", ",V,", ",REL,")
    office.deliver()
    [leave] = [row for row in office.newest(LogTable.ABSENCE) if row["kind"] == "leave"]
    assert leave["code"] is None
    assert {row["category"] for row in office.newest(LogTable.CODES)} == {
        "sick",
        "unauthorised",
        "leave",
    }


def test_moments_with_and_without_offset_mean_the_same(office: Office) -> None:
    office.deliver()
    office.change("absence.csv", "2026-09-07T09:15:00", "2026-09-07T07:15:00Z")
    office.change("absence.csv", "2026-09-14T09:00:00", "2026-09-14T09:00:00+02:00")
    assert office.deliver(RECEIVED + WEEK).new_versions == 0


def test_the_hour_that_comes_twice_counts_as_the_later_one(office: Office) -> None:
    office.change("absence.csv", "2026-09-14T09:00:00", "2026-10-25T02:30:00")
    office.deliver()
    recorded = [row["known_at"] for row in office.versions(LogTable.ABSENCE)]
    assert utc("2026-10-25T01:30") in recorded


def test_leading_zeros_lost_on_the_way_are_the_same_pupil(office: Office) -> None:
    office.change("absence.csv", "r1,00123", "r1,123")
    report = office.deliver()
    assert report.places == ()
    keys = {row["pupil_key"] for row in office.newest(LogTable.ABSENCE)}
    assert keys == {row["pupil_key"] for row in office.newest(LogTable.PLACEMENTS)}


def test_a_name_that_changed_counts_as_changed_and_adds_no_version(office: Office) -> None:
    office.deliver()
    before = office.versions(LogTable.PLACEMENTS)
    office.change("pupils.csv", "Okafor", "Okafor-Smit")
    assert counts(office, RECEIVED + WEEK, "pupils.csv") == (0, 1, 1, 0)
    assert office.versions(LogTable.PLACEMENTS) == before


def test_a_school_may_keep_names_to_itself(office: Office) -> None:
    office.put(
        "pupils.csv",
        """
        school,pupil_number,birth_month,year_group,group,enrolled_on,left_on,left_to
        90AB00,00123,2016-03,5,5A,2026-08-01,,
        90AB00,124,,,,2025-08-01,2026-07-31,school
        """,
    )
    report = office.deliver()
    assert report.places == ()
    assert len(office.newest(LogTable.PLACEMENTS)) == 2


def test_a_day_without_times_is_absent_from_its_beginning_to_its_end(office: Office) -> None:
    office.change("absence.csv", "2026-09-07T08:30,2026-09-07T14:45", "2026-09-07,2026-09-08")
    office.deliver()
    [row] = [row for row in office.newest(LogTable.ABSENCE) if row["starts_at"].day == 7]
    assert row["starts_at"] == datetime(2026, 9, 7)
    assert row["ends_at"] == datetime(2026, 9, 8, 23, 59)
