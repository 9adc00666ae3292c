"""A small region, simulated once: its files, and what really happened at its schools."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow.parquet as pq
import pytest

from features.synthetic import simulate
from features.synthetic.region import RegionTime, build_time
from features.synthetic.schools import plan_schools
from features.synthetic.simulation import SchoolYears, live
from features.vocabulary import Region

END = date(2026, 11, 15)


@dataclass(frozen=True)
class Written:
    """The folder `simulate` wrote, and the truth tables in it."""

    out: Path
    oracle: pl.DataFrame
    onsets: pl.DataFrame

    def delivery(self, school: str) -> Path:
        return self.out / "deliveries" / school

    @property
    def schools(self) -> list[str]:
        return sorted(path.name for path in (self.out / "deliveries").iterdir())


@pytest.fixture(scope="session")
def written(tmp_path_factory: pytest.TempPathFactory) -> Written:
    """1,600 pupils over two full years and the running one, as files."""
    out = tmp_path_factory.mktemp("region")
    simulate(out, pupils=1600, years=2, seed=11, end=END)
    tables = [
        pl.DataFrame(pl.from_arrow(pq.read_table(out / "truth" / f"{name}.parquet")))
        for name in ("oracle", "onsets")
    ]
    return Written(out, *tables)


@pytest.fixture(scope="session")
def region_time() -> RegionTime:
    """Three full school years and the running one."""
    return build_time(Region.MIDDEN, 3, END, np.random.default_rng([3, 0]))


@pytest.fixture(scope="session")
def lived(region_time: RegionTime) -> list[SchoolYears]:
    """Some 5,000 pupils, before anyone wrote anything down."""
    schools = plan_schools(5000, np.random.default_rng([3, 0]))
    return [
        live(school, region_time, np.random.default_rng([3, 1, order]))
        for order, school in enumerate(schools)
    ]
