"""Who is in scope at an as-of date: the one rule that training and the weekly run share."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Cohort:
    """Pupils of school age with enough history who are *not yet in view*.

    A pupil inside a run of `in_view_days` or more absent school days is already at home: such a
    pupil stands on the list "Al in beeld" and is not scored (M@ZL counts seven school days as
    long absence). The values come from the cohort features of the catalogue, as known at the
    as-of date.

    >>> status = {
    ...     "age_months": np.array([80.0, 58.0, 80.0, 80.0]),
    ...     "weeks_of_history": np.array([20.0, 20.0, 3.0, 20.0]),
    ...     "current_absence_run": np.array([6.0, 0.0, 0.0, 7.0]),
    ... }
    >>> Cohort().members(status)
    array([ True, False, False, False])
    >>> Cohort().in_view(status)
    array([False, False, False,  True])
    >>> Cohort().too_little_data(status)
    array([False, False,  True, False])
    """

    minimum_age_months: int = 60
    minimum_weeks: int = 4
    in_view_days: int = 7

    def of_school_age(self, status: Mapping[str, NDArray[np.floating]]) -> Flags:
        """Five years and older: compulsory education starts in the month after the birthday."""
        return np.asarray(status["age_months"] >= self.minimum_age_months)

    def in_view(self, status: Mapping[str, NDArray[np.floating]]) -> Flags:
        """Of school age and inside a run of absence that the school cannot have missed."""
        run = np.asarray(status["current_absence_run"] >= self.in_view_days)
        return self.of_school_age(status) & run

    def too_little_data(self, status: Mapping[str, NDArray[np.floating]]) -> Flags:
        """Of school age, not in view, and too short at this school to say anything."""
        short = ~(np.asarray(status["weeks_of_history"]) >= self.minimum_weeks)
        return self.of_school_age(status) & ~self.in_view(status) & short

    def members(self, status: Mapping[str, NDArray[np.floating]]) -> Flags:
        """Who is scored."""
        in_scope = self.of_school_age(status) & ~self.in_view(status)
        return in_scope & ~self.too_little_data(status)
