"""What five source systems mean by their files: days, reports, accountings, lesson ranges, sums."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from features.errors import SettingsError
from features.ingest import Place, ingest
from features.records import LogTable
from tests.ingest.office import RECEIVED, Office, workbook

WEEK = timedelta(weeks=1)


def absence(office: Office) -> list[tuple[Any, ...]]:
    """Start, end, minutes, kind and whether authorised, of what the log holds now."""
    names = ("starts_at", "ends_at", "minutes", "kind", "authorised")
    rows = [tuple(row[name] for name in names) for row in office.newest(LogTable.ABSENCE)]
    return sorted(rows, key=lambda row: row[0])


def at(day: int, clock: str, month: int = 9) -> datetime:
    return datetime.fromisoformat(f"2026-{month:02d}-{day:02d}T{clock}")


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.fixture
def school(office: Office) -> Office:
    """A school whose absence is still to come."""
    office.only("schools.csv", "pupils.csv", "codes.csv")
    return office


class TestPrimaryDays:
    """One row per day or half day, with the school's reason code."""

    def test_a_whole_day_takes_what_the_timetable_plans(self, school: Office) -> None:
        school.put(
            "verzuim_dagen.csv",
            """
            Schoolcode;Leerlingnr;Verzuimdatum;Dagdeel;Redencode;Omschrijving;Verzuimnr
            90AB00;123;07-09-2026;D;Z;koorts;1
            90AB00;123;08-09-2026;O;O;;2
            90AB00;123;09-09-2026;m;Z;;3
            """,
        )
        report = school.deliver()
        assert report.places == ()
        assert {count.profile for count in report.files if count.rows_read == 3} >= {"po_day"}
        assert absence(school) == [
            (at(7, "00:00"), at(7, "23:59"), None, "sick", True),
            (at(8, "08:30"), at(8, "12:00"), 210, "unauthorised", False),
            (at(9, "12:45"), at(9, "14:45"), 120, "sick", True),
        ]
        assert not any(b"koorts" in content for content in school.stored().values())


REPORTS = """
    Vestiging;Leerlingnummer;Melding;Begin;Einde;Absentiesoort;Reden;Geoorloofd;Ingevoerd op
"""
OBSERVED = """
    Vestiging;Leerlingnummer;Waarneming;Begin;Einde;Soort waarneming;Ingevoerd op
"""


class TestReportsAndObservations:
    """Lessons missed count by themselves only until a report explains them."""

    LESSON = "90AB00;123;w1;2026-09-07T08:30:00.000+02:00;2026-09-07T09:20:00.000+02:00;{};{}\n"

    def put(self, office: Office, reports: str, observed: str) -> None:
        office.put("absentiemeldingen.csv", REPORTS.rstrip() + "\n" + reports)
        office.put("waarnemingen.csv", OBSERVED.rstrip() + "\n" + observed)

    def test_a_missed_lesson_without_a_report_is_not_yet_verified(self, school: Office) -> None:
        self.put(school, "", self.LESSON.format("Afwezig", "2026-09-07T08:41:00.000+02:00"))
        report = school.deliver()
        assert report.places == ()
        assert report.unknown_codes == ()
        assert absence(school) == [(at(7, "08:30"), at(7, "09:20"), None, "unverified", None)]

    def test_a_report_made_later_explains_it_from_then_on(self, school: Office) -> None:
        lesson = self.LESSON.format("Afwezig", "2026-09-07T08:41:00.000+02:00")
        self.put(school, "", lesson)
        school.deliver()
        report = "90AB00;123;m1;2026-09-07;2026-09-07;Absent;Z;Ja;2026-11-05T10:00:00.000+01:00\n"
        self.put(school, report, lesson)
        assert school.deliver(RECEIVED + WEEK).places == ()
        assert absence(school) == [
            (at(7, "00:00"), at(7, "23:59"), None, "sick", True),
            (at(7, "08:30"), at(7, "09:20"), None, "not_absence", True),
        ]
        lessons = [row for row in school.versions(LogTable.ABSENCE) if row["starts_at"].hour == 8]
        assert [(row["kind"], row["known_at"]) for row in lessons] == [
            ("unverified", utc("2026-09-07T06:41")),
            ("not_absence", utc("2026-11-05T09:00")),
        ]

    def test_both_versions_come_from_one_full_export_and_only_once(self, school: Office) -> None:
        lesson = self.LESSON.format("Afwezig", "2026-09-07T08:41:00.000+02:00")
        report = "90AB00;123;m1;2026-09-07;2026-09-07;Absent;Z;Ja;2026-09-09T10:00:00.000+02:00\n"
        self.put(school, report, lesson)
        school.deliver()
        before = school.versions(LogTable.ABSENCE)
        assert [row["kind"] for row in before if row["starts_at"].hour == 8] == [
            "unverified",
            "not_absence",
        ]
        assert school.deliver(RECEIVED + WEEK).new_versions == 0
        assert school.versions(LogTable.ABSENCE) == before

    def test_a_report_that_came_first_explains_at_once(self, school: Office) -> None:
        lesson = self.LESSON.format("Afwezig", "2026-09-07T08:41:00.000+02:00")
        report = "90AB00;123;m1;2026-09-07;2026-09-07;Absent;Z;Ja;2026-09-07T07:50:00.000+02:00\n"
        self.put(school, report, lesson)
        school.deliver()
        assert len(school.versions(LogTable.ABSENCE)) == 2

    def test_a_report_from_an_earlier_delivery_still_explains(self, school: Office) -> None:
        report = "90AB00;123;m1;2026-09-07;2026-09-07;Absent;Z;Ja;2026-09-07T07:50:00.000+02:00\n"
        self.put(school, report, "")
        school.deliver()
        self.put(school, "", self.LESSON.format("Afwezig", "2026-09-07T08:41:00.000+02:00"))
        school.deliver(RECEIVED + WEEK)
        assert [row[3] for row in absence(school)] == ["sick", "not_absence"]

    def test_a_report_withdrawn_opens_the_question_again(self, school: Office) -> None:
        lesson = self.LESSON.format("Afwezig", "2026-09-07T08:41:00.000+02:00")
        heading = REPORTS.rstrip() + ";Verwijderd\n"
        row = "90AB00;123;m1;2026-09-07;2026-09-07;Absent;Z;Ja;2026-{}T10:00:00.000+01:00;{}\n"
        self.put(school, "", lesson)
        school.put("absentiemeldingen.csv", heading + row.format("09-09", "Nee"))
        school.deliver()
        school.put("absentiemeldingen.csv", heading + row.format("11-04", "Ja"))
        school.deliver(RECEIVED + WEEK)
        assert [row[3] for row in absence(school)] == ["unverified"]
        assert school.deliver(RECEIVED + 2 * WEEK).new_versions == 0

    def test_a_late_arrival_explains_no_missed_lesson(self, school: Office) -> None:
        lesson = self.LESSON.format("Afwezig", "2026-09-07T08:41:00.000+02:00")
        report = (
            "90AB00;123;m1;2026-09-07T08:30;2026-09-07T09:20;Telaat;TL;Nee;2026-09-07T08:50+02:00\n"
        )
        self.put(school, report, lesson)
        school.deliver()
        assert sorted(row[3] for row in absence(school)) == ["late_arrival", "unverified"]

    def test_an_open_report_ends_where_the_pupil_was_seen_again(self, school: Office) -> None:
        report = "90AB00;123;m1;2026-09-07;;Absent;Z;Ja;2026-09-07T07:50:00.000+02:00\n"
        seen = (
            "90AB00;123;w0;2026-09-03T08:30;2026-09-03T09:20;Aanwezig;2026-09-03T08:41:00+02:00\n"
            "90AB00;123;w2;2026-09-10T08:30;2026-09-10T09:20;Aanwezig;2026-09-10T08:41:00+02:00\n"
            "90AB00;123;w3;2026-09-11T08:30;2026-09-11T09:20;Aanwezig;2026-09-11T08:41:00+02:00\n"
        )
        self.put(school, report, seen)
        result = school.deliver()
        [observed] = [count for count in result.files if count.file == "waarnemingen.csv"]
        assert (observed.rows_read, observed.left_out, observed.accepted) == (3, 3, 0)
        assert absence(school) == [(at(7, "00:00"), at(10, "08:30"), None, "sick", True)]
        assert [(row["ends_at"], row["known_at"]) for row in school.versions(LogTable.ABSENCE)] == [
            (None, utc("2026-09-07T05:50")),
            (at(10, "08:30"), utc("2026-09-10T06:41")),
        ]

    def test_nothing_is_kept_of_a_pupil_who_is_simply_there(self, school: Office) -> None:
        self.put(school, "", self.LESSON.format("Aanwezig", "2026-09-07T08:41:00.000+02:00"))
        school.deliver()
        assert school.versions(LogTable.ABSENCE) == []


class TestAccountings:
    """One accounting per lesson; the type number says what the school has not explained."""

    HEADINGS = "Locatie;Stamnr;Verantwoording;Datum;Start;Eind;Type;Code;Geoorloofd;Invoer\n"

    def test_type_numbers_say_the_kind_and_books_are_no_absence(self, school: Office) -> None:
        rows = "".join(
            f"90AB00;123;{kind};{day:02d}-09-2026;8:30;9:20;{kind};{code};{word};\n"
            for day, (kind, code, word) in enumerate(
                [
                    (1, "XQ", "N"),
                    (2, "TT", "N"),
                    (3, "ZK", "J"),
                    (4, "UU", "J"),
                    (6, "VR", "J"),
                    (7, "BV", "N"),
                    (8, "HW", "N"),
                ],
                start=7,
            )
        )
        school.put("verantwoordingen.csv", self.HEADINGS + rows)
        report = school.deliver()
        assert report.places == ()
        assert [(row[3], row[4]) for row in absence(school)] == [
            ("unverified", None),  # the source says unauthorised; the school has not signed that
            ("late_arrival", False),
            ("sick", True),
            ("sent_out", True),
            ("exemption", True),
        ]
        [count] = [one for one in report.files if one.file == "verantwoordingen.csv"]
        assert (count.accepted, count.left_out) == (5, 2)
        assert [one.code for one in report.unknown_codes] == ["XQ"]
        assert any("+ 2 no absence" in line for line in report.lines())

    def test_what_the_school_means_by_its_code_goes_before_the_type(self, school: Office) -> None:
        row = "90AB00;123;1;07-09-2026;8:30;9:20;1;O;J;\n"
        school.put("verantwoordingen.csv", self.HEADINGS + row)
        school.deliver()
        assert [(row[3], row[4]) for row in absence(school)] == [("unauthorised", False)]

    def test_books_stay_out_even_if_their_code_means_something_here(self, school: Office) -> None:
        school.put(
            "verantwoordingen.csv", self.HEADINGS + "90AB00;123;1;07-09-2026;8:30;9:20;7;O;N;\n"
        )
        school.deliver()
        assert absence(school) == []


class TestLessonRanges:
    """An Excel export without ids or a school, counted in half hours."""

    HEADINGS = (
        "datumvan",
        "ovnr",
        "deelnemernaam",
        "groepnaam",
        "typeomschrijving",
        "lesuurbegin",
        "lesuureind",
        "tijdvan2",
        "tijdtot2",
        "tijd",
        "reden",
        "opmerking",
        "naam",
    )

    def deliver(self, office: Office, *rows: list[object]) -> Any:
        office.files["export.xlsx"] = workbook([["Verzuim"], list(self.HEADINGS), *rows])
        return office.deliver()

    def row(self, day: object, first: object, last: object, begin: object = "") -> list[object]:
        name = "Noor van der Meerveld"
        return [day, 123, name, "5A", "Z", first, last, begin, "", "", "", "belde", "mentor"]

    def test_lesson_numbers_become_times_and_minutes(self, school: Office) -> None:
        report = self.deliver(
            school, self.row("7-9-2026", 1, 4), self.row(datetime(2026, 9, 8), 3, 3)
        )
        assert report.places == ()
        assert absence(school) == [
            (at(7, "08:30"), at(7, "10:30"), 120, "sick", True),
            (at(8, "09:30"), at(8, "10:00"), 30, "sick", True),
        ]
        assert not any(b"belde" in content for content in school.stored().values())

    def test_a_day_as_a_bare_number_of_excel_and_a_time_as_part_of_a_day(
        self, school: Office
    ) -> None:
        report = self.deliver(school, self.row(46272, 1, 2, 0.375))
        assert report.places == ()
        [row] = absence(school)
        assert row[:3] == (at(7, "09:00"), at(7, "09:30"), 60)

    def test_the_same_lesson_told_otherwise_later_is_a_new_version(self, school: Office) -> None:
        self.deliver(school, self.row("7-9-2026", 1, 4))
        changed = self.row("7-9-2026", 1, 4)
        changed[4] = "O"
        school.files["export.xlsx"] = workbook([list(self.HEADINGS), changed])
        school.deliver(RECEIVED + WEEK)
        assert [row["kind"] for row in school.versions(LogTable.ABSENCE)] == [
            "sick",
            "unauthorised",
        ]

    @pytest.mark.parametrize(("first", "last"), [("", ""), (0, 2), (1, 900), (-3, 1)])
    def test_a_row_without_a_usable_lesson_is_set_apart(
        self, school: Office, first: object, last: object
    ) -> None:
        report = self.deliver(school, self.row("7-9-2026", first, last))
        assert report.places == (
            Place("export.xlsx", 3, "lesuurbegin", "neither_times_nor_lessons"),
        )

    def test_without_a_word_on_the_school_it_is_refused(self, school: Office) -> None:
        school.deliver()
        school.only()
        school.files["export.xlsx"] = workbook([list(self.HEADINGS), self.row("7-9-2026", 1, 4)])
        message = school.refusal()
        assert "export.xlsx: does not say which school" in message
        assert 'write school = "…" in the profile' in message

    def test_a_profile_at_home_may_name_the_school(self, school: Office) -> None:
        from features.ingest.forms import PACKAGED

        school.deliver()
        school.only()
        school.files["export.xlsx"] = workbook([list(self.HEADINGS), self.row("7-9-2026", 1, 4)])
        own = school.home.root / "profiles"
        own.mkdir()
        text = (PACKAGED / "mbo_lesson_range.toml").read_text(encoding="utf-8")
        (own / "mbo_lesson_range.toml").write_text(
            text.replace(
                'file = "verzuim_mbo.xlsx"', 'file = "verzuim_mbo.xlsx"\nschool = "90AB00"'
            )
        )
        assert ingest(school.write(), school.home, RECEIVED + WEEK).new_versions == 1


class TestPriorYear:
    """Sums over twelve months elsewhere: a record of their own, since they have no days."""

    def test_the_sums_are_kept_as_sums(self, school: Office) -> None:
        school.put(
            "oso.csv",
            """
            vestiging;leerlingnummer;peildatum;dagdelengeoorloofd;dagdelenongeoorloofd;urengeoorloofd;urenongeoorloofd;frequentie;meerdan25percent;contactleerplicht
            90AB00;123;01-08-2026;12;3;40,5;;7;true;true
            """,
        )
        report = school.deliver()
        assert report.places == ()
        assert absence(school) == []
        [row] = school.newest(LogTable.PRIOR_ABSENCE)
        wanted = ("until", "half_days_authorised", "half_days_unauthorised", "times")
        assert [row[name] for name in wanted] == [date(2026, 8, 1), 12, 3, 7]
        assert (row["minutes_authorised"], row["minutes_unauthorised"]) == (2430, None)
        assert row["over_a_quarter"] is True
        assert row["pupil_key"] in {one["pupil_key"] for one in school.newest(LogTable.PLACEMENTS)}
        assert school.deliver(RECEIVED + WEEK).new_versions == 0

    def test_a_sum_that_no_year_can_have_is_set_apart(self, school: Office) -> None:
        school.put(
            "prior_absence.csv",
            """
            school,pupil_number,until,half_days_authorised,half_days_unauthorised,hours_authorised,hours_unauthorised,times,over_a_quarter
            90AB00,123,2026-08-01,99999,0,0,0,0,no
            """,
        )
        assert school.deliver().places == (
            Place("prior_absence.csv", 2, "half_days_authorised", "count_implausible"),
        )


def test_a_file_that_does_not_say_when_is_refused_as_a_profile(school: Office) -> None:
    own = school.home.root / "profiles"
    own.mkdir(parents=True)
    (own / "ours.toml").write_text(
        '[files.absence]\nfile = "a"\ncolumns = { nr = "pupil_number" }\n'
    )
    with pytest.raises(SettingsError, match="no heading for starts_at or day"):
        ingest(school.write(), school.home, RECEIVED)
