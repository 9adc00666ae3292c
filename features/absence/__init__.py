"""Absence of pupils by day: what records come to, and what is measured on the days."""

from features.absence.grid import DayGrid, PupilDays, day_grid, pupil_days
from features.absence.known import AbsenceRecord, KnownDays, known_days
from features.absence.norms import Reached, reporting_norm

__all__ = [
    "AbsenceRecord",
    "DayGrid",
    "KnownDays",
    "PupilDays",
    "Reached",
    "day_grid",
    "known_days",
    "pupil_days",
    "reporting_norm",
]
