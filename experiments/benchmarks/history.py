"""Every feature on every Monday of three years, beside four other ways to a part of it.

The other ways sum minutes and records of five kinds over six windows of calendar weeks, as known on
each Monday: 60 columns, for the 64 features with a window. They know no holidays, timetables,
overlaps, runs, episodes, groups or missing registration; ours makes all 80 features, exactly. All
write Parquet.
"""

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

from experiments.benchmarks.measuring import Row, measured
from experiments.benchmarks.region import history_mondays, make_log

SAMPLE = 10
"""Mondays that the way per Monday is run for; its time is scaled to all of them."""
KINDS = ("sick", "unauthorised", "unverified", "medical_visit", "leave")
WEEKS = (1, 2, 4, 8, 12, 40)
MEASURES = {f"{kind}_{what}": (kind, what) for kind in KINDS for what in ("minutes", "records")}
_AMOUNT = {"minutes": "minutes", "records": "1"}
SCHOOLS_READ = 60
PUPILS_AT_ONCE = 5_000
"""So many pupils window frames and cumulative sums go through at a time, to fit in memory."""


def measure(size: int, root: Path) -> Iterator[Row]:
    """The rows of the table for a region of `size` pupils, made below `root`."""
    log, versions, label = root / "log", root / "versions.parquet", f"{size:,} pupils"
    measured(make_log, log, size)
    measured(versions_to_file, log, versions)
    ours = measured(build_history, log, root / "ours")
    size_of_ours = (root / "ours").stat().st_size
    for other, also in (
        (per_monday, ()),
        (window_frames, (size,)),
        (cumulative_sums, (size,)),
        (floor, (size_of_ours,)),
    ):
        theirs = measured(other, versions, root / "theirs", *also)
        yield Row(label, "history, 80 features", ours, other.__name__, theirs)


def build_history(log: Path, out: Path) -> None:
    """Ours: all features, school by school."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    from features.build import KEY_COLUMNS, SCHEMA, build
    from features.records import RecordLog

    texts = [field.name for field in SCHEMA if field.type == "string"]
    # A feature is NaN where it is missing, never null; minima and maxima of them nobody asks for.
    schema = pa.schema([one.with_nullable(one.name in KEY_COLUMNS) for one in SCHEMA])
    with pq.ParquetWriter(
        out, schema, compression="lz4", use_dictionary=texts, write_statistics=list(KEY_COLUMNS)
    ) as writer:
        for table in build(RecordLog(log), history_mondays()):
            writer.write_table(table.cast(schema))


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
        per_monday_of(versions, monday, out)
    return len(every) / len(sample)


def per_monday_once(versions: Path, out: Path) -> None:
    """The same for the last Monday only."""
    per_monday_of(versions, history_mondays()[-1], out)


def per_monday_of(versions: Path, monday: date, out: Path) -> None:
    """The sums of one Monday, from the versions that were visible then."""
    import duckdb

    from features.school_weeks import as_of_moment

    sums = ", ".join(
        f"sum({_AMOUNT[what]}) FILTER "
        f"(kind = '{kind}' AND starts_at >= as_of - INTERVAL {weeks} WEEK)::INTEGER "
        f"AS {name}_{weeks}"
        for name, (kind, what) in MEASURES.items()
        for weeks in WEEKS
    )
    with duckdb.connect() as connection:
        connection.execute("SET timezone = 'UTC'")
        connection.execute(
            f"""COPY (SELECT pupil_key, {sums} FROM (
                SELECT *, TIMESTAMP '{monday}' AS as_of, row_number() OVER (
                    PARTITION BY record_key ORDER BY known_at DESC, sequence DESC) AS newest
                FROM '{versions}' WHERE known_at < TIMESTAMPTZ '{as_of_moment(monday)}'
                    AND starts_at >= TIMESTAMP '{monday}' - INTERVAL 41 WEEK
                    AND starts_at < TIMESTAMP '{monday}')
            WHERE newest = 1 AND NOT withdrawn GROUP BY pupil_key)
            TO '{out}' (FORMAT parquet)"""
        )


# What both ways with a correction join do in SQL. `t`: per version the Mondays [first, last] at
# which it counts, as week numbers; `week`: that of the record. A record that was known in time and
# never changed counts from the Monday after its week on, and stands in `base`.
_PREPARED = """
    CREATE TABLE t AS SELECT *, hash(pupil_key) % {chunks} AS chunk FROM (
        SELECT pupil_key, kind, minutes, week,
            greatest(week + 1, (epoch(known_at)::BIGINT - {moment}) // 604800 + 1) AS first,
            coalesce((epoch(superseded_at)::BIGINT - {moment}) // 604800, 9999) AS last
        FROM (SELECT *, (epoch(starts_at)::BIGINT - {first}) // 604800 AS week FROM '{versions}')
        WHERE NOT withdrawn) WHERE first <= last;
"""


def chunks_of(pupils: int) -> int:
    """How many parts the pupils are divided into by the two ways with a correction join."""
    return max(1, pupils // PUPILS_AT_ONCE)


def window_frames(versions: Path, out: Path, pupils: int) -> None:
    """(b) DuckDB: window frames over a dense grid of pupils and weeks, and a correction join."""
    chunks = chunks_of(pupils)
    weeks, connection = _prepared(versions, chunks)
    sums = ", ".join(
        f"(sum({name}) OVER (PARTITION BY pupil_key ORDER BY week "
        f"ROWS BETWEEN {count - 1} PRECEDING AND CURRENT ROW))::INTEGER "
        f"- coalesce(c.{name}_{count}, 0) AS {name}_{count}"
        for name in MEASURES
        for count in WEEKS
    )
    grid = ", ".join(
        f"coalesce(sum({_AMOUNT[what]}) FILTER (kind = '{kind}'), 0)::INTEGER AS {name}"
        for name, (kind, what) in MEASURES.items()
    )
    for chunk in range(chunks):
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


def cumulative_sums(versions: Path, out: Path, pupils: int) -> None:
    """(c) Polars: cumulative sums along the weeks of a pupil, and a correction join."""
    import polars as pl

    chunks = chunks_of(pupils)
    weeks, connection = _prepared(versions, chunks)
    for chunk in range(chunks):
        t = pl.DataFrame(connection.execute(f"SELECT * FROM t WHERE chunk = {chunk}").arrow())
        every_week = pl.DataFrame({"week": range(weeks)}, schema={"week": pl.Int64})
        grid = t.select("pupil_key").unique().join(every_week, how="cross")
        sums = t.group_by("pupil_key", "week").agg(
            *(
                pl.col("minutes")
                .filter(pl.col("kind") == k)
                .sum()
                .cast(pl.Int32)
                .alias(f"{k}_minutes")
                for k in KINDS
            ),
            *((pl.col("kind") == k).sum().cast(pl.Int32).alias(f"{k}_records") for k in KINDS),
        )
        c = pl.DataFrame(connection.execute(_corrections(chunk, weeks)).arrow())
        cumulated = (
            grid.join(sums, on=["pupil_key", "week"], how="left")
            .sort("pupil_key", "week")
            .with_columns(
                pl.col(name).fill_null(0).cum_sum().over("pupil_key") for name in MEASURES
            )
        )
        windows = cumulated.with_columns(
            (pl.col(name) - pl.col(name).shift(count, fill_value=0).over("pupil_key")).alias(
                f"{name}_{count}"
            )
            for name in MEASURES
            for count in WEEKS
        )
        names = [f"{name}_{count}" for name in MEASURES for count in WEEKS]
        joined = windows.join(c, on=["pupil_key", "week"], how="left", suffix="_c")
        joined.select(
            "pupil_key", "week", *(pl.col(n) - pl.col(f"{n}_c").fill_null(0) for n in names)
        ).write_parquet(out)


def floor(versions: Path, out: Path, size: int) -> None:
    """(d) DuckDB: the records read and summed once, and as many bytes written as ours are."""
    import duckdb

    with duckdb.connect() as connection:
        connection.execute(
            f"""CREATE TABLE sums AS SELECT pupil_key, date_trunc('week', starts_at), kind,
                sum(minutes) FROM '{versions}' GROUP BY ALL;
            CREATE TABLE pupils AS SELECT DISTINCT pupil_key FROM sums"""
        )
        (pupils,) = connection.execute("SELECT count(*) FROM pupils").fetchall()[0]
        mondays = len(history_mondays())
        # Random numbers do not get smaller: every column takes four bytes a row.
        number = max(1, round(size / (4 * pupils * mondays)))
        columns = ", ".join(f"random()::FLOAT AS f{at}" for at in range(number))
        connection.execute(
            f"""COPY (SELECT pupil_key, {columns} FROM pupils, range({mondays}))
            TO '{out}' (FORMAT parquet, COMPRESSION lz4_raw)"""
        )


OTHERS: tuple[Any, ...] = (per_monday, window_frames, cumulative_sums, floor)
for _other in OTHERS:
    _other.imports = ("duckdb", "polars")


def _prepared(versions: Path, chunks: int):  # type: ignore[no-untyped-def]
    import duckdb

    from features.school_weeks import as_of_moment

    mondays = history_mondays()
    # Weeks are counted from midnight of the first Monday, in UTC; knowledge from its as-of moment,
    # which is an hour too early in winter.
    moment = int(as_of_moment(mondays[0]).timestamp())
    connection = duckdb.connect()
    connection.execute("SET timezone = 'UTC'")
    connection.execute(
        _PREPARED.format(
            chunks=chunks, first=moment - moment % 86400, moment=moment, versions=versions
        )
    )
    return len(mondays), connection


def _corrections(chunk: int, weeks: int) -> str:
    """Per pupil and last week of a window: what the plain sums count too much there.

    A plain sum counts every version in its week from the next Monday on, for ever. It is wrong on
    the Mondays at which the version is not known yet, or is superseded.
    """
    sums = ", ".join(
        f"sum({_AMOUNT[what]}) FILTER (kind = '{kind}' AND m.week - t.week < {count}) "
        f"::INTEGER AS {name}_{count}"
        for name, (kind, what) in MEASURES.items()
        for count in WEEKS
    )
    return f"""SELECT pupil_key, m.week, {sums}
        FROM t JOIN (SELECT unnest(range({weeks})) AS week) m
            ON m.week >= t.week AND m.week < t.week + 40
            AND (m.week + 1 < t.first OR m.week + 1 > t.last)
        WHERE chunk = {chunk} AND (t.first > t.week + 1 OR t.last < 9999)
        GROUP BY pupil_key, m.week"""
