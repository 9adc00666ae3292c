"""The page for the data scientist: the model in use beside the rules, as measured."""

from datetime import date, datetime

from fastapi import APIRouter
from fastapi.responses import Response

from serving.access import Area, Guard
from serving.evaluation import Compared, Evaluation, Measured, read_evaluation
from serving.web.contexts.model import ComparedLine, Measurement, MetricHead, ModelPage, PairedLine
from serving.web.dutch import long_day, moment
from serving.web.services import SignedIn, TheSite

router = APIRouter()

METRICS = {
    "recall": (
        "Recall",
        "Welk deel van de leerlingweken vóór langdurig verzuim op de lijst stond.",
        "share",
    ),
    "precision": (
        "Precisie",
        "Na welk deel van de leerlingweken op de lijst langdurig verzuim volgde.",
        "share",
    ),
    "caught_early": (
        "Op tijd gezien",
        "Welk deel van de leerlingen minstens twee schoolweken vooraf op de lijst stond.",
        "share",
    ),
    "median_lead": (
        "Voorsprong",
        "Middelste aantal schoolweken tussen de eerste plaatsing en het begin van het verzuim.",
        "number",
    ),
    "new_names": (
        "Nieuwe namen",
        "Hoeveel leerlingen per week en school nieuw op de lijst kwamen.",
        "number",
    ),
    "within_school_auc": (
        "AUC binnen school",
        "Kans dat een leerlingweek vóór langdurig verzuim hoger staat dan een andere week.",
        "ratio",
    ),
    "calibration_error": (
        "Kalibratiefout",
        "Gemiddelde afstand tussen verwachte en waargenomen aandelen; alleen voor kansen.",
        "ratio",
    ),
}
_KINDS = {
    "model": "model",
    "logistic": "vergelijkingsmodel",
    "incumbent": "in gebruik",
    "rule": "regel",
    "school_mean": "vergelijking",
    "oracle": "weet bij de gesimuleerde regio alles",
}
_NO_EVALUATION = "Er is nog geen vergelijking opgeslagen. Train een model en neem het in gebruik."


@router.get("/model")
def model(site: TheSite, session: SignedIn) -> Response:
    """The stored comparison of the champion."""
    Guard(site.audit).area(session.account, Area.MODEL, site.clock())
    evaluation = read_evaluation(site.evaluation)
    names = _shown_metrics(evaluation)
    page = ModelPage(
        frame=site.frame("Model in gebruik", session, Area.MODEL),
        facts=_facts(evaluation) if evaluation else (),
        metrics=tuple(MetricHead(*METRICS[name][:2]) for name in names),
        lines=tuple(compared_line(row, names) for row in (evaluation.rows if evaluation else ())),
        paired_metrics=tuple(METRICS[name][0] for name in _paired_metrics(evaluation)),
        paired=_paired(evaluation) if evaluation else (),
        notes=evaluation.notes if evaluation else (),
        missing="" if evaluation else _NO_EVALUATION,
        tracking=site.settings.mlflow,
    )
    return site.render(page)


def _shown_metrics(evaluation: Evaluation | None) -> list[str]:
    rows = evaluation.rows if evaluation else ()
    return [name for name in METRICS if any(name in row.metrics for row in rows)]


def _paired_metrics(evaluation: Evaluation | None) -> list[str]:
    measured = {pair.metric for pair in evaluation.comparisons} if evaluation else set()
    return [name for name, (_, _, form) in METRICS.items() if name in measured and form == "share"]


def _paired(evaluation: Evaluation) -> tuple[PairedLine, ...]:
    labels = {row.name: row.label for row in evaluation.rows}
    found = {(pair.other, pair.metric): pair.difference for pair in evaluation.comparisons}
    metrics = _paired_metrics(evaluation)
    return tuple(
        PairedLine(
            labels.get(other, other),
            tuple(measurement(found.get((other, name), Measured()), "points") for name in metrics),
        )
        for other in dict.fromkeys(pair.other for pair in evaluation.comparisons)
    )


def _facts(evaluation: Evaluation) -> tuple[tuple[str, str], ...]:
    facts = (
        ("Modelversie", evaluation.model_version),
        ("Getraind met gegevens tot", readable_moment(evaluation.trained_until)),
        ("Getoetst op", evaluation.tested_on),
        ("Wat telt als langdurig verzuim", evaluation.label),
        ("Vergelijking gemaakt", readable_moment(evaluation.made_at)),
    )
    return tuple((term, fact) for term, fact in facts if fact)


def readable_moment(text: str) -> str:
    """A day or a moment in ISO as people read it; other text stays as it is.

    >>> readable_moment("2025-04-21"), readable_moment("2026-11-16T08:30+00:00")
    ('21 april 2025', '16 nov 2026, 09:30')
    >>> readable_moment("vorige zomer")
    'vorige zomer'
    """
    try:
        if "T" in text:
            return moment(datetime.fromisoformat(text))
        return long_day(date.fromisoformat(text))
    except ValueError:
        return text


def compared_line(row: Compared, names: list[str]) -> ComparedLine:
    """One row of a table of models and rules."""
    return ComparedLine(
        name=row.label,
        kind=_KINDS.get(row.kind, row.kind),
        is_champion=row.is_champion,
        measurements=tuple(
            measurement(row.metrics.get(name, Measured()), METRICS[name][2]) for name in names
        ),
    )


def measurement(measured: Measured, form: str) -> Measurement:
    """A figure with its interval, ready to read."""
    if measured.value is None:
        return Measurement("–", "")
    interval = ""
    if measured.low is not None and measured.high is not None:
        low, high = (_number(each, form) for each in (measured.low, measured.high))
        interval = f"{low.removesuffix(' %')} tot {high.removesuffix(' %')}"
    return Measurement(_number(measured.value, form), interval)


def _number(value: float, form: str) -> str:
    """A figure as Dutch people write it.

    >>> _number(0.4137, "share"), _number(3.04, "number"), _number(0.8712, "ratio")
    ('41,4 %', '3,0', '0,871')
    >>> _number(-0.021, "points"), _number(-0.0001, "points")
    ('−2,1', '+0,0')
    """
    if form == "share":
        return f"{100 * value:.1f} %".replace(".", ",")
    if form == "points":
        return f"{round(100 * value, 1) or 0:+.1f}".replace(".", ",").replace("-", "−")
    return f"{value:.{1 if form == 'number' else 3}f}".replace(".", ",")
