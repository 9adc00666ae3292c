"""Two models (and rules) on the same rows: what would change, for whom, and at what cost."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl
from numpy.typing import NDArray

from features.catalogue import feature
from features.errors import ExperimentError, NotThere
from features.governance.contracts import read_contracts
from features.governance.use import Action, Use
from features.records import RecordLog
from features.settings import Home
from features.store import FeatureStore
from models.baselines import RULES
from models.explain import contributions, leading_themes
from models.registry import Registry
from models.stability import agreement
from models.stored import RiskModel
from training.assess import ORACLE, as_rows, cut_lists, oracle_probability
from training.bootstrap import Flags, Interval, Resamples
from training.cohort import ExperimentRows, gather_rows
from training.compare import COMPARED, Difference, difference
from training.evaluate import Evaluator, Measured, Score
from training.experiment import Experiment, parse_experiment
from training.looks import look
from training.plain import to_json
from training.splits import Part
from training.subgroups import groups_of, hidden_groups
from training.summary import ScoreFigures, Summary, find_summary
from training.values import Values, in_scope, retrieve

FOLDER = "comparisons"
REASON_ROWS = 2_000
ROWS_PER_COST = 100_000
Report = Callable[[str], None]


@dataclass(frozen=True)
class ListChange:
    """What happens to the lists when B takes the place of A; counts over the whole test year."""

    lists: int
    places: int
    same: int
    enter: int
    leave: int
    pupils_enter: int
    pupils_leave: int
    onsets_enter: int
    onsets_leave: int


@dataclass(frozen=True)
class GroupChange:
    """Recall of B minus that of A in one group, paired; suppressed like every small cell."""

    dimension: str
    group: str
    suppressed: bool
    difference: Interval


@dataclass(frozen=True)
class FeatureChange:
    """A feature that only one of the two models uses, and what its contract says of it."""

    name: str
    label: str
    added: bool
    sensitivity: str
    health: bool


@dataclass(frozen=True)
class Cost:
    """What it takes to use a model: features, how sensitive they are, its size, its time."""

    features: int
    sensitive: int
    health: int
    bytes: int
    seconds: float


@dataclass(frozen=True)
class Contestant:
    """One of the two: which version, of which experiment."""

    version: int
    experiment: str
    family: str
    bundle_hash: str
    label: str


@dataclass(frozen=True)
class Comparison:
    """Everything about A against B, measured on the same rows with the same resamples.

    `differences` hold B minus A, then B minus each rule. `reasons` is empty when nobody stands on
    the lists of both.
    """

    a: Contestant
    b: Contestant
    judged_by: str
    tested_on: str
    moment: str
    looks: int
    level: float
    rows: int
    pupils: int
    schools: int
    scores: tuple[ScoreFigures, ...]
    differences: tuple[Difference, ...]
    lists: ListChange
    reasons: Mapping[str, float]
    groups: tuple[GroupChange, ...]
    features: tuple[FeatureChange, ...]
    costs: tuple[Cost, Cost]
    metric: str

    @property
    def decisive(self) -> Difference:
        """B minus A on the metric that decides."""
        return next(
            each for each in self.differences if each.other == "a" and each.metric == self.metric
        )

    @property
    def b_is_better(self) -> bool:
        """By the whole interval; else A stays."""
        return self.decisive.better


@dataclass(frozen=True)
class _Side:
    summary: Summary
    experiment: Experiment
    model: RiskModel

    def contestant(self) -> Contestant:
        """How the comparison calls this side."""
        found = self.summary
        return Contestant(
            found.model_version, found.experiment, found.family, found.bundle_hash, found.label
        )


def compare_versions(
    home: Home,
    a: str,
    b: str,
    rules: Sequence[str],
    use: Use,
    report: Report = lambda _: None,
) -> Comparison:
    """A against B ("latest", "champion", a version or a run), beside these rules.

    Judged on A's question: its label, cohort, capacity and test year; schools that only one of the
    two was made for are left out. Every look at the test year is counted.
    """
    unknown = sorted(set(rules) - {rule.name for rule in RULES})
    if unknown:
        known = ", ".join(rule.name for rule in RULES)
        raise ExperimentError(f"no rule is called {', '.join(unknown)}; known are {known}")
    registry = Registry.at(home)
    sides = (_side(home, registry, a), _side(home, registry, b))
    report(f"rows of version {sides[0].summary.model_version}: {sides[0].summary.label}")
    experiment = replace(sides[0].experiment, sectors=_shared_sectors(*sides))
    rows, values = _test_rows(home, experiment, use)
    looks = look(
        home,
        rows.periods.tested_on,
        f"compare {sides[0].summary.model_version} {sides[1].summary.model_version}",
        use.moment,
    )
    report(f"measuring on {len(rows.frame):,} rows (test year looked at {looks} times)")
    return _Duel(home, sides, experiment, rows, values, tuple(rules), looks, use).comparison()


def save(comparison: Comparison, home: Home, html: str) -> str:
    """Keep it for the page, as JSON and as HTML; gives the path of the HTML."""
    folder = home.root / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    name = f"{comparison.a.version}-{comparison.b.version}"
    (folder / f"{name}.json").write_text(to_json(comparison), encoding="utf-8")
    (folder / f"{name}.html").write_text(html, encoding="utf-8")
    return str(folder / f"{name}.html")


def _side(home: Home, registry: Registry, name: str) -> _Side:
    if name == "champion":
        number = registry.champion_number()
        if number is None:
            raise NotThere("no model is in use; name a version")
        name = str(number)
    summary = find_summary(home, name)
    text = registry.read_text(summary.run_id, "experiment.toml")
    origin = f"experiment of version {summary.model_version}"
    model = registry.bundle(summary.model_version)
    return _Side(summary, parse_experiment(text, origin), model)


def _shared_sectors(a: _Side, b: _Side) -> tuple[str, ...]:
    """The sectors that both were made for; none: all of them."""
    one, other = set(a.experiment.sectors), set(b.experiment.sectors)
    if not one or not other:
        return tuple(sorted(one | other))
    if not one & other:
        raise ExperimentError(
            f"version {a.summary.model_version} is for {', '.join(sorted(one))} and version "
            f"{b.summary.model_version} for {', '.join(sorted(other))}: no school is judged by both"
        )
    return tuple(sorted(one & other))


def _test_rows(home: Home, experiment: Experiment, use: Use) -> tuple[ExperimentRows, Values]:
    store = FeatureStore.at(home)
    mondays = sorted(store.built())
    rows = gather_rows(RecordLog(home.records), store.entities, mondays, experiment, use.moment)
    rows = replace(rows, frame=rows.frame.filter(pl.col("part") == Part.TEST))
    asked = replace(use, action=Action.TRAIN)
    values = retrieve(store, rows.frame, experiment.features.service, asked)
    return in_scope(rows, values, experiment.cohort)


@dataclass(frozen=True)
class _Duel:
    home: Home
    sides: tuple[_Side, _Side]
    experiment: Experiment
    rows: ExperimentRows
    values: Values
    rules: tuple[str, ...]
    looks: int
    use: Use

    def comparison(self) -> Comparison:
        experiment, level = self.experiment, self.experiment.evaluation.level
        rows = as_rows(self.rows.frame)
        resamples = Resamples(rows.pupils, experiment.evaluation.replicates, experiment.seed)
        evaluator = Evaluator(rows, experiment.capacity, resamples)
        costs = tuple(_cost(side.model, self.values) for side in self.sides)
        scores = self._scores()
        models = {name: side.model for name, side in zip(("a", "b"), self.sides, strict=True)}
        listed = cut_lists(evaluator, scores, models, self.values.columns())
        measured = {
            name: evaluator.measure(score, listed=listed[name]) for name, score in scores.items()
        }
        return Comparison(
            a=self.sides[0].contestant(),
            b=self.sides[1].contestant(),
            judged_by=experiment.label.words(),
            tested_on=self.rows.periods.tested_on,
            moment=self.use.moment.isoformat(timespec="minutes"),
            looks=self.looks,
            level=level,
            rows=len(rows),
            pupils=rows.pupils,
            schools=len(np.unique(rows.school)),
            scores=tuple(_figures(each, level) for each in measured.values()),
            differences=_differences(measured, level),
            lists=list_change(evaluator, listed["a"], listed["b"]),
            reasons=self._reasons(listed["a"] & listed["b"]),
            groups=self._groups(evaluator, listed),
            features=feature_changes(*(side.model.features for side in self.sides)),
            costs=(costs[0], costs[1]),
            metric=experiment.promotion.metric,
        )

    def _scores(self) -> dict[str, Score]:
        scores = {}
        for name, side in zip(("a", "b"), self.sides, strict=True):
            label = f"versie {side.summary.model_version} ({side.summary.experiment})"
            x = self.values.of(side.model.features)
            scores[name] = Score(name, label, side.model.score(x), probability=True)
        columns = self.values.columns()
        for rule in RULES:
            if rule.name in self.rules:
                scores[rule.name] = Score(rule.name, rule.label, rule.score(columns))
        oracle = oracle_probability(self.home.truth / "oracle.parquet", self.rows.frame)
        if oracle is not None:
            label = "orakel (kent de verborgen toestand)"
            scores[ORACLE] = Score(ORACLE, label, oracle, probability=True)
        return scores

    def _reasons(self, both: Flags) -> dict[str, float]:
        """Whether who is on both lists is there for the same reasons."""
        rows = np.flatnonzero(both)
        if not len(rows):
            return {}
        place = np.linspace(0, len(rows) - 1, min(REASON_ROWS, len(rows))).round()
        chosen = self.values.take(rows[np.unique(place).astype(np.int64)])
        themes = [
            leading_themes(contributions(side.model, chosen.of(side.model.features)))
            for side in self.sides
        ]
        return agreement(np.stack(themes).astype(np.int64)).figures()

    def _groups(self, evaluator: Evaluator, listed: Mapping[str, Flags]) -> tuple[GroupChange, ...]:
        found, level = [], self.experiment.evaluation.level
        for dimension, group in groups_of(self.rows.frame, self.values).items():
            names = np.unique(group)
            hidden = hidden_groups(evaluator, group, names)
            for name in names:
                interval = (
                    Interval(np.nan, np.nan, np.nan)
                    if name in hidden
                    else _gain(evaluator, listed, group == name, level)
                )
                found.append(GroupChange(dimension, str(name), name in hidden, interval))
        return tuple(found)


def _gain(
    evaluator: Evaluator, listed: Mapping[str, Flags], inside: Flags, level: float
) -> Interval:
    one, other = (evaluator.at_capacity(listed[name], inside)["recall"] for name in ("a", "b"))
    return Interval.of(other - one, level)


def _figures(measured: Measured, level: float) -> ScoreFigures:
    kinds = {"a": "model", "b": "model", ORACLE: ORACLE}
    kind = kinds.get(measured.name, "rule")
    return ScoreFigures.of(measured, kind, level)


def _differences(measured: Mapping[str, Measured], level: float) -> tuple[Difference, ...]:
    others = [name for name in measured if name not in ("b", ORACLE)]
    return tuple(
        difference(measured["b"], measured[other], metric, level)
        for other in others
        for metric in COMPARED
    )


def list_change(evaluator: Evaluator, a: Flags, b: Flags) -> ListChange:
    """Who would enter and who would leave: places, different pupils, and places before an onset."""
    rows = evaluator.rows
    enter, leave = b & ~a, a & ~b

    def pupils(flags: NDArray[np.bool_]) -> int:
        return len(np.unique(rows.pupil[flags]))

    return ListChange(
        lists=len(np.unique(rows.block)),
        places=int(a.sum()),
        same=int((a & b).sum()),
        enter=int(enter.sum()),
        leave=int(leave.sum()),
        pupils_enter=pupils(enter),
        pupils_leave=pupils(leave),
        onsets_enter=int((enter & rows.positive).sum()),
        onsets_leave=int((leave & rows.positive).sum()),
    )


def feature_changes(a: tuple[str, ...], b: tuple[str, ...]) -> tuple[FeatureChange, ...]:
    """What only one of the two uses; first what B adds.

    >>> [(each.name, each.added) for each in feature_changes(("sick_share_4w",), ("sent_out_12w",))]
    [('sent_out_12w', True), ('sick_share_4w', False)]
    """
    contracts = read_contracts()
    changes = [(name, True) for name in b if name not in a]
    changes += [(name, False) for name in a if name not in b]
    return tuple(
        FeatureChange(
            name=name,
            label=feature(name).label_nl,
            added=added,
            sensitivity=contracts[name].sensitivity.value if name in contracts else "",
            health=feature(name).health,
        )
        for name, added in changes
    )


def _cost(model: RiskModel, values: Values) -> Cost:
    contracts = read_contracts()
    x = values.of(model.features)[:ROWS_PER_COST]
    started = time.perf_counter()
    model.score(x)
    seconds = time.perf_counter() - started
    names = [name for name in model.features if name in contracts]
    text = getattr(model, "model_text", "")
    return Cost(
        features=len(model.features),
        sensitive=sum(contracts[name].sensitivity.value == "high" for name in names),
        health=sum(feature(name).health for name in model.features),
        bytes=len(text) or 8 * 5 * len(model.features),
        seconds=seconds * ROWS_PER_COST / max(len(x), 1),
    )
