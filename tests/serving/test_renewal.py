"""Pseudonyms are renewed everywhere, at any moment old or new and never mixed; what was, stands."""

import io
import re
import sqlite3
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

import serving.renewal
from features.errors import NotAllowed, TijdigError
from features.governance import open_ledger
from features.governance.audit import AuditChain
from features.governance.journal import Journal, journal_of, read_journal, write_journal
from features.governance.objections import object_to_processing, objected
from features.governance.renewals import Renewals, due_since
from features.governance.vault import Vault
from features.settings import Home
from features.store import FeatureStore
from features.vocabulary import PupilKey, Role
from serving.identity import RenewedVault
from serving.lists import ListStore
from serving.renewal import PseudonymRenewal
from serving.tables import open_app
from tests.serving.invented_school import IB, MONDAY, NOW, SCHOOL, InventedSchool
from tests.serving.visitors import Visit

YEAR_LATER = datetime(2027, 8, 2, 6, tzinfo=UTC)
PSEUDONYM = re.compile(rb"(?<![a-z0-9])p1[a-z2-7]{26}(?![a-z0-9])")


def traces(home: Path) -> Iterator[str]:
    """Where a pseudonym of the first version stands: in bytes, and inside what is compressed."""
    for path in sorted(path for path in home.rglob("*") if path.is_file()):
        content = [path.read_bytes()]
        if path.suffix == ".parquet":
            content += [str(pq.read_table(io.BytesIO(content[0])).to_pylist()).encode()]
        if any(PSEUDONYM.search(part) for part in content):
            yield path.relative_to(home).as_posix()


def renew(
    home: Home, moment: datetime = YEAR_LATER, reason: str = "a key that may have leaked"
) -> Any:
    return PseudonymRenewal(home, {}).run("beheer", reason, moment, lambda line: None)


def names(home: Home) -> dict[str, PupilKey]:
    vault = Vault.open(home, {})
    return {one.pupil_number: key for key, one in vault.pupils_of(SCHOOL).items()}


def listed(home: Home) -> list[tuple[str, object]]:
    """Who is on the list of the Monday by number, with all that is said of them."""
    numbers = {key: number for number, key in names(home).items()}
    rows = ListStore(open_app(home)).get(SCHOOL, MONDAY).rows
    return [(numbers[row.pupil_key], (row.block, row.newness, row.group)) for row in rows]


def test_no_older_pseudonym_is_left_anywhere_and_everyone_is_still_who_they_were(
    school: InventedSchool, visit: Visit
) -> None:
    home, noor = school.home, school.pupils[0]
    visit(IB).get(f"/leerling/{school.row_id(noor)}")
    object_to_processing(open_ledger(home), noor.key, SCHOOL, IB, Role.CARE_COORDINATOR, NOW)
    assert {path.split("/")[0] for path in traces(home.root)} >= {"records", "app.db", "vault.db"}
    before = names(home), listed(home), AuditChain(open_ledger(home)).rows(subject=noor.key)
    old = home.vault.read_bytes()
    changed = renew(home)
    assert list(traces(home.root)) == []
    after = names(home)
    assert before[0].keys() == after.keys() and not set(before[0].values()) & set(after.values())
    assert all(key.startswith("p2") for key in after.values())
    assert listed(home) == before[1]
    ledger = open_ledger(home)
    number = next(number for number, key in before[0].items() if key == noor.key)
    new = after[number]
    assert AuditChain(ledger).rows(subject=new)[-len(before[2]) :] == before[2], "who looked"
    assert AuditChain(ledger).rows(subject=noor.key) == []
    assert objected(ledger, YEAR_LATER) == {new}
    assert AuditChain(ledger).verify().intact and Renewals(ledger).verify() == ()
    assert changed["records_absence"] > 3 and changed["names_in_log"] >= 1
    assert Vault.open(home, {}).identities([new])[new].given_name == "Noor"
    assert old != home.vault.read_bytes()


def test_the_old_key_is_gone_so_an_old_extract_leads_nowhere(school: InventedSchool) -> None:
    """Who holds an old extract, every file and the master key cannot make the old pseudonym."""
    home = school.home

    def keys() -> set[str]:
        with sqlite3.connect(home.vault) as connection:
            found = connection.execute("select name from wrapped_key where name like '*p%'")
            return {name for (name,) in found}

    assert keys() == {"*p1"}
    with sqlite3.connect(home.vault) as connection:
        query = "select wrapped from wrapped_key where name = '*p1'"
        wrapped = connection.execute(query).fetchone()[0]
    assert wrapped in home.vault.read_bytes()
    renew(home)
    assert keys() == {"*p2"}
    assert wrapped not in home.vault.read_bytes(), "also not in a page that is no longer used"
    with sqlite3.connect(home.vault) as connection:
        assert connection.execute("select count(*) from renewed_pupil").fetchone() == (0,)


def test_a_renewed_list_fits_its_seal_and_the_renewal_tells_of_both(
    school: InventedSchool,
) -> None:
    home = school.home
    before = ListStore(open_app(home)).get(SCHOOL, MONDAY)
    renew(home)
    after = ListStore(open_app(home)).get(SCHOOL, MONDAY)  # checks the stored fingerprint
    (renewal,) = Renewals(open_ledger(home)).all()
    assert renewal.lists[SCHOOL][MONDAY] == (before.content_hash, after.content_hash)
    assert renewal.version == 2


def test_it_is_yearly_from_august_and_sooner_only_with_a_reason(school: InventedSchool) -> None:
    ledger = open_ledger(school.home)
    AuditChain(ledger).append(NOW, IB, Role.CARE_COORDINATOR, "list_seen", school=SCHOOL)
    with pytest.raises(NotAllowed, match="not due yet"):
        renew(school.home, NOW, reason="")
    renew(school.home, NOW, reason="a laptop with an extract was lost")
    (renewal,) = Renewals(ledger).all()
    assert renewal.reason == "a laptop with an extract was lost"
    renew(school.home, YEAR_LATER, reason="")
    with pytest.raises(NotAllowed):
        renew(school.home, YEAR_LATER + timedelta(days=300), reason="")
    assert due_since(date(2028, 8, 1), date(2027, 8, 2)) == date(2028, 8, 1)
    assert set(names(school.home).values()) and Renewals(ledger).all()[-1].version == 3


class Killed(BaseException):
    """The process ends here."""


STEPS: dict[str, tuple[object, str]] = {
    "before the vault": (RenewedVault, "begin"),
    "records": (serving.renewal, "renew_records"),
    "features": (FeatureStore, "renew"),
    "seals of the lists": (serving.renewal, "_seals"),
    "app": (serving.renewal, "_renew_app"),
    "ledger": (Renewals, "complete"),
    "vault": (RenewedVault, "finish"),
    "cleaning up": (serving.renewal, "rewrite_sqlite"),
}


@pytest.mark.parametrize("when", ["just before", "just after"])
@pytest.mark.parametrize("step", STEPS)
def test_killed_at_any_step_it_refuses_until_it_is_finished(
    school: InventedSchool, monkeypatch: pytest.MonkeyPatch, step: str, when: str
) -> None:
    home = school.home
    before = names(home), listed(home)
    place, name = STEPS[step]
    real: Callable[..., Any] = getattr(place, name)

    def killed(*args: Any, **kwargs: Any) -> Any:
        if when == "just after":
            real(*args, **kwargs)
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(place, name, killed)
        with pytest.raises(Killed):
            renew(home)
    for refused in (lambda: open_ledger(home), lambda: Vault.open(home, {})):
        with pytest.raises(TijdigError, match="pseudonyms are being renewed"):
            refused()
    renew(home, reason="")  # it finishes what was begun
    assert list(traces(home.root)) == []
    assert names(home).keys() == before[0].keys() and listed(home) == before[1]
    assert AuditChain(open_ledger(home)).verify().intact
    assert len(Renewals(open_ledger(home)).all()) == 1
    assert read_journal(home) is None


def test_pages_are_closed_while_it_goes_on(school: InventedSchool, visit: Visit) -> None:
    client = visit(IB)
    assert client.get(f"/lijst/{SCHOOL}").status_code == 200
    write_journal(school.home, Journal(2, NOW.isoformat(), "yearly"))
    answer = client.get(f"/lijst/{SCHOOL}")
    assert answer.status_code == 503 and "even dicht" in answer.text
    assert school.pupils[0].name not in answer.text
    journal_of(school.home).unlink()
    assert client.get(f"/lijst/{SCHOOL}").status_code == 200
