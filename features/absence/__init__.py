"""Absence of pupils by day: what records come to, and what is measured on the days."""

from features.absence.grid import DayGrid, PupilDays, day_grid, pupil_days

__all__ = ["DayGrid", "PupilDays", "day_grid", "pupil_days"]
