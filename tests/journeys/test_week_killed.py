"""A weekly run that is killed leaves all lists of its Monday or none; once more completes it.

The real command runs in a process of its own, and is killed with -9 at random moments of each of
its stages, and at chosen places in and around the transaction that publishes. Moments are counted
in processor time of the process: a busy machine does not move them.
"""

import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pytest
import sqlalchemy as sa

from features.governance import open_ledger
from features.governance.audit import AuditChain
from features.governance.use import Action, Purpose, Use
from features.settings import Home
from features.store import FeatureStore
from features.vocabulary import Role
from serving import tables
from serving.lists import Block, ListStore
from serving.tables import open_app
from tests.journeys.conftest import A_WEEK_LATER, MONDAY, Installation, copied

NEXT = "2026-11-16"
MONDAY_AFTER = date.fromisoformat(NEXT)
MOMENT = datetime.fromisoformat(A_WEEK_LATER).astimezone(UTC)
SHOWING = Use("tests", Role.JOB, Purpose.EARLY_WARNING, Action.SHOW, MOMENT)
PUBLISHED = "lists_published"
STAGES = ("building the features", "scoring", "making the lists")
RUN = """
    import os, signal, sys
    from serving import week
    from serving.cli import main

    def die(*_, **__):
        os.kill(os.getpid(), signal.SIGKILL)

    place = {place!r}
    if place == "within the transaction":
        publish, done = week.publish_week, []
        def counted(*arguments):
            publish(*arguments)
            done.append(1)
            if len(done) == 2:
                die()
        week.publish_week = counted
    if place == "after the transaction":
        week.WeeklyRun._show_online = die
    main()
"""
Rows = dict[str, list[tuple[str, ...]]]
"""Per table of the app database its rows, without ids that are drawn by chance."""


@dataclass(frozen=True)
class Undisturbed:
    """What there was before a run and what it leaves when nobody stops it.

    `edges` say after how much processor time each of STAGES began; the last one is the end.
    """

    before: Rows
    published: Rows
    online: str
    edges: tuple[float, ...]


def started(home: Home, place: str = "") -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(RUN.format(place=place)), "week", "--as-of", NEXT],
        env=os.environ
        | {
            "PYTHONPATH": str(Path(__file__).parents[2]),
            "TIJDIG_HOME": str(home.root),
            "TIJDIG_NOW": A_WEEK_LATER,
        },
        stdout=subprocess.PIPE,
        text=True,
        cwd=home.root.parent,
    )


def processor_seconds(process: "subprocess.Popen[str]") -> float:
    # Of a process that has ended but was not waited for, it still stands there.
    told = Path(f"/proc/{process.pid}/stat").read_text(encoding="ascii").rsplit(") ", 1)[1].split()
    return (int(told[11]) + int(told[12])) / os.sysconf("SC_CLK_TCK")


def stages(process: "subprocess.Popen[str]") -> Iterator[float]:
    """When each stage begins, in processor seconds, as the run tells; at last when it ends."""
    assert process.stdout is not None
    lines = iter(process.stdout)
    for stage in STAGES:
        assert any(line.startswith(stage) for line in lines), f"no line of {stage}"
        yield processor_seconds(process)
    for _ in lines:
        pass
    yield processor_seconds(process)


def rows_of(home: Home) -> Rows:
    """What is published for `NEXT`, each row as text, in an order that chance has no part in."""
    engine = open_app(home)
    found: Rows = {}
    with engine.connect() as connection:
        for table in (tables.LISTS, tables.LIST_ROWS, tables.SIDE_ROWS, tables.WEEK_FACTS,
                      tables.WEEK_GONE, tables.ENROLLED, tables.MONTH_COUNTS):  # fmt: skip
            query = sa.select(*(one for one in table.c if not one.name.endswith("_id")))
            if table is tables.LIST_ROWS:
                query = query.join(tables.LISTS).where(tables.LISTS.c.as_of == MONDAY_AFTER)
            elif "as_of" in table.c:
                query = query.where(table.c.as_of == MONDAY_AFTER)
            found[table.name] = sorted(tuple(map(str, row)) for row in connection.execute(query))
    engine.dispose()
    return found


def online_of(home: Home) -> str:
    """The values of the listed pupils that the pages show, and of which Monday they are."""
    engine = open_app(home)
    lists = ListStore(engine)
    published = [lists.get(school, MONDAY_AFTER) for school in lists.schools()]
    engine.dispose()
    keys = sorted(
        row.pupil_key
        for one in published
        for row in one.rows
        if row.block is not Block.TOO_LITTLE_DATA
    )
    store = FeatureStore.at(home)
    return f"{store.online_as_of()} {store.read_online(keys, SHOWING).to_pylist()}"


@pytest.fixture(scope="module")
def undisturbed(
    installation: Installation, tmp_path_factory: pytest.TempPathFactory
) -> Undisturbed:
    own = copied(installation, tmp_path_factory.mktemp("undisturbed"), A_WEEK_LATER)
    before = rows_of(own.home)
    with started(own.home) as process:
        edges = tuple(stages(process))
    assert process.returncode == 0
    whole = rows_of(own.home)
    assert not before["lists"] and not before["list_rows"]
    assert len(whole["lists"]) > 2 and len(whole["list_rows"]) > 10 and whole["week_facts"]
    return Undisturbed(before, whole, online_of(own.home), edges)


@pytest.fixture
def own(installation: Installation, tmp_path: Path) -> Installation:
    return copied(installation, tmp_path, A_WEEK_LATER)


def killed_within(home: Home, stage: int, share: float, undisturbed: Undisturbed) -> None:
    """Start a run and kill it in one of STAGES, when this share of its processor time is over."""
    with started(home) as process:
        assert process.stdout is not None
        assert any(line.startswith(STAGES[stage]) for line in process.stdout)
        length = undisturbed.edges[stage + 1] - undisturbed.edges[stage]
        moment = processor_seconds(process) + share * length
        while process.poll() is None and processor_seconds(process) < moment:
            time.sleep(0.002)
        process.kill()
    assert process.returncode == -signal.SIGKILL, "it was done already"


def check_all_or_nothing(own: Installation, undisturbed: Undisturbed) -> bool:
    """Whether all lists are there, rather than none; whatever it is, it can be proven."""
    found = rows_of(own.home)
    assert found in (undisturbed.before, undisturbed.published)
    assert "intact" in own.run("privacy", "verify").output
    own.run("list", "--as-of", MONDAY, "--verify")
    return found == undisturbed.published


def check_rerun(own: Installation, undisturbed: Undisturbed) -> None:
    """The same command once more completes what was left, to what nobody disturbed."""
    own.run("week", "--as-of", NEXT)
    assert rows_of(own.home) == undisturbed.published
    assert online_of(own.home) == undisturbed.online
    assert "intact" in own.run("privacy", "verify").output
    told = [row for row in AuditChain(open_ledger(own.home)).rows() if row.event == PUBLISHED]
    assert told[-1].detail["lists_there"] == len(undisturbed.published["lists"])
    for monday in (MONDAY, NEXT):
        output = own.run("list", "--as-of", monday, "--verify").output
        assert output.count("identical") == len(undisturbed.published["lists"])


@pytest.mark.parametrize("stage", range(len(STAGES)))
def test_killed_at_a_random_moment_of_each_stage(
    own: Installation, undisturbed: Undisturbed, stage: int
) -> None:
    killed_within(own.home, stage, np.random.default_rng(stage).uniform(0, 0.8), undisturbed)
    there = check_all_or_nothing(own, undisturbed)
    assert not there or stage == len(STAGES) - 1, "a list before all were made"
    check_rerun(own, undisturbed)


@pytest.mark.parametrize(
    ("place", "is_published"),
    [("within the transaction", False), ("after the transaction", True)],
)
def test_killed_in_and_right_after_the_transaction_that_publishes(
    own: Installation, undisturbed: Undisturbed, place: str, is_published: bool
) -> None:
    with started(own.home, place) as process:
        process.wait()
    assert process.returncode == -signal.SIGKILL
    assert check_all_or_nothing(own, undisturbed) is is_published
    check_rerun(own, undisturbed)


@pytest.mark.slow
@pytest.mark.parametrize("number", range(24))
def test_killed_at_many_moments_twice_in_one_week(
    own: Installation, undisturbed: Undisturbed, number: int
) -> None:
    """A rerun that is killed as well, wherever that is, is no worse."""
    random = np.random.default_rng(100 + number)
    for first in (0, 1):  # what the first run built, the second does not build again
        stage = int(random.integers(first, len(STAGES)))
        killed_within(own.home, stage, random.uniform(0, 0.8), undisturbed)
        check_all_or_nothing(own, undisturbed)
    check_rerun(own, undisturbed)
