"""A dossier as a file: YAML for a machine, HTML and a tagged PDF for people."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from html import escape
from typing import Any

from models.sections import Section
from serving.dossier import Dossier
from serving.typeset import to_pdf as typeset

TITLE = "Dossier van Tijdig, modelversie {version}"


def to_pdf(dossier: Dossier) -> bytes:
    """The dossier on paper; what is missing stands on the first page."""
    title = TITLE.format(version=dossier.version)
    return typeset(title, _opening(dossier), dossier.sections)


def to_html(dossier: Dossier) -> str:
    """The dossier as one page that needs nothing else."""
    title = escape(TITLE.format(version=dossier.version))
    opening = "".join(f"<p>{escape(line)}</p>" for line in _opening(dossier))
    body = "".join(_section(one) for one in dossier.sections)
    return (
        f'<!doctype html><html lang="nl"><head><meta charset="utf-8"><title>{title}</title></head>'
        f"<body><h1>{title}</h1>{opening}{body}</body></html>"
    )


def _opening(dossier: Dossier) -> list[str]:
    lines = [f"Gemaakt op {dossier.made_on:%d-%m-%Y} uit metingen, contracten en besluiten."]
    if not dossier.missing:
        return [*lines, "Er ontbreekt niets."]
    return [*lines, f"Er ontbreken {len(dossier.missing)} onderdelen:", *dossier.missing]


def _section(one: Section) -> str:
    head = f"<h2>{escape(one.heading)}</h2><p>{escape(one.explanation)}</p>"
    if not one.rows:
        return head
    columns = "".join(f'<th scope="col">{escape(name)}</th>' for name in one.columns)
    rows = "".join(
        "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in one.rows
    )
    return (
        f"{head}<table><caption>{escape(one.heading)}</caption><thead><tr>{columns}</tr></thead>"
        f"<tbody>{rows}</tbody></table>"
    )


def to_yaml(dossier: Dossier) -> str:
    """The dossier for a machine: system card, fields of the Algoritmeregister, all sections.

    JSON is YAML as well; strings in double quotes say the same in both.
    """
    general = {row[0]: row[1] for row in dossier.sections[0].rows}
    human = {
        row[0]: row[2] for one in dossier.sections if one.heading[:2] == "4." for row in one.rows
    }
    document = {
        "schema": "tijdig-dossier/1",
        "systeem": {**general, "gemaakt_op": dossier.made_on.isoformat()},
        "algoritmeregister": {
            "naam": general["Naam"],
            "organisatie": human.get("Verwerkingsverantwoordelijke en verwerkers", ""),
            "omschrijving": human.get("Beoogd doel en gebruikers", ""),
            "status": general["Stand"],
            "grondslag": human.get("Grondslag en verenigbaarheid", ""),
            "afweging": human.get("Noodzaak en evenredigheid", ""),
            "menselijke_tussenkomst": human.get("Menselijk toezicht", ""),
            "risicobeheer": human.get("Maatregelen tegen die risico's", ""),
            "contact": human.get("Contact en klachten", ""),
            "publicatiecategorie": "impactvol algoritme",
        },
        "modelkaart": _lines(dossier, "6."),
        "dpia": [asdict(one) for one in _of_data_pack(dossier)],
        "ontbreekt": list(dossier.missing),
        "onderdelen": [asdict(one) for one in dossier.sections],
    }
    return "\n".join(_yaml(document, 0)) + "\n"


def _lines(dossier: Dossier, number: str) -> str:
    rows = (one.rows for one in dossier.sections if one.heading.startswith(number))
    return "\n".join(row[0] for table in rows for row in table)


def _of_data_pack(dossier: Dossier) -> Iterator[Section]:
    """From the heading of the data pack up to the model card."""
    inside = False
    for one in dossier.sections:
        inside = one.heading.startswith("5.") or (inside and not one.heading.startswith("6."))
        if inside:
            yield one


def _yaml(value: Any, depth: int) -> Iterator[str]:
    pad = "  " * depth
    items: Sequence[tuple[str, Any]]
    if isinstance(value, dict):
        items = [(f"{json.dumps(key, ensure_ascii=False)}:", one) for key, one in value.items()]
    else:
        items = [("-", one) for one in value]
    for head, one in items:
        if isinstance(one, dict | list | tuple) and len(one):
            yield f"{pad}{head}"
            yield from _yaml(one, depth + 1)
        elif isinstance(one, dict | list | tuple):
            yield f"{pad}{head} {'{}' if isinstance(one, dict) else '[]'}"
        else:
            yield f"{pad}{head} {json.dumps(one, ensure_ascii=False)}"
