"""A run that is killed leaves what was there; running it again completes the delivery."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from features.records import LogTable
from tests.ingest.office import Office

RUN = """
    import os, signal, sys
    from pathlib import Path
    from features.ingest import ingest
    from features.records import log as log_module
    from features.settings import Home
    from tests.ingest.office import RECEIVED
    real = log_module.write_deltalake

    def write(path, rows, **options):
        real(path, rows, **options)
        if Path(path).name == {after!r}:
            os.kill(os.getpid(), signal.SIGKILL)

    log_module.write_deltalake = write
    ingest(Path(sys.argv[1]), Home(Path(sys.argv[2])), RECEIVED)
"""


def run_until_killed(office: Office, after: str) -> Path:
    folder = office.write()
    script = textwrap.dedent(RUN.format(after=after))
    done = subprocess.run(
        [sys.executable, "-c", script, str(folder), str(office.home.root)],
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])},
        check=False,
    )
    assert done.returncode == -signal.SIGKILL
    return folder


@pytest.mark.parametrize("after", ["schools", "support"])
def test_a_first_delivery_killed_between_tables_is_as_if_it_never_came(
    office: Office, after: str
) -> None:
    run_until_killed(office, after)
    assert all(office.versions(table) == [] for table in LogTable)
    report = office.deliver()
    assert report.new_versions == report.rows_read == 13
    assert len(office.newest(LogTable.ABSENCE)) == 3


def test_a_later_delivery_killed_between_tables_leaves_the_old_state(office: Office) -> None:
    office.deliver()
    before = {table: office.versions(table) for table in LogTable}
    office.change("absence.csv", ",,O,2026-09-14T09:00:00", ",,Z,2026-09-16T08:00:00")
    office.change("support.csv", "done", "cancelled")
    run_until_killed(office, "absence")
    assert {table: office.versions(table) for table in LogTable} == before
    assert office.deliver().new_versions == 2
    assert len(office.versions(LogTable.ABSENCE)) == len(before[LogTable.ABSENCE]) + 1


def test_pupils_keep_their_pseudonyms_over_a_killed_run(office: Office) -> None:
    from features.ingest import pupil_keys

    run_until_killed(office, "absence")
    keys = pupil_keys(office.home, ["90AB00"] * 2, ["00123", "124"])
    assert None not in keys
    office.deliver()
    assert {row["pupil_key"] for row in office.newest(LogTable.PLACEMENTS)} == set(keys)


@pytest.mark.parametrize("wait", [0, 0.03, 0.1])
def test_a_run_killed_from_outside_leaves_all_of_a_delivery_or_nothing(
    office: Office, wait: float
) -> None:
    """Not at a chosen place, but some time after it began to write, wherever that is."""
    script = textwrap.dedent(RUN.format(after="never"))
    process = subprocess.Popen(
        [sys.executable, "-c", script, str(office.write()), str(office.home.root)],
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])},
    )
    while not (office.home.records / "pending.json").exists():
        assert process.poll() is None
        time.sleep(0.005)
    time.sleep(wait)
    process.kill()
    process.wait()
    assert {len(office.newest(LogTable.SCHOOLS)), len(office.newest(LogTable.SUPPORT))} in (
        {0},
        {1},
    )
    office.deliver()
    assert len(office.versions(LogTable.ABSENCE)) == 3
