"""The gate: better than the best rule by the whole interval, calibrated, permitted, signed."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime

import numpy as np
import pytest

from features.catalogue import MODEL_FEATURES
from features.errors import GateRefused, NotAllowed, NotThere, VerificationFailed
from features.governance import open_ledger
from features.governance.audit import AuditChain, AuditRow
from features.governance.use import Action, Purpose, Use
from features.settings import Home
from features.vocabulary import Role
from models.bundle import Bundle
from models.registry import Registry
from models.risk_model import Params, TrainingRows, fit
from training.bootstrap import Interval
from training.compare import Difference
from training.evaluate import METRICS
from training.experiment import Experiment
from training.promote import measured_reasons, promote, try_out
from training.summary import ScoreFigures, Summary, evaluation_path, read_summary

NOW = datetime(2026, 11, 16, 7, tzinfo=UTC)
USE = Use("tests", Role.DATA_SCIENTIST, Purpose.EARLY_WARNING, Action.PROMOTE, NOW)
TWO = ("D. de Wit", "F. Groen")


@pytest.fixture(scope="module")
def bundle() -> Bundle:
    generator = np.random.default_rng(2)
    x = generator.random((600, 3)).astype(np.float32)
    rows = TrainingRows(x, x[:, 0] > 0.9, np.ones(600), MODEL_FEATURES[:3])
    return fit(rows, rows, Params(rounds=3, rows_in_leaf=20, threads=1))


def summary(bundle: Bundle, version: int = 1, run_id: str = "", **changes: float) -> Summary:
    """A good evaluation; `gain_low` and `calibration_ratio` can be changed."""

    def figures(name: str, kind: str, recall: float) -> ScoreFigures:
        metrics = {metric: Interval(0.1, 0.05, 0.15) for metric in METRICS}
        metrics["recall"] = Interval(recall, recall - 0.1, recall + 0.1)
        ratio = changes.get("calibration_ratio", 1.1)
        metrics["calibration_ratio"] = Interval(ratio, 0.8 * ratio, 1.2 * ratio)
        return ScoreFigures(name, name, kind, metrics)

    gain = Interval(0.2, changes.get("gain_low", 0.05), 0.3)
    return Summary(
        experiment="promotion",
        question="?",
        made_at=NOW.isoformat(),
        run_id=run_id,
        model_version=version,
        bundle_hash=bundle.content_hash,
        trained_until="2025-04-14",
        tested_on="2025-08-01 t/m 2026-07-31",
        data_fingerprint="f" * 64,
        label="",
        level=0.95,
        periods=(),
        counts=(),
        rows=(
            figures("model", "model", 0.5),
            figures("mazl", "rule", 0.3),
            figures("september", "rule", 0.2),
        ),
        sectors={},
        comparisons=(
            Difference("model", "mazl", "recall", gain),
            Difference("model", "september", "recall", Interval(0.3, 0.2, 0.4)),
        ),
        calibration=(),
        curve_shares=(),
        curves={},
        roads=(),
        settings=Experiment("promotion", "?").settings(),
        notes=(),
    )


@dataclass(frozen=True)
class Office:
    """One installation in which versions are registered and promoted."""

    home: Home
    registry: Registry
    bundle: Bundle

    def measured(self, **changes: float) -> str:
        """Register a version with its evaluation; its number as people write it."""
        with self.registry.run("promotion", "risk model", NOW) as run:
            run.bundle(self.bundle)
            version = self.registry.register(run.run_id)
            found = summary(self.bundle, version, run.run_id, **changes)
            run.tags({"evaluation_sha256": found.digest()})
        found.save(self.home)
        return str(version)

    def champion(self) -> int | None:
        """The version in use."""
        try:
            return self.registry.champion()[0]
        except NotThere:
            return None

    def last_event(self) -> AuditRow:
        """The newest entry of the audit chain."""
        return AuditChain(open_ledger(self.home)).rows(limit=1)[0]


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory, bundle: Bundle) -> Office:
    home = Home(tmp_path_factory.mktemp("office"))
    return Office(home, Registry.at(home), bundle)


def test_without_a_model_there_is_nothing_to_promote(office: Office) -> None:
    if not office.registry.versions():
        with pytest.raises(NotThere, match="no model is registered"):
            promote(office.home, "latest", TWO, USE)
    office.measured()
    with pytest.raises(NotThere, match=r"known are 1.* and latest"):
        promote(office.home, "700", TWO, USE)


def test_a_good_model_signed_by_two_becomes_champion_also_without_an_incumbent(
    office: Office,
) -> None:
    version = office.measured()
    lines = promote(office.home, "latest", TWO, USE)
    assert f"version {version} is the champion" in lines[0]
    number, in_use = office.registry.champion()
    assert (str(number), in_use.content_hash) == (version, office.bundle.content_hash)
    shown = Summary.from_json((office.home.root / "evaluation.json").read_text(encoding="utf-8"))
    assert [row.champion for row in shown.rows] == [True, False, False]
    decision = office.last_event()
    assert decision.event == "model_promoted"
    assert decision.detail["signed_by"] == "D. de Wit; F. Groen"
    assert decision.detail["bundle"] == office.bundle.content_hash


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"gain_low": -0.01}, "not shown to be better than the best rule (mazl)"),
        ({"gain_low": float("nan")}, "not shown to be better"),
        ({"calibration_ratio": 2.5}, "expected over observed onsets is 2.50"),
        ({"calibration_ratio": float("nan")}, "expected over observed onsets is nan"),
    ],
)
def test_what_was_measured_can_refuse(
    office: Office, changes: dict[str, float], reason: str
) -> None:
    before, version = office.champion(), office.measured(**changes)
    with pytest.raises(NotAllowed, match="not promoted") as refusal:
        promote(office.home, version, TWO, USE)
    assert reason in str(refusal.value)
    assert office.last_event().event == "model_promotion_refused"
    assert office.champion() == before


@pytest.mark.parametrize("signers", [(), ("D. de Wit",), ("D. de Wit", " d. de wit ")])
def test_one_person_cannot_promote(office: Office, signers: tuple[str, ...]) -> None:
    before, version = office.champion(), office.measured()
    with pytest.raises(NotAllowed, match="signatures of 2 different people"):
        promote(office.home, version, signers, USE)
    assert office.last_event().event == "model_promotion_refused"
    assert office.champion() == before


def test_an_evaluation_that_was_touched_up_is_found(office: Office) -> None:
    version = office.measured(gain_low=-0.2)
    path = evaluation_path(office.home, int(version))
    path.write_text(path.read_text(encoding="utf-8").replace("-0.2,", "0.2,"), encoding="utf-8")
    assert not list(measured_reasons(read_summary(office.home, int(version)))), "it would pass"
    with pytest.raises(VerificationFailed, match="not what was measured"):
        promote(office.home, version, TWO, USE)


def test_the_gate_of_the_features_has_the_last_word(office: Office) -> None:
    """In 2030 every contract has expired."""
    later = replace(USE, moment=datetime(2030, 1, 7, 7, tzinfo=UTC))
    with pytest.raises(GateRefused, match="expired"):
        promote(office.home, office.measured(), TWO, later)


def test_a_summary_reads_back_as_it_was_written(bundle: Bundle) -> None:
    written = summary(bundle, gain_low=0.01)
    again = Summary.from_json(written.to_json())
    assert again == written and again.digest() == written.digest()


def test_a_refused_model_is_tried_out_on_an_invented_region_only(office: Office) -> None:
    version = office.measured(gain_low=-0.01)
    before = office.champion()
    with pytest.raises(NotAllowed, match="does not hold an invented region"):
        try_out(office.home, version, USE)
    assert office.champion() == before
    office.home.truth.mkdir()
    try:
        lines = try_out(office.home, version, USE)
    finally:
        office.home.truth.rmdir()
    assert "it is not promoted" in lines[0]
    assert office.last_event().event == "model_tried_out"
    assert str(office.champion()) == version
