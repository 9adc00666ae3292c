"""Files to tables of text: find the heading line, the separator and the form, count every row.

A row number is the one a spreadsheet shows: title lines, headings and blank lines count.
"""

import csv
import datetime as dt
import functools
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import polars as pl
import pyarrow as pa
import pyarrow.csv
from python_calamine import CalamineError, CalamineWorkbook

from features.errors import DeliveryRefused
from features.ingest.blocked import blocked_heading, columns_with_citizen_numbers
from features.ingest.decoding import decode
from features.ingest.forms import FileForm
from features.ingest.opening import RawFile

SEPARATORS = (",", ";", "\t")
TITLE_LINES = 15
"""Lines that may stand above the headings."""
_HEAD_CHARACTERS = 60_000
_TOTALS = r"^(eind)?(totaal|totalen|total|totals|aantal|som)\b"
_TOTAL_LINES = 3
ROW = "row"


@dataclass(frozen=True)
class RawTable:
    """A file (or sheet) of a known form: one text column per field, and the row number.

    `malformed` are the numbers of rows that do not have as many cells as there are headings.
    `dropped` are headings that nothing is known about.
    """

    name: str
    form: FileForm
    frame: pl.DataFrame
    malformed: tuple[int, ...] = ()
    dropped: tuple[str, ...] = ()

    @property
    def rows_read(self) -> int:
        """Rows with content below the headings, well-formed or not; a line of totals is no row."""
        return len(self.frame) + len(self.malformed)


@dataclass(frozen=True)
class Headings:
    """Which form a line of headings fits, and which of its headings stand in which column."""

    form: FileForm
    cells: tuple[str, ...]

    @property
    def missing(self) -> list[str]:
        """Required headings that are not there."""
        given = {_plain(cell) for cell in self.cells}
        return [heading for heading in self.form.required if _plain(heading) not in given]

    @property
    def places(self) -> dict[str, list[int]]:
        """For each field of the form, the columns with its heading."""
        names = {_plain(heading): name for heading, name in self.form.columns.items()}
        places: dict[str, list[int]] = {}
        for place, cell in enumerate(self.cells):
            if _plain(cell) in names:
                places.setdefault(names[_plain(cell)], []).append(place)
        return places

    @property
    def unknown(self) -> tuple[str, ...]:
        """Headings that the form does not know."""
        known = {_plain(heading) for heading in (*self.form.columns, *self.form.unused)}
        return tuple(
            cell.strip() for cell in self.cells if cell.strip() and _plain(cell) not in known
        )


def read_tables(file: RawFile, forms: Sequence[FileForm]) -> list[RawTable]:
    """The tables in one file; raises `DeliveryRefused` with everything that is wrong with it."""
    if not file.content:
        raise DeliveryRefused(
            f"{file.name}: the file is empty. Export it again, or leave it out of the delivery."
        )
    if file.is_sheet:
        return _read_workbook(file, forms)
    text = decode(file.name, file.content)
    if not text.strip():
        raise DeliveryRefused(
            f"{file.name}: the file is empty. Export it again, or leave it out of the delivery."
        )
    return [_read_text(file.name, text, forms)]


def _read_text(name: str, text: str, forms: Sequence[FileForm]) -> RawTable:
    head = text[:_HEAD_CHARACTERS]
    line, separator, cells, physical = _heading_line(head, forms)
    headings = _checked(name, cells, forms)
    body = text.split("\n", physical)[physical] if text.count("\n") >= physical else ""
    frame, malformed = _parse(name, body, separator, len(cells), first_row=line + 1)
    return _table(name, headings, frame, malformed)


def _heading_line(head: str, forms: Sequence[FileForm]) -> tuple[int, str, list[str], int]:
    """Row number, separator and cells of the line that fits a form best, and where it ends."""
    best, best_fit = (0, ",", list[str](), 0), (False, 0)
    for separator in SEPARATORS:
        for number, cells, physical in _first_lines(head, separator):
            fit, _ = _fit(cells, forms) if len(cells) > 1 else (best_fit, None)
            if fit > best_fit:
                best, best_fit = (number, separator, cells, physical), fit
            if best_fit[0]:
                return best
    return best


def _first_lines(head: str, separator: str) -> Iterator[tuple[int, list[str], int]]:
    """Row number, cells and number of physical lines up to here, for the lines at the top."""
    lines = csv.reader(io.StringIO(head), delimiter=separator)
    try:
        for number, cells in enumerate(lines, start=1):
            if number > TITLE_LINES:
                return
            yield number, cells, lines.line_num
    except csv.Error:  # a stray quotation mark or a giant cell: no headings from here on
        return


def _fit(cells: Sequence[str], forms: Sequence[FileForm]) -> tuple[tuple[bool, int], Headings]:
    """How well the best form fits these cells: complete or not, number of headings known."""
    fits = []
    for form in forms:
        headings = Headings(form, tuple(cells))
        required = len(form.required)
        known = required - len(headings.missing)
        fits.append(
            ((known == required, len(headings.places) if known * 2 >= required else 0), headings)
        )
    return max(fits, key=lambda fit: fit[0])


def _checked(name: str, cells: Sequence[str], forms: Sequence[FileForm]) -> Headings:
    (complete, known), headings = _fit(cells, forms)
    if not known:
        expected = sorted({form.file for form in forms})
        raise DeliveryRefused(
            f"{name}: no line of headings found in the first {TITLE_LINES} lines. "
            f"Known are the headings of {', '.join(expected)}; see features/ingest/profiles."
        )
    problems = [
        f"{name}: column '{cell.strip()}' holds a {kind}, which may not come in. "
        "Leave it out of the export."
        for cell in cells
        if (kind := blocked_heading(cell))
    ]
    if not complete:
        missing = ", ".join(f"'{heading}'" for heading in headings.missing)
        problems.append(
            f"{name}: missing {'column' if len(headings.missing) == 1 else 'columns'} {missing} "
            f"(read as {headings.form.file} of profile {headings.form.profile}). "
            "Add to the export, or adapt the profile in features/ingest/profiles."
        )
    for field, places in headings.places.items():
        if len(places) > 1:
            problems.append(
                f"{name}: heading '{headings.form.heading(field)}' stands there "
                f"{len(places)} times. Keep one."
            )
    if problems:
        raise DeliveryRefused("\n".join(problems))
    return headings


def _parse(
    name: str, body: str, separator: str, width: int, first_row: int
) -> tuple[pl.DataFrame, list[int]]:
    """The cells below the headings as text, and the numbers of rows with too few or many cells."""
    names = [str(place) for place in range(width)]
    malformed: list[int] = []
    ragged: list[int] = []
    unclosed: list[int] = []

    def handle(row: pyarrow.csv.InvalidRow) -> str:
        number = row.number + first_row - 1
        ragged.append(row.number)
        if "\n" in row.text:
            unclosed.append(number)
        elif row.text.strip() and not _is_total(row.text.split(separator)[0]):
            malformed.append(number)
        return "skip"

    data = body.encode()
    if not data.strip():
        return _empty(names), malformed
    try:
        parsed = pyarrow.csv.read_csv(
            pa.BufferReader(data),
            # One block in one thread: row numbers stay those of the file.
            pyarrow.csv.ReadOptions(
                column_names=names, use_threads=False, block_size=len(data) + 1
            ),
            pyarrow.csv.ParseOptions(
                delimiter=separator,
                newlines_in_values=True,
                ignore_empty_lines=False,
                invalid_row_handler=handle,
            ),
            pyarrow.csv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False
            ),
        )
    except pa.ArrowInvalid:
        parsed = None  # not chained: the library's message quotes the row
    if parsed is None:
        raise DeliveryRefused(
            f"{name}: cannot be split into rows and columns. Export it again as CSV."
        )
    numbers = pl.int_range(1, len(parsed) + len(ragged) + 1, eager=True)
    kept = numbers.filter(~numbers.is_in(ragged)) if ragged else numbers
    frame = pl.DataFrame(parsed).with_columns((kept + (first_row - 1)).alias(ROW))
    # A quotation mark that is never closed swallows the rows below it: they would go uncounted.
    swallowing = pl.any_horizontal(
        (pl.col(one).str.contains("\n", literal=True))
        & (pl.col(one).str.count_matches(separator, literal=True) >= width - 1)
        for one in names
    )
    unclosed += frame.filter(swallowing)[ROW].to_list() if width > 1 else []
    if unclosed:
        raise DeliveryRefused(
            f"{name}: row {min(unclosed)} opens a quotation mark that is not closed, so the rows "
            "below it cannot be told apart. Correct that row in the source and export again."
        )
    return frame, malformed


def _empty(names: Sequence[str]) -> pl.DataFrame:
    return pl.DataFrame(schema={**dict.fromkeys(names, pl.String), ROW: pl.Int64})


def _read_workbook(file: RawFile, forms: Sequence[FileForm]) -> list[RawTable]:
    try:
        book = CalamineWorkbook.from_filelike(io.BytesIO(file.content))
        sheets = {
            name: book.get_sheet_by_name(name).to_python(skip_empty_area=False)
            for name in book.sheet_names
        }
    except (CalamineError, OSError, ValueError):
        sheets = None
    if sheets is None:
        raise DeliveryRefused(
            f"{file.name}: cannot be opened as a spreadsheet. Save it again as XLSX or CSV."
        )
    filled = {name: rows for name, rows in sheets.items() if any(map(any, rows))}
    if not filled:
        raise DeliveryRefused(
            f"{file.name}: the file is empty. Export it again, or leave it out of the delivery."
        )
    return [
        _read_sheet(file.name if len(filled) == 1 else f"{file.name} [{name}]", rows, forms)
        for name, rows in filled.items()
    ]


def _read_sheet(name: str, rows: Sequence[Sequence[object]], forms: Sequence[FileForm]) -> RawTable:
    top = [[cell_text(cell) for cell in row] for row in rows[:TITLE_LINES]]
    line = max(range(len(top)), key=lambda number: _fit(top[number], forms)[0])
    headings = _checked(name, top[line], forms)
    body = [[cell_text(cell) for cell in row] for row in rows[line + 1 :]]
    names = [str(place) for place in range(len(top[line]))]
    frame = pl.DataFrame(body, schema=dict.fromkeys(names, pl.String), orient="row")
    numbers = pl.int_range(line + 2, line + 2 + len(body), eager=True)
    return _table(name, headings, frame.with_columns(numbers.alias(ROW)), [])


def cell_text(cell: object) -> str:
    """A spreadsheet's cell as the text a person would have typed, dates and times in ISO form.

    >>> cell_text(123.0), cell_text(dt.datetime(2026, 9, 1)), cell_text(dt.time(8, 30))
    ('123', '2026-09-01', '08:30')
    """
    match cell:
        case dt.datetime() if cell.time() == dt.time():
            return cell.date().isoformat()
        case dt.datetime():
            return cell.replace(microsecond=0).isoformat()
        case dt.date():
            return cell.isoformat()
        case dt.time():
            return cell.strftime("%H:%M")
        case bool():
            return "yes" if cell else "no"
        case float() if cell.is_integer():
            return str(int(cell))
        case _:
            return str(cell)


def _table(
    name: str, headings: Headings, frame: pl.DataFrame, malformed: Sequence[int]
) -> RawTable:
    texts = [column for column in frame.columns if column != ROW]
    clean = frame.with_columns(pl.col(texts).str.strip_chars().replace("", None))
    filled = clean.filter(pl.any_horizontal(pl.col(texts).is_not_null()))
    rows = _without_totals(filled, texts)
    for place in columns_with_citizen_numbers(rows.select(texts)):
        raise DeliveryRefused(
            f"{name}: most values of column '{headings.cells[int(place)].strip()}' are citizen "
            "service numbers (BSN), which may not come in. Give the school's own number instead."
        )
    fields = {field: str(places[0]) for field, places in headings.places.items()}
    selected = rows.select(ROW, **{field: pl.col(place) for field, place in fields.items()})
    return RawTable(name, headings.form, selected, tuple(malformed), headings.unknown)


def _without_totals(frame: pl.DataFrame, texts: Sequence[str]) -> pl.DataFrame:
    """Without lines of totals at the very end: a word like 'Totaal' first and mostly blank."""
    end = frame.tail(_TOTAL_LINES)
    first = pl.coalesce(pl.col(texts)).str.to_lowercase().str.contains(_TOTALS)
    mostly_blank = pl.sum_horizontal(pl.col(texts).is_not_null()) * 2 <= max(len(texts), 4)
    totals = end.filter(first & mostly_blank)[ROW]
    return frame.filter(~pl.col(ROW).is_in(totals.implode())) if len(totals) else frame


def _is_total(cell: str) -> bool:
    return bool(pl.Series([cell.strip(' "').lower()]).str.contains(_TOTALS)[0])


@functools.lru_cache(maxsize=10_000)
def _plain(heading: str) -> str:
    return " ".join(heading.replace("\ufeff", "").strip().casefold().split())
