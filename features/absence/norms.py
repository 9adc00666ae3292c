"""The legal count of unauthorised absence: 16 hours in four consecutive school weeks."""

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from features.absence.known import KnownDays
from features.vocabulary import UNAUTHORISED_KINDS

REPORTED_AT = 16 * 60
"""Minutes; article 21a of the Leerplichtwet 1969: sixteen hours or more must be reported."""
WITHIN_WEEKS = 4


@dataclass(frozen=True)
class Reached:
    """The norm was reached on `day`, by absence that began on `since`."""

    since: date
    day: date


def reporting_norm(known: KnownDays, pupil: int) -> tuple[Reached, ...]:
    """Each time pupil number `pupil` reached the norm in the days that are known, oldest first.

    Weeks without a school day do not count, so four weeks may reach across a holiday. After it is
    reached the count starts anew on the next day. Late arrivals have no minutes and add nothing.
    The head of the school reports; nothing here does.
    """
    minutes = np.sum([known.minutes[kind][pupil] for kind in UNAUTHORISED_KINDS], axis=0)
    before = known.weeks.before
    found: list[Reached] = []
    open_days: list[int] = []
    for day in np.flatnonzero(minutes).tolist():
        open_days = [one for one in open_days if before[day // 7] - before[one // 7] < WITHIN_WEEKS]
        open_days.append(day)
        if minutes[open_days].sum() >= REPORTED_AT:
            since, reached = (
                known.weeks.first_monday + timedelta(days=one) for one in (open_days[0], day)
            )
            found.append(Reached(since, reached))
            open_days = []
    return tuple(found)
