"""A pupil who changes school keeps one history if two people sign; otherwise starts anew."""

import dataclasses
import json
import logging
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from features.errors import MatchRefused
from features.governance.vault import Vault
from features.ingest import pupil_keys
from features.ingest.moves import (
    MatchFile,
    apply_matches,
    propose_matches,
    read_match_file,
    sign,
)
from features.records import LogTable, RecordLog
from features.records.leavers import leavers
from features.vocabulary import PupilKey, Role
from tests.ingest.office import RECEIVED, Office

LATER = RECEIVED + timedelta(days=1)
MUCH_LATER = RECEIVED + timedelta(weeks=3)
NAMES = ("Sam", "Okafor", "Noor", "Meerveld", "00123", "4001")


@pytest.fixture
def moved(office: Office) -> Office:
    """Sam left De Linde in July; in August a Sam begins at another school."""
    office.files["schools.csv"] += b"90CD00,De Brug,vo,midden\n"
    office.files["codes.csv"] += b"90CD00,Z,sick,yes\n"
    office.files["timetable.csv"] += b"90CD00,,4001,1,2026-08-01,,300\n"
    office.files["pupils.csv"] += (
        "90CD00,4001,Sam,,Ókafor,2016-07,1,1A,2026-08-01,,\n"
        "90CD00,4002,Lot,,Vis,2016-07,1,1A,2026-08-01,,\n"
    ).encode()
    office.files["absence.csv"] += (
        b"90CD00,x1,4001,2026-09-07T08:30,2026-09-07T14:45,,Z,2026-09-07T09:15:00,no\n"
    )
    office.deliver()
    return office


def keys(office: Office) -> tuple[str, str]:
    """What Sam is called at the school of before and at that of now."""
    before, now = pupil_keys(office.home, ["90AB00", "90CD00"], ["124", "4001"])
    assert before is not None
    assert now is not None
    return before, now


def signed(office: Office, file: MatchFile) -> MatchFile:
    for name in ("Els de Boer", "Jan Smit"):
        file = sign(office.home, file, name, LATER, {})
    return file


def rows_of(office: Office, key: str, moment: Any = MUCH_LATER) -> dict[str, int]:
    log = RecordLog(office.home.records)
    tables = (LogTable.PLACEMENTS, LogTable.ABSENCE, LogTable.TIMETABLE)
    return {str(one): log.read_as_of(one, moment, pupil_keys=[key]).num_rows for one in tables}


def test_a_proposal_names_nobody(
    moved: Office, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        file = propose_matches(moved.home, LATER, {})
        file.write(tmp_path / "matches.json")
    before, now = keys(moved)
    [one] = file.matches
    assert (one.kept_key, one.from_school) == (before, "90AB00")
    assert (one.key, one.to_school) == (now, "90CD00")
    written = (tmp_path / "matches.json").read_text()
    for name in NAMES:
        assert name not in written + caplog.text + repr(file)
    assert (tmp_path / "matches.json").stat().st_mode & 0o777 == 0o600


def test_after_two_signatures_one_key_holds_both_schools(moved: Office) -> None:
    before, now = keys(moved)
    assert rows_of(moved, before) == {"placements": 1, "absence": 1, "timetable": 0}
    file = signed(moved, propose_matches(moved.home, LATER, {}))
    assert apply_matches(moved.home, file, LATER, {}) > 0
    assert keys(moved) == (before, before)
    assert rows_of(moved, before) == {"placements": 2, "absence": 2, "timetable": 1}
    assert rows_of(moved, now) == {"placements": 0, "absence": 0, "timetable": 0}
    [name] = Vault.open(moved.home, {}).identities([PupilKey(before)]).values()
    assert (name.pupil_number, name.family_name) == ("4001", "Ókafor")


def test_what_was_known_before_the_match_stays_as_it_was(moved: Office) -> None:
    before, now = keys(moved)
    file = signed(moved, propose_matches(moved.home, LATER, {}))
    apply_matches(moved.home, file, LATER, {})
    assert rows_of(moved, now, LATER) == {"placements": 1, "absence": 1, "timetable": 1}
    assert rows_of(moved, before, LATER) == {"placements": 1, "absence": 1, "timetable": 0}


def test_the_next_delivery_goes_on_under_the_kept_key_and_adds_nothing(moved: Office) -> None:
    file = signed(moved, propose_matches(moved.home, LATER, {}))
    apply_matches(moved.home, file, LATER, {})
    assert moved.deliver(RECEIVED + timedelta(weeks=1)).new_versions == 0
    assert apply_matches(moved.home, file, MUCH_LATER, {}) == 0
    assert propose_matches(moved.home, MUCH_LATER, {}).matches == ()


def test_without_a_match_the_pupil_starts_anew(moved: Office) -> None:
    before, now = keys(moved)
    assert before != now


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda file: dataclasses.replace(file, signatures=()), "signed by 0"),
        (lambda file: dataclasses.replace(file, signatures=file.signatures[:1]), "signed by 1"),
        (
            lambda file: dataclasses.replace(
                file, matches=(dataclasses.replace(file.matches[0], key="p1other"),)
            ),
            "altered after they were signed",
        ),
        (
            lambda file: dataclasses.replace(
                file,
                signatures=(
                    file.signatures[0],
                    dataclasses.replace(file.signatures[1], name="Els  de Boer"),
                ),
            ),
            "altered after they were signed",
        ),
    ],
)
def test_without_two_signatures_on_these_very_matches_nothing_happens(
    moved: Office, change: Any, message: str
) -> None:
    file = signed(moved, propose_matches(moved.home, LATER, {}))
    stored = moved.stored()
    with pytest.raises(MatchRefused, match=message):
        apply_matches(moved.home, change(file), LATER, {})
    assert moved.stored() == stored


def test_one_person_cannot_sign_twice(moved: Office) -> None:
    file = sign(moved.home, propose_matches(moved.home, LATER, {}), "Els de Boer", LATER, {})
    with pytest.raises(MatchRefused, match="a second person must sign"):
        sign(moved.home, file, " els DE boer", LATER, {})


def test_a_match_of_a_pupil_nobody_knows_is_refused(moved: Office) -> None:
    file = propose_matches(moved.home, LATER, {})
    strange = MatchFile((dataclasses.replace(file.matches[0], key="p1nobody"),))
    with pytest.raises(MatchRefused, match="1 of 1 matches name a pupil that the log does not"):
        apply_matches(moved.home, signed(moved, strange), LATER, {})


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("Sam,,Ókafor,2016-07", "Sam,,Ókafor,2016-08"),
        ("Sam,,Ókafor,2016-07", "Sem,,Ókafor,2016-07"),
        ("Sam,,Ókafor,2016-07", ",,,2016-07"),
        ("2016-07,1,1A,2026-08-01", "2016-07,1,1A,2025-08-01"),
        ("2026-07-31,school", "2026-07-31,exemption"),
    ],
)
def test_another_name_month_or_time_is_no_match(moved: Office, old: str, new: str) -> None:
    moved.change("pupils.csv", old, new)
    other = Office(moved.root / "other", dict(moved.files))
    other.root.mkdir()
    other.deliver()
    assert propose_matches(other.home, LATER, {}).matches == ()


def test_two_who_fit_as_well_are_left_to_people(moved: Office) -> None:
    moved.files["pupils.csv"] += b"90CD00,4003,Sam,,Okafor,2016-07,1,1B,2026-08-01,,\n"
    moved.deliver(RECEIVED + timedelta(hours=1))
    file = propose_matches(moved.home, LATER, {})
    assert (file.matches, file.unclear) == ((), 2)


def test_a_file_survives_being_written_and_read(moved: Office, tmp_path: Path) -> None:
    file = signed(moved, propose_matches(moved.home, LATER, {}))
    file.write(tmp_path / "matches.json")
    assert read_match_file(tmp_path / "matches.json") == file


@pytest.mark.parametrize("content", ["", "[]", '{"matches": [{"key": 1}]}', "\x00"])
def test_something_else_is_refused_as_a_match_file(tmp_path: Path, content: str) -> None:
    (tmp_path / "matches.json").write_text(content)
    with pytest.raises(MatchRefused, match="is no match file"):
        read_match_file(tmp_path / "matches.json")


def test_who_objected_is_neither_proposed_nor_matched(moved: Office) -> None:
    from features.governance import open_ledger
    from features.governance.objections import object_to_processing

    file = signed(moved, propose_matches(moved.home, LATER, {}))
    _, now = keys(moved)
    engine = open_ledger(moved.home)
    object_to_processing(engine, PupilKey(now), "90CD00", "fg", Role.PRIVACY_OFFICER, LATER)
    with pytest.raises(MatchRefused, match="1 of 1 matches are about a pupil for whom"):
        apply_matches(moved.home, file, MUCH_LATER, {})
    assert keys(moved)[1] == now
    assert propose_matches(moved.home, MUCH_LATER, {}).matches == ()


def test_all_pseudonyms_of_a_person_can_be_found(moved: Office) -> None:
    before, now = keys(moved)
    vault = Vault.open(moved.home, {})
    assert vault.known_as(PupilKey(before)) == (before,)
    apply_matches(moved.home, signed(moved, propose_matches(moved.home, LATER, {})), LATER, {})
    assert vault.known_as(PupilKey(before)) == (before, now)
    assert vault.known_as(PupilKey(now)) == (now, before)


def test_a_forgotten_pupil_is_forgotten_at_both_schools(moved: Office) -> None:
    apply_matches(moved.home, signed(moved, propose_matches(moved.home, LATER, {})), LATER, {})
    before, _ = keys(moved)
    vault = Vault.open(moved.home, {})
    assert vault.forget(PupilKey(before)) == 2
    assert pupil_keys(moved.home, ["90AB00", "90CD00"], ["124", "4001"]) == [None, None]


class TestLeavers:
    """Who left, and whether a next school is known."""

    def told(self, office: Office) -> list[tuple[str, str]]:
        found = leavers(RecordLog(office.home.records), MUCH_LATER)
        return list(found.select("school", "left_to").iter_rows())

    def test_who_left_to_an_unnamed_place_has_no_known_next_school(self, office: Office) -> None:
        office.change("pupils.csv", "2026-07-31,school", "2026-07-31,")
        office.deliver()
        assert self.told(office) == [("90AB00", "unknown")]

    def test_a_signed_match_is_a_known_next_school(self, moved: Office) -> None:
        moved.change("pupils.csv", "2026-07-31,school", "2026-07-31,unknown")
        moved.deliver(RECEIVED + timedelta(hours=1))
        assert self.told(moved) == [("90AB00", "unknown")]
        apply_matches(moved.home, signed(moved, propose_matches(moved.home, LATER, {})), LATER, {})
        assert self.told(moved) == [("90AB00", "school")]

    def test_an_end_that_has_not_come_is_none(self, office: Office) -> None:
        office.change("pupils.csv", "2026-07-31,school", "2027-07-31,school")
        office.deliver()
        assert self.told(office) == []


def test_the_commands_need_two_people(
    moved: Office, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from click.testing import CliRunner

    from features.governance import open_ledger
    from features.governance.audit import AuditChain
    from serving.cli import tijdig

    monkeypatch.setenv("TIJDIG_NOW", LATER.isoformat())
    monkeypatch.chdir(tmp_path)
    run = CliRunner()
    home = ["--home", str(moved.home.root), "match"]
    said = run.invoke(tijdig, [*home, "propose", "--out", "m.json"], catch_exceptions=False)
    assert "1 pupils may have moved" in said.output.replace("\n", "")
    run.invoke(tijdig, [*home, "sign", "m.json", "--by", "Els"], catch_exceptions=False)
    with pytest.raises(MatchRefused, match="signed by 1"):
        run.invoke(tijdig, [*home, "apply", "m.json"], catch_exceptions=False)
    run.invoke(tijdig, [*home, "sign", "m.json", "--by", "Jan"], catch_exceptions=False)
    said = run.invoke(tijdig, [*home, "apply", "m.json"], catch_exceptions=False)
    assert "1 pupils go on under one key" in said.output.replace("\n", "")
    events = AuditChain(open_ledger(moved.home)).rows()
    assert "pupils matched" in [row.event for row in events]
    assert len(json.loads(Path("m.json").read_text())["signatures"]) == 2
    monkeypatch.setenv("TIJDIG_INGEST_MOVES", "anew")
    with pytest.raises(MatchRefused, match="start anew"):
        run.invoke(tijdig, [*home, "propose", "--out", "n.json"], catch_exceptions=False)
