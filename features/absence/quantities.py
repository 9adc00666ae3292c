"""What is added up per week and pupil, as positions in an array, and the kinds behind it."""

from typing import Any

import numpy as np

from features.vocabulary import (
    ABSENCE_PRIORITY,
    ABSENT_KINDS,
    UNAUTHORISED_KINDS,
    AbsenceKind,
)

Position = int | np.signedinteger[Any]

KINDS: tuple[AbsenceKind, ...] = (
    *ABSENCE_PRIORITY,
    AbsenceKind.LATE_ARRIVAL,
    AbsenceKind.SENT_OUT,
)
"""The kinds in the order in which they take the minutes of a day; the last two are counted."""
TIMED = len(ABSENCE_PRIORITY)

# numba compiles a function anew for every constant it is called with, unless it is NumPy's.
(
    # Of a day with records: minutes by sort of kind, then counts.
    ABSENT,
    SICK,
    OTHER_AUTHORISED,
    UNAUTHORISED,
    UNVERIFIED,
    ELSEWHERE,
    ABSENT_DAYS,
    PART_DAYS,
    EARLY_PART_DAYS,
    SICK_DAYS,
    MEDICAL_DAYS,
    LATE,
    SENT_OUT,
    # Of a week: planned minutes and days without what was not registered; weeks of either sort.
    PLANNED,
    COUNTED,
    UNREGISTERED,
    SCHEDULED_WEEKS,
    # Records by the week in which they start.
    RECORDS,
    TIMED_RECORDS,
    LATE_RECORDS,
    CORRECTED_RECORDS,
) = np.arange(21)
OF_DAYS = int(PLANNED)
"""So many quantities are of days; what follows is of weeks."""
QUANTITIES = int(CORRECTED_RECORDS) + 1

SICK_KIND = KINDS.index(AbsenceKind.SICK)
MEDICAL_KIND = KINDS.index(AbsenceKind.MEDICAL_VISIT)
IS_ABSENT = np.array([kind in ABSENT_KINDS for kind in KINDS])


def _sort_of(kind: AbsenceKind) -> np.int64:
    if kind in UNAUTHORISED_KINDS:
        return UNAUTHORISED
    if kind in ABSENT_KINDS:
        return {AbsenceKind.SICK: SICK, AbsenceKind.UNVERIFIED: UNVERIFIED}.get(
            kind, OTHER_AUTHORISED
        )
    return ELSEWHERE


SORT_OF_KIND = np.array([_sort_of(kind) for kind in ABSENCE_PRIORITY])
"""By number of a timed kind, to which of the sums of minutes it belongs."""
