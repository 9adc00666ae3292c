"""Spreadsheets old and new, bare numbers of Excel, and other ways of writing the same thing."""

from datetime import date, datetime

import pytest

from features.records import LogTable
from tests.ingest.office import Office, old_workbook, workbook

LESSONS = (
    "Vestiging;Stamnummer;Datum;Lesuur;Begin;Eind;Code;Minuten;Invoermoment;"
    "Registratienummer;Ingetrokken\n"
)


@pytest.fixture
def school(office: Office) -> Office:
    office.only("schools.csv", "pupils.csv", "codes.csv")
    return office


def days(office: Office) -> list[date]:
    return sorted(row["starts_at"].date() for row in office.newest(LogTable.ABSENCE))


HEADINGS: list[str | float] = [
    "school",
    "record_id",
    "pupil_number",
    "starts_at",
    "ends_at",
    "minutes",
    "code",
    "recorded_at",
    "withdrawn",
]


def test_an_old_spreadsheet_is_understood(school: Office) -> None:
    school.files["verzuim.xls"] = old_workbook(
        [
            ["Overzicht voor De Linde"],
            HEADINGS,
            ["90AB00", 1.0, 123.0, 46272.354166667, "", 210.0, "Z", 46272.4, "no"],
            ["90AB00", 2.0, "00123", "8-9-2026", "", "", "Zoë", "", "no"],
            ["Totaal", 2.0],
        ]
    )
    report = school.deliver()
    assert [(place.row, place.rule) for place in report.places] == [(4, "not_a_local_moment")]
    [row] = school.newest(LogTable.ABSENCE)
    assert (row["starts_at"], row["minutes"]) == (datetime(2026, 9, 7, 8, 30), 210)


@pytest.mark.parametrize("written", ["46272", "46272,0", "46272.0", "07-09-2026", "7-9-26"])
def test_a_day_that_lost_its_format_is_still_a_day(school: Office, written: str) -> None:
    row = f"90AB00;123;{written};1;8:30;9:20;Z;50,0;;1;Nee\n"
    school.put("verzuim_lessen.csv", LESSONS + row)
    assert school.deliver().places == ()
    assert days(school) == [date(2026, 9, 7)]


@pytest.mark.parametrize("written", ["1234", "99999", "462720", "2026", "-46272", "46272x"])
def test_a_number_that_is_no_day_is_set_apart(school: Office, written: str) -> None:
    row = f"90AB00;123;{written};1;8:30;9:20;Z;50,0;;1;Nee\n"
    school.put("verzuim_lessen.csv", LESSONS + row)
    assert [place.rule for place in school.deliver().places] == ["not_a_date"]


@pytest.mark.parametrize("written", ["8:30", "08:30", "08.30", "8:30:00", "0,354166667"])
def test_a_clock_is_written_in_many_ways(school: Office, written: str) -> None:
    row = f"90AB00;123;07-09-2026;1;{written};9:20;Z;50,0;;1;Nee\n"
    school.put("verzuim_lessen.csv", LESSONS + row)
    assert school.deliver().places == ()
    [found] = school.newest(LogTable.ABSENCE)
    assert found["starts_at"] == datetime(2026, 9, 7, 8, 30)


@pytest.mark.parametrize(
    ("written", "minutes"), [("50", 50), ("50,0", 50), ("12,5", 12), ("", None)]
)
def test_minutes_may_have_a_decimal_comma(
    school: Office, written: str, minutes: int | None
) -> None:
    row = f"90AB00;123;07-09-2026;1;8:30;9:20;Z;{written};;1;Nee\n"
    school.put("verzuim_lessen.csv", LESSONS + row)
    assert school.deliver().places == ()
    assert [one["minutes"] for one in school.newest(LogTable.ABSENCE)] == [minutes]


def test_a_month_that_a_spreadsheet_made_a_number_is_a_month(school: Office) -> None:
    headings = school.files["pupils.csv"].decode().split("\n")[0].split(",")
    row = ["90AB00", 125, "Bo", "", "Vis", 42461, 5, "5A", datetime(2026, 8, 1), "", ""]
    school.files["more.xlsx"] = workbook([list(headings), row])
    assert school.deliver().places == ()
    born = {one["born_on"] for one in school.newest(LogTable.PLACEMENTS)}
    assert date(2016, 4, 1) in born
