"""The model card: every figure that was measured, nothing else, in plain Dutch."""

import math
import re
from dataclasses import replace
from datetime import date

import pytest

from features.catalogue import feature
from features.vocabulary import Theme
from models.bundle import Bundle, Metadata
from models.card import Figure, FigureUnit, ModelFacts, ScoreLine, render

FOUND = Figure("gevonden", FigureUnit.PERCENT, 0.4126, 0.3512, 0.4788)
LEAD = Figure("voorsprong", FigureUnit.WEEKS, 4.5, 3.0, 6.0)
AREA = Figure("AUC", FigureUnit.NUMBER, 0.8714, 0.8521, 0.8903)
FACTS = ModelFacts(
    version=3,
    made_on=date(2026, 11, 16),
    experiment="first",
    question="Welke leerlingen dreigen langdurig afwezig te raken?",
    tested_on="schooljaar 2025–2026",
    data_fingerprint="d4c0ffee",
    schools=41,
    pupils=9876,
    scores=(
        ScoreLine("model", (FOUND, LEAD, AREA)),
        ScoreLine("16 uur", (replace(FOUND, value=0.12), replace(LEAD, value=math.nan), AREA)),
    ),
    differences=("gevonden, model min 16 uur: 29,3 procentpunt (22,1–36,4)",),
    sectors=(ScoreLine("basisonderwijs", (FOUND,)),),
    theme_shares={Theme.ABSENCE: 0.61, Theme.PATTERN: 0.12},
    on_invented_pupils=True,
)


@pytest.fixture
def described(bundle: Bundle) -> Bundle:
    about = Metadata(
        "risk_v1", "c0ntract", "begin van een reeks van 20 schooldagen", date(2025, 1, 31),
        date(2025, 7, 11), 1, 123456, 789, {"rounds": 40},
    )  # fmt: skip
    return replace(bundle, metadata=about)


def test_every_measured_figure_stands_in_the_card(described: Bundle) -> None:
    card = render(FACTS, described)
    for text in (
        "versie 3", "41,3 % (35,1–47,9 %)", "4,5 schoolweken (3,0–6,0)", "0,871 (0,852–0,890)",
        "12,0 % (35,1–47,9 %)", "niet gemeten", "29,3 procentpunt", "61,0 %", "9.876 leerlingen",
        "41 scholen", "123.456 weken", "789 met de uitkomst", "tot 31-01-2025", "tot 11-07-2025",
        "schooljaar 2025–2026", "d4c0ffee", "c0ntract", "risk_v1", described.content_hash,
        "| Instelling rounds | 40 |", "begin van een reeks van 20 schooldagen",
    ):  # fmt: skip
        assert text in card, text


def test_every_feature_stands_under_its_theme(described: Bundle) -> None:
    card = render(FACTS, described)
    for theme in Theme:
        part = card.split(f"- **{theme.label}**")[1].split("- **")[0]
        for name in described.features:
            assert (feature(name).label_nl in part) == (feature(name).theme is theme)
    health = sum(feature(name).health for name in described.features)
    assert f"{health} van de {len(described.features)} kenmerken zijn gegevens over" in card


def test_a_model_of_invented_pupils_says_so_first(described: Bundle) -> None:
    assert "> **Verzonnen leerlingen.**" in render(FACTS, described).split("## ")[0]
    assert "Verzonnen" not in render(replace(FACTS, on_invented_pupils=False), described)


def test_what_was_not_measured_is_said(bundle: Bundle) -> None:
    bare = replace(FACTS, sectors=(), differences=(), theme_shares={})
    card = render(bare, replace(bundle, metadata=Metadata()))
    assert card.count("niet gemeten") >= 8
    assert "nan" not in card and "None" not in card


def test_the_same_facts_give_the_same_card_in_plain_words(described: Bundle) -> None:
    card = render(FACTS, described)
    assert card == render(FACTS, described)
    assert not re.search(r"thuiszitter|risicoleerling|spijbel|schoolweiger|probleemgezin", card)
    assert not re.search(r"[{}]|\bnan\b|None", card)


def test_lines_of_one_table_have_the_same_figures(described: Bundle) -> None:
    wrong = replace(FACTS, scores=(FACTS.scores[0], ScoreLine("regel", (LEAD, FOUND, AREA))))
    with pytest.raises(ValueError, match="same figures"):
        render(wrong, described)
