"""The final test: model, incumbent, logistic regression, rules and oracle on the same rows."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from features.settings import Home
from features.vocabulary import Sector
from models.baselines import RULES
from models.bundle import Scorer
from models.capacity import LastList
from models.listing import Columns, Cut, Weeks, cut
from models.stored import RiskModel
from training.bootstrap import Flags, Interval, Resamples, per_pupil, ratio
from training.cohort import ExperimentRows
from training.compare import Difference, compare
from training.evaluate import CalibrationBin, Evaluator, Measured, Rows, Score
from training.experiment import Experiment
from training.families import FAMILY_LABELS
from training.labels import Outcome
from training.lots import pupil_numbers
from training.splits import Part
from training.summary import BlockFigures, RoadFigures
from training.values import Values

MODEL, LOGISTIC, INCUMBENT = "model", "logistic", "incumbent"
SCHOOL_MEAN, ORACLE = "school_mean", "oracle"
DAYS_BETWEEN_TRUE_AND_SEEN = 28
"""A recorded run may start later than the true one: late reports, a few days not registered."""


@dataclass(frozen=True)
class Assessed:
    """Everything measured on the final test; scores by name, the model first."""

    evaluator: Evaluator
    scores: Mapping[str, Score]
    kinds: Mapping[str, str]
    measured: Mapping[str, Measured]
    sectors: Mapping[str, Mapping[str, Measured]]
    comparisons: tuple[Difference, ...]
    calibration: Mapping[str, tuple[CalibrationBin, ...]]
    curves: Mapping[str, tuple[tuple[float, float], ...]]
    roads: tuple[RoadFigures, ...]
    best_rule: str
    listed: Mapping[str, Flags]
    blocks: tuple[BlockFigures, ...]


def assess(
    rows: ExperimentRows,
    values: Values,
    models: Mapping[str, RiskModel],
    experiment: Experiment,
    home: Home,
) -> Assessed:
    """Measure on the test rows; what the simulator knows is used where it is there, to judge."""
    is_test = (rows.frame["part"] == Part.TEST).to_numpy()
    frame, tested = rows.frame.filter(pl.Series(is_test)), values.take(is_test)
    scores = _scores(frame, tested, models, experiment, home)
    scores[SCHOOL_MEAN] = school_mean(rows.frame, frame)
    if ORACLE in scores:  # it stands last in every table
        scores[ORACLE] = scores.pop(ORACLE)
    kinds = {name: _kind(name) for name in scores}
    test_rows = as_rows(frame)
    settings = experiment.evaluation
    evaluator = Evaluator(
        test_rows,
        experiment.capacity,
        Resamples(test_rows.pupils, settings.replicates, experiment.seed),
    )
    listed = cut_lists(evaluator, scores, models, tested.columns())
    measured = {
        name: evaluator.measure(score, listed=listed[name]) for name, score in scores.items()
    }
    others = [measured[name] for name in scores if name != MODEL]
    shown = [name for name, kind in kinds.items() if kind not in ("rule", SCHOOL_MEAN)]
    rules = [name for name, kind in kinds.items() if kind == "rule"]
    best = max(rules, key=lambda name: measured[name].value(experiment.promotion.metric))
    return Assessed(
        evaluator=evaluator,
        scores=scores,
        kinds=kinds,
        measured=measured,
        sectors=_by_sector(evaluator, [scores[name] for name in (*shown, best)], listed),
        comparisons=compare(measured[MODEL], others, settings.level),
        calibration={name: evaluator.calibration(scores[name], settings.level) for name in shown},
        curves={
            name: evaluator.curve(scores[name], settings.curve_shares) for name in (*shown, best)
        },
        roads=_by_road(evaluator, frame, {name: listed[name] for name in (*shown, best)}, home),
        best_rule=best,
        listed=listed,
        blocks=_by_block(evaluator, scores[MODEL], listed[MODEL], settings.level),
    )


def cut_lists(
    evaluator: Evaluator,
    scores: Mapping[str, Score],
    models: Mapping[str, RiskModel],
    columns: Columns,
) -> dict[str, Flags]:
    """Who stands on the lists of every score; those of a model as the weekly run cuts them.

    A model lists nobody of whom the records give no reason (`models.listing`). A rule is a reason
    itself, and the oracle shows what could be known.
    """
    listed = {name: evaluator.listed(score.values) for name, score in scores.items()}
    rows = evaluator.rows
    weeks = Weeks(rows.school, rows.pupil, rows.as_of)
    for name, model in models.items():
        one = partial(_cut_week, evaluator, model, columns, scores[name].values)
        listed[name] = weeks.one_by_one(one).listed
    return listed


def _cut_week(
    evaluator: Evaluator,
    model: RiskModel,
    columns: Columns,
    values: NDArray[np.float64],
    chosen: NDArray[np.int64],
    last: LastList,
) -> Cut:
    """The lists of one Monday, from its rows and the lists before."""
    rows = evaluator.rows
    mine = {name: columns[name][chosen] for name in model.features}
    school, pupil = rows.school[chosen], rows.pupil[chosen]
    return cut(evaluator.capacity, model, mine, values[chosen], school, pupil, last)


def _by_block(
    evaluator: Evaluator, score: Score, listed: Flags, level: float
) -> tuple[BlockFigures, ...]:
    """What came of whom the team would have discussed, and of whom it would have followed."""
    rows, resamples = evaluator.rows, evaluator.resamples
    discussed = evaluator.capacity.discussed(rows.block, score.values, rows.pupil, listed)
    found = []
    for block, part in (("discuss", discussed), ("follow", listed & ~discussed)):
        known = part & rows.known
        sums = resamples.sums(per_pupil(rows.pupil, rows.pupils, known & rows.positive, known))
        precision = Interval.of(ratio(sums[0], sums[1]), level)
        found.append(BlockFigures(block, len(np.unique(rows.pupil[known])), precision))
    return tuple(found)


def as_rows(frame: pl.DataFrame) -> Rows:
    """The test rows as numbers; pupils are numbered in the order of their lots."""
    _, school = np.unique(frame["school"].to_numpy(), return_inverse=True)
    sectors, sector = np.unique(frame["sector"].to_numpy(), return_inverse=True)
    return Rows(
        pupil=pupil_numbers(frame),
        school=school.astype(np.int64),
        sector=sector.astype(np.int64),
        sectors=tuple(str(name) for name in sectors),
        as_of=frame["as_of"].to_numpy().astype("datetime64[D]"),
        outcome=frame["outcome"].to_numpy(),
        onset_on=frame["onset_on"].to_numpy().astype("datetime64[D]"),
        lead_weeks=frame["lead_weeks"].to_numpy(),
    )


def _scores(
    frame: pl.DataFrame,
    values: Values,
    models: Mapping[str, Scorer],
    experiment: Experiment,
    home: Home,
) -> dict[str, Score]:
    labels = {
        MODEL: FAMILY_LABELS[experiment.family],
        LOGISTIC: "logistische regressie",
        INCUMBENT: "model in gebruik",
    }
    found = {
        name: Score(name, labels[name], model.score(values.of(model.features)), probability=True)
        for name, model in models.items()
    }
    columns = values.columns()
    found |= {
        rule.name: Score(rule.name, rule.label, rule.score(columns))
        for rule in RULES
        if set(rule.features) <= set(columns)  # one whose feature was set aside has no score
    }
    oracle = oracle_probability(home.truth / "oracle.parquet", frame)
    if oracle is not None:
        label = "orakel (kent de verborgen toestand)"
        found[ORACLE] = Score(ORACLE, label, oracle, probability=True)
    return found


def oracle_probability(path: Path, frame: pl.DataFrame) -> NDArray[np.float64] | None:
    """The true chance of each row, NaN where unknown; None when there is no oracle at all."""
    if not path.exists():
        return None
    truth = pl.read_parquet(path, columns=["pupil_key", "as_of", "probability"])
    joined = frame.select("pupil_key", "as_of").join(
        truth, on=["pupil_key", "as_of"], how="left", maintain_order="left"
    )
    return joined["probability"].fill_null(float("nan")).to_numpy().astype(np.float64)


def school_mean(everyone: pl.DataFrame, tested: pl.DataFrame) -> Score:
    """Each pupil gets the share of onset rows of the school before the test: is it the school?

    A school without earlier rows gets the mean of all. Within a list everybody is equal.
    """
    known = pl.col("part").is_in([Part.FIT.value, Part.EMBARGO.value, Part.CALIBRATION.value])
    came = (pl.col("outcome") == Outcome.ONSET).cast(pl.Float64) * pl.col("weight")
    before = everyone.filter(known)
    means = before.group_by("school").agg(mean=came.sum() / pl.col("weight").sum())
    overall = before.select(came.sum() / pl.col("weight").sum()).item()
    joined = tested.select("school").join(means, on="school", how="left", maintain_order="left")
    values = joined["mean"].fill_null(overall).to_numpy().astype(np.float64)
    label = "alleen het gemiddelde van de school"
    return Score(SCHOOL_MEAN, label, values, probability=True)


def _kind(name: str) -> str:
    return name if name in (MODEL, LOGISTIC, INCUMBENT, SCHOOL_MEAN, ORACLE) else "rule"


def _by_sector(
    evaluator: Evaluator, scores: list[Score], listed: Mapping[str, Flags]
) -> dict[str, dict[str, Measured]]:
    rows = evaluator.rows
    return {
        Sector(name).label: {
            score.name: evaluator.measure(score, rows.sector == number, listed[score.name])
            for score in scores
        }
        for number, name in enumerate(rows.sectors)
    }


def _by_road(
    evaluator: Evaluator, frame: pl.DataFrame, listed: Mapping[str, Flags], home: Home
) -> tuple[RoadFigures, ...]:
    """How many onsets of each true road were caught at least two school weeks ahead."""
    path = home.truth / "onsets.parquet"
    if not path.exists():
        return ()
    numbered = frame.select("pupil_key").with_columns(number=evaluator.rows.pupil)
    keys = numbered.unique().sort("number")["pupil_key"]
    everything = np.ones(len(evaluator.rows), dtype=np.bool_)
    seen = {name: evaluator.first_listings(flags, everything) for name, flags in listed.items()}
    first = next(iter(seen.values()))
    onsets = pl.DataFrame(
        {
            "pupil_key": keys.gather(first.pupil),
            "onset_on": pl.Series(first.day.astype("datetime64[D]")),
            **{name: each.early for name, each in seen.items()},
        }
    ).sort("onset_on")
    truth = pl.read_parquet(path, columns=["pupil_key", "onset_on", "road"]).sort("onset_on")
    roads = onsets.join_asof(
        truth, on="onset_on", by="pupil_key", strategy="nearest",
        tolerance=f"{DAYS_BETWEEN_TRUE_AND_SEEN}d",
    ).with_columns(pl.col("road").fill_null("unknown"))  # fmt: skip
    return tuple(
        RoadFigures(
            str(road),
            len(group),
            {name: float(group[name].mean()) for name in seen},  # type: ignore[arg-type]
        )
        for (road,), group in sorted(roads.group_by("road"))
    )
