"""The fingerprint of the code of a feature: another calculation changes it, other wording does not.

Each test alters a copy of the package's own sources.
"""

import importlib
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from features.catalogue import CATALOGUE, transformation
from features.catalogue.transformation import (
    OWN_MODULE,
    ROOT,
    family_of,
    reached_names,
    transformation_hash,
)
from features.errors import GateRefused
from features.governance import open_ledger
from features.governance.contracts import read_contracts, voided
from features.governance.gate import Gate
from features.governance.use import Action, Purpose, Use
from features.settings import Home
from features.vocabulary import Role

FAMILIES = sorted(OWN_MODULE)


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    for path in (ROOT / "features").rglob("*.py"):
        target = tmp_path / path.relative_to(ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
    return tmp_path


def alter(root: Path, name: str, change: Callable[[str], str]) -> None:
    path = root / "features" / name
    before = path.read_text(encoding="utf-8")
    after = change(before)
    assert after != before, f"the alteration of {name} found nothing"
    path.write_text(after, encoding="utf-8")


def changed(root: Path) -> set[str]:
    """The families whose code is another one."""
    transformation._module.cache_clear()
    transformation_hash.cache_clear()
    return {one for one in FAMILIES if transformation_hash(one, root) != transformation_hash(one)}


def test_the_same_sources_elsewhere_are_the_same_code(sources: Path) -> None:
    assert changed(sources) == set()
    assert len({transformation_hash(one) for one in FAMILIES}) == len(FAMILIES)


@pytest.mark.parametrize(
    ("name", "old", "new", "families"),
    [
        ("support.py", "MOST_WEEKS = ", "MOST_WEEKS = 1 + ", {"support"}),
        ("build/career.py", "placements.enrolled[row] < year.began",
         "placements.enrolled[row] <= year.began", {"career"}),
        ("absence/episodes.py", "EPISODE_GAP_DAYS = ", "EPISODE_GAP_DAYS = 1 + ", {"absence"}),
        ("records/partition.py", "known_before", "known_until", set(FAMILIES)),
        ("vocabulary.py", "ABSENT_KINDS = ", "ABSENT_KINDS = set() or ", {"absence"}),
        ("school_weeks.py", "AS_OF_HOUR = time(6)", "AS_OF_HOUR = time(7)", set(FAMILIES)),
    ],
)  # fmt: skip
def test_another_calculation_is_other_code_for_whom_it_concerns(
    sources: Path, name: str, old: str, new: str, families: set[str]
) -> None:
    alter(sources, name, lambda text: text.replace(old, new))
    assert changed(sources) == families


def test_words_layout_order_and_unused_code_are_no_other_code(sources: Path) -> None:
    alter(sources, "support.py", lambda text: f'"""Another docstring."""\n# A remark.\n{text}')
    alter(sources, "support.py", lambda text: text.replace("(\n", "(  # a remark\n\n", 1))
    alter(sources, "support.py", lambda text: text + "\n\ndef unused() -> int:\n    return 1\n")
    alter(sources, "vocabulary.py", lambda text: text.replace('"ziek"', '"ziek gemeld"', 1))
    alter(sources, "build/career.py", lambda text: text.replace(" -> float:", " -> 'float':"))
    assert changed(sources) == set()


def test_a_function_moved_to_another_module_is_the_same_code(sources: Path) -> None:
    text = (sources / "features/build/career.py").read_text(encoding="utf-8")
    begin, end = text.index("def year_group_number("), text.index("class YearGroups(")
    moved = "import re\nfrom features.build.names import AFTER_PRIMARY\n\n" + text[begin:end]
    line = next(one for one in text.splitlines() if one.startswith("AFTER_PRIMARY = "))
    (sources / "features/build/years.py").write_text(moved, encoding="utf-8")
    (sources / "features/build/names.py").write_text(
        f"from features.vocabulary import Sector\n\n{line}\n", encoding="utf-8"
    )
    rest = (text[:begin] + text[end:]).replace(f"{line}\n", "")
    added = "from features.build.names import AFTER_PRIMARY\n"
    added += "from features.build.years import year_group_number\n"
    rest = rest.replace("import re\n", added, 1)
    (sources / "features/build/career.py").write_text(rest, encoding="utf-8")
    assert changed(sources) == set()


def test_each_family_reaches_its_own_module_and_no_other_s() -> None:
    for family in FAMILIES:
        names = reached_names(family)
        for other, module in OWN_MODULE.items():
            assert any(name.startswith(f"{module}.") for name in names) == (family == other)
    everything = reached_names("")
    for module in ("absence.features", "support", "build.career", "school_weeks", "vocabulary"):
        assert any(name.startswith(f"features.{module}.") for name in everything), module
    assert {family_of(one.view) for one in CATALOGUE} <= {*FAMILIES, ""}


def test_other_code_voids_the_approval_and_the_gate_stops_the_features(
    sources: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    alter(sources, "support.py", lambda text: text.replace("MOST_WEEKS = ", "MOST_WEEKS = 1 + "))
    changed(sources)
    real = transformation_hash
    place = importlib.import_module("features.catalogue.feature")
    monkeypatch.setattr(place, "transformation_hash", lambda family: real(family, sources))
    support = {one.name for one in CATALOGUE if one.view == "support"}
    assert set(voided(CATALOGUE, read_contracts())) == support | {
        one.name for one in CATALOGUE if family_of(one.view) == ""
    }
    definitions = {one.name: one.definition_hash for one in CATALOGUE}
    gate = Gate(read_contracts(), open_ledger(Home(tmp_path / "var")))
    use = Use("job", Role.JOB, Purpose.EARLY_WARNING, Action.SCORE,
              datetime(2026, 11, 16, tzinfo=UTC))  # fmt: skip
    with pytest.raises(GateRefused, match="the code that computes it changed") as refused:
        gate.check(definitions, use)
    assert all(name in str(refused.value) for name in support)
    assert "absent_share_4w" not in str(refused.value)
    untouched = {name: one for name, one in definitions.items() if name.startswith("absent_")}
    assert gate.check(untouched, use).allowed
