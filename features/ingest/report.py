"""The import report: what became of every row that was read; it adds up, and shows no values."""

import dataclasses
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from features.ingest.checks import Place

ROWS_SHOWN = 5


@dataclass(frozen=True)
class FileCount:
    """The rows of one file.

    `repeated` rows were known already and added nothing; rows `left_out` are no absence by the
    profile (a pupil seen in a lesson, books forgotten): counted, used where they end a report,
    and not kept.
    """

    file: str
    table: str
    profile: str
    rows_read: int
    accepted: int
    changed: int
    repeated: int
    quarantined: int
    left_out: int = 0
    dropped_columns: tuple[str, ...] = ()

    @property
    def adds_up(self) -> bool:
        """Whether every row that was read is accounted for once."""
        kept = self.accepted + self.changed + self.repeated
        return self.rows_read == kept + self.quarantined + self.left_out


@dataclass(frozen=True)
class UnknownCode:
    """An absence code that the school has not explained; its rows count as not yet verified.

    `code` is the text itself where that cannot be a name, else the keyed hash that is stored.
    """

    school: str
    code: str
    rows: int


@dataclass(frozen=True)
class ImportReport:
    """What one delivery brought. `number` is its number in the record log."""

    delivery: str
    number: int
    received_at: datetime
    files: tuple[FileCount, ...]
    places: tuple[Place, ...] = ()
    unknown_codes: tuple[UnknownCode, ...] = ()
    ignored_files: tuple[str, ...] = ()
    places_left_out: int = 0
    rows_of_codes_left_out: int = 0

    @property
    def new_versions(self) -> int:
        """Rows that added something."""
        return sum(count.accepted + count.changed for count in self.files)

    @property
    def rows_read(self) -> int:
        """Rows read in all files."""
        return sum(count.rows_read for count in self.files)

    def lines(self) -> Iterator[str]:
        """The report for people, most important first."""
        yield f"{self.delivery}: {self.rows_read} rows read, {self.new_versions} new or changed"
        for count in self.files:
            yield (
                f"  {count.file} ({count.profile}): {count.rows_read} read = "
                f"{count.accepted} accepted + {count.changed} changed + "
                f"{count.repeated} repeated + {count.quarantined} quarantined"
                + (f" + {count.left_out} no absence" if count.left_out else "")
            )
            if not count.rows_read:
                yield f"  {count.file}: has headings but no rows; is that right?"
            if count.dropped_columns:
                yield f"  {count.file}: not taken in: {', '.join(count.dropped_columns)}"
        yield from self._quarantine_lines()
        for unknown in self.unknown_codes:
            is_hash = unknown.code.startswith("?")
            what = f"a text ({unknown.code})" if is_hash else f"code '{unknown.code}'"
            yield (
                f"  {unknown.school}: {what} in {unknown.rows} "
                f"{'row' if unknown.rows == 1 else 'rows'} of absence; what does the "
                "school mean by it? Until codes.csv says so they count as not yet verified."
            )
        if self.rows_of_codes_left_out:
            yield (
                f"  {self.rows_of_codes_left_out} more rows of absence say something else again "
                "where a code is expected; is that the right column? They count as not yet "
                "verified."
            )
        if self.ignored_files:
            yield f"  not read: {', '.join(self.ignored_files)}"

    def _quarantine_lines(self) -> Iterator[str]:
        rows: dict[tuple[str, str, str], list[int]] = {}
        for place in self.places:
            rows.setdefault((place.file, place.column, place.rule), []).append(place.row)
        for (file, column, rule), numbers in rows.items():
            shown = ", ".join(str(number) for number in sorted(numbers)[:ROWS_SHOWN])
            more = f" and {len(numbers) - ROWS_SHOWN} more" if len(numbers) > ROWS_SHOWN else ""
            where = f"{file}: column '{column}'" if column else file
            yield f"  {where}: {rule.replace('_', ' ')}: row {shown}{more}"

        if self.places_left_out:
            yield f"  {self.places_left_out} more broken rules; only the first are listed by place"

    def to_json(self) -> str:
        """Everything, also every quarantined place, for a script or a page."""
        content = dataclasses.asdict(self) | {"received_at": self.received_at.isoformat()}
        return json.dumps(content, indent=1, ensure_ascii=False)

    def rules_broken(self) -> Counter[str]:
        """How many times each rule was broken."""
        return Counter(place.rule for place in self.places)
