"""What the deliveries say: the same runs as the truth, and the known ways of being wrong."""

import hashlib
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from features.errors import SettingsError
from features.school_weeks import national_school_days
from features.synthetic import simulate
from features.synthetic.parameters import RUN_DAYS, RUN_SHARE
from features.vocabulary import AbsenceKind, Region, SupportKind, SupportStatus

END = date(2026, 11, 15)
FIRST = date(2024, 8, 1)
HALF_DAYS = {"ochtend": 210, "middag": 120}


def read_source(path: Path, skip: int = 0) -> pl.DataFrame:
    text = path.read_bytes().decode("cp1252")
    rows = pl.read_csv(text.encode(), separator=";", skip_rows=skip, infer_schema=False)
    return rows.filter(pl.nth(0) != "Totaal")


def versions_of(delivery: Path) -> pl.DataFrame:
    """All versions of absence of a delivery, in whatever form, in one shape."""
    if (delivery / "absence.csv").exists():
        rows = pl.read_csv(delivery / "absence.csv", infer_schema=False)
        return rows.select(
            record=pl.col("record_id"),
            pupil=pl.col("pupil_number"),
            start=pl.col("starts_at").str.to_datetime("%Y-%m-%dT%H:%M"),
            end=pl.col("ends_at").str.to_datetime("%Y-%m-%dT%H:%M"),
            code=pl.col("code"),
            recorded=pl.col("recorded_at").str.slice(0, 19).str.to_datetime(),
            withdrawn=pl.col("withdrawn") == "yes",
        )
    if (delivery / "verzuim.csv").exists():
        rows = read_source(delivery / "verzuim.csv", skip=2)
        minutes = pl.col("Dagdeel").replace_strict(HALF_DAYS, return_dtype=pl.Int64)
        names = ("Mutatienummer", "Leerlingnummer", "Reden", "Gewijzigd op", "Vervallen", "J")
    else:
        rows = read_source(delivery / "verzuim_lessen.csv")
        minutes = pl.lit(50)
        names = (
            "Registratienummer", "Stamnummer", "Code", "Invoermoment", "Ingetrokken", "Ja"
        )  # fmt: skip
    start = pl.col("Datum").str.to_datetime("%d-%m-%Y") + pl.duration(hours=8)
    return rows.select(
        record=pl.col(names[0]),
        pupil=pl.col(names[1]),
        start=start,
        end=start + pl.duration(minutes=minutes),
        code=pl.col(names[2]),
        recorded=pl.col(names[3]).str.to_datetime("%d-%m-%Y %H:%M"),
        withdrawn=pl.col(names[4]) == names[5],
    )


def kinds_of(delivery: Path) -> dict[str, str]:
    codes = pl.read_csv(delivery / "codes.csv", infer_schema=False)
    return dict(zip(codes["code"], codes["category"], strict=True))


def absent_minutes(delivery: Path) -> dict[tuple[str, date], int]:
    """Minutes absent per pupil and day as the newest versions say; whole days count 1,000."""
    kinds = kinds_of(delivery)
    newest = (
        versions_of(delivery).sort("recorded", maintain_order=True).unique("record", keep="last")
    )
    result: dict[tuple[str, date], int] = {}
    for row in newest.filter(~pl.col("withdrawn")).iter_rows(named=True):
        if not AbsenceKind(kinds[row["code"]]).counts_as_absent:
            continue
        first, end = row["start"].date(), row["end"]
        last = END if end is None else end.date()
        whole = end is None or first < last
        count = 1000 if whole else int((end - row["start"]).total_seconds() // 60)
        for offset in range((last - first).days + 1):
            key = (row["pupil"], first + timedelta(days=offset))
            result[key] = result.get(key, 0) + count
    return result


def school_days(delivery: Path) -> list[date]:
    flags = national_school_days(Region.MIDDEN, FIRST, END)
    study = pl.read_csv(delivery / "calendar.csv", infer_schema=False)["date"].to_list()
    days = [FIRST + timedelta(days=int(day)) for day in flags.nonzero()[0]]
    return [day for day in days if str(day) not in study]


def planned_minutes(delivery: Path) -> dict[tuple[str, date], int]:
    """Planned minutes per group or pupil and the day on which they begin to hold, by weekday."""
    table = pl.read_csv(delivery / "timetable.csv", infer_schema=False)
    result = {}
    for row in table.iter_rows(named=True):
        who = row["pupil_number"] or row["group"]
        day, last = date.fromisoformat(row["valid_from"]), date.fromisoformat(row["valid_to"])
        day += timedelta(days=(int(row["weekday"]) - 1 - day.weekday()) % 7)
        while day <= min(last, END):
            result[who, day] = int(row["planned_minutes"])
            day += timedelta(weeks=1)
    return result


def placements(delivery: Path) -> list[tuple[str, str, date, date]]:
    """Pupil, group, first and last day of each placement."""
    if (delivery / "pupils.csv").exists():
        rows = pl.read_csv(delivery / "pupils.csv", infer_schema=False)
        columns, form = ("pupil_number", "group", "enrolled_on", "left_on"), "%Y-%m-%d"
    else:
        (path,) = delivery.glob("leerlingen*.csv")
        rows, form = read_source(path), "%d-%m-%Y"
        number = "Leerlingnummer" if path.stem == "leerlingen" else "Stamnummer"
        columns = (number, "Groep", "Datum inschrijving", "Datum uitschrijving")
    rows = rows.with_columns(pl.col(columns[2:]).str.to_date(form)).select(columns)
    return [(who, group, first, last or END) for who, group, first, last in rows.iter_rows()]


def runs_in(delivery: Path) -> dict[str, list[date]]:
    """First absent days from which 20 planned days are a run, slowly and obviously, per pupil."""
    absent, planned = absent_minutes(delivery), planned_minutes(delivery)
    shares: dict[str, list[tuple[date, float]]] = {}
    days = school_days(delivery)
    for who, group, first, last in sorted(placements(delivery), key=lambda row: row[2]):
        for day in days:
            if first <= day <= last:
                minutes = planned.get((who, day), planned[group, day])
                share = min(absent.get((who, day), 0) / minutes, 1.0)
                shares.setdefault(who, []).append((day, share))
    result: dict[str, list[date]] = {}
    for who, sequence in shares.items():
        if sum(share for _, share in sequence) < RUN_DAYS * RUN_SHARE:
            continue
        for start in range(len(sequence) - RUN_DAYS + 1):
            window = [share for _, share in sequence[start : start + RUN_DAYS]]
            if window[0] >= 0.5 and sum(window) / RUN_DAYS >= RUN_SHARE:
                result.setdefault(who, []).append(sequence[start][0])
    return result


def test_runs_in_the_written_records_are_the_true_onsets(written: Any) -> None:
    """As finally recorded; an onset in the last weeks cannot be seen in full yet."""
    matched = missed = extra = 0
    for school in written.schools:
        delivery = written.delivery(school)
        runs, days = runs_in(delivery), school_days(delivery)
        truth = written.onsets.filter(pl.col("school") == school)
        known: dict[str, list[date]] = {}
        for who, onset in zip(truth["pupil_number"], truth["onset_on"], strict=True):
            known.setdefault(who, []).append(onset)
            if days.index(onset) + RUN_DAYS > len(days):
                continue
            # A late or missing half-day may move the first day by a school week either way.
            near = [abs((day - onset).days) <= 9 for day in runs.get(who, [])]
            matched, missed = matched + any(near), missed + (not any(near))
        extra += sum(1 for who in runs if who not in known)
    assert matched >= 15
    assert missed <= 0.1 * matched
    assert extra <= 0.05 * matched


def test_same_seed_writes_the_same_bytes_and_another_seed_does_not(tmp_path: Path) -> None:
    def digest(out: Path, seed: int) -> dict[str, str]:
        simulate(out, pupils=300, years=1, seed=seed, end=END)
        files = sorted(path for path in out.rglob("*") if path.is_file())
        return {
            str(path.relative_to(out)): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in files
        }

    first = digest(tmp_path / "first", 4)
    assert first == digest(tmp_path / "again", 4)
    other = digest(tmp_path / "other", 5)
    assert first["truth/oracle.parquet"] != other["truth/oracle.parquet"]


def test_delivery_forms_are_all_there(written: Any) -> None:
    files = {path.name for path in written.out.rglob("*.csv")}
    assert {"absence.csv", "verzuim.csv", "pupils.csv", "leerlingen.csv"} <= files
    assert {"schools.csv", "calendar.csv", "timetable.csv", "codes.csv", "support.csv"} <= files


def test_recording_is_dirty_in_the_known_ways(written: Any) -> None:
    canonical = [
        versions_of(written.delivery(school))
        for school in written.schools
        if (written.delivery(school) / "absence.csv").exists()
    ]
    rows = pl.concat(canonical)
    first = rows.sort("recorded").unique(["record", "pupil"], keep="first", maintain_order=True)
    days_late = (first["recorded"].dt.date() - first["start"].dt.date()).dt.total_days().to_numpy()
    assert 0.6 < (days_late == 0).mean() < 0.92
    assert 0.04 < ((days_late >= 1) & (days_late <= 21)).mean() < 0.35
    assert rows["end"].is_null().any()
    assert 0.003 < rows["withdrawn"].to_numpy().mean() < 0.03
    several = rows.group_by("record", "pupil").agg(pl.col("code").n_unique(), pl.len())
    assert (several["code"] > 1).any()
    assert (several["len"].to_numpy() > 1).mean() > 0.05
    assert (rows["recorded"].dt.date() <= END).all()


def test_closing_versions_follow_open_ones(written: Any) -> None:
    """Nobody ends with a report left open by the recording itself: only absence that goes on."""
    for school in written.schools:
        if not (written.delivery(school) / "absence.csv").exists():
            continue
        versions = versions_of(written.delivery(school)).sort("recorded", maintain_order=True)
        newest = versions.unique("record", keep="last", maintain_order=True)
        left_open = newest.filter(pl.col("end").is_null() & ~pl.col("withdrawn"))
        assert len(left_open) <= 0.01 * len(newest)


def test_one_code_means_different_things_at_two_schools(tmp_path: Path) -> None:
    simulate(tmp_path, pupils=3800, years=1, seed=1, end=date(2025, 9, 1))
    meanings: dict[str, set[str]] = {}
    for path in (tmp_path / "deliveries").iterdir():
        for code, kind in kinds_of(path).items():
            meanings.setdefault(code, set()).add(kind)
    assert meanings["BV"] == {"leave", "not_absence"}
    assert len(meanings["L"]) == 2
    assert {path.name for path in tmp_path.rglob("*lessen*")} == {"verzuim_lessen.csv"}


def test_support_has_versions_of_every_status(written: Any) -> None:
    rows = pl.concat(
        [
            pl.read_csv(written.delivery(school) / "support.csv", infer_schema=False)
            for school in written.schools
        ]
    )
    assert set(rows["kind"]) <= {kind.value for kind in SupportKind}
    assert set(rows["status"]) == {status.value for status in SupportStatus}
    assert (rows.group_by("school", "record_id").len()["len"] > 1).any()


def test_oracle_has_a_row_per_enrolled_pupil_and_school_week(written: Any) -> None:
    oracle = written.oracle
    assert oracle.columns == ["school", "pupil_number", "as_of", "probability"]
    assert oracle["as_of"].dtype == pl.Date
    assert (oracle["as_of"].dt.weekday() == 1).all()
    assert oracle["as_of"].max() == END + timedelta(days=1)
    assert oracle["probability"].is_between(0.0, 0.6).all()
    assert oracle.unique(["school", "pupil_number", "as_of"]).height == oracle.height
    last = oracle.filter(pl.col("as_of") == END + timedelta(days=1))
    assert 1200 < last.height < 2000


@pytest.mark.parametrize(("pupils", "years"), [(10, 3), (500, 0)])
def test_a_region_too_small_is_refused(tmp_path: Path, pupils: int, years: int) -> None:
    with pytest.raises(SettingsError, match="at least 50 pupils"):
        simulate(tmp_path, pupils=pupils, years=years, seed=1, end=END)
