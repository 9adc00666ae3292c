"""What each page shows: one frozen dataclass per template, exactly the names the template uses."""

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True)
class Link:
    """A place to go; `current` marks where one is."""

    label: str
    href: str
    current: bool = False


@dataclass(frozen=True)
class Option:
    """One choice of a form field."""

    value: str
    label: str
    chosen: bool = False


@dataclass(frozen=True)
class Frame:
    """What stands around every page; the form token is empty when nobody is signed in."""

    title: str
    stylesheet: str
    shown_at: str
    person: str = ""
    role: str = ""
    schools: str = ""
    form_token: str = ""
    navigation: tuple[Link, ...] = ()


@dataclass(frozen=True)
class SignInPage:
    """Sign in; `problem` says why the last try failed."""

    template: ClassVar[str] = "sign_in.html"
    frame: Frame
    email: str
    problem: str


@dataclass(frozen=True)
class SetUpPage:
    """Choose a password over a one-time link."""

    template: ClassVar[str] = "set_up.html"
    frame: Frame
    name: str
    email: str
    action: str
    shortest: int
    longest: int
    problem: str


@dataclass(frozen=True)
class MessagePage:
    """Something to tell instead of a page: an error, a spent link."""

    template: ClassVar[str] = "message.html"
    frame: Frame
    heading: str
    lines: tuple[str, ...]
    next_step: Link


@dataclass(frozen=True)
class Column:
    """A column head; with `href` one can sort by it."""

    label: str
    href: str = ""
    aria_sort: str = ""
    hint: str = ""


@dataclass(frozen=True)
class ListLine:
    """One pupil on the list. Nothing here is a number about the pupil."""

    row_id: str
    name: str
    group: str
    theme: str
    remark: str
    newness: str
    is_new: bool
    running: tuple[str, ...]
    status: str
    is_open: bool
    status_detail: str
    earlier: str


@dataclass(frozen=True)
class ListBlock:
    """One block of the list, with the sentence on how it went with such groups before.

    `folded` is what to press to see a block that is too long to stand open; empty otherwise.
    """

    key: str
    heading: str
    explanation: str
    frequency: str
    folded: str
    lines: tuple[ListLine, ...]


@dataclass(frozen=True)
class ListPage:
    """The bespreeklijst of one school and week."""

    template: ClassVar[str] = "list.html"
    frame: Frame
    school: str
    school_name: str
    schools: tuple[Option, ...]
    week: int
    week_of: str
    weeks: tuple[Option, ...]
    sort: str
    direction: str
    count: str
    open_count: str
    capacity: int
    data_until: str
    published: str
    model_version: str
    columns: tuple[Column, ...]
    blocks: tuple[ListBlock, ...]
    keep_until: str
    saved: str


@dataclass(frozen=True)
class NoListPage:
    """A school without any list yet."""

    template: ClassVar[str] = "no_list.html"
    frame: Frame
    school_name: str


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
    """One decision that was kept."""

    when: str
    who: str
    what: str
    owner: str
    look_back: str
    note: str


@dataclass(frozen=True)
class DecisionForm:
    """The form as typed, with what is wrong per field."""

    action: str
    decision_id: str
    kinds: tuple[Option, ...]
    because: tuple[Option, ...]
    owner: str
    look_back_on: str
    earliest: str
    latest: str
    note: str
    longest_note: int
    problems: dict[str, tuple[str, ...]]
    problem_count: str


@dataclass(frozen=True)
class PupilPage:
    """One pupil as of the Monday of the list: facts first, then reasons, then the decision."""

    template: ClassVar[str] = "pupil.html"
    frame: Frame
    back: Link
    name: str
    group: str
    year_group: str
    school_name: str
    place: str
    access_reason: str
    week: int
    data_until: str
    summary: tuple[str, ...]
    calendar: tuple[CalendarPart, ...]
    legend: tuple[Cell, ...]
    support: tuple[SupportLine, ...]
    reasons: tuple[ReasonPart, ...]
    counter_evidence: tuple[str, ...]
    memberships: tuple[MembershipLine, ...]
    decisions: tuple[DecisionLine, ...]
    form: DecisionForm


@dataclass(frozen=True)
class FeatureLine:
    """One feature with its contract."""

    name: str
    label: str
    description: str
    window: str
    source_count: str
    sources: tuple[str, ...]
    purposes: tuple[str, ...]
    legal_basis: str
    special_category: str
    exception: str
    sensitivity: str
    retention_source: str
    retention_value: str
    uses: tuple[str, ...]
    owner: str
    approved: str
    expires: str
    status: str
    needs_attention: bool


@dataclass(frozen=True)
class FeatureGroup:
    """The features of one theme."""

    heading: str
    count: str
    features: tuple[FeatureLine, ...]


@dataclass(frozen=True)
class RegisterPage:
    """The register of features and their contracts."""

    template: ClassVar[str] = "register.html"
    frame: Frame
    total: int
    filters: tuple[Link, ...]
    groups: tuple[FeatureGroup, ...]


@dataclass(frozen=True)
class LedgerLine:
    """One retrieval of features."""

    when: str
    who: str
    role: str
    purpose: str
    action: str
    service: str
    feature_count: str
    features: tuple[str, ...]
    contract: str
    pupils: int
    schools: str
    decision: str
    run: str


@dataclass(frozen=True)
class LedgerPage:
    """Who retrieved which features for what."""

    template: ClassVar[str] = "ledger.html"
    frame: Frame
    total: str
    lines: tuple[LedgerLine, ...]
    newer: str
    older: str


@dataclass(frozen=True)
class AuditLine:
    """One event of the audit chain."""

    number: int
    when: str
    who: str
    role: str
    event: str
    school: str
    subject: str
    detail: str


@dataclass(frozen=True)
class AuditPage:
    """The state of the audit chain and its newest events."""

    template: ClassVar[str] = "audit.html"
    frame: Frame
    intact: bool
    total: str
    problems: tuple[str, ...]
    head: str
    checked: str
    lines: tuple[AuditLine, ...]
    newer: str
    older: str


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


@dataclass(frozen=True)
class GuidePage:
    """What the list does and does not do."""

    template: ClassVar[str] = "guide.html"
    frame: Frame
    contact: str


PAGES = (
    SignInPage,
    SetUpPage,
    MessagePage,
    ListPage,
    NoListPage,
    PupilPage,
    RegisterPage,
    LedgerPage,
    AuditPage,
    ModelPage,
    GuidePage,
)
"""Every page; a test holds each to its template, both ways."""
