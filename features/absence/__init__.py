"""Absence of pupils by day: what records come to, and what is measured on the days."""

from features.absence.grid import DayGrid, PupilDays, day_grid, pupil_days
from features.absence.known import AbsenceRecord, KnownDays, MondaySchools, known_days
from features.absence.laid_out import SchoolDays
from features.absence.norms import Reached, reporting_norm
from features.absence.runs import (
    RUN_DAYS,
    RUN_SHARE,
    SLACK,
    Flags,
    Minutes,
    Planned,
    absent_days,
    counted_minutes,
    onset_flags,
    pack,
    possible_runs,
    runs,
)

__all__ = [
    "RUN_DAYS",
    "RUN_SHARE",
    "SLACK",
    "AbsenceRecord",
    "DayGrid",
    "Flags",
    "KnownDays",
    "Minutes",
    "MondaySchools",
    "Planned",
    "PupilDays",
    "Reached",
    "SchoolDays",
    "absent_days",
    "counted_minutes",
    "day_grid",
    "known_days",
    "onset_flags",
    "pack",
    "possible_runs",
    "pupil_days",
    "reporting_norm",
    "runs",
]
