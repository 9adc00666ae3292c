"""Deliveries in: opened, checked, pseudonymised and compared with what was known before."""

from features.ingest.checks import Place
from features.ingest.delivering import IngestSettings, ingest, pupil_keys
from features.ingest.report import FileCount, ImportReport, UnknownCode

__all__ = [
    "FileCount",
    "ImportReport",
    "IngestSettings",
    "Place",
    "UnknownCode",
    "ingest",
    "pupil_keys",
]
