"""Deliveries as files: the canonical form, and the forms of two source systems."""

from pathlib import Path

import numpy as np
import polars as pl

from features.school_weeks import AMSTERDAM
from features.synthetic.codes import code_rows, codes_of
from features.synthetic.pieces import Scene
from features.synthetic.pupils import Groups, Pupils, first_of_august
from features.synthetic.recording import Moments, Records
from features.synthetic.region import RegionTime
from features.synthetic.schools import Form, School
from features.synthetic.support_book import SupportBook
from features.synthetic.timetables import Reduced, timetable_rows

_LEFT_TO = {"": "", "school": "andere school", "exemption": "vrijstelling", "unknown": "onbekend"}
_PUPIL_HEADINGS = (
    "Vestiging",
    "Leerlingnummer",
    "Roepnaam",
    "Tussenvoegsel",
    "Achternaam",
    "Geboortemaand",
    "Jaargroep",
    "Groep",
    "Datum inschrijving",
    "Datum uitschrijving",
    "Bestemming",
)


def write_delivery(
    folder: Path,
    scene: Scene,
    records: Records,
    support: SupportBook,
    reduced: Reduced,
    time: RegionTime,
    rng: np.random.Generator,
) -> int:
    """Write all files of one school below `folder`; the number of rows of absence."""
    folder.mkdir(parents=True, exist_ok=True)
    school, pupils = scene.school, scene.pupils
    _write_csv(folder / "schools.csv", _school_row(school, time))
    _write_csv(folder / "codes.csv", code_rows(school))
    study_days = [str(day) for day in scene.time.study_days]
    calendar = pl.DataFrame({"date": study_days}, schema={"date": pl.String}).select(
        pl.lit(school.code).alias("school"), "date", pl.lit("study_day").alias("kind")
    )
    _write_csv(folder / "calendar.csv", calendar)
    timetable = timetable_rows(school, scene.groups, reduced, pupils.number)
    order = ("school", "group", "pupil_number", "weekday", "valid_from", "valid_to")
    _write_csv(folder / "timetable.csv", timetable.select(*order, "planned_minutes"))
    _write_csv(folder / "support.csv", _support_rows(school, pupils, support, time, rng))
    placements = _placements(school, pupils, scene.groups)
    if school.form is Form.CANONICAL:
        _write_csv(folder / "pupils.csv", placements)
        _write_csv(folder / "absence.csv", _canonical_absence(school, pupils, records))
    elif school.form is Form.PO_HALF_DAY:
        _write_source(folder / "leerlingen.csv", _source_pupils(placements))
        titles = f"Verzuimoverzicht {school.name}\nPeriode t/m {time.last:%d-%m-%Y}\n"
        rows = _half_day_absence(school, pupils, records)
        total = f"Totaal;{len(rows)};;;;;;\n"
        _write_source(folder / "verzuim.csv", rows, before=titles, after=total)
    else:
        pupil_file = _source_pupils(placements).rename({"Leerlingnummer": "Stamnummer"})
        _write_source(folder / "leerlingen_vo.csv", pupil_file)
        _write_source(folder / "verzuim_lessen.csv", _lesson_absence(school, pupils, records))
    return len(records)


def _write_csv(path: Path, rows: pl.DataFrame) -> None:
    path.write_bytes(_blanks(rows).write_csv().encode("utf-8"))


def _blanks(rows: pl.DataFrame) -> pl.DataFrame:
    """Nothing between the separators where there is nothing to say, rather than quotes."""
    return rows.with_columns(pl.col(pl.String).replace("", None))


def _write_source(path: Path, rows: pl.DataFrame, *, before: str = "", after: str = "") -> None:
    """As Dutch office software writes it: cp1252, semicolons, Windows line ends."""
    text = before + _blanks(rows).write_csv(separator=";") + after
    path.write_bytes(text.replace("\n", "\r\n").encode("cp1252"))


def _school_row(school: School, time: RegionTime) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "school": [school.code],
            "name": [school.name],
            "sector": [school.sector.value],
            "region": [time.region.value],
        }
    )


def _placements(school: School, pupils: Pupils, groups: Groups) -> pl.DataFrame:
    """`pupils.csv`: one row per pupil and school year, the last one open or with where to."""
    pupil, year = np.nonzero(groups.member >= 0)
    opens, closes = first_of_august(groups.years), first_of_august(groups.years + 1) - 1
    last_of_pupil = np.append(pupil[1:] != pupil[:-1], True)
    left = np.where(last_of_pupil, pupils.left[pupil], closes[year])
    group = np.array(groups.names)[groups.member[pupil, year]]
    return pl.DataFrame(
        {
            "school": np.full(len(pupil), school.code),
            "pupil_number": np.array(pupils.number)[pupil],
            "given_name": np.array(pupils.given_name)[pupil],
            "name_prefix": np.array(pupils.name_prefix)[pupil],
            "family_name": np.array(pupils.family_name)[pupil],
            "birth_month": pupils.born.astype("datetime64[M]").astype(str)[pupil],
            "year_group": (pupils.cohort[pupil] + year).astype(str),
            "group": group,
            "enrolled_on": np.maximum(opens[year], pupils.enrolled[pupil]),
            "left_on": left.astype("datetime64[D]"),
            "left_to": np.where(last_of_pupil, pupils.left_to[pupil], ""),
        }
    )


def _source_pupils(placements: pl.DataFrame) -> pl.DataFrame:
    month = pl.col("birth_month")
    return placements.with_columns(
        birth_month=month.str.slice(5) + "-" + month.str.slice(0, 4),
        enrolled_on=pl.col("enrolled_on").dt.strftime("%d-%m-%Y"),
        left_on=pl.col("left_on").dt.strftime("%d-%m-%Y"),
        left_to=pl.col("left_to").replace_strict(_LEFT_TO),
    ).rename(dict(zip(placements.columns, _PUPIL_HEADINGS, strict=True)))


def _canonical_absence(school: School, pupils: Pupils, records: Records) -> pl.DataFrame:
    return _absence_columns(school, pupils, records).select(
        "school",
        record_id=pl.format("A{}", pl.col("record").cast(pl.String).str.zfill(7)),
        pupil_number="number",
        starts_at=pl.col("start").dt.strftime("%Y-%m-%dT%H:%M"),
        ends_at=pl.col("end").dt.strftime("%Y-%m-%dT%H:%M"),
        minutes=pl.when(pl.col("minutes") >= 0).then(pl.col("minutes")),
        code="code",
        recorded_at=_written(school, pl.col("recorded")),
        withdrawn=pl.when(pl.col("withdrawn")).then(pl.lit("yes")).otherwise(pl.lit("no")),
    )


def _written(school: School, moment: pl.Expr) -> pl.Expr:
    """Some systems write moments with their offset from UTC, others as local time."""
    if not school.habits.offset_in_moments:
        return moment.dt.strftime("%Y-%m-%dT%H:%M:%S")
    zoned = moment.dt.replace_time_zone(AMSTERDAM.key, ambiguous="earliest")
    return zoned.dt.strftime("%Y-%m-%dT%H:%M:%S%:z")


def _half_day_absence(school: School, pupils: Pupils, records: Records) -> pl.DataFrame:
    return _absence_columns(school, pupils, records).select(
        Vestiging="school",
        Leerlingnummer="number",
        Datum=pl.col("start").dt.strftime("%d-%m-%Y"),
        Dagdeel=pl.when(pl.col("slot") == 0).then(pl.lit("ochtend")).otherwise(pl.lit("middag")),
        Reden="code",
        Mutatienummer=pl.col("record") + 100_001,
        **{"Gewijzigd op": pl.col("recorded").dt.strftime("%d-%m-%Y %H:%M")},
        Vervallen=pl.when(pl.col("withdrawn")).then(pl.lit("J")).otherwise(pl.lit("N")),
    )


def _lesson_absence(school: School, pupils: Pupils, records: Records) -> pl.DataFrame:
    return _absence_columns(school, pupils, records).select(
        Vestiging="school",
        Stamnummer="number",
        Datum=pl.col("start").dt.strftime("%d-%m-%Y"),
        Lesuur=pl.col("slot") + 1,
        Begin=pl.col("start").dt.strftime("%-H:%M"),
        Eind=pl.col("end").dt.strftime("%-H:%M"),
        Code="code",
        Minuten=pl.format("{},0", pl.col("minutes")),
        Invoermoment=pl.col("recorded").dt.strftime("%d-%m-%Y %H:%M"),
        Registratienummer=pl.col("record") + 1,
        Ingetrokken=pl.when(pl.col("withdrawn")).then(pl.lit("Ja")).otherwise(pl.lit("Nee")),
    )


def _absence_columns(school: School, pupils: Pupils, records: Records) -> pl.DataFrame:
    def moment(values: Moments) -> Moments:
        return values.astype("datetime64[ms]")

    return pl.DataFrame(
        {
            "school": np.full(len(records), school.code),
            "record": records.record,
            "number": np.array(pupils.number)[records.pupil],
            "start": moment(records.start),
            "end": moment(records.end),
            "minutes": records.minutes,
            "slot": records.slot,
            "code": np.array(codes_of(school))[records.kind],
            "recorded": moment(records.recorded),
            "withdrawn": records.withdrawn,
        }
    )


def _support_rows(
    school: School, pupils: Pupils, book: SupportBook, time: RegionTime, rng: np.random.Generator
) -> pl.DataFrame:
    rows = book.known_by(time.last)
    versions = [row.version for row in rows]
    columns = {
        "record_id": [f"S{row.record:06d}" for row in rows],
        "pupil_number": [pupils.number[row.pupil] for row in rows],
        "kind": [row.kind.value for row in rows],
        "status": [version.status.value for version in versions],
        "starts_on": [version.starts_on for version in versions],
        "ends_on": [version.ends_on for version in versions],
        "written_on": [version.written_on for version in versions],
        "withdrawn": ["yes" if row.withdrawn else "no" for row in rows],
    }
    dates = {name: pl.Date if name.endswith("_on") else pl.String for name in columns}
    # Rows are in the order of writing: versions of one record keep it within a day.
    second = np.sort(rng.integers(8 * 3600, 17 * 3600, len(rows)))
    written = pl.col("written_on").cast(pl.Datetime("ms"))
    day_order = pl.col("second").sort().over("written_on")
    return (
        pl.DataFrame(columns, schema=dates)
        .with_columns(
            pl.lit(school.code).alias("school"), pl.Series("second", rng.permutation(second))
        )
        .with_columns(recorded_at=_written(school, written + pl.duration(seconds=day_order)))
        .select("school", *list(columns)[:6], "recorded_at", "withdrawn")
    )
