"""The bespreeklijst of a school and week."""

from dataclasses import dataclass
from typing import ClassVar

from serving.web.contexts.frame import Frame, Link, Option


@dataclass(frozen=True)
class Column:
    """A column head; with `href` one can sort by it."""

    label: str
    href: str = ""
    aria_sort: str = ""
    hint: str = ""


@dataclass(frozen=True)
class ListLine:
    """One pupil on the list. Nothing here is a number about the pupil."""

    row_id: str
    name: str
    group: str
    theme: str
    remark: str
    newness: str
    newness_detail: str
    is_new: bool
    running: tuple[str, ...]
    status: str
    is_open: bool
    status_detail: str
    earlier: str


@dataclass(frozen=True)
class ListBlock:
    """One block of the list, with the sentence on how it went with such groups before.

    `folded` is what to press to see a block that is too long to stand open; empty otherwise.
    """

    key: str
    heading: str
    explanation: str
    frequency: str
    folded: str
    lines: tuple[ListLine, ...]


@dataclass(frozen=True)
class GoneLine:
    """A pupil of the last list who is not on this one."""

    name: str
    group: str
    because: str


@dataclass(frozen=True)
class ListPage:
    """The bespreeklijst of one school and week.

    `add_address` is empty for older weeks, and `newest_address` for the newest.
    """

    template: ClassVar[str] = "list.html"
    frame: Frame
    school: str
    school_name: str
    schools: tuple[Option, ...]
    week: int
    week_of: str
    weeks: tuple[Option, ...]
    sort: str
    direction: str
    selection: str
    selections: tuple[Link, ...]
    count: str
    open_count: str
    capacity: int
    data_until: str
    published: str
    model_version: str
    columns: tuple[Column, ...]
    blocks: tuple[ListBlock, ...]
    gone: tuple[GoneLine, ...]
    missing: tuple[str, ...]
    reminders: tuple[str, ...]
    add_address: str
    newest_address: str
    keep_until: str
    saved: str


@dataclass(frozen=True)
class NoListPage:
    """A school without any list yet."""

    template: ClassVar[str] = "no_list.html"
    frame: Frame
    school_name: str


@dataclass(frozen=True)
class FoundLine:
    """A pupil found by name."""

    handle: str
    name: str
    group: str
    chosen: bool


@dataclass(frozen=True)
class AddPage:
    """Search a pupil of one's own school and put it on the list by hand."""

    template: ClassVar[str] = "add_pupil.html"
    frame: Frame
    back: Link
    action: str
    school_name: str
    words: str
    longest: int
    found: tuple[FoundLine, ...]
    nothing_found: str
    more: str
    because: tuple[Option, ...]
    problem: str
