"""The page of everything that was counted of one pupil: by theme, in plain words."""

from dataclasses import dataclass
from typing import ClassVar

from serving.web.contexts.frame import Frame, Link


@dataclass(frozen=True)
class ValueLine:
    """One value: what was counted, over which time, and what came out.

    `because` says why a value that is not there can be missing; empty for one that is there.
    """

    what: str
    period: str
    outcome: str
    because: str
    formula: str


@dataclass(frozen=True)
class ValuePart:
    """The values of one theme; `note` says what is done with them where that is another thing."""

    key: str
    heading: str
    note: str
    lines: tuple[ValueLine, ...]


@dataclass(frozen=True)
class ValuesPage:
    """Every value of one pupil as known on one Monday; nothing of it is a judgement.

    `other_week` says so when the values are of another Monday than the list one came from.
    """

    template: ClassVar[str] = "values.html"
    frame: Frame
    back: Link
    name: str
    school_name: str
    as_of: str
    week: int
    data_until: str
    access_reason: str
    other_week: str
    count: int
    parts: tuple[ValuePart, ...]
