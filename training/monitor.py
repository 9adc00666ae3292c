"""Has something changed since the model learned, and do the lists still come true?"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.stats import ks_2samp  # type: ignore[import-untyped]

from features.catalogue import feature
from features.errors import NotThere
from features.governance.use import Action, Use
from features.records import LogTable, RecordLog
from features.school_weeks import known_school_years, national_school_days, school_year_of
from features.settings import Home
from features.store import FeatureStore
from features.vocabulary import Region
from models.registry import Registry
from training.bootstrap import Interval, Resamples, per_pupil, ratio
from training.cohort import label_mondays
from training.experiment import Experiment, parse_experiment
from training.labels import Outcome
from training.summary import find_summary
from training.values import retrieve

LEVEL = 0.01
"""The chance that the whole monitor raises any alarm when nothing changed, over all its tests."""
SMALLEST_DISTANCE = 0.15
"""A difference smaller than this share of pupils is not worth a look, however certain."""
FEWEST_PUPILS = 30
SCORE = "score"
REPLICATES = 500


@dataclass(frozen=True)
class Drift:
    """One feature at one school: the largest distance between now and the same weeks before.

    `distance` is the greatest difference of the two cumulative shares of pupils (a missing value
    counts as lowest), `chance` its p-value, already multiplied by the number of tests (Holm).
    """

    school: str
    name: str
    now: int
    before: int
    distance: float
    chance: float

    @property
    def alarms(self) -> bool:
        """Certain enough, over all tests together, and large enough to matter."""
        return self.chance < LEVEL and self.distance >= SMALLEST_DISTANCE

    def line(self) -> str:
        """The drift in one line; a feature by its Dutch label."""
        label = self.name if self.name == SCORE else feature(self.name).label_nl
        return (
            f"{self.school}: {label} differs for {100 * self.distance:.0f} % of pupils from the "
            f"same school weeks of earlier years ({self.now} pupils now, {self.before} then)"
        )


@dataclass(frozen=True)
class Realised:
    """What came of past lists: names whose outcome is known, and the share that came true."""

    model_version: int
    lists: int
    names: int
    precision: Interval
    expected: Interval

    @property
    def alarms(self) -> bool:
        """The whole realised interval lies below the whole interval measured on the test year."""
        return self.precision.high < self.expected.low

    def line(self) -> str:
        """The finding in one line."""
        came, low, high = (
            100 * each for each in (self.precision.value, self.precision.low, self.precision.high)
        )
        return (
            f"version {self.model_version}: of {self.names} names on {self.lists} lists with a "
            f"known outcome {came:.1f} % came true ({low:.1f} to {high:.1f}); on the test year "
            f"{100 * self.expected.value:.1f} % "
            f"({100 * self.expected.low:.1f} to {100 * self.expected.high:.1f})"
        )


@dataclass(frozen=True)
class Watched:
    """All of a monitor's tests of one Monday; `alarms` are what somebody should look at."""

    monday: date
    compared_with: tuple[date, ...]
    tests: int
    drifts: tuple[Drift, ...]

    @property
    def alarms(self) -> tuple[Drift, ...]:
        """The drifts that count, the largest first."""
        found = (each for each in self.drifts if each.alarms)
        return tuple(sorted(found, key=lambda each: -each.distance))


def watch(home: Home, monday: date, use: Use) -> Watched:
    """Compare the pupils of `monday` with those of the same school weeks of earlier years."""
    store, log = FeatureStore.at(home), RecordLog(home.records)
    built = store.built()
    if monday not in built:
        raise NotThere(f"the features of {monday} are not built; run `tijdig features build`")
    schools = log.read_as_of(LogTable.SCHOOLS, use.moment)
    regions = dict(zip(schools["school"].to_pylist(), schools["region"].to_pylist(), strict=True))
    earlier = {
        region: [each for each in same_weeks(Region(region), monday) if each in built]
        for region in sorted(set(regions.values()))
    }
    days = sorted({day for found in earlier.values() for day in found})
    if not days:
        raise NotThere(f"no earlier year holds the school week of {monday}; build earlier Mondays")
    asked = replace(use, action=Action.TRAIN)
    frame = pl.DataFrame(store.entities([monday, *days]))
    values = retrieve(store, frame, store.service().name, asked)
    _, model = Registry.at(home).champion()
    scores = model.score(values.of(model.features))
    columns = {name: values.columns()[name] for name in model.features} | {SCORE: scores}
    groups = {
        school: (
            ((frame["school"] == school) & (frame["as_of"] == monday)).to_numpy(),
            ((frame["school"] == school) & frame["as_of"].is_in(earlier[region])).to_numpy(),
        )
        for school, region in regions.items()
    }
    drifts = drift(columns, groups)
    return Watched(monday, tuple(days), len(drifts), drifts)


def drift(
    columns: Mapping[str, NDArray[np.floating]],
    groups: Mapping[str, tuple[NDArray[np.bool_], NDArray[np.bool_]]],
) -> tuple[Drift, ...]:
    """Every column at every school, now against before; the chances hold for all tests together.

    A school with fewer than `FEWEST_PUPILS` pupils on either side is left out.
    """
    found = []
    for school, (now, before) in groups.items():
        if min(now.sum(), before.sum()) < FEWEST_PUPILS:
            continue
        for name, column in columns.items():
            filled = np.where(np.isnan(column), -np.inf, column)
            test = ks_2samp(filled[now], filled[before], method="asymp")
            found.append((school, name, now.sum(), before.sum(), test.statistic, test.pvalue))
    adjusted = holm(np.array([each[-1] for each in found]))
    return tuple(
        Drift(school, name, int(one), int(other), float(distance), float(chance))
        for (school, name, one, other, distance, _), chance in zip(found, adjusted, strict=True)
    )


def holm(chances: NDArray[np.float64]) -> NDArray[np.float64]:
    """Adjusted so that all tests together err with the stated chance (Holm 1979).

    >>> holm(np.array([0.01, 0.04, 0.03])).tolist()
    [0.03, 0.06, 0.06]
    """
    order = np.argsort(chances)
    factors = len(chances) - np.arange(len(chances))
    raised = np.minimum(1.0, np.maximum.accumulate(chances[order] * factors))
    result = np.empty_like(raised)
    result[order] = raised
    return result


def same_weeks(region: Region, monday: date, years: int = 3) -> Iterator[date]:
    """The Mondays of earlier school years with which a school week can fairly be compared.

    The same week of the calendar, or where that was a holiday then, the nearest school week within
    one week; a Monday of a holiday has none.

    >>> [f"{day}" for day in same_weeks(Region.MIDDEN, date(2026, 11, 9), years=2)]
    ['2025-11-10', '2024-11-11']
    """
    if not _is_school_week(region, monday):
        return
    for back in range(1, years + 1):
        day = monday - timedelta(weeks=52 * back)
        near = (day, day - timedelta(weeks=1), day + timedelta(weeks=1))
        yield from [each for each in near if _is_school_week(region, each)][:1]


def _is_school_week(region: Region, monday: date) -> bool:
    sunday = monday + timedelta(days=6)
    known = {school_year_of(monday), school_year_of(sunday)} <= set(known_school_years())
    return known and bool(national_school_days(region, monday, sunday).any())


@dataclass(frozen=True)
class Listed:
    """One name on one published list."""

    school: str
    pupil_key: str
    as_of: date
    model_version: int


def realised(home: Home, names: Sequence[Listed], use: Use) -> tuple[Realised, ...]:
    """What came of the names on past lists, per model version; only mature labels count."""
    log, registry = RecordLog(home.records), Registry.at(home)
    found = []
    for version in sorted({each.model_version for each in names}):
        summary = find_summary(home, str(version))
        experiment = parse_experiment(
            registry.read_text(summary.run_id, "experiment.toml"), f"version {version}"
        )
        mine = [each for each in names if each.model_version == version]
        outcomes = _outcomes(log, mine, experiment, use)
        if len(outcomes):
            expected = summary.score("model").metrics["precision"]
            found.append(_realised(version, outcomes, expected, summary.level))
    return tuple(found)


def _outcomes(
    log: RecordLog, names: Sequence[Listed], experiment: Experiment, use: Use
) -> pl.DataFrame:
    """The names whose outcome is known by now."""
    listed = pl.DataFrame(
        {
            "school": [each.school for each in names],
            "pupil_key": [each.pupil_key for each in names],
            "as_of": [each.as_of for each in names],
        }
    )
    parts = []
    for (school,), mine in listed.group_by("school"):
        mondays = sorted(mine["as_of"].unique())
        labels = label_mondays(log, str(school), mondays, use.moment, experiment)
        if labels is not None:
            parts.append(mine.join(labels, on=["pupil_key", "as_of"], how="inner"))
    if not parts:
        return listed.clear()
    known = [int(Outcome.ONSET), int(Outcome.NO_ONSET)]
    return pl.concat(parts).filter(pl.col("outcome").is_in(known))


def _realised(version: int, outcomes: pl.DataFrame, expected: Interval, level: float) -> Realised:
    keys = outcomes["pupil_key"].unique(maintain_order=True)
    numbers = dict(zip(keys, range(len(keys)), strict=True))
    pupil = np.array([numbers[key] for key in outcomes["pupil_key"]])
    came = (outcomes["outcome"] == Outcome.ONSET).to_numpy()
    resamples = Resamples(len(keys), REPLICATES, seed=version)
    sums = resamples.sums(per_pupil(pupil, len(keys), came, np.ones(len(came))))
    return Realised(
        model_version=version,
        lists=outcomes.select("school", "as_of").n_unique(),
        names=len(outcomes),
        precision=Interval.of(ratio(sums[0], sums[1]), level),
        expected=expected,
    )
