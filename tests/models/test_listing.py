"""The cut of a list: nobody stands on it without a reason, and the place goes to the next."""

import numpy as np
import pyarrow as pa
import pytest

from features.build import build_partition
from features.catalogue import MODEL_FEATURES
from features.vocabulary import Theme
from models.bundle import Bundle
from models.capacity import Capacity, LastList
from models.evidence import SchoolRecords
from models.explain import contributions, told_themes
from models.listing import Cut, Weeks, cut, tellable
from models.reasons import reasons_for
from models.risk_model import TrainingRows
from tests.models.invented_records import MONDAY, SCHOOL, lively_school


def columns_of(table: pa.Table) -> dict[str, np.ndarray]:
    return {name: table[name].to_numpy() for name in MODEL_FEATURES}


def test_a_theme_is_tellable_exactly_when_a_reason_can_be_made_of_it() -> None:
    """Decided on features for the cut, and on records for the words: the two must agree."""
    seen = set()
    for seed in range(6):
        tables = lively_school(seed).tables()
        built = build_partition(tables, [MONDAY])
        records = SchoolRecords(tables, SCHOOL, MONDAY)
        told = tellable(columns_of(built))
        for at, row in enumerate(built.to_pylist()):
            for number, theme in enumerate(Theme):
                explained = reasons_for(records.of(row["pupil_key"]), {theme: 1.0}, row)
                assert bool(explained.reasons) == told[at, number], (theme, seed, at)
                seen.add((theme, bool(explained.reasons)))
    both = {theme for theme in Theme if {(theme, True), (theme, False)} <= seen}
    assert both == {Theme.ABSENCE, Theme.UNAUTHORISED, Theme.PATTERN, Theme.SUPPORT}
    assert (Theme.CAREER, True) not in seen


def test_a_feature_that_the_model_may_not_see_tells_nothing() -> None:
    told = tellable({"absent_share_4w": np.array([0.9])})
    assert not told.any()
    told = tellable({"tlv_waiting_weeks": np.array([0.0, np.nan])})
    assert told.any(axis=1).tolist() == [True, False]


@pytest.fixture(scope="module")
def blocks(later: TrainingRows) -> np.ndarray:
    return np.arange(len(later.x)) % 40


def columns(rows: TrainingRows) -> dict[str, np.ndarray]:
    return {name: rows.x[:, at] for at, name in enumerate(rows.features)}


def test_nobody_is_listed_without_a_theme_to_tell(
    bundle: Bundle, later: TrainingRows, blocks: np.ndarray
) -> None:
    score, tie = bundle.score(later.x), np.arange(len(later.x))
    capacity = Capacity(share=0.02)
    found = cut(capacity, bundle, columns(later), score, blocks, tie)
    themes = told_themes(contributions(bundle, later.x), tellable(columns(later)))
    told = np.asarray(themes.any(axis=1))
    # Everybody explained, the slow way: the same list.
    assert (found.listed == capacity.listed(blocks, score, tie, told)).all()
    assert told[found.listed].all()
    by_score = capacity.listed(blocks, score, tie)
    assert found.passed_over.sum() > 20, "the test has no power"
    assert (found.passed_over == (by_score & ~told)).all()
    assert found.listed.sum() == by_score.sum(), "a place was lost while others could take it"


def test_a_place_stays_empty_when_nobody_is_left(bundle: Bundle, later: TrainingRows) -> None:
    few = later.take(np.arange(60))
    nothing = {name: np.zeros(60, np.float32) for name in few.features}
    found = cut(Capacity(), bundle, nothing, bundle.score(few.x), np.zeros(60, int), np.arange(60))
    assert not found.listed.any()
    assert found.passed_over.sum() == 3


ROOMY = Capacity(share=0.1, floor=3, new_share=0.34, stay=1.5)


def one_list(
    capacity: Capacity, scores: dict[int, float], eligible: set[int], last: set[int] | None
) -> set[int]:
    """The list of one school, the slow way: names first, one after the other."""
    places = capacity.of(len(scores))
    order = sorted((key for key in scores if key in eligible), key=lambda key: (-scores[key], key))
    near = order[: int(np.ceil(capacity.stay * places))]
    listed = [key for key in near if key in (last or set())][:places]
    new = 0
    for key in order:
        full = len(listed) == places or (last is not None and new == capacity.new_names(places))
        if not full and key not in listed:
            listed.append(key)
            new += 1
    return set(listed)


def test_lists_of_many_weeks_are_those_of_the_slow_way() -> None:
    """Schools of several sizes, scores that wander, pupils who go; a holiday and a new year."""
    generator = np.random.default_rng(5)
    mondays = np.datetime64("2026-05-04") + 7 * np.array([0, 1, 2, 3, 4, 5, 20, 21, 22])
    school_of = np.repeat(np.arange(4), [12, 40, 90, 5])
    rows: list[tuple[int, int, np.datetime64, float, bool]] = []
    score = generator.normal(size=len(school_of))
    for number, monday in enumerate(mondays):
        score = 0.8 * score + 0.6 * generator.normal(size=len(score))
        there = generator.random(len(score)) < 0.95
        if number == 2:
            there &= school_of != 1  # a week off for one school
        reason = generator.random(len(score)) < 0.7
        rows += [
            (int(school_of[key]), int(key), monday, round(float(score[key]), 1), bool(reason[key]))
            for key in generator.permutation(np.flatnonzero(there))
        ]
    school, pupil, as_of, values, may = (np.array(column) for column in zip(*rows, strict=True))

    def cut_week(chosen: np.ndarray, last: LastList) -> Cut:
        listed = ROOMY.listed(school[chosen], values[chosen], pupil[chosen], may[chosen], last)
        return Cut(listed, listed, listed)

    found = Weeks(school, pupil, as_of).one_by_one(cut_week).listed
    last: dict[int, set[int]] = {}
    differs = 0
    for monday in mondays:
        if monday == mondays[6]:
            last = {}
        for one in range(4):
            mine = np.flatnonzero((school == one) & (as_of == monday))
            if not len(mine):
                continue
            scores = {int(pupil[row]): float(values[row]) for row in mine}
            eligible = {int(pupil[row]) for row in mine if may[row]}
            wanted = one_list(ROOMY, scores, eligible, last.get(one))
            assert {int(pupil[row]) for row in mine if found[row]} == wanted, (monday, one)
            assert len(wanted - last.get(one, wanted)) <= ROOMY.new_names(ROOMY.of(len(mine)))
            differs += wanted != one_list(ROOMY, scores, eligible, None)
            last[one] = wanted
    assert differs > 10, "the test has no power"


def test_the_explained_cut_keeps_names_as_if_everybody_were_explained(
    bundle: Bundle, later: TrainingRows, blocks: np.ndarray
) -> None:
    tight = Capacity(share=0.03, new_share=0.34, stay=2.0)
    score, tie = bundle.score(later.x), np.arange(len(later.x))
    themes = told_themes(contributions(bundle, later.x), tellable(columns(later)))
    told = np.asarray(themes.any(axis=1))
    generator = np.random.default_rng(2)
    near = tight.near(blocks, score, tie, told)
    last = LastList(blocks % 3 > 0, near & (generator.random(len(score)) < 0.7))
    found = cut(tight, bundle, columns(later), score, blocks, tie, last)
    assert (found.listed == tight.listed(blocks, score, tie, told, last)).all()
    assert (found.passed_over == (tight.listed(blocks, score, tie, last=last) & ~told)).all()
    assert (found.discussed <= found.listed).all()
    anew = tight.listed(blocks, score, tie, told)
    assert (found.listed & ~anew).sum() > 20, "nobody was kept: the test has no power"


def test_a_name_near_the_cut_does_not_flicker() -> None:
    """Two pupils change places around the last place every week; a steady list does not."""
    weeks, pupils = 12, 30
    as_of = np.repeat(np.datetime64("2026-09-07") + 7 * np.arange(weeks), pupils)
    pupil = np.tile(np.arange(pupils), weeks)
    week = np.repeat(np.arange(weeks), pupils)
    score = -pupil.astype(float)
    score[(pupil == 3) & (week % 2 == 1)] += 1.5  # passes the pupil on the third and last place

    def lists(capacity: Capacity) -> np.ndarray:
        def cut_week(chosen: np.ndarray, last: LastList) -> Cut:
            school = np.zeros(len(chosen), np.int64)
            listed = capacity.listed(school, score[chosen], pupil[chosen], last=last)
            return Cut(listed, listed, listed)

        return Weeks(np.zeros(len(pupil), np.int64), pupil, as_of).one_by_one(cut_week).listed

    anew = lists(Capacity(new_share=1.0, stay=1.0))
    steady = lists(Capacity())
    assert anew[pupil == 3].sum() == weeks // 2
    assert not steady[pupil == 3].any() and steady[pupil == 2].all()
