"""Ingest of one large absence file, beside DuckDB's own reading of the same CSV.

`measure()` gives the rows of a table; run as a module it prints them, for the sizes given. The
file holds lesson rows of an invented school board; every check, pseudonym, code, version
comparison and the storing is included on our side. DuckDB does two things beside it: it splits the
file into cells and keeps nothing, and it reads it with its own types and stores that as a table.
"""

import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import polars as pl

from experiments.benchmarks.measuring import peak_mib

MOMENT = datetime(2026, 11, 16, 7, tzinfo=UTC)
SIZES = (250_000, 1_000_000, 2_500_000)
_SCHOOLS = tuple(f"{number}AB00" for number in range(10, 50))
_ROWS_PER_PUPIL = 100
_CODES = {"Z": "sick,yes", "O": "unauthorised,no", "V": "leave,yes"}


@dataclass(frozen=True)
class Measured:
    """One way of reading one file: wall and processor seconds, and peak memory in MiB."""

    way: str
    rows: int
    seconds: float
    cpu_seconds: float
    peak_mib: float
    to_text: float
    """Processor seconds as a multiple of DuckDB's splitting of the same file in the same run."""
    to_stored: float
    """The same, of DuckDB's reading with types and storing."""


def write_delivery(folder: Path, rows: int) -> None:
    """A canonical delivery with so many rows of absence, the same for the same number."""
    rng = np.random.default_rng(1)
    pupils = max(400, rows // _ROWS_PER_PUPIL)
    schools = np.array(_SCHOOLS)
    folder.mkdir(parents=True)
    _lines(
        folder / "schools.csv", "school,name,sector,region", (f"{s},S,vo,midden" for s in schools)
    )
    _lines(
        folder / "codes.csv",
        "school,code,category,authorised",
        (f"{school},{code},{meaning}" for school in schools for code, meaning in _CODES.items()),
    )
    _lines(
        folder / "pupils.csv",
        "school,pupil_number,birth_month,year_group,group,enrolled_on,left_on,left_to",
        (
            f"{schools[n % len(schools)]},{10_000 + n},2012-03,2,2A,2025-08-01,,"
            for n in range(pupils)
        ),
    )
    pupil, lesson = rng.integers(0, pupils, rows), rng.integers(0, 8, rows)
    day = rng.integers(0, 300, rows).astype("timedelta64[D]")
    begin = np.datetime64("2025-08-25T08:30", "us") + day + (lesson * 50).astype("timedelta64[m]")
    moments = pl.DataFrame({"starts_at": begin})
    clock = "%Y-%m-%dT%H:%M"
    moments.select(
        school=pl.Series(schools[pupil % len(schools)]),
        record_id=pl.int_range(rows),
        pupil_number=pl.Series(10_000 + pupil),
        starts_at=pl.col("starts_at").dt.to_string(clock),
        ends_at=pl.col("starts_at").dt.offset_by("50m").dt.to_string(clock),
        minutes=pl.lit(50),
        code=pl.Series(rng.choice(list(_CODES), rows)),
        recorded_at=pl.col("starts_at").dt.offset_by("1h").dt.to_string(f"{clock}:%S"),
        withdrawn=pl.lit("no"),
    ).write_csv(folder / "absence.csv")


def _lines(path: Path, heading: str, lines: Iterable[str]) -> None:
    path.write_text("\n".join([heading, *lines]) + "\n", encoding="utf-8")


def by_ingest(folder: Path) -> None:
    """The whole import: checks, pseudonyms, codes, comparison with the log, storing."""
    from features.ingest import ingest
    from features.settings import Home

    report = ingest(folder / "delivery", Home(folder / "home"), MOMENT)
    assert report.new_versions == report.rows_read, "the file has no fault in it"


def by_ingest_again(folder: Path) -> None:
    """The same file once more: everything is compared, nothing is new."""
    from features.ingest import ingest
    from features.settings import Home

    assert ingest(folder / "delivery", Home(folder / "home"), MOMENT).new_versions == 0


def by_duckdb(folder: Path) -> None:
    """Cells as text, hashed so that none is skipped; nothing checked, nothing kept."""
    import duckdb

    path = folder / "delivery" / "absence.csv"
    duckdb.sql(
        f"SELECT count(*), max(hash(COLUMNS(*))) FROM read_csv('{path}', all_varchar = true)"
    ).fetchall()


def by_duckdb_stored(folder: Path) -> None:
    """With DuckDB's own types, into a table in a file of its own; nothing checked."""
    import duckdb

    path, stored = folder / "delivery" / "absence.csv", folder / "stored.duckdb"
    stored.unlink(missing_ok=True)
    with duckdb.connect(str(stored)) as connection:
        connection.execute(f"CREATE TABLE absence AS FROM read_csv('{path}')")


_WAYS = {
    "DuckDB reads text": by_duckdb,
    "DuckDB reads types, stores": by_duckdb_stored,
    "ingest": by_ingest,
    "ingest again": by_ingest_again,
}


def measure(sizes: Sequence[int] = SIZES) -> list[Measured]:
    """Every way on files of each size, each in a process of its own."""
    found: list[Measured] = []
    for rows in sizes:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            write_delivery(folder / "delivery", rows)
            took = {way: _alone(way, folder) for way in _WAYS}
            text, stored, *_ = (cpu for _, cpu, _ in took.values())
            found += [
                Measured(way, rows, seconds, cpu, peak, cpu / text, cpu / stored)
                for way, (seconds, cpu, peak) in took.items()
            ]
    return found


def _alone(way: str, folder: Path) -> tuple[float, float, float]:
    done = subprocess.run(
        [sys.executable, "-m", __spec__.name, way, str(folder)],
        check=True,
        capture_output=True,
        text=True,
    )
    seconds, cpu, peak = map(float, done.stdout.split())
    return seconds, cpu, peak


def _run(way: str, folder: Path) -> None:
    wall, cpu = time.perf_counter(), time.process_time()
    _WAYS[way](folder)
    print(time.perf_counter() - wall, time.process_time() - cpu, peak_mib())


def table(found: Sequence[Measured]) -> str:
    """What was measured, as a Markdown table."""
    lines = [
        "| rows | way | s | CPU s | × text | × stored | peak MiB | rows/s |",
        "|---:|---|---:|---:|---:|---:|---:|---:|",
    ]
    lines += [
        f"| {one.rows:,} | {one.way} | {one.seconds:.1f} | {one.cpu_seconds:.1f} | "
        f"{one.to_text:.1f} | {one.to_stored:.1f} | {one.peak_mib:.0f} | "
        f"{one.rows / one.seconds:,.0f} |"
        for one in found
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    if len(sys.argv) == 3 and sys.argv[1] in _WAYS:
        _run(sys.argv[1], Path(sys.argv[2]))
    else:
        print(table(measure([int(size) for size in sys.argv[1:]] or SIZES)))
