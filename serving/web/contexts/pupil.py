"""The page of one pupil: facts first, then reasons, then the decision."""

from dataclasses import dataclass
from typing import ClassVar

from serving.web.contexts.frame import Frame, Link, Option


@dataclass(frozen=True)
class Cell:
    """One day of the calendar: a letter, a style, and what a screen reader says."""

    letter: str
    style: str
    spoken: str


@dataclass(frozen=True)
class WeekHead:
    """One week above the calendar; `after_holiday` when weeks without school lie before it."""

    number: int
    spoken: str
    after_holiday: bool


@dataclass(frozen=True)
class CalendarLine:
    """A weekday, or one kind of support, over the weeks of a part of the calendar."""

    label: str
    spoken: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class CalendarPart:
    """Ten weeks of the calendar; four of them stand beside or below each other."""

    caption: str
    weeks: tuple[WeekHead, ...]
    days: tuple[CalendarLine, ...]
    support: tuple[CalendarLine, ...]


@dataclass(frozen=True)
class SupportLine:
    """One thing arranged or talked about, with the number it has in the calendar."""

    number: int
    kind: str
    status: str
    period: str


@dataclass(frozen=True)
class EvidenceLine:
    """One record under a reason."""

    day: str
    label: str
    detail: str


@dataclass(frozen=True)
class ReasonPart:
    """One reason: a sentence, what it compares with, and the records it rests on."""

    theme: str
    sentence: str
    comparison: str
    evidence: tuple[EvidenceLine, ...]
    evidence_count: str


@dataclass(frozen=True)
class MembershipLine:
    """Where the pupil stood in one week."""

    week: str
    place: str
    is_this: bool


@dataclass(frozen=True)
class DecisionLine:
    """One decision that was kept, and how it went; `outcomes` is empty where nothing was agreed."""

    decision_id: str
    when: str
    who: str
    what: str
    owner: str
    look_back: str
    note: str
    outcome: str
    outcomes: tuple[Option, ...]


@dataclass(frozen=True)
class StepGroup:
    """One part of the ladder of steps."""

    key: str
    heading: str
    steps: tuple[Option, ...]


@dataclass(frozen=True)
class DecisionForm:
    """The form as typed, with what is wrong per field."""

    action: str
    decision_id: str
    steps: tuple[StepGroup, ...]
    because: tuple[Option, ...]
    owner: str
    owners: tuple[str, ...]
    look_back_on: str
    earliest: str
    latest: str
    note: str
    longest_note: int
    problems: dict[str, tuple[str, ...]]
    problem_count: str


@dataclass(frozen=True)
class PupilPage:
    """One pupil as of the Monday of the list: facts first, then reasons, then the decision.

    `not_weighed` says how a pupil came here about whom nothing was weighed; empty for others.
    `all_values` leads to everything that was counted; None for who is not on this week's list.
    """

    template: ClassVar[str] = "pupil.html"
    frame: Frame
    back: Link
    name: str
    group: str
    year_group: str
    school_name: str
    place: str
    access_reason: str
    row_id: str
    saved: str
    week: int
    data_until: str
    summary: tuple[str, ...]
    calendar: tuple[CalendarPart, ...]
    legend: tuple[Cell, ...]
    support: tuple[SupportLine, ...]
    reasons: tuple[ReasonPart, ...]
    counter_evidence: tuple[str, ...]
    not_weighed: str
    all_values: Link | None
    memberships: tuple[MembershipLine, ...]
    decisions: tuple[DecisionLine, ...]
    legal: str
    form: DecisionForm
