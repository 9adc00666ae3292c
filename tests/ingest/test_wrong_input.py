"""Each wrong input gets one clear refusal or a place in quarantine; nothing is half stored."""

import io
import zipfile

import pytest

from features.errors import DeliveryRefused
from features.ingest import Place, ingest
from features.records import LogTable
from tests.ingest.office import RECEIVED, Office

# Three numbers that pass the eleven-proof, and belong to nobody.
CITIZEN_NUMBERS = ["111222333", "123456782", "999999990"]


def test_a_missing_column_is_named_with_its_file_and_the_next_step(office: Office) -> None:
    office.change("absence.csv", "starts_at,", "begin,")
    message = office.refusal()
    assert "nothing of it was stored" in message
    assert "absence.csv: missing column 'starts_at'" in message
    assert "`tijdig profile check FILE` makes a start" in message


def test_all_problems_of_a_delivery_are_named_together(office: Office) -> None:
    office.change("absence.csv", "starts_at,ends_at", "begin,eind")
    office.files["support.csv"] = b""
    message = office.refusal()
    assert "missing columns 'starts_at', 'ends_at'" in message
    assert "support.csv: the file is empty" in message


def test_a_file_in_no_known_encoding_is_refused(office: Office) -> None:
    office.files["absence.csv"] = b"school,record_id\n\x81\x8d\xff,1\n"
    message = office.refusal()
    assert "absence.csv: neither UTF-8, UTF-16 nor Windows-1252 text" in message
    assert "CSV UTF-8" in message


def test_something_else_under_the_name_of_a_spreadsheet_is_refused(office: Office) -> None:
    office.files["absence.xlsx"] = b"PK\x03\x04 nothing of the kind"
    assert "absence.xlsx: cannot be opened as a spreadsheet" in office.refusal()


def test_an_unknown_code_is_counted_asked_about_and_never_guessed(office: Office) -> None:
    office.change("absence.csv", ",,O,", ",,XQ,")
    report = office.deliver()
    assert [(one.school, one.code, one.rows) for one in report.unknown_codes] == [
        ("90AB00", "XQ", 1)
    ]
    assert any("what does the school mean by it?" in line for line in report.lines())
    kinds = {
        row["code"]: (row["kind"], row["authorised"]) for row in office.newest(LogTable.ABSENCE)
    }
    assert kinds["XQ"] == ("unverified", None)


@pytest.mark.parametrize("heading", ["BSN", "Burgerservicenummer", "bsn_leerling"])
def test_a_column_named_after_the_citizen_number_refuses_the_delivery(
    office: Office, heading: str
) -> None:
    office.change("pupils.csv", "left_to", f"left_to,{heading}")
    office.files["pupils.csv"] = office.files["pupils.csv"].replace(b",,\n", b",,,\n")
    message = office.refusal()
    assert f"pupils.csv: column '{heading}' holds a citizen service number (BSN)" in message
    assert "Leave it out of the export" in message


def test_citizen_numbers_under_another_heading_refuse_the_delivery(office: Office) -> None:
    for place, number in enumerate(CITIZEN_NUMBERS):
        office.files["pupils.csv"] += (
            f"90AB00,{number},Kind{place},,Van Test,2016-03,5,5A,2026-08-01,,\n".encode()
        )
    message = office.refusal()
    assert "most values of column 'pupil_number' are citizen service numbers (BSN)" in message
    for number in CITIZEN_NUMBERS:
        assert number not in message


@pytest.mark.parametrize(
    ("heading", "kind"),
    [
        ("Postcode", "postcode"),
        ("Etniciteit", "ethnicity or origin"),
        ("geboorteland", "ethnicity or origin"),
        ("Diagnose", "diagnosis"),
        ("Medicijngebruik", "medication"),
        ("Geloofsovertuiging", "religion"),
    ],
)
def test_what_may_not_come_in_refuses_the_delivery(office: Office, heading: str, kind: str) -> None:
    office.change("calendar.csv", "kind", f"kind,{heading}")
    office.change("calendar.csv", "study_day", "study_day,x")
    assert f"column '{heading}' holds a {kind}, which may not come in" in office.refusal()


@pytest.mark.parametrize("kept", [0.3, 0.7, 0.98])
def test_a_zip_that_was_cut_off_is_refused(office: Office, kept: float) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in office.files.items():
            archive.writestr(name, content)
    path = office.root / "delivery.zip"
    whole = packed.getvalue()
    path.write_bytes(whole[: int(len(whole) * kept)])
    with pytest.raises(DeliveryRefused, match=r"delivery\.zip: the zip is damaged or cut off"):
        ingest(path, office.home, RECEIVED)
    assert office.stored() == {}
    path.write_bytes(whole)
    assert ingest(path, office.home, RECEIVED).new_versions == 13


def test_a_zip_with_a_damaged_member_is_refused(office: Office) -> None:
    path = office.root / "delivery.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("absence.csv", office.files["absence.csv"])
    path.write_bytes(path.read_bytes().replace(b"2026-09-07", b"2026-09-08"))
    with pytest.raises(DeliveryRefused, match="damaged or cut off"):
        ingest(path, office.home, RECEIVED)


@pytest.mark.parametrize("content", [b"", b"\n \n", b"\xef\xbb\xbf"])
def test_an_empty_file_is_refused(office: Office, content: bytes) -> None:
    office.files["absence.csv"] = content
    assert "absence.csv: the file is empty. Export it again" in office.refusal()


def test_a_file_with_headings_only_is_taken_in_and_asked_about(office: Office) -> None:
    office.files["absence.csv"] = office.files["absence.csv"].split(b"\n")[0] + b"\n"
    report = office.deliver()
    assert any("absence.csv: has headings but no rows" in line for line in report.lines())


def test_a_file_with_rows_but_no_headings_is_refused_without_showing_its_rows(
    office: Office,
) -> None:
    office.files["pupils.csv"] = office.files["pupils.csv"].split(b"\n", 1)[1]
    message = office.refusal()
    assert "pupils.csv: no line of headings found in the first 15 lines" in message
    assert "Meerveld" not in message


def test_a_delivery_without_any_file_is_refused(office: Office) -> None:
    office.files = {"readme.md": b"later"}
    assert "holds no CSV or XLSX file" in office.refusal()


def test_a_path_that_is_not_there_is_refused(office: Office) -> None:
    with pytest.raises(DeliveryRefused, match="does not exist"):
        ingest(office.root / "nowhere", office.home, RECEIVED)


@pytest.mark.parametrize(
    ("name", "old", "new", "column", "rule"),
    [
        ("absence.csv", "2026-09-14T08:30", "2062-09-14T08:30", "starts_at", "date_implausible"),
        ("absence.csv", "2026-09-14T08:30", "1026-09-14T08:30", "starts_at", "date_implausible"),
        (
            "absence.csv",
            "2026-09-14T09:00:00",
            "2062-01-01T09:00",
            "recorded_at",
            "date_implausible",
        ),
        ("absence.csv", "2026-09-14T08:30", "14/09/2026", "starts_at", "not_a_local_moment"),
        ("absence.csv", "2026-09-14T08:30", "2026-02-30T08:30", "starts_at", "not_a_local_moment"),
        ("absence.csv", "2026-09-14T08:30", "", "starts_at", "value_missing"),
        ("absence.csv", "r2,00123", "r2,", "pupil_number", "value_missing"),
        ("absence.csv", "r2,00123", "r2,999", "pupil_number", "pupil_not_known"),
        ("absence.csv", "r2,00123", "r2,Noor M", "pupil_number", "not_a_pupil_number"),
        ("absence.csv", "90AB00,r2", "90AB,r2", "school", "school_not_6_characters"),
        ("absence.csv", "90AB00,r2", "90XX00,r2", "school", "school_not_described"),
        ("absence.csv", ",,,O,", ",,-5,O,", "minutes", "minutes_implausible"),
        ("absence.csv", ",,,O,", ",,veel,O,", "minutes", "not_a_number"),
        ("absence.csv", ",,,O,", ",2026-09-13T10:00,,O,", "ends_at", "ends_before_it_starts"),
        ("absence.csv", "09:00:00,no", "09:00:00,maybe", "withdrawn", "value_not_known"),
        ("pupils.csv", "2016-03", "2016-13", "birth_month", "not_a_month"),
        ("pupils.csv", "2016-03", "2027-01", "birth_month", "date_implausible"),
        (
            "pupils.csv",
            "2026-08-01,,",
            "2026-08-01,2026-07-01,",
            "left_on",
            "ends_before_it_starts",
        ),
        ("timetable.csv", "5A,,1", "5A,,8", "weekday", "weekday_not_1_to_7"),
        ("timetable.csv", "5A,,1", ",,1", "group", "neither_group_nor_pupil"),
        ("calendar.csv", "study_day", "party", "kind", "value_not_known"),
        ("codes.csv", "unauthorised", "skipping", "category", "value_not_known"),
        ("support.csv", "parent_talk", "rumour", "kind", "value_not_known"),
        ("schools.csv", "midden", "west", "region", "value_not_known"),
    ],
)
def test_a_row_that_breaks_a_rule_is_set_apart_by_file_row_column_and_rule(
    office: Office, name: str, old: str, new: str, column: str, rule: str
) -> None:
    assert old in office.files[name].decode()
    lines = office.files[name].decode().split("\n")
    row = next(number for number, line in enumerate(lines, start=1) if old in line)
    office.change(name, old, new)
    report = office.deliver()
    assert Place(name, row, column, rule) in report.places
    if name not in ("schools.csv", "pupils.csv"):  # rows that lean on those fall with them
        assert report.places == (Place(name, row, column, rule),)


def test_rows_with_too_few_or_too_many_cells_are_set_apart(office: Office) -> None:
    office.change("absence.csv", "r1,00123,", "r1,")
    office.change("absence.csv", "r3,124,", "r3,124,,")
    report = office.deliver()
    assert report.places == (
        Place("absence.csv", 2, "", "wrong_number_of_cells"),
        Place("absence.csv", 4, "", "wrong_number_of_cells"),
    )


def test_a_short_row_of_totals_is_a_row_unless_it_is_at_the_end(office: Office) -> None:
    office.change("absence.csv", "90AB00,r2", "Totaal,1\n90AB00,r2")
    office.files["absence.csv"] += b"Totaal,3\n"
    report = office.deliver()
    assert report.places == (Place("absence.csv", 3, "", "wrong_number_of_cells"),)
    assert report.rows_read == 14


def test_a_second_row_that_contradicts_the_first_is_set_apart(office: Office) -> None:
    office.files["calendar.csv"] += b"90AB00,2026-09-18,holiday\n90AB00,2026-09-18,study_day\n"
    report = office.deliver()
    assert report.places == (Place("calendar.csv", 3, "school", "contradicts_an_earlier_row"),)
    assert [row["kind"] for row in office.newest(LogTable.CALENDAR)] == ["study_day"]


def test_a_quotation_mark_that_is_never_closed_refuses_the_file(office: Office) -> None:
    office.change("pupils.csv", "Noor", '"Noor')
    message = office.refusal()
    assert "pupils.csv: row 2 opens a quotation mark that is not closed" in message
    assert "Noor" not in message


def test_a_heading_that_stands_there_twice_refuses_the_file(office: Office) -> None:
    office.change("calendar.csv", "school,date,kind", "school,date,kind,Date")
    office.change("calendar.csv", "study_day", "study_day,2026-09-19")
    assert "heading 'date' stands there 2 times" in office.refusal()


def test_an_unknown_extra_column_is_reported_and_dropped(office: Office) -> None:
    office.change("calendar.csv", "kind", "kind,opmerking")
    office.change("calendar.csv", "study_day", "study_day,iets vrijs over iemand")
    report = office.deliver()
    [calendar] = [count for count in report.files if count.file == "calendar.csv"]
    assert calendar.dropped_columns == ("opmerking",)
    assert not any(b"iets vrijs" in content for content in office.stored().values())


def test_a_delivery_larger_than_allowed_is_refused_before_it_is_unpacked(office: Office) -> None:
    from features.ingest import IngestSettings

    path = office.root / "delivery.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("absence.csv", b"0" * 3_000_000)
    with pytest.raises(DeliveryRefused, match=r"3 MB unpacked, more than the 1 MB"):
        ingest(path, office.home, RECEIVED, IngestSettings(max_megabytes=1))


def test_one_bad_file_refuses_the_whole_delivery_after_good_ones(office: Office) -> None:
    office.deliver()
    before = office.newest(LogTable.ABSENCE)
    office.change("absence.csv", "r2", "r9")
    office.change("support.csv", "status,", "")
    office.refusal()
    assert office.newest(LogTable.ABSENCE) == before
