"""Rules that a school can apply by hand: what every model has to beat."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Columns = Mapping[str, NDArray[np.float32]]
TIE_BREAKER = "absent_share_12w"
"""Rules that count give many pupils one value; among equals a school looks at the most absent."""
TIE_WEIGHT = 1e-3


@dataclass(frozen=True)
class Rule:
    """One rule: a quantity, and from where on it fires.

    `score` orders a list (higher is earlier); it is no probability. A pupil for whom the quantity
    is unknown stands last and never fires.
    """

    name: str
    label: str
    inputs: tuple[str, ...]
    threshold: float
    quantity: Callable[[Columns], NDArray[np.float64]]

    @property
    def features(self) -> tuple[str, ...]:
        """The features that `score` reads."""
        return (*self.inputs, TIE_BREAKER) if TIE_BREAKER not in self.inputs else self.inputs

    def fires(self, x: Columns) -> NDArray[np.bool_]:
        """Whether the rule, as a school would apply it, names the pupil.

        >>> hours = {"unauthorised_hours_4w": np.array([15.9, 16.0, np.nan], dtype=np.float32)}
        >>> rule("sixteen_hours").fires(hours)
        array([False,  True, False])
        """
        return np.asarray(np.nan_to_num(self.quantity(x), nan=-np.inf) >= self.threshold)

    def score(self, x: Columns) -> NDArray[np.float64]:
        """Order of the list: by the quantity, among equals by the absence of 12 school weeks.

        >>> rule("sixteen_hours").score({
        ...     "unauthorised_hours_4w": np.array([2.0, 2.0, 0.0, np.nan], dtype=np.float32),
        ...     "absent_share_12w": np.array([0.5, np.nan, 0.5, 0.9], dtype=np.float32),
        ... }).tolist()
        [2.0005, 2.0, 0.0005, -inf]
        """
        tie = TIE_WEIGHT * np.nan_to_num(x[TIE_BREAKER].astype(np.float64), nan=0.0)
        return np.nan_to_num(self.quantity(x) + tie, nan=-np.inf, posinf=np.inf, neginf=-np.inf)


def _column(name: str) -> Callable[[Columns], NDArray[np.float64]]:
    return lambda x: x[name].astype(np.float64)


def _mazl(x: Columns) -> NDArray[np.float64]:
    """How near to either norm: the 4th sick report in 12 school weeks, or the 7th day in a row."""
    reports = x["sick_episodes_12w"].astype(np.float64) / 4
    days = x["current_run_days"].astype(np.float64) / 7
    return np.asarray(np.fmax(reports, days))


RULES: tuple[Rule, ...] = (
    Rule(
        "sixteen_hours",
        "16 uur ongeoorloofd in 4 schoolweken",
        ("unauthorised_hours_4w",),
        16.0,
        _column("unauthorised_hours_4w"),
    ),
    Rule(
        "mazl",
        "M@ZL: 4 ziekmeldingen in 12 schoolweken of 7 dagen achtereen",
        ("sick_episodes_12w", "current_run_days"),
        1.0,
        _mazl,
    ),
    Rule(
        "september",
        "10 % afwezig in september",
        ("september_share",),
        0.10,
        _column("september_share"),
    ),
    Rule(
        "last_year",
        "10 % afwezig in het vorige schooljaar",
        ("absent_share_previous_year",),
        0.10,
        _column("absent_share_previous_year"),
    ),
    Rule(
        "share_4w",
        "10 % afwezig in de laatste 4 schoolweken",
        ("absent_share_4w",),
        0.10,
        _column("absent_share_4w"),
    ),
)


def rule(name: str) -> Rule:
    """The rule of this name.

    >>> rule("mazl").fires({
    ...     "sick_episodes_12w": np.array([3, 4, 0, np.nan], dtype=np.float32),
    ...     "current_run_days": np.array([6, 0, 7, 7], dtype=np.float32),
    ... })
    array([False,  True,  True,  True])
    """
    return next(found for found in RULES if found.name == name)
