"""One listed pupil out of the online store, as a page reads it, beside Feast's own way.

    python -m experiments.benchmarks.online [--pupils 10000]

Milliseconds of processor time, median of 30 reads of another pupil each, on feature tables of 100
Mondays (for who has to look up a pupil's school). Reads alternate, so that a busy machine does not
favour one.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from experiments.benchmarks.retrieval import SCHOOL, fill, use

LISTED, READS = 20, 30
"""Pupils on the list of a school of 500, and how often each way reads."""

Read = Callable[[str, str], object]


def main() -> None:
    """Fill a store, read, print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--pupils", type=int, default=10_000)
    pupils = parser.parse_args().pupils
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "var"
        fill(home, pupils)
        for name, spent in measure(home, pupils).items():
            print(f"{name:45} {spent:6.1f} ms")


def measure(home: Path, pupils: int) -> dict[str, float]:
    """The median of each way to read, in milliseconds of processor time."""
    ways = dict(ways_of(home))
    spent: dict[str, list[float]] = {name: [] for name in ways}
    schools = -(-pupils // SCHOOL)
    for turn in range(READS + 1):
        school = f"{turn % schools:04d}00"
        key = f"p1{school}{turn % LISTED:020d}"
        for name, read in ways.items():
            started = time.process_time()
            read(key, school)
            spent[name].append(1_000 * (time.process_time() - started))
    # The first of each opens what later ones find open.
    return {name: statistics.median(times[1:]) for name, times in spent.items()}


def ways_of(home: Path) -> Iterator[tuple[str, Read]]:
    """The ways to read, on a store with the listed pupils of the last Monday online."""
    import pyarrow.compute as pc

    from features.governance.use import Action
    from features.settings import Home
    from features.store import RISK_SERVICE, FeatureStore
    from features.store.feast_repo import FeastRepo
    from features.store.online import LABEL, OnlineLabel, listed_table

    store, feast = FeatureStore.at(Home(home)), Home(home).feast
    monday = max(store.built())
    entities = store.entities([monday])
    last = pc.utf8_slice_codeunits(entities["pupil_key"], -20)
    listed = entities.filter(pc.less(last.cast("int64"), LISTED))
    show = replace(use(), action=Action.SHOW)
    store.put_online(store.retrieve(listed, RISK_SERVICE, show), monday, show)
    label = OnlineLabel.read(feast / LABEL)
    assert label is not None
    names, repo = store.service().names, FeastRepo(feast)
    yield "Feast's get_online_features", lambda key, _: repo.online([key], RISK_SERVICE)
    yield "ours, from the file", lambda key, _: listed_table(feast, label, [key], names)
    yield (
        "ours, with gate and ledger",
        lambda key, school: store.read_online([key], show, schools=[school]),
    )
    yield "ours, and its school looked up", lambda key, _: store.read_online([key], show)


if __name__ == "__main__":
    main()
