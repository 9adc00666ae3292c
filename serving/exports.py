"""The overview of a care team as a tagged PDF (typst) and as a spreadsheet without formulas."""

import io
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC
from pathlib import Path
from typing import Protocol

import typst
import xlsxwriter  # type: ignore[import-untyped]

from features.school_weeks import AMSTERDAM
from serving.team_desk import TeamView

TEMPLATE = Path(__file__).with_name("documents") / "team_overview.typ"
COLUMNS = ("Leerling", "Groep", "Afspraak", "Aantekening", "Wie", "Terugkijken op", "Hoe het ging")
WIDTHS = (26, 8, 40, 50, 22, 16, 30)
# Excel, and whoever saves the sheet as text, takes a cell that begins so for a formula.
_BEGINS_FORMULA = ("=", "+", "-", "@", "\t", "\r")


class ExportLine(Protocol):
    """What is written of one agreement."""

    @property
    def name(self) -> str: ...
    @property
    def group(self) -> str: ...
    @property
    def what(self) -> str: ...
    @property
    def note(self) -> str: ...
    @property
    def owner(self) -> str: ...
    @property
    def look_back(self) -> str: ...
    @property
    def outcome(self) -> str: ...


def pdf(lines: Sequence[ExportLine], view: TeamView) -> bytes:
    """A document that a screen reader can read: PDF/UA-1, with tags, headings and a language.

    Every text goes in as data, never as typst source: nobody can write code in a note.
    """
    content = {
        "title": f"Zorgteam-overzicht {view.school_name}",
        "period": _period(view),
        "columns": list(COLUMNS),
        "rows": [list(_cells(line)) for line in lines],
        "footer": footer(view),
        "empty": "In deze periode zijn geen afspraken vastgelegd.",
    }
    made = typst.compile(
        TEMPLATE.read_bytes(),
        format="pdf",
        pdf_standards=["ua-1"],
        ignore_system_fonts=True,
        sys_inputs={"content": json.dumps(content, ensure_ascii=False)},
        timestamp=int(view.made_at.astimezone(UTC).timestamp()),
    )
    assert isinstance(made, bytes)
    return made


def xlsx(lines: Sequence[ExportLine], view: TeamView) -> bytes:
    """A sheet of plain text: no formula, no link, no number that Excel could take for a date."""
    target = io.BytesIO()
    book = xlsxwriter.Workbook(
        target,
        {
            "in_memory": True,
            "strings_to_formulas": False,
            "strings_to_urls": False,
            "strings_to_numbers": False,
        },
    )
    made_at = view.made_at.astimezone(UTC).replace(tzinfo=None)
    book.set_properties({"title": f"Zorgteam-overzicht {view.school_name}", "created": made_at})
    sheet = book.add_worksheet("Zorgteam-overzicht")
    bold = book.add_format({"bold": True, "text_wrap": True, "valign": "top"})
    plain = book.add_format({"text_wrap": True, "valign": "top"})
    for column, (heading, width) in enumerate(zip(COLUMNS, WIDTHS, strict=True)):
        sheet.set_column(column, column, width)
        sheet.write_string(0, column, heading, bold)
    for row, line in enumerate(lines, start=1):
        for column, text in enumerate(_cells(line)):
            sheet.write_string(row, column, harmless(text), plain)
    for number, text in enumerate((_period(view), footer(view))):
        sheet.write_string(len(lines) + 2 + number, 0, text)
    sheet.freeze_panes(1, 0)
    sheet.set_landscape()
    sheet.set_footer(f"&L{footer(view).replace('&', '&&')[:240]}")
    book.close()
    return target.getvalue()


def harmless(text: str) -> str:
    """The text, with an apostrophe before what a spreadsheet would take for a formula.

    >>> harmless("=1+1"), harmless("Bellen = goed")
    ("'=1+1", 'Bellen = goed')
    """
    return f"'{text}" if text.startswith(_BEGINS_FORMULA) else text


def footer(view: TeamView) -> str:
    """Whose copy this is and until when it may be kept."""
    made = f"{view.made_at.astimezone(AMSTERDAM):%d-%m-%Y %H:%M}"
    return (
        f"{view.school_name}. Gemaakt op {made} voor {view.made_by}. "
        f"Alleen voor intern overleg. Vernietig na bespreking, uiterlijk "
        f"{view.destroy_by:%d-%m-%Y}."
    )


def _period(view: TeamView) -> str:
    return f"Afspraken van {view.first:%d-%m-%Y} t/m {view.last:%d-%m-%Y}"


def _cells(line: ExportLine) -> tuple[str, ...]:
    return (
        line.name,
        line.group,
        line.what,
        line.note,
        line.owner,
        line.look_back,
        line.outcome,
    )


Writer = Callable[[Sequence[ExportLine], TeamView], bytes]
EXPORTS: Mapping[str, tuple[str, Writer]] = {
    "pdf": ("application/pdf", pdf),
    "xlsx": ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", xlsx),
}
"""The forms in which the overview can be taken along, by the ending of the file."""
