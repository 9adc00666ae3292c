"""What a profile makes of a file before it is taken in, and the nearest profile for another."""

from pathlib import Path

import pytest

from features.errors import DeliveryRefused
from features.ingest import ingest
from features.ingest.preview import FilePreview, check_profile, preview
from features.ingest.proposing import Proposal
from tests.ingest.office import RECEIVED, Office, workbook

SECRETS = ("Noor", "Meerveld", "00123", "124", "2016-03", "r1", "Kanarie")

OWN_HEADINGS = """
Overzicht van De Linde
Vestigingscode;Leerlingnr;Verzuimdatum;Dagdeel;Reden verzuim;Mutatienr;Gewijzigd d.d.;Vervallen;X
90AB00;0123;07/09/2026;ochtend;Ziek;501;07/09/2026 09:10;N;06
90AB00;0123;07/09/2026;middag;Ziek;502;07/09/2026 09:10;N;06
"""


def said(found: list[FilePreview | Proposal]) -> str:
    return "\n".join(line for one in found for line in one.lines())


def test_a_preview_shows_the_fields_and_masks_the_pupils(office: Office) -> None:
    text = said([*preview(office.write(), office.home, RECEIVED)])
    assert "absence.csv: read as absence by profile canonical" in text
    assert "2026-09-07 08:30" in text
    assert "•••" in text
    for secret in SECRETS:
        assert secret not in text
    assert office.stored() == {}


def test_a_name_typed_for_a_code_is_masked_too(office: Office) -> None:
    office.change("absence.csv", ",,O,", ",,Kanarie,")
    assert "Kanarie" not in said(preview(office.write(), office.home, RECEIVED))


def test_a_preview_says_what_could_not_be_placed(office: Office) -> None:
    office.change("absence.csv", "2026-09-14T08:30", "14/9/2026 8u30")
    office.change("absence.csv", "r3,124,", "r3,124,,")
    [one] = [
        found
        for found in preview(office.write(), office.home, RECEIVED)
        if isinstance(found, FilePreview) and found.file == "absence.csv"
    ]
    assert [(place.row, place.column, place.rule) for place in one.broken] == [
        (3, "starts_at", "not_a_local_moment"),
        (4, "", "wrong_number_of_cells"),
    ]
    lines = "\n".join(one.lines())
    assert "'starts_at' not a local moment: 1 rows, first 3" in lines
    assert "?" in lines
    assert "8u30" not in lines


def test_a_preview_of_a_file_nobody_knows_is_a_proposal(office: Office) -> None:
    office.only()
    office.put("export.csv", OWN_HEADINGS, "cp1252")
    [one] = preview(office.write(), office.home, RECEIVED)
    assert isinstance(one, Proposal)


def test_the_nearest_profile_with_what_matches_and_what_lacks(office: Office) -> None:
    office.only()
    office.put("export.csv", OWN_HEADINGS, "cp1252")
    [one] = check_profile(office.write(), office.home)
    assert (one.form.profile, one.heading_row) == ("po_half_day", 2)
    assert one.placed["Dagdeel"] == "half_day"
    assert one.guessed == {
        "Vestigingscode": "school",
        "Leerlingnr": "pupil_number",
        "Verzuimdatum": "day",
        "Reden verzuim": "code",
        "Mutatienr": "record_id",
        "Gewijzigd d.d.": "recorded_at",
    }
    assert one.lacking == ()
    assert one.unplaced == ("X",)
    assert "0123" not in one.toml + "\n".join(one.lines())


def test_the_proposed_profile_reads_the_file(office: Office) -> None:
    office.deliver()
    office.only("codes.csv")
    office.put("codes.csv", "school,code,category,authorised\n90AB00,Ziek,sick,yes\n")
    office.put("export.csv", OWN_HEADINGS, "cp1252")
    folder = office.write()
    [one] = check_profile(folder / "export.csv", office.home)
    own = office.home.root / "profiles"
    own.mkdir()
    (own / "ours.toml").write_text(one.toml, encoding="utf-8")
    report = ingest(folder, office.home, RECEIVED)
    assert report.places == ()
    [export] = [count for count in report.files if count.file == "export.csv"]
    assert (export.profile, export.accepted, export.dropped_columns) == ("ours", 2, ())


def test_a_spreadsheet_can_be_checked_too(office: Office) -> None:
    path = office.root / "boek.xlsx"
    path.write_bytes(
        workbook([["Lijst"], ["ovnr", "datum van", "uur begin", "lesuureind", "soort verzuim"]])
    )
    [one] = check_profile(path, office.home)
    assert one.form.profile == "mbo_lesson_range"
    assert one.heading_row == 2


def test_a_blocked_heading_is_named_and_never_proposed(office: Office) -> None:
    office.only()
    office.put("export.csv", OWN_HEADINGS.replace(";X", ";BSN"), "cp1252")
    [one] = check_profile(office.write(), office.home)
    assert one.blocked == ("BSN",)
    assert "BSN" not in one.toml
    assert any("may not come in: 'BSN'" in line for line in one.lines())


def test_a_file_without_headings_is_refused(office: Office, tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("90AB00;0123;07-09-2026\n90AB00;0124;07-09-2026\n")
    with pytest.raises(DeliveryRefused, match="nothing like a line of headings"):
        check_profile(path, office.home)
