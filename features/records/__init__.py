"""Append-only record log on Delta Lake; reads are always as of a moment."""

from features.records.log import DeliveryRows, RecordLog
from features.records.schema import COMMON_COLUMNS, LogTable, schema_of

__all__ = ["COMMON_COLUMNS", "DeliveryRows", "LogTable", "RecordLog", "schema_of"]
