"""Compare and decide: what is stored is shown, in words and figures, for the data scientist."""

import json
from typing import Any

import pytest

from serving.comparisons import stored
from tests.serving.invented_school import SCIENTIST, InventedSchool
from tests.serving.page_rules import Element, parse, problems
from tests.serving.visitors import Visit


def comparison(low: float = 0.01) -> dict[str, Any]:
    """Version 2 against version 1, with a rule beside them."""

    def figures(value: float) -> dict[str, dict[str, float | None]]:
        whole: dict[str, float | None] = {"value": value, "low": value - 0.05, "high": value + 0.05}
        return {"recall": whole, "brier": {"value": None, "low": None, "high": None}}

    gain = {"value": 0.1, "low": low, "high": 0.19}
    side = {"family": "boosted", "bundle_hash": "0" * 64, "label": "binnen 8 schoolweken"}
    change = {"dimension": "school", "suppressed": False}
    return {
        "a": {"version": 1, "experiment": "first", **side},
        "b": {"version": 2, "experiment": "monotone", **side},
        "metric": "recall",
        "judged_by": "binnen 8 schoolweken",
        "tested_on": "01-08-2025 t/m 31-07-2026",
        "moment": "2026-11-16T08:30+00:00",
        "looks": 4,
        "rows": 3000,
        "pupils": 900,
        "schools": 6,
        "scores": [
            {"name": "a", "label": "versie 1", "kind": "model", "metrics": figures(0.3)},
            {"name": "b", "label": "versie 2", "kind": "model", "metrics": figures(0.4)},
            {"name": "mazl", "label": "M@ZL", "kind": "mazl", "metrics": figures(0.2)},
        ],
        "differences": [
            {"model": "b", "other": "a", "metric": "recall", "interval": gain},
            {"model": "b", "other": "mazl", "metric": "recall", "interval": gain},
        ],
        "lists": {
            "lists": 40, "places": 200, "same": 150, "enter": 50, "leave": 50, "pupils_enter": 12,
            "pupils_leave": 9, "onsets_enter": 7, "onsets_leave": 3,
        },
        "reasons": {"reasons_same_first": 0.81, "reasons_same_second": 0.6},
        "groups": [
            {**change, "group": "basisonderwijs", "difference": gain},
            {**change, "group": "klein", "suppressed": True, "difference": gain},
            {**change, "group": "gelijk", "difference": {"value": 0.0, "low": -0.1, "high": 0.1}},
        ],
        "features": [
            {"name": "x", "label": "te laat", "added": True, "sensitivity": "high", "health": False}
        ],
        "costs": [
            {"features": 76, "sensitive": 26, "health": 16, "bytes": 96_000, "seconds": 0.9},
            {"features": 77, "sensitive": 27, "health": 16, "bytes": 90_000, "seconds": 0.8},
        ],
    }  # fmt: skip


def shown(visit: Visit, address: str = "/vergelijken") -> Element:
    answer = visit(SCIENTIST).get(address)
    assert answer.status_code == 200
    page = parse(answer.text)
    assert problems(page) == []
    return page


def store(school: InventedSchool, name: str, content: str) -> None:
    folder = school.home.root / "comparisons"
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(content, encoding="utf-8")


def test_without_a_comparison_the_page_says_how_to_make_one(visit: Visit) -> None:
    assert "tijdig compare" in shown(visit).text


def test_a_better_model_is_shown_with_what_changes_and_how_to_decide(
    visit: Visit, school: InventedSchool
) -> None:
    store(school, "1-2.json", json.dumps(comparison()))
    page = shown(visit)
    assert "Versie 2 is aantoonbaar beter dan versie 1." in page.text
    rows = [[cell.text for cell in row.all("th", "td")] for row in page.all("tr")]
    assert ["versie 2 model", "40,0 % (35,0 tot 45,0)"] in rows
    assert ["versie 1", "+10,0 (+1,0 tot +19,0)"] in rows
    assert ["komt erbij", "50", "12", "7"] in rows
    assert ["te laat", "erbij", "hoog", "nee"] in rows
    assert "basisonderwijs: +10,0 punten" in page.text
    assert "klein:" not in page.text and "gelijk:" not in page.text
    assert "zelfde eerste reden 81 %" in page.text
    assert "tijdig promote 2 --signed-by" in page.text


def test_no_difference_keeps_the_old_model(visit: Visit, school: InventedSchool) -> None:
    store(school, "1-2.json", json.dumps(comparison(low=-0.02)))
    page = shown(visit)
    assert "Er is geen verschil aangetoond. Versie 1 blijft." in page.text
    assert "--signed-by" not in page.text


def test_the_newest_is_shown_and_the_others_are_a_link_away(
    visit: Visit, school: InventedSchool
) -> None:
    older = comparison() | {"b": comparison()["b"] | {"version": 3}}
    store(school, "1-2.json", json.dumps(comparison()))
    store(school, "1-3.json", json.dumps(older))
    store(school, "notes.json", "[]")
    assert [(each.a, each.b) for each in stored(school.home.root)] == [(1, 3), (1, 2)]
    assert "Versie 3 is aantoonbaar" in shown(visit).text
    assert "Versie 2 is aantoonbaar" in shown(visit, "/vergelijken?van=1&naar=2").text


@pytest.mark.parametrize("content", ["", "{", "[]", '{"a": 3}'])
def test_a_damaged_comparison_breaks_nothing(
    visit: Visit, school: InventedSchool, content: str
) -> None:
    store(school, "1-2.json", content)
    assert "kan niet worden gelezen" in shown(visit).text
