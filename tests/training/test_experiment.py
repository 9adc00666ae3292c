"""An experiment file says everything, and every mistake in it is told at once."""

from pathlib import Path

import pytest

from features.catalogue import MODEL_FEATURES, feature
from features.errors import ExperimentError
from training.experiment import Experiment, parse_experiment, read_experiment

ROOT = Path(__file__).resolve().parents[2]


def test_every_experiment_of_the_repository_reads() -> None:
    paths = sorted((ROOT / "experiments").glob("*.toml"))
    assert paths
    for path in paths:
        assert read_experiment(path).question


def test_all_problems_are_told_at_once() -> None:
    text = """
        name = "wrong"
        question = 3
        sed = 4
        [label]
        kind = "week"
        run_days = "20"
        [cohort]
        minimum_age = 5
        [capacity]
        share = 2
        [model]
        rounds = 0
        [evaluation]
        curve_shares = [0.1, "half"]
        [promotion]
        metric = "accuracy"
        """
    with pytest.raises(ExperimentError) as problem:
        parse_experiment(text, "wrong.toml")
    lines = str(problem.value).splitlines()
    assert lines[0] == "wrong.toml: 9 problems"
    for start in (
        "question = 3: expected text",
        "sed: unknown; known are capacity",
        "label.kind = 'week': expected 'onset' or 'strict' or 'share'",
        "label.run_days = '20': expected a whole number",
        "cohort.minimum_age: unknown",
        "capacity: capacity: share 2",
        "model: rounds = 0",
        "evaluation.curve_shares = [0.1, 'half']: expected a number",
        "promotion.metric = 'accuracy': expected 'recall' or",
    ):
        assert any(line.strip().startswith(start) for line in lines), (start, lines)


def test_what_would_do_nothing_is_a_mistake_too() -> None:
    text = """
        name = "idle"
        question = "?"
        family = "logistic"
        sectors = ["po", "school"]
        [label]
        kind = "share"
        run_days = 20
        [model]
        rounds = 3
        [features]
        without = ["absent_share_4w", "income"]
        without_themes = ["weather"]
        """
    with pytest.raises(ExperimentError) as problem:
        parse_experiment(text, "idle.toml")
    told = str(problem.value)
    assert told.startswith("idle.toml: 3 problems")
    for part in ("model: does nothing", "label.run_days: does nothing", "'income' is no feature",
                 "'weather' is no theme"):  # fmt: skip
        assert part in told, part
    with pytest.raises(ExperimentError, match="sectors: unknown school"):
        Experiment("a", "b", sectors=("po", "school"))


def test_an_ablation_leaves_out_a_whole_theme() -> None:
    text = 'name = "a"\nquestion = "b"\n[features]\nwithout_themes = ["support"]'
    names = parse_experiment(text, "a.toml").features.names()
    assert names and not any(feature(name).theme == "support" for name in names)
    assert len(names) == sum(feature(name).theme != "support" for name in MODEL_FEATURES)


@pytest.mark.parametrize("text", ["name = ", "label = 3\nname = 'a'\nquestion = 'b'"])
def test_no_toml_and_no_section(text: str) -> None:
    with pytest.raises(ExperimentError, match=r"e\.toml"):
        parse_experiment(text, "e.toml")


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ExperimentError, match="cannot be read"):
        read_experiment(tmp_path / "none.toml")


def test_every_setting_is_recorded_under_its_name() -> None:
    settings = Experiment("a", "b").settings()
    assert settings["label.run_days"] == "20"
    assert settings["model.rounds"] and settings["capacity.share"] == "0.02"
