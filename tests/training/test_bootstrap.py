"""Resampled ranking figures equal scikit-learn's on the weighted rows, and intervals cover."""

import time

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from training.bootstrap import Interval, Ranking, Resamples, per_pupil, ratio


class Weeks:
    """Scores with many ties, 40 pupils in 4 schools."""

    generator = np.random.default_rng(3)
    pupil = np.repeat(np.arange(40), 12)
    school = pupil % 4
    score = np.round(generator.normal(size=480), 1)
    positive = generator.random(480) < 1 / (1 + np.exp(2 - score))


def test_ranking_figures_equal_scikit_learn_in_every_draw() -> None:
    resamples = Resamples(pupils=40, replicates=25, seed=5)
    ranking = Ranking.of(Weeks.score, Weeks.positive, Weeks.pupil, 40)
    area, precision = ranking.figures(resamples)
    for columns, counts in resamples.chunks():
        for draw in range(columns.start, columns.stop):
            weight = counts[Weeks.pupil, draw - columns.start]
            used = weight > 0
            arguments = (Weeks.positive[used], Weeks.score[used])
            wanted = roc_auc_score(*arguments, sample_weight=weight[used])
            assert area[draw] == pytest.approx(wanted, abs=1e-12)
            wanted = average_precision_score(*arguments, sample_weight=weight[used])
            assert precision[draw] == pytest.approx(wanted, abs=1e-12)


def test_within_school_area_compares_only_pairs_of_one_school() -> None:
    one = Resamples(pupils=40, replicates=0, seed=0)
    ranking = Ranking.of(Weeks.score, Weeks.positive, Weeks.pupil, 40, Weeks.school)
    won = pairs = 0.0
    for school in range(4):
        inside = Weeks.school == school
        positive, score = Weeks.positive[inside], Weeks.score[inside]
        count = positive.sum() * (~positive).sum()
        won += count * roc_auc_score(positive, score)
        pairs += count
    assert ranking.figures(one)[0][0] == pytest.approx(won / pairs, abs=1e-12)


def test_a_score_that_is_only_the_school_is_worth_nothing_within_schools() -> None:
    one = Resamples(pupils=40, replicates=0, seed=0)
    score = Weeks.school.astype(np.float64)
    ranking = Ranking.of(score, Weeks.positive, Weeks.pupil, 40, Weeks.school)
    assert ranking.figures(one)[0][0] == 0.5


def test_chunks_do_not_change_the_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    resamples = Resamples(pupils=7, replicates=10, seed=2)
    whole = resamples.sums(np.arange(14.0).reshape(7, 2))
    monkeypatch.setattr("training.bootstrap.CHUNK_CELLS", 14)
    assert len(list(resamples.chunks())) > 3
    np.testing.assert_array_equal(resamples.sums(np.arange(14.0).reshape(7, 2)), whole)


def test_clustered_intervals_cover_where_row_intervals_would_not() -> None:
    """Each pupil's weeks are alike; of 120 studies about 95 % must hold the truth."""
    generator = np.random.default_rng(11)
    pupil, weeks = np.repeat(np.arange(60), 20), 20
    covered = {"pupils": 0, "rows": 0}
    for study in range(120):
        share = generator.beta(0.5, 0.5, 60)
        value = generator.random(60 * weeks) < np.repeat(share, weeks)
        for name, unit, units in (("pupils", pupil, 60), ("rows", np.arange(1200), 1200)):
            sums = Resamples(units, 200, study).sums(
                per_pupil(unit, units, value, np.ones(len(value)))
            )
            interval = Interval.of(ratio(sums[0], sums[1]), 0.95)
            covered[name] += interval.low <= 0.5 <= interval.high
    assert covered["pupils"] >= 105
    assert covered["rows"] < 80


def test_five_hundred_replicates_over_many_rows_take_seconds() -> None:
    generator = np.random.default_rng(0)
    pupil = np.repeat(np.arange(10_000), 40)
    score = generator.random(len(pupil))
    positive = generator.random(len(pupil)) < 0.0015
    start = time.perf_counter()
    Ranking.of(score, positive, pupil, 10_000).figures(Resamples(10_000, 500, 1))
    assert time.perf_counter() - start < 20
