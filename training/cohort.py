"""Which rows an experiment is about: everyone enrolled, what happened to them, what each is for.

Labels of training rows are read as known when the test year begins, labels of the test year as
known now. Who is *in scope* is decided on the retrieved values, by `models.cohort`.
"""

import hashlib
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
from features.school_weeks import AMSTERDAM, monday_of
from training.experiment import Experiment
from training.labels import Outcome, last_seen_day
from training.lots import lots, uniform, with_history
from training.origins import Origin
from training.outcomes import label_rows
from training.splits import Part, Periods, final_year, plan_periods

Entities = Callable[[Sequence[date], Sequence[str]], pa.Table]
SCHOOLS_AT_ONCE = 25
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
    judged: Origin | None = None,
) -> ExperimentRows:
    """The labelled rows of an experiment, from all that was known before `moment`.

    `entities` gives who was enrolled at some Mondays in some schools. `judged` is the period of
    the test (None: the school year of the experiment). A school at a time, and of each only the
    rows that are drawn are kept: memory follows the sample, not the country.
    """
    seen, data_end = days_seen(log, experiment, moment)
    test = judged or final_year(data_end, experiment.splits)
    before = [monday for monday in mondays if monday < test.start]
    during = [monday for monday in mondays if test.start <= monday < test.until]
    known = datetime.combine(test.start, time(), AMSTERDAM)
    frames, windows = [], []
    people = _People(entities, tuple(seen))
    for school, until in seen.items():
        tables = read_partition(log, school, moment)
        past = min(until, last_seen_day(until, test.start - timedelta(days=1)))
        earlier: pl.DataFrame | None = None
        for span, known_at, last in ((before, known, past), (during, moment, until)):
            if not span or (span is during and not is_tested(school, experiment)):
                continue
            labels = _labels(tables, school, span, known_at, last, experiment)
            labels = earlier = with_history(labels, earlier)
            found = people(school, span).join(labels, on=["pupil_key", "as_of"], how="inner")
            windows.append(found.select("as_of", "window_end").unique())
            frames.append(kept(found if span is during else drawn(found, experiment)))
    if not frames:
        raise ExperimentError(
            "no feature table is built for any Monday; run `tijdig features build`"
        )
    frame = pl.concat(frames).sort("as_of", "school", "lot", "order", "pupil_key")
    periods = _periods(pl.concat(windows), test, experiment)
    as_of, window_end = frame["as_of"].to_numpy(), frame["window_end"].to_numpy()
    frame = frame.with_columns(part=pl.Series(periods.parts(as_of, window_end)))
    return ExperimentRows(sample(frame, experiment), periods, data_end)


class _People:
    """Who was enrolled, asked for several schools at a time: what is built is looked up once."""

    def __init__(self, entities: Entities, schools: tuple[str, ...]) -> None:
        self._entities = entities
        self._schools = schools
        self._held: dict[date, tuple[frozenset[str], pl.DataFrame]] = {}

    def __call__(self, school: str, span: Sequence[date]) -> pl.DataFrame:
        held = self._held.get(span[0])
        if held is None or school not in held[0]:
            first = self._schools.index(school)
            several = self._schools[first : first + SCHOOLS_AT_ONCE]
            found = pl.DataFrame(self._entities(span, several))
            held = self._held[span[0]] = frozenset(several), found
        return held[1].filter(school=school)


def days_seen(
    log: RecordLog, experiment: Experiment, moment: datetime
) -> tuple[dict[str, date], date]:
    """Up to which day each school of the experiment registered, and the last day of all."""
    found = {
        school: _seen_until(log, school, moment)
        for school in schools_of(log, experiment.sectors, moment)
    }
    seen = {school: day for school, day in found.items() if day is not None}
    if not seen:
        raise ExperimentError("the record log holds no absence; run `tijdig ingest` first")
    return seen, max(seen.values())


def _periods(windows: pl.DataFrame, test: Origin, experiment: Experiment) -> Periods:
    """The borders, from the label windows of all rows: also of those that were not drawn."""
    windows = windows.unique()
    as_of, window_end = (windows[name].to_numpy() for name in ("as_of", "window_end"))
    return plan_periods(as_of, window_end, test, experiment.splits)


def is_tested(school: str, experiment: Experiment) -> bool:
    """Whether this school is in the final test: whole schools are drawn, lists stay whole.

    >>> from training.experiment import Sampling
    >>> few = Experiment("few", "?", sampling=Sampling(test_schools=0.2))
    >>> sum(is_tested(f"{number:02d}AB00", few) for number in range(100))
    23
    """
    share = experiment.sampling.test_schools
    digest = hashlib.blake2b(f"{experiment.seed} {school}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") < share * 2.0**64


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


def drawn(frame: pl.DataFrame, experiment: Experiment) -> pl.DataFrame:
    """Of rows before the test those with an onset, and a share of those known to have none.

    The same records and seed give the same draw, whatever the pseudonyms.
    """
    return frame.filter(_drawn(frame, experiment))


def kept(frame: pl.DataFrame) -> pl.DataFrame:
    """The same rows with texts of their own.

    Rows picked from a table of Arrow's hold on to the texts of the whole table: without this the
    keys of every pupil of a country would stay in memory for the few that are drawn.
    """
    return frame.with_columns(pl.col(pl.String) + "")


def sample(frame: pl.DataFrame, experiment: Experiment) -> pl.DataFrame:
    """Test rows all stay, also those of unknown outcome; of the others those that were drawn.

    A drawn training row without an onset weighs as many rows as it stands for.
    """
    is_test = pl.col("part") == Part.TEST
    training = [Part.FIT, Part.CALIBRATION]
    if experiment.splits.refit:
        training.append(Part.EMBARGO)
    is_training = pl.col("part").is_in([part.value for part in training])
    stayed = pl.col("outcome") == Outcome.NO_ONSET
    weight = 1 / experiment.sampling.negative_share
    return frame.filter(is_test | (is_training & _drawn(frame, experiment))).with_columns(
        weight=pl.when(is_training & stayed).then(weight).otherwise(1.0)
    )


def _drawn(frame: pl.DataFrame, experiment: Experiment) -> pl.Series:
    share = experiment.sampling.negative_share
    lot, as_of = frame["lot"].to_numpy(), frame["as_of"].to_numpy()
    chosen = pl.Series(uniform(lot, as_of, experiment.seed) < share)
    came, stayed = (frame["outcome"] == each.value for each in (Outcome.ONSET, Outcome.NO_ONSET))
    return came | (stayed & chosen)


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
