"""An access package as a file: JSON with everything, and a tagged PDF for people."""

import json
from dataclasses import asdict, replace

from models.sections import Section, cell
from serving.rights.package import AccessPackage
from serving.typeset import to_pdf as typeset

WEEKS_ON_PAPER = 6
"""Columns of Mondays in the PDF; the JSON file has all of them."""


def to_json(package: AccessPackage) -> str:
    """Everything in the package, for a machine or a second opinion."""
    subject = package.subject
    document = {
        "leerling": {
            "naam": subject.name,
            "leerlingnummer": subject.number,
            "school": subject.school_name,
            "schoolcode": subject.school,
            "pseudoniemen": list(subject.keys),
        },
        "gemaakt": package.made_at.isoformat(),
        "ontbreekt": list(package.gaps),
        "onderdelen": [asdict(one) for one in package.sections],
    }
    return json.dumps(document, ensure_ascii=False, indent=2)


def to_pdf(package: AccessPackage) -> bytes:
    """The package on paper, for people."""
    subject = package.subject
    opening = [
        f"Leerling: {subject.name}, leerlingnummer {subject.number}",
        f"School: {subject.school_name} ({subject.school})",
        f"Gemaakt op {cell(package.made_at)}",
        _LETTER,
        *(f"Dit ontbreekt. {gap}" for gap in package.gaps),
    ]
    return typeset("Inzage in uw gegevens bij Tijdig", opening, map(_on_paper, package.sections))


def _on_paper(one: Section) -> Section:
    kept = WEEKS_ON_PAPER + 1
    if len(one.columns) <= kept or not one.columns[1][:1].isdigit():
        return one
    more = len(one.columns) - kept
    return replace(
        one,
        explanation=f"{one.explanation} Nog {more} maandagen staan in het bestand (JSON).",
        columns=one.columns[:kept],
        rows=tuple(row[:kept] for row in one.rows),
    )


_LETTER = (
    "Hieronder staat alles wat Tijdig over deze leerling bewaart, wat ermee is gedaan en wie heeft "
    "gekeken. Klopt er iets niet, of wilt u dat de school ermee stopt? U kunt laten verbeteren, "
    "bezwaar maken en laten wissen. Vraag het de school of de functionaris gegevensbescherming. U "
    "kunt ook een klacht indienen bij de Autoriteit Persoonsgegevens."
)
