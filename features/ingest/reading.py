"""Files to tables of text: find the heading line, the separator and the form, count every row.

A row number is the one a spreadsheet shows: title lines, headings and blank lines count.
"""

import contextlib
import csv
import io
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from functools import partial
from typing import IO

import polars as pl
import pyarrow as pa
import pyarrow.csv

from features.errors import DeliveryRefused
from features.ingest.blocked import columns_with_citizen_numbers
from features.ingest.decoding import decode, encoding_of
from features.ingest.forms import FileForm
from features.ingest.headings import TITLE_LINES, Headings, checked, fit_of, shown_heading
from features.ingest.opening import RawFile
from features.ingest.spreadsheets import sheets_of

SEPARATORS = (",", ";", "\t")
_EMPTY = "{name}: the file is empty. Export it again, or leave it out of the delivery."
_HEAD_CHARACTERS = 60_000
PART_CHARACTERS = 16_000_000
"""How much of a large text is in memory at a time, a few times over."""
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
class LongTable:
    """A text file of a known form that is too large to hold: read part by part, in order.

    Same meaning as a `RawTable`; `parts` gives such tables, whose row numbers run on.
    """

    name: str
    form: FileForm
    dropped: tuple[str, ...]
    size: int
    _headings: Headings
    _lines: Callable[[], AbstractContextManager[IO[str]]]
    _separator: str
    _line: int
    _physical: int

    def parts(self) -> Generator[tuple[float, RawTable]]:
        """Some hundred thousand rows at a time, each with how far in the file it ends (0 to 1)."""
        width, first_row = len(self._headings.cells), self._line + 1
        with self._lines() as lines:
            for _ in range(self._physical):
                lines.readline()
            pending, ended, behind = "", False, 0
            while not ended:
                text = pending + _whole_rows(lines)
                ended = not (ahead := lines.read(1))
                parsed = _parsed(text, self._separator, width)
                if parsed.opens_a_quote and not ended and len(text) < 3 * PART_CHARACTERS:
                    pending = text + ahead  # the quoted text goes on below
                    continue
                checked = parsed.checked(self.name, first_row)
                numbered = checked.with_columns((parsed.numbers + (first_row - 1)).alias(ROW))
                malformed = parsed.malformed(first_row, is_end=ended)
                behind += len(text)
                table = _table(self.name, self._headings, numbered, malformed, is_end=ended)
                yield min(1.0, behind / self.size), table
                first_row += parsed.lines
                pending = ahead


def _whole_rows(lines: IO[str]) -> str:
    """The next part of a text, up to the end of a line that is not inside quotation marks."""
    pieces = [lines.read(PART_CHARACTERS), lines.readline()]
    marks = sum(piece.count('"') for piece in pieces)
    beyond = 0
    while marks % 2 and beyond < PART_CHARACTERS and (line := lines.readline()):
        pieces.append(line)
        marks += line.count('"')
        beyond += len(line)
    return "".join(pieces)


def read_tables(
    file: RawFile, forms: Sequence[FileForm], long_from: int = 1 << 62
) -> Sequence[RawTable | LongTable]:
    """The tables in one file; raises `DeliveryRefused` with everything that is wrong with it.

    A text file of `long_from` bytes or more is not read beyond its headings yet.
    """
    if not file.size:
        raise DeliveryRefused(_EMPTY.format(name=file.name))
    if not file.is_sheet and file.size >= long_from:
        return [_opened(file, forms)]
    if file.is_sheet:
        sheets = sheets_of(file)
        if not sheets:
            raise DeliveryRefused(_EMPTY.format(name=file.name))
        return [_read_sheet(name, rows, forms) for name, rows in sheets.items()]
    text = decode(file.name, file.content)
    if not text.strip():
        raise DeliveryRefused(_EMPTY.format(name=file.name))
    return [_read_text(file.name, text, forms)]


def _opened(file: RawFile, forms: Sequence[FileForm]) -> LongTable:
    encoding, bom = encoding_of(file)
    lines = partial(_lines_of, file, encoding, bom)
    with lines() as text:
        head = text.read(_HEAD_CHARACTERS)
    line, separator, cells, physical = _heading_line(head, forms)
    headings = checked(file.name, cells, forms)
    return LongTable(
        file.name,
        headings.form,
        headings.unknown,
        file.size,
        headings,
        lines,
        separator,
        line,
        physical,
    )


@contextlib.contextmanager
def _lines_of(file: RawFile, encoding: str, bom: int) -> Iterator[IO[str]]:
    with file.open() as stream:
        stream.read(bom)
        text = io.TextIOWrapper(stream, encoding)
        try:
            yield text
        finally:
            text.detach()


def _read_text(name: str, text: str, forms: Sequence[FileForm]) -> RawTable:
    head = text[:_HEAD_CHARACTERS]
    line, separator, cells, physical = _heading_line(head, forms)
    headings = checked(name, cells, forms)
    body = text.split("\n", physical)[physical] if text.count("\n") >= physical else ""
    parsed, first_row = _parsed(body, separator, len(cells)), line + 1
    frame = parsed.checked(name, first_row).with_columns(
        (parsed.numbers + (first_row - 1)).alias(ROW)
    )
    return _table(name, headings, frame, parsed.malformed(first_row, is_end=True))


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


@dataclass(frozen=True)
class _Parsed:
    """Some text split into cells: the good rows, their numbers in that text, and the others."""

    frame: pl.DataFrame | None
    numbers: pl.Series
    ragged: _Ragged
    unclosed: Sequence[int]

    @property
    def opens_a_quote(self) -> bool:
        """Whether a quotation mark is not closed before the end of this text."""
        return self.frame is None or bool(self.unclosed)

    @property
    def lines(self) -> int:
        """Rows of any kind in this text."""
        return len(self.numbers) + len(self.ragged.rows)

    def checked(self, name: str, first_row: int) -> pl.DataFrame:
        """The good rows, or a refusal of file `name` if rows cannot be told apart."""
        if self.frame is None:
            raise DeliveryRefused(
                f"{name}: cannot be split into rows and columns. Export it again as CSV."
            )
        if self.unclosed:
            raise DeliveryRefused(
                f"{name}: row {min(self.unclosed) + first_row - 1} opens a quotation mark that is "
                "not closed, so the rows below it cannot be told apart. Correct that row in the "
                "source and export again."
            )
        return self.frame

    def malformed(self, first_row: int, *, is_end: bool) -> list[int]:
        """Numbers in the file of rows with too few or too many cells."""
        last = len(self.numbers) + len(self.ragged.rows)
        if is_end:
            last = 0 if self.numbers.is_empty() else int(self.numbers.to_numpy()[-1])
        return [number + first_row - 1 for number in self.ragged.malformed(last)]


def _parsed(body: str, separator: str, width: int) -> _Parsed:
    """The cells below the headings as text, and the numbers of rows with too few or many cells."""
    ragged = _Ragged(separator)
    names = [str(place) for place in range(width)]
    frame = _split(body.encode(), names, ragged)
    if frame is None:
        return _Parsed(None, pl.Series([], dtype=pl.Int64), ragged, [])
    numbers = pl.int_range(1, len(frame) + len(ragged.rows) + 1, eager=True)
    if ragged.rows:
        numbers = numbers.filter(~numbers.is_in(ragged.rows))
    swallowing = (
        numbers.filter(_swallows_rows(frame, separator)) if '"' in body else numbers.head(0)
    )
    return _Parsed(frame, numbers, ragged, ragged.unclosed + swallowing.to_list())


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
    name: str,
    headings: Headings,
    frame: pl.DataFrame,
    malformed: Sequence[int],
    *,
    is_end: bool = True,
) -> RawTable:
    texts = [column for column in frame.columns if column != ROW]
    clean = frame.with_columns(pl.col(texts).str.strip_chars().replace("", None))
    filled = clean.filter(pl.any_horizontal(pl.col(texts).is_not_null()))
    rows = _without_totals(filled, texts) if is_end else filled
    for place in columns_with_citizen_numbers(rows.select(texts)):
        raise DeliveryRefused(
            f"{name}: most values of column "
            f"'{shown_heading(headings.cells[int(place)], int(place))}' are citizen "
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
