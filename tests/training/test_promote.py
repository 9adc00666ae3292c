"""The gate: better than the best rule by the whole interval, calibrated, permitted, signed."""

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest

from features.catalogue import MODEL_FEATURES, feature
from features.errors import GateRefused, NotAllowed, NotThere, VerificationFailed
from features.governance import open_ledger
from features.governance.approvals import Approvals, ContractEvent
from features.governance.audit import AuditChain, AuditRow
from features.governance.contracts import read_contracts
from features.governance.gate import Gate
from features.governance.use import Action, Purpose, Use
from features.settings import Home
from features.vocabulary import Role
from models.bundle import Bundle
from models.dossier import QUESTIONS
from models.in_use import REFUSED, check_in_use
from models.registry import Registry
from models.risk_model import Params, TrainingRows, fit
from training.bootstrap import Interval
from training.compare import Difference
from training.evaluate import METRICS
from training.experiment import Experiment
from training.findings import Findings
from training.gate import DOSSIER, measured_reasons
from training.promote import promote, rollback, try_out
from training.subgroups import Subgroup
from training.summary import ScoreFigures, Summary, evaluation_path, read_summary
from training.tripwires import Tripwire

NOW = datetime(2026, 11, 16, 7, tzinfo=UTC)
USE = Use("tests", Role.DATA_SCIENTIST, Purpose.EARLY_WARNING, Action.PROMOTE, NOW)
TWO = ("D. de Wit", "F. Groen")


@pytest.fixture(scope="module")
def bundle() -> Bundle:
    generator = np.random.default_rng(2)
    x = generator.random((600, 3)).astype(np.float32)
    rows = TrainingRows(x, x[:, 0] > 0.9, np.ones(600), MODEL_FEATURES[:3])
    return fit(rows, rows, Params(rounds=3, rows_in_leaf=20, threads=1))


def findings(incumbent: int | None, changes: dict[str, float]) -> Findings:
    """Steady, fair and honest, unless changed."""
    gap = Interval(-0.3, -0.5, -0.1)  # the records foretell less there: no reason to refuse
    gain = Interval(-0.1, -0.3, changes.get("gain_high_there", 0.02))
    cell = Subgroup("onderwijssoort", "basisonderwijs", 900, 9000, 40, False, {}, gap, gain)
    hidden = replace(cell, group="speciaal", suppressed=True, gain=Interval(-1.0, -1.0, -1.0))
    wires = (
        Tripwire("label overlap", True, ""),
        Tripwire("future shuffle", not changes.get("moved"), "moved: absent_share_4w"),
    )
    return Findings(
        looks=1,
        incumbent=incumbent,
        features=(),
        subgroups=(cell, hidden),
        helped=(),
        calibrators=(),
        lead={},
        late=None,
        stability={
            "reasons_same_first": changes.get("first", 0.8),
            "reasons_same_second": changes.get("second", 0.6),
        },
        tripwires=wires,
    )


def summary(
    bundle: Bundle,
    version: int = 1,
    run_id: str = "",
    incumbent: int | None = None,
    **changes: float,
) -> Summary:
    """A good evaluation; every figure that the gate reads can be changed."""

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
            *(
                [Difference("model", "incumbent", "recall", _interval(changes))]
                if incumbent is not None
                else []
            ),
        ),
        calibration=(),
        curve_shares=(),
        curves={},
        roads=(),
        settings=Experiment("promotion", "?").settings(),
        notes=(),
        findings=findings(incumbent, changes),
    )


def _interval(changes: dict[str, float]) -> Interval:
    return Interval(0.05, changes.get("over_incumbent", 0.01), 0.1)


@dataclass(frozen=True)
class Office:
    """One installation in which versions are registered and promoted."""

    home: Home
    registry: Registry
    bundle: Bundle

    def measured(self, dossier: frozenset[str] = DOSSIER, **changes: float) -> str:
        """Register a version with its evaluation; its number as people write it."""
        incumbent = self.registry.champion_number()
        with self.registry.run("promotion", "risk model", NOW) as run:
            run.bundle(self.bundle)
            for name in sorted(dossier):
                run.text(name, "x")
            version = self.registry.register(run.run_id)
            found = summary(self.bundle, version, run.run_id, incumbent, **changes)
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
    home.truth.mkdir()  # an invented region: the packaged example of a dossier counts there
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
        ({"over_incumbent": -0.001}, "better than the model in use (version"),
        ({"gain_high_there": -0.06}, "recall of basisonderwijs lies 10 points below what the best"),
        ({"first": 0.3}, "the first reason stays the same for 30 %"),
        ({"second": 0.1}, "the second reason stays the same for 10 %"),
        ({"second": float("nan")}, "how steady the second reason is was not measured"),
        ({"moved": True}, "tripwire future shuffle: moved: absent_share_4w"),
    ],
)
def test_what_was_measured_can_refuse(
    office: Office, changes: dict[str, float], reason: str
) -> None:
    before, version = office.champion(), office.measured(DOSSIER, **changes)
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


def test_a_run_without_its_papers_is_not_promoted(office: Office) -> None:
    version = office.measured(dossier=DOSSIER - {"report.html"})
    with pytest.raises(NotAllowed, match=r"the dossier is not complete: report\.html is missing"):
        promote(office.home, version, TWO, USE)


def test_without_the_texts_of_people_nothing_is_promoted(office: Office) -> None:
    """On real records nobody leans on the example: each text that is not there is told."""
    version, before = office.measured(), office.champion()
    office.home.truth.rmdir()
    try:
        with pytest.raises(NotAllowed, match="tekst ontbreekt: ") as refused:
            promote(office.home, version, TWO, USE)
    finally:
        office.home.truth.mkdir()
    assert str(refused.value).count("tekst ontbreekt: ") == len(QUESTIONS)
    assert office.champion() == before and office.last_event().event == REFUSED


def test_a_comparison_with_an_older_incumbent_does_not_count(office: Office) -> None:
    measured_before = office.measured()
    promote(office.home, office.measured(), TWO, USE)
    with pytest.raises(NotAllowed, match="is in use, and this evaluation was measured against"):
        promote(office.home, measured_before, TWO, USE)


def test_an_evaluation_without_findings_is_refused(bundle: Bundle) -> None:
    older = replace(summary(bundle), findings=None)
    assert "not measured; train it again" in " ".join(measured_reasons(older))
    assert not list(measured_reasons(summary(bundle)))


def test_rollback_is_one_command_and_goes_back_one_step(office: Office) -> None:
    first, second = office.measured(), ""
    promote(office.home, first, TWO, USE)
    second = office.measured()
    promote(office.home, second, TWO, USE)
    assert f"version {first} is in use again" in rollback(office.home, USE)[0]
    assert str(office.champion()) == first
    assert office.last_event().event == "model_rolled_back"
    assert office.last_event().detail["instead_of"] == int(second)
    page = Summary.from_json((office.home.root / "evaluation.json").read_text(encoding="utf-8"))
    assert str(page.model_version) == first


def test_there_is_nothing_to_go_back_to_before_the_second(
    tmp_path_factory: pytest.TempPathFactory, bundle: Bundle
) -> None:
    home = Home(tmp_path_factory.mktemp("new"))
    with pytest.raises(NotThere, match="nothing to go back to"):
        rollback(home, USE)


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


def test_the_model_of_a_trial_is_never_promoted(office: Office) -> None:
    """Neither while the permission runs, nor after the feature was approved for good."""
    version, before = office.measured(), office.champion()
    run_id = office.registry.versions()[-1].run_id
    ledger = open_ledger(office.home)
    name = office.bundle.features[0]

    def decide(event: ContractEvent, until: date) -> None:
        officer = ("fg@swv.example", Role.PRIVACY_OFFICER, NOW)
        contract = read_contracts()[name]
        Approvals(ledger).decide(contract, event, *officer, expires_on=until, reason="proef")

    decide(ContractEvent.EXPERIMENT, NOW.date() + timedelta(days=30))
    trained = replace(USE, action=Action.TRAIN, run=run_id)
    definitions = {one: feature(one).definition_hash for one in office.bundle.features}
    assert Gate(read_contracts(), ledger).check(definitions, trained).experimental == (name,)
    with pytest.raises(GateRefused, match="never promoted"):
        promote(office.home, version, TWO, USE)
    decide(ContractEvent.APPROVED, NOW.date() + timedelta(days=300))
    with pytest.raises(GateRefused, match=f"was an experiment and is never promoted: {name}"):
        promote(office.home, version, TWO, USE)
    assert office.champion() == before


def test_a_summary_reads_back_as_it_was_written(bundle: Bundle) -> None:
    written = summary(bundle, gain_low=0.01)
    again = Summary.from_json(written.to_json())
    assert again == written and again.digest() == written.digest()


def test_a_refused_model_is_tried_out_on_an_invented_region_only(office: Office) -> None:
    version = office.measured(gain_low=-0.01)
    before = office.champion()
    office.home.truth.rmdir()
    try:
        with pytest.raises(NotAllowed, match="does not hold an invented region"):
            try_out(office.home, version, USE)
    finally:
        office.home.truth.mkdir()
    assert office.champion() == before
    lines = try_out(office.home, version, USE)
    assert "it is not promoted" in lines[0]
    assert office.last_event().event == "model_tried_out"
    assert str(office.champion()) == version


def test_no_way_round_the_gate_counts(office: Office) -> None:
    """MLflow's alias moved by hand, or another bundle under the number that was promoted."""
    chain = AuditChain(open_ledger(office.home))
    promoted = office.measured()
    promote(office.home, promoted, TWO, USE)
    number, model = office.registry.champion()
    check_in_use(chain, number, model)
    beside = int(office.measured())
    office.registry.set_champion(beside)
    with pytest.raises(VerificationFailed, match=f"version {number} came into use"):
        check_in_use(chain, *office.registry.champion())
    other = replace(model, metadata=replace(model.metadata, label="another"))
    with pytest.raises(VerificationFailed, match="nothing is published"):
        check_in_use(chain, number, other)
    office.registry.set_champion(number)
    check_in_use(chain, *office.registry.champion())
