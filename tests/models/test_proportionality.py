"""The table of what is lost without a theme or a feature: written beside the run, read back."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from features.errors import NotAllowed, VerificationFailed
from features.governance.pseudonyms import pupil_key
from features.settings import Home
from models.proportionality import (
    Estimate,
    Proportionality,
    SmallestSufficient,
    Verdict,
    Without,
    read,
    verdict,
    write,
)
from models.registry import Registry

MOMENT = datetime(2026, 11, 16, 5, tzinfo=UTC)
NOTHING = Estimate()


def table(name: str = "absence", smallest: SmallestSufficient | None = None) -> Proportionality:
    lost = Without(
        "theme", name, ("absent_share_4w",), Estimate(0.1, 0.05, 0.2), NOTHING, Verdict.NEEDED
    )
    return Proportionality(
        model_version=1,
        made_at="2026-11-16T05:00+00:00",
        tested_on="01-08-2025 t/m 31-07-2026",
        level=0.95,
        margin=0.01,
        same_model=True,
        reference={"recall": Estimate(0.25, 0.2, 0.3)},
        without=(lost,),
        smallest_sufficient=smallest,
    )


def test_it_stands_with_the_run_and_comes_back(tmp_path: Path) -> None:
    registry = Registry.at(Home(tmp_path))
    with registry.run("first", "a model", MOMENT) as run:
        run.metrics({"recall": 0.25})
    assert read(registry, run.run_id) is None
    smallest = SmallestSufficient(
        ("absent_share_4w",), ("sent_out_12w",), NOTHING, NOTHING, Verdict.NOT_MEASURED
    )
    for written in (table(), table(smallest=smallest)):
        write(registry, run.run_id, written)
        found = read(registry, run.run_id)
        assert found is not None
        assert found.to_json() == written.to_json()
        assert found.reference == written.reference
    assert [found.name for found in registry.runs("first")] == ["a model"], "still finished"
    with pytest.raises(NotAllowed, match="pseudonym"):
        write(registry, run.run_id, table(pupil_key(b"k" * 32, b"u" * 16)))
    registry.attach(run.run_id, "proportionality.json", "{}")
    with pytest.raises(VerificationFailed, match="tijdig proportionality"):
        read(registry, run.run_id)


@pytest.mark.parametrize(
    ("recall", "lead", "expected"),
    [
        (Estimate(0.05, 0.01, 0.09), NOTHING, Verdict.NEEDED),
        (Estimate(0.0, -0.1, 0.1), Estimate(0.5, 0.1, 0.9), Verdict.NEEDED),
        (Estimate(-0.05, -0.09, -0.01), NOTHING, Verdict.BETTER_WITHOUT),
        (Estimate(0.001, -0.002, 0.01), NOTHING, Verdict.SPARE),
        (Estimate(0.001, -0.002, 0.011), NOTHING, Verdict.NOT_SHOWN_NEEDED),
        (Estimate(0.0, 0.0, 0.0), Estimate(0.0, 0.0, 0.0), Verdict.SPARE),
        (NOTHING, Estimate(0.5, 0.1, 0.9), Verdict.NOT_MEASURED),
    ],
)
def test_a_verdict_needs_the_whole_interval(
    recall: Estimate, lead: Estimate, expected: Verdict
) -> None:
    assert verdict(recall, lead, margin=0.01) is expected
    assert expected.words
