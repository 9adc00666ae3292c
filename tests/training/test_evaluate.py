"""Figures at capacity: by hand on a few rows, and against a slow reading on a generated region."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from models.capacity import Capacity
from training.bootstrap import Resamples
from training.compare import COMPARED, best, compare, difference
from training.evaluate import METRICS, PROBABILITY_METRICS, Evaluator, Rows, Score
from training.labels import Outcome

NOT_ONE_MORE = Resamples(pupils=0, replicates=0, seed=0)


def table(text: str) -> tuple[Rows, NDArray[np.float64]]:
    """Rows written as `school week pupil score outcome lead`; outcome + - or ? (never known)."""
    cells = [line.split() for line in text.strip().splitlines()[1:]]
    school, week, pupil, score, outcome, lead = zip(*cells, strict=True)
    monday = np.datetime64("2025-09-01") + 7 * np.array(week, dtype=int)
    leads = np.array([-1 if each == "." else int(each) for each in lead])
    signs = {"+": Outcome.ONSET, "-": Outcome.NO_ONSET, "?": Outcome.CENSORED}
    rows = Rows(
        pupil=np.array([ord(each) - ord("a") for each in pupil]),
        school=np.array(school, dtype=int),
        sector=np.array(school, dtype=int),
        sectors=("po", "vo"),
        as_of=monday,
        outcome=np.array([signs[each] for each in outcome], dtype=np.int8),
        onset_on=np.where(leads >= 0, monday + 7 * leads, np.datetime64("NaT")),
        lead_weeks=leads.astype(np.int16),
    )
    return rows, np.array(score, dtype=float)


def evaluator(rows: Rows, places: int, replicates: int = 0) -> Evaluator:
    capacity = Capacity(share=0.01, floor=places, ceiling=places)
    return Evaluator(rows, capacity, Resamples(rows.pupils, replicates, 1))


BY_HAND = """
    school week pupil score outcome lead
    0      0    a     0.9   +       3
    0      0    b     0.8   -       .
    0      0    c     0.1   -       .
    0      1    a     0.1   +       2
    0      1    b     0.8   -       .
    0      1    c     0.9   ?       .
    0      2    a     0.2   +       1
    0      2    b     0.8   -       .
    0      2    c     0.9   ?       .
    1      0    d     0.5   +       0
    1      0    e     0.4   -       .
    1      0    f     0.3   +       1
    """


def test_figures_by_hand() -> None:
    rows, score = table(BY_HAND)
    got = evaluator(rows, places=2).measure(Score("model", "", score))
    assert evaluator(rows, places=2).listed(score).tolist() == [
        True, True, False, False, True, True, False, True, True, True, True, False,
    ]  # fmt: skip
    figures = {name: got.value(name) for name in METRICS}
    # Listed and known: a b | b | b | d e: two of six before an onset; six such rows less one.
    assert figures["precision"] == pytest.approx(2 / 6)
    assert figures["recall"] == pytest.approx(2 / 5)
    assert figures["lift"] == pytest.approx((2 / 6) / (5 / 10))
    # Three onsets: a (listed 3 weeks before), d (the same week), f (never).
    assert figures["caught"] == pytest.approx(2 / 3)
    assert figures["caught_early"] == pytest.approx(1 / 3)
    assert figures["median_lead"] == 0
    # New on their school's list: a and b, then c; nobody; d and e. Four lists, eight places.
    assert figures["new_names"] == pytest.approx(5 / 4)
    assert figures["churn"] == pytest.approx(5 / 8)
    assert all(np.isnan(figures[name]) for name in PROBABILITY_METRICS)


def test_a_pupil_whose_outcome_never_became_known_takes_a_place_and_counts_for_nothing() -> None:
    rows, score = table(BY_HAND)
    kept = rows.outcome != Outcome.CENSORED
    without = evaluator(rows.take(kept), places=2).measure(Score("m", "", score[kept]))
    with_them = evaluator(rows, places=2).measure(Score("m", "", score))
    assert without.value("recall") > with_them.value("recall")


def test_row_order_changes_nothing_also_among_equal_scores(region: Any) -> None:
    rows, score = region.rows, np.round(region.log_risk)
    order = np.random.default_rng(5).permutation(len(rows))
    one = evaluator(rows, 3, 20).measure(Score("m", "", score))
    other = evaluator(rows.take(order), 3, 20).measure(Score("m", "", score[order]))
    for metric, draws in one.draws.items():
        np.testing.assert_allclose(other.draws[metric], draws, err_msg=metric)


def test_draws_equal_a_slow_count_of_drawn_pupils(region: Any) -> None:
    """Every drawn pupil is written out as often as drawn; the lists stay as they were cut."""
    rows, score = region.rows, region.log_risk
    judge = evaluator(rows, places=3, replicates=4)
    listed = judge.listed(score)
    got = judge.measure(Score("m", "", score)).draws
    for columns, counts in judge.resamples.chunks():
        for draw in range(columns.start, columns.stop):
            hits = looked_at = positives = 0.0
            first: dict[tuple[int, str], int] = {}
            for row in np.flatnonzero(listed | rows.positive):
                times = counts[rows.pupil[row], draw]
                looked_at += times * listed[row]
                positives += times * rows.positive[row]
                hits += times * (listed[row] and rows.positive[row])
                if rows.positive[row]:
                    event = (int(rows.pupil[row]), str(rows.onset_on[row]))
                    lead = int(rows.lead_weeks[row]) if listed[row] else -1
                    first[event] = max(first.get(event, -1), lead)
            weights = {event: counts[event[0], draw] for event in first}
            early = sum(weights[event] for event, lead in first.items() if lead >= 2)
            leads = sorted(
                lead
                for event, lead in first.items()
                for _ in range(int(weights[event]))
                if lead >= 0
            )
            assert got["precision"][draw] == pytest.approx(hits / looked_at)
            assert got["recall"][draw] == pytest.approx(hits / positives)
            assert got["caught_early"][draw] == pytest.approx(early / sum(weights.values()))
            assert got["median_lead"][draw] == leads[(len(leads) - 1) // 2]


def test_lists_hold_the_capacity_of_each_school_and_monday(region: Any) -> None:
    rows = region.rows
    judge = Evaluator(rows, Capacity(), Resamples(rows.pupils, 0, 0))
    listed = judge.listed(region.log_risk)
    for block in np.unique(rows.block)[::17]:
        inside = rows.block == block
        assert listed[inside].sum() == Capacity().of(int(inside.sum()))


def test_a_sector_is_measured_on_the_same_lists(region: Any) -> None:
    rows, judge = region.rows, evaluator(region.rows, places=3)
    score = Score("m", "", region.log_risk)
    whole, parts = judge.measure(score), [judge.measure(score, rows.sector == s) for s in (0, 1)]
    positives = [rows.positive[rows.sector == s].sum() for s in (0, 1)]
    together = sum(
        part.value("recall") * count for part, count in zip(parts, positives, strict=True)
    )
    assert together / sum(positives) == pytest.approx(whole.value("recall"))


def test_fair_chances_are_calibrated_and_doubled_ones_are_not(region: Any) -> None:
    judge = evaluator(region.rows, places=3, replicates=200)
    fair = Score("fair", "", region.probability, probability=True)
    double = Score("double", "", np.minimum(2 * region.probability, 1), probability=True)
    fair_ratio = judge.measure(fair).interval("calibration_ratio", 0.95)
    assert fair_ratio.low < 1.1 and fair_ratio.high > 0.9
    assert judge.measure(double).interval("calibration_ratio", 0.95).low > 1.2
    assert judge.measure(double).value("brier") > judge.measure(fair).value("brier")
    assert judge.measure(double).value("calibration_error") > 1.5 * judge.measure(fair).value(
        "calibration_error"
    )
    bins = judge.calibration(fair, 0.95)
    assert [each.expected for each in bins] == sorted(each.expected for each in bins)
    assert sum(each.rows for each in bins) == len(region.rows)


def test_more_places_catch_more_and_less_surely(region: Any) -> None:
    judge = evaluator(region.rows, places=3)
    points = judge.curve(Score("m", "", region.log_risk), (0.01, 0.05, 0.2))
    precision, recall = zip(*points, strict=True)
    assert list(recall) == sorted(recall)
    assert list(precision) == sorted(precision, reverse=True)


def test_no_difference_is_not_better_and_a_real_one_is(region: Any) -> None:
    judge = evaluator(region.rows, places=3, replicates=200)
    noise = np.random.default_rng(3).normal(size=len(region.rows))
    model = judge.measure(Score("model", "", region.log_risk))
    same = judge.measure(Score("same", "", region.log_risk))
    chance = judge.measure(Score("chance", "", noise))
    assert not difference(model, same, "recall", 0.95).better
    assert difference(model, chance, "recall", 0.95).better
    assert not difference(chance, model, "recall", 0.95).better
    assert best([chance, model], "recall") is model
    assert len(compare(model, [same, chance], 0.95)) == 2 * len(COMPARED)


def test_pairing_makes_the_interval_of_a_difference_smaller(region: Any) -> None:
    judge = evaluator(region.rows, places=3, replicates=300)
    noise = 0.3 * np.random.default_rng(3).normal(size=len(region.rows))
    model = judge.measure(Score("model", "", region.log_risk))
    near = judge.measure(Score("near", "", region.log_risk + noise))
    paired = difference(model, near, "recall", 0.95).interval
    alone = model.interval("recall", 0.95)
    assert paired.high - paired.low < 0.7 * (alone.high - alone.low)


def test_looking_at_the_future_raises_every_figure(region: Any) -> None:
    """Power: a leak of the outcome must show, else no test of honesty means anything."""
    judge = evaluator(region.rows, places=3, replicates=200)
    leak = region.log_risk + 2.0 * region.rows.positive
    honest = judge.measure(Score("honest", "", region.log_risk))
    leaky = judge.measure(Score("leaky", "", leak))
    for metric in COMPARED:
        assert difference(leaky, honest, metric, 0.95).better, metric
