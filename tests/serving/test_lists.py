"""Published lists: once, whole or not at all, and never changed afterwards."""

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from features.errors import NotThere, VerificationFailed
from features.settings import Home
from features.vocabulary import PupilKey, Theme
from models.reasons import Evidence, Explanation, Reason
from serving.earlier_lists import EarlierLists
from serving.lists import Block, ListRow, ListStore, Newness, PublishedList
from serving.tables import LIST_ROWS, open_app
from tests.serving.invented_school import MONDAY, NOW, SCHOOL

ANNA, BO, CEM = PupilKey("p1anna"), PupilKey("p1bo"), PupilKey("p1cem")


@pytest.fixture
def engine(tmp_path: Path) -> sa.Engine:
    return open_app(Home(tmp_path))


@pytest.fixture
def store(engine: sa.Engine) -> ListStore:
    return ListStore(engine)


def a_list(
    *keys: PupilKey, as_of: date = MONDAY, school: str = SCHOOL, block: Block = Block.DISCUSS
) -> PublishedList:
    reason = Reason(
        Theme.ABSENCE,
        "In de laatste 4 schoolweken 3 dagen afwezig.",
        (Evidence(date(2026, 11, 9), "ziek", "hele dag"),),
        "Meer dan 20 van de 24 klasgenoten.",
    )
    rows = tuple(
        ListRow(key, block, Newness.NEW, order, Explanation(key, (reason,), ("Vandaag er.",), ()))
        for order, key in enumerate(keys)
    )
    return PublishedList(
        school=school,
        as_of=as_of,
        published_at=NOW,
        model_version="3",
        bundle_hash="b" * 64,
        feature_service="risk_v1",
        data_until=as_of - timedelta(days=3),
        capacity=5,
        rows=rows,
        frequencies={Block.DISCUSS: "3 van de 10"},
        log_head=7,
    )


def test_a_list_comes_back_as_it_was_published(store: ListStore) -> None:
    published = a_list(ANNA, BO)
    assert store.publish([published]) == 1
    assert store.get(SCHOOL, MONDAY) == published
    assert store.get(SCHOOL, MONDAY).content_hash == published.content_hash


def test_publishing_twice_changes_nothing(store: ListStore) -> None:
    store.publish([a_list(ANNA, BO)])
    before = [row.row_id for row in store.get(SCHOOL, MONDAY).rows]
    later = replace(a_list(ANNA, BO), published_at=NOW + timedelta(days=1))
    assert store.publish([later]) == 0
    stored = store.get(SCHOOL, MONDAY)
    assert [row.row_id for row in stored.rows] == before
    assert stored.published_at == NOW


@pytest.mark.parametrize(
    "other",
    [
        a_list(BO, ANNA),
        a_list(ANNA, BO, block=Block.FOLLOW),
        replace(a_list(ANNA, BO), model_version="4"),
        replace(a_list(ANNA, BO), log_head=8),
        replace(a_list(ANNA, BO), frequencies={}),
    ],
    ids=["order", "block", "model", "records", "sentence"],
)
def test_another_list_for_the_same_week_is_refused(store: ListStore, other: PublishedList) -> None:
    store.publish([a_list(ANNA, BO)])
    with pytest.raises(VerificationFailed, match="stays as it is"):
        store.publish([other])
    assert store.get(SCHOOL, MONDAY) == a_list(ANNA, BO)


def test_all_schools_are_published_or_none(store: ListStore) -> None:
    store.publish([a_list(ANNA)])
    with pytest.raises(VerificationFailed):
        store.publish([a_list(CEM, school="90AB01"), a_list(BO)])
    assert store.schools() == [SCHOOL]


def test_a_row_that_was_changed_behind_our_back_is_found(
    store: ListStore, engine: sa.Engine
) -> None:
    store.publish([a_list(ANNA, BO)])
    with engine.begin() as connection:
        connection.execute(LIST_ROWS.update().values(block="follow"))
    with pytest.raises(VerificationFailed, match="no longer fits its fingerprint"):
        store.get(SCHOOL, MONDAY)


def test_row_ids_tell_nothing_and_are_never_the_same(store: ListStore) -> None:
    store.publish([a_list(ANNA, BO), a_list(ANNA, BO, as_of=MONDAY - timedelta(weeks=1))])
    ids = [row.row_id for as_of in store.weeks(SCHOOL) for row in store.get(SCHOOL, as_of).rows]
    assert len(set(ids)) == 4
    assert all(len(row_id) == 32 for row_id in ids)
    assert store.row(ids[0]).row.pupil_key == ANNA
    assert store.row(ids[0]).log_head == 7


def test_newness_follows_from_the_earlier_lists_only(store: ListStore, engine: sa.Engine) -> None:
    weeks = [MONDAY - timedelta(weeks=back) for back in (2, 1, 0)]
    store.publish([a_list(ANNA, as_of=weeks[0]), a_list(BO, as_of=weeks[1])])
    expected = {ANNA: Newness.BACK, BO: Newness.AGAIN, CEM: Newness.NEW}
    assert EarlierLists(engine, weeks[2]).newness(SCHOOL, [ANNA, BO, CEM]) == expected
    store.publish([a_list(CEM, as_of=weeks[2])])
    earlier = EarlierLists(engine, weeks[2], SCHOOL)
    assert earlier.newness(SCHOOL, [ANNA, BO, CEM]) == expected, "also when made again"
    assert earlier.newness("90AB01", [ANNA]) == {ANNA: Newness.NEW}


def test_the_last_list_counts_within_its_school_year(store: ListStore, engine: sa.Engine) -> None:
    weeks = [date(2026, 7, 6), date(2026, 8, 31), date(2026, 9, 7)]
    store.publish([a_list(ANNA, BO, as_of=weeks[0])])
    before = EarlierLists(engine, weeks[1])
    assert before.counting() == {}, "a new school year begins anew"
    assert set(before.members(SCHOOL)) == {ANNA, BO}
    store.publish([a_list(BO, as_of=weeks[1]), a_list(as_of=weeks[1], school="90AB01")])
    after = EarlierLists(engine, weeks[2])
    assert after.counting() == {SCHOOL: frozenset({BO}), "90AB01": frozenset()}
    assert EarlierLists(engine, weeks[2], "90AB01").counting() == {"90AB01": frozenset()}


def test_a_week_in_which_nobody_was_listed_counts_as_a_week(
    store: ListStore, engine: sa.Engine
) -> None:
    weeks = [MONDAY - timedelta(weeks=back) for back in (2, 1, 0)]
    store.publish([a_list(ANNA, as_of=weeks[0]), a_list(as_of=weeks[1])])
    assert EarlierLists(engine, weeks[2]).newness(SCHOOL, [ANNA]) == {ANNA: Newness.BACK}
    assert store.membership(SCHOOL, ANNA) == {weeks[1]: None, weeks[0]: Block.DISCUSS}


def test_what_is_not_there_is_said_with_the_next_step(store: ListStore) -> None:
    with pytest.raises(NotThere, match="run `tijdig week --as-of 2026-11-16`"):
        store.get(SCHOOL, MONDAY)
    with pytest.raises(NotThere):
        store.row("0" * 32)
