"""A dossier is generated whole, says what is missing, and shows what differs."""

import importlib
import json
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pytest

from features.catalogue import feature
from features.errors import NotThere, SettingsError
from features.governance import open_ledger
from features.governance.audit import AuditChain
from features.settings import Home
from features.vocabulary import Role
from models.bundle import Bundle, Metadata
from models.calibration import Calibrator
from models.dossier import EXAMPLE, QUESTIONS, TEXTS_FILE, missing, read_texts
from models.preparation import Preparation
from models.registry import Registry
from serving.dossier import Dossier, Dossiers, difference
from serving.dossier_files import to_html, to_pdf, to_yaml
from serving.models_in_use import ModelsInUse

MOMENT = datetime(2026, 11, 16, 8, tzinfo=UTC)
TODAY = date(2026, 11, 16)
NAME = "late_arrivals_4w"
TREE = "\n".join(
    [
        "tree", "version=v4", "num_class=1", "num_tree_per_iteration=1", "label_index=0",
        "max_feature_idx=0", "objective=binary sigmoid:1", f"feature_names={NAME}",
        "feature_infos=[0:9]", "tree_sizes=302", "", "Tree=0", "num_leaves=2", "num_cat=0",
        "split_feature=0", "split_gain=1", "threshold=2.5", "decision_type=2", "left_child=-1",
        "right_child=-2", "leaf_value=-5 -3", "leaf_weight=1 1", "leaf_count=90 10",
        "internal_value=0", "internal_weight=0", "internal_count=100", "is_linear=0",
        "shrinkage=1", "", "", "end of trees", "",
    ]
)  # fmt: skip


def small_bundle() -> Bundle:
    """A model of one feature and one cut."""
    return Bundle(
        model_text=TREE,
        features=(NAME,),
        preparation=Preparation((0.0,), (9.0,), (1.0,)),
        calibrator=Calibrator("sigmoid", (0.0,), (1.0,), 1.0, 1.0),
        metadata=Metadata(feature_service="risk_v1", contract_hash="c" * 64),
    )


@pytest.fixture(scope="module")
def registered(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A home with two registered versions, their evaluations and a decision on the first."""
    home = Home(tmp_path_factory.mktemp("dossier") / "var")
    registry = Registry.at(home)
    bundle = small_bundle()
    for number in (1, 2):
        one = replace(bundle, metadata=replace(bundle.metadata, seed=number))
        with registry.run("first", "risk model", MOMENT) as run:
            run.bundle(one)
            run.text("model_card.md", f"# Modelkaart\n\nVersie {number} leerde van niemand.")
        registry.register(run.run_id)
        folder = home.root / "evaluations"
        folder.mkdir(exist_ok=True)
        recall = {"value": 0.1 * number, "low": 0.05, "high": 0.3}
        rows = [{"name": "model", "label": "Model", "kind": "model", "metrics": {"recall": recall}}]
        figures = {"value": 0.25, "low": 0.2, "high": 0.3}
        groups = [
            {
                "dimension": "onderwijssoort",
                "group": "basisonderwijs",
                "pupils": 400,
                "onsets": 40,
                "suppressed": False,
                "metrics": {"recall": figures},
                "gap": figures,
            },
            {
                "dimension": "onderwijssoort",
                "group": "mbo",
                "pupils": 0,
                "onsets": 0,
                "suppressed": True,
                "metrics": {},
                "gap": {},
            },
        ]
        document = {"model_version": number, "rows": rows, "notes": ["verzonnen"], "counts": [],
                    "findings": {"subgroups": groups}}  # fmt: skip
        (folder / f"version-{number}.json").write_text(json.dumps(document), encoding="utf-8")
    AuditChain(open_ledger(home)).append(
        MOMENT, "d.w", Role.DATA_SCIENTIST, "model_promoted", "model version 1",
        detail={"signed_by": "A; B"},
    )  # fmt: skip
    return home


@pytest.fixture
def home(registered: Home) -> Home:
    (registered.root / TEXTS_FILE).unlink(missing_ok=True)
    if registered.truth.exists():
        registered.truth.rmdir()
    return registered


def dossier(home: Home, version: int = 1) -> Dossier:
    return Dossiers(home, open_ledger(home), ModelsInUse(home)).of(version, MOMENT)


def own_texts(home: Home, **changes: str) -> None:
    texts = {one.key: f"Door mensen geschreven tekst over: {one.heading}." for one in QUESTIONS}
    lines = [f"{key} = {json.dumps(text)}" for key, text in {**texts, **changes}.items()]
    (home.root / TEXTS_FILE).write_text("\n".join(lines), encoding="utf-8")


def test_without_texts_of_people_every_one_of_them_is_named(home: Home) -> None:
    told = missing(home, 1, TODAY)
    for question in QUESTIONS:
        assert f"tekst ontbreekt: {question.heading} ({question.article})" in told


def test_an_invented_region_may_lean_on_the_example(home: Home) -> None:
    home.truth.mkdir()
    assert missing(home, 1, TODAY) == ()
    assert dossier(home).is_example
    assert set(read_texts(home).values) == {question.key for question in QUESTIONS}
    assert EXAMPLE.exists()


def test_on_real_records_the_ground_must_be_settled(home: Home) -> None:
    own_texts(home)
    assert missing(home, 1, TODAY) == (f"grondslag nog te bevestigen: {NAME}",)


@pytest.mark.parametrize("text", ["", "   ", "te kort"])
def test_a_text_that_says_nothing_is_missing(home: Home, text: str) -> None:
    own_texts(home, risks=text)
    assert any("Risico's" in line for line in missing(home, 1, TODAY))


def test_an_unmeasured_or_unknown_version_is_not_complete(home: Home) -> None:
    home.truth.mkdir()
    told = missing(home, 7, TODAY)
    assert any(line.startswith("meting ontbreekt") for line in told)
    assert any(line.startswith("model ontbreekt") for line in told)
    with pytest.raises(NotThere, match="no model version 7"):
        dossier(home, 7)


def test_a_contract_that_expired_is_missing(home: Home) -> None:
    home.truth.mkdir()
    assert missing(home, 1, date(2030, 1, 1)) == (f"contract niet (meer) goedgekeurd: {NAME}",)


def test_a_text_nobody_asked_for_is_refused(home: Home) -> None:
    (home.root / TEXTS_FILE).write_text('porpose = "x"', encoding="utf-8")
    with pytest.raises(SettingsError, match="porpose"):
        read_texts(home)
    assert any("porpose" in line for line in missing(home, 1, TODAY))


def test_the_dossier_holds_features_figures_texts_and_decisions(home: Home) -> None:
    home.truth.mkdir()
    made = dossier(home)
    by_heading = {one.heading: one for one in made.sections}
    row = by_heading["2. Gegevens en kenmerken"].rows[0]
    assert row[:2] == (feature(NAME).label_nl, NAME) and row[-1] == "100,0 %"
    assert by_heading["3. Prestaties naast regels op papier"].rows[0][1] == (
        "0,100 (0,050 tot 0,300)"
    )
    assert "A; B" in by_heading["Besluiten over deze versie"].rows[0][3]
    assert len(by_heading["4. Door mensen geschreven"].rows) == len(QUESTIONS)


def test_two_versions_differ_in_what_differs(home: Home) -> None:
    home.truth.mkdir()
    lines = difference(dossier(home, 1), dossier(home, 2))
    assert any(line.startswith("- ") and "0,100" in line for line in lines)
    assert any(line.startswith("+ ") and "0,200" in line for line in lines)
    assert difference(dossier(home), dossier(home)) == ()


def test_the_files_say_the_same_for_machine_and_people(home: Home, tmp_path: Path) -> None:
    made = dossier(home)
    text = to_yaml(made)
    assert '"naam": "Tijdig: bespreeklijst langdurig verzuim"' in text
    assert all(line.strip().startswith(('"', "-")) for line in text.splitlines())
    page = to_html(made)
    assert "tekst ontbreekt" in page and f"<td>{NAME}</td>" in page
    assert to_pdf(made).startswith(b"%PDF-")
    assert np.char.count(page, "<script") == 0


def test_the_data_pack_and_the_model_card_stand_in_every_form(home: Home) -> None:
    own_texts(home)
    made = dossier(home)
    parts = {one.heading: one for one in made.sections}
    groups = parts["Voor wie het werkt"].rows
    assert groups[0][4] == "25,0 (20,0 tot 30,0)" and groups[1][2] == "te klein"
    assert parts["Hoelang het blijft"].rows
    sources = parts["5. Gegevenspakket voor de DPIA: welke gegevens"].rows
    assert sources[0][0] == "Verzuim en verlof"
    document = importlib.import_module("yaml").safe_load(to_yaml(made))
    assert document["modelkaart"] == "# Modelkaart\nVersie 1 leerde van niemand."
    assert [one["heading"] for one in document["dpia"]][-1] == "Voor wie het werkt"
    assert len(document["dpia"]) == 4
    html = to_html(made)
    assert "Versie 1 leerde van niemand." in html and "25,0 (20,0 tot 30,0)" in html
