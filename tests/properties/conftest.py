"""Small schools made at random, with everything that goes wrong in real registrations."""

import itertools
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import strategies as st

from features.school_weeks import as_of_moment, national_school_days
from features.vocabulary import AbsenceKind, DayKind, Region, SupportKind, SupportStatus

Row = dict[str, Any]
Versions = dict[str, list[Row]]

DAY = timedelta(days=1)
LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
FIRST_MONDAYS = (date(2023, 10, 9), date(2024, 1, 8), date(2024, 9, 2), date(2024, 11, 4))
GROUPS = ("1a", "2b")
# What is rare in a list of all kinds, but what features hang on, comes more often.
KINDS = [*(kind.value for kind in AbsenceKind), "sick", "sick", "sick", "unauthorised"]
SUPPORT_KINDS = [*(kind.value for kind in SupportKind), "tlv_request", "duo_report", "opp"]
STATUSES = [*(status.value for status in SupportStatus), "running", "done", "requested"]


@st.composite
def moments_after(draw: st.DrawFn, day: date, mondays: list[date]) -> datetime:
    """When something of `day` became known: soon, weeks late, or exactly at a Monday 06:00."""
    if draw(st.integers(0, 5)) == 0:
        return as_of_moment(draw(st.sampled_from(mondays)))
    start = datetime.combine(day, time(8), UTC)
    return start + timedelta(hours=draw(st.integers(-3 * 24, 25 * 24)))


@st.composite
def absence_records(
    draw: st.DrawFn, number: int, pupils: list[str], mondays: list[date]
) -> list[Row]:
    """One record with its versions: corrected, closed, withdrawn, taken back."""
    is_recent = draw(st.integers(0, 9)) > 0
    days_back = draw(st.integers(0, 70) if is_recent else st.integers(70, 430))
    day = mondays[-1] + timedelta(days=6 - days_back)
    content: Row = {"pupil_key": draw(st.sampled_from([*pupils, *pupils[:1] * 4]))}
    versions: list[Row] = []
    known_at = draw(moments_after(day, mondays))
    for _ in range(draw(st.sampled_from((1, 1, 2, 3)))):
        if not versions or draw(st.booleans()):
            content = {**content, **draw(absence_contents(day))}
        if draw(st.booleans()):
            content = {**content, "kind": draw(st.sampled_from(KINDS))}
        content.setdefault("kind", draw(st.sampled_from(KINDS)))
        versions.append(
            {
                **content,
                "record_key": f"a{number}",
                "known_at": known_at,
                "known_at_basis": "recorded" if number % 4 else "delivery",
                "withdrawn": bool(versions) and draw(st.integers(0, 3)) == 0,
            }
        )
        known_at = max(known_at, draw(moments_after(day + timedelta(days=3), mondays)))
    return versions


@st.composite
def absence_contents(draw: st.DrawFn, day: date) -> Row:
    """When a record starts and ends: a lesson, a half-day, whole days, without times, or open."""
    if draw(st.integers(0, 4)) == 0:
        day += timedelta(days=draw(st.integers(-2, 2)))
    start = datetime.combine(
        day, draw(st.sampled_from((time(0), time(8, 30), time(9, 30), time(13))))
    )
    end: datetime | None = None
    minutes: int | None = None
    shape = draw(st.sampled_from(("minutes", "interval", "several days", "open", "day", "odd")))
    if shape == "minutes":
        minutes = draw(st.sampled_from((0, 40, 50, 150, 210, 2000)))
        end = draw(st.sampled_from((None, start + timedelta(minutes=50))))
    elif shape == "interval":
        end = start + timedelta(minutes=draw(st.sampled_from((50, 100, 210))))
    elif shape == "several days":
        end = start + timedelta(days=draw(st.integers(1, 9)), hours=2)
        minutes = draw(st.sampled_from((None, 300)))
    elif shape == "day":
        end = start
    elif shape == "odd":
        end = start - timedelta(days=draw(st.integers(0, 2)), hours=1)
    return {"starts_at": start, "ends_at": end, "minutes": minutes}


def breaks(region: str, mondays: list[date]) -> list[tuple[date, date]]:
    """The last day before and the first after every holiday in the five months looked at."""
    first = max(date(2023, 8, 7), mondays[-1] - timedelta(days=150))
    days = np.flatnonzero(national_school_days(Region(region), first, mondays[-1])).tolist()
    return [
        (first + timedelta(days=one), first + timedelta(days=other))
        for one, other in itertools.pairwise(days)
        if other - one > 4
    ]


@st.composite
def illnesses_over_holidays(draw: st.DrawFn, region: str, mondays: list[date]) -> list[Row]:
    """Sick on the last days before a holiday and on the first after it; or a day was missed."""
    versions: list[Row] = []
    for before, after in breaks(region, mondays):
        for day in (before - DAY, before, after, after + DAY):
            if draw(st.sampled_from((True, True, True, False))):
                start = datetime.combine(day, time(8, 30))
                versions.append(
                    {
                        "pupil_key": "p0",
                        "record_key": f"h{day}",
                        "starts_at": start,
                        "ends_at": start + timedelta(hours=6),
                        "kind": "sick",
                        "known_at": draw(moments_after(day, mondays)),
                    }
                )
    return versions


@st.composite
def support_records(
    draw: st.DrawFn, number: int, pupils: list[str], mondays: list[date]
) -> list[Row]:
    """One support record with one or two versions."""
    pupil = draw(st.sampled_from(pupils))
    kind = draw(st.sampled_from(SUPPORT_KINDS))
    day = mondays[-1] - timedelta(days=draw(st.integers(-3, 380)))
    if draw(st.integers(0, 3)) == 0:
        day = draw(st.sampled_from(mondays))
    known_at = draw(moments_after(day, mondays))
    versions: list[Row] = []
    for _ in range(draw(st.integers(1, 2))):
        length = draw(st.one_of(st.none(), st.integers(-1, 1), st.integers(-1, 120)))
        versions.append(
            {
                "record_key": f"s{number}",
                "pupil_key": pupil,
                "kind": kind,
                "status": draw(st.sampled_from(STATUSES)),
                "starts_on": draw(st.sampled_from((day, day, day, None))),
                "ends_on": None if length is None else day + timedelta(days=length),
                "known_at": known_at,
                "withdrawn": bool(versions) and draw(st.integers(0, 4)) == 0,
            }
        )
        known_at = max(known_at, draw(moments_after(day + timedelta(days=20), mondays)))
    return versions


@st.composite
def placements(draw: st.DrawFn, number: int, mondays: list[date]) -> list[Row]:
    """The placements of one pupil: per school year, with moves, gaps, leavers and newcomers."""
    rows: list[Row] = []
    group = draw(st.sampled_from(GROUPS)) if number < 3 else GROUPS[0]
    year = draw(st.sampled_from(("1", "2", "leerjaar 3", "", "11", "groep 8", "14")))
    begins = [date(2023, 8, 1), date(2024, 8, 1)]
    if draw(st.integers(0, 3)) == 0:
        begins = [date(2022, 9, 15), *begins]
    if draw(st.integers(0, 3)) == 0:
        begins.append(mondays[0] + timedelta(days=draw(st.integers(-30, 20))))
    if draw(st.integers(0, 4)) == 0:
        begins = [mondays[0] - timedelta(days=draw(st.integers(-20, 100)))]
    for begin in begins:
        if number < 3 and draw(st.integers(0, 2)) == 0:
            group = draw(st.sampled_from(GROUPS))
        left = draw(
            st.sampled_from((None, None, date(begin.year + 1, 7, 31), begin + timedelta(days=59)))
        )
        key = f"pl{number}-{len(rows)}"
        common: Row = {"record_key": key, "pupil_key": f"p{number}", "year_group": year}
        common |= {"group": group, "enrolled_on": begin, "born_on": date(2012, 1 + number, 1)}
        known_at = datetime.combine(begin, time(0), UTC)
        rows.append({**common, "known_at": known_at})
        if left is not None:
            learnt = draw(moments_after(left, mondays))
            rows.append({**common, "left_on": left, "known_at": max(known_at, learnt)})
    return rows


@st.composite
def timetables(draw: st.DrawFn, mondays: list[date]) -> list[Row]:
    """Weekly planned minutes of two groups, a change of one, and now and then a pupil's own."""
    rows: list[Row] = []

    def week(group: str | None, minutes: list[int], begin: date, **more: Any) -> None:
        for weekday, length in enumerate(minutes, start=1):
            content = {"group": group, "weekday": weekday, "planned_minutes": length}
            rows.append({**content, "valid_from": begin, **more})

    week("1a", [330, 330, 210, 330, 330], date(2023, 8, 1))
    week("2b", [300, 250, 0, 400, 50], date(2023, 8, 1), valid_to=date(2024, 7, 31))
    week("2b", [300, 250, 100, 400, 50], date(2024, 8, 1))
    if draw(st.booleans()):
        begin = mondays[0] + timedelta(days=draw(st.integers(-40, 10)))
        known_at = draw(moments_after(begin, mondays))
        week("1a", [300, 0, 210, 330, 200], begin, known_at=known_at)
    if draw(st.booleans()):
        begin = mondays[0] + timedelta(days=draw(st.integers(-60, 10)))
        more: Row = {"pupil_key": "p1", "known_at": draw(moments_after(begin, mondays))}
        end = draw(st.sampled_from((None, begin + timedelta(days=30))))
        week("1a", [100, 0, 100], begin, valid_to=end, **more)
    return rows


@st.composite
def calendars(draw: st.DrawFn, mondays: list[date]) -> list[Row]:
    """A few days on which the school deviates from the region, some learnt afterwards."""
    rows = []
    for number in range(draw(st.integers(0, 4))):
        day = mondays[-1] - timedelta(days=draw(st.integers(-6, 80)))
        kind = draw(st.sampled_from([kind.value for kind in DayKind]))
        known_at = draw(st.sampled_from((LONG_AGO, draw(moments_after(day, mondays)))))
        key = f"c{day}" if number % 2 else f"c{number}"
        rows.append({"record_key": key, "date": day, "kind": kind, "known_at": known_at})
    return sorted(rows, key=lambda row: row["known_at"])


@st.composite
def small_schools(draw: st.DrawFn) -> tuple[Versions, list[date]]:
    """The versions of one small school, and the Mondays to look at."""
    first = draw(st.sampled_from(FIRST_MONDAYS))
    steps = draw(st.lists(st.integers(1, 3), min_size=1, max_size=3))
    mondays = [first]
    for step in steps:
        mondays.append(mondays[-1] + timedelta(weeks=step))
    size = draw(st.sampled_from((1, 3, 4, 12)))
    pupils = [f"p{number}" for number in range(size)]
    school: Row = {
        "record_key": "school",
        "name": "De Proef",
        "region": draw(st.sampled_from(("noord", "zuid"))),
        "sector": draw(st.sampled_from(("po", "vo"))),
        "episodes_over_holidays": draw(st.sampled_from((None, False, True))),
    }
    schools = [school]
    if draw(st.integers(0, 2)) == 0:
        change = {"episodes_over_holidays": not school["episodes_over_holidays"]}
        schools.append({**school, **change, "known_at": draw(moments_after(first, mondays))})
    if draw(st.integers(0, 5)) == 0:
        schools.append({**school, "region": "midden", "known_at": as_of_moment(mondays[1])})
    records = range(draw(st.sampled_from((0, 6, 25, 50))))
    absence = [row for n in records for row in draw(absence_records(n, pupils, mondays))]
    if draw(st.sampled_from((True, True, False))):
        absence += draw(illnesses_over_holidays(school["region"], mondays))
    supports = range(draw(st.sampled_from((0, 3, 12))))
    versions = {
        "schools": schools,
        "calendar": draw(calendars(mondays)),
        "timetable": draw(timetables(mondays)),
        "placements": [row for n in range(size) for row in draw(placements(n, mondays))],
        "absence": absence,
        "support": [row for n in supports for row in draw(support_records(n, pupils, mondays))],
    }
    return versions, mondays


@pytest.fixture(scope="session")
def schools() -> st.SearchStrategy[tuple[Versions, list[date]]]:
    """The strategy for small schools, for tests that draw from it with `data.draw`."""
    return small_schools()
