"""What was agreed between two dates, for the meeting of the care team."""

from dataclasses import dataclass
from typing import ClassVar

from serving.web.contexts.frame import Frame, Option


@dataclass(frozen=True)
class AgreementLine:
    """One agreement: about whom, what, by whom and when."""

    name: str
    group: str
    what: str
    note: str
    owner: str
    look_back: str
    decided: str
    outcome: str


@dataclass(frozen=True)
class TeamPage:
    """The overview of a care team; `may_export` shows the ways to take it along."""

    template: ClassVar[str] = "team.html"
    frame: Frame
    school: str
    school_name: str
    schools: tuple[Option, ...]
    first: str
    last: str
    period: str
    count: str
    lines: tuple[AgreementLine, ...]
    may_export: bool
    made_by: str
    destroy_by: str
    problem: str
