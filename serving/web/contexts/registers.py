"""The privacy officer's registers: features, their use, the audit chain."""

from dataclasses import dataclass
from typing import ClassVar

from serving.web.contexts.frame import Frame, Link, Option


@dataclass(frozen=True)
class FeatureLine:
    """One feature with its contract."""

    name: str
    label: str
    formula: str
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
    address: str
    sentence: str
    used: str
    importance: str
    worth: str


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
    warnings: tuple[str, ...]


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
class PivotRow:
    """Use counted by month, purpose and role."""

    month: str
    purpose: str
    role: str
    retrievals: int
    features: int
    pupils: int


@dataclass(frozen=True)
class Choice:
    """One way to narrow the ledger: a name, its label, and what one can choose."""

    name: str
    label: str
    options: tuple[Option, ...]


@dataclass(frozen=True)
class LedgerPage:
    """Who retrieved which features for what."""

    template: ClassVar[str] = "ledger.html"
    frame: Frame
    choices: tuple[Choice, ...]
    downloads: tuple[Link, ...]
    counted: tuple[PivotRow, ...]
    per_feature: tuple[tuple[str, ...], ...]
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
    signed: str
    lines: tuple[AuditLine, ...]
    newer: str
    older: str
