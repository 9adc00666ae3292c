"""Taking away the named records: all versions go, others stay, and the score follows."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from features.vocabulary import AbsenceKind, PupilKey, SupportKind, SupportStatus, Theme
from models.evidence import SchoolRecords
from models.fidelity import without
from models.reasons import facts_of
from tests.models.invented_records import MONDAY, SCHOOL, School


@pytest.fixture
def school() -> School:
    return School()


def taken(school: School, theme: Theme, **values: float) -> tuple[list[Any], list[Any]]:
    """The start days of absence, and of support, that are left for the first pupil."""
    tables = school.tables()
    pupil = SchoolRecords(tables, SCHOOL, MONDAY).of(PupilKey("pupil-00"))
    left = without(tables, pupil, facts_of(theme, pupil, values))
    absence = [row for row in left.absence.to_pylist() if row["pupil_key"] == "pupil-00"]
    support = [row for row in left.support.to_pylist() if row["pupil_key"] == "pupil-00"]
    return [row["starts_at"].date() for row in absence], [row["starts_on"] for row in support]


def test_named_records_go_and_others_stay(school: School) -> None:
    for day in (3, 5, 10):
        school.absent("pupil-00", date(2026, 11, day))
        school.absent("pupil-01", date(2026, 11, day))
    school.absent("pupil-00", date(2026, 3, 3))  # before the window: not named
    school.absent("pupil-00", date(2026, 11, 4), AbsenceKind.LATE_ARRIVAL, 10)
    tables = school.tables()
    pupil = SchoolRecords(tables, SCHOOL, MONDAY).of(PupilKey("pupil-00"))
    left = without(tables, pupil, facts_of(Theme.ABSENCE, pupil, {"absent_days_4w": 3.0}))
    kept = {
        (row["pupil_key"], row["starts_at"].date(), row["kind"]) for row in left.absence.to_pylist()
    }
    assert kept == {
        *(("pupil-01", date(2026, 11, day), "sick") for day in (3, 5, 10)),
        ("pupil-00", date(2026, 3, 3), "sick"),
        ("pupil-00", date(2026, 11, 4), "late_arrival"),
    }


def test_every_version_of_a_record_goes(school: School) -> None:
    later = datetime(2026, 11, 14, tzinfo=UTC)
    for day in (3, 5):
        school.absent("pupil-00", date(2026, 11, day))
    # First recorded in October, by mistake; only the newer version is named.
    key: dict[str, Any] = {"record_key": "corrected"}
    school.absent("pupil-00", date(2026, 10, 5), **key, superseded_at=later)
    school.absent("pupil-00", date(2026, 11, 10), **key, known_at=later)
    assert taken(school, Theme.ABSENCE, absent_days_4w=3.0) == ([], [])


def test_a_record_of_several_days_goes_as_a_whole(school: School) -> None:
    school.absent("pupil-00", date(2026, 11, 3), minutes=3 * 24 * 60)
    assert taken(school, Theme.ABSENCE, absent_days_4w=3.0) == ([], [])


def test_support_that_is_named_goes(school: School) -> None:
    ended, runs = date(2026, 7, 3), date(2026, 1, 12)
    school.support("pupil-00", SupportKind.SUPPORT_PLAN, SupportStatus.DONE, runs, ended)
    talk = date(2026, 11, 3)
    school.support("pupil-00", SupportKind.PARENT_TALK, SupportStatus.DONE, talk)
    values = {"weeks_since_support_ended": 12.0, "support_requested": 0.0}
    assert taken(school, Theme.SUPPORT, **values) == ([], [talk])
