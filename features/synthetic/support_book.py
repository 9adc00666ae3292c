"""Support records as a school writes them: versions of what is arranged, asked and done."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import NamedTuple

from features.vocabulary import SupportKind, SupportStatus

WITHDRAWN_AFTER = timedelta(days=7)


class Version(NamedTuple):
    """What one version says, and the day on which it was written."""

    status: SupportStatus
    starts_on: date
    ends_on: date | None
    written_on: date


class SupportRow(NamedTuple):
    """One version of one record of one pupil (by position)."""

    record: int
    pupil: int
    kind: SupportKind
    version: Version
    withdrawn: bool


@dataclass
class SupportBook:
    """The rows of one school in the order in which they were thought of."""

    rows: list[SupportRow] = field(default_factory=list)
    records: int = 0

    def add(
        self,
        pupil: int,
        kind: SupportKind,
        versions: Sequence[Version],
        *,
        withdrawn: bool = False,
    ) -> None:
        """One record with its versions; a withdrawn one is taken back a week after the last."""
        for version in versions:
            self.rows.append(SupportRow(self.records, pupil, kind, version, withdrawn=False))
        if withdrawn:
            last = versions[-1]
            taken_back = last._replace(written_on=last.written_on + WITHDRAWN_AFTER)
            self.rows.append(SupportRow(self.records, pupil, kind, taken_back, withdrawn=True))
        self.records += 1

    def known_by(self, last: date) -> list[SupportRow]:
        """Rows written up to and including `last`, in the order of writing."""
        known = [row for row in self.rows if row.version.written_on <= last]
        return sorted(known, key=lambda row: (row.version.written_on, row.record))
