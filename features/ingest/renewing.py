"""The record log under renewed pseudonyms: keys, what is made of them, and the fingerprints."""

from collections.abc import Mapping

import polars as pl

from features.governance.vault import Vault
from features.ingest.intake import record_keys
from features.ingest.moves import BY_PUPIL
from features.ingest.versions import with_fingerprint
from features.records import LogTable, RecordLog
from features.records.erasing import rewrite_tables
from features.vocabulary import PupilKey


def renew_records(
    log: RecordLog, vault: Vault, renewed: Mapping[PupilKey, PupilKey]
) -> dict[str, int]:
    """Let every record go by the new pseudonym of its pupil; how many rows, per table.

    What is made of a pseudonym is made anew too: the key of a record that is known by its pupil,
    and the fingerprint of the content. So the next delivery finds its own records again, and
    adds nothing for what did not change. Moments, deliveries and order of versions stay.
    """

    def change(table: LogTable, rows: pl.DataFrame) -> pl.DataFrame:
        theirs = rows.filter(pl.col("pupil_key").is_in(list(renewed)))
        if theirs.is_empty():
            return theirs
        theirs = theirs.with_columns(pl.col("pupil_key").replace(dict(renewed)))
        if table in BY_PUPIL:
            theirs = theirs.with_columns(record_keys(vault, table, theirs))
        return with_fingerprint(theirs, table)

    return rewrite_tables(log, change)
