"""What a model loses without a theme or a feature: the measured table, as one file of its run.

Training measures it (`training.proportionality`), pages show it. Nothing of a pupil stands in it.
"""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from features.errors import NotThere, VerificationFailed
from models.registry import Registry

FILE = "proportionality.json"


class Verdict(StrEnum):
    """What a loss and its interval say; "not shown" is no proof that a feature adds nothing."""

    NEEDED = "needed"
    SPARE = "spare"
    NOT_SHOWN_NEEDED = "not_shown_needed"
    BETTER_WITHOUT = "better_without"
    NOT_MEASURED = "not_measured"

    @property
    def words(self) -> str:
        """In Dutch, for people."""
        return _WORDS[self]


_WORDS = {
    Verdict.NEEDED: "nodig: zonder dit vindt de lijst aantoonbaar minder of later",
    Verdict.SPARE: "kan gemist worden: het verlies is aantoonbaar klein",
    Verdict.NOT_SHOWN_NEEDED: "niet aantoonbaar nodig",
    Verdict.BETTER_WITHOUT: "zonder dit vindt de lijst aantoonbaar meer",
    Verdict.NOT_MEASURED: "niet gemeten",
}


@dataclass(frozen=True)
class Estimate:
    """A figure and the interval of its resamples; NaN where it could not be measured."""

    value: float = math.nan
    low: float = math.nan
    high: float = math.nan

    @property
    def measured(self) -> bool:
        """Whether there is an interval."""
        return not (math.isnan(self.low) or math.isnan(self.high))

    def to_json(self) -> list[float | None]:
        """Value, low and high; null where it was not measured."""
        figures = (self.value, self.low, self.high)
        return [each if math.isfinite(each) else None for each in figures]

    @classmethod
    def from_json(cls, found: Any) -> "Estimate":
        """What `to_json` wrote.

        >>> Estimate.from_json([0.1, None, None]).measured
        False
        """
        return cls(*(math.nan if each is None else float(each) for each in found))


@dataclass(frozen=True)
class Without:
    """The whole model minus one fitted again without a theme or feature, paired on the same rows.

    Positive is what is lost without it: recall at the schools' capacity (a share), and the school
    weeks between first listing and onset, the mean over all onsets (not caught: none). `kind` is
    "theme" or "feature", `features` are those left out.
    """

    kind: str
    name: str
    features: tuple[str, ...]
    recall_difference: Estimate
    lead_difference_weeks: Estimate
    verdict: Verdict


@dataclass(frozen=True)
class SmallestSufficient:
    """The smallest set of features found that keeps what the lists find, and what it still loses.

    Found on folds before the test year, measured on it once. `left_out` are the others.
    """

    features: tuple[str, ...]
    left_out: tuple[str, ...]
    recall_difference: Estimate
    lead_difference_weeks: Estimate
    verdict: Verdict


@dataclass(frozen=True)
class Proportionality:
    """The whole table of one model version; `reference` holds the figures of the whole model.

    `margin` is the loss of recall that counts as small. `smallest_sufficient` is None when it was
    not searched. `same_model`: the whole model, fitted again, is the registered one to the byte.
    """

    model_version: int
    made_at: str
    tested_on: str
    level: float
    margin: float
    same_model: bool
    reference: Mapping[str, Estimate]
    without: tuple[Without, ...]
    smallest_sufficient: SmallestSufficient | None = None

    def to_json(self) -> str:
        """The document; the same table gives the same text."""
        document = {
            "model_version": self.model_version,
            "made_at": self.made_at,
            "tested_on": self.tested_on,
            "level": self.level,
            "margin": self.margin,
            "same_model": self.same_model,
            "reference": {name: each.to_json() for name, each in self.reference.items()},
            "without": [
                {"kind": each.kind, "name": each.name, "features": list(each.features)}
                | _figures(each)
                for each in self.without
            ],
            "smallest_sufficient": None,
        }
        if (smallest := self.smallest_sufficient) is not None:
            document["smallest_sufficient"] = {
                "features": list(smallest.features),
                "left_out": list(smallest.left_out),
            } | _figures(smallest)
        return json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False) + "\n"

    @classmethod
    def from_json(cls, text: str) -> "Proportionality":
        """The table that `to_json` wrote; `VerificationFailed` when it is another document."""
        try:
            return cls._read(json.loads(text))
        except (KeyError, TypeError, ValueError) as problem:
            raise VerificationFailed(
                f"{FILE} of the run is damaged; measure it again with `tijdig proportionality`"
            ) from problem

    @classmethod
    def _read(cls, document: Mapping[str, Any]) -> "Proportionality":
        smallest = document["smallest_sufficient"]
        return cls(
            model_version=int(document["model_version"]),
            made_at=str(document["made_at"]),
            tested_on=str(document["tested_on"]),
            level=float(document["level"]),
            margin=float(document["margin"]),
            same_model=bool(document["same_model"]),
            reference={
                name: Estimate.from_json(each) for name, each in document["reference"].items()
            },
            without=tuple(
                Without(each["kind"], each["name"], tuple(each["features"]), *_read_figures(each))
                for each in document["without"]
            ),
            smallest_sufficient=None
            if smallest is None
            else SmallestSufficient(
                tuple(smallest["features"]), tuple(smallest["left_out"]), *_read_figures(smallest)
            ),
        )


def verdict(recall: Estimate, lead: Estimate, margin: float) -> Verdict:
    """What the losses of recall and of lead say, each by its whole interval.

    >>> verdict(Estimate(0.05, 0.01, 0.09), Estimate(), 0.01).value
    'needed'
    >>> verdict(Estimate(0.0, -0.004, 0.004), Estimate(0.0, -0.1, 0.1), 0.01).value
    'spare'
    >>> verdict(Estimate(0.02, -0.01, 0.05), Estimate(0.0, -0.1, 0.1), 0.01).value
    'not_shown_needed'
    """
    if not recall.measured:
        return Verdict.NOT_MEASURED
    if recall.low > 0 or lead.low > 0:
        return Verdict.NEEDED
    if recall.high < 0:
        return Verdict.BETTER_WITHOUT
    return Verdict.SPARE if recall.high <= margin else Verdict.NOT_SHOWN_NEEDED


def write(registry: Registry, run_id: str, found: Proportionality) -> None:
    """Keep the table with its run, in the place of an earlier one."""
    registry.attach(run_id, FILE, found.to_json())


def read(registry: Registry, run_id: str) -> Proportionality | None:
    """The table of a run; None while it was not measured."""
    try:
        return Proportionality.from_json(registry.read_text(run_id, FILE))
    except NotThere:
        return None


def _figures(each: Without | SmallestSufficient) -> dict[str, Any]:
    return {
        "recall_difference": each.recall_difference.to_json(),
        "lead_difference_weeks": each.lead_difference_weeks.to_json(),
        "verdict": each.verdict.value,
    }


def _read_figures(found: Mapping[str, Any]) -> tuple[Estimate, Estimate, Verdict]:
    return (
        Estimate.from_json(found["recall_difference"]),
        Estimate.from_json(found["lead_difference_weeks"]),
        Verdict(found["verdict"]),
    )
