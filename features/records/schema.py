"""The tables of the record log and their columns, once; Delta enforces them on every append."""

from enum import StrEnum

import pyarrow as pa

MOMENT = pa.timestamp("us", tz="UTC")
LOCAL = pa.timestamp("us")


class LogTable(StrEnum):
    """What the log keeps; each is one Delta table below the log's root."""

    SCHOOLS = "schools"
    CODES = "codes"
    CALENDAR = "calendar"
    TIMETABLE = "timetable"
    PLACEMENTS = "placements"
    ABSENCE = "absence"
    SUPPORT = "support"
    PRIOR_ABSENCE = "prior_absence"

    @property
    def is_about_pupils(self) -> bool:
        """Whether every row is about one pupil (a timetable row may be about a group).

        >>> LogTable.ABSENCE.is_about_pupils, LogTable.TIMETABLE.is_about_pupils
        (True, False)
        """
        return self in (
            LogTable.PLACEMENTS,
            LogTable.ABSENCE,
            LogTable.SUPPORT,
            LogTable.PRIOR_ABSENCE,
        )


COMMON_COLUMNS = {
    "record_key": pa.string(),  # keyed hash of school and source id (or natural key)
    "recorded_at": MOMENT,  # what the source itself says; null where it says nothing
    "known_at": MOMENT,  # since when it counts as known
    "known_at_basis": pa.string(),  # KnownAtBasis
    "withdrawn": pa.bool_(),
    "fingerprint": pa.string(),  # of the content, so that a repeat is recognised
    "delivery": pa.string(),  # which delivery brought it
    "sequence": pa.int64(),  # order of versions that became known at the same moment
}

_OWN_COLUMNS: dict[LogTable, dict[str, pa.DataType]] = {
    LogTable.SCHOOLS: {
        "school": pa.string(),
        "name": pa.string(),
        "sector": pa.string(),
        "region": pa.string(),
        # Whether its reports of illness run on through a holiday; null: not said, so no.
        "episodes_over_holidays": pa.bool_(),
    },
    LogTable.CODES: {
        "school": pa.string(),
        "code": pa.string(),
        "category": pa.string(),  # AbsenceKind
        "authorised": pa.bool_(),
        "valid_from": pa.date32(),  # of the absence; null: always
        "valid_to": pa.date32(),  # included; null: until further notice
    },
    LogTable.CALENDAR: {
        "school": pa.string(),
        "date": pa.date32(),
        "kind": pa.string(),  # DayKind
    },
    LogTable.TIMETABLE: {
        "school": pa.string(),
        "group": pa.string(),
        "pupil_key": pa.string(),  # null: the whole group
        "weekday": pa.int8(),  # 1 Monday to 7 Sunday
        "valid_from": pa.date32(),
        "valid_to": pa.date32(),  # included; null: until further notice
        "planned_minutes": pa.int32(),
    },
    LogTable.PLACEMENTS: {
        "school": pa.string(),
        "pupil_key": pa.string(),
        "year_group": pa.string(),
        "group": pa.string(),
        "born_on": pa.date32(),  # the first of the month of birth; the day is not taken in
        "enrolled_on": pa.date32(),
        "left_on": pa.date32(),  # null: still there
        "left_to": pa.string(),
    },
    LogTable.ABSENCE: {
        "school": pa.string(),
        "pupil_key": pa.string(),
        "starts_at": LOCAL,  # wall clock in Amsterdam
        "ends_at": LOCAL,  # null: still open
        "minutes": pa.int32(),  # null: from the interval or the timetable
        "kind": pa.string(),  # AbsenceKind
        "authorised": pa.bool_(),
        # The school's own code. Null for leave, whose code can tell a religion; a keyed hash
        # behind a question mark for what the school has not explained, which may be no code.
        "code": pa.string(),
    },
    LogTable.SUPPORT: {
        "school": pa.string(),
        "pupil_key": pa.string(),
        "kind": pa.string(),  # SupportKind
        "status": pa.string(),  # SupportStatus
        "starts_on": pa.date32(),
        "ends_on": pa.date32(),
    },
    # Twelve months at an earlier school as sums. No day is known, so no row of absence can say it.
    LogTable.PRIOR_ABSENCE: {
        "school": pa.string(),
        "pupil_key": pa.string(),
        "until": pa.date32(),  # the last day of the twelve months
        "half_days_authorised": pa.int32(),
        "half_days_unauthorised": pa.int32(),
        "minutes_authorised": pa.int32(),
        "minutes_unauthorised": pa.int32(),
        "times": pa.int32(),  # how often absent, as the earlier school counted
        "over_a_quarter": pa.bool_(),  # absent for more than a quarter of the lessons
    },
}

DELIVERIES = pa.schema(
    {
        "number": pa.int64(),  # 1 for the first
        "delivery": pa.string(),
        "received_at": MOMENT,
        "digest": pa.string(),  # of the bytes that came in
        "schools": pa.list_(pa.string()),
        "rows": pa.int64(),
    }
)


def schema_of(table: LogTable) -> pa.Schema:
    """The columns of one table: its own first, then those that every table has.

    >>> schema_of(LogTable.CALENDAR).names[:4]
    ['school', 'date', 'kind', 'record_key']
    """
    return pa.schema(_OWN_COLUMNS[table] | COMMON_COLUMNS)


def own_columns(table: LogTable) -> list[str]:
    """The columns that hold the content of a record of `table`."""
    return list(_OWN_COLUMNS[table])
