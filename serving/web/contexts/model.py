"""The stored comparison of the model in use with the rules."""

from dataclasses import dataclass
from typing import ClassVar

from serving.web.contexts.frame import Frame


@dataclass(frozen=True)
class Measurement:
    """A measured number with its interval, both ready to read."""

    value: str
    interval: str


@dataclass(frozen=True)
class ComparedLine:
    """One model or rule, with a measurement per column."""

    name: str
    kind: str
    is_champion: bool
    measurements: tuple[Measurement, ...]


@dataclass(frozen=True)
class MetricHead:
    """A column of the comparison: what is measured, and which way is better."""

    label: str
    meaning: str


@dataclass(frozen=True)
class PairedLine:
    """The model minus another; `differences` are in the order of the paired metrics."""

    other: str
    differences: tuple[Measurement, ...]


@dataclass(frozen=True)
class ModelPage:
    """The stored comparison of the model in use with the rules."""

    template: ClassVar[str] = "model.html"
    frame: Frame
    facts: tuple[tuple[str, str], ...]
    metrics: tuple[MetricHead, ...]
    lines: tuple[ComparedLine, ...]
    paired_metrics: tuple[str, ...]
    paired: tuple[PairedLine, ...]
    notes: tuple[str, ...]
    missing: str
    tracking: str
