"""An invented school whose records a test writes by hand, or at random."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import numpy as np
import pyarrow as pa

from features.build import PartitionTables, build_partition
from features.records.schema import LogTable, schema_of
from features.vocabulary import AbsenceKind, SupportKind, SupportStatus, Theme
from models.evidence import SchoolRecords
from models.reasons import Explanation, reasons_for

MONDAY = date(2026, 11, 16)
SCHOOL = "90AB00"
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


@dataclass
class School:
    """An invented school of one group, to which a test adds records."""

    pupils: int = 14
    first_year: int = 2025
    over_holidays: bool | None = None
    rows: dict[LogTable, list[dict[str, Any]]] = field(default_factory=dict)
    number: Iterator[int] = field(default_factory=itertools.count)

    def __post_init__(self) -> None:
        about = {"name": "De Proef", "sector": "vo", "region": "midden"}
        self.add(LogTable.SCHOOLS, **about, episodes_over_holidays=self.over_holidays)
        for weekday in range(1, 6):
            self.add(
                LogTable.TIMETABLE,
                group="2b",
                weekday=weekday,
                valid_from=date(2020, 8, 1),
                planned_minutes=300,
            )
        for at in range(self.pupils):
            self.enrol(f"pupil-{at:02}", date(self.first_year, 8, 1))

    def add(self, table: LogTable, **values: Any) -> None:
        """One record, known since long ago unless said otherwise."""
        defaults = {
            "school": SCHOOL,
            "record_key": f"{table}-{next(self.number):06}",
            "known_at": LONG_AGO,
            "known_at_basis": "recorded",
            "withdrawn": False,
            "sequence": 0,
        }
        self.rows.setdefault(table, []).append(defaults | values)

    def enrol(self, pupil: str, day: date, year_group: str = "2") -> None:
        self.add(
            LogTable.PLACEMENTS,
            pupil_key=pupil,
            year_group=year_group,
            group="2b",
            born_on=date(2013, 5, 1),
            enrolled_on=day,
        )

    def absent(
        self,
        pupil: str,
        day: date,
        kind: AbsenceKind = AbsenceKind.SICK,
        minutes: int = 300,
        at: str = "08:30",
        **values: Any,
    ) -> None:
        start = datetime.combine(day, time.fromisoformat(at))
        self.add(
            LogTable.ABSENCE,
            pupil_key=pupil,
            kind=kind.value,
            starts_at=start,
            ends_at=start + timedelta(minutes=minutes),
            minutes=minutes,
            **values,
        )

    def support(
        self,
        pupil: str,
        kind: SupportKind,
        status: SupportStatus,
        starts_on: date | None,
        ends_on: date | None = None,
    ) -> None:
        self.add(
            LogTable.SUPPORT,
            pupil_key=pupil,
            kind=kind.value,
            status=status.value,
            starts_on=starts_on,
            ends_on=ends_on,
        )

    def tables(self) -> PartitionTables:
        def table(name: LogTable) -> pa.Table:
            schema = schema_of(name).append(pa.field("superseded_at", pa.timestamp("us", tz="UTC")))
            return pa.Table.from_pylist(self.rows.get(name, []), schema=schema)

        names = PartitionTables.__dataclass_fields__
        return PartitionTables(**{name: table(LogTable(name)) for name in names})

    def explain(
        self, pupil: str = "pupil-00", monday: date = MONDAY, **parts: float
    ) -> Explanation:
        return self.explain_all(monday, **parts)[pupil]

    def explain_all(self, monday: date = MONDAY, **parts: float) -> dict[str, Explanation]:
        """The explanation of every pupil, as if each theme had added so much to the score."""
        tables = self.tables()
        records = SchoolRecords(tables, SCHOOL, monday)
        chosen = {Theme(name): part for name, part in parts.items()}
        return {
            row["pupil_key"]: reasons_for(records.of(row["pupil_key"]), chosen, row)
            for row in build_partition(tables, [monday]).to_pylist()
        }


def lively_school(seed: int, over_holidays: bool | None = None) -> School:
    """Two years of random records of every kind for fourteen pupils."""
    rng = np.random.default_rng(seed)
    school = School(over_holidays=over_holidays)
    kinds = list(AbsenceKind)
    for at in range(school.pupils):
        day = date(2025, 9, 1)
        while day < MONDAY + timedelta(days=3):
            day += timedelta(days=int(rng.geometric(0.03 + 0.02 * at)))
            kind = kinds[rng.integers(len(kinds))] if rng.random() < 0.5 else AbsenceKind.SICK
            minutes = int(rng.choice([50, 50, 100, 210, 300]))
            hour = str(rng.choice(["08:30", "09:20", "10:30"]))
            for extra in range(int(rng.integers(1, 5)) if rng.random() < 0.3 else 1):
                school.absent(f"pupil-{at:02}", day + timedelta(days=extra), kind, minutes, hour)
        for _ in range(int(rng.integers(0, 5))):
            start = date(2026, 1, 5) + timedelta(days=int(rng.integers(0, 310)))
            status = list(SupportStatus)[rng.integers(6)]
            end = start + timedelta(days=int(rng.integers(0, 200))) if rng.random() < 0.5 else None
            school.support(
                f"pupil-{at:02}", list(SupportKind)[rng.integers(16)], status, start, end
            )
    return school
