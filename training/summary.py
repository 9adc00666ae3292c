"""What a training run found, as one value: for the printed table, the model page and the gate."""

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from features.errors import NotThere
from features.settings import Home
from training.bootstrap import Interval
from training.compare import Difference
from training.evaluate import METRICS, CalibrationBin, Measured
from training.findings import Findings
from training.plain import from_json, to_json

FOLDER = "evaluations"
IN_USE = "evaluation.json"
PERCENT = frozenset({"precision", "recall", "caught", "caught_early", "churn"})
TABLE = (
    ("precision", "precision %"),
    ("recall", "recall %"),
    ("caught", "caught %"),
    ("caught_early", "caught 2+ weeks ahead %"),
    ("median_lead", "lead (weeks)"),
    ("new_names", "new names"),
    ("average_precision", "AP"),
    ("roc_auc", "AUC"),
    ("within_school_auc", "AUC in school"),
    ("brier", "Brier"),
    ("calibration_ratio", "expected/observed"),
)


@dataclass(frozen=True)
class ScoreFigures:
    """One score's figures on the final test (or on one sector of it)."""

    name: str
    label: str
    kind: str
    metrics: Mapping[str, Interval]
    champion: bool = False

    @classmethod
    def of(cls, measured: Measured, kind: str, level: float) -> "ScoreFigures":
        """Every figure with its interval."""
        metrics = {name: measured.interval(name, level) for name in METRICS}
        return cls(measured.name, measured.label, kind, metrics)


@dataclass(frozen=True)
class PartCount:
    """How much one part of the data holds; counts only."""

    part: str
    mondays: int
    schools: int
    pupils: int
    rows: int
    onset_rows: int
    onsets: int


@dataclass(frozen=True)
class RoadFigures:
    """Onsets by the road that led there (known of invented pupils only), and who caught them."""

    road: str
    onsets: int
    caught_early: Mapping[str, float]


@dataclass(frozen=True)
class BlockFigures:
    """What came of the pupils in one part of the model's lists: "discuss" or "follow".

    `pupils` are different pupils with a known outcome; `precision` is the share of their places
    that was followed by an onset.
    """

    block: str
    pupils: int
    precision: Interval


@dataclass(frozen=True)
class Summary:
    """A whole evaluation. `rows` are the scores, measured on the same pupils; first the model."""

    experiment: str
    question: str
    made_at: str
    run_id: str
    model_version: int
    bundle_hash: str
    trained_until: str
    tested_on: str
    data_fingerprint: str
    label: str
    level: float
    periods: tuple[str, ...]
    counts: tuple[PartCount, ...]
    rows: tuple[ScoreFigures, ...]
    sectors: Mapping[str, tuple[ScoreFigures, ...]]
    comparisons: tuple[Difference, ...]
    calibration: tuple[CalibrationBin, ...]
    curve_shares: tuple[float, ...]
    curves: Mapping[str, tuple[tuple[float, float], ...]]
    roads: tuple[RoadFigures, ...]
    settings: Mapping[str, str]
    notes: tuple[str, ...]
    family: str = "boosted"
    findings: Findings | None = None
    blocks: tuple[BlockFigures, ...] = ()

    def score(self, name: str) -> ScoreFigures:
        """The figures of one score."""
        return next(row for row in self.rows if row.name == name)

    def best_rule(self, metric: str) -> ScoreFigures:
        """The rule with the highest figure on the test itself: the hardest one to beat."""
        rules = [row for row in self.rows if row.kind == "rule"]
        return max(rules, key=lambda rule: rule.metrics[metric].value)

    def table(self) -> list[dict[str, str]]:
        """The comparison: per score its label and figures with intervals, under their headings."""
        return [
            {"": row.label, **{heading: _cell(name, row.metrics[name]) for name, heading in TABLE}}
            for row in self.rows
        ]

    def markdown(self) -> str:
        """The comparison as a document: table, paired differences and how it was measured."""
        table = self.table()
        lines = [
            f"# {self.experiment}: comparison on the final test",
            "",
            self.question,
            "",
            *(f"- {line}" for line in self.periods),
            f"- {self.label}",
            *(f"- {line}" for line in self.notes),
            "",
            _markdown_row(list(table[0])),
            _markdown_row(["---"] * len(table[0])),
            *(_markdown_row(list(row.values())) for row in table),
            "",
            *(f"- {difference.line()}" for difference in self.comparisons),
            "",
            *(f"- *{name}*: {meaning}" for name, meaning in METRICS.items()),
        ]
        return "\n".join(lines) + "\n"

    def save(self, home: Home) -> Path:
        """Write it below `home`, under the number of the model version."""
        path = evaluation_path(home, self.model_version)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(self.to_json(), encoding="utf-8")
        return path

    def digest(self) -> str:
        """SHA-256 of the document: what the run and the gate hold it to."""
        return hashlib.sha256(self.to_json().encode()).hexdigest()

    def to_json(self) -> str:
        """Plain values; what is undefined is null."""
        return to_json(self)

    @classmethod
    def from_json(cls, text: str) -> "Summary":
        """The summary that `to_json` wrote."""
        return from_json(cls, text)


def evaluation_path(home: Home, version: int) -> Path:
    """Where the evaluation of one model version stands."""
    return home.root / FOLDER / f"version-{version}.json"


def read_summary(home: Home, version: int) -> Summary:
    """The evaluation of one model version."""
    path = evaluation_path(home, version)
    if not path.exists():
        raise NotThere(f"{path} does not exist: version {version} was not evaluated here; train it")
    return Summary.from_json(path.read_text(encoding="utf-8"))


def find_summary(home: Home, run: str) -> Summary:
    """The evaluation of a run: "latest", the number of its version, or (the start of) its id."""
    folder = home.root / FOLDER
    known = sorted(folder.glob("version-*.json"), key=lambda path: int(path.stem.split("-")[1]))
    if not known:
        raise NotThere(f"{folder}: nothing was evaluated yet; run `tijdig train`")
    if run == "latest":
        return Summary.from_json(known[-1].read_text(encoding="utf-8"))
    if run.isdigit() and evaluation_path(home, int(run)) in known:
        return read_summary(home, int(run))
    found = [each for each in map(_parsed, known) if run and each.run_id.startswith(run)]
    if len(found) != 1:
        numbers = ", ".join(path.stem.split("-")[1] for path in known)
        raise NotThere(f"{len(found)} runs are called {run!r}; known versions are {numbers}")
    return found[0]


def _parsed(path: Path) -> Summary:
    return Summary.from_json(path.read_text(encoding="utf-8"))


def _cell(metric: str, interval: Interval) -> str:
    """A figure with its interval, in the digits that mean something.

    >>> _cell("recall", Interval(0.2514, 0.2, 0.3)), _cell("brier", Interval(0.00123, 0.001, 0.002))
    ('25.1 (20.0-30.0)', '0.0012 (0.0010-0.0020)')
    """
    if math.isnan(interval.value):
        return "-"
    scale = 100 if metric in PERCENT else 1
    digits = {"brier": 4, "average_precision": 3, "roc_auc": 3, "within_school_auc": 3}.get(
        metric, 2 if metric == "calibration_ratio" else 1
    )
    value, low, high = (
        f"{scale * each:.{digits}f}" for each in (interval.value, interval.low, interval.high)
    )
    return f"{value} ({low}-{high})"


def _markdown_row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"
