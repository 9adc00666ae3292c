"""Figures of an evaluation: sums over many pupils, never a row."""

from collections.abc import Mapping, Sequence

from matplotlib.figure import Figure

from training.evaluate import CalibrationBin
from training.lead import LeadPoint

STYLES = ("-", "--", "-.", ":")
COLOURS = ("#33577b", "#b3541e", "#4d7c4d", "#777777")


def capacity_figures(
    shares: Sequence[float],
    curves: Mapping[str, Sequence[tuple[float, float]]],
    chosen: float,
) -> tuple[Figure, Figure]:
    """Precision and recall against the share of pupils that a school could discuss each week.

    `curves` gives (precision, recall) per score label; `chosen` marks the share that was set.
    """
    figures = []
    for place, name in enumerate(("precision", "recall")):
        figure = Figure(figsize=(8, 5), layout="constrained")
        axes = figure.subplots()
        for number, (label, points) in enumerate(curves.items()):
            axes.plot(
                [100 * share for share in shares],
                [100 * point[place] for point in points],
                marker="o",
                markersize=3,
                linestyle=STYLES[number % len(STYLES)],
                color=COLOURS[number % len(COLOURS)],
                label=label,
            )
        axes.axvline(100 * chosen, color="#999999", linewidth=0.8)
        axes.set_xlabel("pupils on the list, % of those in scope, per school and week")
        axes.set_ylabel(f"{name}, %")
        axes.set_ylim(bottom=0)
        axes.legend(fontsize=8)
        figures.append(figure)
    return figures[0], figures[1]


def lead_figure(curves: Mapping[str, Sequence[LeadPoint]]) -> Figure:
    """The share of pupil-weeks listed against the school weeks that are left before the onset."""
    figure = Figure(figsize=(8, 5), layout="constrained")
    axes = figure.subplots()
    for number, (label, points) in enumerate(curves.items()):
        axes.plot(
            [point.weeks for point in points],
            [100 * point.listed for point in points],
            marker="o",
            markersize=3,
            linestyle=STYLES[number % len(STYLES)],
            color=COLOURS[number % len(COLOURS)],
            label=label,
        )
    axes.set_xlabel("school weeks before the onset")
    axes.set_ylabel("on the list, % of these pupil-weeks")
    axes.set_ylim(bottom=0)
    axes.legend(fontsize=8)
    return figure


def calibration_figure(curves: Mapping[str, Sequence[CalibrationBin]]) -> Figure:
    """Observed against expected share of onset rows, in bins that expect equally many onsets."""
    figure = Figure(figsize=(6, 6), layout="constrained")
    axes = figure.subplots()
    highest = 1e-4
    for number, (label, bins) in enumerate(curves.items()):
        expected = [100 * each.expected for each in bins]
        observed = [100 * each.observed.value for each in bins]
        below = [max(0.0, 100 * (each.observed.value - each.observed.low)) for each in bins]
        above = [max(0.0, 100 * (each.observed.high - each.observed.value)) for each in bins]
        highest = max([highest, *expected, *observed])
        axes.errorbar(
            expected,
            observed,
            yerr=[below, above],
            marker="o",
            markersize=3,
            linewidth=1,
            color=COLOURS[number % len(COLOURS)],
            label=label,
        )
    axes.plot([0, highest], [0, highest], color="#999999", linewidth=0.8)
    axes.set_xlabel("expected, % of pupil-weeks followed by an onset")
    axes.set_ylabel("observed, %")
    axes.legend(fontsize=8)
    return figure
