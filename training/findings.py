"""What an evaluation finds beside its main table, as one value."""

from collections.abc import Mapping
from dataclasses import dataclass

from training.calibrators import CalibratorFigures
from training.late import LateRecording
from training.lead import LeadPoint
from training.subgroups import Subgroup
from training.tripwires import Tripwire


@dataclass(frozen=True)
class Findings:
    """Everything beside the main table; `stability` is empty when nothing was fitted again.

    `looks` counts how often this test year was looked at, this time included. `incumbent` is the
    version that was in use and measured on the same rows (None: none was).
    """

    looks: int
    incumbent: int | None
    features: tuple[str, ...]
    subgroups: tuple[Subgroup, ...]
    helped: tuple[Subgroup, ...]
    calibrators: tuple[CalibratorFigures, ...]
    lead: Mapping[str, tuple[LeadPoint, ...]]
    late: LateRecording | None
    stability: Mapping[str, float]
    tripwires: tuple[Tripwire, ...]
