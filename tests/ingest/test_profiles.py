"""Source systems: half days, lessons, encodings, separators, spreadsheets, titles and totals."""

import io
import zipfile
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from features.errors import SettingsError
from features.ingest import ImportReport, IngestSettings, Place, ingest, pupil_keys
from features.ingest.forms import PACKAGED, read_forms
from features.records import LogTable
from tests.ingest.office import RECEIVED, Office, workbook

HEADINGS = next(
    list[object](form.columns)
    for form in read_forms()
    if (form.profile, form.table) == ("canonical", LogTable.ABSENCE)
)
PUPIL_HEADINGS = (
    "Roepnaam;Tussenvoegsel;Achternaam;Geboortemaand;Jaargroep;Groep;"
    "Datum inschrijving;Datum uitschrijving;Bestemming"
)
PO_ABSENCE = """
    Verzuimoverzicht De Linde
    Gemaakt op 02-11-2026
    Vestiging;Leerlingnummer;Datum;Dagdeel;Reden;Mutatienummer;Gewijzigd op;Vervallen
    90AB00;0123;07-09-2026;ochtend;Ziek;501;07-09-2026 09:10;N
    90AB00;0123;07-09-2026;middag;Ziek;502;07-09-2026 09:10;N
    90AB00;124;08-09-2026;middag;Bezoek arts;503;09-09-2026 16:45;J
    Totaal;3;;;;;;
"""
PO_PUPILS = f"""
    Vestiging;Leerlingnummer;{PUPIL_HEADINGS}
    90AB00;0123;Zoë;;Brûlée;03-2016;5;5A;01-08-2026;;
    90AB00;124;Sam;;Okafor;07-2016;5;5A;01-08-2025;31-07-2026;andere school
"""
PO_CODES = """
    school,code,category,authorised
    90AB00,Ziek,sick,yes
    90AB00,Bezoek arts,medical_visit,yes
"""
VO_ABSENCE = """
    Vestiging;Stamnummer;Datum;Lesuur;Begin;Eind;Code;Minuten;Invoermoment;Registratienummer;Ingetrokken
    90AB00;4001;7-9-2026;1;8:30;9:20;A;50,0;07-09-2026 08:41;9001;Nee
    90AB00;4001;7-9-2026;2;9:20;10:10;TL;12,5;07-09-2026 09:33;9002;Ja
"""
VO_PUPILS = f"""
    Vestiging;Stamnummer;{PUPIL_HEADINGS}
    90AB00;4001;Daan;de;Wit;03-2011;3;3H2;01-08-2026;;
"""
VO_CODES = """
    school,code,category,authorised
    90AB00,A,unverified,
    90AB00,TL,late_arrival,no
"""


@pytest.fixture
def po(office: Office) -> Office:
    office.only("schools.csv")
    office.put("verzuim.csv", PO_ABSENCE, "cp1252")
    office.put("leerlingen.csv", PO_PUPILS, "cp1252")
    office.put("codes.csv", PO_CODES)
    return office


@pytest.fixture
def vo(office: Office) -> Office:
    office.only("schools.csv")
    office.put("verzuim_lessen.csv", VO_ABSENCE, "cp1252")
    office.put("leerlingen_vo.csv", VO_PUPILS, "cp1252")
    office.put("codes.csv", VO_CODES)
    return office


def names_in(office: Office, number: str) -> str:
    """The family name the vault has for a pupil, asked of the vault itself."""
    from features.governance.vault import Vault

    [key] = pupil_keys(office.home, ["90AB00"], [number])
    assert key is not None
    return Vault.open(office.home, {}).identities([key])[key].family_name


def read(report: ImportReport) -> dict[str, tuple[str, int]]:
    return {count.file: (count.profile, count.rows_read) for count in report.files}


def test_half_days_become_times_and_minutes(po: Office) -> None:
    report = po.deliver()
    assert read(report)["verzuim.csv"] == ("po_half_day", 3)
    assert report.places == ()
    rows = sorted(po.newest(LogTable.ABSENCE), key=lambda row: row["starts_at"])
    assert [(row["starts_at"], row["ends_at"], row["minutes"], row["kind"]) for row in rows] == [
        (datetime(2026, 9, 7, 8, 30), datetime(2026, 9, 7, 12), 210, "sick"),
        (datetime(2026, 9, 7, 12, 45), datetime(2026, 9, 7, 14, 45), 120, "sick"),
    ]
    assert {row["known_at"] for row in rows} == {datetime(2026, 9, 7, 7, 10, tzinfo=UTC)}
    [withdrawn] = [row for row in po.versions(LogTable.ABSENCE) if row["withdrawn"]]
    assert withdrawn["kind"] == "medical_visit"


def test_pupils_of_a_primary_school_come_in_with_their_names_whole(po: Office) -> None:
    po.deliver()
    assert names_in(po, "0123") == "Brûlée"
    rows = po.newest(LogTable.PLACEMENTS)
    sam = next(row for row in rows if row["left_on"])
    assert (sam["born_on"], sam["left_on"], sam["left_to"]) == (
        date(2016, 7, 1),
        date(2026, 7, 31),
        "school",
    )


def test_a_row_number_is_the_one_a_spreadsheet_shows(po: Office) -> None:
    po.files["verzuim.csv"] = po.files["verzuim.csv"].replace(b"08-09-2026;", b"31-02-2026;")
    assert po.deliver().places == (Place("verzuim.csv", 6, "Datum", "not_a_date"),)


def test_blank_lines_are_no_rows_but_count_for_the_row_number(po: Office) -> None:
    po.files["verzuim.csv"] = (
        po.files["verzuim.csv"]
        .replace(b"08-09-2026;", b"31-02-2026;")
        .replace(b"Vervallen\n", b"Vervallen\n\n;;;;;;;\n")
    )
    report = po.deliver()
    assert read(report)["verzuim.csv"] == ("po_half_day", 3)
    assert report.places == (Place("verzuim.csv", 8, "Datum", "not_a_date"),)


@pytest.mark.parametrize("written", ["7-9-26", "07-09-26", "7-9-2026", "2026-09-07"])
def test_a_day_may_be_written_short_or_as_iso(po: Office, written: str) -> None:
    po.files["verzuim.csv"] = po.files["verzuim.csv"].replace(
        b"07-09-2026;", f"{written};".encode()
    )
    assert po.deliver().places == ()
    assert {row["starts_at"].date() for row in po.newest(LogTable.ABSENCE)} == {date(2026, 9, 7)}


def test_lessons_become_times_and_minutes(vo: Office) -> None:
    report = vo.deliver()
    assert read(report)["verzuim_lessen.csv"] == ("vo_lesson", 2)
    assert report.places == ()
    [row] = vo.newest(LogTable.ABSENCE)
    assert (row["starts_at"], row["ends_at"], row["minutes"], row["kind"]) == (
        datetime(2026, 9, 7, 8, 30),
        datetime(2026, 9, 7, 9, 20),
        50,
        "unverified",
    )
    assert row["known_at"] == datetime(2026, 9, 7, 6, 41, tzinfo=UTC)
    [late] = [row for row in vo.versions(LogTable.ABSENCE) if row["withdrawn"]]
    assert (late["kind"], late["minutes"]) == ("late_arrival", 12)
    [count] = [count for count in report.files if count.file == "verzuim_lessen.csv"]
    assert count.dropped_columns == ()  # Lesuur is known, and not needed


@pytest.mark.parametrize(
    ("encoding", "separator", "line_end"),
    [
        ("utf-8", ",", "\n"),
        ("utf-8-sig", ";", "\r\n"),
        ("cp1252", ";", "\r\n"),
        ("cp1252", "\t", "\n"),
        ("utf-16", "\t", "\r\n"),
        ("utf-16-le", ";", "\n"),
        ("utf-16-be", ",", "\r"),
    ],
)
def test_every_common_way_of_writing_a_text_file_is_understood(
    po: Office, encoding: str, separator: str, line_end: str
) -> None:
    text = po.files["leerlingen.csv"].decode("cp1252")
    text = text.replace(";", separator).replace("\n", line_end)
    if encoding == "utf-16-le":  # long enough to tell without a byte-order mark
        text += line_end * 2
    po.files["leerlingen.csv"] = text.encode(encoding)
    po.only("schools.csv", "leerlingen.csv")
    assert po.deliver().places == ()
    assert names_in(po, "0123") == "Brûlée"


def test_a_spreadsheet_with_real_dates_and_numbers_is_understood(office: Office) -> None:
    office.only("schools.csv", "pupils.csv", "codes.csv")
    office.files["verzuim.xlsx"] = workbook(
        [
            ["Overzicht"],
            HEADINGS,
            [
                "90AB00",
                1,
                123,
                datetime(2026, 9, 7, 8, 30),
                "",
                210,
                "Z",
                datetime(2026, 9, 7, 9, 15),
                "no",
            ],
            ["90AB00", 2, 124, datetime(2026, 9, 8), datetime(2026, 9, 8), "", "Z", "", "no"],
            ["90AB00", 3, 999, datetime(2026, 9, 8), "", "", "Z", "", "no"],
            ["Totaal", 3],
        ]
    )
    report = office.deliver()
    assert report.places == (Place("verzuim.xlsx", 5, "pupil_number", "pupil_not_known"),)
    rows = sorted(office.newest(LogTable.ABSENCE), key=lambda row: row["starts_at"])
    assert [(row["starts_at"], row["ends_at"], row["minutes"]) for row in rows] == [
        (datetime(2026, 9, 7, 8, 30), None, 210),
        (datetime(2026, 9, 8), datetime(2026, 9, 8, 23, 59), None),
    ]
    assert rows[0]["known_at"] == datetime(2026, 9, 7, 7, 15, tzinfo=UTC)


def test_an_empty_spreadsheet_is_refused(office: Office) -> None:
    office.files["verzuim.xlsx"] = workbook([])
    assert "verzuim.xlsx: the file is empty" in office.refusal()


def test_a_zip_with_a_folder_and_other_things_in_it_is_understood(po: Office) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("__MACOSX/._verzuim.csv", b"\0\0")
        archive.writestr("export/lees mij.pdf", b"%PDF")
        for name, content in po.files.items():
            archive.writestr(f"export/{name}", content)
    path = po.root / "export.zip"
    path.write_bytes(packed.getvalue())
    report = ingest(path, po.home, RECEIVED)
    assert report.ignored_files == ("export/lees mij.pdf",)
    assert report.rows_read == report.new_versions == 8


def test_a_school_can_bring_a_profile_of_its_own(office: Office, tmp_path: Path) -> None:
    text = (PACKAGED / "vo_lesson.toml").read_text(encoding="utf-8")
    own = tmp_path / "profiles"
    own.mkdir()
    (own / "ours.toml").write_text(text.replace('"Registratienummer"', '"Kenmerk"'))
    office.only("schools.csv")
    office.put("leerlingen_vo.csv", VO_PUPILS)
    office.put("verzuim.csv", VO_ABSENCE.replace("Registratienummer", "Kenmerk"))
    report = ingest(office.write(), office.home, RECEIVED, IngestSettings(profiles=str(own)))
    assert read(report)["verzuim.csv"] == ("ours", 2)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda text: text.replace('= "day"', '= "dag"'), "Datum means dag, which is no field"),
        (lambda text: text.replace('"Begin" = "starts"\n', ""), "no heading for starts"),
        (lambda text: text.replace('"Code" = "code"\n', ""), "no heading for code"),
        (lambda text: text.replace("[files.absence", "[files.verzuim"), "no such table"),
        (lambda text: text.replace('file = "verzuim_lessen.csv"', ""), "file is missing"),
        (lambda text: text.replace('Nee = "no"', 'Nee = "nope"'), "Nee means nope, which is no"),
        (
            lambda text: text + "[files.absence.half_days]\nochtend = { minutes = 210 }\n",
            "ochtend needs starts",
        ),
        (lambda text: text.replace("decimal =", "komma ="), "komma is not known"),
        (lambda text: text + "]]", "cannot be read as TOML"),
    ],
)
def test_a_profile_with_a_mistake_is_refused_with_the_place(
    office: Office, tmp_path: Path, spoil: Callable[[str], str], message: str
) -> None:
    own = tmp_path / "profiles"
    own.mkdir()
    text = (PACKAGED / "vo_lesson.toml").read_text(encoding="utf-8")
    (own / "ours.toml").write_text(spoil(text))
    with pytest.raises(SettingsError, match=message):
        ingest(office.write(), office.home, RECEIVED, IngestSettings(profiles=str(own)))
