"""Whom a request is about, for the eyes of who answers it."""

from dataclasses import dataclass

from features.vocabulary import PupilKey


@dataclass(frozen=True)
class Subject:
    """Whom a package is about; `name` and `number` come from the vault, for this package only.

    `keys` are all pseudonyms of one person, that of the request first: who changed school within
    the region can have more than one.
    """

    keys: tuple[PupilKey, ...]
    school: str
    school_name: str
    name: str
    number: str

    def __repr__(self) -> str:
        """Nothing: a traceback or a log line must not tell a name or number."""
        return "Subject(…)"
