"""The counts of law and custom, by example. Autumn holiday in midden: 17 to 25 October 2026."""

from collections.abc import Callable
from datetime import date
from types import ModuleType
from typing import Any

import pytest

from features.absence import known_days, reporting_norm
from features.records import LogTable

Feature = Callable[..., float]
Norm = Callable[..., list[str]]


@pytest.fixture
def norm(history: ModuleType, rows_of: Callable[..., list[dict[str, Any]]]) -> Norm:
    """When the 16 hours were reached, as "since > day", by one pupil with 300 minutes a day."""

    def reached(as_of: str, absence: str) -> list[str]:
        placed = {"pupil_key": "anna", "group": "6a", "year_group": "6"}
        tables = history.partition(
            schools=[{"name": "De Proef", "sector": "po", "region": "midden"}],
            timetable=history.plain_week("6a"),
            placements=[{**placed, "enrolled_on": date(2024, 8, 1)}],
            absence=[{"pupil_key": "anna", **row} for row in rows_of(absence, LogTable.ABSENCE)],
        )
        known = known_days(tables, history.SCHOOL, date.fromisoformat(as_of))
        return [f"{one.since:%d-%m} > {one.day:%d-%m}" for one in reporting_norm(known, 0)]

    return reached


def test_sixteen_hours_in_four_school_weeks_across_the_holiday(norm: Norm) -> None:
    table = """
        starts_at        | minutes | kind
        2026-10-05 08:30 |     300 | unauthorised
        2026-10-14 08:30 |     300 | unauthorised
        2026-10-27 08:30 |     300 | unauthorised_holiday
        2026-11-06 10:30 |      60 | unauthorised
    """
    # Weeks 41, 42, 44 and 45: the 16th hour is on 6 November.
    assert norm("2026-11-09", table) == ["05-10 > 06-11"]


def test_a_week_later_or_an_hour_less_is_not_enough(norm: Norm) -> None:
    week_later = """
        starts_at        | minutes | kind
        2026-10-05 08:30 |     300 | unauthorised
        2026-10-14 08:30 |     300 | unauthorised
        2026-10-27 08:30 |     300 | unauthorised
        2026-11-09 10:30 |      60 | unauthorised
    """
    hour_less = week_later.replace("2026-11-09 10:30 |      60", "2026-11-06 10:30 |      59")
    assert norm("2026-11-16", week_later) == []
    assert norm("2026-11-16", hour_less) == []


def test_after_a_hit_the_count_starts_anew(norm: Norm) -> None:
    table = """
        starts_at        | minutes | kind
        2026-10-26 08:30 |     300 | unauthorised
        2026-10-27 08:30 |     300 | unauthorised
        2026-10-28 08:30 |     300 | unauthorised
        2026-10-29 08:30 |     300 | unauthorised
        2026-11-02 08:30 |     300 | unauthorised
        2026-11-03 08:30 |     300 | unauthorised
        2026-11-04 08:30 |     300 | unauthorised
        2026-11-05 08:30 |      59 | unauthorised
    """
    # Twenty hours by 29 October; from 2 November 15 hours and 59 minutes.
    assert norm("2026-11-09", table) == ["26-10 > 29-10"]
    one_more = table.replace("|      59", "|      60")
    assert norm("2026-11-09", one_more) == ["26-10 > 29-10", "02-11 > 05-11"]


def test_what_is_not_explained_or_authorised_is_not_in_it(norm: Norm) -> None:
    table = """
        starts_at        | ends_at          | kind
        2026-10-26 08:30 | 2026-10-30 14:00 | unverified
        2026-11-02 08:30 | 2026-11-06 14:00 | sick
        2026-11-09 08:30 | 2026-11-09 09:00 | late_arrival
    """
    assert norm("2026-11-16", table) == []


FOUR_REPORTS = """
    starts_at        | ends_at          | kind
    2026-08-31 08:30 | 2026-08-31 14:00 | sick
    2026-09-28 08:30 | 2026-09-29 14:00 | sick
    2026-10-15 08:30 | 2026-10-16 14:00 | sick
    2026-11-05 08:30 | 2026-11-06 14:00 | sick
"""


def test_the_fourth_sick_report_in_twelve_school_weeks(feature: Feature) -> None:
    # The weeks from 31 August to 29 November, without the holiday, are twelve.
    assert feature("sick_episodes_12w", as_of="2026-11-09", absence=FOUR_REPORTS) == 4
    assert feature("sick_episodes_12w", as_of="2026-11-30", absence=FOUR_REPORTS) == 4
    assert feature("sick_episodes_12w", as_of="2026-12-07", absence=FOUR_REPORTS) == 3


def test_the_seventh_sick_day_in_a_row_reaches_across_a_week_end(feature: Feature) -> None:
    table = """
        starts_at        | ends_at          | kind
        2026-10-28 08:30 | 2026-10-28 14:00 | sick
        2026-10-29 08:30 | 2026-10-30 14:00 | sick
        2026-11-02 08:30 |                  | sick
    """
    # Three days before the week-end; an open report since. One illness, not three.
    assert feature("longest_sick_run_12w", as_of="2026-11-09", absence=table) == 8
    assert feature("current_run_days", as_of="2026-11-09", absence=table) == 8
    assert feature("sick_episodes_12w", as_of="2026-11-09", absence=table) == 1
    until_thursday = "2026-11-02 08:30 | 2026-11-05 14:00"
    recovered = table.replace("2026-11-02 08:30 |                 ", until_thursday)
    assert feature("longest_sick_run_12w", as_of="2026-11-09", absence=recovered) == 7
    assert feature("current_run_days", as_of="2026-11-09", absence=recovered) == 0
