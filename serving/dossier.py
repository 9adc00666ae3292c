"""The dossier of one model version, generated from what was measured, decided and written."""

import difflib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa

from features.catalogue import feature
from features.errors import NotThere
from features.governance.approvals import Approvals
from features.governance.audit import AuditChain
from features.governance.contracts import FeatureContract, read_contracts
from features.governance.ledger import Ledger
from features.settings import Home
from models.dossier import QUESTIONS, HumanTexts, missing, read_texts
from models.sections import Section, section
from serving.dossier_data import data_pack, model_card
from serving.evaluation import Evaluation, Measured, read_evaluation
from serving.models_in_use import KnownModel, ModelsInUse

_METRICS = {
    "recall": "Recall op de lijst",
    "precision": "Precisie op de lijst",
    "caught_early": "Minstens 2 schoolweken vooraf gezien",
    "median_lead": "Voorsprong (schoolweken)",
    "within_school_auc": "AUC binnen de school",
    "calibration_ratio": "Verwacht gedeeld door gekomen",
}
_DECISIVE = ("model_promoted", "model_promotion_refused", "model_tried_out")


@dataclass(frozen=True)
class Dossier:
    """Everything about one version, in the order of Annex IV; `missing` stands on page one."""

    version: int
    made_on: date
    is_example: bool
    missing: tuple[str, ...]
    sections: tuple[Section, ...]

    def text(self) -> str:
        """As plain lines, to compare two versions."""
        lines = []
        for one in self.sections:
            lines += [f"# {one.heading}", one.explanation]
            lines += [" | ".join(row) for row in one.rows]
        return "\n".join(lines)


class Dossiers:
    """Makes dossiers on request; nothing of a pupil stands in one."""

    def __init__(self, home: Home, ledger: sa.Engine, models: ModelsInUse) -> None:
        self._home = home
        self._ledger = ledger
        self._models = models

    def versions(self) -> tuple[KnownModel, ...]:
        """The versions that have a dossier, the newest first."""
        return self._models.all()

    def of(self, version: int, moment: datetime) -> Dossier:
        """The dossier of a version as things stand at `moment`."""
        model = next((one for one in self.versions() if one.version == version), None)
        if model is None:
            raise NotThere(f"there is no model version {version}; train one first")
        texts = read_texts(self._home)
        path = self._home.root / "evaluations" / f"version-{version}.json"
        evaluation = read_evaluation(path)
        contracts = Approvals(self._ledger).in_force(read_contracts())
        sections = [
            *_general(model, evaluation, texts),
            *_data(model, contracts, _document(path)),
            *_performance(evaluation),
            *_human(texts),
            *data_pack(model.features, contracts, _document(path)),
            model_card(self._home, model.run_id),
            *self._accountability(model, version),
        ]
        return Dossier(
            version=version,
            made_on=moment.date(),
            is_example=texts.is_example,
            missing=missing(self._home, version, moment.date()),
            sections=tuple(sections),
        )

    def _accountability(self, model: KnownModel, version: int) -> Iterator[Section]:
        chain = AuditChain(self._ledger)
        rows = [
            row
            for event in _DECISIVE
            for row in chain.rows(event=event, subject=f"model version {version}")
        ]
        yield section(
            "Besluiten over deze versie",
            "Uit de keten: wie tekende, wat de poort besloot, waarom werd geweigerd.",
            ("Wanneer", "Wat", "Wie", "Bijzonderheden"),
            [
                (
                    row.moment,
                    row.event,
                    row.actor,
                    "; ".join(f"{name}: {value}" for name, value in sorted(row.detail.items())),
                )
                for row in sorted(rows, key=lambda row: row.sequence)
            ],
        )
        uses = Ledger(self._ledger).rows(run=model.run_id)
        yield section(
            "Gegevens opgehaald om te leren",
            "Uit het gebruiksregister.",
            ("Wanneer", "Door", "Doel", "Leerlingen", "Scholen", "Kenmerken", "Contractversie"),
            [
                (
                    row.moment,
                    row.actor,
                    row.purpose.label,
                    row.pupils,
                    len(row.schools),
                    len(row.features),
                    row.contract_hash[:12],
                )
                for row in uses
            ],
        )


def _general(
    model: KnownModel, evaluation: Evaluation | None, texts: HumanTexts
) -> Iterator[Section]:
    facts = [
        ("Naam", "Tijdig: bespreeklijst langdurig verzuim"),
        ("Versie", model.version),
        ("Stand", "in gebruik" if model.in_use else "niet in gebruik"),
        ("Wat het voorspelt", evaluation.label if evaluation else ""),
        ("Geleerd tot", evaluation.trained_until if evaluation else ""),
        ("Gemeten op", evaluation.tested_on if evaluation else ""),
        ("Gemaakt op", evaluation.made_at if evaluation else ""),
        ("Soort model", "bomen met gradient boosting of logistische regressie, met ijking"),
        ("Vingerafdruk van het model", model.bundle_hash),
        ("Kenmerkdienst", model.service),
        ("Contractversie", model.contract_hash),
        ("Run in MLflow", model.run_id),
    ]
    yield section(
        "1. Algemene beschrijving", "AI-verordening, bijlage IV, punt 1.", ("Onderdeel", "Waarde"),
        facts,
    )  # fmt: skip
    if texts.is_example:
        yield section(
            "Let op: voorbeeldteksten",
            "Deze installatie houdt een verzonnen regio. De teksten van mensen in dit dossier zijn "
            "een voorbeeld en gelden niet voor echte leerlingen.",
            (),
            (),
        )


def _data(
    model: KnownModel, contracts: Mapping[str, FeatureContract], document: Mapping[str, Any]
) -> Iterator[Section]:
    rows = []
    for name in model.features:
        contract, known = contracts.get(name), feature(name)
        share = model.importance.get(name)
        rows.append(
            (
                known.label_nl,
                name,
                ", ".join(known.sources),
                contract.legal_basis if contract else "",
                (contract.special_category or "nee") if contract else "",
                contract.retention_value if contract else "",
                contract.expires_on if contract else "",
                f"{100 * share:.1f} %".replace(".", ",") if share is not None else "",
            )
        )
    yield section(
        "2. Gegevens en kenmerken",
        "Bijlage IV, punt 2(d); AVG artikel 30. Wat het model weegt, uit welke bron, op welke "
        "grond.",
        ("Kenmerk", "Naam", "Bronnen", "Grondslag", "Bijzonder", "Bewaren", "Tot", "Aandeel"),
        rows,
    )
    counts = document.get("counts", [])
    if isinstance(counts, list):
        yield section(
            "Omvang van de gegevens",
            "Per deel van de tijd; leren, ijken en meten overlappen niet.",
            ("Deel", "Maandagen", "Scholen", "Leerlingen", "Rijen", "Begin van verzuim"),
            [
                tuple(
                    row.get(k) for k in ("part", "mondays", "schools", "pupils", "rows", "onsets")
                )
                for row in counts
                if isinstance(row, dict)
            ],
        )


def _performance(evaluation: Evaluation | None) -> Iterator[Section]:
    rows = evaluation.rows if evaluation else ()
    yield section(
        "3. Prestaties naast regels op papier",
        "Bijlage IV, punt 2(g) en 3; artikel 15. Gemeten op een schooljaar dat niet is gebruikt om "
        "te leren, met 95%-intervallen.",
        ("Model of regel", *_METRICS.values()),
        [(row.label, *(_figure(row.metrics.get(name)) for name in _METRICS)) for row in rows],
    )
    if evaluation:
        yield section(
            "Beperkingen", "Zoals gemeten en opgeschreven.", ("Opmerking",),
            [(note,) for note in evaluation.notes],
        )  # fmt: skip


def _human(texts: HumanTexts) -> Iterator[Section]:
    yield section(
        "4. Door mensen geschreven",
        "Doel, noodzaak, risico's en toezicht; de basis van de DPIA.",
        ("Onderwerp", "Waar de wet het vraagt", "Tekst"),
        [(one.heading, one.article, texts.values.get(one.key, "")) for one in QUESTIONS],
    )


def _figure(one: Measured | None) -> str:
    if one is None or one.value is None:
        return "–"
    text = f"{one.value:.3f}"
    if one.low is not None and one.high is not None:
        text += f" ({one.low:.3f} tot {one.high:.3f})"
    return text.replace(".", ",")


def _document(path: Any) -> Mapping[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def difference(older: Dossier, newer: Dossier) -> tuple[str, ...]:
    """The lines that two versions do not share: "- " only in the older, "+ " only in the newer."""
    lines = difflib.unified_diff(
        older.text().splitlines(), newer.text().splitlines(), lineterm="", n=0
    )
    return tuple(
        f"{line[0]} {line[1:]}"
        for line in lines
        if line[:1] in "+-" and line[:3] not in ("+++", "---")
    )
