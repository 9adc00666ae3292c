"""Take pupils out of the record log for good: rows, older files and the bounds Delta keeps."""

from collections.abc import Collection, Iterator

from deltalake import DeltaTable

from features.records.log import RecordLog
from features.records.schema import LogTable, schema_of
from features.vocabulary import PupilKey

AT_ONCE = {
    "delta.logRetentionDuration": "interval 0 seconds",
    "delta.deletedFileRetentionDuration": "interval 0 seconds",
}


def erase_pupils(log: RecordLog, pupil_keys: Collection[PupilKey]) -> dict[str, int]:
    """Remove every version of every record of these pupils; how many rows went, per table.

    Takes the log for itself while it works. A run that is cut short can be done again: what is
    gone stays gone. Lists that were made with these records can no longer be made again.
    """
    assert all(key.isalnum() for key in pupil_keys), "a pseudonym holds letters and digits only"
    if not pupil_keys:
        return {}
    theirs = ", ".join(f"'{key}'" for key in sorted(pupil_keys))
    removed: dict[str, int] = {}
    with log.writing():
        for table, stored in _tables_with_pupils(log):
            gone = stored.delete(f"pupil_key in ({theirs})")
            removed[table.value] = int(gone["num_deleted_rows"])
            _leave_nothing_behind(stored)
    return removed


def _tables_with_pupils(log: RecordLog) -> Iterator[tuple[LogTable, DeltaTable]]:
    for table in LogTable:
        path = str(log.root / table)
        if "pupil_key" in schema_of(table).names and DeltaTable.is_deltatable(path):
            yield table, DeltaTable(path)


def _leave_nothing_behind(stored: DeltaTable) -> None:
    # Files taken out of use hold the rows; the commits tell the lowest and highest pseudonym of
    # each file, and the predicate of the deletion. One checkpoint replaces them all.
    stored.alter.set_table_properties(AT_ONCE)
    stored.vacuum(retention_hours=0, enforce_retention_duration=False, dry_run=False)
    stored.update_incremental()
    stored.create_checkpoint()
    stored.cleanup_metadata()
