"""The nearest profile for a file nobody knows yet, and a start for one of its own."""

import csv
import difflib
import io
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from features.errors import DeliveryRefused
from features.ingest.blocked import blocked_heading
from features.ingest.decoding import decode
from features.ingest.fields import Kind, fields_of
from features.ingest.forms import FileForm
from features.ingest.headings import TITLE_LINES, Headings, fit_of
from features.ingest.opening import RawFile
from features.ingest.reading import SEPARATORS
from features.ingest.spreadsheets import sheets_of

_SAMPLE_ROWS = 200
_SAMPLE_BYTES = 400_000
_ALIKE = 0.72
_DATES = ("%d-%m-%Y", "%d/%m/%Y", "%d.%m.%Y", "%Y%m%d", "%Y/%m/%d")
_CLOCKS = ("%H:%M", "%H:%M:%S")


@dataclass(frozen=True)
class Proposal:
    """How one file (or sheet) compares with the profiles.

    `placed` goes from heading to field by the nearest form; `guessed` likewise by likeness of
    words; `lacking` are fields that no heading was found for; `unplaced` headings stay behind, and
    `blocked` ones may not come in. `toml` is a start for a profile of its own.
    """

    file: str
    heading_row: int
    form: FileForm
    placed: Mapping[str, str]
    guessed: Mapping[str, str]
    lacking: tuple[str, ...]
    unplaced: tuple[str, ...]
    blocked: tuple[str, ...]
    toml: str

    def lines(self) -> Iterator[str]:
        """The comparison for people; headings and field names only, never a cell."""
        yield f"{self.file}: headings in row {self.heading_row}"
        yield f"  nearest: {self.form.file} of profile {self.form.profile} ({self.form.table})"
        for heading, name in self.placed.items():
            yield f"  matches: '{heading}' is {name}"
        for heading, name in self.guessed.items():
            yield f"  looks like: '{heading}' may be {name}; is that right?"
        for name in self.lacking:
            yield f"  lacks: {name}"
        for heading in self.unplaced:
            yield f"  no place for: '{heading}'"
        for heading in self.blocked:
            yield f"  may not come in: '{heading}'; leave it out of the export"
        if not self.guessed and not self.lacking and not self.blocked:
            yield "  this file can be taken in as it is"


def propose(file: RawFile, forms: Sequence[FileForm]) -> list[Proposal]:
    """What each table in `file` is nearest to; refuses a file without anything like headings."""
    return [_proposal(name, rows, forms) for name, rows in _tables(file)]


def _tables(file: RawFile) -> list[tuple[str, list[list[str]]]]:
    if file.is_sheet:
        sheets = sheets_of(file)
        return [(name, rows[: TITLE_LINES + _SAMPLE_ROWS]) for name, rows in sheets.items()]
    with file.open() as stream:
        head = stream.read(_SAMPLE_BYTES)
    if len(head) == _SAMPLE_BYTES:  # not in the middle of a character, nor of a row
        head = head[: max(head.rfind(b"\n"), 0) + 1] + (b"\0" if head[1:2] == b"\0" else b"")
    text = decode(file.name, head)
    return [(file.name, max((_split(text, one) for one in SEPARATORS), key=_width))]


def _split(text: str, separator: str) -> list[list[str]]:
    rows: list[list[str]] = []
    try:
        for cells in csv.reader(io.StringIO(text), delimiter=separator):
            rows.append(cells)
            if len(rows) == TITLE_LINES + _SAMPLE_ROWS:
                break
    except csv.Error:
        pass  # a stray quotation mark further down: what came before it is enough
    return rows


def _width(rows: Sequence[Sequence[str]]) -> int:
    return max((sum(1 for cell in row if cell.strip()) for row in rows[:TITLE_LINES]), default=0)


def _proposal(file: str, rows: Sequence[Sequence[str]], forms: Sequence[FileForm]) -> Proposal:
    place = _heading_place(file, rows, forms)
    cells = [cell.strip() for cell in rows[place]]
    blocked = tuple(cell for cell in cells if blocked_heading(cell))
    open_cells = [cell for cell in cells if cell and cell not in blocked]
    below = [row for row in rows[place + 1 :] if len(row) == len(cells)]
    columns_of = {cell: [row[at].strip() for row in below] for at, cell in enumerate(cells)}
    form = max(forms, key=lambda one: _likeness(open_cells, columns_of, one, forms))
    headings = Headings(form, tuple(open_cells))
    placed = {open_cells[where[0]]: name for name, where in headings.places.items()}
    left = [open_cells[where] for where in headings.unplaced]
    guessed = _guesses(left, form, forms, set(placed.values()))
    lacking = tuple(
        name for name in _needed(form) if name not in {*placed.values(), *guessed.values()}
    )
    columns = {cell: (placed | guessed)[cell] for cell in open_cells if cell in placed | guessed}
    unplaced = tuple(cell for cell in left if cell not in guessed)
    samples = {name: columns_of[cell] for cell, name in columns.items()}
    return Proposal(
        file=file,
        heading_row=place + 1,
        form=form,
        placed=placed,
        guessed=guessed,
        lacking=lacking,
        unplaced=unplaced,
        blocked=blocked,
        toml=_toml(file, form, columns, unplaced, samples),
    )


def _heading_place(file: str, rows: Sequence[Sequence[str]], forms: Sequence[FileForm]) -> int:
    """The line that fits a form best; where none fits, the first of the fullest without figures."""
    top = rows[:TITLE_LINES]
    best = max(range(len(top)), key=lambda place: fit_of(top[place], forms)[0], default=None)
    if best is not None and fit_of(top[best], forms)[0][1]:
        return best
    words = [sum(1 for cell in row if re.search(r"[a-z]{2}", cell.casefold())) for row in top]
    figures = [sum(1 for cell in row if re.search(r"\d", cell)) for row in top]
    likely = [place for place in range(len(top)) if words[place] >= 2 and not figures[place]]
    if not likely:
        raise DeliveryRefused(
            f"{file}: nothing like a line of headings in the first {TITLE_LINES} lines. "
            "Export it with headings."
        )
    return max(likely, key=lambda place: words[place])


def _needed(form: FileForm) -> list[str]:
    return [form.columns[heading] for heading in form.required]


def _words_for(form: FileForm, forms: Sequence[FileForm]) -> dict[str, str]:
    """Every heading by which any profile calls a field of this form, those of the form first."""
    words: dict[str, str] = {}
    for other in (form, *(one for one in forms if one.table is form.table)):
        for heading, name in other.columns.items():
            if name in form.fields or name in ("starts", "ends", "minutes", "recorded_at"):
                words.setdefault(_plain(heading), name)
    return words | {_plain(name): name for name in form.fields}


def _plain(heading: str) -> str:
    return re.sub(r"[^a-z0-9]+", "", heading.casefold())


def _guesses(
    headings: Sequence[str], form: FileForm, forms: Sequence[FileForm], taken: set[str]
) -> dict[str, str]:
    words = _words_for(form, forms)
    guesses: dict[str, str] = {}
    for heading in headings:
        plain = _plain(heading)
        near = difflib.get_close_matches(plain, words, n=1, cutoff=_ALIKE)
        inside = [word for word in words if len(word) > 3 and (word in plain or plain in word)]
        for word in [*near, *sorted(inside, key=len, reverse=True)]:
            name = words[word]
            if len(plain) > 2 and name not in taken and name not in guesses.values():
                guesses[heading] = name
                break
    return guesses


def _likeness(
    cells: Sequence[str],
    columns: Mapping[str, Sequence[str]],
    form: FileForm,
    forms: Sequence[FileForm],
) -> float:
    """How much of the form is there, of the file is known, and of its words the form has."""
    headings = Headings(form, tuple(cells))
    placed = {cells[where[0]]: name for name, where in headings.places.items()}
    unplaced = [cells[where] for where in headings.unplaced]
    guessed = _guesses(unplaced, form, forms, set(placed.values()))
    needed = _needed(form)
    found = {*placed.values(), *guessed.values()}
    there = sum(1 for name in needed if name in found) / max(1, len(needed))
    known = len(headings.places) / max(1, len(cells))
    return there + known + _words_known(placed | guessed, columns, form)


def _words_known(
    placed: Mapping[str, str], columns: Mapping[str, Sequence[str]], form: FileForm
) -> float:
    """The share of words in columns of choices that the form has a meaning for."""
    shares = []
    for heading, name in placed.items():
        known = {word.lower() for word in (*form.values.get(name, ()), *form.half_days)}
        texts = [text.lower() for text in columns[heading] if text]
        if (name in form.values or name == "half_day") and texts:
            shares.append(sum(text in known for text in texts) / len(texts))
    return sum(shares) / len(shares) if shares else 0.0


def _toml(
    file: str,
    form: FileForm,
    columns: Mapping[str, str],
    unplaced: Sequence[str],
    samples: Mapping[str, Sequence[str]],
) -> str:
    """A start for a profile: what was found filled in, what a person must look at in comments."""
    kinds = {name: fields_of(form.table)[name].kind for name in columns.values()}
    lines = [f"# Made from the headings of {file}; look at every line before it is used.", ""]
    for key, wanted, formats in (
        ("dates", (Kind.DATE,), _DATES),
        ("moments", (Kind.LOCAL, Kind.MOMENT), _with_clocks()),
        ("months", (Kind.MONTH,), ("%m-%Y", "%m/%Y")),
    ):
        texts = [text for name, kind in kinds.items() if kind in wanted for text in samples[name]]
        found = _formats(texts, formats, is_month=key == "months")
        known = getattr(form.reader, key)
        lines.append(f"{key} = {json.dumps(list(dict.fromkeys([*found, *known])))}")
    numbers = [
        text
        for name, kind in kinds.items()
        if kind in (Kind.NUMBER, Kind.DECIMAL)
        for text in samples[name]
    ]
    decimal = "," if any("," in text for text in numbers) else form.reader.decimal
    lines += [f'decimal = "{decimal}"', "", f"[files.{form.table}]", f"file = {json.dumps(file)}"]
    if unplaced:
        lines.append(f"unused = {json.dumps(list(unplaced), ensure_ascii=False)}")
    if form.observations:
        lines.append("observations = true")
    if form.lessons is not None:
        start, length = form.lessons.starts, form.lessons.minutes
        lines.append(f"lessons = {{ starts = {start:%H:%M:%S}, minutes = {length} }}")
    lines += ["", f"[files.{form.table}.columns]"]
    lines += [
        f"{json.dumps(cell, ensure_ascii=False)} = {json.dumps(name)}"
        for cell, name in columns.items()
    ]
    lines += _value_lines(form, set(columns.values()))
    return "\n".join(lines) + "\n"


def _value_lines(form: FileForm, given: set[str]) -> Iterator[str]:
    """What the nearest profile makes of words in these columns; nothing of the file's own."""
    for name, words in form.values.items():
        if name in given:
            yield ""
            yield f"[files.{form.table}.values.{name}]"
            yield from (f"{json.dumps(one)} = {json.dumps(word)}" for one, word in words.items())
    if form.half_days and "half_day" in given:
        yield ""
        yield f"[files.{form.table}.half_days]"
        for word, half in form.half_days.items():
            minutes = "" if half.minutes is None else f", minutes = {half.minutes}"
            times = f"starts = {half.starts:%H:%M:%S}, ends = {half.ends:%H:%M:%S}"
            yield f"{json.dumps(word)} = {{ {times}{minutes} }}"


def _with_clocks() -> tuple[str, ...]:
    return tuple(f"{day} {clock}" for day in _DATES for clock in _CLOCKS)


def _formats(texts: Sequence[str], formats: Sequence[str], *, is_month: bool) -> list[str]:
    """The formats that some of `texts` are written in, in the order tried."""
    column = pl.Series([text for text in texts if text], dtype=pl.String)
    if is_month:
        column = "01-" + column
    found = []
    for one in formats:
        written = f"%d-{one}" if is_month else one
        kind = pl.Datetime("us") if "%H" in written else pl.Date()
        fits = column.str.strptime(kind, written, strict=False)
        if (fits.dt.year() > 1900).any():
            found.append(one)
    return found
