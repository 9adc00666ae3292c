"""The cut of a list: nobody stands on it without a reason, and the place goes to the next."""

import numpy as np
import pyarrow as pa
import pytest

from features.build import build_partition
from features.catalogue import MODEL_FEATURES
from features.vocabulary import Theme
from models.bundle import Bundle
from models.capacity import Capacity
from models.evidence import SchoolRecords
from models.explain import contributions, told_themes
from models.listing import cut, tellable
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
