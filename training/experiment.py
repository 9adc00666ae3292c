"""An experiment is one TOML file: its question, and everything that decides the numbers."""

import dataclasses
import tomllib
import types
import typing
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from features.catalogue import MODEL_FEATURES, feature
from features.errors import ExperimentError
from features.vocabulary import Sector, Theme
from models.capacity import Capacity
from models.cohort import Cohort
from models.risk_model import Params


def _between(default: Any, low: float, high: float) -> Any:
    """A setting with a default, refused outside `low` to `high` (both included)."""
    return field(default=default, metadata={"low": low, "high": high})


Family = typing.Literal["boosted", "boosted_monotone", "logistic", "hazard"]


@dataclass(frozen=True)
class Label:
    """What counts as prolonged absence, and how far ahead we look.

    `onset`: within `horizon_weeks` school weeks a run starts of `run_days` planned school days, of
    whose planned time `absent_share` or more is absent. `strict`: the same, and only unauthorised
    time counts (langdurig relatief verzuim). `share`: `share_threshold` or more of the planned
    time of the next `share_weeks` school weeks is absent (the denser, auxiliary label).
    """

    kind: typing.Literal["onset", "strict", "share"] = "onset"
    run_days: int = _between(20, 1, 200)
    absent_share: float = _between(0.8, 0.5, 1.0)
    horizon_weeks: int = _between(8, 1, 40)
    share_threshold: float = _between(0.25, 0.05, 1.0)
    share_weeks: int = _between(12, 1, 40)

    @property
    def weeks(self) -> int:
        """How many school weeks after the as-of date an onset may lie."""
        return self.share_weeks if self.kind == "share" else self.horizon_weeks

    def words(self) -> str:
        """The label in the words that people read.

        >>> Label().words()
        'binnen 8 schoolweken begint een reeks van 20 geplande schooldagen, 80 % of meer afwezig'
        >>> Label(kind="share").words()
        'in de 12 schoolweken erna 25 % of meer van de geplande tijd afwezig'
        """
        if self.kind == "share":
            return (
                f"in de {self.share_weeks} schoolweken erna {100 * self.share_threshold:.0f} % of "
                "meer van de geplande tijd afwezig"
            )
        how = "ongeoorloofd afwezig" if self.kind == "strict" else "afwezig"
        return (
            f"binnen {self.horizon_weeks} schoolweken begint een reeks van {self.run_days} "
            f"geplande schooldagen, {100 * self.absent_share:.0f} % of meer {how}"
        )


_OF_LABEL = {
    "onset": ("run_days", "absent_share", "horizon_weeks"),
    "strict": ("run_days", "absent_share", "horizon_weeks"),
    "share": ("share_threshold", "share_weeks"),
}


@dataclass(frozen=True)
class FeatureChoice:
    """The feature service, and which of its features the model sees: the model's contract.

    `only` names them all; else it is every model feature but those of `without` and of
    `without_themes` (an ablation).
    """

    service: str = "risk_v1"
    only: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    without_themes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        known, themes = set(MODEL_FEATURES), {theme.value for theme in Theme}
        problems = [
            f"{name!r} is no feature that a model may use"
            for name in (*self.only, *self.without)
            if name not in known
        ]
        problems += [
            f"{name!r} is no theme; known are {', '.join(sorted(themes))}"
            for name in self.without_themes
            if name not in themes
        ]
        if self.only and (self.without or self.without_themes):
            problems.append("only stands beside neither without nor without_themes")
        if not problems and not self.names():
            problems.append("no feature is left")
        if problems:
            raise ExperimentError("; ".join(problems))

    def names(self) -> tuple[str, ...]:
        """The features of the model, in the order of the catalogue.

        >>> FeatureChoice(only=("late_arrivals_4w", "absent_share_4w")).names()
        ('absent_share_4w', 'late_arrivals_4w')
        """
        return tuple(name for name in MODEL_FEATURES if self._has(name))

    def _has(self, name: str) -> bool:
        if self.only:
            return name in self.only
        return name not in self.without and feature(name).theme not in self.without_themes


@dataclass(frozen=True)
class Logistic:
    """Logistic regression: `strength` is scikit-learn's C (smaller is flatter)."""

    strength: float = _between(0.001, 1e-6, 1e3)


@dataclass(frozen=True)
class Search:
    """The budget of `tijdig search`, and what a trial must show.

    A trial is fitted and judged on the last `folds` periods before the calibration and the test,
    every one later than what it was fitted on: terms, school years, or (`by` = "weeks") spans of
    `fold_weeks` Mondays. `guard`: a trial whose log
    loss is more than this share worse than that of the file's own settings never wins.
    """

    trials: int = _between(40, 1, 10_000)
    minutes: float = _between(30.0, 0.05, 100_000.0)
    folds: int = _between(3, 1, 10)
    by: typing.Literal["term", "school_year", "weeks"] = "term"
    fold_weeks: int = _between(8, 2, 60)
    guard: float = _between(0.02, 0.0, 1.0)


@dataclass(frozen=True)
class SplitPlan:
    """The final test is one school year; `calibration_weeks` is the last part of the time before.

    `test_school_year` is the calendar year in which that school year starts; left out, it is the
    last complete one. `refit`: once calibrated, the models are fitted again on all rows whose
    labels are known before the test, also those of the embargo and of the calibration; the
    calibrator stays.
    """

    calibration_weeks: int = _between(12, 2, 60)
    refit: bool = True
    test_school_year: int | None = _between(None, 2000, 2100)


@dataclass(frozen=True)
class Sampling:
    """Training keeps every positive row, and `negative_share` of the others (weighted back up).

    Of the schools `test_schools` are in the final test, whole: a country's year need not fit in
    memory, and lists of a part of a school say nothing.
    """

    negative_share: float = _between(0.25, 0.001, 1.0)
    test_schools: float = _between(1.0, 0.001, 1.0)


@dataclass(frozen=True)
class Evaluation:
    """How uncertain the figures are: resamples of pupils, and the coverage of the intervals."""

    replicates: int = _between(500, 20, 10_000)
    level: float = _between(0.95, 0.5, 0.999)
    curve_shares: tuple[float, ...] = (0.005, 0.01, 0.02, 0.03, 0.05, 0.08, 0.12)


@dataclass(frozen=True)
class Promotion:
    """What a model must show before it may be used.

    It beats the best rule and the model in use on `metric` with the whole paired interval. The
    number of expected onset rows over the number that came lies between the two ratios.
    `subgroup_loss`: in no subgroup is recall shown (by its whole interval) to lie further than this
    below what the best rule reaches in the same subgroup. `first_reason`, `second_reason`: the
    share of listed pupils who keep that reason when the model is fitted again with another seed;
    -1 asks nothing. An ROC AUC above `too_good` or more recall than `too_good_recall` is taken for
    a leak.
    """

    metric: typing.Literal["recall", "precision", "caught", "caught_early"] = "recall"
    calibration_ratio_low: float = _between(0.5, 0.0, 1.0)
    calibration_ratio_high: float = _between(2.0, 1.0, 100.0)
    subgroup_loss: float = _between(0.05, 0.0, 1.0)
    first_reason: float = _between(0.6, -1.0, 1.0)
    second_reason: float = _between(0.4, -1.0, 1.0)
    too_good: float = _between(0.97, 0.5, 1.0)
    too_good_recall: float = _between(0.9, 0.1, 1.0)


@dataclass(frozen=True)
class Experiment:
    """A whole experiment file; `read_experiment` makes one, with every problem told at once.

    `sectors` limits it to schools of these sectors (none: all, pooled). `seeds` are those with
    which the model is fitted again to see how much of it is luck; none costs nothing.
    """

    name: str
    question: str
    family: Family = "boosted"
    seed: int = _between(1, 0, 2**31 - 1)
    seeds: tuple[int, ...] = ()
    sectors: tuple[str, ...] = ()
    label: Label = Label()
    cohort: Cohort = field(default_factory=Cohort)
    features: FeatureChoice = FeatureChoice()
    model: Params = field(default_factory=Params)
    logistic: Logistic = Logistic()
    splits: SplitPlan = SplitPlan()
    capacity: Capacity = field(default_factory=Capacity)
    sampling: Sampling = Sampling()
    search: Search = Search()
    evaluation: Evaluation = Evaluation()
    promotion: Promotion = Promotion()

    def __post_init__(self) -> None:
        unknown = sorted(set(self.sectors) - {sector.value for sector in Sector})
        if unknown:
            known = ", ".join(sector.value for sector in Sector)
            raise ExperimentError(f"sectors: unknown {', '.join(unknown)}; known are {known}")

    def settings(self) -> dict[str, str]:
        """Every setting under its dotted name, as text: what a run records as its parameters."""
        return dict(_flat(dataclasses.asdict(self)))


def read_experiment(path: Path) -> Experiment:
    """The experiment at `path`; an `ExperimentError` names every unknown key and wrong value."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as problem:
        raise ExperimentError(f"{path}: cannot be read ({problem})") from problem
    return parse_experiment(text, str(path))


def parse_experiment(text: str, origin: str) -> Experiment:
    r"""The experiment in `text`; `origin` is how errors call it.

    >>> parse_experiment('name = "a"\nquestion = "b"', "a.toml").label.run_days
    20
    >>> parse_experiment('name = "a"\n[label]\nrun_days = 0\n[logistic]\nc = 1', "a.toml")
    Traceback (most recent call last):
    ...
    features.errors.ExperimentError: a.toml: 4 problems
      logistic: does nothing with family = 'boosted'
      question: missing
      label.run_days = 0: expected 1 to 200
      logistic.c: unknown; known are strength
    """
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as problem:
        raise ExperimentError(f"{origin}: not TOML ({problem})") from problem
    problems = list(_idle(document))
    experiment = _read(document, Experiment, "", problems)
    if problems or experiment is None:
        count = f"{len(problems)} problem{'s' if len(problems) > 1 else ''}"
        raise ExperimentError("\n  ".join([f"{origin}: {count}", *problems]))
    return typing.cast(Experiment, experiment)


def _idle(document: Mapping[str, Any]) -> Iterator[str]:
    """Settings that are known but would do nothing: whoever wrote them meant something else."""
    family = document.get("family", "boosted")
    if "logistic" in document and family != "logistic":
        yield f"logistic: does nothing with family = {family!r}"
    if "model" in document and family == "logistic":
        yield "model: does nothing with family = 'logistic'"
    search = document.get("search")
    if isinstance(search, dict) and "fold_weeks" in search and search.get("by") != "weeks":
        yield f"search.fold_weeks: does nothing with by = {search.get('by', 'term')!r}"
    label = document.get("label")
    if isinstance(label, dict) and label.get("kind", "onset") in _OF_LABEL:
        kind = label.get("kind", "onset")
        every = {name for names in _OF_LABEL.values() for name in names}
        for name in sorted((every - set(_OF_LABEL[kind])) & set(label)):
            yield f"label.{name}: does nothing with kind = {kind!r}"


def _read(document: Mapping[str, Any], kind: Any, prefix: str, problems: list[str]) -> Any:
    """An instance of `kind`, or None when something was added to `problems`."""
    before = len(problems)
    wanted = typing.get_type_hints(kind)
    values: dict[str, Any] = {}
    for each in dataclasses.fields(kind):
        name, place = each.name, f"{prefix}{each.name}"
        if name not in document:
            if each.default is dataclasses.MISSING and (
                each.default_factory is dataclasses.MISSING
            ):
                problems.append(f"{place}: missing")
        elif dataclasses.is_dataclass(wanted[name]):
            values[name] = _read_section(document[name], wanted[name], place, problems)
        else:
            values[name] = _read_value(document[name], wanted[name], each, place, problems)
    unknown = [key for key in document if key not in wanted]
    known = ", ".join(sorted(wanted))
    problems.extend(f"{prefix}{key}: unknown; known are {known}" for key in unknown)
    if len(problems) > before:
        return None
    try:
        return kind(**values)
    except (ValueError, ExperimentError) as problem:
        problems.append(f"{prefix.rstrip('.') or 'experiment'}: {problem}")
        return None


def _read_section(raw: Any, kind: Any, place: str, problems: list[str]) -> Any:
    if not isinstance(raw, dict):
        problems.append(f"{place}: expected a [{place}] section")
        return None
    return _read(raw, kind, f"{place}.", problems)


def _read_value(
    raw: Any, wanted: Any, each: dataclasses.Field[Any], place: str, problems: list[str]
) -> Any:
    try:
        value = _convert(raw, wanted)
    except ValueError as problem:
        problems.append(f"{place} = {raw!r}: expected {problem}")
        return None
    low, high = each.metadata.get("low"), each.metadata.get("high")
    if low is not None and high is not None and not low <= value <= high:
        problems.append(f"{place} = {raw!r}: expected {low} to {high}")
    return value


def _convert(raw: Any, wanted: Any) -> Any:
    """`raw` as the annotated type, without guessing; the ValueError says what was expected."""
    origin, arguments = typing.get_origin(wanted), typing.get_args(wanted)
    if origin is typing.Literal:
        if raw not in arguments:
            raise ValueError(" or ".join(map(repr, arguments)))
        return raw
    if origin is types.UnionType:
        return _convert(raw, next(each for each in arguments if each is not types.NoneType))
    if origin is tuple:
        if not isinstance(raw, list) or not raw:
            raise ValueError("a list")
        return tuple(_convert(item, arguments[0]) for item in raw)
    if wanted is float and isinstance(raw, int) and not isinstance(raw, bool):
        return float(raw)
    if not isinstance(raw, wanted) or (isinstance(raw, bool) and wanted is not bool):
        expected = {str: "text", int: "a whole number", float: "a number", bool: "true or false"}
        raise ValueError(expected[wanted])
    return raw


def _flat(value: Any, prefix: str = "") -> Iterator[tuple[str, str]]:
    for name, inner in value.items():
        if isinstance(inner, dict):
            yield from _flat(inner, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", str(inner)
