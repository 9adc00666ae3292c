"""Take pupils, or their older pseudonyms, out of the record log for good.

For good: rows, older files and the bounds that Delta keeps of them.
"""

from collections.abc import Callable, Collection, Iterator

import polars as pl
import pyarrow as pa
import pyarrow.dataset as ds
from deltalake import DeltaTable, WriterProperties, write_deltalake

from features.records.log import RecordLog
from features.records.schema import LogTable, schema_of
from features.vocabulary import PupilKey

AT_ONCE = {
    "delta.logRetentionDuration": "interval 0 seconds",
    "delta.deletedFileRetentionDuration": "interval 0 seconds",
}

ROWS_READ_TOGETHER = 128 * 1024


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


def rewrite_tables(
    log: RecordLog, change: Callable[[LogTable, pl.DataFrame], pl.DataFrame]
) -> dict[str, int]:
    """Let `change` make every row anew of each table with pupils, also what no reader sees.

    The caller holds `log.writing()`. `change` gets and gives the rows of one table with their
    number beside them (`_row`), and gives back only those that it changed; how many, per table.
    A table is rewritten in one commit, and a run cut short can be done again.
    """
    changed: dict[str, int] = {}
    for table, stored in _tables_with_pupils(log):
        rows = pl.DataFrame(_all_rows(log, table)).with_row_index("_row")
        new = change(table, rows)
        changed[table.value] = len(new)
        if len(new):
            kept = rows.join(new, on="_row", how="anti")
            # Sorted by school, so that a read for one school can skip the rest of a file.
            written = pl.concat([kept, new.select(rows.columns)]).sort("school", "_row")
            content = written.drop("_row").to_arrow(compat_level=pl.CompatLevel.oldest())
            write_deltalake(
                str(log.root / table),
                content.cast(schema_of(table)),
                mode="overwrite",
                writer_properties=WriterProperties(max_row_group_size=ROWS_READ_TOGETHER),
            )
        _leave_nothing_behind(DeltaTable(str(log.root / table)) if len(new) else stored)
    return changed


def _all_rows(log: RecordLog, table: LogTable) -> pa.Table:
    files = log.files(table)
    if not files:
        return schema_of(table).empty_table()
    return ds.dataset(files, schema=schema_of(table), format="parquet").to_table()


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
