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


@pytest.mark.parametrize("after", ["schools", "absence", "support"])
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


def test_a_run_killed_from_outside_at_any_moment_leaves_whole_deliveries(office: Office) -> None:
    """Not at a chosen place: after a while of its own, wherever that is."""
    script = textwrap.dedent(RUN.format(after="never"))
    for wait in (0.9, 1.1, 1.3):
        folder = office.write()
        process = subprocess.Popen(
            [sys.executable, "-c", script, str(folder), str(office.home.root)],
            env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])},
        )
        time.sleep(wait)
        process.kill()
        process.wait()
        assert len(office.newest(LogTable.ABSENCE)) in (0, 3)
        assert len(office.newest(LogTable.ABSENCE)) == 3 * min(
            1, len(office.newest(LogTable.SCHOOLS))
        )
    office.deliver()
    assert len(office.versions(LogTable.ABSENCE)) == 3
