"""Feature tables from the record log, exactly as known on each Monday."""

from features.build.partition import KEY_COLUMNS, SCHEMA, build, build_partition
from features.records.partition import PartitionTables, read_partition

__all__ = [
    "KEY_COLUMNS",
    "SCHEMA",
    "PartitionTables",
    "build",
    "build_partition",
    "read_partition",
]
