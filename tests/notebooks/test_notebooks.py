"""Every notebook runs from top to bottom on invented pupils."""

import runpy
from pathlib import Path

import pytest

from tests.training.two_models import two_models

NOTEBOOKS = Path(__file__).resolve().parents[2] / "notebooks"
SAYS = {
    "first_look": "features a model may use",
    "anatomy_of_one_model": "the parts add up",
    "comparing_two": "this test year was looked at",
    "what_one_feature_adds": "without absent_share_4w",
}


def test_every_notebook_is_named_here() -> None:
    assert {path.stem for path in NOTEBOOKS.glob("*.py")} == set(SAYS)


@pytest.mark.parametrize("name", SAYS)
def test_notebook_runs(
    name: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    if name != "first_look":
        monkeypatch.setenv("TIJDIG_HOME", str(two_models().root))
    runpy.run_path(str(NOTEBOOKS / f"{name}.py"))
    assert SAYS[name] in capsys.readouterr().out
