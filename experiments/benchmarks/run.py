"""`make bench`: each job beside a named alternative in one run, with memory, as a Markdown table.

A job runs in a process of its own, so that its peak memory is its own. Figures are ratios on one
invented region; absolute seconds say more about the machine than about the code.
"""

import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

REGION = {"pupils": 3_000, "years": 3, "seed": 1}
END = date(2026, 11, 15)
MOMENT = datetime(2026, 11, 16, 7, tzinfo=UTC)
SAMPLE = 12
"""Mondays for the slow alternative, spread over the history; its time is scaled to all of them."""


def ingest(root: Path) -> float:
    """Read the region's deliveries, all checks included."""
    from features.ingest import ingest as ingest_delivery
    from features.settings import Home

    started = time.perf_counter()
    for delivery in sorted((root / "sim" / "deliveries").iterdir()):
        ingest_delivery(delivery, Home(root / "var"), MOMENT)
    return time.perf_counter() - started


def ingest_duckdb(root: Path) -> float:
    """The same CSV files read by DuckDB as text and counted; nothing checked, nothing kept."""
    import duckdb

    started = time.perf_counter()
    for path in sorted((root / "sim" / "deliveries").glob("*/*.csv")):
        encoding = "CP1252" if "verzuim" in path.name or "leerlingen" in path.name else "UTF-8"
        text = path.read_bytes().decode(encoding)
        readable = root / "readable.csv"
        readable.write_text(text, encoding="utf-8")
        duckdb.sql(
            "SELECT count(*), max(hash(COLUMNS(*))) FROM "
            f"read_csv('{readable}', all_varchar = true, ignore_errors = true)"
        ).fetchall()
    return time.perf_counter() - started


def history(root: Path) -> float:
    """Every feature of every pupil on every Monday, as known then."""
    from features.build import build
    from features.records import RecordLog
    from features.settings import Home

    started = time.perf_counter()
    rows = sum(table.num_rows for table in build(RecordLog(Home(root / "var").records), mondays()))
    assert rows
    return time.perf_counter() - started


def history_duckdb(root: Path) -> float:
    """The obvious exact way, for 30 plain sums only: per Monday, the newest visible versions."""
    import duckdb

    from features.records import LogTable, RecordLog
    from features.school_weeks import as_of_moment
    from features.settings import Home

    versions = RecordLog(Home(root / "var").records).read_versions(LogTable.ABSENCE)
    connection = duckdb.connect()
    connection.register("versions", versions)
    connection.execute("CREATE TABLE v AS SELECT * FROM versions")
    sums = ", ".join(
        f"sum(coalesce(minutes, 330)) FILTER (kind = '{kind}' AND starts_at >= as_of - INTERVAL "
        f"{weeks} WEEK)"
        for kind in ("sick", "leave", "unauthorised", "unverified", "late_arrival")
        for weeks in (1, 2, 4, 8, 12, 40)
    )
    every = mondays()
    sample = every[:: max(1, len(every) // SAMPLE)]
    started = time.perf_counter()
    for monday in sample:
        moment = as_of_moment(monday).isoformat()
        connection.execute(
            f"""SELECT pupil_key, {sums} FROM (
                SELECT *, TIMESTAMP '{monday}' AS as_of, row_number() OVER (
                    PARTITION BY record_key ORDER BY known_at DESC, sequence DESC) AS newest
                FROM v WHERE known_at < TIMESTAMPTZ '{moment}')
            WHERE newest = 1 AND NOT withdrawn GROUP BY pupil_key"""
        ).fetch_arrow_table()
    return (time.perf_counter() - started) * len(every) / len(sample)


def retrieve(root: Path) -> float:
    """All features of all rows through Feast, with gate and ledger."""
    from features.governance.use import Action, Purpose, Use
    from features.settings import Home
    from features.store import RISK_SERVICE, FeatureStore
    from features.vocabulary import Role

    store = FeatureStore.at(Home(root / "var"))
    entities = store.entities(sorted(store.built()))
    use = Use("benchmark", Role.JOB, Purpose.EARLY_WARNING, Action.TRAIN, MOMENT)
    started = time.perf_counter()
    assert store.retrieve(entities, RISK_SERVICE, use).num_rows == entities.num_rows
    return time.perf_counter() - started


def retrieve_polars(root: Path) -> float:
    """The same rows from the same files by a plain Polars `join_asof`; no gate, no ledger."""
    import polars as pl

    from features.settings import Home
    from features.store import FeatureStore

    home = Home(root / "var")
    entities = pl.DataFrame(FeatureStore.at(home).entities(sorted(FeatureStore.at(home).built())))
    started = time.perf_counter()
    files = [str(path) for path in (home.offline / "current").rglob("*.parquet")]
    rows = pl.read_parquet(files).sort("as_of")
    joined = (
        entities.select("pupil_key", "as_of")
        .sort("as_of")
        .join_asof(rows, on="as_of", by="pupil_key", check_sortedness=False)
    )
    assert len(joined) == len(entities)
    return time.perf_counter() - started


PAIRS: tuple[tuple[Callable[[Path], float], Callable[[Path], float]], ...] = (
    (ingest, ingest_duckdb),
    (history, history_duckdb),
    (retrieve, retrieve_polars),
)


def mondays() -> list[date]:
    """Every Monday of the region's history."""
    from features.school_weeks import mondays_between

    return mondays_between(date(END.year - REGION["years"], 8, 1), END)


def prepare_store(root: Path) -> float:
    """The feature tables that the retrieval jobs read."""
    from features.build import build
    from features.governance.use import Action, Purpose, Use
    from features.records import RecordLog
    from features.settings import Home
    from features.store import FeatureStore
    from features.vocabulary import Role

    home = Home(root / "var")
    store, log = FeatureStore.at(home), RecordLog(home.records)
    store.apply(Use("benchmark", Role.JOB, Purpose.EARLY_WARNING, Action.APPLY, MOMENT))
    for school in log.schools():
        for table in build(log, mondays(), [school]):
            store.write(table, mondays(), [school])
    return 0.0


def measured(job: Callable[[Path], float], root: Path) -> dict[str, float]:
    """Seconds and peak MiB of one job, in a process of its own."""
    command = [sys.executable, "-m", "experiments.benchmarks.run", job.__name__, str(root)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def main() -> None:
    """Print the table; with a job's name, run that job (how the table is made)."""
    if len(sys.argv) == 3:
        seconds = globals()[sys.argv[1]](Path(sys.argv[2]))
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(json.dumps({"seconds": seconds, "mib": peak}))
        return
    from features.synthetic import simulate

    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        simulate(root / "sim", **REGION, end=END, report=lambda _: None)
        print("| job | seconds | peak MiB | beside | seconds | peak MiB | ratio |")
        print("|---|---|---|---|---|---|---|")
        for job, other in PAIRS:
            if job is retrieve:
                measured(prepare_store, root)
            ours, theirs = measured(job, root), measured(other, root)
            print(
                f"| {job.__name__} | {ours['seconds']:.1f} | {ours['mib']:.0f} | {other.__name__} "
                f"| {theirs['seconds']:.1f} | {theirs['mib']:.0f} "
                f"| {ours['seconds'] / theirs['seconds']:.2f} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
