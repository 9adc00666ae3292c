"""Which rows an experiment is about: everyone enrolled, what happened to them, what each is for.

Labels of training rows are read as known when the test year begins, labels of the test year as
known now. Who is *in scope* is decided on the retrieved values, by `models.cohort`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from features.absence import day_grid
from features.errors import ExperimentError
from features.records import LogTable, RecordLog
from features.records.partition import PartitionTables, read_partition
from features.school_weeks import AMSTERDAM, first_day_of, monday_of
from training.experiment import Experiment
from training.labels import Outcome, last_seen_day
from training.lots import lots, uniform, with_history
from training.outcomes import label_rows
from training.splits import Part, Periods, last_complete_school_year, plan_periods

Entities = Callable[[Sequence[date], Sequence[str]], pa.Table]
LOOK_BACK = timedelta(weeks=20)
"""A run that began before the first as-of date must be seen whole; else its middle is a start."""


@dataclass(frozen=True)
class ExperimentRows:
    """Rows sorted by as-of date and lot, with their part and the rows each stands for.

    Columns: pupil_key, school, sector, as_of, outcome, onset_on, lead_weeks, window_end, lot,
    order, part, weight. The order does not depend on the pseudonyms (`training.lots`).
    """

    frame: pl.DataFrame
    periods: Periods
    data_end: date


def gather_rows(
    log: RecordLog,
    entities: Entities,
    mondays: Sequence[date],
    experiment: Experiment,
    moment: datetime,
) -> ExperimentRows:
    """The labelled rows of an experiment, from all that was known before `moment`.

    `entities` gives who was enrolled at some Mondays in some schools.
    """
    seen = {
        school: _seen_until(log, school, moment)
        for school in schools_of(log, experiment.sectors, moment)
    }
    if not any(seen.values()):
        raise ExperimentError("the record log holds no absence; run `tijdig ingest` first")
    data_end = max(day for day in seen.values() if day)
    test_year = experiment.splits.test_school_year or last_complete_school_year(data_end)
    test_from, test_until = first_day_of(test_year), first_day_of(test_year + 1)
    before = [monday for monday in mondays if monday < test_from]
    during = [monday for monday in mondays if test_from <= monday < test_until]
    frames = []
    for school, until in seen.items():
        if until is None:
            continue
        tables = read_partition(log, school, moment)
        known = datetime.combine(test_from, time(), AMSTERDAM)
        past = min(until, last_seen_day(until, test_from - timedelta(days=1)))
        earlier: pl.DataFrame | None = None
        for span, known_at, last in ((before, known, past), (during, moment, until)):
            if span:
                labels = _labels(tables, school, span, known_at, last, experiment)
                labels = earlier = with_history(labels, earlier)
                people = pl.DataFrame(entities(span, [school]))
                frames.append(people.join(labels, on=["pupil_key", "as_of"], how="inner"))
    if not frames:
        raise ExperimentError(
            "no feature table is built for any Monday; run `tijdig features build`"
        )
    frame = pl.concat(frames).sort("as_of", "school", "lot", "order", "pupil_key")
    as_of, window_end = frame["as_of"].to_numpy(), frame["window_end"].to_numpy()
    periods = plan_periods(as_of, window_end, data_end, experiment.splits)
    parts = periods.parts(as_of, window_end)
    frame = frame.with_columns(part=pl.Series(parts))
    return ExperimentRows(sample(frame, experiment), periods, data_end)


def label_mondays(
    log: RecordLog, school: str, mondays: Sequence[date], moment: datetime, experiment: Experiment
) -> pl.DataFrame | None:
    """The labels of one school's pupils at `mondays`, as known then; None without records."""
    until = _seen_until(log, school, moment)
    if until is None or not mondays:
        return None
    tables = read_partition(log, school, moment)
    return _labels(tables, school, mondays, moment, until, experiment)


def schools_of(log: RecordLog, sectors: Sequence[str], moment: datetime) -> list[str]:
    """The schools of these sectors (none: all), as known at `moment`."""
    if not sectors:
        return log.schools()
    known = log.read_as_of(LogTable.SCHOOLS, moment)
    chosen = set(known.filter(pc.field("sector").isin(list(sectors)))["school"].to_pylist())
    if not chosen:
        raise ExperimentError(f"no school of sector {', '.join(sectors)} is in the records")
    return [school for school in log.schools() if school in chosen]


def sample(frame: pl.DataFrame, experiment: Experiment) -> pl.DataFrame:
    """Test rows all stay, also those of unknown outcome; of the others those with a known outcome.

    Of training rows without an onset a share is drawn, and weighs as many rows as it stands for.
    The same records and seed give the same sample, whatever the pseudonyms.
    """
    share = experiment.sampling.negative_share
    lot, as_of = frame["lot"].to_numpy(), frame["as_of"].to_numpy()
    drawn = pl.Series(uniform(lot, as_of, experiment.seed) < share)
    is_test = pl.col("part") == Part.TEST
    training = [Part.FIT, Part.CALIBRATION]
    if experiment.splits.refit:
        training.append(Part.EMBARGO)
    is_training = pl.col("part").is_in([part.value for part in training])
    came = pl.col("outcome") == Outcome.ONSET
    stayed = pl.col("outcome") == Outcome.NO_ONSET
    return (
        frame.with_columns(drawn=drawn)
        .filter(is_test | (is_training & (came | (stayed & pl.col("drawn")))))
        .with_columns(weight=pl.when(is_training & stayed).then(1 / share).otherwise(1.0))
        .drop("drawn")
    )


def _labels(
    tables: PartitionTables,
    school: str,
    mondays: Sequence[date],
    known_at: datetime,
    last: date,
    experiment: Experiment,
) -> pl.DataFrame:
    """Labels of one school for those of `mondays` that open a school week."""
    grid = day_grid(tables, school, known_at, mondays[0] - LOOK_BACK, last)
    weeks = grid.school_weeks
    inside = tuple(
        monday
        for monday in mondays
        if 0 <= weeks.week_of(monday) < len(weeks.is_school_week)
        and weeks.is_school_week[weeks.week_of(monday)]
    )
    if not inside:
        inside = (monday_of(last),)
    labels = pl.DataFrame(label_rows(grid, inside, experiment.label).table())
    lot, order = lots(grid, tables, school, known_at)
    drawn_by = pl.DataFrame({"pupil_key": grid.pupil_keys, "lot": lot, "order": order})
    return labels.join(drawn_by, on="pupil_key", how="left", maintain_order="left")


def _seen_until(log: RecordLog, school: str, moment: datetime) -> date | None:
    """The Sunday up to which this school's registrations are in the log; None without any."""
    starts = log.read_versions(LogTable.ABSENCE, schools=[school], known_before=moment)["starts_at"]
    today = moment.astimezone(AMSTERDAM).replace(tzinfo=None)
    past = starts.filter(pc.less(starts, pa.scalar(today, pa.timestamp("us"))))
    if not len(past):
        return None
    return last_seen_day(pc.max(past).as_py().date(), today.date() - timedelta(days=1))
