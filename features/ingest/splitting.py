"""Text below the headings to cells; rows that do not fit are told by their number, never quoted."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import polars as pl
import pyarrow as pa
import pyarrow.csv

from features.errors import DeliveryRefused
from features.ingest.distinct import cleaned

TOTALS = r"^(eind)?(totaal|totalen|total|totals|aantal|som)\b"
SAMPLE_BYTES = 500_000
"""From this size it pays to look which columns say the same again and again."""
_FEW = 0.9


@dataclass
class Ragged:
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
class Parsed:
    """Some text split into cells: the good rows, their numbers in that text, and the others."""

    frame: pl.DataFrame | None
    numbers: pl.Series
    ragged: Ragged
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


def parsed(body: str, separator: str, width: int) -> Parsed:
    """The cells below the headings as text, and the numbers of rows with too few or many cells."""
    ragged = Ragged(separator)
    names = [str(place) for place in range(width)]
    cells = _split(body.encode(), names, ragged)
    if cells is None:
        return Parsed(None, pl.Series([], dtype=pl.Int64), ragged, [])
    numbers = pl.int_range(1, cells.num_rows + len(ragged.rows) + 1, eager=True)
    if ragged.rows:
        numbers = numbers.filter(~numbers.is_in(ragged.rows))
    swallowing = numbers.head(0)
    if '"' in body:
        swallowing = numbers.filter(_swallows_rows(cells, separator))
    frame = pl.DataFrame([cleaned(cells[name]).alias(name) for name in names])
    return Parsed(frame, numbers, ragged, [*ragged.unclosed, *swallowing])


def _split(data: bytes, names: Sequence[str], ragged: Ragged) -> pa.Table | None:
    if not data.strip():
        return pa.schema(dict.fromkeys(names, pa.string())).empty_table()
    try:
        kinds = _kinds(data, names, ragged.separator)
        return _cells(data, kinds, ragged.separator, ragged.note)
    except pa.ArrowInvalid:
        return None  # rather than the error: its message quotes the row


def _kinds(data: bytes, names: Sequence[str], separator: str) -> dict[str, pa.DataType]:
    """Per column: as text, or, where the top of a large file repeats itself, as words."""
    kinds: dict[str, pa.DataType] = dict.fromkeys(names, pa.string())
    end = data.rfind(b"\n", 0, SAMPLE_BYTES) + 1
    if end and len(data) > SAMPLE_BYTES:
        sample: pa.Table = _cells(data[:end], kinds, separator, lambda _: "skip")
        for name in names if sample.num_rows else ():
            if len(sample[name].unique()) <= _FEW * sample.num_rows:
                kinds[name] = pa.dictionary(pa.int32(), pa.string())
    return kinds


def _cells(
    data: bytes,
    kinds: dict[str, pa.DataType],
    separator: str,
    note: Callable[[pyarrow.csv.InvalidRow], str],
) -> pa.Table:
    return pyarrow.csv.read_csv(
        pa.BufferReader(data),
        # One block in one thread: row numbers stay those of the file.
        pyarrow.csv.ReadOptions(
            column_names=list(kinds), use_threads=False, block_size=len(data) + 1
        ),
        pyarrow.csv.ParseOptions(
            delimiter=separator,
            newlines_in_values=True,
            ignore_empty_lines=False,
            invalid_row_handler=note,
        ),
        pyarrow.csv.ConvertOptions(column_types=kinds, strings_can_be_null=False),
    )


def _swallows_rows(cells: pa.Table, separator: str) -> pl.Series:
    """Rows with a cell that holds whole other rows, behind a quotation mark never closed.

    Those rows would go uncounted.
    """
    as_text = cells.cast(pa.schema(dict.fromkeys(cells.column_names, pa.string())))
    breaks = pl.all().str.contains("\n", literal=True)
    enough = pl.all().str.count_matches(separator, literal=True) >= max(1, cells.num_columns - 1)
    return pl.DataFrame(as_text).select(pl.any_horizontal(breaks & enough)).to_series()


def _is_total(cell: str) -> bool:
    return bool(pl.Series([cell.strip(' "').lower()]).str.contains(TOTALS)[0])
