"""A school's data manager hears of which group nothing was registered in which week."""

import json
from datetime import datetime
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from features.errors import NotThere
from serving.cli import tijdig
from tests.ingest.office import Office, new_office

NOW = "2026-11-09T08:00:00+01:00"
GROUPS = {"5A": range(200, 212), "5B": range(300, 312)}


@pytest.fixture
def office(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Office:
    """Two groups of twelve; in the week of 26 October (after the holiday) all of 5B were late."""
    monkeypatch.setenv("TIJDIG_NOW", NOW)
    office = new_office(tmp_path)
    office.only("schools.csv", "codes.csv", "timetable.csv", "pupils.csv", "absence.csv")
    pupils, timetable, absence = (
        office.files[name].decode().splitlines()[:1]
        for name in ("pupils.csv", "timetable.csv", "absence.csv")
    )
    for group, numbers in GROUPS.items():
        timetable += [f"90AB00,{group},,{day},2026-08-01,,300" for day in range(1, 6)]
        for number in numbers:
            pupils.append(f"90AB00,{number},,,,2016-03,5,{group},2026-08-01,,")
            for week in ("10-12", "10-26", "11-02"):
                if group == "5B" or week == "10-12":
                    day = f"2026-{week}T08:40"
                    absence.append(f"90AB00,{number} {week},{number},{day},{day},,L,{day}:30,no")
    office.files["codes.csv"] += b"90AB00,L,late_arrival,no\n"
    # In the last week 5A was registered too.
    absence.append("90AB00,z,200,2026-11-03T08:30,,,Z,2026-11-03T09:00:00,no")
    for name, rows in (("pupils", pupils), ("timetable", timetable), ("absence", absence)):
        office.files[f"{name}.csv"] = ("\n".join(rows) + "\n").encode()
    return office


def run(office: Office, *words: str) -> Result:
    return CliRunner().invoke(tijdig, ["--home", str(office.home.root), *words])


SILENT = "90AB00, week of 2026-10-26: nothing was registered of group 5A"


def test_an_import_ends_with_the_group_of_which_a_week_is_missing(office: Office) -> None:
    said = run(office, "ingest", str(office.write())).output.splitlines()
    assert SILENT in said
    assert said[-1].startswith("1 group-week in the last 12 school weeks, at 1 school,")
    assert not any("00200" in line or "200" in line for line in said if "week" in line)


def test_asked_for_it_says_so_again_and_to_a_script_as_json(office: Office) -> None:
    run(office, "ingest", str(office.write()))
    assert run(office, "unregistered").output.splitlines()[0] == SILENT
    found = json.loads(run(office, "unregistered", "--school", "90AB00", "--json").output)
    assert found == [{"school": "90AB00", "monday": "2026-10-26", "groups": ["5A"]}]
    recent = run(office, "unregistered", "--weeks", "1").output
    assert recent == "no group without registration in the last school week, at 1 school\n"


def test_once_the_register_is_delivered_it_is_gone(office: Office) -> None:
    run(office, "ingest", str(office.write()))
    office.files["absence.csv"] += (
        b"90AB00,late,201,2026-10-27T08:30,2026-10-27T14:00,,Z,2026-10-27T09:00:00,no\n"
    )
    said = run(office, "ingest", str(office.write())).output
    assert "group-week" not in said
    assert run(office, "unregistered").output.startswith("no group without registration")


def test_of_very_many_schools_the_import_names_the_command_instead(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("serving.commands.registration.SCHOOLS_AFTER_INGEST", 0)
    said = run(office, "ingest", str(office.write())).output.splitlines()
    assert said[-1].startswith("`tijdig unregistered` tells")
    assert SILENT not in said


def test_without_holidays_on_file_the_import_still_ends_well(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TIJDIG_NOW", "2031-11-10T08:00:00+01:00")
    result = run(office, "ingest", str(office.write()))
    assert result.exit_code == 0
    assert "whether groups were registered was not looked at: no holidays on file" in result.output


def test_for_a_script_the_import_report_stays_json_only(office: Office) -> None:
    report = json.loads(run(office, "ingest", "--json", str(office.write())).output)
    assert datetime.fromisoformat(report["received_at"]) == datetime.fromisoformat(NOW)


def test_a_school_that_is_not_there_is_named_with_those_that_are(office: Office) -> None:
    run(office, "ingest", str(office.write()))
    problem = run(office, "unregistered", "--school", "90XX00").exception
    assert isinstance(problem, NotThere)
    assert str(problem) == "no school 90XX00 in the records; known: 90AB00"
