"""One delivery from path to record log: everything is checked before anything is stored."""

import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pyarrow as pa

from features.errors import DeliveryRefused
from features.governance.vault import Vault
from features.ingest.ahead import one_ahead
from features.ingest.checks import FILE
from features.ingest.forms import FileForm, read_forms
from features.ingest.intake import Intake
from features.ingest.opening import Delivery, RawFile, open_delivery
from features.ingest.pupils import PupilKeys
from features.ingest.reading import ROW, LongTable, RawTable, read_tables
from features.ingest.report import FileCount, ImportReport
from features.ingest.staging import Share, Staging
from features.ingest.versions import Outcome, compare, with_known_at
from features.records import DeliveryRows, LogTable, RecordLog, schema_of
from features.settings import Home
from features.vocabulary import PupilKey

Progress = Callable[[str, float], None]
"""Told which step of an import is how far, from 0 to 1."""


def _nobody_looks(step: str, done: float) -> None:
    """Progress that nobody sees."""


@dataclass(frozen=True)
class IngestSettings:
    """Section `[ingest]` of the settings.

    `assumed_lag_days`: how long after the fact a first bulk load without recording moments is
    taken to have been known. `profiles`: a folder with more profiles; empty for `profiles/` in
    the home. `long_megabytes`: from which size a file of absence is read in parts. `moves`: what
    happens to a pupil who changes school within the region: "match" keeps one history by a match
    that two people signed, "anew" never does.
    """

    assumed_lag_days: int = 7
    max_megabytes: int = 2000
    profiles: str = ""
    long_megabytes: float = 64.0
    moves: str = "match"

    def __post_init__(self) -> None:
        """Refuse what cannot be meant."""
        if self.assumed_lag_days < 0 or self.max_megabytes < 1 or self.long_megabytes <= 0:
            raise ValueError("assumed_lag_days cannot be negative, the sizes neither, nor zero")
        if self.moves not in ("match", "anew"):
            raise ValueError('moves is "match" or "anew"')


def ingest(
    path: Path,
    home: Home,
    received_at: datetime,
    settings: IngestSettings | None = None,
    environ: Mapping[str, str] | None = None,
    progress: Progress = _nobody_looks,
) -> ImportReport:
    """Take in the delivery at `path` (folder, zip or file), whole or not at all.

    `environ` may hold the vault's master key; `progress` is told which step is how far (0 to 1).
    Raises `DeliveryRefused` with everything that is wrong; rows that cannot be used are set apart
    and named in the report.
    """
    assert received_at.tzinfo is not None, "a moment without a time zone is no moment"
    settings = settings or IngestSettings()
    forms = forms_of(home, settings)
    delivery = open_delivery(path, settings.max_megabytes * 1_000_000)
    sources = _read_all(delivery, forms, int(settings.long_megabytes * 1_000_000))
    records = RecordLog(home.records)
    with records.writing():
        vault = Vault.open(home, environ or {})
        intake = Intake(sources, records, vault, received_at.astimezone(UTC))
        report = _Run(delivery, intake, records, settings, progress).take_in()
    _keep(report, home)
    return report


def pupil_keys(
    home: Home,
    schools: Sequence[str],
    numbers: Sequence[str],
    environ: Mapping[str, str] | None = None,
) -> list[PupilKey | None]:
    """The pseudonyms of pupils by school and number, in the order asked; None if unknown."""
    wanted = pl.DataFrame({"school": list(schools), "pupil_number": list(numbers)})
    return PupilKeys(Vault.open(home, environ or {})).added_to(wanted)["pupil_key"].to_list()


def forms_of(home: Home, settings: IngestSettings) -> tuple[FileForm, ...]:
    """The profiles in force: a school's own, in its home or where the settings say, go first."""
    own = Path(settings.profiles) if settings.profiles else home.root / "profiles"
    return read_forms(own if own.is_dir() or settings.profiles else None)


def _read_all(
    delivery: Delivery, forms: Sequence[FileForm], long_from: int
) -> list[RawTable | LongTable]:
    sources: list[RawTable | LongTable] = []
    problems: list[str] = []
    for file in delivery.files:
        try:
            sources += _read(file, forms, long_from)
        except DeliveryRefused as problem:
            problems.append(str(problem))
    if problems:
        raise DeliveryRefused(
            f"{delivery.name} is refused and nothing of it was stored:\n" + "\n".join(problems)
        )
    return sources


def _read(
    file: RawFile, forms: Sequence[FileForm], long_from: int
) -> Sequence[RawTable | LongTable]:
    """The tables of a file; long ones are left where they are, if their rows stand alone."""
    tables = read_tables(file, forms, long_from)
    form = tables[0].form
    stands_alone = form.table is LogTable.ABSENCE and not any(
        other.observations for other in forms if other.profile == form.profile
    )
    if isinstance(tables[0], LongTable) and not stands_alone:
        return read_tables(file, forms)
    return tables


@dataclass
class _Run:
    """One delivery being compared with the log; gathers what became of its rows."""

    delivery: Delivery
    intake: Intake
    records: RecordLog
    settings: IngestSettings
    progress: Progress
    became: dict[int, Counter[str]] = field(default_factory=dict)

    def take_in(self) -> ImportReport:
        """Everything in, whole or not at all."""
        folder = self.records.root / "staging"
        Staging.clear(folder)
        try:
            contents = self.intake.contents()
            staged = self._staged(folder, contents)
            schools = {school for one in staged.values() for school in one.schools}
            for rows in contents.values():
                schools.update(rows["school"].unique())
            additions = {table: self._at_once(table, contents) for table in contents}
            additions |= {table: one_ahead(self._pieces(one)) for table, one in staged.items()}
            number = self.records.append(
                DeliveryRows(
                    self.intake.received_at, self.delivery.digest, additions, frozenset(schools)
                )
            )
        finally:
            Staging.clear(folder)
        return self._report(number)

    def _staged(
        self, folder: Path, contents: dict[LogTable, pl.DataFrame]
    ) -> dict[LogTable, Staging]:
        """The tables of which a part is long, wholly on disk; taken out of `contents`."""
        staged: dict[LogTable, Staging] = {}
        for table, rows in self.intake.parts(self.progress):
            if table not in staged:
                staged[table] = Staging(folder, table)
                if table in contents:
                    staged[table].add(contents.pop(table))
            staged[table].add(rows)
        return staged

    def _at_once(
        self, table: LogTable, contents: dict[LogTable, pl.DataFrame]
    ) -> Iterator[pa.Table]:
        """A table that is short, in one piece; out of memory once it is stored."""
        yield self._additions(table, contents.pop(table), Share(()))

    def _pieces(self, staging: Staging) -> Iterator[pa.Table]:
        shares = list(staging.shares())
        for done, share in enumerate(shares):
            self.progress("compare", done / len(shares))
            yield self._additions(staging.table, staging.read(share), share)
        self.progress("compare", 1.0)

    def _additions(self, table: LogTable, rows: pl.DataFrame, share: Share) -> pa.Table:
        """The new versions among `rows`, dated, with the columns of the log."""
        schools = rows["school"].unique().to_list()
        known = pl.DataFrame(
            self.records.read_fingerprints(table, schools, share.since, share.until)
        )
        had_rows = set(known["school"].unique())
        if not share.is_whole:
            had_rows = self.records.schools_in(table, schools)
        judged = compare(rows, known, self.intake.received_at)
        self.intake.note_contradictions(judged)
        self._count(self.intake.with_renamed(table, judged))
        new = judged.filter(pl.col("outcome").is_in([Outcome.ACCEPTED, Outcome.CHANGED]))
        first_loads = sorted(set(schools) - had_rows)
        dated = with_known_at(
            new, table, first_loads, self.intake.received_at, self.settings.assumed_lag_days
        )
        names = [name for name in schema_of(table).names if name not in ("delivery", "sequence")]
        return dated.select(names).to_arrow(compat_level=pl.CompatLevel.oldest())

    def _count(self, judged: pl.DataFrame) -> None:
        """One outcome per row: of two versions that a row stands for, the one that adds most."""
        rank = pl.col("outcome").replace_strict(_RANKS, return_dtype=pl.Int8)
        per_row = judged.select(FILE, ROW, rank.alias("rank"))
        number = pl.col(FILE).cast(pl.Int64) * _ROWS_OF_A_FILE + pl.col(ROW)
        if judged.select(number.n_unique()).item() < len(judged):
            per_row = per_row.group_by(FILE, ROW).agg(pl.col("rank").min())
        for file, place, rows in per_row.group_by(FILE, "rank").len().iter_rows():
            self.became.setdefault(file, Counter())[list(_RANKS)[place]] += rows

    def _report(self, number: int) -> ImportReport:
        intake = self.intake
        return ImportReport(
            delivery=self.delivery.name,
            number=number,
            received_at=intake.received_at,
            files=tuple(self._file_count(place) for place in range(len(intake.sources))),
            places=tuple(intake.places),
            unknown_codes=intake.unknown_codes.asked(),
            ignored_files=self.delivery.ignored,
            places_left_out=intake.places_left_out,
            rows_of_codes_left_out=intake.unknown_codes.rows_left_out,
        )

    def _file_count(self, place: int) -> FileCount:
        source, became = self.intake.sources[place], self.became.get(place, Counter())
        has_good_rows = bool(became.total() or self.intake.left_out[place])
        return FileCount(
            file=source.name,
            table=source.form.table,
            profile=source.form.profile,
            rows_read=self.intake.rows_read[place],
            accepted=became[Outcome.ACCEPTED],
            changed=became[Outcome.CHANGED],
            repeated=became[Outcome.REPEATED],
            quarantined=self.intake.quarantined[place],
            left_out=self.intake.left_out[place],
            # Where no row fits under the headings, a row may stand among them.
            dropped_columns=source.dropped if has_good_rows else (),
        )


_ROWS_OF_A_FILE = 1 << 40
_RANKS = {
    str(outcome): rank
    for rank, outcome in enumerate(
        (Outcome.ACCEPTED, Outcome.CHANGED, Outcome.REPEATED, Outcome.QUARANTINED)
    )
}


def _keep(report: ImportReport, home: Home) -> None:
    """The report on disk, under the number of its delivery, readable by the owner only."""
    home.quarantine.mkdir(parents=True, exist_ok=True)
    path = home.quarantine / f"{report.number:06d}.json"
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(report.to_json())
