"""How it went before: a sentence per part of the list, from realised outcomes, never from a few."""

import json
from pathlib import Path
from typing import Any

import pytest

from serving.frequencies import FEWEST_PUPILS, frequencies
from serving.lists import Block


def written(folder: Path, discuss: int = 200, follow: int = 180, **more: Any) -> Path:
    """An evaluation file as training writes it, with so many pupils per part."""
    blocks = [
        {
            "block": name,
            "pupils": pupils,
            "precision": {"value": value, "low": value - 0.01, "high": value + 0.01},
        }
        for name, pupils, value in (("discuss", discuss, 0.04), ("follow", follow, 0.02))
    ]
    rows = [
        {"name": "rule", "metrics": {"caught": {"value": 0.1, "low": None, "high": None}}},
        {"name": "model", "champion": True, "metrics": {"caught": {"value": 0.32}}},
    ]
    path = folder / "evaluation.json"
    path.write_text(json.dumps({"rows": rows, "blocks": blocks} | more), encoding="utf-8")
    return path


def test_each_part_has_its_own_frequency_and_the_misses_are_said_once(tmp_path: Path) -> None:
    found = frequencies(written(tmp_path))
    assert found[Block.DISCUSS].startswith("Bij 3 tot 5 van elke 100 plaatsen in deze groep")
    assert "bij 95 tot 97 niet" in found[Block.DISCUSS]
    assert found[Block.DISCUSS].endswith("stonden er ongeveer 3 vooraf op een lijst; 7 niet.")
    assert found[Block.FOLLOW].startswith("Bij 1 tot 3 van elke 100 plaatsen")
    assert "van elke 10 leerlingen" not in found[Block.FOLLOW].lower()
    assert Block.TOO_LITTLE_DATA not in found


@pytest.mark.parametrize(("pupils", "is_told"), [(FEWEST_PUPILS, True), (FEWEST_PUPILS - 1, False)])
def test_of_a_few_pupils_nothing_is_told(tmp_path: Path, pupils: int, is_told: bool) -> None:
    found = frequencies(written(tmp_path, discuss=pupils))
    assert (Block.DISCUSS in found) == is_told
    assert Block.FOLLOW in found


def test_an_older_evaluation_gives_no_sentence(tmp_path: Path) -> None:
    assert frequencies(written(tmp_path, blocks=[])) == {}
    assert frequencies(tmp_path / "nowhere.json") == {}
