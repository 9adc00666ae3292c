"""The contract of each feature: why it may be used, on what ground, for what and until when."""

import functools
import hashlib
import json
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol

from features.errors import SettingsError
from features.governance.database import canonical
from features.governance.use import Action, Purpose

CONTRACTS_FILE = Path(__file__).with_name("contracts.toml")


class Sensitivity(StrEnum):
    """How much a value tells about a pupil that others need not know."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


@dataclass(frozen=True)
class AllowedUses:
    """What may be done with the value of one feature."""

    train: bool
    score: bool
    show: bool
    report: bool

    def permits(self, action: Action) -> bool:
        """Whether `action` may touch the feature; a promoted model has learned from it and scores.

        >>> uses = AllowedUses(train=True, score=False, show=False, report=False)
        >>> uses.permits(Action.TRAIN), uses.permits(Action.PROMOTE), uses.permits(Action.APPLY)
        (True, False, True)
        """
        return {
            Action.APPLY: True,
            Action.TRAIN: self.train,
            Action.PROMOTE: self.train and self.score,
            Action.SCORE: self.score,
            Action.SHOW: self.show,
            Action.REPORT: self.report,
        }[action]


@dataclass(frozen=True)
class FeatureContract:
    """The terms for one feature, as approved.

    `special_category` names the kind of special personal data (empty: none) and `exception` the
    ground to use it nevertheless, with the reasoning. Retention terms are ISO durations.
    `approved_on` None: not approved (yet). From `expires_on` on the contract no longer holds.
    """

    name: str
    purpose: tuple[Purpose, ...]
    legal_basis: str
    special_category: str
    exception: str
    sources: tuple[str, ...]
    retention_source: str
    retention_value: str
    uses: AllowedUses
    sensitivity: Sensitivity
    owner: str
    approved_by: str
    approved_on: date | None
    expires_on: date
    definition_hash: str

    def content_hash(self) -> str:
        """SHA-256 of all terms: the version of this contract."""
        return self._content_hash

    @functools.cached_property
    def _content_hash(self) -> str:
        # Once: each look at a pupil asks for those of all features, three times.
        return hashlib.sha256(_entry(self).encode()).hexdigest()

    def terms_hash(self) -> str:
        """SHA-256 of the terms without their approval: what a privacy officer decides on."""
        return replace(
            self, approved_by="", approved_on=None, expires_on=_UNAPPROVED_UNTIL
        ).content_hash()


@dataclass(frozen=True)
class Approval:
    """Who approved, when, and until when it holds."""

    approved_by: str
    approved_on: date
    expires_on: date


class Defined(Protocol):
    """What a contract needs to know of a feature of the catalogue."""

    @property
    def name(self) -> str: ...
    @property
    def sources(self) -> tuple[str, ...]: ...
    @property
    def health(self) -> bool: ...
    @property
    def definition_hash(self) -> str: ...


def read_contracts(path: Path = CONTRACTS_FILE) -> dict[str, FeatureContract]:
    """The contracts by feature name, in the order of the file; all problems reported at once."""
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as problem:
        raise SettingsError(f"{path}: the contracts cannot be read ({problem})") from problem
    contracts: dict[str, FeatureContract] = {}
    problems: list[str] = []
    for number, entry in enumerate(document.get("contract", []), start=1):
        here = f"contract {number} ({entry.get('name', 'without a name')})"
        try:
            contract = _contract(entry)
        except (TypeError, ValueError) as problem:
            problems.append(f"{here}: {problem}")
            continue
        if contract.name in contracts:
            problems.append(f"{here}: stands in the file twice")
        contracts[contract.name] = contract
    if problems:
        raise SettingsError(f"{path}: {'; '.join(problems)}")
    return contracts


def voided(
    features: Iterable[Defined], contracts: Mapping[str, FeatureContract]
) -> tuple[str, ...]:
    """The features whose contract was made for another definition, or for other code."""
    return tuple(
        one.name
        for one in features
        if one.name in contracts and contracts[one.name].definition_hash != one.definition_hash
    )


def contract_hash(contracts: Iterable[FeatureContract]) -> str:
    """SHA-256 over the versions of several contracts, whatever their order.

    >>> contract_hash([])[:8]
    '4f53cda1'
    """
    versions = sorted(f"{contract.name} {contract.content_hash()}" for contract in contracts)
    return hashlib.sha256(canonical(versions).encode()).hexdigest()


def write_contracts(
    features: Sequence[Defined],
    path: Path = CONTRACTS_FILE,
    *,
    approval: Approval | None = None,
    approve_again: bool = False,
) -> dict[str, FeatureContract]:
    """Write one contract per feature to `path`, keeping the hand-written terms that stand there.

    A feature that is new, or whose definition or code changed, loses its approval, so that the gate
    stops it, unless `approval` is given: then every contract gets it. With `approve_again` an
    approval that stood stands for what the feature is now. Contracts of features that are gone are
    left out.
    """
    known = read_contracts(path) if path.exists() else {}
    contracts = {}
    for feature in features:
        before = known.get(feature.name)
        contracts[feature.name] = _renew(before, feature, approval)
        if approve_again and before and before.approved_on:
            stood = Approval(before.approved_by, before.approved_on, before.expires_on)
            contracts[feature.name] = _renew(before, feature, stood)
    entries = "\n".join(f"[[contract]]\n{_entry(contract)}" for contract in contracts.values())
    path.write_text(f"{_HEADING}\n{entries}", encoding="utf-8")
    return contracts


_HEADING = """\
# One contract per feature. Terms may be changed by hand; `tijdig privacy contracts` keeps them and
# fills in what follows from the catalogue and from the code that computes the features. A changed
# definition_hash needs a new approval: until then the gate refuses the feature.
"""
_LEGAL_BASIS = "AVG 6(1)(e), te bevestigen door de FG"
_HEALTH = "gezondheid (AVG 9(1))"
_HEALTH_EXCEPTION = (
    "UAVG 30 lid 2 a: noodzakelijk voor de begeleiding van leerlingen in verband met hun "
    "gezondheidstoestand. Alleen dat een leerling ziek is gemeld en wanneer, nooit waarom; "
    "oplopende ziekmeldingen zijn een van de vroegste tekenen van langdurig verzuim. "
    "Te bevestigen door de FG."
)
_UNAPPROVED_UNTIL = date(1970, 1, 1)


def _renew(
    known: FeatureContract | None, feature: Defined, approval: Approval | None
) -> FeatureContract:
    contract = known or _proposal(feature)
    changed = contract.definition_hash != feature.definition_hash
    contract = replace(
        contract, definition_hash=feature.definition_hash, sources=tuple(feature.sources)
    )
    if feature.health and not contract.special_category:
        contract = replace(contract, special_category=_HEALTH, exception=_HEALTH_EXCEPTION)
    if approval is not None:
        return replace(
            contract,
            approved_by=approval.approved_by,
            approved_on=approval.approved_on,
            expires_on=approval.expires_on,
        )
    return replace(contract, approved_by="", approved_on=None) if changed else contract


def _proposal(feature: Defined) -> FeatureContract:
    return FeatureContract(
        name=feature.name,
        purpose=(Purpose.EARLY_WARNING,),
        legal_basis=_LEGAL_BASIS,
        special_category=_HEALTH if feature.health else "",
        exception=_HEALTH_EXCEPTION if feature.health else "",
        sources=tuple(feature.sources),
        retention_source="P5Y",
        retention_value="P4Y",  # the current school year and the three before it
        uses=AllowedUses(train=True, score=True, show=True, report=False),
        sensitivity=_sensitivity(feature),
        owner="samenwerkingsverband (voorbeeld)",
        approved_by="",
        approved_on=None,
        expires_on=_UNAPPROVED_UNTIL,
        definition_hash="",
    )


def _sensitivity(feature: Defined) -> Sensitivity:
    tables = {source.split(".")[0] for source in feature.sources}
    if feature.health or "support" in tables:
        return Sensitivity.HIGH
    return Sensitivity.MEDIUM if "absence" in tables else Sensitivity.LOW


def _entry(contract: FeatureContract) -> str:
    """One contract as TOML, without its heading; JSON strings are TOML strings."""
    lines = []
    for field in fields(contract):
        value = getattr(contract, field.name)
        if value is None:
            continue
        lines.append(f"{field.name} = {_toml(value)}\n")
    return "".join(lines)


def _toml(value: object) -> str:
    match value:
        case date():
            return value.isoformat()
        case AllowedUses():
            pairs = (f"{use.name} = {_toml(getattr(value, use.name))}" for use in fields(value))
            return f"{{ {', '.join(pairs)} }}"
        case _:
            return json.dumps(value, ensure_ascii=False)


def _contract(entry: Mapping[str, Any]) -> FeatureContract:
    names = [field.name for field in fields(FeatureContract)]
    unknown = sorted(set(entry) - set(names))
    missing = sorted(set(names) - set(entry) - {"approved_on"})
    if unknown or missing:
        raise ValueError(
            "; ".join(
                f"{problem} {', '.join(found)}"
                for problem, found in (("unknown:", unknown), ("missing:", missing))
                if found
            )
        )
    approved_on, expires_on = entry.get("approved_on"), entry["expires_on"]
    for day in (approved_on, expires_on):
        if day is not None and type(day) is not date:
            raise ValueError(f"expected a date such as 2026-08-15, got {day!r}")
    plain = {name: entry[name] for name in names if name in entry}
    return FeatureContract(
        **plain
        | {
            "purpose": tuple(Purpose(purpose) for purpose in entry["purpose"]),
            "sources": tuple(entry["sources"]),
            "uses": AllowedUses(**entry["uses"]),
            "sensitivity": Sensitivity(entry["sensitivity"]),
            "approved_on": approved_on,
        }
    )
