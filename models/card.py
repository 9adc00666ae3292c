"""The model card: what a model is for, what was measured, and what it does not know, in Dutch."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from features.catalogue import feature
from features.vocabulary import Theme
from models.stored import RiskModel

NOT_MEASURED = "niet gemeten"


class FigureUnit(StrEnum):
    """How a figure is written."""

    PERCENT = "percent"
    WEEKS = "weeks"
    NUMBER = "number"


@dataclass(frozen=True)
class Figure:
    """One measured figure with its interval; NaN is shown as not measured."""

    label: str
    unit: FigureUnit
    value: float
    low: float = math.nan
    high: float = math.nan

    def text(self) -> str:
        """The figure as people read it.

        >>> Figure("gevonden", FigureUnit.PERCENT, 0.251, 0.2, 0.304).text()
        '25,1 % (20,0–30,4 %)'
        >>> Figure("voorsprong", FigureUnit.WEEKS, 3.5).text()
        '3,5 schoolweken'
        >>> Figure("AUC", FigureUnit.NUMBER, math.nan).text()
        'niet gemeten'
        """
        if math.isnan(self.value):
            return NOT_MEASURED
        suffix = {FigureUnit.PERCENT: " %", FigureUnit.WEEKS: " schoolweken"}.get(self.unit, "")
        text = f"{self._number(self.value)}{suffix}"
        if math.isnan(self.low) or math.isnan(self.high):
            return text
        bounds = f"{self._number(self.low)}–{self._number(self.high)}"
        return f"{text} ({bounds}{' %' if self.unit is FigureUnit.PERCENT else ''})"

    def _number(self, value: float) -> str:
        scaled = value * 100 if self.unit is FigureUnit.PERCENT else value
        digits = 3 if self.unit is FigureUnit.NUMBER else 1
        return f"{scaled:.{digits}f}".replace(".", ",")


@dataclass(frozen=True)
class ScoreLine:
    """The figures of one way of making the list: the model, a rule, or the oracle."""

    label: str
    figures: tuple[Figure, ...]


@dataclass(frozen=True)
class ModelFacts:
    """What was measured of one version; the card holds nothing that is not here or in the bundle.

    `scores` begins with the model; all lines have the same figures in the same order.
    `theme_shares` says how much of the mean absolute part of the score each theme has (adds up to
    1). `on_invented_pupils` puts a warning above everything else.
    """

    version: int
    made_on: date
    experiment: str
    question: str
    tested_on: str
    data_fingerprint: str
    schools: int
    pupils: int
    scores: tuple[ScoreLine, ...]
    differences: tuple[str, ...]
    sectors: tuple[ScoreLine, ...]
    theme_shares: Mapping[Theme, float]
    on_invented_pupils: bool
    notes: tuple[str, ...] = ()


def render(facts: ModelFacts, bundle: RiskModel) -> str:
    """The card as Markdown."""
    parts = (
        _heading(facts),
        _purpose(),
        _what_it_learns(facts, bundle),
        _section("Wat is gemeten", _measured(facts)),
        _section("Wat meeweegt", _weighed(facts, bundle)),
        _limits(facts),
        _section("Herkomst", _origin(facts, bundle)),
    )
    return "\n\n".join(parts) + "\n"


def _heading(facts: ModelFacts) -> str:
    lines = [f"# Modelkaart: tijdig-risk, versie {facts.version}", "", facts.question]
    if facts.on_invented_pupils:
        lines += [
            "",
            "> **Verzonnen leerlingen.** Dit model is gemaakt en gemeten op een nagebootste regio. "
            "De cijfers zeggen niets over echte leerlingen.",
        ]
    return "\n".join(lines)


def _purpose() -> str:
    return _section(
        "Waarvoor, en waarvoor niet",
        [
            "Het model helpt een ondersteuningsteam kiezen welke leerlingen het deze week "
            "bespreekt. Het team beslist; het model meldt, stuurt en besluit niets.",
            "Niet bedoeld om leerlingen, klassen of scholen te rangschikken, om leerplicht te "
            "informeren, of om ouders of leerlingen te beoordelen.",
        ],
    )


def _what_it_learns(facts: ModelFacts, bundle: RiskModel) -> str:
    about = bundle.metadata
    return _section(
        "Wat het model leert",
        [
            f"Uitkomst: {about.label or NOT_MEASURED}.",
            f"Geleerd van {_whole(about.rows)} weken van leerlingen, waarvan "
            f"{_whole(about.positives)} met de uitkomst; {_whole(facts.pupils)} leerlingen van "
            f"{_whole(facts.schools)} scholen.",
            f"Geleerd tot {_day(about.trained_until)}, geijkt tot {_day(about.calibrated_until)}, "
            f"gemeten op {facts.tested_on}.",
        ],
    )


def _measured(facts: ModelFacts) -> list[str]:
    lines = [*_table("Lijst gemaakt met", facts.scores)]
    if facts.differences:
        lines += ["", *(f"- {difference}" for difference in facts.differences)]
    lines += ["", "### Per onderwijssoort", ""]
    lines += _table("Onderwijssoort", facts.sectors) if facts.sectors else [f"{NOT_MEASURED}."]
    return ["\n".join(lines)]


def _weighed(facts: ModelFacts, bundle: RiskModel) -> list[str]:
    lines = []
    for theme in Theme:
        names = [name for name in bundle.features if feature(name).theme is theme]
        share = facts.theme_shares.get(theme, math.nan)
        weight = Figure("", FigureUnit.PERCENT, share).text()
        lines.append(f"- **{theme.label}** ({weight}): {len(names)} kenmerken")
        lines += [f"  - {feature(name).label_nl}" for name in names]
    health = sum(feature(name).health for name in bundle.features)
    closing = (
        f"{health} van de {len(bundle.features)} kenmerken zijn gegevens over gezondheid. "
        "Geslacht, herkomst, postcode, inkomen, gezin en diagnose zijn geen kenmerk."
    )
    return ["\n".join(lines), closing]


def _limits(facts: ModelFacts) -> str:
    return _section(
        "Wat het model niet weet",
        [
            "Een deel van de leerlingen valt uit zonder dat er vooraf iets is vastgelegd; die "
            "staan niet op de lijst. Voeg zelf een leerling toe als u zich zorgen maakt.",
            "Lopende ondersteuning is vaak een antwoord op zorgen. Zij staat op de lijst als feit, "
            "niet als reden.",
            "Wat een school niet of laat vastlegt, weet het model niet of laat.",
            *facts.notes,
        ],
    )


def _origin(facts: ModelFacts, bundle: RiskModel) -> list[str]:
    about = bundle.metadata
    rows = {
        "Experiment": facts.experiment,
        "Gemaakt op": _day(facts.made_on),
        "Kenmerkdienst": about.feature_service or NOT_MEASURED,
        "Contracten (hash)": about.contract_hash or NOT_MEASURED,
        "Gegevens (vingerafdruk)": facts.data_fingerprint,
        "Bundel (hash)": bundle.content_hash,
        "Toevalsgetal": str(about.seed),
        **{f"Instelling {name}": str(value) for name, value in sorted(about.parameters.items())},
    }
    return ["\n".join(["| | |", "|---|---|", *(f"| {key} | {rows[key]} |" for key in rows)])]


def _section(title: str, paragraphs: Iterable[str]) -> str:
    return f"## {title}\n\n" + "\n\n".join(paragraphs)


def _table(first: str, lines: tuple[ScoreLine, ...]) -> list[str]:
    labels = [figure.label for figure in lines[0].figures]
    if any([figure.label for figure in line.figures] != labels for line in lines):
        raise ValueError("the lines of one table have the same figures in the same order")
    return [
        f"| {' | '.join([first, *labels])} |",
        f"|{'---|' * (len(labels) + 1)}",
        *(f"| {' | '.join([line.label, *(f.text() for f in line.figures)])} |" for line in lines),
    ]


def _day(day: date | None) -> str:
    return NOT_MEASURED if day is None else f"{day:%d-%m-%Y}"


def _whole(number: int) -> str:
    """A whole number with the Dutch point between thousands.

    >>> _whole(1234567)
    '1.234.567'
    """
    return f"{number:,}".replace(",", ".")
