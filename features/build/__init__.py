"""Feature tables from the record log, exactly as known on each Monday."""

from features.build.monday import KeptParts, MondayPart, read_monday
from features.build.partition import (
    KEY_COLUMNS,
    SCHEMA,
    build,
    build_monday,
    build_partition,
)
from features.records.partition import PartitionTables, read_partition

__all__ = [
    "KEY_COLUMNS",
    "SCHEMA",
    "KeptParts",
    "MondayPart",
    "PartitionTables",
    "build",
    "build_monday",
    "build_partition",
    "read_monday",
    "read_partition",
]
