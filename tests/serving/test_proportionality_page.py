"""What each theme and feature is worth: on its page and in the register, also before measuring."""

from dataclasses import replace

import pytest

from features.settings import Home
from models.bundle import Bundle, Metadata
from models.calibration import Calibrator
from models.preparation import Preparation
from models.proportionality import (
    Estimate,
    Proportionality,
    SmallestSufficient,
    Verdict,
    Without,
    write,
)
from models.registry import Registry
from tests.serving.invented_school import NOW, OFFICER, SCIENTIST, InventedSchool
from tests.serving.page_rules import Element, parse, problems
from tests.serving.test_dossier import NAME, TREE
from tests.serving.visitors import Visit

LOST = Estimate(0.062, 0.021, 0.104)
NOTHING_LOST = Estimate(0.001, -0.004, 0.006)
UNSURE = Estimate(0.012, -0.02, 0.05)
WEEKS = Estimate(0.3, -0.1, 0.7)
TABLE = Proportionality(
    model_version=1,
    made_at="2026-11-15T20:00+00:00",
    tested_on="01-08-2025 t/m 31-07-2026",
    level=0.95,
    margin=0.01,
    same_model=True,
    reference={"recall": Estimate(0.25, 0.2, 0.3), "mean_lead": Estimate(1.5, 1.0, 2.0)},
    without=(
        Without("theme", "absence", ("sick_share_4w", "group_deviation_4w"), LOST, WEEKS,
                Verdict.NEEDED),
        Without("theme", "support", ("support_running",), UNSURE, WEEKS,
                Verdict.NOT_SHOWN_NEEDED),
        Without("theme", "pattern", (NAME,), NOTHING_LOST, WEEKS, Verdict.SPARE),
        Without("feature", NAME, (NAME,), NOTHING_LOST, WEEKS, Verdict.SPARE),
    ),
    smallest_sufficient=SmallestSufficient(
        ("group_deviation_4w", NAME), ("sick_share_4w", "support_running"), NOTHING_LOST, WEEKS,
        Verdict.SPARE,
    ),
)  # fmt: skip


@pytest.fixture
def registry(school: InventedSchool) -> Registry:
    return two_versions(school.home)


def two_versions(home: Home) -> Registry:
    """Two versions with their runs; the first is in use."""
    registry = Registry.at(home)
    bundle = Bundle(
        model_text=TREE,
        features=(NAME,),
        preparation=Preparation((0.0,), (9.0,), (1.0,)),
        calibrator=Calibrator("sigmoid", (0.0,), (1.0,), 1.0, 1.0),
        metadata=Metadata(feature_service="risk_v1", contract_hash="c" * 64),
    )
    for number in (1, 2):
        with registry.run("first", "risk model", NOW) as run:
            run.bundle(replace(bundle, metadata=replace(bundle.metadata, seed=number)))
        registry.register(run.run_id)
    registry.set_champion(1)
    return registry


def run_of(registry: Registry, version: int) -> str:
    return next(one.run_id for one in registry.versions() if one.number == version)


def page(visit: Visit, address: str, who: str = OFFICER) -> Element:
    answer = visit(who).get(address)
    assert answer.status_code == 200, answer.text
    found = parse(answer.text)
    assert problems(found) == []
    return found


def test_before_anything_was_measured_the_pages_say_what_that_means(
    visit: Visit, registry: Registry
) -> None:
    text = page(visit, "/evenredigheid").text
    assert "Nog niet gemeten." in text and "tijdig proportionality" in text
    assert "Hoe er wordt gemeten" in text
    assert "nog niet gemeten" in page(visit, "/kenmerken").text


def test_each_difference_stands_with_its_interval_beside_the_sensitivity(
    visit: Visit, registry: Registry
) -> None:
    write(registry, run_of(registry, 1), TABLE)
    found = page(visit, "/evenredigheid", SCIENTIST)
    rows = {row.all("th")[0].text: [cell.text for cell in row.all("td")]
            for row in found.all("tr") if row.all("td")}  # fmt: skip
    themes = list(rows)
    assert themes[0].startswith("Te laat") or rows[themes[0]][3].startswith("kan gemist worden")
    lost = next(cells for name, cells in rows.items() if cells[1].startswith("6,2"))
    assert lost == [
        "hoog; 1 van 2 over gezondheid",
        "6,2 (2,1 tot 10,4) procentpunt",
        "0,3 (-0,1 tot 0,7) schoolweken",
        Verdict.NEEDED.words,
    ]
    assert "2 kenmerken in plaats van 4; 1 gezondheidsgegeven minder" in found.text
    assert "Verlies aan recall 0,1 (-0,4 tot 0,6) procentpunt" in found.text
    assert "25,0 (20,0 tot 30,0) %" in found.text and "niet in gebruik" not in found.text
    register = page(visit, "/kenmerken").text
    assert "verlies aan recall 0,1 (-0,4 tot 0,6) procentpunt: kan gemist worden" in register
    assert "het hele thema: verlies aan recall 6,2 (2,1 tot 10,4) procentpunt" in register


def test_the_measurement_of_another_version_says_so(visit: Visit, registry: Registry) -> None:
    write(registry, run_of(registry, 2), replace(TABLE, model_version=2, same_model=False))
    text = page(visit, "/evenredigheid").text
    assert "Deze meting is van versie 2, en die is niet in gebruik." in text
    assert "niet tot op de letter het model uit het register" in text


def test_a_table_kept_with_the_wrong_run_is_not_believed(visit: Visit, registry: Registry) -> None:
    write(registry, run_of(registry, 1), replace(TABLE, model_version=2))
    assert "Nog niet gemeten." in page(visit, "/evenredigheid").text


def test_without_a_search_or_features_the_page_says_what_is_there(
    visit: Visit, registry: Registry
) -> None:
    themes = tuple(one for one in TABLE.without if one.kind == "theme")
    write(registry, run_of(registry, 1), replace(TABLE, without=themes, smallest_sufficient=None))
    found = page(visit, "/evenredigheid").text
    assert "Nog niet gemeten per kenmerk" in found and "Kleinste verzameling" not in found
