"""Spreadsheets as rows of text, the way a person would have typed them."""

import datetime as dt
import io

from python_calamine import CalamineError, CalamineWorkbook

from features.errors import DeliveryRefused
from features.ingest.opening import RawFile


def sheets_of(file: RawFile) -> dict[str, list[list[str]]]:
    """The sheets with anything in them, by the name to use in a message."""
    rows_by_sheet = _opened(file.content)
    if rows_by_sheet is None:
        raise DeliveryRefused(
            f"{file.name}: cannot be opened as a spreadsheet. Save it again as XLSX or CSV."
        )
    filled = {
        sheet: [[cell_text(cell) for cell in row] for row in rows]
        for sheet, rows in rows_by_sheet.items()
        if any(map(any, rows))
    }
    if len(filled) == 1:
        return {file.name: next(iter(filled.values()))}
    return {f"{file.name} [{sheet}]": rows for sheet, rows in filled.items()}


def _opened(content: bytes) -> dict[str, list[list[object]]] | None:
    try:
        book = CalamineWorkbook.from_filelike(io.BytesIO(content))
        return {
            sheet: book.get_sheet_by_name(sheet).to_python(skip_empty_area=False)
            for sheet in book.sheet_names
        }
    except (CalamineError, OSError, ValueError):
        return None


def cell_text(cell: object) -> str:
    """A spreadsheet's cell as the text a person would have typed, dates and times in ISO form.

    >>> cell_text(123.0), cell_text(dt.datetime(2026, 9, 1)), cell_text(dt.time(8, 30))
    ('123', '2026-09-01', '08:30')
    """
    match cell:
        case dt.datetime() if cell.time() == dt.time():
            return cell.date().isoformat()
        case dt.datetime():  # stored as a fraction of a day: half past eight can be just before it
            return (cell + dt.timedelta(seconds=0.5)).replace(microsecond=0).isoformat()
        case dt.date():
            return cell.isoformat()
        case dt.time():
            near = dt.datetime.combine(dt.date(2000, 1, 1), cell) + dt.timedelta(seconds=0.5)
            return near.strftime("%H:%M")
        case bool():
            return "yes" if cell else "no"
        case float() if cell.is_integer():
            return str(int(cell))
        case _:
            return str(cell)
