"""What stands around every page, and the small parts that many pages share."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Link:
    """A place to go; `current` marks where one is."""

    label: str
    href: str
    current: bool = False


@dataclass(frozen=True)
class Option:
    """One choice of a form field."""

    value: str
    label: str
    chosen: bool = False


@dataclass(frozen=True)
class Frame:
    """What stands around every page; the form token is empty when nobody is signed in.

    `is_invented`: no pupil of this installation exists, and every page says so. `notices`: what
    stops the lists of this person.
    """

    title: str
    stylesheet: str
    shown_at: str
    person: str = ""
    role: str = ""
    schools: str = ""
    form_token: str = ""
    navigation: tuple[Link, ...] = ()
    is_invented: bool = False
    notices: tuple[str, ...] = ()
