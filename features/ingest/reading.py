"""Files to tables of text: find the heading line, the separator and the form, count every row.

A row number is the one a spreadsheet shows: title lines, headings and blank lines count.
"""

import contextlib
import csv
import io
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from functools import partial
from typing import IO

import polars as pl

from features.errors import DeliveryRefused
from features.ingest.blocked import columns_with_citizen_numbers
from features.ingest.decoding import decode, encoding_of
from features.ingest.distinct import stripped
from features.ingest.forms import FileForm
from features.ingest.headings import TITLE_LINES, Headings, checked, fit_of, shown_heading
from features.ingest.opening import RawFile
from features.ingest.splitting import TOTALS, parsed
from features.ingest.spreadsheets import sheets_of

SEPARATORS = (",", ";", "\t")
_EMPTY = "{name}: the file is empty. Export it again, or leave it out of the delivery."
_HEAD_CHARACTERS = 60_000
PART_CHARACTERS = 16_000_000
"""How much of a large text is in memory at a time, a few times over."""
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

    def without_rows(self) -> "RawTable":
        """Where the rows came from, once they are read."""
        return replace(self, frame=self.frame.clear(), malformed=())


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
                split = parsed(text, self._separator, width)
                if split.opens_a_quote and not ended and len(text) < 3 * PART_CHARACTERS:
                    pending = text + ahead  # the quoted text goes on below
                    continue
                good = split.checked(self.name, first_row)
                numbered = good.with_columns((split.numbers + (first_row - 1)).alias(ROW))
                malformed = split.malformed(first_row, is_end=ended)
                behind += len(text)
                table = _table(self.name, self._headings, numbered, malformed, is_end=ended)
                yield 1.0 if ended else min(1.0, behind / self.size), table
                first_row += split.lines
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
    split, first_row = parsed(body, separator, len(cells)), line + 1
    frame = split.checked(name, first_row).with_columns(
        (split.numbers + (first_row - 1)).alias(ROW)
    )
    return _table(name, headings, frame, split.malformed(first_row, is_end=True))


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


def _read_sheet(name: str, rows: Sequence[Sequence[str]], forms: Sequence[FileForm]) -> RawTable:
    top = rows[:TITLE_LINES]
    line = max(range(len(top)), key=lambda number: fit_of(top[number], forms)[0])
    headings = checked(name, top[line], forms)
    names = [str(place) for place in range(len(top[line]))]
    body = rows[line + 1 :]
    texts = pl.DataFrame(body, schema=dict.fromkeys(names, pl.String), orient="row")
    frame = texts.with_columns(stripped(one) for one in texts)
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
    filled = frame.filter(pl.any_horizontal(pl.col(texts).is_not_null()))
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
    end = frame.tail(_TOTAL_LINES).with_columns(pl.col(texts).cast(pl.String))
    first = pl.coalesce(pl.col(texts)).str.to_lowercase().str.contains(TOTALS)
    mostly_blank = pl.sum_horizontal(pl.col(texts).is_not_null()) * 2 <= max(len(texts), 4)
    totals = end.filter(first & mostly_blank)[ROW]
    return frame.filter(~pl.col(ROW).is_in(totals.implode())) if len(totals) else frame
