"""The words of the domain, each once: absence and support kinds, sectors, with their Dutch words.

Stored values are the English snake-case values; people read the Dutch `label`. The legal spine of
the absence kinds is article 11 of the Leerplichtwet 1969 (grounds for exemption from attendance).
"""

from enum import StrEnum
from typing import NewType

PupilKey = NewType("PupilKey", str)
"""The pseudonym of a pupil; random to everyone who does not hold the vault's key."""


class AbsenceKind(StrEnum):
    """What a record of absence says, after a school's own code has been translated."""

    SICK = "sick"
    MEDICAL_VISIT = "medical_visit"
    LEAVE = "leave"
    SUSPENSION = "suspension"
    EXEMPTION = "exemption"
    UNAUTHORISED = "unauthorised"
    UNAUTHORISED_HOLIDAY = "unauthorised_holiday"
    UNVERIFIED = "unverified"
    LATE_ARRIVAL = "late_arrival"
    SENT_OUT = "sent_out"
    ELSEWHERE = "elsewhere"
    SCHOOL_CLOSED = "school_closed"
    NOT_ABSENCE = "not_absence"

    @property
    def label(self) -> str:
        """The Dutch word that people read.

        >>> AbsenceKind.SICK.label
        'ziek'
        """
        return _ABSENCE_LABELS[self]

    @property
    def counts_as_absent(self) -> bool:
        """Whether the time of such a record is time not spent in education.

        Late arrivals and pupils sent out of a lesson are present at school; education elsewhere is
        education; a closed school is the school's doing.

        >>> AbsenceKind.UNVERIFIED.counts_as_absent, AbsenceKind.LATE_ARRIVAL.counts_as_absent
        (True, False)
        """
        return self in ABSENT_KINDS

    @property
    def is_unauthorised(self) -> bool:
        """Unauthorised for certain; absence nobody has explained yet (`unverified`) is not."""
        return self in UNAUTHORISED_KINDS


_ABSENCE_LABELS = {
    AbsenceKind.SICK: "ziek",
    AbsenceKind.MEDICAL_VISIT: "medisch bezoek",
    AbsenceKind.LEAVE: "verlof",
    AbsenceKind.SUSPENSION: "schorsing",
    AbsenceKind.EXEMPTION: "vrijstelling voor een deel van de tijd",
    AbsenceKind.UNAUTHORISED: "ongeoorloofd afwezig",
    AbsenceKind.UNAUTHORISED_HOLIDAY: "vakantie zonder verlof",
    AbsenceKind.UNVERIFIED: "afwezig, reden nog niet bekend",
    AbsenceKind.LATE_ARRIVAL: "te laat",
    AbsenceKind.SENT_OUT: "uit de les gestuurd",
    AbsenceKind.ELSEWHERE: "onderwijs op een andere plek",
    AbsenceKind.SCHOOL_CLOSED: "school gesloten",
    AbsenceKind.NOT_ABSENCE: "geen verzuim",
}

ABSENT_KINDS = frozenset(
    {
        AbsenceKind.SICK,
        AbsenceKind.MEDICAL_VISIT,
        AbsenceKind.LEAVE,
        AbsenceKind.SUSPENSION,
        AbsenceKind.EXEMPTION,
        AbsenceKind.UNAUTHORISED,
        AbsenceKind.UNAUTHORISED_HOLIDAY,
        AbsenceKind.UNVERIFIED,
    }
)
UNAUTHORISED_KINDS = frozenset({AbsenceKind.UNAUTHORISED, AbsenceKind.UNAUTHORISED_HOLIDAY})

ABSENCE_PRIORITY = (
    AbsenceKind.SCHOOL_CLOSED,
    AbsenceKind.ELSEWHERE,
    AbsenceKind.SUSPENSION,
    AbsenceKind.EXEMPTION,
    AbsenceKind.LEAVE,
    AbsenceKind.SICK,
    AbsenceKind.MEDICAL_VISIT,
    AbsenceKind.UNAUTHORISED_HOLIDAY,
    AbsenceKind.UNAUTHORISED,
    AbsenceKind.UNVERIFIED,
)
"""Who wins the minutes of a day when records overlap; earlier wins (agreed order, domain note 2.6).
Late arrivals and pupils sent out are counted, not timed, and take no part."""


class SupportKind(StrEnum):
    """What is arranged for a pupil, or talked about. `opp` and `tlv` are statutory terms."""

    OPP = "opp"
    SUPPORT_PLAN = "support_plan"
    TLV_REQUEST = "tlv_request"
    TLV = "tlv"
    ARRANGEMENT = "arrangement"
    SUPPORT_TEAM = "support_team"
    MULTI_AGENCY_MEETING = "multi_agency_meeting"
    CARE_ARRANGEMENT = "care_arrangement"
    SCHOOL_DOCTOR = "school_doctor"
    ATTENDANCE_OFFICER = "attendance_officer"
    DUO_REPORT = "duo_report"
    ATTENDANCE_TALK = "attendance_talk"
    PARENT_TALK = "parent_talk"
    REDUCED_TIMETABLE = "reduced_timetable"
    CONSULTANT = "consultant"
    YOUTH_CARE = "youth_care"

    @property
    def label(self) -> str:
        """The Dutch word that people read.

        >>> SupportKind.PARENT_TALK.label
        'gesprek met ouders'
        """
        return _SUPPORT_LABELS[self]

    @property
    def is_contact(self) -> bool:
        """A talk or a consultation on one day, rather than something that runs."""
        return self in CONTACT_KINDS


_SUPPORT_LABELS = {
    SupportKind.OPP: "ontwikkelingsperspectief (OPP)",
    SupportKind.SUPPORT_PLAN: "handelingsplan",
    SupportKind.TLV_REQUEST: "aanvraag toelaatbaarheidsverklaring (TLV)",
    SupportKind.TLV: "toelaatbaarheidsverklaring (TLV)",
    SupportKind.ARRANGEMENT: "arrangement",
    SupportKind.SUPPORT_TEAM: "ondersteuningsteam",
    SupportKind.MULTI_AGENCY_MEETING: "multidisciplinair overleg",
    SupportKind.CARE_ARRANGEMENT: "onderwijs-zorgarrangement",
    SupportKind.SCHOOL_DOCTOR: "consult jeugdarts",
    SupportKind.ATTENDANCE_OFFICER: "overleg met leerplicht",
    SupportKind.DUO_REPORT: "verzuimmelding",
    SupportKind.ATTENDANCE_TALK: "verzuimgesprek",
    SupportKind.PARENT_TALK: "gesprek met ouders",
    SupportKind.REDUCED_TIMETABLE: "maatwerkrooster",
    SupportKind.CONSULTANT: "onderwijsconsulent",
    SupportKind.YOUTH_CARE: "jeugdhulp betrokken",
}

CONTACT_KINDS = frozenset(
    {
        SupportKind.SUPPORT_TEAM,
        SupportKind.MULTI_AGENCY_MEETING,
        SupportKind.SCHOOL_DOCTOR,
        SupportKind.ATTENDANCE_OFFICER,
        SupportKind.DUO_REPORT,
        SupportKind.ATTENDANCE_TALK,
        SupportKind.PARENT_TALK,
    }
)
RUNNING_KINDS = frozenset(
    {
        SupportKind.OPP,
        SupportKind.SUPPORT_PLAN,
        SupportKind.TLV,
        SupportKind.ARRANGEMENT,
        SupportKind.CARE_ARRANGEMENT,
        SupportKind.REDUCED_TIMETABLE,
        SupportKind.CONSULTANT,
        SupportKind.YOUTH_CARE,
    }
)
"""Support that runs from a day to a day; `tlv_request` is neither: it waits."""


class SupportStatus(StrEnum):
    """How far a support record is."""

    REQUESTED = "requested"
    PLANNED = "planned"
    RUNNING = "running"
    DONE = "done"
    REFUSED = "refused"
    CANCELLED = "cancelled"

    @property
    def label(self) -> str:
        """The Dutch word that people read."""
        return _STATUS_LABELS[self]


_STATUS_LABELS = {
    SupportStatus.REQUESTED: "aangevraagd",
    SupportStatus.PLANNED: "gepland",
    SupportStatus.RUNNING: "loopt",
    SupportStatus.DONE: "afgerond",
    SupportStatus.REFUSED: "afgewezen",
    SupportStatus.CANCELLED: "ingetrokken",
}


class Sector(StrEnum):
    """Kind of school; the Dutch abbreviations are the official names."""

    PO = "po"
    SBO = "sbo"
    SO = "so"
    VO = "vo"
    VSO = "vso"
    PRO = "pro"
    MBO = "mbo"

    @property
    def label(self) -> str:
        """The Dutch name that people read."""
        return _SECTOR_LABELS[self]


_SECTOR_LABELS = {
    Sector.PO: "basisonderwijs",
    Sector.SBO: "speciaal basisonderwijs",
    Sector.SO: "speciaal onderwijs",
    Sector.VO: "voortgezet onderwijs",
    Sector.VSO: "voortgezet speciaal onderwijs",
    Sector.PRO: "praktijkonderwijs",
    Sector.MBO: "middelbaar beroepsonderwijs",
}


class Region(StrEnum):
    """Holiday region."""

    NOORD = "noord"
    MIDDEN = "midden"
    ZUID = "zuid"


class DayKind(StrEnum):
    """What a school's own calendar says of a day, over the national holidays."""

    SCHOOL_DAY = "school_day"
    HOLIDAY = "holiday"
    STUDY_DAY = "study_day"
    CLOSED = "closed"


class KnownAtBasis(StrEnum):
    """How we know since when something was known."""

    RECORDED = "recorded"
    DELIVERY = "delivery"
    ASSUMED = "assumed"


class Theme(StrEnum):
    """The groups in which a signal is explained.

    Their borders are drawn by measured correlation (`models.themes`, decision 0008): what goes
    together is one group, over all periods, last school year included.
    """

    ABSENCE = "absence"
    UNAUTHORISED = "unauthorised"
    PATTERN = "pattern"
    SUPPORT = "support"
    CAREER = "career"

    @property
    def label(self) -> str:
        """The Dutch heading that people read.

        >>> Theme.ABSENCE.label
        'Afwezigheid'
        """
        return _THEME_LABELS[self]


_THEME_LABELS = {
    Theme.ABSENCE: "Afwezigheid",
    Theme.UNAUTHORISED: "Afwezig zonder toestemming of bekende reden",
    Theme.PATTERN: "Te laat komen en vaste momenten",
    Theme.SUPPORT: "Ondersteuning",
    Theme.CAREER: "Overgang en registratie",
}


class Role(StrEnum):
    """Who someone is to Tijdig."""

    CARE_COORDINATOR = "care_coordinator"
    DATA_SCIENTIST = "data_scientist"
    PRIVACY_OFFICER = "privacy_officer"
    REGION_COORDINATOR = "region_coordinator"
    JOB = "job"

    @property
    def label(self) -> str:
        """The Dutch word that people read."""
        return _ROLE_LABELS[self]


_ROLE_LABELS = {
    Role.CARE_COORDINATOR: "intern begeleider",
    Role.DATA_SCIENTIST: "data scientist",
    Role.PRIVACY_OFFICER: "functionaris gegevensbescherming",
    Role.REGION_COORDINATOR: "coördinator samenwerkingsverband",
    Role.JOB: "geplande taak",
}
