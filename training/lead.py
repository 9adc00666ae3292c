"""How far ahead: of the pupil-weeks that lie k school weeks before an onset, the share listed."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from training.bootstrap import Flags
from training.evaluate import Rows

FEWEST_ROWS = 10


@dataclass(frozen=True)
class LeadPoint:
    """`weeks` school weeks before the onset: how many rows, and the share that was listed."""

    weeks: int
    rows: int
    listed: float


def lead_curves(
    rows: Rows, listed: Mapping[str, Flags], weeks: int
) -> dict[str, tuple[LeadPoint, ...]]:
    """A curve per score; a week with fewer than `FEWEST_ROWS` rows is left out."""
    curves = {}
    for name, flags in listed.items():
        points = []
        for week in range(weeks):
            here = rows.positive & (rows.lead_weeks == week)
            count = int(here.sum())
            if count >= FEWEST_ROWS:
                points.append(LeadPoint(week, count, float(np.mean(flags[here]))))
        curves[name] = tuple(points)
    return curves
