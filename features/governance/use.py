"""One use of features: who, in which role, for which purpose, doing what, at which moment."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from features.vocabulary import Role


class Purpose(StrEnum):
    """What personal data are used for; a contract names the purposes it was approved for."""

    EARLY_WARNING = "early_warning"
    RIGHTS = "rights"
    REGIONAL_REPORT = "regional_report"

    @property
    def label(self) -> str:
        """The Dutch words that people read.

        >>> Purpose.EARLY_WARNING.label
        'vroegsignalering van langdurig verzuim'
        """
        return _PURPOSE_LABELS[self]


_PURPOSE_LABELS = {
    Purpose.EARLY_WARNING: "vroegsignalering van langdurig verzuim",
    Purpose.RIGHTS: "rechten van de leerling en de ouders",
    Purpose.REGIONAL_REPORT: "regionale aantallen",
}


class Action(StrEnum):
    """What is done with features; the gate is asked before each."""

    APPLY = "apply"
    TRAIN = "train"
    PROMOTE = "promote"
    SCORE = "score"
    SHOW = "show"
    REPORT = "report"

    @property
    def label(self) -> str:
        """The Dutch words that people read.

        >>> Action.SHOW.label
        'tonen'
        """
        return _ACTION_LABELS[self]


_ACTION_LABELS = {
    Action.APPLY: "vastleggen",
    Action.TRAIN: "model trainen",
    Action.PROMOTE: "model in gebruik nemen",
    Action.SCORE: "lijst maken",
    Action.SHOW: "tonen",
    Action.REPORT: "aantallen rapporteren",
}


@dataclass(frozen=True)
class Use:
    """One use of features, as it goes to the gate, the ledger and the audit chain.

    `actor` names an account or a job, never a pupil. `moment` is in UTC. `run` ties the uses of one
    training or weekly run together; empty for a use that stands alone.

    >>> Use("ib", Role.JOB, Purpose.EARLY_WARNING, Action.SCORE, datetime(2026, 11, 16))
    Traceback (most recent call last):
    ...
    ValueError: a use needs its moment in UTC; got 2026-11-16 00:00:00 without a time zone
    """

    actor: str
    role: Role
    purpose: Purpose
    action: Action
    moment: datetime
    run: str = ""

    def __post_init__(self) -> None:
        if self.moment.utcoffset() is None:
            raise ValueError(
                f"a use needs its moment in UTC; got {self.moment} without a time zone"
            )
        if self.moment.utcoffset() != timedelta(0):
            raise ValueError(f"a use needs its moment in UTC; got {self.moment}")
