"""What a school says of itself: whether its reports of illness run on through a holiday."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import DeltaTable, write_deltalake

from features.ingest import IngestSettings, Place, ingest
from features.ingest.forms import PACKAGED
from features.ingest.preview import FilePreview, preview
from features.records import LogTable
from tests.ingest.office import RECEIVED, Office

WEEK = timedelta(weeks=1)
SETTING = "episodes_over_holidays"


def say(office: Office, word: str) -> None:
    """The file of schools, with `word` in the column of the setting."""
    office.put(
        "schools.csv", f"school,name,sector,region,{SETTING}\n90AB00,De Linde,po,midden,{word}"
    )


def said(office: Office) -> list[bool | None]:
    return [row[SETTING] for row in office.newest(LogTable.SCHOOLS)]


@pytest.mark.parametrize(("word", "kept"), [("yes", True), ("No", False), ("", None)])
def test_yes_no_or_nothing(office: Office, word: str, kept: bool | None) -> None:
    say(office, word)
    assert office.deliver().places == ()
    assert said(office) == [kept]


def test_a_file_without_the_column_or_with_blank_cells_says_the_same(office: Office) -> None:
    office.deliver()
    assert said(office) == [None]
    say(office, "")
    assert office.deliver(RECEIVED + WEEK).new_versions == 0


def test_it_is_known_always_at_first_and_later_from_its_delivery(office: Office) -> None:
    office.deliver()
    say(office, "yes")
    assert office.deliver(RECEIVED + WEEK).new_versions == 1
    assert office.deliver(RECEIVED + 2 * WEEK).new_versions == 0
    assert [(row["known_at"], row[SETTING]) for row in office.versions(LogTable.SCHOOLS)] == [
        (datetime(1970, 1, 1, tzinfo=UTC), None),
        (RECEIVED + WEEK, True),
    ]


def test_a_later_file_without_the_column_switches_it_off(office: Office) -> None:
    without = office.files["schools.csv"]
    say(office, "yes")
    office.deliver()
    office.files["schools.csv"] = without
    report = office.deliver(RECEIVED + WEEK)
    assert [count.changed for count in report.files if count.file == "schools.csv"] == [1]
    assert said(office) == [None]


def test_another_word_is_set_apart_and_not_repeated(office: Office) -> None:
    say(office, "sometimes")
    report = office.deliver()
    assert Place("schools.csv", 2, SETTING, "value_not_known") in report.places
    assert "sometimes" not in "".join(report.lines()) + report.to_json()
    assert said(office) == []


def test_a_preview_shows_it(office: Office) -> None:
    say(office, "yes")
    [one] = [
        found
        for found in preview(office.write(), office.home, RECEIVED)
        if isinstance(found, FilePreview) and found.file == "schools.csv"
    ]
    assert one.rows[0][one.fields.index(SETTING)] == "yes"


def test_a_school_says_it_under_its_own_heading_in_its_own_words(
    office: Office, tmp_path: Path
) -> None:
    text = (PACKAGED / "canonical.toml").read_text(encoding="utf-8")
    ours = text.replace(f"\n{SETTING} =", '\n"Ziekmelding loopt door" =')
    ours = ours.replace(f'optional = ["{SETTING}"]', 'optional = ["Ziekmelding loopt door"]')
    ours += f'\n[files.schools.values.{SETTING}]\nJa = "yes"\nNee = "no"\n'
    folder = tmp_path / "profiles"
    folder.mkdir()
    (folder / "canonical.toml").write_text(ours, encoding="utf-8")
    say(office, "ja")
    office.change("schools.csv", SETTING, "Ziekmelding loopt door")
    report = ingest(office.write(), office.home, RECEIVED, IngestSettings(profiles=str(folder)))
    assert report.places == ()
    assert said(office) == [True]


def test_a_log_from_before_the_setting_is_read_and_goes_on(office: Office) -> None:
    office.deliver()
    path = str(office.home.records / "schools")
    old = pa.table(DeltaTable(path).to_pyarrow_table()).drop_columns([SETTING])
    write_deltalake(path, old, mode="overwrite", schema_mode="overwrite")
    assert said(office) == [None]
    assert office.deliver(RECEIVED + WEEK).new_versions == 0
    say(office, "yes")
    assert office.deliver(RECEIVED + 2 * WEEK).new_versions == 1
    assert said(office) == [True]
