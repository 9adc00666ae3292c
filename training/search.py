"""Search for better parameters: on temporal folds before the test, resumable, within a budget."""

import hashlib
import logging
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import optuna
import polars as pl

from features.errors import ExperimentError
from features.governance.use import Action, Use
from features.records import RecordLog
from features.settings import Home
from features.store import FeatureStore
from models.bundle import Metadata
from models.risk_model import TrainingRows
from training.assess import as_rows
from training.bootstrap import Flags
from training.cohort import ExperimentRows, gather_rows
from training.evaluate import EARLY_WEEKS, SMALLEST_CHANCE, Rows
from training.experiment import Experiment, Sampling, Search, parse_experiment, read_experiment
from training.families import choose, fit_family
from training.lots import uniform
from training.origins import Origin, origins
from training.splits import Part
from training.values import Values, fingerprint, in_scope, retrieve, training_rows

Report = Callable[[str], None]
FOLDER = "search"
SPACE: Mapping[str, tuple[float, float, bool]] = {
    "learning_rate": (0.01, 0.1, True),
    "positives_in_leaf": (1.0, 60.0, True),
    "l2": (1.0, 100.0, True),
    "feature_share": (0.2, 1.0, False),
    "row_share": (0.4, 1.0, False),
}
WHOLE: Mapping[str, tuple[int, int, bool]] = {
    "rounds": (60, 800, True),
    "leaves": (4, 31, False),
    "depth": (2, 6, False),
    "rows_in_leaf": (50, 1000, True),
}
STRENGTH = (1e-5, 10.0)


@dataclass(frozen=True)
class Fold:
    """One period to judge on, and the rows whose labels were known before it."""

    train: TrainingRows
    lead: np.ndarray
    judged: TrainingRows
    rows: Rows


@dataclass(frozen=True)
class Outcome:
    """What a search found: the best file, and how it compares with where it started."""

    trials: int
    pruned: int
    started: float
    best: float
    number: int
    experiment: Experiment
    text: str

    @property
    def improved(self) -> bool:
        """Whether any trial was better than the file's own settings."""
        return self.best > self.started


def search(path: Path, home: Home, use: Use, report: Report = lambda _: None) -> Outcome:
    """Search the parameters of the experiment at `path`, going on where the last one stopped.

    The objective: of the pupil-weeks that lie two school weeks or more before an onset, the share
    that stands on the lists, the mean over the folds. A trial whose log loss is worse than that of
    the file's own settings by more than the guard never wins. Nothing of the calibration and the
    test is read. The same file, records and budget give the same trials.
    """
    text = path.read_text(encoding="utf-8")
    experiment = read_experiment(path)
    report("rows before the calibration, all of them for judging")
    rows, values = rows_before_calibration(experiment, home, use)
    folds = list(make_folds(rows, values, experiment))
    for number, fold in enumerate(folds, 1):
        report(
            f"fold {number}: fitted on {int(fold.train.y.sum())} onset rows, judged on "
            f"{int(fold.judged.y.sum())}"
        )
    digest = hashlib.sha256(f"{text}{fingerprint(rows, values)}".encode()).hexdigest()
    return _Study(experiment, text, folds, report).run(_storage(home), digest[:16])


def rows_before_calibration(
    experiment: Experiment, home: Home, use: Use
) -> tuple[ExperimentRows, Values]:
    """All rows in scope of the fit part, none sampled away, with their features."""
    store, everyone = FeatureStore.at(home), replace(experiment, sampling=Sampling(1.0))
    mondays = sorted(store.built())
    found = gather_rows(RecordLog(home.records), store.entities, mondays, everyone, use.moment)
    found = replace(found, frame=found.frame.filter(pl.col("part") == Part.FIT))
    asked = replace(use, action=Action.TRAIN)
    values = retrieve(store, found.frame, experiment.features.service, asked)
    return in_scope(found, values, experiment.cohort)


def make_folds(rows: ExperimentRows, values: Values, experiment: Experiment) -> Iterator[Fold]:
    """The last periods of the fit part; before each of them what was known then."""
    frame = rows.frame
    lots, as_of = frame["lot"].to_numpy(), frame["as_of"].to_numpy()
    drawn = uniform(lots, as_of, experiment.seed) < experiment.sampling.negative_share
    came = (frame["outcome"] == 1).to_numpy()
    for period in _fold_periods(frame, experiment.search):
        before = (frame["window_end"] < period.start).to_numpy() & (came | drawn)
        inside = (as_of >= np.datetime64(period.start)) & (as_of < np.datetime64(period.until))
        train = _take(rows, values, before, experiment)
        weight = np.where(train.y, 1.0, 1 / experiment.sampling.negative_share)
        if not train.y.any() or not came[inside].any():
            raise ExperimentError(
                f"search: {period.name} holds no onset, or nothing was known before it; ask fewer "
                "or longer folds"
            )
        yield Fold(
            train=replace(train, weight=weight),
            lead=frame["lead_weeks"].to_numpy()[before],
            judged=_take(rows, values, inside, experiment),
            rows=as_rows(frame.filter(pl.Series(inside))),
        )


def _fold_periods(frame: pl.DataFrame, plan: Search) -> tuple[Origin, ...]:
    """The last folds of the plan whose Mondays are all among these rows."""
    mondays = frame["as_of"].unique().sort()
    first, last = mondays[0], mondays[-1]
    if plan.by == "weeks":
        return _spans(list(mondays), plan)
    found = origins(plan.by, first, last + timedelta(days=7))[-plan.folds :]
    if len(found) < plan.folds:
        raise ExperimentError(
            f"search: {plan.folds} folds of a {plan.by.replace('_', ' ')} do not fit between "
            f"{first} and {last}, before the calibration; ask fewer or shorter folds"
        )
    return found


def _spans(mondays: list[date], plan: Search) -> tuple[Origin, ...]:
    if len(mondays) <= plan.folds * plan.fold_weeks:
        raise ExperimentError(
            f"search: {plan.folds} folds of {plan.fold_weeks} weeks need more than the "
            f"{len(mondays)} Mondays before the calibration; ask fewer or shorter folds"
        )
    starts = mondays[-plan.folds * plan.fold_weeks :: plan.fold_weeks]
    ends = (*starts[1:], mondays[-1] + timedelta(days=7))
    pairs = enumerate(zip(starts, ends, strict=True), 1)
    return tuple(Origin(f"fold {number}", start, until) for number, (start, until) in pairs)


def _take(
    rows: ExperimentRows, values: Values, chosen: Flags, experiment: Experiment
) -> TrainingRows:
    part = replace(rows, frame=rows.frame.filter(pl.Series(chosen)))
    taken = training_rows(part, values.take(chosen), Part.FIT)
    return choose(taken, experiment.features.names())


def _storage(home: Home) -> str:
    folder = home.root / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    return f"sqlite:///{(folder / 'studies.db').absolute()}"


@dataclass(frozen=True)
class _Study:
    experiment: Experiment
    text: str
    folds: list[Fold]
    report: Report

    def run(self, storage: str, name: str) -> Outcome:
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        logging.getLogger("optuna").setLevel(logging.WARNING)
        plan = self.experiment.search
        study = optuna.create_study(
            storage=storage,
            study_name=name,
            load_if_exists=True,
            direction="maximize",
            pruner=optuna.pruners.MedianPruner(n_startup_trials=5, n_warmup_steps=0),
        )
        done = len(study.trials)
        # Resumed, the sampler goes on from what is stored; the seed moves on with it.
        study.sampler = optuna.samplers.TPESampler(
            seed=self.experiment.seed + done, n_startup_trials=min(10, plan.trials)
        )
        if done:
            self.report(f"going on after {done} trials")
        else:
            study.enqueue_trial(self._own())
        if done < plan.trials:
            study.optimize(
                self._trial,
                n_trials=plan.trials - done,
                timeout=60 * plan.minutes,
                callbacks=[self._tell],
            )
        return self._outcome(study)

    def _own(self) -> dict[str, Any]:
        """The file's own settings, as a trial; values outside the space go to its border."""
        if self.experiment.family == "logistic":
            return {"strength": float(np.clip(self.experiment.logistic.strength, *STRENGTH))}
        own = asdict(self.experiment.model)
        spaces = {**SPACE, **WHOLE}
        near = {name: min(max(own[name], low), high) for name, (low, high, _) in spaces.items()}
        return {**near, "random_borders": own["random_borders"]}

    def _trial(self, trial: optuna.Trial) -> float:
        experiment = self._suggested(trial)
        found, losses = [], []
        for step, fold in enumerate(self.folds):
            recall, loss = judge(experiment, fold)
            found.append(recall)
            losses.append(loss)
            trial.report(float(np.mean(found)), step)
            if trial.number and trial.should_prune():
                raise optuna.TrialPruned
        trial.set_user_attr("log_loss", float(np.mean(losses)))
        if not self._guarded(trial, float(np.mean(losses))):
            trial.set_user_attr("guard", "log loss too high")
            return -1.0
        return float(np.mean(found))

    def _guarded(self, trial: optuna.Trial, loss: float) -> bool:
        if trial.number == 0:
            return True
        first = trial.study.get_trials(deepcopy=False)[0].user_attrs.get("log_loss", np.inf)
        return bool(loss <= first * (1 + self.experiment.search.guard))

    def _suggested(self, trial: optuna.Trial) -> Experiment:
        if self.experiment.family == "logistic":
            strength = trial.suggest_float("strength", *STRENGTH, log=True)
            return replace(
                self.experiment, logistic=replace(self.experiment.logistic, strength=strength)
            )
        chosen: dict[str, Any] = {
            name: trial.suggest_float(name, low, high, log=log)
            for name, (low, high, log) in SPACE.items()
        }
        chosen |= {
            name: trial.suggest_int(name, low, high, log=log)
            for name, (low, high, log) in WHOLE.items()
        }
        chosen["random_borders"] = trial.suggest_categorical("random_borders", [True, False])
        return replace(self.experiment, model=replace(self.experiment.model, **chosen))

    def _tell(self, study: optuna.Study, trial: optuna.trial.FrozenTrial) -> None:
        value = "pruned" if trial.value is None else f"{100 * trial.value:.1f} %"
        why = f" ({trial.user_attrs['guard']})" if "guard" in trial.user_attrs else ""
        best = f", best {100 * study.best_value:.1f} %" if _completed(study) else ""
        self.report(
            f"trial {trial.number + 1} of {self.experiment.search.trials}: {value}{why}{best}"
        )

    def _outcome(self, study: optuna.Study) -> Outcome:
        if not _completed(study):
            raise ExperimentError("search: no trial was finished within the budget; give minutes")
        best = study.best_trial
        fixed = optuna.trial.FixedTrial(best.params)
        experiment = self._suggested(fixed)  # type: ignore[arg-type]
        states = [trial.state for trial in study.trials]
        return Outcome(
            trials=len(states),
            pruned=states.count(optuna.trial.TrialState.PRUNED),
            started=float(study.trials[0].value or 0.0),
            best=float(best.value or 0.0),
            number=best.number + 1,
            experiment=experiment,
            text=with_parameters(self.text, experiment),
        )


def _completed(study: optuna.Study) -> bool:
    return any(trial.state == optuna.trial.TrialState.COMPLETE for trial in study.trials)


def judge(experiment: Experiment, fold: Fold) -> tuple[float, float]:
    """Early recall on the lists, and log loss, of these parameters on one fold.

    The calibrator is fitted on the judged rows themselves, for every trial alike: its two numbers
    say nothing about the order, and the guard then weighs how sharp and steady the margins are.
    """
    model = fit_family(experiment, fold.train, fold.judged, Metadata(), fold.lead)
    chance = model.score(fold.judged.x)
    listed = experiment.capacity.listed(fold.rows.block, chance, fold.rows.pupil)
    early = fold.rows.positive & (fold.rows.lead_weeks >= EARLY_WEEKS)
    given = np.clip(np.where(fold.judged.y, chance, 1 - chance), SMALLEST_CHANCE, 1.0)
    return float(listed[early].mean()) if early.any() else 0.0, float(-np.log(given).mean())


def with_parameters(text: str, experiment: Experiment) -> str:
    """The experiment file with the parameters that were found; comments are not kept."""
    document = tomllib.loads(text)
    if experiment.family == "logistic":
        document["logistic"] = asdict(experiment.logistic)
    else:
        default = asdict(replace(experiment.model))
        document["model"] = {
            name: round(value, 6) if isinstance(value, float) else value
            for name, value in default.items()
        }
    document["name"] = f"{document['name']}, searched"
    written = "\n".join(_toml(document)) + "\n"
    parse_experiment(written, "the searched experiment")
    return written


def _toml(document: Mapping[str, Any]) -> Iterator[str]:
    for name, value in document.items():
        if not isinstance(value, dict):
            yield f"{name} = {_literal(value)}"
    for name, section in document.items():
        if isinstance(section, dict):
            yield ""
            yield f"[{name}]"
            yield from (f"{key} = {_literal(value)}" for key, value in section.items())


def _literal(value: Any) -> str:
    r"""A TOML value.

    >>> _literal(True), _literal('say "a"'), _literal([1, 2.5])
    ('true', '"say \\"a\\""', '[1, 2.5]')
    """
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        escaped = value.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{escaped}"'
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_literal, value))}]"
    return str(value)
