"""All that is known of some schools at any of some moments, made ready for the replay."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import pyarrow.compute as pc
from numpy.typing import NDArray

from features.absence.plans import OwnTimetables, SchoolPlans, own_timetables, school_plans
from features.absence.pupil import Pupil, room_for_pupil
from features.absence.pupils import Pupils, pupils_of
from features.absence.registration import Known, silence
from features.absence.replay import School
from features.absence.span import Span
from features.absence.versions import Versions, absence_versions
from features.records.partition import PartitionTables
from features.school_weeks import AMSTERDAM


@dataclass(frozen=True)
class KnownSchool:
    """One school with its plans; its pupils are the numbers from `first` up to `end`.

    There is `room` for one of them at a time.
    """

    name: str
    number: int
    school: School
    plans: SchoolPlans
    first: int
    end: int
    room: Pupil


class KnownSchools:
    """`schools` of `tables`, which may hold others, at ascending `moments`, for days of `span`."""

    def __init__(
        self,
        tables: PartitionTables,
        schools: Sequence[str],
        span: Span,
        moments: Sequence[datetime],
    ) -> None:
        self.span, self._moments = span, moments
        # Not absence: it is most of what was read, and all that is needed of it is in `versions`.
        self._schools, self._calendar = tables.schools, tables.calendar
        self._timetable = tables.timetable
        self.pupils: Pupils = pupils_of(tables.placements, schools, span, moments)
        self._own: OwnTimetables = own_timetables(tables.timetable, self.pupils, span, moments)
        self.versions: Versions = absence_versions(tables.absence, self.pupils, span, moments)
        today = [span.number_of(moment.astimezone(AMSTERDAM).date()) for moment in moments]
        self._today: NDArray[np.int64] = np.array(today, np.int64)

    def school(self, number: int) -> KnownSchool:
        """School number `number` of the pupils' `schools`."""
        name = self.pupils.schools[number]
        is_own = pc.field("school") == name
        plans = school_plans(
            self._schools.filter(is_own),
            self._calendar.filter(is_own),
            self._timetable.filter(is_own),
            self.pupils.groups[number],
            self.span,
            self._moments,
        )
        first, end = self.pupils.of_school[number : number + 2].tolist()
        weeks_over = np.clip(self._today // 7, 0, self.span.weeks)
        known = Known(
            plans.plans, self.pupils.placements, self._own, self.versions, self._today, weeks_over
        )
        room = room_for_pupil(self.versions, first, end, self.span.days, self._today)
        school = School(known, silence(known, first, end, room))
        return KnownSchool(name, number, school, plans, first, end, room)
