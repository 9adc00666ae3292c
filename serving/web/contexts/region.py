"""Counts of a region, for the coordinator of the samenwerkingsverband."""

from dataclasses import dataclass
from typing import ClassVar

from serving.web.contexts.frame import Frame


@dataclass(frozen=True)
class Bar:
    """One bar of the chart, from the bottom up, in the units of the drawing."""

    x: float
    y: float
    width: float
    height: float
    style: str


@dataclass(frozen=True)
class Mark:
    """A word or a line beside the bars."""

    x: float
    y: float
    text: str


@dataclass(frozen=True)
class Chart:
    """A drawing of the months; the table beside it holds the same numbers."""

    width: int
    height: int
    title: str
    summary: str
    bars: tuple[Bar, ...]
    months: tuple[Mark, ...]
    levels: tuple[Mark, ...]
    hidden: tuple[Mark, ...]
    base: float
    left: float


@dataclass(frozen=True)
class PeriodLine:
    """One row of a table: every count ready to read, also where it is hidden."""

    name: str
    counts: tuple[str, ...]


@dataclass(frozen=True)
class NowLine:
    """One count of this moment."""

    label: str
    count: str
    explanation: str


@dataclass(frozen=True)
class RegionPage:
    """The counts by month and school year; no school and no pupil is told apart."""

    template: ClassVar[str] = "region.html"
    frame: Frame
    schools: str
    pupils: str
    until: str
    now: tuple[NowLine, ...]
    chart: Chart | None
    months: tuple[PeriodLine, ...]
    years: tuple[PeriodLine, ...]
    is_too_small: bool
