"""A privacy officer's day in a real browser, from approving a feature to checking the chain."""

import json
import os
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Page

from features.catalogue import CATALOGUE
from features.governance.approvals import Approvals, ContractEvent
from features.governance.contracts import read_contracts
from features.governance.database import open_ledger
from features.governance.gate import Gate
from features.governance.heads import read_head
from features.governance.ledger import Ledger
from features.governance.objections import objected
from features.governance.use import Action, Purpose, Use
from features.vocabulary import Role
from models.proportionality import write
from tests.browser.conftest import Served, SignIn
from tests.browser.test_looks import violations
from tests.serving.invented_school import NOW, OFFICER, SCHOOL
from tests.serving.test_proportionality_page import TABLE, run_of, two_versions

pytestmark = pytest.mark.browser

FEATURE = CATALOGUE[0]
SCREENSHOTS = os.environ.get("TIJDIG_SCREENSHOTS", "")


PHONE, DESKTOP = 390, 1280


def look(page: Page, name: str) -> None:
    """Nothing wrong with this page, on a desk and on a phone, and (when asked for) a picture."""
    assert violations(page) == [], name
    for width in (PHONE, DESKTOP):
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth") <= width, (name, width)
        if SCREENSHOTS:
            page.evaluate(
                "for (const one of document.querySelectorAll('details')) one.open = false"
            )
            path = Path(SCREENSHOTS) / f"{name}-{width}.png"
            page.screenshot(path=str(path), timeout=60_000, full_page=True)


def record_a_use(served: Served) -> None:
    """The weekly run of this Monday, as far as the ledger goes."""
    engine = open_ledger(served.school.home)
    use = Use("weekly run", Role.JOB, Purpose.EARLY_WARNING, Action.SCORE, NOW, "week-2026-11-16")
    names = {one.name: one.definition_hash for one in CATALOGUE}
    decision = Gate(read_contracts(), engine).check(names, use)
    keys = [pupil.key for pupil in served.school.pupils]
    Ledger(engine).record(use, "risk_v1", tuple(names), "c" * 64, keys, [SCHOOL], decision)


def test_a_day_of_contracts(sign_in: SignIn, served: Served) -> None:
    record_a_use(served)
    page = sign_in(OFFICER)
    page.goto("/kenmerken")  # its looks are tested in test_looks, on a part of it
    assert page.get_by_role("link", name="Gebruikt zonder goedkeuring (0)").count() == 1
    # From source column to list.
    page.get_by_role("link", name=FEATURE.label_nl, exact=True).click()
    for step in ("1. Bronkolommen", "4. Contract", "6. Lijsten"):
        assert page.get_by_role("rowheader", name=step).is_visible()
    assert page.get_by_text(FEATURE.sources[0]).first.is_visible()
    # Switch off, with the reason that everybody will find again.
    off = page.get_by_role("region", name="Uitzetten")
    off.get_by_label("Reden").fill("draagt niet aantoonbaar bij")
    off.get_by_role("button", name="Uitzetten").click()
    page.get_by_text("Bewaard: uitgezet").wait_for()
    look(page, "switched-off")
    # Refuse; permit a trial; approve until a day.
    refuse = page.get_by_role("region", name="Afkeuren")
    refuse.get_by_label("Reden").fill("onderbouwing ontbreekt")
    refuse.get_by_role("button", name="Afkeuren").click()
    page.get_by_text("Bewaard: afgekeurd").wait_for()
    page.get_by_role("button", name="Proef toestaan").click()
    page.get_by_text("Bewaard: proef toegestaan").wait_for()
    approve = page.get_by_role("region", name="Goedkeuren")
    approve.get_by_label("Laatste dag").fill("2026-12-20")
    approve.get_by_role("button", name="Goedkeuren").click()
    page.get_by_text("Bewaard: goedgekeurd").wait_for()
    told = [row.event for row in Approvals(open_ledger(served.school.home)).history(FEATURE.name)]
    assert told == [
        ContractEvent.APPROVED,
        ContractEvent.EXPERIMENT,
        ContractEvent.REFUSED,
        ContractEvent.SWITCHED_OFF,
    ]
    page.goto("/kenmerken?toon=verloopt")
    assert page.get_by_role("link", name=FEATURE.label_nl, exact=True).is_visible()
    assert page.get_by_text("verloopt binnen 60 dagen").first.is_visible()
    look(page, "expires-soon")
    # Its last day comes, and the list stops.
    served.wait(minutes=35 * 24 * 60)
    page = sign_in(OFFICER)
    page.goto("/kenmerken?toon=zonder")
    assert page.get_by_role("link", name=FEATURE.label_nl, exact=True).is_visible()
    stopped = page.get_by_text("1 goedkeuring is verlopen: er komt geen nieuwe lijst")
    assert stopped.first.is_visible()
    look(page, "expired")


def test_a_day_of_use_and_proof(sign_in: SignIn, served: Served, tmp_path: Path) -> None:
    record_a_use(served)
    page = sign_in(OFFICER)
    page.goto("/gebruik")
    page.get_by_label("Rol", exact=True).select_option(label="geplande taak")
    page.get_by_role("button", name="Toon").click()
    assert page.get_by_role("rowheader", name="2026-11").is_visible()
    look(page, "ledger")
    with page.expect_download() as download:
        page.get_by_role("link", name="Downloaden als CSV").click()
    assert "weekly run" in Path(download.value.path()).read_text(encoding="utf-8")
    page.goto("/inzage")
    assert page.get_by_text("De keten is heel.").is_visible()
    look(page, "chain")
    with page.expect_download() as download:
        page.get_by_role("button", name="Laatste schakel ondertekend downloaden").click()
    head = read_head(Path(download.value.path()).read_text(encoding="utf-8"), "the download")
    assert head.sequence > 1
    page.get_by_role("link", name="Inzage die opvalt").click()
    assert page.get_by_role("cell", name="afdruk of uitvoer").first.is_visible()
    look(page, "exceptions")
    page.goto("/dossier")
    look(page, "dossiers")
    page.goto("/evenredigheid")
    assert page.get_by_text("Nog niet gemeten.").is_visible()
    look(page, "proportionality-not-measured")


def test_a_day_of_weighing_and_keeping(sign_in: SignIn, served: Served) -> None:
    registry = two_versions(served.school.home)
    write(registry, run_of(registry, 1), TABLE)
    page = sign_in(OFFICER)
    page.goto("/evenredigheid")
    assert page.get_by_text("kan gemist worden").first.is_visible()
    look(page, "proportionality")
    page.goto("/kenmerken?toon=gezondheid")
    assert page.get_by_text("het hele thema: verlies aan recall").first.is_visible()
    page.goto("/bewaren")
    assert page.get_by_text("ten minste 6 maanden").first.is_visible()
    look(page, "keeping")
    served.wait(minutes=(2 * 365 + 5) * 24 * 60)
    page = sign_in(OFFICER)
    page.goto("/bewaren")
    page.get_by_text("De pseudoniemen moeten worden vernieuwd.").wait_for()
    look(page, "keeping-due")
    page.get_by_label("Ik heb de lijst hierboven gecontroleerd").check()
    page.get_by_role("button", name="Definitief weghalen").click()
    page.get_by_role("rowheader", name="2028").first.wait_for(timeout=60_000)
    look(page, "keeping-done")


def take_request(page: Page, kind: str) -> None:
    page.goto("/verzoeken")
    page.get_by_label("School").select_option(SCHOOL)
    page.get_by_label("Naam of leerlingnummer").fill("noor berg")
    page.get_by_role("button", name="Zoeken").click()
    page.get_by_label("Wat wordt gevraagd?").wait_for()
    assert "noor" not in page.url.lower()
    page.get_by_label("Wat wordt gevraagd?").select_option(kind)
    page.get_by_role("button", name="Verzoek aannemen").click()
    page.get_by_role("heading", level=1, name="Verzoek om").wait_for()


def test_a_day_of_requests(sign_in: SignIn, served: Served) -> None:
    page = sign_in(OFFICER)
    noor = served.school.pupils[0]
    page.goto("/verzoeken")
    look(page, "requests")
    take_request(page, "access")
    assert page.get_by_text("Noor van den Berg").is_visible()
    assert "noor" not in page.url.lower()
    look(page, "request")
    with page.expect_download() as download:
        page.get_by_role("button", name="Pakket maken (JSON)").click()
    document = json.loads(Path(download.value.path()).read_text(encoding="utf-8"))
    assert document["leerling"]["naam"] == noor.name
    with page.expect_download() as download:
        page.get_by_role("button", name="Pakket maken (PDF)").click()
    assert Path(download.value.path()).read_bytes().startswith(b"%PDF")
    page.get_by_label("Uitkomst").fill("Pakket meegegeven.")
    page.get_by_role("button", name="Afsluiten").click()
    page.get_by_role("cell", name="Pakket meegegeven.").wait_for()
    take_request(page, "objection")
    page.get_by_role("button", name="Vastleggen").click()
    page.get_by_text("ja, doet niet mee").wait_for()
    later = NOW + timedelta(hours=1)
    assert objected(open_ledger(served.school.home), later) == {noor.key}
    take_request(page, "erasure")
    page.get_by_label("Ik heb gecontroleerd dat dit mag").check()
    page.get_by_role("button", name="Definitief wissen").click()
    page.get_by_role("heading", level=1, name="De leerling is gewist").wait_for(timeout=120_000)
    look(page, "erased")
    assert page.get_by_text("Noor").count() == 0
    page.get_by_role("button", name="Afsluiten").click()
    page.goto("/inzage")
    assert page.get_by_text("De keten is heel.").is_visible()


def test_the_emergency_stop(sign_in: SignIn) -> None:
    page = sign_in(OFFICER)
    page.goto("/noodstop")
    look(page, "stop")
    stop = page.get_by_role("region", name="Lijsten stoppen")
    stop.get_by_label("Voor welke school?").select_option("alle")
    stop.get_by_label("Reden").fill("model onder onderzoek")
    stop.get_by_role("button", name="Stoppen").click()
    banner = "De lijsten van alle scholen zijn stilgelegd"
    page.get_by_text(banner).wait_for()
    look(page, "stopped")
