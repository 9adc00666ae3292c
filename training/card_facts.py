"""What the model card and the promotion gate's readers are told, in Dutch, from the summary."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from features.vocabulary import Theme
from models.card import Figure, FigureUnit, ModelFacts, ScoreLine
from training.assess import MODEL, ORACLE
from training.bootstrap import Interval
from training.compare import Difference
from training.summary import ScoreFigures, Summary

SHOWN = {
    "precision": ("precisie op de lijst", FigureUnit.PERCENT),
    "recall": ("recall op de lijst", FigureUnit.PERCENT),
    "caught_early": ("minstens 2 schoolweken vooraf gezien", FigureUnit.PERCENT),
    "median_lead": ("voorsprong", FigureUnit.WEEKS),
    "new_names": ("nieuwe namen per week en school", FigureUnit.NUMBER),
    "within_school_auc": ("AUC binnen de school", FigureUnit.NUMBER),
    "calibration_ratio": ("verwacht gedeeld door gekomen", FigureUnit.NUMBER),
}


def card_facts(
    summary: Summary, theme_shares: Mapping[Theme, float], pupils: int, schools: int
) -> ModelFacts:
    """The facts of the card; `pupils` and `schools` are those the model learned from."""
    names = [row.name for row in summary.rows]
    return ModelFacts(
        version=summary.model_version,
        made_on=datetime.fromisoformat(summary.made_at).date(),
        experiment=summary.experiment,
        question=summary.question,
        tested_on=summary.tested_on,
        data_fingerprint=summary.data_fingerprint,
        schools=schools,
        pupils=pupils,
        scores=tuple(ScoreLine(row.label, _figures(row)) for row in summary.rows),
        differences=difference_lines(summary),
        sectors=tuple(
            ScoreLine(sector, _figures(row))
            for sector, rows in summary.sectors.items()
            for row in rows
            if row.name == MODEL
        ),
        theme_shares=theme_shares,
        on_invented_pupils=ORACLE in names,
        notes=summary.notes,
    )


def difference_lines(summary: Summary) -> tuple[str, ...]:
    """The paired differences on the metric that decides, in words."""
    labels = {row.name: row.label for row in summary.rows}
    metric = summary.settings["promotion.metric"]
    chosen = [each for each in summary.comparisons if each.metric == metric]
    return tuple(_line(each, labels[each.other]) for each in chosen)


def _line(difference: Difference, other: str) -> str:
    label, _ = SHOWN.get(difference.metric, (difference.metric, FigureUnit.PERCENT))
    points = [_points(value) for value in _bounds(difference.interval)]
    verdict = (
        "beter" if difference.better else "slechter" if difference.interval.high < 0
        else "geen verschil aangetoond"
    )  # fmt: skip
    return (
        f"Model min {other}, {label}: {points[0]} procentpunt "
        f"({points[1]} tot {points[2]}): {verdict}."
    )


def _bounds(interval: Interval) -> Sequence[float]:
    return interval.value, interval.low, interval.high


def _points(value: float) -> str:
    """A difference in points of a hundred, as Dutch people write it.

    >>> _points(-0.0214)
    '−2,1'
    """
    return f"{100 * value:+.1f}".replace(".", ",").replace("-", "−")


def _figures(row: ScoreFigures) -> tuple[Figure, ...]:
    return tuple(
        Figure(label, unit, *_bounds(row.metrics[name])) for name, (label, unit) in SHOWN.items()
    )
