"""Putting a model into use, through the gate and signed by two; and taking it out again."""

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from features.catalogue import feature
from features.errors import NotAllowed, NotThere, VerificationFailed
from features.governance import open_ledger
from features.governance.audit import AuditChain
from features.governance.contracts import read_contracts
from features.governance.gate import Gate
from features.governance.use import Action, Use
from features.settings import Home
from models.dossier import missing
from models.in_use import PROMOTED, REFUSED, ROLLED_BACK, TRIED_OUT
from models.registry import RegisteredVersion, Registry
from training.assess import INCUMBENT, MODEL
from training.gate import dossier_reasons, measured_reasons, signature_reasons
from training.summary import IN_USE, Summary, evaluation_path, read_summary


def promote(home: Home, version: str, signed_by: Sequence[str], use: Use) -> tuple[str, ...]:
    """Make a registered version ("latest" or its number) the champion, or refuse with all reasons.

    Needs the signatures of two different people. The first model needs no incumbent. Whatever is
    decided, with its reasons, stands in the audit chain. Gives the lines to show.
    """
    registry = Registry.at(home)
    registered = _registered(registry, version)
    summary = _verified_summary(home, registry, registered)
    chain = AuditChain(open_ledger(home))
    decision = _permitted(home, registry, registered, use)
    signers = sorted({name.strip() for name in signed_by if name.strip()})
    reasons = [
        *signature_reasons(signers),
        *measured_reasons(summary, registry.champion_number()),
        *dossier_reasons(registry.texts(registered.run_id)),
        *missing(home, registered.number, use.moment.date()),
    ]
    detail: dict[str, str | int] = {
        "version": registered.number,
        "bundle": registered.bundle_hash,
        "evaluation": hashlib.sha256(_document(home, registered.number)).hexdigest(),
        "gate_decision": decision,
        "signed_by": "; ".join(signers),
        "reasons": "; ".join(reasons),
    }
    event = REFUSED if reasons else PROMOTED
    subject = f"model version {registered.number}"
    chain.append(use.moment, use.actor, use.role, event, subject, detail=detail)
    if reasons:
        raise NotAllowed(f"{subject} is not promoted: {'; '.join(reasons)}")
    registry.set_champion(registered.number)
    _publish_evaluation(home, summary)
    return (
        f"version {registered.number} is the champion; signed by {' and '.join(signers)}",
        *(
            difference.line()
            for difference in summary.comparisons
            if _is_decisive(summary, difference.other)
        ),
    )


def rollback(home: Home, use: Use) -> tuple[str, ...]:
    """Put the version back that was in use before this one; one person may do it, at once.

    The features of that version must still be permitted. Stands in the audit chain.
    """
    registry, chain = Registry.at(home), AuditChain(open_ledger(home))
    used = _used(chain)
    if len(used) < 2:
        raise NotThere("no version was in use before this one; there is nothing to go back to")
    now, before = used[-1], _registered(registry, str(used[-2]))
    summary = _verified_summary(home, registry, before)
    detail: dict[str, str | int] = {
        "version": before.number,
        "instead_of": now,
        "bundle": before.bundle_hash,
        "gate_decision": _permitted(home, registry, before, use),
    }
    subject = f"model version {before.number}"
    chain.append(use.moment, use.actor, use.role, ROLLED_BACK, subject, detail=detail)
    registry.set_champion(before.number)
    _publish_evaluation(home, summary)
    return (f"version {before.number} is in use again, instead of version {now}",)


def _used(chain: AuditChain) -> list[int]:
    """The versions that came into use one upon the other; a rollback takes the last one off."""
    used: list[int] = []
    for row in reversed(chain.rows()):
        if row.event in (PROMOTED, TRIED_OUT):
            used.append(int(row.detail["version"]))
        elif row.event == ROLLED_BACK:
            used.pop()
    return used


def _permitted(home: Home, registry: Registry, version: RegisteredVersion, use: Use) -> int:
    """The number of the gate's decision that this model's features may be used; or it raises."""
    bundle = registry.bundle(version.number)
    definitions = {name: feature(name).definition_hash for name in bundle.features}
    asked = replace(use, action=Action.PROMOTE, run=version.run_id)
    return Gate(read_contracts(), open_ledger(home)).check(definitions, asked).number


def try_out(home: Home, version: str, use: Use) -> tuple[str, ...]:
    """Use a model that was not promoted, on an invented region only: to see lists and pages.

    The truth of a simulation beside the records is what tells an invented region: on records of
    real pupils this is refused, and only `promote` puts a model into use. Stands in the chain.
    """
    if not home.truth.exists():
        raise NotAllowed(
            f"{home.root} does not hold an invented region; on records of pupils only a promoted "
            "model is used"
        )
    registry = Registry.at(home)
    registered = _registered(registry, version)
    summary = _verified_summary(home, registry, registered)
    subject = f"model version {registered.number}"
    chain = AuditChain(open_ledger(home))
    detail: dict[str, str | int] = {
        "version": registered.number,
        "bundle": registered.bundle_hash,
    }
    chain.append(use.moment, use.actor, use.role, TRIED_OUT, subject, detail=detail)
    registry.set_champion(registered.number)
    _publish_evaluation(home, summary)
    return (f"{subject} is tried out on this invented region; it is not promoted",)


def _is_decisive(summary: Summary, other: str) -> bool:
    best = summary.best_rule(summary.settings["promotion.metric"]).name
    return other in (best, INCUMBENT)


def _registered(registry: Registry, version: str) -> RegisteredVersion:
    versions = registry.versions()
    if not versions:
        raise NotThere("no model is registered; run `tijdig train` first")
    if version == "latest":
        return versions[-1]
    for each in versions:
        if str(each.number) == version:
            return each
    known = ", ".join(str(each.number) for each in versions)
    raise NotThere(f"there is no model version {version!r}; known are {known} and latest")


def _document(home: Home, version: int) -> bytes:
    return evaluation_path(home, version).read_bytes()


def _verified_summary(home: Home, registry: Registry, version: RegisteredVersion) -> Summary:
    """The evaluation of this very bundle, as it was recorded when it was measured."""
    summary = read_summary(home, version.number)
    recorded = next(
        (run for run in registry.runs(summary.experiment) if run.run_id == version.run_id), None
    )
    digest = hashlib.sha256(_document(home, version.number)).hexdigest()
    sealed = recorded is not None and recorded.tags.get("evaluation_sha256") == digest
    if not sealed or summary.bundle_hash != version.bundle_hash:
        raise VerificationFailed(
            f"{evaluation_path(home, version.number)} is not what was measured of version "
            f"{version.number}; train it again"
        )
    return summary


def _publish_evaluation(home: Home, summary: Summary) -> Path:
    """The evaluation of the model in use, where its page reads it."""
    rows = tuple(replace(row, champion=row.name == MODEL) for row in summary.rows)
    path = home.root / IN_USE
    path.write_text(replace(summary, rows=rows).to_json(), encoding="utf-8")
    return path
