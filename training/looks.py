"""How often the final test year was looked at: each look makes its figures a little less honest."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from features.settings import Home

FILE = "test-year-looks.jsonl"


@dataclass(frozen=True)
class Look:
    """One look at the outcomes of a test year: by which run or comparison, and when."""

    tested_on: str
    what: str
    moment: str


def looks(home: Home, tested_on: str) -> tuple[Look, ...]:
    """All looks at this test period so far, oldest first."""
    return tuple(look for look in _all(home) if look.tested_on == tested_on)


def look(home: Home, tested_on: str, what: str, moment: datetime) -> int:
    """Write down a look before it is taken; gives how many there are now, this one included."""
    path = home.root / "evaluations" / FILE
    path.parent.mkdir(parents=True, exist_ok=True)
    entry = {"tested_on": tested_on, "what": what, "moment": moment.isoformat(timespec="seconds")}
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(entry, ensure_ascii=False) + "\n")
    return len(looks(home, tested_on))


def _all(home: Home) -> Iterator[Look]:
    path = home.root / "evaluations" / FILE
    if path.exists():
        for line in path.read_text(encoding="utf-8").splitlines():
            yield Look(**json.loads(line))
