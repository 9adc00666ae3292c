"""Pages before anything else: sign in, choose a password, a message."""

from dataclasses import dataclass
from typing import ClassVar

from serving.web.contexts.frame import Frame, Link


@dataclass(frozen=True)
class KeptField:
    """One field of a form that is carried along."""

    name: str
    value: str


@dataclass(frozen=True)
class SignInPage:
    """Sign in; `problem` says why the last try failed. `kept` is what came too late to be kept."""

    template: ClassVar[str] = "sign_in.html"
    frame: Frame
    email: str
    problem: str
    onward: str
    kept: tuple[KeptField, ...]


@dataclass(frozen=True)
class ResumePage:
    """Signed in again: send what was typed after all, or leave it."""

    template: ClassVar[str] = "resume.html"
    frame: Frame
    action: str
    kept: tuple[KeptField, ...]


@dataclass(frozen=True)
class BeginPage:
    """The first page after choosing a password: how a Monday goes, in a few steps.

    `shortcuts` are the digits beside those of the menu, with what they do.
    """

    template: ClassVar[str] = "begin.html"
    frame: Frame
    name: str
    steps: tuple[tuple[str, str], ...]
    onward: Link
    shortcuts: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class SetUpPage:
    """Choose a password over a one-time link."""

    template: ClassVar[str] = "set_up.html"
    frame: Frame
    name: str
    email: str
    action: str
    shortest: int
    longest: int
    problem: str


@dataclass(frozen=True)
class MessagePage:
    """Something to tell instead of a page: an error, a spent link."""

    template: ClassVar[str] = "message.html"
    frame: Frame
    heading: str
    lines: tuple[str, ...]
    next_step: Link
