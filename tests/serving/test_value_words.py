"""Every value in words, each of them with the reason why it can be missing."""

import math

import pytest

from features.catalogue import CATALOGUE, Feature, Unit, feature
from features.catalogue.formulas import FORMULAS_NL
from serving.web import value_words
from serving.web.value_words import because, outcome, period, what


def test_what_was_counted_and_when_is_said_once_and_never_left_out() -> None:
    said = [(what(one), period(one)) for one in CATALOGUE]
    assert all(name and when for name, when in said)
    assert len(set(said)) == len(CATALOGUE)
    assert not any("de laatste " in name or ", " in name for name, _ in said)


def test_what_the_formula_calls_unknown_has_a_reason_of_its_own() -> None:
    unknown = {name for name, formula in FORMULAS_NL.items() if "onbekend" in formula.lower()}
    assert unknown <= set(value_words._BECAUSE)
    assert set(value_words._BECAUSE) <= {one.name for one in CATALOGUE}
    names = set(value_words._WHEN) | set(value_words._NOUNS) | set(value_words._WHAT)
    assert names <= {one.name for one in CATALOGUE}


@pytest.mark.parametrize("one", CATALOGUE, ids=lambda one: one.name)
def test_a_missing_value_is_not_to_say_and_says_why(one: Feature) -> None:
    assert outcome(one, math.nan) == "niet te zeggen"
    assert because(one, math.nan).endswith(".")
    assert because(one, 1.0) == ""


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("sick_share_1w", 0.0, "0 %"),
        ("sick_share_1w", 0.0002, "minder dan 0,1 %"),
        ("absent_share_40w", 0.07512, "7,5 %"),
        ("absent_slope", 0.031, "3,1 % van de lestijd meer dan daarvoor"),
        ("absent_slope", -0.5, "50 % van de lestijd minder dan daarvoor"),
        ("absent_slope", 0.0, "gelijk"),
        ("group_deviation_12w", 0.0001, "bijna gelijk"),
        ("group_deviation_12w", 0.02, "2 % van de lestijd meer dan gemiddeld in de groep"),
        ("mean_sick_episode_days_40w", 2.5, "2,5 dagen"),
        ("sick_days_this_year", 1.0, "1 dag"),
        ("sick_episodes_12w", 1.0, "1 periode"),
        ("sick_episodes_12w", 3.0, "3 perioden"),
        ("late_arrivals_4w", 1.0, "1 keer"),
        ("support_running", 2.0, "2 vormen"),
        ("unauthorised_hours_4w", 1.5, "1,5 uur"),
        ("weeks_since_contact", 40.0, "40 schoolweken"),
        ("weeks_since_enrolment", 40.0, "40 schoolweken of meer"),
        ("weeks_since_full_week", 1.0, "1 schoolweek"),
        ("planned_minutes_4w", 6121.0, "102 uur en 1 minuut"),
        ("age_months", 120.0, "10 jaar"),
        ("age_months", 121.0, "10 jaar en 1 maand"),
        ("year_group_number", 7.0, "groep 7"),
        ("year_group_number", 12.0, "leerjaar 2 na de basisschool"),
        ("changed_school", 1.0, "ja"),
        ("repeats_year", 0.0, "nee"),
    ],
)
def test_values_in_the_words_of_people(name: str, value: float, said: str) -> None:
    assert outcome(feature(name), value) == said


def test_a_share_says_in_its_name_of_what_it_is() -> None:
    for one in CATALOGUE:
        if one.unit is Unit.SHARE:
            assert what(one).startswith("Deel van de "), one.name
