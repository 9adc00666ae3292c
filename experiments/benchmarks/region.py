"""A large invented region straight into a record log: arrays, no CSV, no ingest.

Not `features.synthetic`: nothing about risk is true here. Only what costs time is: how many
records, of what kinds, how late, how often corrected, in schools of 300 and 1,500 pupils.
"""

import hashlib
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from features.records import DeliveryRows, LogTable, RecordLog
from features.records.schema import COMMON_COLUMNS, schema_of
from features.school_weeks import first_day_of, mondays_between, national_school_days
from features.vocabulary import Region

YEARS = 3
END = date(2026, 7, 20)
"""A Monday after the last school day."""
PER_YEAR = 33
LATE, CORRECTED, WITHDRAWN = 0.05, 0.02, 0.005
PUPILS_AT_ONCE = 30_000
KINDS = ("sick", "medical_visit", "leave", "unauthorised", "unverified", "late_arrival")
CHANCES = (0.35, 0.1, 0.05, 0.15, 0.05, 0.3)

_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
_DAY = 24 * 60 * 60 * 1_000_000
_HOUR = _DAY // 24


def history_mondays() -> list[date]:
    """The Mondays of the school years of the region."""
    return mondays_between(first_day_of(END.year - YEARS), END)


def make_log(root: Path, pupils: int) -> None:
    """Fill a record log below `root` for about `pupils` pupils; 60 % in schools of 300."""
    log = RecordLog(root)
    random = np.random.default_rng(pupils)
    sizes: list[int] = []
    while sum(sizes) < pupils:
        sizes.append(300 if sum(sizes) < 0.6 * pupils else 1_500)
    number = 0
    with log.writing():
        while number < len(sizes):
            count = int(np.searchsorted(np.cumsum(sizes[number:]), PUPILS_AT_ONCE)) + 1
            part = sizes[number : number + count]
            tables = _tables(number, part, random)
            digest = hashlib.sha256(str(number).encode()).hexdigest()
            log.append(DeliveryRows(datetime(END.year, 7, 21, tzinfo=UTC), digest, tables))
            number += count


def _tables(first: int, sizes: list[int], random: np.random.Generator) -> dict[LogTable, pa.Table]:
    schools = [f"{number:04d}00" for number in range(first, first + len(sizes))]
    of_pupil = np.repeat(np.arange(len(sizes)), sizes)
    place = np.concatenate([np.arange(size) for size in sizes])
    keys = pa.array(
        [f"p{schools[at]}{number:04d}" for at, number in zip(of_pupil, place, strict=True)]
    )
    groups = pa.array([f"g{number // 25}" for number in range(max(sizes))])
    school = pa.array(schools).take(pa.array(of_pupil))
    return {
        LogTable.SCHOOLS: _table(
            LogTable.SCHOOLS,
            pa.array(schools),
            school=pa.array(schools),
            name=pa.array(schools),
            sector=pa.array(["po" if size == 300 else "vo" for size in sizes]),
            region=pa.array(["midden"] * len(sizes)),
        ),
        LogTable.TIMETABLE: _timetable(schools, sizes),
        LogTable.PLACEMENTS: _placements(keys, school, groups.take(pa.array(place))),
        LogTable.ABSENCE: _absence(keys, school, random),
    }


def _timetable(schools: list[str], sizes: list[int]) -> pa.Table:
    rows = [
        (school, f"g{group}", weekday)
        for school, size in zip(schools, sizes, strict=True)
        for group in range(-(-size // 25))
        for weekday in range(1, 6)
    ]
    names, groups, weekdays = zip(*rows, strict=True)
    return _table(
        LogTable.TIMETABLE,
        pa.array([f"t{school}{group}{day}" for school, group, day in rows]),
        school=pa.array(names),
        group=pa.array(groups),
        weekday=pa.array(weekdays, pa.int8()),
        valid_from=pa.array([date(2020, 8, 1)] * len(rows)),
        planned_minutes=pa.array([330] * len(rows), pa.int32()),
    )


def _placements(keys: pa.Array, school: pa.Array, group: pa.Array) -> pa.Table:
    count = len(keys)
    parts = []
    for year in range(END.year - YEARS, END.year):
        begin = first_day_of(year)
        known = pa.scalar(datetime(year, 8, 1, tzinfo=UTC), pa.timestamp("us", tz="UTC"))
        parts.append(
            _table(
                LogTable.PLACEMENTS,
                pc.binary_join_element_wise(keys, pa.scalar(str(year)), ""),
                known_at=pa.repeat(known, count),
                school=school,
                pupil_key=keys,
                year_group=pa.repeat(str(1 + year % 6), count),
                group=group,
                born_on=pa.repeat(pa.scalar(date(2014, 3, 1)), count),
                enrolled_on=pa.repeat(pa.scalar(begin), count),
                left_on=pa.repeat(pa.scalar(date(year + 1, 7, 31)), count),
            )
        )
    return pa.concat_tables(parts)


def _absence(keys: pa.Array, school: pa.Array, random: np.random.Generator) -> pa.Table:
    first = first_day_of(END.year - YEARS)
    school_days = np.flatnonzero(national_school_days(Region.MIDDEN, first, END))
    count = len(keys) * PER_YEAR * YEARS
    # A few pupils have many records.
    weight = random.gamma(1.0, size=len(keys))
    pupil = random.choice(len(keys), count, p=weight / weight.sum())
    day = random.choice(school_days, count) + (first - date(1970, 1, 1)).days
    kind = random.choice(len(KINDS), count, p=CHANCES)
    is_day = random.random(count) < 0.5
    starts = day * _DAY + 8 * _HOUR + _HOUR // 2
    minutes = np.where(is_day, 330, 50)
    late = random.random(count) < LATE
    delay = np.where(late, random.uniform(7, 42, count) * _DAY, random.uniform(0, 8, count) * _HOUR)
    known = starts + delay.astype(np.int64)
    again = np.flatnonzero(random.random(count) < CORRECTED + WITHDRAWN)
    row = np.concatenate([np.arange(count), again])
    withdrawn = np.zeros(len(row), bool)
    withdrawn[count:] = random.random(len(again)) < WITHDRAWN / (CORRECTED + WITHDRAWN)
    known = np.concatenate([known, known[again] + 10 * _DAY])
    kind = np.concatenate([kind, (kind[again] + 1) % len(KINDS)])
    return _table(
        LogTable.ABSENCE,
        _numbered(keys[0].as_py(), row),
        known_at=pa.array(known, pa.timestamp("us", tz="UTC")),
        withdrawn=pa.array(withdrawn),
        school=school.take(pa.array(pupil[row])),
        pupil_key=keys.take(pa.array(pupil[row])),
        starts_at=pa.array(starts[row], pa.timestamp("us")),
        ends_at=pa.array(starts[row] + minutes[row] * 60_000_000, pa.timestamp("us")),
        minutes=pa.array(minutes[row].astype(np.int32)),
        kind=pa.array(KINDS).take(pa.array(kind)),
    )


def _numbered(stem: str, number: NDArray[np.int64]) -> pa.Array:
    """Record keys as long as real ones, the same for the same number."""
    text = pa.array(number).cast(pa.string())
    return pc.binary_join_element_wise(pa.scalar(f"r{stem}"), text, "-")


def _table(table: LogTable, record_key: pa.Array, **columns: pa.Array) -> pa.Table:
    count = len(record_key)
    plain = {
        "known_at": pa.repeat(pa.scalar(_LONG_AGO, COMMON_COLUMNS["known_at"]), count),
        "known_at_basis": pa.repeat("recorded", count),
        "withdrawn": pa.repeat(pa.scalar(False), count),
        "fingerprint": record_key,
    }
    given = {**plain, **columns, "record_key": record_key}
    fields = [one for one in schema_of(table) if one.name not in ("delivery", "sequence")]
    return pa.table(
        {one.name: given.get(one.name, pa.nulls(count, one.type)) for one in fields},
        schema=pa.schema(fields),
    )
