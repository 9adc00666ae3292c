"""The steps a team can take: the customary ladder, why a signal is not relevant, how it went."""

from enum import StrEnum


class DecisionKind(StrEnum):
    """The next step, in the customary order, up to help from outside; then what is no step."""

    CHECK_REGISTRATION = "check_registration"
    CALL = "call"
    PLAN_TALK = "plan_talk"
    SUPPORT_TEAM = "support_team"
    SCHOOL_DOCTOR = "school_doctor"
    ATTENDANCE_OFFICER = "attendance_officer"
    REGION_SUPPORT = "region_support"
    JOINT_MEETING = "joint_meeting"
    CONSULTANT = "consultant"
    FOLLOW_UNTIL = "follow_until"
    ALREADY_IN_VIEW = "already_in_view"
    REGISTRATION_WRONG = "registration_wrong"
    NO_ACTION = "no_action"
    OBJECTION = "objection"

    @property
    def label(self) -> str:
        """The Dutch words on the form.

        >>> DecisionKind.PLAN_TALK.label
        'Gesprek plannen met leerling en ouders'
        """
        return _KIND_LABELS[self]

    @property
    def is_help(self) -> bool:
        """Whether somebody does something for the pupil: the *help given* mark of an evaluation.

        It is never a label to train on: only pupils on a list are decided about.

        >>> DecisionKind.CALL.is_help, DecisionKind.NO_ACTION.is_help
        (True, False)
        """
        return self in _HELP


_KIND_LABELS = {
    DecisionKind.CHECK_REGISTRATION: "Registratie nakijken",
    DecisionKind.CALL: "Bellen of praten met leerling of ouders",
    DecisionKind.PLAN_TALK: "Gesprek plannen met leerling en ouders",
    DecisionKind.SUPPORT_TEAM: "Inbrengen in het ondersteuningsteam",
    DecisionKind.SCHOOL_DOCTOR: "Jeugdarts vragen (M@ZL)",
    DecisionKind.ATTENDANCE_OFFICER: "Overleg met leerplicht",
    DecisionKind.REGION_SUPPORT: "Hulp vragen aan het samenwerkingsverband",
    DecisionKind.JOINT_MEETING: "Overleg met alle betrokkenen, plan op maat",
    DecisionKind.CONSULTANT: "Onderwijsconsulent vragen",
    DecisionKind.FOLLOW_UNTIL: "Volgen tot een datum",
    DecisionKind.ALREADY_IN_VIEW: "Al in beeld en begeleid",
    DecisionKind.REGISTRATION_WRONG: "Registratie klopt niet",
    DecisionKind.NO_ACTION: "Niet relevant",
    DecisionKind.OBJECTION: "Niet tonen: er is bezwaar gemaakt",
}
_HELP = frozenset(
    {
        DecisionKind.CALL,
        DecisionKind.PLAN_TALK,
        DecisionKind.SUPPORT_TEAM,
        DecisionKind.SCHOOL_DOCTOR,
        DecisionKind.ATTENDANCE_OFFICER,
        DecisionKind.REGION_SUPPORT,
        DecisionKind.JOINT_MEETING,
        DecisionKind.CONSULTANT,
        DecisionKind.ALREADY_IN_VIEW,
    }
)
STEPS = (
    (
        "Uitzoeken en praten",
        (DecisionKind.CHECK_REGISTRATION, DecisionKind.CALL, DecisionKind.PLAN_TALK),
    ),
    (
        "Meedenken vragen",
        (
            DecisionKind.SUPPORT_TEAM,
            DecisionKind.SCHOOL_DOCTOR,
            DecisionKind.ATTENDANCE_OFFICER,
            DecisionKind.REGION_SUPPORT,
            DecisionKind.JOINT_MEETING,
            DecisionKind.CONSULTANT,
        ),
    ),
    (
        "Nu geen stap",
        (
            DecisionKind.FOLLOW_UNTIL,
            DecisionKind.ALREADY_IN_VIEW,
            DecisionKind.REGISTRATION_WRONG,
            DecisionKind.NO_ACTION,
            DecisionKind.OBJECTION,
        ),
    ),
)
"""The ladder as people read it: the customary order, in three parts; each kind stands in one."""


class NoActionBecause(StrEnum):
    """Why a signal is not relevant; asked for when the step is `no_action`."""

    KNOWN = "known"
    EXPLAINED = "explained"
    NO_CONCERN_AFTER_TALK = "no_concern_after_talk"
    DATA_WRONG = "data_wrong"
    OTHER = "other"

    @property
    def label(self) -> str:
        """The Dutch words on the form."""
        return _BECAUSE_LABELS[self]


_BECAUSE_LABELS = {
    NoActionBecause.KNOWN: "Al bekend en begeleid",
    NoActionBecause.EXPLAINED: "De afwezigheid is verklaarbaar",
    NoActionBecause.NO_CONCERN_AFTER_TALK: "Na een gesprek geen zorg",
    NoActionBecause.DATA_WRONG: "De gegevens kloppen niet",
    NoActionBecause.OTHER: "Anders (zie aantekening)",
}


class Outcome(StrEnum):
    """How it went with what was agreed; facts about the agreement, not about the pupil."""

    DONE = "done"
    NEW_AGREEMENT = "new_agreement"
    SUPPORT_STARTED = "support_started"
    NOT_DONE = "not_done"
    NO_LONGER_NEEDED = "no_longer_needed"

    @property
    def label(self) -> str:
        """The Dutch words on the form."""
        return _OUTCOME_LABELS[self]


_OUTCOME_LABELS = {
    Outcome.DONE: "Gedaan",
    Outcome.NEW_AGREEMENT: "Gedaan, er is een nieuwe afspraak",
    Outcome.SUPPORT_STARTED: "Gedaan, er is ondersteuning gestart",
    Outcome.NOT_DONE: "Nog niet gelukt",
    Outcome.NO_LONGER_NEEDED: "Niet meer nodig",
}
