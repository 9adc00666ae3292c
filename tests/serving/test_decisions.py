"""Decisions: kept once, back on the right Monday, with how it went; help given is a mark."""

from datetime import date, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from features.settings import Home
from features.vocabulary import PupilKey, Role
from serving.accounts import Accounts
from serving.decisions import Decisions, Draft, RowAddress, appointments, check
from serving.steps import STEPS, DecisionKind, NoActionBecause, Outcome
from serving.tables import open_app
from tests.serving.invented_school import MONDAY, NOW, SCHOOL

ANNA, BO = PupilKey("p1anna"), PupilKey("p1bo")


@pytest.fixture
def engine(tmp_path: Path) -> sa.Engine:
    return open_app(Home(tmp_path))


@pytest.fixture
def account(engine: sa.Engine) -> str:
    accounts = Accounts(engine)
    return accounts.add("a@b.example", "A", Role.CARE_COORDINATOR, [SCHOOL], NOW).account_id


def address(key: PupilKey, as_of: date = MONDAY) -> RowAddress:
    return RowAddress(f"row-{key}-{as_of}", SCHOOL, key, as_of)


def test_every_step_stands_in_the_ladder_once_and_has_words() -> None:
    steps = [kind for _heading, kinds in STEPS for kind in kinds]
    assert sorted(steps) == sorted(DecisionKind)
    for one in (*DecisionKind, *NoActionBecause, *Outcome):
        assert one.label


@pytest.mark.parametrize(
    ("look_back_on", "back_on"),
    [
        ("2026-11-30", "2026-11-30"),  # the Monday itself
        ("2026-12-02", "2026-11-30"),  # a Wednesday: on the list of its week
        ("2026-12-05", "2026-12-07"),  # a Saturday: the next Monday
        ("2026-11-18", "2026-11-23"),  # this very week: that list is out already
    ],
)
def test_a_look_back_date_returns_the_pupil_on_the_right_monday(
    engine: sa.Engine, account: str, look_back_on: str, back_on: str
) -> None:
    decisions = Decisions(engine)
    draft = Draft(kind="plan_talk", look_back_on=look_back_on)
    assert check(draft, NOW.date()) == ()
    decisions.decide(address(ANNA), draft, account, NOW)
    kept = decisions.of_school(SCHOOL)
    mondays = [MONDAY + timedelta(weeks=week) for week in range(5)]
    due = [monday.isoformat() for monday in mondays if ANNA in appointments(kept, monday)]
    assert due[0] == back_on
    assert due == [day.isoformat() for day in mondays if day.isoformat() >= back_on]


def test_a_newer_decision_ends_the_appointment(engine: sa.Engine, account: str) -> None:
    decisions = Decisions(engine)
    later, last = MONDAY + timedelta(weeks=1), MONDAY + timedelta(weeks=2)
    agreed = Draft(kind="follow_until", look_back_on=later.isoformat())
    decisions.decide(address(ANNA), agreed, account, NOW)
    assert ANNA in appointments(decisions.of_school(SCHOOL), later)
    decisions.decide(address(ANNA, later), Draft(kind="call"), account, NOW + timedelta(days=7))
    assert ANNA in appointments(decisions.of_school(SCHOOL), later), "it was due that week"
    assert ANNA not in appointments(decisions.of_school(SCHOOL), last)


def test_nobody_comes_back_after_an_objection(engine: sa.Engine, account: str) -> None:
    decisions = Decisions(engine)
    draft = Draft(kind="objection", look_back_on="2026-11-25")
    decisions.decide(address(ANNA), draft, account, NOW)
    assert appointments(decisions.of_school(SCHOOL), MONDAY + timedelta(weeks=1)) == {}


def test_the_newest_outcome_of_a_decision_counts(engine: sa.Engine, account: str) -> None:
    decisions = Decisions(engine)
    decisions.decide(address(ANNA), Draft(kind="plan_talk"), account, NOW, "d" * 32)
    decisions.record_outcome("d" * 32, Outcome.NOT_DONE, account, NOW + timedelta(days=2))
    decisions.record_outcome("d" * 32, Outcome.DONE, account, NOW + timedelta(days=9))
    (kept,) = decisions.of_pupil(SCHOOL, ANNA)
    assert (kept.outcome, kept.outcome_at) == (Outcome.DONE, NOW + timedelta(days=9))


def test_help_given_is_what_somebody_does_for_a_pupil(engine: sa.Engine, account: str) -> None:
    decisions = Decisions(engine)
    decisions.decide(address(ANNA), Draft(kind="support_team"), account, NOW)
    decisions.decide(address(BO), Draft("no_action", "explained"), account, NOW)
    assert decisions.help_given() == [(ANNA, NOW)]


def test_whom_the_team_named_before_need_not_be_typed_again(
    engine: sa.Engine, account: str
) -> None:
    decisions = Decisions(engine)
    for hours, owner in enumerate(("mentor 7b", "Ria", "mentor 7b")):
        draft = Draft(kind="call", owner=owner)
        decisions.decide(address(ANNA), draft, account, NOW + timedelta(hours=hours))
    assert decisions.owners(SCHOOL) == ["mentor 7b", "Ria"]


def test_decisions_of_some_days(engine: sa.Engine, account: str) -> None:
    decisions = Decisions(engine)
    for days in range(3):
        decisions.decide(address(ANNA), Draft(kind="call"), account, NOW + timedelta(days=days))
    found = decisions.between(SCHOOL, NOW + timedelta(days=1), NOW + timedelta(days=2))
    assert [one.decided_at for one in found] == [NOW + timedelta(days=1)]


def test_decisions_of_an_older_home_keep_their_pupil_and_week(tmp_path: Path) -> None:
    """Migration 0002 on a database that 0001 made."""
    from alembic import command
    from alembic.config import Config

    from serving.tables import MIGRATIONS, sqlite_engine, writing

    engine = sqlite_engine(tmp_path / "app.db")
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with writing(engine) as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        for line in (
            "insert into accounts values ('a','a@b.example','A','care_coordinator',null,1,"
            "'2026-11-16 08:30:00')",
            "insert into lists values ('l','90AB00','2026-11-16','2026-11-16 05:00:00','1','h',"
            "'s','2026-11-13',1,5,'{}','c')",
            "insert into list_rows values ('r','l','p1anna','discuss','new',0,'7b','{}')",
            "insert into decisions values ('d','r','a','2026-11-16 08:30:00','plan_talk','',"
            "'mentor','2026-11-30','')",
        ):
            connection.exec_driver_sql(line)
        command.upgrade(config, "head")
    (kept,) = Decisions(engine).of_pupil(SCHOOL, ANNA)
    assert (kept.kind, kept.as_of, kept.look_back_on) == (
        DecisionKind.PLAN_TALK,
        MONDAY,
        date(2026, 11, 30),
    )
