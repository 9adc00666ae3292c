"""Every absence feature of one pupil on one Monday (compiled).

The build reaches all that only these features need through this module, the replay of a pupil's
days too: what an approval of them rests on (`features.catalogue.transformation`).
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from features.absence.patterns import PATTERNS, patterns
from features.absence.pupil import Pupil
from features.absence.pupils import Placements
from features.absence.quantities import ABSENT
from features.absence.replay import advance, begin
from features.absence.volumes import VOLUMES, Windows, share, volumes
from features.absence.windows import W1, W4, W12
from features.compiled import compiled

__all__ = [
    "ABSENCE",
    "Shares",
    "absence_features",
    "add_shares",
    "advance",
    "begin",
    "deviate",
    "room_for_shares",
]

_DEVIATIONS = ("group_deviation_1w", "group_deviation_4w", "group_deviation_12w")
ABSENCE = (*VOLUMES, *PATTERNS, *_DEVIATIONS)
"""The features in the order in which they are written, from the first of a row on."""

CLASSMATES_NEEDED = 8
EXACT = 2.0**40
"""Sums of fewer than 8,192 shares in such parts are exact in a float."""

_OVER = np.array([W1, W4, W12])
_PATTERNS = len(VOLUMES)
_FIRST_DEVIATION = _PATTERNS + len(PATTERNS)


class Shares(NamedTuple):
    """Own absent shares, [windows, rows]; their sum and number, [windows, moments, groups]."""

    own: NDArray[np.float64]
    total: NDArray[np.float64]
    number: NDArray[np.float64]


def room_for_shares(rows: int, moments: int, groups: int) -> Shares:
    """No shares yet."""
    shape = (len(_OVER), moments, groups)
    return Shares(np.empty((len(_OVER), rows)), np.zeros(shape), np.zeros(shape))


@compiled
def absence_features(
    now: Pupil,
    windows: Windows,
    beside_free: NDArray[np.bool_],
    episode_days: NDArray[np.int32],
    out: NDArray[np.float32],
    row: int,
) -> None:
    """Write what hangs on the pupil alone to column `row` of `out`."""
    volumes(now.weeks.totals, windows, out, row)
    patterns(now, windows, beside_free, episode_days, out[_PATTERNS:], row)


@compiled
def add_shares(
    now: Pupil, windows: Windows, group: int, moment: int, shares: Shares, row: int
) -> None:
    """Add the absent shares of a pupil of `group` to those of the group on that Monday.

    In whole parts of EXACT: the sum does not depend on the order of the pupils, which is that of
    their random pseudonyms.
    """
    for at in range(len(_OVER)):
        own = share(now.weeks.totals, windows, ABSENT, _OVER[at])
        shares.own[at, row] = np.rint(own * EXACT) / EXACT
        if not np.isnan(own):
            shares.total[at, moment, group] += shares.own[at, row]
            shares.number[at, moment, group] += 1


@compiled
def deviate(
    placements: Placements,
    shares: Shares,
    counts: NDArray[np.int64],
    placement: NDArray[np.int32],
    out: NDArray[np.float32],
) -> None:
    """Own share minus the mean of the others of the group; NaN under CLASSMATES_NEEDED of them.

    `counts` says how many rows each Monday has, `placement` where the pupil of each is placed.
    """
    for at in range(len(shares.own)):
        row = 0
        for moment in range(len(counts)):
            for _ in range(counts[moment]):
                group = placements.group[placement[row]]
                others, own = shares.number[at, moment, group] - 1, shares.own[at, row]
                deviation = np.nan
                if not np.isnan(own) and others >= CLASSMATES_NEEDED:
                    deviation = own - (shares.total[at, moment, group] - own) / others
                out[_FIRST_DEVIATION + at, row] = deviation
                row += 1
