"""Errors that a user can cause: shown in one line without a traceback, with an exit code per kind.

Anything that is not a `TijdigError` is a bug and keeps its traceback. A message says what is wrong,
where, and the next step. It may show a setting; it never shows a pupil's value.
"""


class TijdigError(Exception):
    """Base of everything a user can cause and mend."""

    exit_code = 10


class SettingsError(TijdigError):
    """A setting is missing, unknown or out of range."""

    exit_code = 11


class DeliveryRefused(TijdigError):
    """A delivery cannot be read as a whole; nothing of it was stored."""

    exit_code = 12


class GateRefused(TijdigError):
    """The feature gate said no: a contract is missing, changed, expired or for another purpose."""

    exit_code = 13


class NotThere(TijdigError):
    """What was asked for does not exist (yet): a list, a model, a school, a built Monday."""

    exit_code = 14


class VaultError(TijdigError):
    """The vault of names cannot be opened, or its key does not fit."""

    exit_code = 15


class ExperimentError(TijdigError):
    """An experiment file is wrong, or asks for what the data cannot give."""

    exit_code = 16


class VerificationFailed(TijdigError):
    """Something that was published cannot be made again identically, or a chain is broken."""

    exit_code = 17


class NotAllowed(TijdigError):
    """This person may not see or do this."""

    exit_code = 18


class MatchRefused(TijdigError):
    """A match of pupils who changed school is not signed by two people, or was altered."""

    exit_code = 19
