"""On a whole installation: stops, what was switched off, erasure, and no name out of place."""

import importlib
import io
import re
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from features.catalogue import CATALOGUE
from features.governance import open_ledger
from features.governance.approvals import Approvals, ContractEvent
from features.governance.audit import AuditChain
from features.governance.contracts import read_contracts
from features.governance.ledger import Ledger
from features.governance.objections import object_to_processing, objected
from features.governance.requests import RequestKind
from features.governance.stops import EVERYWHERE, EmergencyStops
from features.governance.use import Action, Purpose, Use
from features.governance.vault import Vault
from features.records import LogTable, RecordLog
from features.settings import Home
from features.store import FeatureStore
from features.vocabulary import Role
from models.registry import Registry
from serving.accounts import Account
from serving.lists import Block, ListStore
from serving.rights.desk import RightsDesk
from serving.tables import open_app
from tests.journeys.conftest import MONDAY, Installation

NEXT = "2026-11-23"  # later than any list that other journeys publish
NOW = datetime(2026, 11, 23, 6, tzinfo=UTC)
OFFICER = Account("f", "fg@swv.example", "F. Aksoy", Role.PRIVACY_OFFICER, frozenset())
AS = (OFFICER.email, OFFICER.role)


def schools(home: Home) -> list[str]:
    return ListStore(open_app(home)).schools()


def test_a_stopped_school_gets_no_list_and_a_stop_for_all_refuses(own: Any) -> None:
    stops = EmergencyStops(open_ledger(own.home))
    first, *others = schools(own.home)
    stops.stop(first, "figures in doubt", *AS, NOW)
    own.run("week", "--as-of", NEXT)
    lists = ListStore(open_app(own.home))
    assert date.fromisoformat(NEXT) not in lists.weeks(first)
    assert all(date.fromisoformat(NEXT) in lists.weeks(school) for school in others)
    newest = Ledger(open_ledger(own.home)).rows()
    scored = next(row for row in newest if row.action is Action.SCORE)
    assert first not in scored.schools, "nothing of a stopped school is read"
    stops.stop(EVERYWHERE, "model in doubt", *AS, NOW + timedelta(minutes=1))
    refused = own.run("week", "--as-of", NEXT, code=1)
    assert "all lists are stopped: model in doubt" in str(refused.exception)


def test_a_model_that_needs_what_was_switched_off_makes_no_list(own: Any) -> None:
    _, model = Registry.at(own.home).champion()
    contract = read_contracts()[model.features[0]]
    Approvals(open_ledger(own.home)).decide(
        contract, ContractEvent.SWITCHED_OFF, *AS, NOW, reason="adds nothing"
    )
    refused = own.run("week", "--as-of", NEXT, code=1)
    assert (
        f"model version 1 needs features that the privacy officer set aside: {contract.name}"
        in (str(refused.exception))
    )
    assert "Train a model without them" in str(refused.exception)


def test_an_expired_contract_makes_no_list(own: Any) -> None:
    until = read_contracts()[CATALOGUE[0].name].expires_on
    refused = own.run("week", "--as-of", NEXT, code=1, now=f"{until}T08:00:00+02:00")
    assert f"the contract expired on {until}" in str(refused.exception)


def test_a_feature_that_may_not_be_shown_stops_the_list_before_it_is_published(
    own: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    contracts = read_contracts()
    name = CATALOGUE[0].name
    hidden = replace(contracts[name], uses=replace(contracts[name].uses, show=False))
    monkeypatch.setattr(
        importlib.import_module("features.store.store"),
        "read_contracts",
        lambda: contracts | {name: hidden},
    )
    refused = own.run("week", "--as-of", NEXT, code=1)
    assert f"show is not among the allowed uses: {name}" in str(refused.exception)
    lists = ListStore(open_app(own.home))
    assert not any(date.fromisoformat(NEXT) in lists.weeks(one) for one in lists.schools())


def test_whoever_objected_is_in_no_later_training(own: Any) -> None:
    ledger = open_ledger(own.home)
    lists = ListStore(open_app(own.home))
    school = next(one for one in lists.schools() if lists.get(one, MONDAY_DAY).rows)
    key = lists.get(school, MONDAY_DAY).rows[0].pupil_key
    trained = [row for row in Ledger(ledger).about(key) if row.action is Action.TRAIN]
    assert trained, "the first model learned from this pupil"
    object_to_processing(ledger, key, school, *AS, NOW)
    experiment = Path(__file__).with_name("small.toml")
    own.run("train", str(experiment), now="2026-11-23T12:00:00+01:00")
    again = [row for row in Ledger(ledger).about(key) if row.action is Action.TRAIN]
    assert len(again) == len(trained)
    newest = Ledger(ledger).rows()[0]
    assert newest.action is Action.TRAIN and newest.pupils > 0


MONDAY_DAY = date.fromisoformat(MONDAY)


def test_an_erased_pupil_is_nowhere_and_the_lists_say_so_lawfully(own: Any) -> None:
    ledger, app = open_ledger(own.home), open_app(own.home)
    lists = ListStore(app)
    school = next(one for one in lists.schools() if lists.get(one, MONDAY_DAY).rows)
    key = lists.get(school, MONDAY_DAY).rows[0].pupil_key
    identity = Vault.open(own.home, {}).identities([key])[key]
    assert key in "".join(str(values) for values in stored_values(own.home))
    assert "identical" in own.run("list", "--as-of", MONDAY, "--school", school, "--verify").output
    desk = RightsDesk(own.home, {}, app, ledger)
    asked = desk.take(OFFICER, RequestKind.ERASURE, school, key, None, NOW)
    package = desk.package(OFFICER, asked.request_id, NOW, staff=True)
    assert package.gaps == ()
    parts = {part.heading: part for part in package.sections}
    assert len(parts["Berekende kenmerken per maandag"].rows) == len(CATALOGUE)
    assert parts["Modellen die mede van deze leerling leerden"].rows == (("versie 1, in gebruik",),)
    in_log = pupils_in_log(own.home)
    report = desk.erase(OFFICER, asked.request_id, NOW)
    assert pupils_in_log(own.home) == in_log - {key}, "all the others, and not this pupil"
    assert report.removed["berekende kenmerken"] > 10
    assert report.models == ("versie 1, in gebruik",)
    (run_id,) = {one.run_id for one in Registry.at(own.home).versions()}
    learned = Ledger(ledger).pupils_in(run_id, Action.TRAIN)
    assert report.effect == (
        f"versie 1: deze leerling was 1 van {learned} leerlingen van die training "
        f"({100 / learned:.2f} %).".replace(".", ",", 1),
    )
    for values in stored_values(own.home):
        assert key not in str(values) and identity.family_name + "," not in str(values)
    for path in files(own.home):
        assert key.encode() not in path.read_bytes(), path
    told = own.run("list", "--as-of", MONDAY, "--school", school, "--verify").output
    assert "erased on" in told and "can lawfully not be made again" in told
    assert "intact" in own.run("privacy", "verify").output
    check_way_to_measure(own, report.measure, run_id, learned)


def pupils_in_log(home: Home) -> set[str]:
    return set(RecordLog(home.records).read_versions(LogTable.PLACEMENTS)["pupil_key"].to_pylist())


def check_way_to_measure(own: Any, told: tuple[str, ...], run_id: str, learned: int) -> None:
    """Do what the report says: the same experiment again, and the two versions compared."""
    (way,) = told
    assert way.startswith("Meten voor versie 1: train het experiment") and "small region" in way
    assert f"run {run_id})" in way
    again = own.home.root / "again.toml"
    again.write_text(Registry.at(own.home).read_text(run_id, "experiment.toml"), encoding="utf-8")
    own.run("train", str(again), now="2026-11-23T12:00:00+01:00")
    newest = Registry.at(own.home).versions()[-1]
    assert newest.number == 2
    without = Ledger(open_ledger(own.home)).pupils_in(newest.run_id, Action.TRAIN)
    assert without == learned - 1, "not the pupil who was erased"
    compare = re.search(r"\(tijdig (compare 1 latest)\)", way)
    assert compare
    told_by_it = own.run(*compare[1].split(), now="2026-11-23T13:00:00+01:00").output
    assert "rows of version 1" in told_by_it and "written to" in told_by_it


def test_renewed_pseudonyms_stand_everywhere_and_nothing_else_changes(own: Any) -> None:
    own.run("week", "--as-of", MONDAY)  # the copy's own Feast repository begins with nothing online
    lists, ledger = ListStore(open_app(own.home)), open_ledger(own.home)
    # Of whom the records say too little, nothing is online.
    weighed = {
        one: [
            row.pupil_key
            for row in lists.get(one, MONDAY_DAY).rows
            if row.block is not Block.TOO_LITTLE_DATA
        ]
        for one in lists.schools()
    }
    school = next(one for one, keys in weighed.items() if len(keys) > 1)
    first, second, *_ = weighed[school]
    numbers = {key: one.pupil_number for key, one in people(own.home, school).items()}
    object_to_processing(ledger, second, school, *AS, NOW)
    learned = [row.number for row in Ledger(ledger).about(first)]
    built = FeatureStore.at(own.home).built()
    dry = own.run("privacy", "rotate").output
    assert "version 1: due on 2027-08-01" in dry and "pupils in absence" in dry
    assert sum(1 for _ in old_pseudonyms(own.home)) > 3, "a dry run changes nothing"
    assert "not due yet" in str(own.run("privacy", "rotate", "--run", code=1).exception)

    said = own.run("privacy", "rotate", "--run", "--reason", "an extract was lost").output
    assert "nothing is online" not in said
    assert list(old_pseudonyms(own.home)) == []
    now = {one.pupil_number: key for key, one in people(own.home, school).items()}
    new = now[numbers[first]]
    assert set(numbers.values()) == now.keys() and new.startswith("p2")
    about = [row.number for row in Ledger(ledger).about(new) if row.run != "renewal"]
    assert about == learned and learned, "but for putting the week online again"
    assert Ledger(ledger).about(first) == []
    assert now[numbers[second]] in objected(ledger, NOW + timedelta(minutes=1))
    assert FeatureStore.at(own.home).built() == built, "what was built still stands"
    use = Use("test", Role.JOB, Purpose.EARLY_WARNING, Action.SHOW, NOW)
    assert FeatureStore.at(own.home).read_online([new], use).num_rows == 1
    for one in lists.schools():
        told = own.run("list", "--as-of", MONDAY, "--school", one, "--verify").output
        assert "identical" in told, "results do not follow pseudonyms"
    assert "intact" in own.run("privacy", "verify").output

    records = RecordLog(own.home.records)
    before = {table: records.read_versions(table).num_rows for table in LogTable}
    deliveries = sorted((own.simulated / "deliveries").iterdir())
    own.run("ingest", *map(str, deliveries))
    again = RecordLog(own.home.records)
    assert {table: again.read_versions(table).num_rows for table in LogTable} == before, (
        "every record finds itself again"
    )
    own.run("week", "--as-of", NEXT)
    assert lists.get(school, date.fromisoformat(NEXT)).rows


def people(home: Home, school: str) -> Any:
    return Vault.open(home, {}).pupils_of(school)


def old_pseudonyms(home: Home) -> Any:
    """Files in which a pseudonym of the first version stands, also inside what is compressed."""
    pattern = re.compile(rb"(?<![a-z0-9])p1[a-z2-7]{26}(?![a-z0-9])")
    for path in files(home):
        content = [path.read_bytes()]
        if path.suffix == ".parquet":
            content.append(str(pq.read_table(io.BytesIO(content[0])).to_pylist()).encode())
        if any(pattern.search(part) for part in content):
            yield path


def files(home: Home) -> list[Any]:
    return [path for path in sorted(home.root.rglob("*")) if path.is_file()]


def stored_values(home: Home) -> Any:
    """What stands in the columnar files, decoded: bytes alone would miss what is compressed."""
    for path in files(home):
        if path.suffix == ".parquet":
            table = pq.read_table(io.BytesIO(path.read_bytes()))
            if "pupil_key" in table.column_names:
                yield pc.unique(table["pupil_key"]).to_pylist()


def test_no_name_number_or_key_is_where_none_belongs(installation: Installation) -> None:
    """Names and numbers in no file (the vault seals them); no pseudonym in MLflow or in Feast."""
    home = installation.home
    vault = Vault.open(home, {})
    people = [identity for school in schools(home) for identity in vault.pupils_of(school).values()]
    full = {f"{one.given_name} {one.family_name}".encode() for one in people}
    family = {one.family_name.encode() for one in people if len(one.family_name) > 9}
    assert len(full) > 50 and family
    key = next(iter(vault.pupils_of(schools(home)[0])))
    assert list(misplaced(home, full | family)) == []
    for place, told in (
        ("mlflow/artifacts/planted.json", key.encode()),
        ("evaluations/planted.json", key.encode()),
        ("feast/definitions.py", key.encode()),
        ("records/planted.log", next(iter(full))),
    ):
        path = home.root / place
        before = path.read_bytes() if path.exists() else None
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes((before or b"") + b" " + told + b" ")
        assert list(misplaced(home, full | family)) == [path], "the scan can find"
        path.unlink() if before is None else path.write_bytes(before)


def misplaced(home: Home, names: set[bytes]) -> Any:
    """Files that hold a name, and those of MLflow and Feast that hold a pseudonym."""
    pseudonym = re.compile(rb"(?<![a-z0-9])p[1-9][a-z2-7]{26}(?![a-z0-9])")
    for path in files(home):
        content = path.read_bytes()
        place = path.relative_to(home.root).parts[0]
        strict = place in ("mlflow", "evaluations") or path.name in (
            "registry.db",
            "definitions.py",
        )
        if any(name in content for name in names) or (strict and pseudonym.search(content)):
            yield path


def test_errors_and_output_show_no_pupil(own: Any) -> None:
    vault = Vault.open(own.home, {})
    names = {
        part
        for school in schools(own.home)
        for one in vault.pupils_of(school).values()
        for part in (one.family_name, one.pupil_number)
        if len(part) > 6
    }
    said = [
        own.run("week", "--as-of", NEXT).output,
        own.run("privacy", "ledger", "--json").output,
        own.run("privacy", "verify").output,
        own.run("list", "--as-of", MONDAY).output,
        str(own.run("week", "--as-of", "2026-11-17", code=1).exception),
        str([vars(row) for row in AuditChain(open_ledger(own.home)).rows()]),
    ]
    assert not any(name in text for name in names for text in said)


def test_a_list_whose_predecessors_had_their_term_is_still_checked(
    own: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    later, last = "2026-11-16", NEXT
    own.run("week", "--as-of", later, now=f"{later}T08:00:00+01:00")
    own.run("week", "--as-of", last)
    monkeypatch.setenv("TIJDIG_RETENTION_LISTS", "P1M")
    # A month later the first of three Mondays has had its term.
    out = own.run("privacy", "retention", "--run", now="2026-12-14T08:00:00+01:00").output
    assert "lists" in out
    lists = ListStore(open_app(own.home))
    told = [
        own.run("list", "--as-of", week, "--school", one, "--verify").output
        for one in lists.schools()
        for week in (later, last)
    ]
    assert all("identical" in each or "had their term" in each for each in told)
    assert any("identical but for who is new" in each for each in told), "again has become new"
    assert any("can lawfully not be made again" in each for each in told), "names stayed"
    assert any(f"{last}: made again from the records, identical (" in each for each in told)
