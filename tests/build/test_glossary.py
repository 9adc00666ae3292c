"""The glossary names every value of every enumeration and every feature, and is current."""

import inspect
import re
from enum import StrEnum

import pytest

from features import vocabulary
from features.catalogue import CATALOGUE, Unit
from features.catalogue.glossary import GLOSSARY_FILE, with_generated_parts
from features.records import LogTable

TEXT = GLOSSARY_FILE.read_text(encoding="utf-8")
ENUMS = [
    kind
    for _, kind in inspect.getmembers(vocabulary, inspect.isclass)
    if issubclass(kind, StrEnum) and kind is not StrEnum
]


@pytest.mark.parametrize("kind", [*ENUMS, LogTable, Unit], ids=lambda kind: kind.__name__)
def test_every_value_is_in_the_glossary(kind: type[StrEnum]) -> None:
    missing = [value for value in kind if f"`{value}`" not in TEXT]
    assert missing == [], f"say in features/GLOSSARY.md what these of {kind.__name__} mean"


def test_every_feature_is_in_the_glossary() -> None:
    assert [f.name for f in CATALOGUE if f"`{f.name}`" not in TEXT] == []


def test_the_generated_parts_are_current() -> None:
    assert with_generated_parts(TEXT) == TEXT, "run python -m features.catalogue.glossary"


def test_the_test_sees_a_missing_word() -> None:
    assert "`no_such_kind`" not in TEXT
    assert re.search(r"`sick`.*ziek", TEXT)
