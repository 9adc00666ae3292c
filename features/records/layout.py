"""In which layout a record log was written; another version of this software may know another."""

from pathlib import Path

from features.errors import SettingsError

LAYOUT = "2"
"""Changes with what no reader can tell from the tables: how record keys and fingerprints are made.

Read under another layout, every record of a repeated delivery would count as new.
"""


def mark_layout(root: Path) -> None:
    """Say of a log about to take its first delivery in which layout it is written."""
    (root / "layout").write_text(LAYOUT, encoding="utf-8")


def check_layout(root: Path) -> None:
    """Refuse a log that another version wrote.

    >>> check_layout(Path("/nowhere"))
    Traceback (most recent call last):
    ...
    features.errors.SettingsError: /nowhere was written by another version of Tijdig (layout 1; \
this one reads layout 2). Choose another --home, or take the old one away and deliver the files \
again
    """
    mark = root / "layout"
    found = mark.read_text(encoding="utf-8") if mark.exists() else "1"
    if found != LAYOUT:
        raise SettingsError(
            f"{root} was written by another version of Tijdig (layout {found}; this one reads "
            f"layout {LAYOUT}). Choose another --home, or take the old one away and deliver the "
            "files again"
        )
