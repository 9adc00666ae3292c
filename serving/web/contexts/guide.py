"""What the list does and does not do."""

from dataclasses import dataclass
from typing import ClassVar

from serving.web.contexts.frame import Frame


@dataclass(frozen=True)
class GuidePage:
    """What the list does and does not do."""

    template: ClassVar[str] = "guide.html"
    frame: Frame
    contact: str
