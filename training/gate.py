"""The one gate before a model is used: every reason why an evaluation does not allow it."""

import math
from collections.abc import Collection, Iterator, Sequence

from training.assess import INCUMBENT, MODEL
from training.bootstrap import Interval
from training.findings import Findings
from training.summary import Summary

SIGNATURES = 2
DOSSIER = frozenset({"comparison.md", "experiment.toml", "model_card.md", "report.html"})
"""What a run must hold to be judged later by someone who was not there."""


def measured_reasons(summary: Summary, in_use: int | None = None) -> Iterator[str]:
    """Why what was measured does not allow promotion; none when it does.

    `in_use` is the version that is in use now. "No difference shown" is not better, and a figure
    that could not be computed is no proof.
    """
    metric = summary.settings["promotion.metric"]
    best = summary.best_rule(metric)
    yield from _not_better(summary, best.name, f"the best rule ({best.label})")
    yield from _calibration(summary)
    found = summary.findings
    if found is None:
        yield "subgroups, stability and tripwires were not measured; train it again"
        return
    yield from _incumbent(summary, found, in_use)
    yield from _subgroups(summary, found)
    yield from _stability(summary, found)
    for wire in found.tripwires:
        if not wire.holds:
            yield f"tripwire {wire.name}: {wire.detail}"


def signature_reasons(signers: Sequence[str]) -> Iterator[str]:
    """Two different people: one person with two spellings is one."""
    if len({" ".join(name.split()).casefold() for name in signers}) < SIGNATURES:
        yield f"needs the signatures of {SIGNATURES} different people, got {len(signers)}"


def dossier_reasons(there: Collection[str]) -> Iterator[str]:
    """What the run must hold and does not.

    >>> list(dossier_reasons(DOSSIER - {"model_card.md"}))
    ['the dossier is not complete: model_card.md is missing']
    """
    missing = sorted(DOSSIER - set(there))
    if missing:
        yield f"the dossier is not complete: {', '.join(missing)} is missing"


def gain_over(summary: Summary, other: str) -> Interval | None:
    """The paired difference with `other` on the metric that decides; None: not measured."""
    metric = summary.settings["promotion.metric"]
    found = (
        each.interval
        for each in summary.comparisons
        if each.other == other and each.metric == metric
    )
    return next(found, None)


def _not_better(summary: Summary, other: str, words: str) -> Iterator[str]:
    gain = gain_over(summary, other)
    if gain is None:
        yield f"not compared with {words}; train it again"
    elif not gain.low > 0:
        yield (
            f"{summary.settings['promotion.metric']} is not shown to be better than {words}: "
            f"{100 * gain.value:+.1f} points ({100 * gain.low:.1f} to {100 * gain.high:.1f})"
        )


def _calibration(summary: Summary) -> Iterator[str]:
    low = float(summary.settings["promotion.calibration_ratio_low"])
    high = float(summary.settings["promotion.calibration_ratio_high"])
    ratio = summary.score(MODEL).metrics["calibration_ratio"].value
    if math.isnan(ratio) or not low <= ratio <= high:
        yield (
            f"expected over observed onsets is {ratio:.2f}; the experiment allows {low} to {high}"
        )


def _incumbent(summary: Summary, found: Findings, in_use: int | None) -> Iterator[str]:
    if in_use is None or in_use == summary.model_version:
        return
    if found.incumbent != in_use:
        yield (
            f"version {in_use} is in use, and this evaluation was measured against "
            f"{found.incumbent or 'none'}; train it again"
        )
        return
    yield from _not_better(summary, INCUMBENT, f"the model in use (version {in_use})")


def _subgroups(summary: Summary, found: Findings) -> Iterator[str]:
    bound = float(summary.settings["promotion.subgroup_loss"])
    for each in found.subgroups:
        if not each.suppressed and each.gain.high < -bound:
            yield (
                f"recall of {each.group} lies {-100 * each.gain.value:.0f} points below what the "
                f"best rule reaches there (at least {-100 * each.gain.high:.0f}); the experiment "
                f"allows {100 * bound:.0f}"
            )


def _stability(summary: Summary, found: Findings) -> Iterator[str]:
    for name, words in (("first_reason", "first"), ("second_reason", "second")):
        wanted = float(summary.settings[f"promotion.{name}"])
        if wanted < 0:
            continue
        kept = found.stability.get(f"reasons_same_{words}", math.nan)
        if math.isnan(kept):
            yield f"how steady the {words} reason is was not measured; give the experiment `seeds`"
        elif kept < wanted:
            yield (
                f"the {words} reason stays the same for {100 * kept:.0f} % of listed pupils when "
                f"the model is fitted again; the experiment asks {100 * wanted:.0f} %"
            )
