"""Where machine code is kept, and that it is never that of other sources."""

import shutil
from pathlib import Path

import pytest

from features import compiled as module
from features.compiled import compiled, kept_in

HERE = Path(module.__file__).parent


def copy_of_sources(to: Path) -> None:
    for pattern in module._SOURCES:
        for path in HERE.glob(pattern):
            target = to / path.relative_to(HERE)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)


@pytest.mark.parametrize("name", ["absence/cells.py", "build/career.py", "vocabulary.py"])
def test_other_sources_have_another_folder(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy_of_sources(tmp_path)
    monkeypatch.setattr(module, "_HERE", tmp_path)
    before = kept_in.__wrapped__()
    assert before == kept_in.__wrapped__()
    with (tmp_path / name).open("a", encoding="utf-8") as file:
        file.write("\nANOTHER_NUMBER = 8\n")
    after = kept_in.__wrapped__()
    assert before is not None and after is not None
    assert before.name != after.name


def test_every_module_with_compiled_code_counts() -> None:
    named = {path for pattern in module._SOURCES for path in HERE.glob(pattern)}
    using = {
        path for path in HERE.rglob("*.py") if "import compiled" in path.read_text(encoding="utf-8")
    }
    assert using <= named and len(using) > 8


def test_where_the_package_cannot_be_written_the_users_cache_is_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    package = HERE / "__pycache__"
    real = module._is_writable
    monkeypatch.setattr(
        module, "_is_writable", lambda folder: package not in folder.parents and real(folder)
    )
    folder = kept_in.__wrapped__()
    assert folder is not None and tmp_path in folder.parents


def test_where_nothing_can_be_kept_it_is_compiled_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "_is_writable", lambda _: False)
    assert kept_in.__wrapped__() is None
    monkeypatch.setattr(module, "kept_in", lambda: None)

    @compiled
    def twice(number: int) -> int:
        return 2 * number

    assert twice(21) == 42
