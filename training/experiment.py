"""An experiment is one TOML file: its question, and everything that decides the numbers."""

import dataclasses
import tomllib
import types
import typing
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from features.errors import ExperimentError
from models.capacity import Capacity
from models.cohort import Cohort
from models.risk_model import Params


def _between(default: Any, low: float, high: float) -> Any:
    """A setting with a default, refused outside `low` to `high` (both included)."""
    return field(default=default, metadata={"low": low, "high": high})


@dataclass(frozen=True)
class Label:
    """What counts as the start of prolonged absence, and how far ahead we look.

    `run_days` in planned school days, `horizon_weeks` in school weeks, `absent_share` of the
    planned time of the run.
    """

    kind: typing.Literal["onset"] = "onset"
    run_days: int = _between(20, 1, 200)
    absent_share: float = _between(0.8, 0.5, 1.0)
    horizon_weeks: int = _between(8, 1, 40)

    def words(self) -> str:
        """The label in the words that people read.

        >>> Label().words()
        'binnen 8 schoolweken begint een reeks van 20 geplande schooldagen, 80 % of meer afwezig'
        """
        return (
            f"binnen {self.horizon_weeks} schoolweken begint een reeks van {self.run_days} "
            f"geplande schooldagen, {100 * self.absent_share:.0f} % of meer afwezig"
        )


@dataclass(frozen=True)
class FeatureChoice:
    """The feature service whose features the model may use: the model's contract."""

    service: str = "risk_v1"


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
    """Training keeps every positive row, and this share of the others (weighted back up)."""

    negative_share: float = _between(0.25, 0.001, 1.0)


@dataclass(frozen=True)
class Evaluation:
    """How uncertain the figures are: resamples of pupils, and the coverage of the intervals."""

    replicates: int = _between(500, 20, 10_000)
    level: float = _between(0.95, 0.5, 0.999)
    curve_shares: tuple[float, ...] = (0.005, 0.01, 0.02, 0.03, 0.05, 0.08, 0.12)


@dataclass(frozen=True)
class Promotion:
    """What a model must show before it may be used.

    It beats the best rule on `metric` with the whole paired interval; the number of expected onset
    rows over the number that came lies between the two ratios.
    """

    metric: typing.Literal["recall", "precision", "caught", "caught_early"] = "recall"
    calibration_ratio_low: float = _between(0.5, 0.0, 1.0)
    calibration_ratio_high: float = _between(2.0, 1.0, 100.0)


@dataclass(frozen=True)
class Experiment:
    """A whole experiment file; `read_experiment` makes one, with every problem told at once."""

    name: str
    question: str
    seed: int = _between(1, 0, 2**31 - 1)
    label: Label = Label()
    cohort: Cohort = field(default_factory=Cohort)
    features: FeatureChoice = FeatureChoice()
    model: Params = field(default_factory=Params)
    splits: SplitPlan = SplitPlan()
    capacity: Capacity = field(default_factory=Capacity)
    sampling: Sampling = Sampling()
    evaluation: Evaluation = Evaluation()
    promotion: Promotion = Promotion()

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
    >>> parse_experiment('name = "a"\n[label]\nrun_days = 0\nrundays = 20', "a.toml")
    Traceback (most recent call last):
    ...
    features.errors.ExperimentError: a.toml: 3 problems
      question: missing
      label.run_days = 0: expected 1 to 200
      label.rundays: unknown; known are absent_share, horizon_weeks, kind, run_days
    """
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as problem:
        raise ExperimentError(f"{origin}: not TOML ({problem})") from problem
    problems: list[str] = []
    experiment = _read(document, Experiment, "", problems)
    if problems or experiment is None:
        count = f"{len(problems)} problem{'s' if len(problems) > 1 else ''}"
        raise ExperimentError("\n  ".join([f"{origin}: {count}", *problems]))
    return typing.cast(Experiment, experiment)


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
