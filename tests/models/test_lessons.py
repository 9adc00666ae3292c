"""Lessons of a day, counted on arrays, are those that looking at each record gives."""

from datetime import date, datetime

import pytest

from features.absence import AbsenceRecord, known_days
from features.records.schema import LogTable
from features.vocabulary import AbsenceKind
from models.evidence import LONGEST_LESSON, SchoolRecords
from tests.models.invented_records import MONDAY, SCHOOL, School, lively_school

Lessons = dict[tuple[int, AbsenceKind], int]


def one_by_one(records: tuple[AbsenceRecord, ...], first_monday: date) -> Lessons:
    """Per day and kind the different starts of lessons, unless another record stands beside."""
    starts: dict[tuple[int, AbsenceKind], set[datetime]] = {}
    others = set()
    for record in records:
        place = ((record.starts_at.date() - first_monday).days, record.kind)
        minutes, ends_at = record.minutes, record.ends_at
        if minutes is None and ends_at is not None:
            minutes = int((ends_at - record.starts_at).total_seconds()) // 60
        one_day = ends_at is not None and ends_at.date() == record.starts_at.date()
        if one_day and minutes is not None and 0 < minutes <= LONGEST_LESSON:
            starts.setdefault(place, set()).add(record.starts_at)
        else:
            others.add(place)
    return {place: len(some) for place, some in starts.items() if place not in others}


@pytest.mark.parametrize("seed", range(4))
def test_lessons_of_every_pupil(seed: int) -> None:
    tables = lively_school(seed).tables()
    known, records = known_days(tables, SCHOOL, MONDAY), SchoolRecords(tables, SCHOOL, MONDAY)
    counted = 0
    for key in known.pupil_keys:
        wanted = one_by_one(known.records_of(key), known.weeks.first_monday)
        assert records.of(key).lessons == wanted
        counted += len(wanted)
    assert counted > 50


def test_two_lessons_are_two_and_a_longer_record_beside_them_hides_both() -> None:
    school = School()
    day = date(2026, 11, 9)
    for at in ("08:30", "09:20", "09:20"):
        school.absent("pupil-00", day, AbsenceKind.UNAUTHORISED, 50, at)
        school.absent("pupil-01", day, AbsenceKind.UNAUTHORISED, 50, at)
    school.absent("pupil-01", day, AbsenceKind.UNAUTHORISED, 200, "10:30")
    school.absent("pupil-01", day, AbsenceKind.SICK, 50, "14:00")
    school.absent("pupil-02", day, AbsenceKind.SICK, 50)
    school.rows[LogTable.ABSENCE][-1]["minutes"] = None  # from start to end
    tables = school.tables()
    records, known = SchoolRecords(tables, SCHOOL, MONDAY), known_days(tables, SCHOOL, MONDAY)
    place = (day - known.weeks.first_monday).days
    assert records.of(known.pupil_keys[0]).lessons == {(place, AbsenceKind.UNAUTHORISED): 2}
    assert records.of(known.pupil_keys[1]).lessons == {(place, AbsenceKind.SICK): 1}
    assert records.of(known.pupil_keys[2]).lessons == {(place, AbsenceKind.SICK): 1}
    assert records.of(known.pupil_keys[3]).lessons == {}
