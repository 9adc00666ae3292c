"""All records of one person, in every version, and which lists rest on what was corrected."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from features.records import LogTable, RecordLog
from features.school_weeks import as_of_moment
from features.vocabulary import AbsenceKind, KnownAtBasis, SupportKind, SupportStatus
from models.sections import Section, from_records
from serving.lists import PublishedList
from serving.rights.subject import Subject

_RECORD_LABELS = {
    "school": "School",
    "starts_at": "Van",
    "ends_at": "Tot",
    "starts_on": "Van",
    "ends_on": "Tot",
    "minutes": "Minuten",
    "kind": "Soort",
    "status": "Stand",
    "authorised": "Geoorloofd",
    "code": "Code van de school",
    "year_group": "Leerjaar",
    "group": "Groep",
    "born_on": "Geboortemaand",
    "enrolled_on": "Ingeschreven",
    "left_on": "Uitgeschreven",
    "left_to": "Bestemming",
    "weekday": "Weekdag",
    "valid_from": "Geldig van",
    "valid_to": "Geldig tot en met",
    "planned_minutes": "Lesminuten",
    "until": "Twaalf maanden tot en met",
    "half_days_authorised": "Dagdelen geoorloofd",
    "half_days_unauthorised": "Dagdelen ongeoorloofd",
    "minutes_authorised": "Minuten geoorloofd",
    "minutes_unauthorised": "Minuten ongeoorloofd",
    "times": "Aantal keer",
    "over_a_quarter": "Meer dan een kwart van de lessen",
    "known_at": "Bekend sinds",
    "known_at_basis": "Volgens",
    "withdrawn": "Ingetrokken",
    "superseded_at": "Vervangen op",
}
TABLES = {
    LogTable.PLACEMENTS: "Inschrijving en groep",
    LogTable.ABSENCE: "Verzuim en verlof",
    LogTable.SUPPORT: "Ondersteuning",
    LogTable.TIMETABLE: "Eigen rooster",
    LogTable.PRIOR_ABSENCE: "Verzuim op een eerdere school",
}
_BASIS = {
    KnownAtBasis.RECORDED.value: "de school",
    KnownAtBasis.DELIVERY.value: "de aanlevering",
    KnownAtBasis.ASSUMED.value: "een aanname bij de eerste aanlevering",
}


def schools_of(log: RecordLog, subject: Subject) -> list[str]:
    """The schools where this person is or was, as far as the log has records of it."""
    placements = _theirs(log, LogTable.PLACEMENTS, None, subject)
    return sorted({subject.school, *pc.unique(placements["school"]).to_pylist()})


def _theirs(
    log: RecordLog, table: LogTable, schools: Sequence[str] | None, subject: Subject
) -> pa.Table:
    """Every version of every record of `table` about this person."""
    versions = log.read_versions(table, schools=schools)
    return versions.filter(pc.field("pupil_key").isin(list(subject.keys)))


def record_sections(log: RecordLog, subject: Subject) -> Iterator[Section]:
    schools = schools_of(log, subject)
    for table in TABLES:
        found = _theirs(log, table, schools, subject)
        rows = [_readable(table, row) for row in found.to_pylist()]
        rows.sort(key=lambda row: str(row["known_at"]))
        explanation = (
            "Alle versies die de school heeft aangeleverd, ook wat later is verbeterd of "
            "ingetrokken."
        )
        yield from_records(f"Gegevens: {TABLES[table].lower()}", explanation, _RECORD_LABELS, rows)


def _readable(table: LogTable, row: dict[str, Any]) -> dict[str, Any]:
    labels: Mapping[str, Any] = {}
    if table is LogTable.ABSENCE:
        labels = {"kind": AbsenceKind}
    elif table is LogTable.SUPPORT:
        labels = {"kind": SupportKind, "status": SupportStatus}
    row["known_at_basis"] = _BASIS.get(row["known_at_basis"], row["known_at_basis"])
    for name, kind in labels.items():
        row[name] = kind(row[name]).label
    return row


@dataclass(frozen=True)
class Correction:
    """A record that had become known at `known_at` and was replaced or withdrawn at `at`."""

    known_at: datetime
    at: datetime


def corrections(log: RecordLog, subject: Subject) -> list[Correction]:
    """What the school later improved or withdrew of what it had delivered about this person."""
    found = []
    for table in (LogTable.ABSENCE, LogTable.SUPPORT, LogTable.PLACEMENTS):
        rows = _theirs(log, table, None, subject)
        for row in rows.select(["known_at", "superseded_at", "withdrawn"]).to_pylist():
            if row["superseded_at"] is not None and not row["withdrawn"]:
                found.append(Correction(row["known_at"], row["superseded_at"]))
    return found


def corrected_since(corrected: Sequence[Correction], published: PublishedList) -> int:
    """How many records counted on this list and were improved after it."""
    moment = as_of_moment(published.as_of)
    return sum(one.known_at < moment <= one.at for one in corrected)
