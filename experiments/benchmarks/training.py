"""Evaluation of millions of rows, training beside plain LightGBM, and a table larger than memory.

`python -m experiments.benchmarks.training 0.1` runs a tenth of the sizes. Every job runs in a
process of its own, so that its peak memory is its own.
"""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np

from experiments.benchmarks.measuring import measured, peak_mib

EVALUATED_ROWS = 3_000_000
TRAINED_ROWS = 5_000_000
STORED_ROWS = (3_000_000, 20_000_000)
DRAWN_ROWS = 1_000_000
FEATURES = 80
WEEKS = 40
REPLICATES = 500
ONSETS = 0.002
ROUNDS = 20

Seconds = tuple[float, float]
"""By the clock on the wall, and of the processor."""


@dataclass(frozen=True)
class Figure:
    """One job: how many rows, wall and processor seconds, and the peak of its process in MiB."""

    job: str
    rows: int
    seconds: float
    cpu_seconds: float
    peak_mib: float
    stored: int = 0
    ratio: float = 0.0


def measure(scale: float = 1.0) -> list[Figure]:
    """All jobs at `scale` times the stated sizes."""
    sizes = {
        "evaluate": EVALUATED_ROWS,
        "train": TRAINED_ROWS,
        "train_plain_lightgbm": TRAINED_ROWS,
    }
    return [_apart(job, int(scale * rows)) for job, rows in sizes.items()]


def measure_country(scale: float = 1.0) -> Iterator[str]:
    """The lines of a table: the same sample out of a small and of a large table on disk."""
    from experiments.benchmarks import country

    yield "| rows on disk | drawn | s | CPU s | peak MiB | expected / observed |"
    yield "|---|---|---|---|---|---|"
    for stored in STORED_ROWS:
        with tempfile.TemporaryDirectory() as folder:
            home = Path(folder) / "var"
            measured(country.fill, home, int(scale * stored))
            each = _apart("country", int(scale * DRAWN_ROWS), str(home))
            took = f"{each.seconds:.0f} | {each.cpu_seconds:.0f} | {each.peak_mib:,.0f}"
            yield f"| {each.stored:,} | {each.rows:,} | {took} | {each.ratio:.2f} |"


def lines(scale: float = 1.0) -> Iterator[str]:
    """Both tables, as the README shows them."""
    yield "| job | rows | s | CPU s | peak MiB |\n|---|---|---|---|---|"
    for each in measure(scale):
        times = f"{each.seconds:.1f} | {each.cpu_seconds:.1f}"
        yield f"| {each.job} | {each.rows:,} | {times} | {each.peak_mib:,.0f} |"
    yield ""
    yield from measure_country(scale)


def evaluate(rows: int) -> Seconds:
    """Every figure of one score with 500 resamples of pupils, lists cut included."""
    from models.capacity import Capacity
    from training.bootstrap import Resamples
    from training.evaluate import Evaluator, Rows, Score
    from training.labels import Outcome

    generator = np.random.default_rng(1)
    pupils = rows // WEEKS
    pupil = np.repeat(np.arange(pupils), WEEKS)
    week = np.tile(np.arange(WEEKS), pupils)
    risk = generator.normal(size=pupils)[pupil] + generator.normal(size=len(pupil))
    # An onset comes once, and stands in the eight weeks before it.
    onset = np.where(
        generator.random(pupils) < ONSETS * WEEKS, generator.integers(8, 48, pupils), 99
    )
    lead = onset[pupil] - week
    came = (lead >= 0) & (lead < 8)
    monday = np.datetime64("2025-09-01") + 7 * week
    table = Rows(
        pupil=pupil,
        school=pupil // 300,
        sector=(pupil // 300) % 2,
        sectors=("po", "vo"),
        as_of=monday,
        outcome=np.where(came, Outcome.ONSET, Outcome.NO_ONSET).astype(np.int8),
        onset_on=np.where(came, monday + 7 * lead, np.datetime64("NaT")),
        lead_weeks=np.where(came, lead, -1).astype(np.int16),
    )
    chance = 1 / (1 + np.exp(6 - risk - 2 * came))
    started = _now()
    judge = Evaluator(table, Capacity(), Resamples(table.pupils, REPLICATES, 1))
    judge.measure(Score("model", "", chance, probability=True))
    return _since(started)


def train(rows: int) -> Seconds:
    """Our fit: limits and grid of every feature, the trees, and the calibrator."""
    from models.risk_model import Params, TrainingRows, fit

    x, y, pupil = _matrix(rows)
    data = TrainingRows(x, y, np.ones(rows), _names(), pupil)
    started = _now()
    fit(data, data.take(pupil % 100 == 0), replace(Params(), rounds=ROUNDS))
    return _since(started)


def train_plain_lightgbm(rows: int) -> Seconds:
    """`lightgbm.train` with the same trees on the same matrix, nothing prepared or calibrated."""
    import lightgbm

    from models.risk_model import Params, tree_parameters

    x, y, _ = _matrix(rows)
    parameters = {**tree_parameters(Params(), _names()), "num_threads": Params().threads}
    started = _now()
    data = lightgbm.Dataset(x, label=y.astype(np.float32), params=parameters)
    lightgbm.train(parameters, data, num_boost_round=ROUNDS)
    return _since(started)


JOBS: dict[str, Callable[[int], Seconds]] = {
    "evaluate": evaluate,
    "train": train,
    "train_plain_lightgbm": train_plain_lightgbm,
}


def _now() -> Seconds:
    return time.perf_counter(), time.process_time()


def _since(started: Seconds) -> Seconds:
    wall, processor = _now()
    return wall - started[0], processor - started[1]


def _matrix(rows: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    generator = np.random.default_rng(2)
    x = generator.random((rows, FEATURES), dtype=np.float32)
    x[x < 0.3] = 0.0
    pupil = np.arange(rows) // WEEKS
    return x, generator.random(rows) < ONSETS * (1 + 4 * x[:, 0]), pupil


def _names() -> tuple[str, ...]:
    from features.catalogue import CATALOGUE

    return tuple(feature.name for feature in CATALOGUE)[:FEATURES]


def country_job(rows: int, home: str) -> Figure:
    """Rows drawn from the table at `home`, and a model fitted on them."""
    from experiments.benchmarks import country

    started = _now()
    found = country.train(Path(home), rows)
    wall, processor = _since(started)
    return Figure(
        job="country",
        rows=int(found["drawn"]),
        seconds=wall,
        cpu_seconds=processor,
        peak_mib=peak_mib(),
        stored=int(found["stored"]),
        ratio=found["expected_over_observed"],
    )


def _apart(job: str, rows: int, *more: str) -> Figure:
    """The job in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "experiments.benchmarks.training", "--job", job, str(rows), *more],
        check=True,
        capture_output=True,
        text=True,
    )
    return Figure(**json.loads(done.stdout.splitlines()[-1]))


def main(arguments: list[str]) -> None:
    """Run one job and print it as JSON, or all of them as a table."""
    if arguments[:1] == ["--job"]:
        job, rows = arguments[1], int(arguments[2])
        if job == "country":
            print(json.dumps(asdict(country_job(rows, arguments[3]))))
            return
        wall, processor = JOBS[job](rows)
        print(json.dumps(asdict(Figure(job, rows, wall, processor, peak_mib()))))
        return
    for line in lines(float(arguments[0]) if arguments else 1.0):
        print(line, flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
