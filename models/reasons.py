"""Why a pupil is on the list, in plain Dutch: facts with dated records under them, no causes."""

from dataclasses import dataclass
from datetime import date

from features.vocabulary import PupilKey, Theme


@dataclass(frozen=True)
class Evidence:
    """One dated record under a reason: "ziek", "hele dag"."""

    day: date
    label: str
    detail: str


@dataclass(frozen=True)
class Reason:
    """What stands out in one theme: a sentence of facts, its records, and the group beside it.

    `comparison` is empty where there is nothing to compare with, or too few classmates.
    """

    theme: Theme
    sentence: str
    evidence: tuple[Evidence, ...]
    comparison: str = ""


@dataclass(frozen=True)
class Explanation:
    """All that is shown beside a listed pupil: at most three reasons, and what stands against."""

    pupil_key: PupilKey
    reasons: tuple[Reason, ...]
    counter_evidence: tuple[str, ...]
    support: tuple[str, ...]
