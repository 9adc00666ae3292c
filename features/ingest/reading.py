"""Files to tables of text: find the heading line, the separator and the form, count every row.

A row number is the one a spreadsheet shows: title lines, headings and blank lines count.
"""

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import polars as pl
import pyarrow as pa
import pyarrow.csv

from features.errors import DeliveryRefused
from features.ingest.blocked import columns_with_citizen_numbers
from features.ingest.decoding import decode
from features.ingest.forms import FileForm
from features.ingest.headings import TITLE_LINES, Headings, checked, fit_of
from features.ingest.opening import RawFile
from features.ingest.spreadsheets import sheets_of

SEPARATORS = (",", ";", "\t")
_EMPTY = "{name}: the file is empty. Export it again, or leave it out of the delivery."
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


def read_tables(file: RawFile, forms: Sequence[FileForm]) -> list[RawTable]:
    """The tables in one file; raises `DeliveryRefused` with everything that is wrong with it."""
    if not file.content:
        raise DeliveryRefused(_EMPTY.format(name=file.name))
    if file.is_sheet:
        sheets = sheets_of(file)
        if not sheets:
            raise DeliveryRefused(_EMPTY.format(name=file.name))
        return [_read_sheet(name, rows, forms) for name, rows in sheets.items()]
    text = decode(file.name, file.content)
    if not text.strip():
        raise DeliveryRefused(_EMPTY.format(name=file.name))
    return [_read_text(file.name, text, forms)]


def _read_text(name: str, text: str, forms: Sequence[FileForm]) -> RawTable:
    head = text[:_HEAD_CHARACTERS]
    line, separator, cells, physical = _heading_line(head, forms)
    headings = checked(name, cells, forms)
    body = text.split("\n", physical)[physical] if text.count("\n") >= physical else ""
    frame, malformed = _parse(name, body, separator, len(cells), first_row=line + 1)
    return _table(name, headings, frame, malformed)


def _heading_line(head: str, forms: Sequence[FileForm]) -> tuple[int, str, list[str], int]:
    """Row number, separator and cells of the line that fits a form best, and where it ends."""
    best, best_fit = (0, ",", list[str](), 0), (False, 0)
    for separator in SEPARATORS:
        for number, cells, physical in _first_lines(head, separator):
            fit, _ = fit_of(cells, forms) if len(cells) > 1 else (best_fit, None)
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


@dataclass
class _Ragged:
    """Rows with too few or too many cells, by their number in the text that is split."""

    separator: str
    rows: list[int] = field(default_factory=list)
    unclosed: list[int] = field(default_factory=list)
    blank: list[int] = field(default_factory=list)
    totals: list[int] = field(default_factory=list)

    def note(self, row: pyarrow.csv.InvalidRow) -> str:
        """Called for each such row; keeps its number, and nothing of what stands in it."""
        self.rows.append(row.number)
        if "\n" in row.text:
            self.unclosed.append(row.number)
        elif not row.text.strip():
            self.blank.append(row.number)
        elif _is_total(row.text.split(self.separator)[0]):
            self.totals.append(row.number)
        return "skip"

    def malformed(self, last: int) -> list[int]:
        """Rows with content; a line of totals is one unless it comes after the `last` good row."""
        totals = [number for number in self.totals if number > last]
        return sorted(set(self.rows) - set(self.blank) - set(totals))


def _parse(
    name: str, body: str, separator: str, width: int, first_row: int
) -> tuple[pl.DataFrame, list[int]]:
    """The cells below the headings as text, and the numbers of rows with too few or many cells."""
    ragged = _Ragged(separator)
    names = [str(place) for place in range(width)]
    parsed = _split(body.encode(), names, ragged)
    if parsed is None:
        raise DeliveryRefused(
            f"{name}: cannot be split into rows and columns. Export it again as CSV."
        )
    numbers = pl.int_range(1, len(parsed) + len(ragged.rows) + 1, eager=True)
    if ragged.rows:
        numbers = numbers.filter(~numbers.is_in(ragged.rows))
    unclosed = ragged.unclosed + numbers.filter(_swallows_rows(parsed, separator)).to_list()
    if unclosed:
        raise DeliveryRefused(
            f"{name}: row {min(unclosed) + first_row - 1} opens a quotation mark that is not "
            "closed, so the rows below it cannot be told apart. Correct that row in the source "
            "and export again."
        )
    malformed = ragged.malformed(last=0 if numbers.is_empty() else int(numbers.to_numpy()[-1]))
    return (
        parsed.with_columns((numbers + (first_row - 1)).alias(ROW)),
        [number + first_row - 1 for number in malformed],
    )


def _split(data: bytes, names: Sequence[str], ragged: _Ragged) -> pl.DataFrame | None:
    if not data.strip():
        return pl.DataFrame(schema=dict.fromkeys(names, pl.String))
    try:
        parsed = pyarrow.csv.read_csv(
            pa.BufferReader(data),
            # One block in one thread: row numbers stay those of the file.
            pyarrow.csv.ReadOptions(
                column_names=names, use_threads=False, block_size=len(data) + 1
            ),
            pyarrow.csv.ParseOptions(
                delimiter=ragged.separator,
                newlines_in_values=True,
                ignore_empty_lines=False,
                invalid_row_handler=ragged.note,
            ),
            pyarrow.csv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False
            ),
        )
    except pa.ArrowInvalid:
        return None  # rather than the error: its message quotes the row
    return pl.DataFrame(parsed)


def _swallows_rows(parsed: pl.DataFrame, separator: str) -> pl.Series:
    """Rows with a cell that holds whole other rows, behind a quotation mark never closed.

    Those rows would go uncounted.
    """
    breaks = pl.all().str.contains("\n", literal=True)
    enough = pl.all().str.count_matches(separator, literal=True) >= max(1, parsed.width - 1)
    return parsed.select(pl.any_horizontal(breaks & enough)).to_series()


def _read_sheet(name: str, rows: Sequence[Sequence[str]], forms: Sequence[FileForm]) -> RawTable:
    top = rows[:TITLE_LINES]
    line = max(range(len(top)), key=lambda number: fit_of(top[number], forms)[0])
    headings = checked(name, top[line], forms)
    names = [str(place) for place in range(len(top[line]))]
    body = rows[line + 1 :]
    frame = pl.DataFrame(body, schema=dict.fromkeys(names, pl.String), orient="row")
    numbers = pl.int_range(line + 2, line + 2 + len(body), eager=True)
    return _table(name, headings, frame.with_columns(numbers.alias(ROW)), [])


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
