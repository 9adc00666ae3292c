"""Features that are sums over windows of weeks (compiled)."""

import numpy as np
from numpy.typing import NDArray

from features.absence.quantities import (
    ABSENT,
    ABSENT_DAYS,
    CORRECTED_RECORDS,
    EARLY_PART_DAYS,
    LATE,
    LATE_RECORDS,
    MEDICAL_DAYS,
    OTHER_AUTHORISED,
    PART_DAYS,
    PLANNED,
    RECORDS,
    SCHEDULED_WEEKS,
    SENT_OUT,
    SICK,
    SICK_DAYS,
    TIMED_RECORDS,
    UNAUTHORISED,
    UNREGISTERED,
    UNVERIFIED,
    Position,
)
from features.absence.windows import W4, W8_BEFORE, W12, W40, WINDOWS
from features.compiled import compiled

Totals = NDArray[np.int32]
Windows = NDArray[np.int64]

_SHARES = {
    **{f"sick_share_{w}": (SICK, w) for w in ("1w", "4w", "12w", "26w", "40w", "previous_year")},
    **{f"other_authorised_share_{w}": (OTHER_AUTHORISED, w) for w in ("4w", "12w")},
    **{
        f"unauthorised_share_{w}": (UNAUTHORISED, w)
        for w in ("4w", "12w", "26w", "40w", "previous_year")
    },
    **{f"unverified_share_{w}": (UNVERIFIED, w) for w in ("4w", "12w")},
    **{
        f"absent_share_{w}": (ABSENT, w)
        for w in ("1w", "2w", "4w", "8w", "12w", "26w", "40w", "previous_year")
    },
    "september_share": (ABSENT, "september"),
}
_COUNTS = {
    "sick_days_this_year": (SICK_DAYS, "this_year"),
    "medical_visit_days_12w": (MEDICAL_DAYS, "12w"),
    **{f"absent_days_{w}": (ABSENT_DAYS, w) for w in ("4w", "8w_before", "12w")},
    "part_days_12w": (PART_DAYS, "12w"),
    **{f"late_arrivals_{w}": (LATE, w) for w in ("4w", "12w", "40w", "previous_year")},
    **{f"sent_out_{w}": (SENT_OUT, w) for w in ("12w", "40w")},
}
_SLOPES = {"absent_slope": ABSENT, "sick_slope": SICK, "unauthorised_slope": UNAUTHORISED}
_PARTS = {
    "first_hour_share_12w": (EARLY_PART_DAYS, PART_DAYS),
    "late_recorded_share_12w": (LATE_RECORDS, TIMED_RECORDS),
    "corrected_share_12w": (CORRECTED_RECORDS, RECORDS),
}
VOLUMES = (
    *_SHARES,
    *_COUNTS,
    *_SLOPES,
    *_PARTS,
    "unauthorised_hours_4w",
    "kinds_mixed_12w",
    "unregistered_weeks_12w",
    "weeks_of_history",
    "planned_minutes_4w",
)
"""The features in the order in which `volumes` writes them."""

_SHARE_OF = np.array([(what, WINDOWS.index(window)) for what, window in _SHARES.values()])
_COUNT_OF = np.array([(what, WINDOWS.index(window)) for what, window in _COUNTS.values()])
_SLOPE_OF = np.array(list(_SLOPES.values()))
_PART_OF = np.array(list(_PARTS.values()))
_FIRST_COUNT = len(_SHARES)
_FIRST_SLOPE = _FIRST_COUNT + len(_COUNTS)
_FIRST_PART = _FIRST_SLOPE + len(_SLOPES)
_FIRST_OTHER = _FIRST_PART + len(_PARTS)


@compiled
def total(totals: Totals, windows: Windows, quantity: Position, window: Position) -> int:
    """The sum over a window."""
    return totals[windows[window, 1], quantity] - totals[windows[window, 0], quantity]  # type: ignore[no-any-return]


@compiled
def share(totals: Totals, windows: Windows, quantity: Position, window: Position) -> float:
    """The sum over a window divided by its planned minutes; NaN without planned time in it."""
    planned = total(totals, windows, PLANNED, window)
    return total(totals, windows, quantity, window) / planned if planned > 0 else np.nan


@compiled
def volumes(totals: Totals, windows: Windows, out: NDArray[np.float32], row: int) -> None:
    """Write VOLUMES of a pupil to column `row` of `out`."""
    for at in range(_FIRST_COUNT):
        out[at, row] = share(totals, windows, _SHARE_OF[at, 0], _SHARE_OF[at, 1])
    for at in range(len(_COUNT_OF)):
        what, window = _COUNT_OF[at]
        has_planned = total(totals, windows, PLANNED, window) > 0
        number = total(totals, windows, what, window)
        out[_FIRST_COUNT + at, row] = number if has_planned else np.nan
    for at in range(len(_SLOPE_OF)):
        before = share(totals, windows, _SLOPE_OF[at], W8_BEFORE)
        out[_FIRST_SLOPE + at, row] = share(totals, windows, _SLOPE_OF[at], W4) - before
    for at in range(len(_PART_OF)):
        part = total(totals, windows, _PART_OF[at, 0], W12)
        whole = total(totals, windows, _PART_OF[at, 1], W12)
        out[_FIRST_PART + at, row] = part / whole if whole > 0 else np.nan
    planned = total(totals, windows, PLANNED, W4)
    hours = total(totals, windows, UNAUTHORISED, W4) / 60
    out[_FIRST_OTHER, row] = hours if planned > 0 else np.nan
    out[_FIRST_OTHER + 1, row] = _kinds_mixed(totals, windows)
    out[_FIRST_OTHER + 2, row] = total(totals, windows, UNREGISTERED, W12)
    out[_FIRST_OTHER + 3, row] = total(totals, windows, SCHEDULED_WEEKS, W40)
    out[_FIRST_OTHER + 4, row] = planned


@compiled
def _kinds_mixed(totals: Totals, windows: Windows) -> float:
    """How many sorts of absence there were in 12 school weeks; late and sent out are one."""
    if total(totals, windows, PLANNED, W12) == 0:
        return np.nan
    number = int(total(totals, windows, LATE, W12) + total(totals, windows, SENT_OUT, W12) > 0)
    for what in (SICK, OTHER_AUTHORISED, UNAUTHORISED, UNVERIFIED):
        number += total(totals, windows, what, W12) > 0
    return float(number)
