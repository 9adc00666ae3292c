"""Pages of the privacy officer's work: facts, tables and forms in one shape."""

from dataclasses import dataclass
from typing import ClassVar

from serving.web.contexts.frame import Frame, Link, Option

Cell = str | Link


@dataclass(frozen=True)
class Notice:
    """Something to read first: `is_problem` for what asks for action."""

    lines: tuple[str, ...]
    is_problem: bool = False


@dataclass(frozen=True)
class Fact:
    """A name with its value."""

    label: str
    value: str


@dataclass(frozen=True)
class TextPart:
    """Paragraphs, or points where there are several of one kind."""

    kind: ClassVar[str] = "text"
    heading: str
    paragraphs: tuple[str, ...] = ()
    points: tuple[str, ...] = ()


@dataclass(frozen=True)
class TablePart:
    """A table whose first cell of each row names the row; `key` makes its id."""

    kind: ClassVar[str] = "table"
    key: str
    heading: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    note: str = ""
    empty: str = "Niets."


@dataclass(frozen=True)
class Field:
    """One field of a form. `shape` is text, date, textarea, select, search or checkbox."""

    name: str
    label: str
    shape: str = "text"
    value: str = ""
    hint: str = ""
    options: tuple[Option, ...] = ()
    low: str = ""
    high: str = ""
    is_required: bool = True


@dataclass(frozen=True)
class FormPart:
    """A form that changes something, or (`method` get) asks for something."""

    kind: ClassVar[str] = "form"
    key: str
    heading: str
    action: str
    button: str
    fields: tuple[Field, ...] = ()
    hidden: tuple[tuple[str, str], ...] = ()
    note: str = ""
    warning: str = ""
    method: str = "post"


@dataclass(frozen=True)
class LinksPart:
    """Places to go, or parts of the page to show."""

    kind: ClassVar[str] = "links"
    label: str
    links: tuple[Link, ...]


Part = TextPart | TablePart | FormPart | LinksPart


@dataclass(frozen=True)
class OfficePage:
    """One page of the privacy officer."""

    template: ClassVar[str] = "office.html"
    frame: Frame
    heading: str
    lead: str
    back: tuple[Link, ...] = ()
    notices: tuple[Notice, ...] = ()
    facts: tuple[Fact, ...] = ()
    parts: tuple[Part, ...] = ()
