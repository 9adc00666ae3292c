"""How long ago a day is in school weeks, on one Monday at one school (compiled)."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from features.compiled import compiled

Whole = NDArray[np.int64]


class SchoolClock(NamedTuple):
    """A Monday at one school: its day number, and the school weeks before each week.

    `before[w]` is how many school weeks lie before week number w; `over` weeks are over. The last
    12 and 40 school weeks begin on day numbers `since_12` and `since_40`.
    """

    today: int
    over: int
    before: Whole
    since_12: int
    since_40: int


@compiled
def begun_since(clock: SchoolClock, day: int) -> float:
    """School weeks that began on or after a day, before the Monday; infinite before the span."""
    if day < 0:
        return np.inf
    week = min((day + 6) // 7, clock.over)
    return float(clock.before[clock.over] - clock.before[week])
