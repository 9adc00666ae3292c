"""Two models side by side, and what may be decided on it."""

from dataclasses import dataclass
from typing import ClassVar

from serving.web.contexts.frame import Frame, Link
from serving.web.contexts.model import ComparedLine, Measurement, MetricHead, PairedLine


@dataclass(frozen=True)
class GroupLine:
    """A group of pupils for whom the two differ beyond chance."""

    group: str
    difference: Measurement


@dataclass(frozen=True)
class FeatureLine:
    """A feature that only one of the two uses."""

    label: str
    added: bool
    sensitivity: str
    health: bool


@dataclass(frozen=True)
class ComparisonPage:
    """One stored comparison, and links to the others; `missing` says why there is none."""

    template: ClassVar[str] = "comparison.html"
    frame: Frame
    others: tuple[Link, ...]
    verdict: str
    facts: tuple[tuple[str, str], ...]
    metrics: tuple[MetricHead, ...]
    lines: tuple[ComparedLine, ...]
    paired_metrics: tuple[str, ...]
    paired: tuple[PairedLine, ...]
    changes: tuple[tuple[str, str, str, str], ...]
    reasons: tuple[tuple[str, str], ...]
    groups: tuple[GroupLine, ...]
    features: tuple[FeatureLine, ...]
    costs: tuple[tuple[str, ...], ...]
    version: str
    better: bool
    missing: str
