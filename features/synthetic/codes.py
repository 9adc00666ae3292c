"""Each school's own absence codes: the same letter means different things at two schools."""

import polars as pl

from features.synthetic.schools import School
from features.vocabulary import AbsenceKind, Sector

Kind = AbsenceKind
_LETTERS: dict[AbsenceKind, str] = {
    Kind.SICK: "Z",
    Kind.MEDICAL_VISIT: "M",
    Kind.LEAVE: "V",
    Kind.SUSPENSION: "GE",
    Kind.EXEMPTION: "VR",
    Kind.UNAUTHORISED: "S",
    Kind.UNAUTHORISED_HOLIDAY: "LV",
    Kind.UNVERIFIED: "A",
    Kind.LATE_ARRIVAL: "L",
    Kind.SENT_OUT: "U",
    Kind.ELSEWHERE: "EX",
    Kind.NOT_ABSENCE: "BV",
}
_WORDS: dict[AbsenceKind, str] = {
    Kind.SICK: "ZI",
    Kind.MEDICAL_VISIT: "AO",
    Kind.LEAVE: "BV",
    Kind.SUSPENSION: "SC",
    Kind.EXEMPTION: "L",
    Kind.UNAUTHORISED: "SP",
    Kind.UNAUTHORISED_HOLIDAY: "LX",
    Kind.UNVERIFIED: "A",
    Kind.LATE_ARRIVAL: "TA",
    Kind.SENT_OUT: "VW",
    Kind.ELSEWHERE: "ST",
    Kind.NOT_ABSENCE: "HW",
}
_PLAIN: dict[AbsenceKind, str] = {
    Kind.SICK: "Ziek",
    Kind.MEDICAL_VISIT: "Arts/tandarts",
    Kind.LEAVE: "Verlof",
    Kind.SUSPENSION: "Schorsing",
    Kind.EXEMPTION: "Vrijstelling",
    Kind.UNAUTHORISED: "Ongeoorloofd",
    Kind.UNAUTHORISED_HOLIDAY: "Luxeverzuim",
    Kind.UNVERIFIED: "Onbekend",
    Kind.LATE_ARRIVAL: "Te laat",
    Kind.SENT_OUT: "Uit de les",
    Kind.ELSEWHERE: "Elders onderwijs",
    Kind.NOT_ABSENCE: "Spullen vergeten",
}
SCHEMES = {"letters": _LETTERS, "words": _WORDS, "plain": _PLAIN}
_AUTHORISED = {
    Kind.SICK: "yes",
    Kind.MEDICAL_VISIT: "yes",
    Kind.LEAVE: "yes",
    Kind.SUSPENSION: "yes",
    Kind.EXEMPTION: "yes",
    Kind.UNAUTHORISED: "no",
    Kind.UNAUTHORISED_HOLIDAY: "no",
    Kind.UNVERIFIED: "",
    Kind.LATE_ARRIVAL: "no",
    Kind.SENT_OUT: "yes",
    Kind.ELSEWHERE: "yes",
    Kind.NOT_ABSENCE: "",
}


def codes_of(school: School) -> list[str]:
    """The school's code for each absence kind, in the order of `AbsenceKind`.

    A closed school has no code of its own: it is not absence of a pupil.
    """
    scheme = SCHEMES[school.habits.code_scheme]
    return [scheme.get(kind, scheme[Kind.NOT_ABSENCE]) for kind in AbsenceKind]


def code_rows(school: School) -> pl.DataFrame:
    """`codes.csv`: what each code of this school means."""
    scheme = SCHEMES[school.habits.code_scheme]
    kinds = [kind for kind in scheme if school.sector is Sector.VO or kind is not Kind.SENT_OUT]
    return pl.DataFrame(
        {
            "school": [school.code] * len(kinds),
            "code": [scheme[kind] for kind in kinds],
            "category": [kind.value for kind in kinds],
            "authorised": [_AUTHORISED[kind] for kind in kinds],
        }
    )
