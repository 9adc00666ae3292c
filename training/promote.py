"""The gate before a model is used: better than the best rule, calibrated, permitted, signed."""

import hashlib
import math
from collections.abc import Iterator, Sequence
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
from models.registry import RegisteredVersion, Registry
from training.assess import MODEL
from training.summary import IN_USE, Summary, evaluation_path, read_summary

PROMOTED, REFUSED = "model_promoted", "model_promotion_refused"
TRIED_OUT = "model_tried_out"
SIGNATURES = 2


def promote(home: Home, version: str, signed_by: Sequence[str], use: Use) -> tuple[str, ...]:
    """Make a registered version ("latest" or its number) the champion, or refuse with all reasons.

    Needs the signatures of two different people. The first model needs no incumbent. Whatever is
    decided, with its reasons, stands in the audit chain. Gives the lines to show.
    """
    registry = Registry.at(home)
    registered = _registered(registry, version)
    summary = _verified_summary(home, registry, registered)
    engine = open_ledger(home)
    chain = AuditChain(engine)
    asked = replace(use, action=Action.PROMOTE, run=registered.run_id)
    bundle = registry.bundle(registered.number)
    definitions = {name: feature(name).definition_hash for name in bundle.features}
    decision = Gate(read_contracts(), engine).check(definitions, asked)
    signers = sorted({name.strip() for name in signed_by if name.strip()})
    reasons = [*_signature_reasons(signers), *measured_reasons(summary)]
    detail: dict[str, str | int] = {
        "version": registered.number,
        "bundle": registered.bundle_hash,
        "evaluation": hashlib.sha256(_document(home, registered.number)).hexdigest(),
        "gate_decision": decision.number,
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


def measured_reasons(summary: Summary) -> Iterator[str]:
    """Why this evaluation does not allow promotion; none when it does.

    "No difference shown" is not better, and a figure that could not be computed is no proof.
    """
    metric = summary.settings["promotion.metric"]
    best = summary.best_rule(metric)
    gain = next(
        each.interval
        for each in summary.comparisons
        if each.other == best.name and each.metric == metric
    )
    if not gain.low > 0:
        yield (
            f"{metric} is not shown to be better than the best rule ({best.label}): "
            f"{100 * gain.value:+.1f} points ({100 * gain.low:.1f} to {100 * gain.high:.1f})"
        )
    low = float(summary.settings["promotion.calibration_ratio_low"])
    high = float(summary.settings["promotion.calibration_ratio_high"])
    ratio = summary.score(MODEL).metrics["calibration_ratio"].value
    if math.isnan(ratio) or not low <= ratio <= high:
        yield (
            f"expected over observed onsets is {ratio:.2f}; the experiment allows {low} to {high}"
        )


def _signature_reasons(signers: Sequence[str]) -> Iterator[str]:
    if len({name.casefold() for name in signers}) < SIGNATURES:
        yield f"needs the signatures of {SIGNATURES} different people, got {len(signers)}"


def _is_decisive(summary: Summary, other: str) -> bool:
    return other == summary.best_rule(summary.settings["promotion.metric"]).name


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
