"""How good a score is where it is used: at each school's capacity, week by week.

Every figure is computed for all draws of pupils at once (`training.bootstrap`); lists are cut once,
over everyone in scope, also those of whom the outcome never became known. Figures of precision and
recall count the rows whose outcome is known.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from models.capacity import Capacity
from training.bootstrap import (
    Flags,
    Floats,
    Interval,
    Ranking,
    Resamples,
    per_pupil,
    ratio,
    weighted_median,
)
from training.labels import Outcome

EARLY_WEEKS = 2
CALIBRATION_BINS = 10

METRICS: Mapping[str, str] = {
    "precision": "share of listed pupil-weeks that were followed by an onset",
    "recall": "share of pupil-weeks before an onset that were listed",
    "lift": "precision over the share of pupil-weeks before an onset",
    "caught": "share of onsets whose pupil was listed at least once in the horizon before",
    "caught_early": f"the same, at least {EARLY_WEEKS} school weeks before: still at school",
    "median_lead": "median school weeks from the first listing to a caught onset",
    "mean_lead": "mean school weeks from the first listing to an onset; not caught counts as none",
    "new_names": "pupils a week and school who were not on its list of the week before",
    "churn": "share of listed pupil-weeks that are such new names",
    "average_precision": "area under precision against recall",
    "roc_auc": "chance that a pupil-week before an onset scores above another",
    "within_school_auc": "the same, comparing only pupil-weeks of one school",
    "brier": "mean squared distance of the probability from the outcome",
    "log_loss": "mean of minus the logarithm of the probability given to what happened",
    "calibration_error": "mean distance of the probability from the share observed, in bins",
    "calibration_ratio": "pupil-weeks before an onset: expected over observed",
}
PROBABILITY_METRICS = frozenset({"brier", "log_loss", "calibration_error", "calibration_ratio"})
SMALLEST_CHANCE = 1e-6


@dataclass(frozen=True)
class Rows:
    """Everyone in scope, one row per pupil and Monday, with what happened afterwards.

    `pupil` numbers the pseudonyms in their order (so it also breaks ties), `school` and `sector`
    number theirs; `onset_on` and `lead_weeks` belong to the onset in the horizon, if it came.
    """

    pupil: NDArray[np.int64]
    school: NDArray[np.int64]
    sector: NDArray[np.int64]
    sectors: tuple[str, ...]
    as_of: NDArray[np.datetime64]
    outcome: NDArray[np.int8]
    onset_on: NDArray[np.datetime64]
    lead_weeks: NDArray[np.int16]

    def __len__(self) -> int:
        return len(self.pupil)

    def take(self, chosen: NDArray[np.int64] | Flags) -> "Rows":
        """Some of the rows: a mask or their numbers."""
        return replace(
            self,
            pupil=self.pupil[chosen],
            school=self.school[chosen],
            sector=self.sector[chosen],
            as_of=self.as_of[chosen],
            outcome=self.outcome[chosen],
            onset_on=self.onset_on[chosen],
            lead_weeks=self.lead_weeks[chosen],
        )

    @property
    def pupils(self) -> int:
        """How many pupils there are."""
        return int(self.pupil.max(initial=-1)) + 1

    @property
    def known(self) -> Flags:
        """Whose outcome is known."""
        return np.asarray(self.positive | (self.outcome == Outcome.NO_ONSET))

    @property
    def positive(self) -> Flags:
        """Of whom an onset came within the horizon."""
        return np.asarray(self.outcome == Outcome.ONSET)

    @property
    def block(self) -> NDArray[np.int64]:
        """One number per school and Monday, ascending in time within a school."""
        week = (self.as_of - self.as_of.min()).astype(np.int64) if len(self) else self.school
        return np.asarray(self.school * (int(week.max(initial=0)) + 1) + week)


@dataclass(frozen=True)
class Score:
    """One way of ordering pupils. `probability`: its values claim to be chances of an onset."""

    name: str
    label: str
    values: Floats
    probability: bool = False


@dataclass(frozen=True)
class Measured:
    """Every figure of one score in every draw; the first draw is the data themselves."""

    name: str
    label: str
    draws: Mapping[str, Floats]

    def value(self, metric: str) -> float:
        """The figure on the data themselves; NaN where it has no meaning for this score."""
        return float(self.draws[metric][0]) if metric in self.draws else float("nan")

    def interval(self, metric: str, level: float) -> Interval:
        """The figure with its interval."""
        return Interval.of(self.draws.get(metric, np.array([np.nan])), level)


@dataclass(frozen=True)
class Evaluator:
    """The rows, the capacity and the resamples on which every score is measured alike."""

    rows: Rows
    capacity: Capacity
    resamples: Resamples

    def measure(
        self, score: Score, within: Flags | None = None, listed: Flags | None = None
    ) -> Measured:
        """All figures of a score, over the rows of `within` (none: all); lists stay whole.

        `listed`, when given, is what `self.listed` gave for this score: cutting takes time.
        """
        inside = np.ones(len(self.rows), dtype=np.bool_) if within is None else within
        listed = self.listed(score.values) if listed is None else listed
        draws = self.at_capacity(listed, inside)
        draws |= self._ranking(score, inside)
        if score.probability:
            draws |= self.probability(score, inside)
        return Measured(score.name, score.label, draws)

    def listed(self, values: Floats, capacity: Capacity | None = None) -> Flags:
        """Who stands on the lists when schools follow this score."""
        return (capacity or self.capacity).listed(self.rows.block, values, self.rows.pupil)

    def curve(self, score: Score, shares: tuple[float, ...]) -> tuple[tuple[float, float], ...]:
        """Precision and recall when schools could discuss these shares of their pupils."""
        rows, points = self.rows, []
        for share in shares:
            room = Capacity(share=share, floor=1, ceiling=max(len(rows), 1))
            listed = self.listed(score.values, room)
            hits = float((listed & rows.positive).sum())
            looked_at, positives = (listed & rows.known).sum(), rows.positive.sum()
            points.append((hits / max(looked_at, 1), hits / max(positives, 1)))
        return tuple(points)

    def at_capacity(self, listed: Flags, inside: Flags) -> dict[str, Floats]:
        """What the lists show of the rows `inside`: all figures but those of order and chance."""
        return self._rows_listed(listed, inside) | self._events(listed, inside)

    def _rows_listed(self, listed: Flags, inside: Flags) -> dict[str, Floats]:
        rows = self.rows
        new = listed & ~self._listed_the_week_before(listed)
        columns = (
            inside & listed & rows.positive,
            inside & listed & rows.known,
            inside & rows.positive,
            inside & rows.known,
            inside & new,
            inside & listed,
        )
        sums = self.resamples.sums(per_pupil(rows.pupil, rows.pupils, *columns))
        hits, looked_at, positives, known, new_rows, listed_rows = sums
        lists = len(np.unique(rows.block[inside])) or 1
        precision = ratio(hits, looked_at)
        return {
            "precision": precision,
            "recall": ratio(hits, positives),
            "lift": ratio(precision, ratio(positives, known)),
            "new_names": new_rows / lists,
            "churn": ratio(new_rows, listed_rows),
        }

    def _listed_the_week_before(self, listed: Flags) -> Flags:
        """Was the pupil on the list that the same school had before this one?"""
        rows = self.rows
        _, turn = np.unique(rows.block, return_inverse=True)
        order = np.lexsort((turn, rows.pupil))
        pupil, turns = rows.pupil[order], turn[order]
        follows = (pupil[1:] == pupil[:-1]) & (turns[1:] == turns[:-1] + 1)
        result = np.zeros(len(rows), dtype=np.bool_)
        result[order[1:]] = follows & listed[order[:-1]]
        return result

    def _events(self, listed: Flags, inside: Flags) -> dict[str, Floats]:
        """Onsets as events: an onset counts once, however many weeks lie before it."""
        onsets = self.first_listings(listed, inside)
        caught = onsets.lead >= 0
        ahead = np.where(caught, onsets.lead, 0)
        columns = (np.ones(len(caught)), caught, onsets.early, ahead)
        sums = self.resamples.sums(per_pupil(onsets.pupil, self.rows.pupils, *columns))
        median = np.empty(self.resamples.draws)
        for chunk, counts in self.resamples.chunks():
            weights = counts[onsets.pupil[caught]]
            median[chunk] = weighted_median(onsets.lead[caught].astype(np.float64), weights)
        return {
            "caught": ratio(sums[1], sums[0]),
            "caught_early": ratio(sums[2], sums[0]),
            "median_lead": median,
            "mean_lead": ratio(sums[3], sums[0]),
        }

    def first_listings(self, listed: Flags, inside: Flags) -> "Listings":
        """When each onset's pupil was first listed in the horizon before it."""
        rows = self.rows
        before = np.flatnonzero(inside & rows.positive)
        day = rows.onset_on[before].astype("datetime64[D]").astype(np.int64)
        onsets, onset = np.unique(
            np.stack([rows.pupil[before], day], axis=1), axis=0, return_inverse=True
        )
        lead = np.full(len(onsets), -1, dtype=np.int64)
        np.maximum.at(lead, onset.ravel(), np.where(listed[before], rows.lead_weeks[before], -1))
        return Listings(onsets[:, 0], onsets[:, 1].astype("datetime64[D]"), lead)

    def _ranking(self, score: Score, inside: Flags) -> dict[str, Floats]:
        rows, used = self.rows, inside & self.rows.known
        values = np.where(np.isnan(score.values), -np.inf, score.values)[used]
        arguments = (values, rows.positive[used], rows.pupil[used], rows.pupils)
        area, precision = Ranking.of(*arguments).figures(self.resamples)
        within, _ = Ranking.of(*arguments, rows.school[used]).figures(self.resamples)
        return {"average_precision": precision, "roc_auc": area, "within_school_auc": within}

    def probability(self, score: Score, inside: Flags) -> dict[str, Floats]:
        """How well the values hold as chances, over the rows `inside` of known outcome."""
        rows, used = self.rows, inside & self.rows.known & ~np.isnan(score.values)
        value, came, pupil = score.values[used], rows.positive[used], rows.pupil[used]
        squared = (value - came) ** 2
        chance = np.clip(np.where(came, value, 1 - value), SMALLEST_CHANCE, 1.0)
        columns = (squared, value, came, np.ones(len(value)), -np.log(chance))
        sums = self.resamples.sums(per_pupil(pupil, rows.pupils, *columns))
        number = calibration_bins(value)
        gaps = [np.where(number == each, value - came, 0.0) for each in range(CALIBRATION_BINS)]
        gap = self.resamples.sums(per_pupil(pupil, rows.pupils, *gaps))
        return {
            "brier": ratio(sums[0], sums[3]),
            "log_loss": ratio(sums[4], sums[3]),
            "calibration_error": ratio(np.abs(gap).sum(axis=0), sums[3]),
            "calibration_ratio": ratio(sums[1], sums[2]),
        }

    def calibration(self, score: Score, level: float) -> "tuple[CalibrationBin, ...]":
        """Expected against observed, in bins that each expect equally many onset rows."""
        rows, used = self.rows, self.rows.known & ~np.isnan(score.values)
        value, came, pupil = score.values[used], rows.positive[used], rows.pupil[used]
        number, table = calibration_bins(value), []
        for each in np.unique(number):
            inside = number == each
            sums = self.resamples.sums(
                per_pupil(pupil[inside], rows.pupils, came[inside], np.ones(inside.sum()))
            )
            observed = Interval.of(ratio(sums[0], sums[1]), level)
            table.append(CalibrationBin(int(inside.sum()), float(value[inside].mean()), observed))
        return tuple(table)


@dataclass(frozen=True)
class Listings:
    """One entry per onset: its pupil and day, and the school weeks from the first listing to it.

    `lead` is -1 when the pupil was never listed in the horizon before.
    """

    pupil: NDArray[np.int64]
    day: NDArray[np.datetime64]
    lead: NDArray[np.int64]

    @property
    def early(self) -> Flags:
        """Listed while still at school: two school weeks before or more."""
        return np.asarray(self.lead >= EARLY_WEEKS)


@dataclass(frozen=True)
class CalibrationBin:
    """Pupil-weeks with about the same probability: how many, what was expected, what came."""

    rows: int
    expected: float
    observed: Interval


def calibration_bins(value: Floats) -> NDArray[np.int64]:
    """The bin of each row, such that every bin expects about equally many onset rows.

    Bins of equal size would put nearly all onsets of so rare a class in the last one.

    >>> calibration_bins(np.array([0.1] * 8 + [0.8])).tolist()
    [0, 1, 1, 2, 3, 3, 4, 4, 9]
    """
    order = np.argsort(value, kind="stable")
    running = np.cumsum(value[order])
    total = running[-1] if len(running) and running[-1] > 0 else 1.0
    result = np.zeros(len(value), dtype=np.int64)
    share = np.clip(running / total * CALIBRATION_BINS - 1e-9, 0, CALIBRATION_BINS - 1)
    result[order] = share.astype(np.int64)
    return result
