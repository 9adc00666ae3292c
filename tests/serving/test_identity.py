"""Names: only for who may see the school, and only after the look was written down."""

import pytest

from features.errors import NotAllowed
from features.governance.audit import AuditChain
from features.governance.database import open_ledger
from features.vocabulary import PupilKey, Role
from serving.accounts import Account
from serving.identity import NOT_IN_VAULT, Names
from tests.serving.invented_school import NOW, OTHER_SCHOOL, SCHOOL, InventedSchool

COORDINATOR = Account("1", "ib@x.example", "IB", Role.CARE_COORDINATOR, frozenset({SCHOOL}))
SCIENTIST = Account("2", "ds@x.example", "DS", Role.DATA_SCIENTIST, frozenset({SCHOOL}))


@pytest.fixture
def chain(school: InventedSchool) -> AuditChain:
    return AuditChain(open_ledger(school.home))


def test_a_name_is_shown_and_the_look_is_logged(school: InventedSchool, chain: AuditChain) -> None:
    key = school.pupils[0].key
    names = Names(school.home, {}, chain).look(COORDINATOR, SCHOOL, [key], NOW, "pupil_seen", key)
    assert names[key].full == "Noor van den Berg"
    (row,) = chain.rows(subject=key)
    assert (row.event, row.actor) == ("pupil_seen", "ib@x.example")
    assert row.subject != key, "in the chain a pupil has a name of its own"


@pytest.mark.parametrize(("account", "where"), [(SCIENTIST, SCHOOL), (COORDINATOR, OTHER_SCHOOL)])
def test_who_may_not_see_the_school_gets_no_name(
    school: InventedSchool, chain: AuditChain, account: Account, where: str
) -> None:
    names = Names(school.home, {}, chain)
    with pytest.raises(NotAllowed):
        names.look(account, where, [school.pupils[0].key], NOW, "pupil_seen")


def test_without_a_log_there_is_no_name(
    school: InventedSchool, chain: AuditChain, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = []
    monkeypatch.setattr("serving.identity.Vault.open", lambda *_: opened.append(1))
    monkeypatch.setattr(AuditChain, "append", lambda *_, **__: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        Names(school.home, {}, chain).look(
            COORDINATOR, SCHOOL, [school.pupils[0].key], NOW, "pupil_seen"
        )
    assert opened == []


def test_who_is_looked_for_is_logged_as_a_look_at_all(
    school: InventedSchool, chain: AuditChain
) -> None:
    keys = [pupil.key for pupil in school.pupils]
    names = Names(school.home, {}, chain)
    found = names.look_for(
        COORDINATOR, SCHOOL, keys, NOW, "pupils_searched", lambda name: name.startswith("Noor van")
    )
    assert [name.full for name in found.values()] == ["Noor van den Berg"]
    (row,) = chain.rows(event="pupils_searched")
    assert (row.actor, row.detail) == ("ib@x.example", {"pupils": len(keys)})
    with pytest.raises(NotAllowed):
        names.look_for(SCIENTIST, SCHOOL, keys, NOW, "pupils_searched", lambda _name: True)


def test_an_unknown_key_has_a_row_but_no_name(school: InventedSchool, chain: AuditChain) -> None:
    key = PupilKey("p1gone")
    names = Names(school.home, {}, chain).look(COORDINATOR, SCHOOL, [key], NOW, "list_seen")
    assert names[key].full == NOT_IN_VAULT


def test_a_name_does_not_show_in_a_traceback(school: InventedSchool, chain: AuditChain) -> None:
    key = school.pupils[0].key
    names = Names(school.home, {}, chain).look(COORDINATOR, SCHOOL, [key], NOW, "pupil_seen")
    assert "Noor" not in repr(names) and "berg" not in repr(names)
