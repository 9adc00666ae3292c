"""Monday after Monday: publish, publish again, correct a record, make an old list again."""

import csv
import itertools
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pytest
import sqlalchemy as sa

from features.absence import RUN_DAYS, counted_minutes, day_grid, onset_flags, pack
from features.build import KeptParts, build, build_monday, read_monday
from features.errors import NotThere
from features.governance import open_ledger
from features.governance.ledger import Ledger
from features.governance.objections import object_to_processing
from features.governance.use import Action, Purpose, Use
from features.governance.vault import Vault
from features.records import LogTable, RecordLog, parts
from features.records.partition import read_partition
from features.school_weeks import as_of_moment, school_year_of
from features.vocabulary import ABSENT_KINDS, PupilKey, Role
from models.capacity import Capacity
from models.evidence import SchoolRecords
from models.registry import Registry
from serving import list_making
from serving.accounts import Accounts
from serving.beside import BesideStore, Place, SideRow
from serving.decisions import Decisions, Draft, RowAddress
from serving.earlier_lists import EarlierLists
from serving.facts import Day, read_facts
from serving.list_making import make_lists
from serving.lists import Block, ListStore, PublishedList
from serving.scoring import score_monday
from serving.tables import MONTH_COUNTS, open_app
from serving.week import WeeklyRun
from serving.week_facts import AHEAD
from tests.journeys.conftest import A_WEEK_LATER, Installation, copied

MONDAY = date(2026, 11, 9)
NEXT_MONDAY = date(2026, 11, 16)
USE = Use(
    "tests", Role.JOB, Purpose.EARLY_WARNING, Action.SCORE, datetime(2026, 11, 30, 8, tzinfo=UTC)
)


@pytest.fixture(scope="module")
def installation(installation: Installation, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A copy: these journeys publish, correct and object, which no other file must find done."""
    return copied(installation, tmp_path_factory.mktemp("weekly"), A_WEEK_LATER)


@pytest.fixture(scope="module")
def lists(installation: Any) -> ListStore:
    return ListStore(open_app(installation.home))


def test_every_school_has_a_list_within_its_capacity(lists: ListStore) -> None:
    for school in lists.schools():
        published = lists.get(school, MONDAY)
        listed = [row for row in published.rows if row.block is not Block.TOO_LITTLE_DATA]
        assert 0 < len(listed) <= published.capacity
        assert published.capacity >= 4  # as the experiment says; the default would leave three


def test_reasons_carry_dated_records_from_before_the_monday(lists: ListStore) -> None:
    reasons = [
        reason
        for school in lists.schools()
        for row in lists.get(school, MONDAY).rows
        for reason in row.explanation.reasons
    ]
    assert reasons
    for reason in reasons:
        assert reason.evidence
        assert all(line.day < MONDAY for line in reason.evidence)


def test_publishing_twice_changes_nothing(installation: Any, lists: ListStore) -> None:
    before = {school: lists.get(school, MONDAY) for school in lists.schools()}
    output = installation.run("week", "--as-of", str(MONDAY)).output
    assert "0 of" in output and "nothing changed" in output
    assert {school: lists.get(school, MONDAY) for school in lists.schools()} == before


def test_the_list_is_printed_without_names_scores_or_places(
    installation: Any, lists: ListStore
) -> None:
    school = lists.schools()[0]
    output = installation.run("list", "--as-of", str(MONDAY), "--school", school).output
    published = lists.get(school, MONDAY)
    vault = Vault.open(installation.home, {})
    for identity in vault.identities([row.pupil_key for row in published.rows]).values():
        assert identity.family_name not in output
    assert "%" not in output.replace(" % ", "")[:60]


def test_pupils_at_home_stand_beside_the_list_with_their_clocks(
    installation: Any, lists: ListStore
) -> None:
    """Counted again from the days of each pupil, one by one."""
    engine = open_app(installation.home)
    log = RecordLog(installation.home.records)
    found = 0
    for school in lists.schools():
        beside = BesideStore(engine)
        facts = beside.facts(school, MONDAY)
        assert facts is not None and facts.pupils == len(beside.enrolled(school)) > 0
        listed = {row.pupil_key for row in lists.get(school, MONDAY).rows}
        for row in beside.rows(school, MONDAY):
            if row.place is Place.AT_HOME and row.since is not None:
                found += 1
                missed = _missed_in_a_row(log, school, row.pupil_key)
                assert 7 <= len(missed) <= row.school_days
                days = _planned_days(log, school, row.pupil_key, row.since)
                assert days[0].day == row.since <= missed[0]
                assert sum(day.is_most for day in days) == row.school_days
                assert len(days) - row.school_days == row.days_at_school
                assert row.pupil_key not in listed, "listed or at home, never both"
    assert found


def test_the_counts_of_a_region_add_up_from_month_to_month(installation: Any) -> None:
    with open_app(installation.home).begin() as connection:
        rows = connection.execute(sa.select(MONTH_COUNTS).order_by(MONTH_COUNTS.c.month)).all()
    for school in {row.school for row in rows}:
        months = [row for row in rows if row.school == school]
        stocks = [row.over_four_weeks + row.over_three_months for row in months]
        for before, stock, month in zip(stocks, stocks[1:], months[1:], strict=False):
            assert stock == before + month.began - month.returned - month.left
    assert sum(row.began for row in rows) > 0


def test_new_absences_of_a_region_are_the_onsets_that_happened(installation: Any) -> None:
    """Counted by month, in the label that a model learns, and in what the simulator made happen."""
    known = as_of_moment(MONDAY)
    log, onsets = RecordLog(installation.home.records), []
    for school in log.schools():
        days = day_grid(read_partition(log, school, known), school, known, date(2025, 2, 1), MONDAY)
        packed = pack(*counted_minutes(days))
        onsets += [
            days.first_day + timedelta(days=int(packed.day[pupil, place + RUN_DAYS - 1]))
            for pupil, place in np.argwhere(onset_flags(packed))
        ]
    with open_app(installation.home).begin() as connection:
        months = connection.execute(sa.select(MONTH_COUNTS)).all()
    for year in (2025, 2026):
        began = sum(row.began for row in months if school_year_of(row.month) == year)
        reached = sum(school_year_of(day) == year and day < MONDAY for day in onsets)
        assert began == reached
    truth = pl.read_parquet(installation.simulated / "truth" / "onsets.parquet")
    last = truth.filter(pl.col("onset_on").is_between(date(2025, 8, 1), date(2026, 6, 10)))
    began = sum(row.began for row in months if school_year_of(row.month) == 2025)
    assert len(last) >= 5, "too few onsets to say anything"
    assert 0.8 * len(last) <= began <= 1.25 * len(last) + 1


def test_a_later_correction_changes_the_next_monday_and_not_this_one(
    installation: Any, lists: ListStore, tmp_path: Path
) -> None:
    published = _list_in_canonical_form(installation, lists)
    pupil = next(row for row in published.rows if row.block is Block.DISCUSS).pupil_key
    before = _absences(installation, published.school, pupil)
    assert before

    _withdraw_everything(installation, published.school, pupil, tmp_path)
    installation.run("ingest", str(tmp_path / "correction"))
    assert not _absences(installation, published.school, pupil), "the correction is not there"

    verified = installation.run("list", "--as-of", str(MONDAY), "--verify").output
    assert verified.count("identical") == len(lists.schools())

    objecting = _object(installation, lists, published)
    agreed = _agree_to_look_back(installation, lists, published.school)
    installation.run("week", "--as-of", str(NEXT_MONDAY))
    following = lists.get(published.school, NEXT_MONDAY)
    assert pupil not in {row.pupil_key for row in following.rows if row.explanation.reasons}
    assert objecting not in {row.pupil_key for row in following.rows}
    beside = BesideStore(open_app(installation.home))
    back = {row.pupil_key: row.place for row in beside.rows(published.school, NEXT_MONDAY)}
    here = {row.pupil_key for row in following.rows}
    assert agreed in here or back[agreed] in (Place.BY_APPOINTMENT, Place.AT_HOME)
    facts = beside.facts(published.school, NEXT_MONDAY)
    assert facts is not None and facts.objections == 1
    was_listed = {row.pupil_key for row in published.rows if row.block is not Block.TOO_LITTLE_DATA}
    assert {one.pupil_key for one in facts.gone} == was_listed - here - {objecting}
    for school in lists.schools():
        _only_so_many_new_names(lists, school)
    for monday in (MONDAY, NEXT_MONDAY):
        verified = installation.run("list", "--as-of", str(monday), "--verify").output
        assert verified.count("identical") == len(lists.schools())
    earlier = installation.run("week", "--as-of", "2026-11-02", code=1).exception
    assert "Publish Mondays in order" in str(earlier)


def test_every_reading_of_features_stands_in_the_ledger(installation: Any) -> None:
    ledger = Ledger(open_ledger(installation.home))
    rows = ledger.rows()
    assert {"train", "score"} <= {row.action for row in rows}
    assert all(row.pupils > 0 for row in rows)
    assert ledger.verify() == ()
    assert "intact" in installation.run("privacy", "verify").output


def test_errors_are_one_line_with_a_next_step(installation: Any) -> None:
    for arguments, words in (
        (("week", "--as-of", "2026-11-10"), "an as-of date is a Monday"),
        (("list", "--as-of", "2019-11-11"), "run `tijdig week"),
        (("ingest", "nowhere"), "nowhere"),
        (("promote", "--signed-by", "a", "--signed-by", "b"), "not promoted"),
    ):
        problem = installation.run(*arguments, code=1).exception
        assert words in str(problem), (arguments, problem)


def _only_so_many_new_names(lists: ListStore, school: str) -> None:
    """The second Monday keeps names, and brings no more new ones than a week may."""
    first, second = (
        {row.pupil_key for row in lists.get(school, monday).rows if row.explanation.reasons}
        for monday in (MONDAY, NEXT_MONDAY)
    )
    places = lists.get(school, NEXT_MONDAY).capacity
    assert len(second) <= places
    assert len(second - first) <= Capacity().new_names(places)


def _list_in_canonical_form(installation: Any, lists: ListStore) -> PublishedList:
    deliveries = installation.simulated / "deliveries"
    for school in lists.schools():
        published = lists.get(school, MONDAY)
        canonical = (deliveries / school / "absence.csv").exists()
        if canonical and any(row.block is Block.DISCUSS for row in published.rows):
            return published
    raise AssertionError("no school in canonical form has a list")


def _absences(installation: Any, school: str, pupil_key: PupilKey) -> list[object]:
    log = RecordLog(installation.home.records)
    table = log.read_as_of(
        LogTable.ABSENCE, as_of_moment(NEXT_MONDAY), schools=[school], pupil_keys=[pupil_key]
    )
    return [kind for kind in table["kind"].to_pylist() if kind in ABSENT_KINDS]


def _object(installation: Any, lists: ListStore, published: PublishedList) -> PupilKey:
    """Parents object on Monday: the care coordinator records it with the row of that week."""
    engine, moment = open_app(installation.home), datetime(2026, 11, 9, 10, tzinfo=UTC)
    account = Accounts(engine).add("ib@x.invalid", "I. B.", Role.CARE_COORDINATOR, [], moment)
    row = published.rows[-1]
    object_to_processing(
        open_ledger(installation.home),
        row.pupil_key,
        published.school,
        account.email,
        account.role,
        moment,
    )
    return row.pupil_key


def _agree_to_look_back(installation: Any, lists: ListStore, school: str) -> PupilKey:
    """A pupil added by hand, with an appointment for the next week."""
    engine, moment = open_app(installation.home), datetime(2026, 11, 9, 11, tzinfo=UTC)
    account = Accounts(engine).find("ib@x.invalid")
    listed = {row.pupil_key for row in lists.get(school, MONDAY).rows}
    beside = BesideStore(engine)
    taken = {row.pupil_key for row in beside.rows(school, MONDAY)}
    key = next(key for key in sorted(beside.enrolled(school)) if key not in listed | taken)
    (row,) = beside.place([SideRow(school, MONDAY, key, Place.ADDED, "")], moment)
    draft = Draft(kind="plan_talk", look_back_on="2026-11-18")
    assert account is not None
    address = RowAddress(row.row_id, school, key, MONDAY)
    Decisions(engine).decide(address, draft, account.account_id, moment)
    return key


def _planned_days(log: RecordLog, school: str, pupil_key: PupilKey, first: date) -> list[Day]:
    weeks = read_facts(log, school, pupil_key, MONDAY).weeks
    return [day for week in weeks for day in week.days if day.is_planned and day.day >= first]


def _missed_in_a_row(log: RecordLog, school: str, pupil_key: PupilKey) -> list[date]:
    """The planned days up to the Monday, backwards, as long as half or more was missed."""
    facts = read_facts(log, school, pupil_key, MONDAY)
    days = [day for week in facts.weeks for day in week.days if day.is_planned]
    backwards = itertools.takewhile(lambda day: day.is_most, reversed(days))
    return [day.day for day in backwards][::-1]


def _withdraw_everything(installation: Any, school: str, pupil_key: PupilKey, folder: Path) -> None:
    """A delivery in which the school takes back all records of one pupil, after the Monday."""
    number = Vault.open(installation.home, {}).identities([pupil_key])[pupil_key].pupil_number
    source = installation.simulated / "deliveries" / school / "absence.csv"
    (folder / "correction").mkdir()
    with (
        source.open(encoding="utf-8", newline="") as old,
        (folder / "correction" / "absence.csv").open("w", encoding="utf-8", newline="") as new,
    ):
        rows = csv.DictReader(old)
        assert rows.fieldnames
        writer = csv.DictWriter(new, rows.fieldnames)
        writer.writeheader()
        for row in rows:
            if row["pupil_number"] == number:
                writer.writerow(
                    row | {"withdrawn": "yes", "recorded_at": "2026-11-11T12:00:00+01:00"}
                )


def test_lists_hang_on_neither_threads_nor_parts(
    installation: Any, lists: ListStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every school in a part of its own on three threads, or alone: the lists as published."""
    schools = lists.schools()
    published = {school: lists.get(school, MONDAY) for school in schools}
    log = RecordLog(installation.home.records, head=published[schools[0]].log_head)
    run = WeeklyRun.at(installation.home, USE)
    table = pa.concat_tables(build(log, [MONDAY]))
    for size, chosen in ((1, schools), (10**6, schools), (1, schools[1:2])):
        monkeypatch.setattr(parts, "PLACEMENTS_READ", size)
        monkeypatch.setattr(parts, "cores", lambda: 3)
        part = table.filter(pc.is_in(table["school"], pa.array(chosen)))
        scored = score_monday(MONDAY, part, Registry.at(installation.home).bundle(1))
        earlier = EarlierLists(open_app(installation.home), MONDAY)
        cut = scored.cut(earlier.counting())
        known = published[schools[0]].frequencies
        terms = run._terms(scored, "1", known, log.head())
        asked = {school: run._school(cut, earlier, school) for school in chosen}
        made = [one.published for one in make_lists(log, terms, asked)]
        assert [one.school for one in made] == list(chosen)
        for one in made:
            assert one.content_hash == published[one.school].content_hash


def test_lists_are_the_same_from_what_was_kept_and_from_what_is_read_again(
    installation: Any, lists: ListStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was read for the features is kept for the lists as far as there is room."""
    monkeypatch.setattr(parts, "PLACEMENTS_READ", 1)
    schools = lists.schools()
    published = {school: lists.get(school, MONDAY) for school in schools}
    log = RecordLog(installation.home.records, head=published[schools[0]].log_head)
    run = WeeklyRun.at(installation.home, USE)
    plain = pa.concat_tables(build(log, [MONDAY]))
    for room, number in ((0, 0), (_size_of_first_part(log) + 1, 1), (1 << 40, len(schools))):
        kept = KeptParts(room)
        table = pa.concat_tables(build_monday(log, MONDAY, AHEAD, kept))
        assert table.to_pandas().equals(plain.to_pandas())
        scored = score_monday(MONDAY, table, Registry.at(installation.home).bundle(1))
        earlier = EarlierLists(open_app(installation.home), MONDAY)
        cut = scored.cut(earlier.counting())
        terms = run._terms(scored, "1", published[schools[0]].frequencies, log.head())
        asked = {school: run._school(cut, earlier, school) for school in schools}
        read: list[Any] = []
        with monkeypatch.context() as patched:
            patched.setattr(list_making, "read_monday", _noting(read, read_monday))
            made = [one.published for one in make_lists(log, terms, asked, kept)]
        assert [one.school for one in made] == list(schools)
        assert len(read) == len(schools) - number
        for one in made:
            assert one.content_hash == published[one.school].content_hash


def test_what_was_kept_of_an_older_log_is_read_again(installation: Any) -> None:
    log, kept = RecordLog(installation.home.records), KeptParts(1 << 40)
    schools = log.schools()
    for _ in build_monday(log, MONDAY, AHEAD, kept):
        pass
    assert list(kept.hand_over(log.head() + 1, schools)) == []
    for _ in build_monday(log, MONDAY, AHEAD, kept):
        pass
    handed = list(kept.hand_over(log.head(), schools))
    assert [school for part in handed for school in part.schools] == schools
    assert list(kept.hand_over(log.head(), schools)) == []  # each once


def _size_of_first_part(log: RecordLog) -> int:
    return read_monday(log, log.schools()[:1], MONDAY, AHEAD).nbytes


def _noting(calls: list[Any], function: Any) -> Any:
    def noting(*arguments: Any) -> Any:
        calls.append(arguments)
        return function(*arguments)

    return noting


def test_an_error_in_one_school_is_told_and_nothing_is_published(
    own: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = own.home
    lists = ListStore(open_app(home))
    before, schools = set(lists.mondays()), lists.schools()
    last = max(before) + timedelta(weeks=1)
    monkeypatch.setattr(parts, "PLACEMENTS_READ", 1)
    plain = SchoolRecords

    def fails(tables: Any, school: str, *others: Any) -> Any:
        if school == schools[-1]:
            raise NotThere(f"school {school} cannot be explained; build its features again")
        return plain(tables, school, *others)

    with monkeypatch.context() as patched:
        patched.setattr(list_making, "SchoolRecords", fails)
        with pytest.raises(NotThere, match=f"school {schools[-1]} cannot be explained"):
            WeeklyRun.at(home, USE).publish(last, lambda _: None)
        assert set(lists.mondays()) == before
    assert WeeklyRun.at(home, USE).publish(last, lambda _: None).published == len(schools)
