"""What may enter MLflow: names, numbers, listed texts and figures of groups; nothing of a pupil."""

import re
from typing import Any

from features.errors import NotAllowed

PLOTS = frozenset(
    {
        "calibration",
        "lead_time",
        "precision_by_capacity",
        "recall_by_capacity",
        "shap_dependence",
        "shap_importance",
        "shap_summary",
    }
)
TEXTS = frozenset(
    {
        "comparison.md",
        "experiment.toml",
        "model_card.md",
        "proportionality.json",
        "report.html",
        "signature.json",
    }
)
POINTS_IN_A_CURVE = 500
"""A curve with more points is likely to have one per row."""
LONGEST_VALUE = 500
LONGEST_TEXT = 200_000
PUPIL_KEY = re.compile(r"(?<![a-z0-9])p\d[a-z2-7]{26}(?![a-z0-9])")

Scalar = str | int | float | bool


def readable_name(name: object) -> str:
    """A name of a setting, a figure or a tag."""
    if not isinstance(name, str):
        raise NotAllowed(f"a name in MLflow is a text, not a {type(name).__name__}")
    return without_pupils(name)


def scalar(name: str, value: object) -> str:
    """The text of one setting; a table, an array or a long text is refused.

    >>> scalar("rows", [1, 2])
    Traceback (most recent call last):
    ...
    features.errors.NotAllowed: rows: a list does not go to MLflow; give a name or a number
    """
    readable_name(name)
    if not isinstance(value, str | int | float | bool):
        raise NotAllowed(
            f"{name}: a {type(value).__name__} does not go to MLflow; give a name or a number"
        )
    if len(str(value)) > LONGEST_VALUE:
        raise NotAllowed(f"{name}: longer than {LONGEST_VALUE} characters; give its hash instead")
    return without_pupils(str(value))


def number(name: str, value: object) -> float:
    """One number; an array or a text is refused."""
    readable_name(name)
    if isinstance(value, bool | str | bytes) or getattr(value, "shape", ()) != ():
        raise NotAllowed(f"metric {name}: expected one number, got a {type(value).__name__}")
    try:
        return float(value)  # type: ignore[arg-type]
    except TypeError as problem:
        raise NotAllowed(f"metric {name}: expected one number") from problem


def allowed(name: str, names: frozenset[str]) -> None:
    """Refuse what is not on the list of plots or texts."""
    if name not in names:
        raise NotAllowed(
            f"{name} is not on the list of what goes to MLflow ({', '.join(sorted(names))}); "
            "add it in models/entering.py once it is sure to hold no rows"
        )


def without_pupils(text: str) -> str:
    """The text itself, unless a pseudonym stands in it."""
    if PUPIL_KEY.search(text):
        raise NotAllowed("a text for MLflow holds the pseudonym of a pupil; nothing was stored")
    return text


def points(axes: Any) -> int:
    """The most points that one line or cloud of a plot has."""
    lines = [len(line.get_xdata()) for line in axes.get_lines()]
    return max([0, *lines, *(len(cloud.get_offsets()) for cloud in axes.collections)])
