"""The catalogue holds: names, texts, figures."""

import math
import re

import pytest

from features.build import SCHEMA
from features.catalogue import CATALOGUE, COHORT_FEATURES, MODEL_FEATURES, Feature, Unit, feature
from features.errors import NotThere
from features.records import LogTable, schema_of
from features.vocabulary import Theme

BANNED = ("thuiszitter", "risicoleerling", "spijbelaar", "schoolweigeraar", "probleemgezin")
# A sentence states a fact; it never says why.
CAUSES = ("door", "omdat", "doordat", "vanwege", "veroorzaakt", "waardoor", "oorzaak", "risico")


@pytest.fixture(params=CATALOGUE, ids=lambda one: one.name)
def one(request: pytest.FixtureRequest) -> Feature:
    assert isinstance(request.param, Feature)
    return request.param


def test_name(one: Feature) -> None:
    assert re.fullmatch(r"[a-z][a-z0-9_]*", one.name)
    assert not one.name.endswith("_y")
    stated = re.search(r"_(\d+)w$", one.name)
    if stated:
        assert one.window == int(stated[1])


def test_sources_are_columns_of_the_record_log(one: Feature) -> None:
    for source in one.sources:
        table, column = source.split(".")
        assert column in schema_of(LogTable(table)).names


def test_texts_state_facts(one: Feature) -> None:
    words = re.findall(r"[a-zë]+", f"{one.label_nl} {one.sentence_nl}".lower())
    assert not set(words) & {*BANNED, *CAUSES}
    assert "{value}" in one.sentence_nl
    assert one.sentence_nl.endswith(".")
    assert ("{other}" in one.sentence_nl) == (one.other is not None)
    if one.other is not None:
        assert feature(one.other).unit == one.unit
    if one.window is not None and one.view not in ("support", "career", "status", "runs"):
        assert re.search(r"laatste (schoolweek|\d+)", one.sentence_nl)


def test_sentences_read_well_for_one_and_for_many(one: Feature) -> None:
    for value in (0.0, 1.0, 2.5, 12.0, math.nan):
        sentence = one.sentence(value, value)
        assert "{" not in sentence and "nan" not in sentence
        assert not re.search(
            r"(?<![\d,])1 (dagen|schoolweken|schooldagen|ziekteperioden)\b", sentence
        )


def test_every_theme_but_the_cohort_is_covered() -> None:
    assert {f.theme for f in CATALOGUE if f.role == "model"} == set(Theme)
    assert len(CATALOGUE) >= 45
    assert set(MODEL_FEATURES) & set(COHORT_FEATURES) == set()
    assert [f.name for f in CATALOGUE] == SCHEMA.names[-len(CATALOGUE) :]


def test_what_no_feature_may_rest_on() -> None:
    forbidden = {"name", "code", "authorised"}
    columns = {source.split(".")[1] for f in CATALOGUE for source in f.sources}
    assert not columns & forbidden


def test_rewording_needs_no_new_approval_but_another_window_does() -> None:
    known = feature("absent_days_4w")
    same = {**vars(known), "label_nl": "Anders gezegd", "sentence_nl": "Anders {value}."}
    assert Feature(**same).definition_hash == known.definition_hash
    assert Feature(**{**vars(known), "window": 5}).definition_hash != known.definition_hash


def test_an_unknown_feature_is_an_error() -> None:
    with pytest.raises(NotThere, match="no feature is called 'shoe_size'"):
        feature("shoe_size")


def test_less_than_the_group_is_said_as_less() -> None:
    deviation = feature("group_deviation_4w")
    assert deviation.unit is Unit.POINTS
    assert " 4 % van de lestijd minder " in deviation.sentence(-0.04)
