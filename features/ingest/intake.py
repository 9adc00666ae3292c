"""The rows of one delivery on their way in: checked, pseudonymised, translated, keyed."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import polars as pl

from features.errors import DeliveryRefused
from features.governance.vault import Vault
from features.ingest.ahead import one_ahead
from features.ingest.checks import FILE, Place, Rule, rules_of, set_apart, typed
from features.ingest.codes import UnknownCodes, with_kind
from features.ingest.explaining import explained, without_what_is_no_absence
from features.ingest.fields import fields_of
from features.ingest.pupils import PupilKeys
from features.ingest.reading import ROW, LongTable, RawTable
from features.ingest.staging import columns_on_the_way
from features.ingest.versions import Outcome, with_fingerprint
from features.records import LogTable, RecordLog

END_OF_TIME = datetime.max.replace(tzinfo=UTC)
MOST_PLACES = 100_000
"""Broken rules that are listed one by one; beyond that they are counted only."""

NATURAL_KEYS = {
    LogTable.SCHOOLS: ["school"],
    LogTable.CODES: ["school", "code"],
    LogTable.CALENDAR: ["school", "date"],
    LogTable.TIMETABLE: ["school", "group", "pupil_key", "weekday", "valid_from"],
    LogTable.PLACEMENTS: ["school", "pupil_key", "enrolled_on"],
    LogTable.ABSENCE: ["school", "record_id"],
    LogTable.SUPPORT: ["school", "record_id"],
    LogTable.PRIOR_ABSENCE: ["school", "pupil_key", "until"],
}
"""What makes two rows versions of one record."""


@dataclass
class Intake:
    """One delivery under way; collects the rows that were set apart and the codes to ask about."""

    sources: list[RawTable | LongTable]
    records: RecordLog
    vault: Vault
    received_at: datetime
    places: list[Place] = field(default_factory=list)
    places_left_out: int = 0
    rows_read: Counter[int] = field(default_factory=Counter)
    quarantined: Counter[int] = field(default_factory=Counter)
    left_out: Counter[int] = field(default_factory=Counter)
    unknown_codes: UnknownCodes = field(default_factory=UnknownCodes)
    renamed: set[tuple[str, str]] = field(default_factory=set)
    _orders: int = 0

    def __post_init__(self) -> None:
        """Begin with what the log knows of schools and codes."""
        self._keys = PupilKeys(self.vault)
        self._schools = set(self.records.schools())
        self._codes = pl.DataFrame()
        self._only_school = ""

    def contents(self) -> dict[LogTable, pl.DataFrame]:
        """Per delivered table its usable rows, with content, `record_key` and `fingerprint`.

        Names go to the vault on the way, and stay behind there. Long tables are not among them:
        `parts` gives those, after this.
        """
        delivered = {LogTable.SCHOOLS: self._rows(LogTable.SCHOOLS)}
        named = set(delivered[LogTable.SCHOOLS]["school"].to_list())
        self._schools |= named
        self._only_school = named.pop() if len(named) == 1 else ""
        self._refuse_without_school()
        for table in LogTable:
            if table is not LogTable.SCHOOLS:
                delivered[table] = self._described(self._rows(table))
        self.renamed = self._keys.remember(delivered[LogTable.PLACEMENTS])
        self._codes = self._meanings(delivered[LogTable.CODES])
        # Taken out one by one: a large table is not in memory twice.
        filled = [table for table, rows in delivered.items() if len(rows)]
        return {table: self._finished(table, delivered.pop(table)) for table in filled}

    def parts(
        self, progress: Callable[[str, float], None]
    ) -> Iterator[tuple[LogTable, pl.DataFrame]]:
        """The same of the long tables, part by part."""
        for number, source in enumerate(self.sources):
            if isinstance(source, LongTable):
                for done, part in one_ahead(source.parts()):
                    progress(source.name, done)
                    rows = self._described(self._checked(number, part))
                    if len(rows):
                        yield source.form.table, self._finished(source.form.table, rows)

    def note_contradictions(self, judged: pl.DataFrame) -> None:
        """Set apart rows that say something else about a record than an earlier row did."""
        is_so = pl.col("outcome") == Outcome.QUARANTINED
        self._kept(judged, [Rule("contradicts_an_earlier_row", "school", is_so)])

    def with_renamed(self, table: LogTable, judged: pl.DataFrame) -> pl.DataFrame:
        """A placement that is known already but brought another name counts as changed."""
        if table is not LogTable.PLACEMENTS or not self.renamed:
            return judged
        renamed = pl.DataFrame(
            sorted(self.renamed), schema=["school", "pupil_number"], orient="row"
        ).with_columns(is_renamed=True)
        joined = judged.join(
            renamed, on=["school", "pupil_number"], how="left", maintain_order="left"
        )
        is_so = pl.col("is_renamed") & (pl.col("outcome") == Outcome.REPEATED)
        return joined.with_columns(
            outcome=pl.when(is_so).then(pl.lit(Outcome.CHANGED)).otherwise("outcome")
        )

    def _rows(self, table: LogTable) -> pl.DataFrame:
        """The rows of all files of `table` that keep the rules of their form, with types."""
        parts = [_no_rows(table)]
        for number, source in enumerate(self.sources):
            if isinstance(source, RawTable) and source.form.table is table:
                parts.append(self._checked(number, source).cast(parts[0].schema))
                self.sources[number] = source.without_rows()
        return pl.concat(parts)

    def _checked(self, number: int, part: RawTable) -> pl.DataFrame:
        form = part.form
        school = form.school or self._only_school
        rows = typed(part, school).with_columns(
            pl.lit(number, pl.Int32).alias(FILE), observed=pl.lit(form.observations)
        )
        self.rows_read[number] += part.rows_read
        self.quarantined[number] += len(part.malformed)
        self._note([Place(part.name, row, "", "wrong_number_of_cells") for row in part.malformed])
        return self._kept(rows, rules_of(form, self.received_at)).select(
            _no_rows(form.table).columns
        )

    def _described(self, rows: pl.DataFrame) -> pl.DataFrame:
        described = pl.col("school").cast(pl.String).is_in(list(self._schools))
        return self._kept(rows, [Rule("school_not_described", "school", ~described)])

    def _kept(self, rows: pl.DataFrame, rules: Sequence[Rule]) -> pl.DataFrame:
        kept, places = set_apart(rows, rules, self.sources)
        self._note(places)
        if len(kept) < len(rows):
            gone = rows.select(FILE, ROW).join(kept.select(FILE, ROW), on=[FILE, ROW], how="anti")
            self.quarantined.update(dict(gone.unique().group_by(FILE).len().iter_rows()))
        return kept

    def _note(self, places: Sequence[Place]) -> None:
        room = MOST_PLACES - len(self.places)
        self.places += places[:room]
        self.places_left_out += max(0, len(places) - room)

    def _refuse_without_school(self) -> None:
        nameless = [
            source.name
            for source in self.sources
            if "school" not in source.form.fields and not source.form.school
        ]
        if nameless and not self._only_school:
            raise DeliveryRefused(
                f"{', '.join(nameless)}: does not say which school; nothing was stored. Deliver it "
                'together with a schools.csv of one school, or write school = "…" in the profile.'
            )

    def _meanings(self, delivered: pl.DataFrame) -> pl.DataFrame:
        """What each school means by its codes: as delivered now, else as last known."""
        known = pl.DataFrame(self.records.read_as_of(LogTable.CODES, END_OF_TIME))
        columns = ["school", "code", "category", "authorised", "valid_from", "valid_to"]
        now = delivered.with_columns(authorised=pl.col("authorised") == "yes")
        return pl.concat([known.select(columns), now.select(columns)])

    def _finished(self, table: LogTable, rows: pl.DataFrame) -> pl.DataFrame:
        ordered = rows.with_columns(order=pl.int_range(pl.len()) + self._orders)
        self._orders += len(rows)
        content = self._with_keys(table, self._content(table, ordered))
        if table is LogTable.ABSENCE:
            content = self._explained(content)
        finished = with_fingerprint(content, table)
        return finished.select(columns_on_the_way(table))

    def _content(self, table: LogTable, rows: pl.DataFrame) -> pl.DataFrame:
        match table:
            case LogTable.SCHOOLS:
                return rows.with_columns(pl.col("episodes_over_holidays") == "yes")
            case LogTable.CALENDAR:
                return rows
            case LogTable.CODES:
                return rows.with_columns(authorised=pl.col("authorised") == "yes")
            case LogTable.TIMETABLE:
                return self._with_pupils(rows).with_columns(pl.col("group").fill_null(""))
            case LogTable.PLACEMENTS:
                return self._with_pupils(rows).with_columns(
                    pl.col("group", "year_group").fill_null(""), born_on="birth_month"
                )
            case LogTable.ABSENCE:
                keyed = self._with_pupils(rows)
                return _with_record_ids(with_kind(keyed, self._codes, self.vault))
            case LogTable.SUPPORT:
                return self._with_pupils(rows)
            case LogTable.PRIOR_ABSENCE:
                return self._with_pupils(rows).with_columns(
                    minutes_authorised=_minutes("hours_authorised"),
                    minutes_unauthorised=_minutes("hours_unauthorised"),
                    over_a_quarter=pl.col("over_a_quarter") == "yes",
                )

    def _explained(self, absence: pl.DataFrame) -> pl.DataFrame:
        known = pl.DataFrame()
        if absence["observed"].any():
            schools = absence["school"].unique().to_list()
            known = pl.DataFrame(
                self.records.read_as_of(LogTable.ABSENCE, END_OF_TIME, schools=schools)
            )
        kept, left_out = without_what_is_no_absence(explained(absence, known, self.received_at))
        self.left_out.update(left_out)
        self.unknown_codes.note(kept)
        return kept

    def _with_pupils(self, rows: pl.DataFrame) -> pl.DataFrame:
        keyed = self._keys.added_to(rows)
        unknown = pl.col("pupil_number").is_not_null() & pl.col("pupil_key").is_null()
        return self._kept(keyed, [Rule("pupil_not_known", "pupil_number", unknown)])

    def _with_keys(self, table: LogTable, rows: pl.DataFrame) -> pl.DataFrame:
        keys = record_keys(self.vault, table, rows)
        recorded_at = (
            pl.col("recorded_at")
            if "recorded_at" in rows.columns
            else pl.lit(None, pl.Datetime("us", "UTC"))
        )
        withdrawn = pl.col("withdrawn") == "yes" if "withdrawn" in rows.columns else pl.lit(False)
        return rows.with_columns(
            record_key=keys,
            recorded_at=recorded_at,
            withdrawn=withdrawn.fill_null(False),
        )


def record_keys(vault: Vault, table: LogTable, rows: pl.DataFrame) -> pl.Series:
    """The keyed hash of what makes each row the record that it is."""
    parts = [pl.col(name).cast(pl.String).fill_null("") for name in NATURAL_KEYS[table]]
    if table is LogTable.CODES:
        # Only where a code has more than one meaning does the day belong to its key.
        parts[-1] = pl.concat_str(
            parts[-1], pl.concat_str(pl.lit("\x1f"), "valid_from").fill_null("")
        )
    texts = rows.select(pl.concat_str(pl.lit(str(table)), *parts, separator="\x1f"))
    return vault.record_keys(texts.to_series()).alias("record_key")


def _with_record_ids(absence: pl.DataFrame) -> pl.DataFrame:
    """`absence`; what the source gives no id is told by its pupil and when it starts."""
    if not absence["record_id"].has_nulls():
        return absence
    by_start = pl.concat_str("pupil_key", pl.col("starts_at").dt.to_string("iso"))
    return absence.with_columns(record_id=pl.coalesce("record_id", by_start))


def _minutes(hours: str) -> pl.Expr:
    return (pl.col(hours) * 60).round().cast(pl.Int32)


def _no_rows(table: LogTable) -> pl.DataFrame:
    types = {name: one.kind.type for name, one in fields_of(table).items()}
    return pl.DataFrame(schema={FILE: pl.Int32, ROW: pl.Int64, "observed": pl.Boolean, **types})
