"""What the list does and does not do."""

from dataclasses import dataclass
from typing import ClassVar

from serving.web.contexts.frame import Frame


@dataclass(frozen=True)
class GuidePage:
    """What the list does and does not do; `how_often` it was right, from what happened since."""

    template: ClassVar[str] = "guide.html"
    frame: Frame
    contact: str
    how_often: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class ParentsPage:
    """A text for parents, for a school to make its own."""

    template: ClassVar[str] = "for_parents.html"
    frame: Frame
