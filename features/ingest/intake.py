"""The rows of one delivery on their way in: checked, pseudonymised, translated, keyed."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import polars as pl

from features.governance.vault import Vault
from features.ingest.checks import FILE, Place, Rule, rules_of, set_apart, typed
from features.ingest.codes import with_kind
from features.ingest.fields import fields_of
from features.ingest.pupils import remember_names, with_pupil_key
from features.ingest.reading import ROW, RawTable
from features.ingest.versions import Outcome, with_fingerprint
from features.records import LogTable, RecordLog

END_OF_TIME = datetime.max.replace(tzinfo=UTC)

NATURAL_KEYS = {
    LogTable.SCHOOLS: ["school"],
    LogTable.CODES: ["school", "code"],
    LogTable.CALENDAR: ["school", "date"],
    LogTable.TIMETABLE: ["school", "group", "pupil_key", "weekday", "valid_from"],
    LogTable.PLACEMENTS: ["school", "pupil_key", "enrolled_on"],
    LogTable.ABSENCE: ["school", "record_id"],
    LogTable.SUPPORT: ["school", "record_id"],
}
"""What makes two rows versions of one record."""


@dataclass
class Intake:
    """One delivery under way; `places` collects the rows that were set apart."""

    sources: Sequence[RawTable]
    records: RecordLog
    vault: Vault
    received_at: datetime
    places: list[Place] = field(default_factory=list)
    renamed: set[tuple[str, str]] = field(default_factory=set)

    def contents(self) -> dict[LogTable, pl.DataFrame]:
        """Per delivered table its usable rows, with content, `record_key` and `fingerprint`.

        Names go to the vault on the way, and stay behind there.
        """
        tables = {table: self._rows(table) for table in LogTable}
        schools = {*self.records.schools(), *tables[LogTable.SCHOOLS]["school"].to_list()}
        described = Rule("school_not_described", "school", ~pl.col("school").is_in(list(schools)))
        tables = {table: self._kept(rows, [described]) for table, rows in tables.items()}
        self.renamed = remember_names(self.vault, tables[LogTable.PLACEMENTS])
        codes = self._codes(tables[LogTable.CODES])
        contents: dict[LogTable, pl.DataFrame] = {}
        for table, rows in tables.items():
            if len(rows):
                content = self._content(table, rows, codes)
                contents[table] = self._with_keys(table, content)
        return contents

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
            if source.form.table is table:
                rows = typed(source).with_columns(pl.lit(number, pl.Int32).alias(FILE))
                kept = self._kept(rows, rules_of(source.form, self.received_at))
                parts.append(kept.select(parts[0].columns))
                self.places += [
                    Place(source.name, row, "", "wrong_number_of_cells") for row in source.malformed
                ]
        return pl.concat(parts)

    def _kept(self, rows: pl.DataFrame, rules: Sequence[Rule]) -> pl.DataFrame:
        kept, places = set_apart(rows, rules, self.sources)
        self.places += places
        return kept

    def _codes(self, delivered: pl.DataFrame) -> pl.DataFrame:
        """What each school means by its codes: as delivered now, else as last known."""
        known = pl.DataFrame(self.records.read_as_of(LogTable.CODES, END_OF_TIME))
        columns = ["school", "code", "category", "authorised"]
        now = delivered.with_columns(authorised=pl.col("authorised") == "yes")
        return pl.concat([known.select(columns), now.select(columns)])

    def _content(self, table: LogTable, rows: pl.DataFrame, codes: pl.DataFrame) -> pl.DataFrame:
        match table:
            case LogTable.SCHOOLS | LogTable.CALENDAR:
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
                return with_kind(self._with_pupils(rows), codes)
            case LogTable.SUPPORT:
                return self._with_pupils(rows)

    def _with_pupils(self, rows: pl.DataFrame) -> pl.DataFrame:
        keyed = with_pupil_key(self.vault, rows)
        unknown = pl.col("pupil_number").is_not_null() & pl.col("pupil_key").is_null()
        return self._kept(keyed, [Rule("pupil_not_known", "pupil_number", unknown)])

    def _with_keys(self, table: LogTable, rows: pl.DataFrame) -> pl.DataFrame:
        parts = [pl.col(name).cast(pl.String).fill_null("") for name in NATURAL_KEYS[table]]
        texts = rows.select(pl.concat_str(pl.lit(str(table)), *parts, separator="\x1f"))
        keys = self.vault.record_keys(texts.to_series().to_list())
        recorded_at = (
            pl.col("recorded_at")
            if "recorded_at" in rows.columns
            else pl.lit(None, pl.Datetime("us", "UTC"))
        )
        withdrawn = pl.col("withdrawn") == "yes" if "withdrawn" in rows.columns else pl.lit(False)
        keyed = rows.with_columns(
            pl.Series("record_key", keys, pl.String),
            pl.int_range(pl.len()).alias("order"),
            recorded_at=recorded_at,
            withdrawn=withdrawn.fill_null(False),
        )
        return with_fingerprint(keyed, table)


def _no_rows(table: LogTable) -> pl.DataFrame:
    types = {name: one.kind.type for name, one in fields_of(table).items()}
    return pl.DataFrame(schema={FILE: pl.Int32, ROW: pl.Int64, **types})
