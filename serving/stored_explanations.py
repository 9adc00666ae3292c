"""Explanations as plain values, as they stand beside a row of a published list."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from features.vocabulary import PupilKey, Theme
from models.reasons import Evidence, Explanation, Reason


def explanation_to_json(explanation: Explanation) -> dict[str, Any]:
    """An explanation as plain values; the pupil key stands beside it in the row, not in it."""
    return {
        "reasons": [_reason_to_json(reason) for reason in explanation.reasons],
        "counter_evidence": list(explanation.counter_evidence),
        "support": list(explanation.support),
    }


def _reason_to_json(reason: Reason) -> dict[str, Any]:
    return {
        "theme": reason.theme.value,
        "sentence": reason.sentence,
        "evidence": [
            {"day": item.day.isoformat(), "label": item.label, "detail": item.detail}
            for item in reason.evidence
        ],
        "comparison": reason.comparison,
    }


def explanation_from_json(pupil_key: PupilKey, content: Mapping[str, Any]) -> Explanation:
    """The explanation that `explanation_to_json` wrote down."""
    return Explanation(
        pupil_key=pupil_key,
        reasons=tuple(
            Reason(
                theme=Theme(reason["theme"]),
                sentence=reason["sentence"],
                evidence=tuple(
                    Evidence(date.fromisoformat(item["day"]), item["label"], item["detail"])
                    for item in reason["evidence"]
                ),
                comparison=reason["comparison"],
            )
            for reason in content["reasons"]
        ),
        counter_evidence=tuple(content["counter_evidence"]),
        support=tuple(content["support"]),
    )
