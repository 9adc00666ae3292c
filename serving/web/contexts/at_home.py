"""The pupils at home of one school, with the clocks that run."""

from dataclasses import dataclass
from typing import ClassVar

from serving.web.contexts.frame import Frame, Option


@dataclass(frozen=True)
class ClockLine:
    """One clock; `is_near` when it runs out within two weeks."""

    label: str
    when: str
    is_near: bool


@dataclass(frozen=True)
class CareForm:
    """Who is in charge and what the offer is, as typed or as it stands."""

    action: str
    in_charge: str
    offers: tuple[Option, ...]
    problem: str


@dataclass(frozen=True)
class HomeLine:
    """One pupil at home, or gone without a known next school."""

    row_id: str
    name: str
    group: str
    since: str
    days: str
    note: str
    kinds: str
    clocks: tuple[ClockLine, ...]
    running: tuple[str, ...]
    last_contact: str
    in_charge: str
    offer: str
    entered: str
    decided: str
    form: CareForm


@dataclass(frozen=True)
class AtHomePage:
    """Who is at home now: since when, until when, what is offered and who is in charge."""

    template: ClassVar[str] = "at_home.html"
    frame: Frame
    school_name: str
    schools: tuple[Option, ...]
    week: int
    data_until: str
    count: str
    long: str
    very_long: str
    reminders: tuple[str, ...]
    lines: tuple[HomeLine, ...]
    leavers: tuple[HomeLine, ...]
    saved: str
    problem: str
    longest: int


@dataclass(frozen=True)
class NobodyHomePage:
    """A school without any list yet."""

    template: ClassVar[str] = "no_at_home.html"
    frame: Frame
    school_name: str
