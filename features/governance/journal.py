"""The journal of a renewal of pseudonyms: while it is there, the stores are half old, half new."""

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from features.errors import TijdigError
from features.settings import Home

JOURNAL = "renewal.json"

Seals = Mapping[str, Mapping[str, tuple[str, str]]]
"""Per school and Monday (ISO) the fingerprint of a list before and after."""


@dataclass(frozen=True)
class Journal:
    """A renewal that was begun: to which version, since when, why, how much changed so far.

    `lists` is None until every store before the app was done. It holds fingerprints and counts
    only: which pseudonym became which, the vault alone knows, until the end.
    """

    version: int
    moment: str
    reason: str
    changed: Mapping[str, int] = field(default_factory=dict)
    lists: Seals | None = None


def journal_of(home: Home) -> Path:
    """Where the journal lies while it is needed."""
    return home.root / JOURNAL


def read_journal(home: Home) -> Journal | None:
    """The renewal that was begun and not finished; None when there is none."""
    path = journal_of(home)
    if not path.exists():
        return None
    document = json.loads(path.read_text(encoding="utf-8"))
    lists = document["lists"]
    if lists is not None:
        document["lists"] = {
            school: {week: tuple(seals) for week, seals in weeks.items()}
            for school, weeks in lists.items()
        }
    return Journal(**document)


def write_journal(home: Home, journal: Journal) -> None:
    """Keep the journal, whole or as it was before."""
    path = journal_of(home)
    draft = path.with_suffix(".next")
    with draft.open("w", encoding="utf-8") as file:
        json.dump(asdict(journal), file)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


def refuse_while_renewing(home: Home) -> None:
    """Raise while a renewal is under way or was cut short: old and new may not be mixed."""
    if journal_of(home).exists():
        raise TijdigError(
            f"{home.root}: pseudonyms are being renewed, so nothing is read or written now. If "
            "nobody is doing so, it was cut short: finish it with `tijdig privacy rotate --run`"
        )
