"""The parts of GLOSSARY.md that follow from the code: words of the domain, and the features.

`python -m features.catalogue.glossary` writes them again; a test tells when that is needed.
"""

from pathlib import Path
from typing import Any

from features import vocabulary
from features.catalogue import CATALOGUE

GLOSSARY_FILE = Path(__file__).parents[1] / "GLOSSARY.md"
BEGIN, END = "<!-- generated: {} -->", "<!-- end of {} -->"

_MEANINGS = {
    "AbsenceKind": "absence kinds",
    "SupportKind": "support kinds",
    "SupportStatus": "support statuses",
    "Sector": "sectors",
    "Theme": "themes of explanation",
    "Role": "roles",
}


def vocabulary_tables() -> str:
    """The values of every enumeration people read words of, with the Dutch word of each."""
    parts = []
    for name, heading in _MEANINGS.items():
        words: Any = getattr(vocabulary, name)
        rows = "\n".join(f"| `{value}` | {value.label} |" for value in words)
        parts.append(f"**{heading}** (`{name}`)\n\n| value | Dutch |\n|---|---|\n{rows}")
    return "\n\n".join(parts)


def feature_table() -> str:
    """Every feature by view: name, Dutch label, unit, window in school weeks, what it measures."""
    head = (
        "| feature | Dutch label | unit | weeks | theme | measures |\n|---|---|---|---|---|---|\n"
    )
    rows = []
    for feature in CATALOGUE:
        window = "" if feature.window is None else str(feature.window)
        marks = "".join(
            mark
            for mark, holds in (("♥", feature.health), ("°", feature.role == "cohort"))
            if holds
        )
        rows.append(
            f"| `{feature.name}`{marks} | {feature.label_nl} | {feature.unit} | {window} "
            f"| {feature.theme} | {feature.description} |"
        )
    return head + "\n".join(rows)


def with_generated_parts(text: str) -> str:
    """`text` with what stands between the markers made anew."""
    for name, content in (("vocabulary", vocabulary_tables()), ("features", feature_table())):
        begin, end = BEGIN.format(name), END.format(name)
        before, rest = text.split(begin)
        after = rest.split(end)[1]
        text = f"{before}{begin}\n\n{content}\n\n{end}{after}"
    return text


if __name__ == "__main__":
    GLOSSARY_FILE.write_text(
        with_generated_parts(GLOSSARY_FILE.read_text(encoding="utf-8")), encoding="utf-8"
    )
