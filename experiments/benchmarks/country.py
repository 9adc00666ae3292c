"""A history sampled at the source: does memory follow the sample, or what is stored?

A table of features on disk, school by school. As in training, keys are read a few schools at a
time, rows are drawn with their weights, values are retrieved of the drawn rows only, and trees and
calibrator are fitted. Of Mondays after it every row is scored: does the weighted model expect as
many onsets as come?

Measured were tables of 3, 8 and 20 million rows, not one of a country's size (`COUNTRY`). Labels
follow from key and Monday; making them from records, as `training.cohort` does, is not in it.
"""

from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

    from features.governance.use import Use

WEEKS = 40
SCHOOL, SCHOOLS_AT_ONCE = 1_000, 25
HELD_OUT, CALIBRATION = 4, 8
ONSETS = 0.002
SIGNAL = "absent_share_4w"
COUNTRY = 2_400_000 * 3 * 40
"""Pupils, school years, Mondays."""


def fill(home: Path, rows: int) -> None:
    """About so many rows, a million at a time; one feature tells of the onset, 79 do not."""
    import numpy as np
    import pyarrow as pa

    from features.catalogue import CATALOGUE
    from features.school_weeks import as_of_moment, mondays_between
    from features.settings import Home
    from features.store import FeatureStore

    store = FeatureStore.at(Home(home))
    store.apply(use())
    mondays = mondays_between(date(2025, 1, 6), date(2026, 11, 9))[:WEEKS]
    moments = pa.array([as_of_moment(monday) for monday in mondays], pa.timestamp("us", tz="UTC"))
    random, grid = np.random.default_rng(1), np.linspace(0, 1, 101, dtype=np.float32)
    per_write = SCHOOLS_AT_ONCE * SCHOOL
    week = np.repeat(np.arange(WEEKS), per_write)
    for first in range(0, rows // WEEKS, per_write):
        lot = np.tile(np.arange(first, first + per_write), WEEKS)
        schools = np.array([f"{number:04d}00" for number in range(10_000)])
        columns: dict[str, object] = {"pupil_key": keys_of(lot), "school": schools[lot // SCHOOL]}
        columns |= dict.fromkeys(("group", "year_group"), np.full(len(lot), "4"))
        columns["sector"] = np.full(len(lot), "po")
        columns["as_of"] = pa.array(mondays, pa.date32()).take(pa.array(week))
        columns["event_timestamp"] = moments.take(pa.array(week))
        for feature in CATALOGUE:
            columns[feature.name] = grid[random.integers(0, 101, len(lot), dtype=np.uint8)]
        days = np.array(mondays, dtype="datetime64[D]")[week]
        columns[SIGNAL] = signal(lot, days)
        store.write(pa.table(columns), mondays)


def train(home: Path, rows_wanted: int) -> dict[str, float]:
    """Draw about so many rows of the table and fit; what is expected over what comes afterwards."""
    import numpy as np
    import polars as pl

    from features.settings import Home
    from features.store import RISK_SERVICE, FeatureStore
    from models.risk_model import Params, TrainingRows, fit
    from training.cohort import kept
    from training.values import retrieve

    store = FeatureStore.at(Home(home))
    mondays = sorted(store.built())
    stored = sum(part.rows for part in store._offline.generation().parts.values())
    share = min(1.0, rows_wanted / stored)
    frames, later = [], []
    for schools in _schools(stored):
        people = labelled(pl.DataFrame(store.entities(mondays, schools)))
        drawn = pl.col("onset") | (pl.col("draw") < share)
        frames.append(kept(people.filter(drawn & (pl.col("as_of") < mondays[-HELD_OUT]))))
        if len(later) < 2:
            later.append(kept(people.filter(pl.col("as_of") >= mondays[-HELD_OUT])))
    frame, after = pl.concat(frames), pl.concat(later)
    names = tuple(name for name in retrieve(store, after.head(1), RISK_SERVICE, use()).names)
    values = retrieve(store, frame, RISK_SERVICE, use())
    y = frame["onset"].to_numpy()
    data = TrainingRows(values.x, y, np.where(y, 1.0, 1 / share), names, frame["lot"].to_numpy())
    is_late = (frame["as_of"] >= mondays[-HELD_OUT - CALIBRATION]).to_numpy()
    calibration = data.take(is_late)
    model = fit(data.take(~is_late), calibration, Params(rounds=20))
    chance = model.score(retrieve(store, after, RISK_SERVICE, use()).x)
    return {
        "stored": float(stored),
        "drawn": float(len(frame)),
        "expected_over_observed": float(chance.sum() / after["onset"].sum()),
    }


def use() -> "Use":
    """Who asks, for what."""
    from features.governance.use import Action, Purpose, Use
    from features.vocabulary import Role

    moment = datetime(2026, 11, 16, 7, tzinfo=UTC)
    return Use("benchmark", Role.JOB, Purpose.EARLY_WARNING, Action.TRAIN, moment)


def labelled(people: "pl.DataFrame") -> "pl.DataFrame":
    """Who is drawn, and to whom an onset comes: both follow from key and Monday alone."""
    import polars as pl

    from training.lots import uniform

    lot = people["pupil_key"].str.slice(2).cast(pl.UInt64).to_numpy()
    as_of = people["as_of"].to_numpy().astype("datetime64[D]")
    chance = ONSETS * (0.2 + 1.6 * signal(lot, as_of))
    return people.with_columns(
        lot=pl.Series(lot.astype("int64")),
        onset=pl.Series(uniform(lot, as_of, 8) < chance),
        draw=pl.Series(uniform(lot, as_of, 1)),
    )


def signal(lot, as_of):  # type: ignore[no-untyped-def]
    """The one feature that tells something, in steps of a hundredth."""
    import numpy as np

    from training.lots import uniform

    return (np.round(uniform(lot.astype(np.uint64), as_of, 7) * 100) / 100).astype(np.float32)


def keys_of(lot):  # type: ignore[no-untyped-def]
    """Pseudonyms that hold the number of the pupil."""
    import numpy as np

    return np.char.add("p1", np.char.zfill(lot.astype(str), 26))


def _schools(stored: int) -> list[list[str]]:
    count = stored // WEEKS // SCHOOL
    names = [f"{number:04d}00" for number in range(count)]
    return [names[at : at + SCHOOLS_AT_ONCE] for at in range(0, count, SCHOOLS_AT_ONCE)]
