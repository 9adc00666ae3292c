"""One delivery from path to record log: everything is checked before anything is stored."""

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import polars as pl

from features.errors import DeliveryRefused
from features.governance.vault import Vault
from features.ingest.checks import FILE
from features.ingest.codes import unknown_codes
from features.ingest.forms import FileForm, read_forms
from features.ingest.intake import Intake
from features.ingest.opening import Delivery, open_delivery
from features.ingest.pupils import with_pupil_key
from features.ingest.reading import RawTable, read_tables
from features.ingest.report import FileCount, ImportReport
from features.ingest.versions import Outcome, compare, with_known_at
from features.records import DeliveryRows, LogTable, RecordLog, schema_of
from features.settings import Home
from features.vocabulary import PupilKey


@dataclass(frozen=True)
class IngestSettings:
    """Section `[ingest]` of the settings.

    `assumed_lag_days`: how long after the fact a first bulk load without recording moments is
    taken to have been known. `profiles`: a folder with more profiles; empty for none.
    """

    assumed_lag_days: int = 7
    max_megabytes: int = 2000
    profiles: str = ""

    def __post_init__(self) -> None:
        """Refuse what cannot be meant."""
        if self.assumed_lag_days < 0 or self.max_megabytes < 1:
            raise ValueError("assumed_lag_days cannot be negative, max_megabytes not below 1")


def ingest(
    path: Path,
    home: Home,
    received_at: datetime,
    settings: IngestSettings | None = None,
    environ: Mapping[str, str] | None = None,
) -> ImportReport:
    """Take in the delivery at `path` (folder, zip or file), whole or not at all.

    `environ` may hold the vault's master key. Raises `DeliveryRefused` with everything that is
    wrong; rows that cannot be used are set apart and named in the report.
    """
    assert received_at.tzinfo is not None, "a moment without a time zone is no moment"
    settings = settings or IngestSettings()
    forms = read_forms(Path(settings.profiles) if settings.profiles else None)
    delivery = open_delivery(path, settings.max_megabytes * 1_000_000)
    sources = _read_all(delivery, forms)
    records = RecordLog(home.records)
    with records.writing():
        vault = Vault.open(home, environ or {})
        intake = Intake(sources, records, vault, received_at.astimezone(UTC))
        report = _take_in(delivery, intake, records, settings)
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
    return with_pupil_key(Vault.open(home, environ or {}), wanted)["pupil_key"].to_list()


def _read_all(delivery: Delivery, forms: Sequence[FileForm]) -> list[RawTable]:
    sources: list[RawTable] = []
    problems: list[str] = []
    for file in delivery.files:
        try:
            sources += read_tables(file, forms)
        except DeliveryRefused as problem:
            problems.append(str(problem))
    if problems:
        raise DeliveryRefused(
            f"{delivery.name} is refused and nothing of it was stored:\n" + "\n".join(problems)
        )
    return sources


def _take_in(
    delivery: Delivery, intake: Intake, records: RecordLog, settings: IngestSettings
) -> ImportReport:
    contents = intake.contents()
    outcomes: dict[LogTable, pl.DataFrame] = {}
    additions = {}
    for table, rows in contents.items():
        schools = rows["school"].unique().to_list()
        known = pl.DataFrame(records.read_fingerprints(table, schools))
        judged = compare(rows, known, intake.received_at)
        intake.note_contradictions(judged)
        outcomes[table] = intake.with_renamed(table, judged)
        first_loads = sorted(set(schools) - set(known["school"].to_list()))
        new = judged.filter(pl.col("outcome").is_in([Outcome.ACCEPTED, Outcome.CHANGED]))
        dated = with_known_at(
            new, table, first_loads, intake.received_at, settings.assumed_lag_days
        )
        names = [name for name in schema_of(table).names if name not in ("delivery", "sequence")]
        additions[table] = dated.select(names).to_arrow(compat_level=pl.CompatLevel.oldest())
    spoken_of = {school for rows in contents.values() for school in rows["school"].unique()}
    number = records.append(
        DeliveryRows(intake.received_at, delivery.digest, additions, frozenset(spoken_of))
    )
    absence = contents.get(LogTable.ABSENCE)
    return ImportReport(
        delivery=delivery.name,
        number=number,
        received_at=intake.received_at,
        files=_counts(intake, outcomes),
        places=tuple(intake.places),
        unknown_codes=() if absence is None else unknown_codes(absence),
        ignored_files=delivery.ignored,
    )


def _counts(intake: Intake, outcomes: Mapping[LogTable, pl.DataFrame]) -> tuple[FileCount, ...]:
    set_apart = {(place.file, place.row) for place in intake.places}
    counts = []
    for number, source in enumerate(intake.sources):
        judged = outcomes.get(source.form.table)
        became = Counter[str]()
        if judged is not None:
            became.update(judged.filter(pl.col(FILE) == number)["outcome"].to_list())
        counts.append(
            FileCount(
                file=source.name,
                table=source.form.table,
                profile=source.form.profile,
                rows_read=source.rows_read,
                accepted=became[Outcome.ACCEPTED],
                changed=became[Outcome.CHANGED],
                repeated=became[Outcome.REPEATED],
                quarantined=sum(1 for file, _ in set_apart if file == source.name),
                dropped_columns=source.dropped,
            )
        )
    return tuple(counts)


def _keep(report: ImportReport, home: Home) -> None:
    """The report on disk, under the number of its delivery, readable by the owner only."""
    home.quarantine.mkdir(parents=True, exist_ok=True)
    path = home.quarantine / f"{report.number:06d}.json"
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(report.to_json())
