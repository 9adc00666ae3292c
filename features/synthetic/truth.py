"""What no school would know: the oracle's probability per pupil and Monday, and the onsets."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from features.synthetic.pieces import Scene
from features.synthetic.region import Floats, RegionTime
from features.synthetic.risk_process import ROADS
from features.synthetic.runs import Onsets


def oracle_rows(scene: Scene, time: RegionTime, known: Floats, classes: np.ndarray) -> pa.Table:
    """P(onset within the horizon | latent state) for each enrolled pupil and school-week Monday.

    The last Monday is the one after the history, if the history reaches its Sunday.
    """
    weeks = scene.paths.states.shape[1]
    mondays = time.mondays[:weeks]
    pupils = scene.pupils
    left = np.where(np.isnat(pupils.left), np.datetime64("2200-01-01"), pupils.left)
    enrolled = (pupils.enrolled[:, None] <= mondays) & (mondays <= left[:, None])
    reached = mondays <= np.datetime64(time.last) + 1
    pupil, week = np.nonzero(enrolled & (scene.paths.states >= 0) & reached)
    probability = known[classes[pupil], week, scene.paths.states[pupil, week]]
    return pa.table(
        {
            "school": pa.array(np.full(len(pupil), scene.school.code)).dictionary_encode(),
            "pupil_number": pa.array(np.array(pupils.number)[pupil]),
            "as_of": pa.array(mondays[week]),
            "probability": pa.array(probability),
        }
    )


def onset_rows(scene: Scene, onsets: Onsets) -> pa.Table:
    """First days of runs with their road; runs that leaving cut short are not onsets."""
    chosen = np.flatnonzero(onsets.complete)
    return pa.table(
        {
            "school": pa.array([scene.school.code] * len(chosen), pa.string()),
            "pupil_number": pa.array(
                [scene.pupils.number[p] for p in onsets.pupil[chosen]], pa.string()
            ),
            "onset_on": pa.array(scene.time.days[onsets.day[chosen]]),
            "road": pa.array([ROADS[road].value for road in onsets.road[chosen]], pa.string()),
        }
    )


def write_truth(folder: Path, oracle: list[pa.Table], onsets: list[pa.Table]) -> None:
    """`oracle.parquet` and `onsets.parquet` below `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    plain = [table.set_column(0, "school", table["school"].cast(pa.string())) for table in oracle]
    pq.write_table(pa.concat_tables(plain), folder / "oracle.parquet")
    pq.write_table(pa.concat_tables(onsets), folder / "onsets.parquet")
