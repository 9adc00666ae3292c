"""Words: no label for a child, formal address, in every template, sentence and document."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import serving
from features.catalogue import CATALOGUE
from features.catalogue.formulas import FORMULAS_NL
from tests.serving.test_pages import BANNED

ROOT = Path(serving.__file__).parents[1]
INFORMAL = re.compile(r"\b(?:je|jij|jou|jouw|jullie)\b", re.IGNORECASE)
# The list of words that must not stand in a note has to name them.
NAMES_THEM = {"serving/notes.py"}
FOLDERS = ("serving", "models", "features/catalogue", "features/vocabulary.py")


def texts() -> Iterator[tuple[str, str]]:
    """Every template and document, and every text in the code that could be shown."""
    for pattern in ("templates/*.html", "../documents/*"):
        for path in sorted((ROOT / "serving/web").glob(pattern)):
            yield path.name, path.read_text(encoding="utf-8")
    for folder in FOLDERS:
        path = ROOT / folder
        for module in sorted(path.rglob("*.py")) if path.is_dir() else [path]:
            name = module.relative_to(ROOT).as_posix()
            if name not in NAMES_THEM:
                for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
                    if isinstance(node, ast.Constant) and isinstance(node.value, str):
                        yield f"{name}:{node.lineno}", node.value


def test_no_text_calls_a_child_names() -> None:
    assert [place for place, text in texts() if BANNED.search(text)] == []


def test_everybody_is_addressed_formally() -> None:
    assert [place for place, text in texts() if INFORMAL.search(text)] == []


def test_the_rules_see_what_they_look_for() -> None:
    assert BANNED.search("een Thuiszitter") and INFORMAL.search("wat doe je?")
    places = {place.split(":")[0] for place, _text in texts()}
    assert {"list.html", "team_overview.typ", "serving/steps.py", "models/reasons.py"} <= places


def test_every_feature_has_a_dutch_formula_with_the_numbers_of_its_definition() -> None:
    """The definition that approval rests on and the words an officer reads say the same."""
    assert set(FORMULAS_NL) == {one.name for one in CATALOGUE}
    for one in CATALOGUE:
        formula = FORMULAS_NL[one.name]
        told, meant = (set(re.findall(r"\d+", text)) - {"1"} for text in (formula, one.description))
        assert told == meant, one.name
        is_told = "onbekend" in formula.replace("niet bekend", "")
        assert is_told == ("NaN" in one.description), one.name
