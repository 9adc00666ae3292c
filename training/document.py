"""One HTML file that stands alone: tables, notes and line charts, no script and nothing fetched."""

import html
import math
from collections.abc import Sequence
from dataclasses import dataclass

from models.card import NOT_MEASURED
from training.bootstrap import Interval
from training.summary import PERCENT

STYLE = """
body{font:16px/1.5 system-ui,sans-serif;color:#1d2733;max-width:72rem;margin:2rem auto;
padding:0 1rem}
h1{font-size:1.8rem;margin:0 0 .25rem}h2{font-size:1.25rem;margin:2.2rem 0 .4rem}
p{max-width:46rem}table{border-collapse:collapse;margin:.6rem 0;font-size:.9rem}
caption{text-align:left;color:#4a5765;padding:.2rem 0}
th,td{border-bottom:1px solid #d5dbe1;padding:.3rem .7rem .3rem 0;text-align:right;
vertical-align:top}
th:first-child,td:first-child{text-align:left;font-weight:400}thead th{font-weight:600}
.wide{overflow-x:auto}.note{color:#4a5765}.warn{border-left:4px solid #b3541e;padding-left:.8rem}
small{color:#4a5765;display:block}figure{margin:1rem 0}figcaption{color:#4a5765;max-width:46rem}
@media print{body{margin:0}h2{break-after:avoid}table,figure{break-inside:avoid}}
"""
COLOURS = ("#33577b", "#b3541e", "#3f6f3f", "#6d5a8c", "#777777")
DASHES = ("", "7 4", "2 4", "10 3 2 3", "4 2")
WIDTH, HEIGHT, LEFT, BOTTOM, TOP = 640, 300, 56, 44, 14


@dataclass(frozen=True)
class Line:
    """One line of a chart: its points from left to right."""

    label: str
    points: tuple[tuple[float, float], ...]


def document(title: str, parts: Sequence[str]) -> str:
    """The whole file; `parts` are pieces made below."""
    head = f"<title>{html.escape(title)}</title><style>{STYLE}</style>"
    return (
        '<!doctype html>\n<html lang="nl"><head><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">{head}</head>\n'
        f"<body>\n<h1>{html.escape(title)}</h1>\n" + "\n".join(parts) + "\n</body></html>\n"
    )


def heading(text: str) -> str:
    """A heading of a section."""
    return f"<h2>{html.escape(text)}</h2>"


def paragraph(text: str, kind: str = "") -> str:
    """A paragraph; `kind` "note" is quieter, "warn" stands out.

    >>> paragraph("a < b", "note")
    '<p class="note">a &lt; b</p>'
    """
    return f'<p class="{kind}">{html.escape(text)}</p>' if kind else f"<p>{html.escape(text)}</p>"


def bullets(items: Sequence[str]) -> str:
    """A list of short lines."""
    return f"<ul>{''.join(f'<li>{html.escape(item)}</li>' for item in items)}</ul>"


def table(caption: str, headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table whose first column names the row; a cell is text, its second line smaller."""
    first = "".join(f'<th scope="col">{html.escape(each)}</th>' for each in headings)
    body = "".join(_row(cells) for cells in rows)
    return (
        f'<div class="wide"><table><caption>{html.escape(caption)}</caption>'
        f"<thead><tr>{first}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def _row(cells: Sequence[str]) -> str:
    name, *rest = (_cell(cell) for cell in cells)
    return f'<tr><th scope="row">{name}</th>{"".join(f"<td>{each}</td>" for each in rest)}</tr>'


def _cell(text: str) -> str:
    first, _, second = text.partition("\n")
    small = f"<small>{html.escape(second)}</small>" if second else ""
    return html.escape(first) + small


def number(value: float, digits: int = 1) -> str:
    """A number as Dutch people write it; undefined is said.

    >>> number(0.25, 2), number(float("nan"))
    ('0,25', 'niet gemeten')
    """
    return NOT_MEASURED if math.isnan(value) else f"{value:.{digits}f}".replace(".", ",")


def figure_cell(metric: str, interval: Interval) -> str:
    r"""A figure in the digits that mean something, its interval on the second line.

    >>> figure_cell("recall", Interval(0.251, 0.2, 0.304))
    '25,1 %\n20,0 tot 30,4'
    """
    if math.isnan(interval.value):
        return "–"
    scale, unit = (100, " %") if metric in PERCENT else (1, "")
    digits = {"brier": 4, "log_loss": 4, "average_precision": 3, "roc_auc": 3}.get(metric, 1)
    digits = 3 if metric in ("within_school_auc", "calibration_error") else digits
    digits = 2 if metric == "calibration_ratio" else digits
    value = f"{number(scale * interval.value, digits)}{unit}"
    if math.isnan(interval.low):
        return value
    low, high = (number(scale * each, digits) for each in (interval.low, interval.high))
    return f"{value}\n{low} tot {high}"


def points_cell(interval: Interval) -> str:
    r"""A difference in points of a hundred, with its sign.

    >>> points_cell(Interval(0.041, -0.009, 0.094))
    '+4,1\n−0,9 tot +9,4'
    """
    if math.isnan(interval.value):
        return "–"
    value, low, high = (
        f"{100 * each:+.1f}".replace(".", ",").replace("-", "−")
        for each in (interval.value, interval.low, interval.high)
    )
    return f"{value}\n{low} tot {high}"


def chart(caption: str, across: str, up: str, lines: Sequence[Line], diagonal: bool = False) -> str:
    """A line chart as SVG with a caption.

    Lines differ in dash and label, not by colour alone; `diagonal` draws where the axes are equal.
    """
    every = [point for line in lines for point in line.points]
    if not every:
        return paragraph(f"{caption}: {NOT_MEASURED}.", "note")
    right, top = (_ceiling(max(point[axis] for point in every)) for axis in (0, 1))
    if diagonal:
        right = top = max(right, top)
    parts = [_axes(right, top, across, up)]
    if diagonal:
        parts.append(_path([(0.0, 0.0), (right, top)], right, top, "#999999", "1 3"))
    for place, line in enumerate(lines):
        colour, dash = COLOURS[place % len(COLOURS)], DASHES[place % len(DASHES)]
        parts.append(_path(line.points, right, top, colour, dash))
        parts.append(_legend(place, line.label, colour, dash))
    tall = HEIGHT + 20 * len(lines)
    return (
        f'<figure><svg viewBox="0 0 {WIDTH} {tall}" width="{WIDTH}" role="img" '
        f'aria-label="{html.escape(caption)}" font-size="12">{"".join(parts)}</svg>'
        f"<figcaption>{html.escape(caption)}</figcaption></figure>"
    )


def _ceiling(value: float) -> float:
    """A round number a little above `value`."""
    if value <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(value))
    return next(step * power for step in (1, 2, 4, 5, 8, 10) if step * power >= value * 0.999)


def _place(point: tuple[float, float], right: float, top: float) -> tuple[float, float]:
    x = LEFT + point[0] / right * (WIDTH - LEFT - 12)
    return x, HEIGHT - BOTTOM - point[1] / top * (HEIGHT - BOTTOM - TOP)


def _path(
    points: Sequence[tuple[float, float]], right: float, top: float, colour: str, dash: str
) -> str:
    places = [_place(point, right, top) for point in points]
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    return (
        f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="2" '
        f'stroke-dasharray="{dash}"/>'
    )


def _axes(right: float, top: float, across: str, up: str) -> str:
    left_bottom, right_bottom = _place((0, 0), right, top), _place((right, 0), right, top)
    parts = [
        f'<line x1="{left_bottom[0]}" y1="{left_bottom[1]}" x2="{right_bottom[0]}" '
        f'y2="{right_bottom[1]}" stroke="#4a5765"/>'
    ]
    for step in range(5):
        x, _ = _place((right * step / 4, 0), right, top)
        _, y = _place((0, top * step / 4), right, top)
        parts.append(
            f'<text x="{x:.0f}" y="{HEIGHT - BOTTOM + 16}" text-anchor="middle">'
            f"{_tick(right * step / 4)}</text>"
            f'<line x1="{LEFT}" y1="{y:.1f}" x2="{WIDTH - 12}" y2="{y:.1f}" stroke="#e3e7eb"/>'
            f'<text x="{LEFT - 6}" y="{y + 4:.0f}" text-anchor="end">{_tick(top * step / 4)}</text>'
        )
    parts.append(
        f'<text x="{WIDTH / 2}" y="{HEIGHT - 8}" text-anchor="middle">{html.escape(across)}</text>'
        f'<text transform="translate(12 {HEIGHT / 2 - 10}) rotate(-90)" text-anchor="middle">'
        f"{html.escape(up)}</text>"
    )
    return "".join(parts)


def _tick(value: float) -> str:
    return f"{value:.4g}".replace(".", ",")


def _legend(place: int, label: str, colour: str, dash: str) -> str:
    y = HEIGHT + 20 * place + 8
    return (
        f'<line x1="{LEFT}" y1="{y}" x2="{LEFT + 34}" y2="{y}" stroke="{colour}" '
        f'stroke-width="2" stroke-dasharray="{dash}"/>'
        f'<text x="{LEFT + 42}" y="{y + 4}">{html.escape(label)}</text>'
    )
