"""One Monday with three years in the log: read and build every feature, school by school."""

from collections.abc import Iterator
from pathlib import Path

from experiments.benchmarks.history import per_monday_once, versions_to_file
from experiments.benchmarks.measuring import Row, measured
from experiments.benchmarks.region import make_log


def measure(size: int, root: Path) -> Iterator[Row]:
    """The row of the table for a region of `size` pupils, made below `root`."""
    log, versions = root / "log", root / "versions.parquet"
    measured(make_log, log, size)
    measured(versions_to_file, log, versions)
    ours = measured(build_monday, log)
    theirs = measured(per_monday_once, versions, root / "theirs")
    yield Row(f"{size:,} pupils", "one Monday, 80 features", ours, per_monday_once.__name__, theirs)


def build_monday(log: Path) -> None:
    """Ours: read the log and build the last Monday of the region."""
    from experiments.benchmarks.region import history_mondays
    from features.build import build
    from features.records import RecordLog

    assert sum(table.num_rows for table in build(RecordLog(log), history_mondays()[-1:]))
