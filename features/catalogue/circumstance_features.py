"""What surrounds absence: support, school career, quality of recording, and who is in scope."""

from typing import Literal

from features.catalogue.absence_features import ABSENCE, PLANNED
from features.catalogue.feature import Feature, Unit
from features.vocabulary import Theme

SUPPORT_SOURCES = ("support.kind", "support.status", "support.starts_on", "support.ends_on")
RECORDING = ("absence.starts_at", "calendar.kind")


def _support(
    name: str,
    unit: Unit,
    window: int | None,
    direction: Literal[-1, 0, 1],
    label_nl: str,
    sentence_nl: str,
    description: str,
) -> Feature:
    return Feature(
        name=name,
        view="support",
        theme=Theme.SUPPORT,
        role="model",
        unit=unit,
        window=window,
        sources=SUPPORT_SOURCES,
        label_nl=label_nl,
        sentence_nl=sentence_nl,
        direction=direction,
        health=False,
        description=description,
        version=1,
    )


SUPPORT = (
    _support(
        "support_running",
        Unit.COUNT,
        None,
        0,
        "Vormen van ondersteuning die nu lopen",
        "Vormen van ondersteuning die nu lopen: {value}.",
        "Support that runs on the as-of date: status running, begun, not ended.",
    ),
    _support(
        "support_running_weeks",
        Unit.WEEKS,
        40,
        0,
        "Schoolweken dat de langst lopende ondersteuning loopt",
        "De langst lopende ondersteuning loopt {value} schoolweken.",
        "School weeks since the earliest start of support that runs on the as-of date, at most "
        "40; NaN when none runs or no start is known.",
    ),
    _support(
        "reduced_timetable_running",
        Unit.FLAG,
        None,
        1,
        "Er loopt een maatwerkrooster",
        "Er loopt een maatwerkrooster: {value}.",
        "1 when a reduced timetable runs on the as-of date, else 0.",
    ),
    _support(
        "support_requested",
        Unit.COUNT,
        None,
        1,
        "Aangevraagde of geplande ondersteuning die nog niet loopt",
        "Aangevraagde of geplande ondersteuning die nog niet loopt: {value}.",
        "Support records, not contacts, with status requested or planned that have not ended.",
    ),
    _support(
        "support_waiting_weeks",
        Unit.WEEKS,
        40,
        1,
        "Schoolweken dat aangevraagde of geplande ondersteuning wacht",
        "Aangevraagde of geplande ondersteuning wacht {value} schoolweken.",
        "School weeks since the earliest start of support (a tlv request included) that is still "
        "requested or planned, at most 40; NaN when none of it should have begun.",
    ),
    _support(
        "weeks_since_support_ended",
        Unit.WEEKS,
        40,
        1,
        "Schoolweken sinds ondersteuning eindigde zonder vervolg",
        "De ondersteuning eindigde {value} schoolweken geleden; er is geen vervolg vastgelegd.",
        "School weeks since the last end of support, when no support runs on the as-of date; NaN "
        "when support runs, none ended, or it ended more than 40 school weeks ago.",
    ),
    _support(
        "tlv_waiting_weeks",
        Unit.WEEKS,
        40,
        1,
        "Schoolweken dat een aanvraag voor een TLV wacht",
        "Een aanvraag voor een toelaatbaarheidsverklaring wacht {value} schoolweken.",
        "School weeks since the earliest start of a tlv request that still has status requested, "
        "at most 40; NaN when none waits.",
    ),
    _support(
        "contacts_12w",
        Unit.COUNT,
        12,
        0,
        "Gesprekken en overleggen, de laatste 12 schoolweken",
        "In de laatste 12 schoolweken {value} keer een gesprek of overleg vastgelegd.",
        "Contacts (talks, meetings, consultations, reports) that took place in the last 12 school "
        "weeks.",
    ),
    _support(
        "weeks_since_contact",
        Unit.WEEKS,
        40,
        0,
        "Schoolweken sinds het laatste gesprek of overleg",
        "Het laatste vastgelegde gesprek of overleg was {value} schoolweken geleden.",
        "School weeks since the last contact that took place; NaN when there was none in the last "
        "40 school weeks.",
    ),
    _support(
        "duo_reports_40w",
        Unit.COUNT,
        40,
        1,
        "Verzuimmeldingen, de laatste 40 schoolweken",
        "In de laatste 40 schoolweken {value} keer een verzuimmelding gedaan.",
        "Statutory absence reports (duo_report) made in the last 40 school weeks.",
    ),
)


def _career(
    name: str,
    unit: Unit,
    label_nl: str,
    sentence_nl: str,
    description: str,
    sources: tuple[str, ...],
    direction: Literal[-1, 0, 1] = 0,
    window: int | None = None,
) -> Feature:
    return Feature(
        name=name,
        view="career",
        theme=Theme.CAREER,
        role="model",
        unit=unit,
        window=window,
        sources=sources,
        label_nl=label_nl,
        sentence_nl=sentence_nl,
        direction=direction,
        health=False,
        description=description,
        version=1,
    )


CAREER = (
    _career(
        "transition_year",
        Unit.FLAG,
        "Eerste leerjaar na de basisschool",
        "Zit in het eerste leerjaar na de basisschool: {value}.",
        "1 in the first year of secondary or vocational education, else 0; NaN when the year group "
        "of such a school is unknown.",
        ("placements.year_group", "schools.sector"),
        1,
    ),
    _career(
        "weeks_since_enrolment",
        Unit.WEEKS,
        "Schoolweken op deze school (ten hoogste 40)",
        "Zit {value} schoolweken op deze school.",
        "School weeks since the enrolment at this school began (placements with at most 60 days "
        "between them are one enrolment), at most 40; NaN for less than 40 when the pupil was "
        "there at the first date in the school's records.",
        ("placements.enrolled_on", "placements.left_on", "calendar.kind"),
        -1,
        40,
    ),
    _career(
        "year_group_number",
        Unit.CODE,
        "Leerjaar",
        "Leerjaar {value} (1–8: groep op de basisschool; 11–16: leerjaar daarna).",
        "Year group as a number: 1 to 8 in primary, 11 to 16 for years 1 to 6 after it (the "
        "coding of EDEXML); NaN when the year group holds no number.",
        ("placements.year_group", "schools.sector"),
    ),
    _career(
        "changed_school",
        Unit.FLAG,
        "Dit schooljaar van een andere school gekomen",
        "Is dit schooljaar van een andere school gekomen: {value}.",
        "1 when the enrolment began in the school year of the as-of date, in another year group "
        "than those in which pupils start (1, 2 and 11), else 0; NaN when the year group is "
        "unknown or the pupil was there at the first date in the school's records.",
        ("placements.enrolled_on", "placements.left_on", "placements.year_group"),
        1,
    ),
    _career(
        "repeats_year",
        Unit.FLAG,
        "Zit opnieuw in hetzelfde leerjaar",
        "Zit dit schooljaar opnieuw in hetzelfde leerjaar: {value}.",
        "1 when the placement began in the school year of the as-of date and one in the school "
        "year before it, at this school, was in the same or a higher year group, else 0; NaN when "
        "the placement began earlier, or when either year group is unknown.",
        (
            "placements.enrolled_on",
            "placements.left_on",
            "placements.year_group",
            "schools.sector",
        ),
        1,
    ),
)


def _quality(
    name: str, unit: Unit, label_nl: str, sentence_nl: str, description: str, *columns: str
) -> Feature:
    return Feature(
        name=name,
        view="quality",
        theme=Theme.CAREER,
        role="model",
        unit=unit,
        window=12,
        sources=(*RECORDING, *columns),
        label_nl=label_nl,
        sentence_nl=sentence_nl,
        direction=0,
        health=False,
        description=description,
        version=1,
    )


QUALITY = (
    _quality(
        "late_recorded_share_12w",
        Unit.SHARE,
        "Deel van de meldingen dat laat is vastgelegd, de laatste 12 schoolweken",
        "Van de meldingen in de laatste 12 schoolweken is {value} meer dan een week later "
        "vastgelegd.",
        "Share of the absence records that start in the last 12 school weeks whose first version "
        "was recorded more than 7 days after the day it starts (dates in UTC); only records for "
        "which the source gives that moment; NaN without such records.",
        "absence.known_at",
        "absence.known_at_basis",
    ),
    _quality(
        "corrected_share_12w",
        Unit.SHARE,
        "Deel van de meldingen dat is gewijzigd, de laatste 12 schoolweken",
        "Van de meldingen in de laatste 12 schoolweken is {value} later gewijzigd.",
        "Share of the absence records that start in the last 12 school weeks of which an earlier "
        "version had another kind, start or number of minutes, or was withdrawn; closing an open "
        "report is not a correction; NaN without records.",
        "absence.known_at",
        "absence.kind",
        "absence.minutes",
    ),
    _quality(
        "unregistered_weeks_12w",
        Unit.WEEKS,
        "Weken waarin voor de groep niets is vastgelegd, de laatste 12 schoolweken",
        "In de laatste 12 schoolweken is in {value} schoolweken voor de hele groep niets "
        "vastgelegd.",
        "Weeks in the last 12 school weeks in which no absence record of the pupil's group starts "
        "while that would happen by chance less than once in 100 times, given the share of the "
        "other pupils of the school with a record that starts that week. Such a week counts as "
        "not planned for pupils without any record in it.",
        *PLANNED,
    ),
)


def _status(
    name: str,
    unit: Unit,
    window: int | None,
    label_nl: str,
    sentence_nl: str,
    description: str,
    sources: tuple[str, ...],
) -> Feature:
    return Feature(
        name=name,
        view="status",
        theme=Theme.CAREER,
        role="cohort",
        unit=unit,
        window=window,
        sources=sources,
        label_nl=label_nl,
        sentence_nl=sentence_nl,
        direction=0,
        health=False,
        description=description,
        version=1,
    )


STATUS = (
    _status(
        "weeks_of_history",
        Unit.WEEKS,
        40,
        "Schoolweken met lestijd (ten hoogste 40)",
        "Bekend: {value} schoolweken met lestijd.",
        "Weeks with planned time for the pupil at this school in the last 40 school weeks.",
        PLANNED,
    ),
    _status(
        "current_absence_run",
        Unit.DAYS,
        40,
        "Schooldagen op rij afwezig, tot nu",
        "Nu {value} schooldagen op rij afwezig.",
        "Planned days in a row up to the as-of date with at least half of the planned time "
        "absent, looking back at most 40 school weeks.",
        ABSENCE,
    ),
    _status(
        "age_months",
        Unit.MONTHS,
        None,
        "Leeftijd in maanden",
        "Leeftijd: {value} maanden.",
        "Whole months from the birth month to the as-of date.",
        ("placements.born_on",),
    ),
    _status(
        "planned_minutes_4w",
        Unit.MINUTES,
        4,
        "Minuten lestijd, de laatste 4 schoolweken",
        "In de laatste 4 schoolweken {value} minuten lestijd gepland.",
        "Planned minutes in the last 4 school weeks, without unregistered weeks.",
        PLANNED,
    ),
)

FEATURES = (*SUPPORT, *CAREER, *QUALITY, *STATUS)
