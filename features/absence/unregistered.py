"""Weeks in which nothing of a group was registered: a data problem of the school, to be reported.

What makes a group-week so is said in `features.absence.registration`. Here it is told to whoever
delivers the records, without a word about any pupil.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import numpy as np

from features.absence.schools import KnownSchools
from features.absence.span import span_for_features
from features.records.partition import PartitionTables
from features.school_weeks import AMSTERDAM, monday_of

WEEKS_LOOKED_AT = 12


@dataclass(frozen=True)
class UnregisteredWeek:
    """A week from `monday` on in which nothing of `groups` was registered, as the school did."""

    school: str
    monday: date
    groups: tuple[str, ...]


def unregistered_weeks(
    tables: PartitionTables, school: str, moment: datetime, weeks: int = WEEKS_LOOKED_AT
) -> Iterator[UnregisteredWeek]:
    """The unregistered weeks among the last `weeks` school weeks that were over at `moment`.

    As known before `moment`; `tables` may hold more than that, and other schools. A group without
    a name is the empty text. Nothing for a school without a known description.
    """
    today = monday_of(moment.astimezone(AMSTERDAM).date())
    span = span_for_features(today, today)
    known = KnownSchools(tables.of_school(school), [school], span, [moment])
    one = known.school(0)
    silent, names = one.school.silence.is_silent[0], known.pupils.groups[0]
    first = one.plans.weeks[0].window_start(today, weeks)
    for week in np.flatnonzero(silent.any(axis=1)).tolist():
        if week >= first:
            groups = tuple(names[at] for at in np.flatnonzero(silent[week]).tolist())
            yield UnregisteredWeek(school, span.first_day + timedelta(weeks=week), groups)
