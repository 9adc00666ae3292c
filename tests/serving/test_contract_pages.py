"""A privacy officer approves, refuses, switches off, permits a trial, and stops the lists."""

from datetime import UTC, datetime, timedelta

import pytest

from features.catalogue import CATALOGUE
from features.errors import GateRefused
from features.governance.approvals import Approvals, ContractEvent
from features.governance.audit import AuditChain
from features.governance.contracts import read_contracts
from features.governance.database import open_ledger
from features.governance.gate import Gate
from features.governance.stops import EVERYWHERE, EmergencyStops
from features.governance.use import Action, Purpose, Use
from features.vocabulary import Role
from models.registry import Registry
from serving.contract_desk import standing_reasons
from tests.serving.invented_school import (
    IB,
    NOW,
    OFFICER,
    OTHER_IB,
    SCHOOL,
    SCIENTIST,
    InventedSchool,
)
from tests.serving.page_rules import Element, parse, problems
from tests.serving.test_dossier import NAME, small_bundle
from tests.serving.visitors import Browser, Clock, Visit

FEATURE = CATALOGUE[0]
ADDRESS = f"/kenmerken/{FEATURE.name}"


def page(client: Browser, address: str) -> Element:
    answer = client.get(address)
    assert answer.status_code == 200, answer.text
    found = parse(answer.text)
    assert problems(found) == []
    return found


def send(client: Browser, address: str, **fields: str) -> str:
    """Send a form as its page would; where one is sent on to."""
    found = parse(client.get("/noodstop" if "noodstop" in address else ADDRESS).text)
    tokens = [
        field.attributes["value"]
        for field in found.all("input")
        if field.attributes.get("name") == "form_token"
    ]
    answer = client.post(address, data={"form_token": tokens[0], **fields})
    assert answer.status_code == 303, answer.text
    return str(answer.headers["location"])


def check(school: InventedSchool) -> None:
    use = Use("job", Role.JOB, Purpose.EARLY_WARNING, Action.SCORE, NOW + timedelta(minutes=1))
    names = {FEATURE.name: FEATURE.definition_hash}
    Gate(read_contracts(), open_ledger(school.home)).check(names, use)


def test_one_feature_is_followed_from_source_to_list(visit: Visit) -> None:
    found = page(visit(OFFICER), ADDRESS)
    chain = found.by_id("keten")
    steps = [row.all("th")[0].text for row in chain.all("tbody")[0].all("tr")]
    assert steps == [
        "1. Bronkolommen",
        "2. Berekening",
        "3. Kenmerk",
        "4. Contract",
        "5. Modellen",
        "6. Lijsten",
    ]
    for source in FEATURE.sources:
        assert source in chain.text
    assert "vroegsignalering van langdurig verzuim" in found.by_id("contract").text


def test_switching_off_and_approving_rule_the_gate_at_once(
    visit: Visit, school: InventedSchool, clock: Clock
) -> None:
    client = visit(OFFICER)
    check(school)
    where = send(client, f"{ADDRESS}/besluit", besluit="uitzetten", reden="niet meer nodig")
    assert where.endswith("bewaard=ja")
    found = page(client, where)
    assert "Bewaard: uitgezet" in found.text
    assert "Uitgezet: Tijdig gebruikt dit kenmerk niet." in found.text
    with pytest.raises(GateRefused, match="switched off by the privacy officer"):
        check(school)
    assert f"Zonder geldige goedkeuring ({1})" in page(client, "/kenmerken").text
    clock.now += timedelta(seconds=1)
    assert send(client, f"{ADDRESS}/besluit", besluit="goedkeuren", tot="2027-08-01").endswith("ja")
    check(school)
    rows = page(client, ADDRESS).by_id("geschiedenis").all("tbody")[0].all("tr")
    assert [row.all("td")[0].text for row in rows] == ["goedgekeurd", "uitgezet"]
    assert "niet meer nodig" in rows[1].text and OFFICER in rows[1].text


@pytest.mark.parametrize(
    "fields",
    [
        {"besluit": "uitzetten", "reden": ""},
        {"besluit": "goedkeuren", "tot": "2026-11-16"},
        {"besluit": "goedkeuren", "tot": "morgen"},
        {"besluit": "proef", "tot": "2028-01-01"},
        {"besluit": "iets anders"},
    ],
)
def test_a_decision_that_lacks_something_changes_nothing(
    visit: Visit, school: InventedSchool, fields: dict[str, str]
) -> None:
    client = visit(OFFICER)
    where = send(client, f"{ADDRESS}/besluit", **fields)
    assert where.endswith("bewaard=nee#besluit")
    assert "Er is niets bewaard." in page(client, where.split("#")[0]).text
    assert Approvals(open_ledger(school.home)).history() == []


def test_an_expired_feature_is_shown_with_what_follows(visit: Visit, clock: Clock) -> None:
    client = visit(OFFICER)
    clock.now += timedelta(days=9)
    client = visit(OFFICER)
    assert "verloopt" not in page(client, "/kenmerken").text.split("Alle kenmerken")[0]
    clock.now = NOW.replace(year=2027, month=6, day=10)
    text = page(visit(OFFICER), "/kenmerken").text
    assert f"{len(CATALOGUE)} goedkeuringen verlopen binnen 60 dagen" in text
    clock.now = NOW.replace(year=2027, month=7, day=28)
    assert "goedkeuringen verlopen binnen 7 dagen" in page(visit(OFFICER), "/kenmerken").text
    clock.now = NOW.replace(year=2027, month=8, day=1)
    text = page(visit(OFFICER), "/kenmerken").text
    assert "zijn verlopen: er komt geen nieuwe lijst" in text
    assert "Verlopen: Tijdig gebruikt dit kenmerk niet." in page(visit(OFFICER), ADDRESS).text


def test_a_trial_is_for_training_only(visit: Visit, school: InventedSchool) -> None:
    client = visit(OFFICER)
    send(client, f"{ADDRESS}/besluit", besluit="afkeuren", reden="nog niet uitgelegd")
    send(client, f"{ADDRESS}/besluit", besluit="proef", tot="2026-12-16")
    newest = Approvals(open_ledger(school.home)).newest()[FEATURE.name]
    assert newest.event is ContractEvent.EXPERIMENT
    assert "Alleen voor een proef" in page(client, ADDRESS).text
    with pytest.raises(GateRefused):
        check(school)


def test_a_data_scientist_follows_but_does_not_decide(visit: Visit, school: InventedSchool) -> None:
    client = visit(SCIENTIST)
    found = page(client, ADDRESS)
    assert found.all("textarea") == []
    token = found.all("input")[0].attributes["value"]
    answer = client.post(
        f"{ADDRESS}/besluit", data={"form_token": token, "besluit": "uitzetten", "reden": "x"}
    )
    assert answer.status_code == 403
    assert Approvals(open_ledger(school.home)).history() == []


@pytest.mark.parametrize("email", [IB, SCIENTIST])
@pytest.mark.parametrize("address", ["/noodstop", "/verzoeken"])
def test_the_officers_pages_are_closed_to_others(visit: Visit, email: str, address: str) -> None:
    assert visit(email).get(address).status_code == 403


def test_the_lists_of_a_school_are_stopped_and_resumed(
    visit: Visit, school: InventedSchool
) -> None:
    client, coordinator = visit(OFFICER), visit(IB)
    assert coordinator.get(f"/lijst/{SCHOOL}").status_code == 200
    assert "alle lijsten gaan door" in page(client, "/noodstop").text
    assert send(client, "/noodstop/stop", school=SCHOOL, reden=" ").endswith("bewaard=nee")
    send(client, "/noodstop/stop", school=SCHOOL, reden="registratie klopt niet")
    assert "registratie klopt niet" in page(client, "/noodstop").by_id("gestopt").text
    answer = coordinator.get(f"/lijst/{SCHOOL}")
    assert answer.status_code != 200 and "Noor van den Berg" not in answer.text
    row = school.row_id(school.pupils[0])
    assert "Noor van den Berg" not in coordinator.get(f"/leerling/{row}").text
    send(client, "/noodstop/hervat", school=SCHOOL, reden="hersteld")
    assert coordinator.get(f"/lijst/{SCHOOL}").status_code == 200
    send(client, "/noodstop/stop", school="alle", reden="model onder onderzoek")
    assert EVERYWHERE in EmergencyStops(open_ledger(school.home)).standing()
    assert coordinator.get(f"/lijst/{SCHOOL}").status_code != 200
    events = [row.event for row in AuditChain(open_ledger(school.home)).rows()]
    assert events.count("lists_stopped") == 2 and events.count("lists_resumed") == 1


def test_who_works_with_lists_reads_why_they_are_stopped(
    visit: Visit, school: InventedSchool
) -> None:
    officer, coordinator = visit(OFFICER), visit(IB)
    send(officer, "/noodstop/stop", school=SCHOOL, reden="registratie klopt niet")
    told = "De lijsten van school 90AB00 zijn stilgelegd sinds 16-11-2026: registratie klopt niet"
    for client, address in ((officer, "/kenmerken"), (coordinator, "/lijst")):
        assert told in parse(client.get(address, follow_redirects=True).text).text
    other = parse(visit(OTHER_IB).get("/lijst", follow_redirects=True).text).text
    assert "registratie klopt niet" not in other


def test_an_expired_feature_stops_the_list_with_a_banner(
    visit: Visit, school: InventedSchool, clock: Clock
) -> None:
    visit(IB), visit(OFFICER)  # the links to set a password are of now
    registry = Registry.at(school.home)
    with registry.run("first", "risk model", NOW) as run:
        run.bundle(small_bundle())
    registry.set_champion(registry.register(run.run_id))
    until = read_contracts()[NAME].expires_on
    clock.now = datetime(until.year, until.month, until.day, 8, tzinfo=UTC) - timedelta(days=1)
    banner = "Er komt geen nieuwe lijst: het model heeft een kenmerk nodig dat nu niet gebruikt"
    places = ((IB, f"/lijst/{SCHOOL}"), (OFFICER, "/kenmerken"))
    assert not any(banner in page(visit(email), address).text for email, address in places)
    clock.now += timedelta(days=1)
    for email, address in places:
        text = page(visit(email), address).text
        assert banner in text and f"verlopen op {until:%d-%m-%Y}" in text


def test_an_expired_feature_of_the_model_in_use_is_told() -> None:
    contracts = read_contracts()
    until = contracts[FEATURE.name].expires_on
    at = datetime(until.year, until.month, until.day, 8, tzinfo=UTC)
    assert standing_reasons(contracts, {}, [FEATURE.name], at - timedelta(days=1)) == ()
    (told,) = standing_reasons(contracts, {}, [FEATURE.name], at)
    assert told == f"{FEATURE.label_nl}: goedkeuring verlopen op {until:%d-%m-%Y}"
    (told,) = standing_reasons({}, {}, [FEATURE.name], at)
    assert told.endswith("niet goedgekeurd")
