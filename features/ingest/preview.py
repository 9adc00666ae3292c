"""What a profile makes of the first rows of a delivery, before anything is taken in.

Values of pupils are masked; nothing is stored, and the vault stays closed.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import polars as pl

from features.errors import DeliveryRefused
from features.ingest.checks import FILE, Place, rules_of, set_apart, typed
from features.ingest.codes import MOST_LETTERS
from features.ingest.delivering import IngestSettings, forms_of
from features.ingest.fields import Kind, fields_of
from features.ingest.forms import FileForm
from features.ingest.opening import RawFile, open_delivery
from features.ingest.proposing import Proposal, propose
from features.ingest.reading import ROW, LongTable, RawTable, read_tables
from features.school_weeks import AMSTERDAM
from features.settings import Home

ROWS_SHOWN = 5
ROWS_LOOKED_AT = 100_000
MASK = "•••"
_LONG_FROM = 8_000_000
_ABOUT_PUPILS = {
    "pupil_number",
    "given_name",
    "name_prefix",
    "family_name",
    "birth_month",
    "record_id",
}


@dataclass(frozen=True)
class FilePreview:
    """One file as its profile reads it.

    `rows` are the first rows, field by field, masked; `broken` what could not be placed among the
    first `looked_at` rows.
    """

    file: str
    profile: str
    table: str
    looked_at: int
    fields: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    broken: tuple[Place, ...]
    dropped: tuple[str, ...]

    def lines(self) -> Iterator[str]:
        """The preview for people."""
        yield f"{self.file}: read as {self.table} by profile {self.profile}"
        if self.dropped:
            yield f"  not taken in: {', '.join(self.dropped)}"
        widths = [
            max(len(row[place]) for row in (self.fields, *self.rows))
            for place in range(len(self.fields))
        ]
        for row in (self.fields, *self.rows):
            cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
            yield "  " + "  ".join(cells).rstrip()
        yield from self._broken_lines()

    def _broken_lines(self) -> Iterator[str]:
        if not self.broken:
            yield f"  every one of the first {self.looked_at} rows can be placed"
            return
        rules: dict[tuple[str, str], list[int]] = {}
        for place in self.broken:
            rules.setdefault((place.column, place.rule), []).append(place.row)
        yield f"  could not be placed, of the first {self.looked_at} rows:"
        for (column, rule), rows in rules.items():
            where = f"'{column}' " if column else ""
            shown = ", ".join(str(row) for row in sorted(rows)[:ROWS_SHOWN])
            yield f"    {where}{rule.replace('_', ' ')}: {len(rows)} rows, first {shown}"


def preview(
    path: Path, home: Home, received_at: datetime, settings: IngestSettings | None = None
) -> list[FilePreview | Proposal]:
    """How each file of the delivery at `path` would be read.

    A file that fits no profile gives a proposal instead. Raises `DeliveryRefused` for what cannot
    be opened at all.
    """
    settings = settings or IngestSettings()
    forms = forms_of(home, settings)
    delivery = open_delivery(path, settings.max_megabytes * 1_000_000)
    found: list[FilePreview | Proposal] = []
    for file in delivery.files:
        found += _of_file(file, forms, received_at)
    return found


def check_profile(path: Path, home: Home, settings: IngestSettings | None = None) -> list[Proposal]:
    """The nearest profile for each file at `path`, and a start for one of its own."""
    settings = settings or IngestSettings()
    delivery = open_delivery(path, settings.max_megabytes * 1_000_000)
    forms = forms_of(home, settings)
    return [one for file in delivery.files for one in propose(file, forms)]


def _of_file(
    file: RawFile, forms: Sequence[FileForm], received_at: datetime
) -> Sequence[FilePreview | Proposal]:
    try:
        tables = read_tables(file, forms, _LONG_FROM)
    except DeliveryRefused:
        return propose(file, forms)
    return [_of_table(table, received_at) for table in tables]


def _of_table(table: RawTable | LongTable, received_at: datetime) -> FilePreview:
    if isinstance(table, LongTable):
        parts = table.parts()
        _, part = next(parts)
        parts.close()
    else:
        part = table
    form = part.form
    head = RawTable(part.name, form, part.frame.head(ROWS_LOOKED_AT), part.malformed, part.dropped)
    rows = typed(head, form.school or "(…)").with_columns(pl.lit(0, pl.Int32).alias(FILE))
    rules = [rule for rule in rules_of(form, received_at) if rule.field in form.fields]
    _, broken = set_apart(rows, rules, [head])
    broken += [Place(head.name, row, "", "wrong_number_of_cells") for row in head.malformed]
    shown = [name for name in fields_of(form.table) if name in form.fields]
    columns = [_shown(rows.head(ROWS_SHOWN), name, form) for name in shown]
    return FilePreview(
        file=head.name,
        profile=form.profile,
        table=str(form.table),
        looked_at=head.rows_read,
        fields=("row", *shown),
        rows=tuple(zip(_texts(rows.head(ROWS_SHOWN)[ROW]), *columns, strict=True)),
        broken=tuple(broken),
        dropped=head.dropped,
    )


def _shown(rows: pl.DataFrame, name: str, form: FileForm) -> list[str]:
    """One field of some rows as it may be seen; what could not be read is a question mark."""
    written, read = _texts(rows[f"raw:{name}"]), _texts(rows[name])
    kind = fields_of(form.table)[name].kind
    if name in _ABOUT_PUPILS:
        return [MASK if text else "" for text in written]
    if name == "code" and form.table.is_about_pupils:
        return [text if len(text) <= MOST_LETTERS else MASK for text in written]
    if kind is Kind.TEXT:
        return written
    return [value or ("?" if text else "") for value, text in zip(read, written, strict=True)]


def _texts(values: pl.Series) -> list[str]:
    if isinstance(values.dtype, pl.Datetime):
        in_zone = values.dt.convert_time_zone(AMSTERDAM.key) if values.dtype.time_zone else values
        values = in_zone.dt.to_string("%Y-%m-%d %H:%M")
    return values.cast(pl.String).fill_null("").to_list()
