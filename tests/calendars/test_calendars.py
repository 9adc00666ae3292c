"""Holidays on file, a school's own days over them, timetables of one pupil, and ages in the law."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from features.absence.grid import DayGrid, day_grid
from features.school_weeks import (
    Duty,
    duty_on,
    holiday_source,
    known_school_years,
    national_school_days,
)
from features.vocabulary import ABSENCE_PRIORITY, AbsenceKind, Region

YEARS = range(2023, 2028)
MONDAY = date(2026, 11, 2)
AS_OF = datetime(2026, 11, 9, 5, tzinfo=UTC)
Row = Mapping[str, Any]


def is_school_day(region: Region, day: date) -> bool:
    return bool(national_school_days(region, day, day)[0])


def easter(year: int) -> date:
    """Easter Sunday by the anonymous Gregorian rule: independent of the file."""
    a, b, c = year % 19, year // 100, year % 100
    d, e = b // 4, b % 4
    g = (8 * b + 13) // 25
    h = (19 * a + b - d - g + 15) % 30
    i, k = c // 4, c % 4
    r = (32 + 2 * e + 2 * i - h - k) % 7
    m = (a + 11 * h + 22 * r) // 451
    n = h + r - 7 * m + 114
    return date(year, n // 31, n % 31 + 1)


class TestHolidays:
    """The national holidays, per region and school year."""

    def test_five_school_years_are_on_file_with_source_and_certainty(self) -> None:
        assert set(YEARS) <= set(known_school_years())
        for year in YEARS:
            found = holiday_source(year)
            assert found is not None
            assert found.source
            assert found.certainty in ("official", "reported", "recalled")
        assert holiday_source(1999) is None

    @pytest.mark.parametrize("region", Region)
    @pytest.mark.parametrize("year", YEARS)
    def test_a_school_year_has_a_plausible_number_of_school_days(
        self, region: Region, year: int
    ) -> None:
        days = national_school_days(region, date(year, 8, 1), date(year + 1, 7, 31))
        assert 185 <= days.sum() <= 212

    @pytest.mark.parametrize("region", Region)
    @pytest.mark.parametrize("year", [year + 1 for year in YEARS])
    def test_public_holidays_are_no_school_days(self, region: Region, year: int) -> None:
        sunday = easter(year)
        for days in (1, 39, 50):  # Easter Monday, Ascension Day, Whit Monday
            assert not is_school_day(region, sunday + timedelta(days=days))
        assert not is_school_day(region, date(year, 4, 26 if year == 2025 else 27))
        assert not is_school_day(region, date(year, 1, 1))
        assert not is_school_day(region, date(year - 1, 12, 26))

    @pytest.mark.parametrize("region", Region)
    @pytest.mark.parametrize("year", YEARS)
    def test_every_region_has_five_holidays_of_whole_weeks(self, region: Region, year: int) -> None:
        days = national_school_days(region, date(year, 8, 1), date(year + 1, 7, 31))
        first = date(year, 8, 1)
        weeks = [
            all(not days[place + day] for day in range(5))
            for place in range((7 - first.weekday()) % 7, len(days) - 4, 7)
        ]
        runs = "".join("x" if free else "." for free in weeks).split(".")
        assert len([run for run in runs if run]) == 6  # five, and the summer of the next year

    def test_the_regions_differ_in_autumn(self) -> None:
        assert not is_school_day(Region.NOORD, date(2026, 10, 12))
        assert is_school_day(Region.MIDDEN, date(2026, 10, 12))
        assert not is_school_day(Region.MIDDEN, date(2026, 10, 23))
        assert is_school_day(Region.NOORD, date(2026, 10, 23))

    def test_the_official_list_of_2027_is_on_file_as_it_is(self) -> None:
        last_and_first = {
            Region.NOORD: (date(2028, 7, 14), date(2027, 10, 25)),
            Region.MIDDEN: (date(2028, 7, 7), date(2027, 10, 25)),
            Region.ZUID: (date(2028, 7, 21), date(2027, 11, 1)),
        }
        for region, (last_day, after_autumn) in last_and_first.items():
            assert is_school_day(region, last_day)
            assert not is_school_day(region, last_day + timedelta(days=3))
            assert is_school_day(region, after_autumn)
            assert not is_school_day(region, after_autumn - timedelta(days=3))


@pytest.fixture
def grid(history: ModuleType) -> Any:
    """The days of the week of 2 November 2026 of one school in region midden."""

    def make(first: date = MONDAY, last: date | None = None, **versions: Any) -> DayGrid:
        placement = {"group": "6a", "born_on": date(2016, 3, 1), "enrolled_on": date(2024, 8, 1)}
        filled = {
            "schools": [{"name": "De Proef", "sector": "po", "region": "midden"}],
            "placements": [{"pupil_key": key, **placement} for key in ("anna", "bo")],
            "timetable": history.plain_week("6a"),
            **versions,
        }
        last = last or first + timedelta(days=6)
        return day_grid(history.partition(**filled), history.SCHOOL, AS_OF, first, last)

    return make


class TestOwnDays:
    """What a school says itself goes over the national calendar."""

    def test_a_study_day_has_no_planned_time_and_no_absence(self, grid: Any) -> None:
        absence = [_sick("anna", MONDAY, MONDAY + timedelta(days=4))]
        days = grid(calendar=[{"date": date(2026, 11, 4), "kind": "study_day"}], absence=absence)
        assert days.planned[0].tolist() == [300, 300, 0, 300, 300, 0, 0]
        assert days.absent[0].tolist() == [300, 300, 0, 300, 300, 0, 0]

    @pytest.mark.parametrize("kind", ["holiday", "study_day", "closed"])
    def test_a_free_day_of_its_own(self, grid: Any, kind: str) -> None:
        days = grid(calendar=[{"date": MONDAY, "kind": kind}])
        assert days.planned[0, 0] == 0

    def test_a_school_that_works_in_a_national_holiday(self, grid: Any) -> None:
        autumn = date(2026, 10, 19)
        assert grid(autumn).planned.sum() == 0
        days = grid(autumn, calendar=[{"date": autumn, "kind": "school_day"}])
        assert days.planned[0].tolist() == [300, 0, 0, 0, 0, 0, 0]

    def test_a_correction_of_a_free_day_counts_from_when_it_was_made(self, grid: Any) -> None:
        versions = [
            {"record_key": "c", "date": MONDAY, "kind": "study_day"},
            {
                "record_key": "c",
                "date": MONDAY,
                "kind": "school_day",
                "known_at": AS_OF + timedelta(hours=1),
            },
        ]
        assert grid(calendar=versions).planned[0, 0] == 0


class TestTimetables:
    """A timetable of one pupil changes what absence is a share of."""

    def test_a_reduced_timetable_is_the_pupils_own_and_ends(
        self, grid: Any, history: ModuleType
    ) -> None:
        own = history.plain_week(
            None,
            [120, 0, 120],
            pupil_key="anna",
            valid_from=date(2026, 10, 26),
            valid_to=date(2026, 11, 3),
        )
        days = grid(timetable=[*history.plain_week("6a"), *own])
        assert days.planned[0].tolist() == [120, 0, 300, 300, 300, 0, 0]
        assert days.planned[1].tolist() == [300] * 5 + [0, 0]

    def test_absence_is_never_more_than_the_reduced_day(
        self, grid: Any, history: ModuleType
    ) -> None:
        own = history.plain_week(None, [120, 0, 120], pupil_key="anna")
        absence = [_sick("anna", MONDAY, MONDAY + timedelta(days=2))]
        days = grid(timetable=[*history.plain_week("6a"), *own], absence=absence)
        assert days.absent[0].tolist() == [120, 0, 120, 0, 0, 0, 0]

    def test_a_new_timetable_of_the_group_takes_over_on_its_day(
        self, grid: Any, history: ModuleType
    ) -> None:
        later = history.plain_week("6a", [200] * 5, valid_from=date(2026, 11, 4))
        days = grid(timetable=[*history.plain_week("6a"), *later])
        assert days.planned[0].tolist() == [300, 300, 200, 200, 200, 0, 0]


def _sick(key: str, first: date, last: date | None, **more: Any) -> Row:
    at = datetime.combine
    ends = last and at(last, datetime.min.time().replace(hour=15))
    starts = at(first, datetime.min.time().replace(hour=8))
    return {"pupil_key": key, "kind": "sick", "starts_at": starts, "ends_at": ends, **more}


class TestEpisodes:
    """What overlaps takes the planned time once; what is open ends somewhere."""

    def test_an_open_report_reaches_to_the_moment_and_not_beyond(self, grid: Any) -> None:
        days = grid(MONDAY, MONDAY + timedelta(days=13), absence=[_sick("anna", MONDAY, None)])
        assert days.absent[0].tolist() == [300] * 5 + [0] * 9

    def test_an_open_report_ends_at_recovery(self, grid: Any) -> None:
        versions = [
            _sick("anna", MONDAY, None, record_key="r"),
            _sick(
                "anna",
                MONDAY,
                date(2026, 11, 3),
                record_key="r",
                known_at=datetime(2026, 11, 4, 8, tzinfo=UTC),
            ),
        ]
        assert grid(absence=versions).absent[0].tolist() == [300, 300] + [0] * 5

    @pytest.mark.parametrize(
        ("stronger", "weaker"),
        [
            (one, other)
            for place, one in enumerate(ABSENCE_PRIORITY)
            for other in ABSENCE_PRIORITY[place + 1 :]
        ],
    )
    def test_of_two_whole_days_the_stated_priority_decides(
        self, grid: Any, stronger: AbsenceKind, weaker: AbsenceKind
    ) -> None:
        rows = [{**_sick("anna", MONDAY, MONDAY), "kind": str(kind)} for kind in (weaker, stronger)]
        whole = [{**row, "minutes": 300} for row in rows]
        days = grid(absence=whole)
        assert days.minutes[stronger][0, 0] == 300
        assert days.minutes[weaker][0, 0] == 0

    def test_whatever_is_recorded_the_kinds_together_never_exceed_the_plan(self, grid: Any) -> None:
        random = np.random.default_rng(7)
        rows = []
        for _ in range(400):
            first = MONDAY + timedelta(days=int(random.integers(0, 5)))
            row = dict(_sick(str(random.choice(["anna", "bo"])), first, first))
            row["kind"] = str(random.choice(list(map(str, AbsenceKind))))
            row["starts_at"] += timedelta(minutes=int(random.integers(0, 300)))
            row["ends_at"] = None if random.random() < 0.2 else row["ends_at"]
            row["minutes"] = None if random.random() < 0.3 else int(random.integers(0, 900))
            rows.append(row)
        for size in (1, 2, 5, 40, 400):
            days = grid(absence=rows[:size])
            total = sum(days.minutes.values())
            assert (total <= days.planned).all()
            assert (total >= 0).all()


@pytest.mark.parametrize(
    ("born", "day", "duty"),
    [
        ((2021, 11), (2026, 11, 30), Duty.NOT_YET),  # turns five this month
        ((2021, 11), (2026, 12, 1), Duty.COMPULSORY),
        ((2022, 3), (2026, 11, 9), Duty.NOT_YET),  # four years old
        ((2010, 11), (2027, 7, 31), Duty.COMPULSORY),  # 16 in this school year: to its end
        ((2010, 11), (2027, 8, 1), Duty.QUALIFICATION),
        ((2010, 7), (2026, 7, 31), Duty.COMPULSORY),
        ((2010, 7), (2026, 8, 1), Duty.QUALIFICATION),
        ((2010, 8), (2026, 8, 1), Duty.COMPULSORY),
        ((2008, 11), (2026, 11, 30), Duty.QUALIFICATION),  # 18 some day this month
        ((2008, 11), (2026, 12, 1), Duty.ADULT),
        ((2008, 2), (2026, 3, 1), Duty.ADULT),
    ],
)
def test_what_the_law_asks_at_five_sixteen_and_eighteen(
    born: tuple[int, int], day: tuple[int, int, int], duty: Duty
) -> None:
    assert duty_on(date(*born, 1), date(*day)) is duty


def test_a_pupil_of_four_and_a_grown_up_are_bound_to_nothing() -> None:
    assert not duty_on(date(2022, 6, 1), MONDAY).binds
    assert not duty_on(date(2008, 6, 1), MONDAY).binds
    assert duty_on(date(2015, 6, 1), MONDAY).binds
