"""Every feature on every Monday of three years, beside four other ways to a part of it.

The other ways sum minutes of five kinds over six windows of calendar weeks, as known on each
Monday: 30 columns. They know no holidays, timetables, overlaps, runs, episodes, groups or missing
registration; ours makes all 80 features, exactly. All write Parquet.
"""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

from experiments.benchmarks.measuring import Row, measured
from experiments.benchmarks.region import history_mondays, make_log

SAMPLE = 10
"""Mondays that the way per Monday is run for; its time is scaled to all of them."""
KINDS = ("sick", "unauthorised", "unverified", "medical_visit", "leave")
WEEKS = (1, 2, 4, 8, 12, 40)
SCHOOLS_READ = 60
CHUNKS = 8
"""Parts of the pupils that window frames and cumulative sums go through, to fit in memory."""


def measure(size: int, root: Path) -> Iterator[Row]:
    """The rows of the table for a region of `size` pupils, made below `root`."""
    log, versions, label = root / "log", root / "versions.parquet", f"{size:,} pupils"
    measured(make_log, log, size)
    measured(versions_to_file, log, versions)
    ours = measured(build_history, log, root / "ours")
    for other in (per_monday, window_frames, cumulative_sums, floor):
        theirs = measured(other, versions, root / "theirs")
        yield Row(label, "history, 80 features", ours, other.__name__, theirs)


def build_history(log: Path, out: Path) -> None:
    """Ours: all features, school by school."""
    import pyarrow.parquet as pq

    from features.build import SCHEMA, build
    from features.records import RecordLog

    texts = [field.name for field in SCHEMA if field.type == "string"]
    with pq.ParquetWriter(out, SCHEMA, compression="lz4", use_dictionary=texts) as writer:
        for table in build(RecordLog(log), history_mondays()):
            writer.write_table(table)


build_history.imports = ("features.build", "pyarrow.parquet")  # type: ignore[attr-defined]


def versions_to_file(log: Path, out: Path) -> None:
    """The absence versions as the other ways read them, in one file."""
    import pyarrow.parquet as pq

    from features.records import LogTable, RecordLog

    columns = ["pupil_key", "record_key", "kind", "starts_at", "minutes"]
    columns += ["known_at", "sequence", "withdrawn", "superseded_at"]
    records, writer = RecordLog(log), None
    schools = records.schools()
    for first in range(0, len(schools), SCHOOLS_READ):
        part = schools[first : first + SCHOOLS_READ]
        rows = records.read_versions(LogTable.ABSENCE, schools=part).select(columns)
        writer = writer or pq.ParquetWriter(out, rows.schema)
        writer.write_table(rows)
    assert writer is not None
    writer.close()


def per_monday(versions: Path, out: Path) -> float:
    """(a) DuckDB: the obvious exact way, the newest visible versions aggregated per Monday."""
    every = history_mondays()
    sample = every[SAMPLE :: max(1, len(every) // SAMPLE)][:SAMPLE]
    for monday in sample:
        _aggregate(versions, monday, out)
    return len(every) / len(sample)


def per_monday_once(versions: Path, out: Path) -> None:
    """The same for the last Monday only."""
    _aggregate(versions, history_mondays()[-1], out)


def _aggregate(versions: Path, monday: date, out: Path) -> None:
    import duckdb

    from features.school_weeks import as_of_moment

    sums = ", ".join(
        f"sum(minutes) FILTER (kind = '{kind}' AND starts_at >= as_of - INTERVAL {weeks} WEEK)"
        for kind in KINDS
        for weeks in WEEKS
    )
    with duckdb.connect() as connection:
        connection.execute("SET timezone = 'UTC'")
        connection.execute(
            f"""COPY (SELECT pupil_key, {sums} FROM (
                SELECT *, TIMESTAMP '{monday}' AS as_of, row_number() OVER (
                    PARTITION BY record_key ORDER BY known_at DESC, sequence DESC) AS newest
                FROM '{versions}' WHERE known_at < TIMESTAMPTZ '{as_of_moment(monday)}'
                    AND starts_at >= TIMESTAMP '{monday}' - INTERVAL 41 WEEK)
            WHERE newest = 1 AND NOT withdrawn GROUP BY pupil_key)
            TO '{out}' (FORMAT parquet)"""
        )


# What both ways with a correction join do in SQL. `t`: per version the Mondays [first, last] at
# which it counts, as week numbers; `week`: that of the record. A record that was known in time and
# never changed counts from the Monday after its week on, and stands in `base`.
_PREPARED = """
    CREATE TABLE t AS SELECT *, hash(pupil_key) % {chunks} AS chunk FROM (
        SELECT pupil_key, kind, minutes, week,
            greatest(week + 1, (epoch(known_at)::BIGINT - {first}) // 604800 + 1) AS first,
            coalesce((epoch(superseded_at)::BIGINT - {first}) // 604800, 9999) AS last
        FROM (SELECT *, (epoch(starts_at)::BIGINT - {first}) // 604800 AS week FROM '{versions}')
        WHERE NOT withdrawn) WHERE first <= last;
"""


def window_frames(versions: Path, out: Path) -> None:
    """(b) DuckDB: window frames over a dense grid of pupils and weeks, and a correction join."""
    weeks, connection = _prepared(versions)
    sums = ", ".join(
        f"sum({kind}) OVER (PARTITION BY pupil_key ORDER BY week "
        f"ROWS BETWEEN {count - 1} PRECEDING AND CURRENT ROW) "
        f"- coalesce(c.{kind}_{count}, 0) AS {kind}_{count}"
        for kind in KINDS
        for count in WEEKS
    )
    grid = ", ".join(
        f"coalesce(sum(minutes) FILTER (kind = '{kind}'), 0) AS {kind}" for kind in KINDS
    )
    for chunk in range(CHUNKS):
        connection.execute(
            f"""COPY (WITH grid AS (
                SELECT pupil_key, week, {grid} FROM (
                    SELECT DISTINCT pupil_key, w.week, NULL AS kind, 0 AS minutes
                    FROM t, (SELECT unnest(range({weeks})) AS week) w WHERE chunk = {chunk}
                    UNION ALL SELECT pupil_key, week, kind, minutes FROM t WHERE chunk = {chunk})
                GROUP BY ALL),
            c AS ({_corrections(chunk, weeks)})
            SELECT pupil_key, week + 1 AS monday, {sums}
            FROM grid LEFT JOIN c USING (pupil_key, week)
            ) TO '{out}' (FORMAT parquet)"""
        )


def cumulative_sums(versions: Path, out: Path) -> None:
    """(c) Polars: cumulative sums along the weeks of a pupil, and a correction join."""
    import polars as pl

    weeks, connection = _prepared(versions)
    for chunk in range(CHUNKS):
        t = pl.DataFrame(connection.execute(f"SELECT * FROM t WHERE chunk = {chunk}").arrow())
        pupils = t.select("pupil_key").unique()
        grid = pupils.join(pl.DataFrame({"week": range(weeks)}), how="cross").with_columns(
            pl.col("week").cast(pl.Int64)
        )
        sums = t.group_by("pupil_key", "week").agg(
            pl.col("minutes").filter(pl.col("kind") == kind).sum().alias(kind) for kind in KINDS
        )
        c = pl.DataFrame(connection.execute(_corrections(chunk, weeks)).arrow())
        cumulated = (
            grid.join(sums, on=["pupil_key", "week"], how="left")
            .sort("pupil_key", "week")
            .with_columns(pl.col(kind).fill_null(0).cum_sum().over("pupil_key") for kind in KINDS)
        )
        windows = cumulated.with_columns(
            (pl.col(kind) - pl.col(kind).shift(count, fill_value=0).over("pupil_key")).alias(
                f"{kind}_{count}"
            )
            for kind in KINDS
            for count in WEEKS
        )
        names = [f"{kind}_{count}" for kind in KINDS for count in WEEKS]
        joined = windows.join(c, on=["pupil_key", "week"], how="left", suffix="_c")
        joined.select(
            "pupil_key", "week", *(pl.col(n) - pl.col(f"{n}_c").fill_null(0) for n in names)
        ).write_parquet(out)


def floor(versions: Path, out: Path) -> None:
    """(d) DuckDB: the records read and summed once, and as much written as 80 features are."""
    import duckdb

    columns = ", ".join(f"random()::FLOAT AS f{number}" for number in range(80))
    with duckdb.connect() as connection:
        connection.execute(
            f"""CREATE TABLE sums AS SELECT pupil_key, date_trunc('week', starts_at), kind,
                sum(minutes) FROM '{versions}' GROUP BY ALL;
            COPY (SELECT pupil_key, {columns} FROM (SELECT DISTINCT pupil_key FROM sums),
                range({len(history_mondays())})) TO '{out}' (FORMAT parquet, COMPRESSION zstd)"""
        )


for _other in (per_monday, window_frames, cumulative_sums, floor):
    _other.imports = ("duckdb", "polars")  # type: ignore[attr-defined]


def _prepared(versions: Path):  # type: ignore[no-untyped-def]
    import duckdb

    from features.school_weeks import as_of_moment

    mondays = history_mondays()
    # Weeks are counted from midnight of the first Monday, in UTC.
    moment = int(as_of_moment(mondays[0]).timestamp())
    connection = duckdb.connect()
    connection.execute("SET timezone = 'UTC'")
    connection.execute(
        _PREPARED.format(chunks=CHUNKS, first=moment - moment % 86400, versions=versions)
    )
    return len(mondays), connection


def _corrections(chunk: int, weeks: int) -> str:
    """Per pupil and last week of a window: what the plain sums count too much there.

    A plain sum counts every version in its week from the next Monday on, for ever. It is wrong on
    the Mondays at which the version is not known yet, or is superseded.
    """
    sums = ", ".join(
        f"sum(minutes) FILTER (kind = '{kind}' AND m.week - t.week < {count}) AS {kind}_{count}"
        for kind in KINDS
        for count in WEEKS
    )
    return f"""SELECT pupil_key, m.week, {sums}
        FROM t JOIN (SELECT unnest(range({weeks})) AS week) m
            ON m.week >= t.week AND m.week < t.week + 40
            AND (m.week + 1 < t.first OR m.week + 1 > t.last)
        WHERE chunk = {chunk} AND (t.first > t.week + 1 OR t.last < 9999)
        GROUP BY pupil_key, m.week"""
