"""A run that is killed leaves what was there; running it again completes the delivery."""

import os
import shutil
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import numpy as np
import pytest

from features.records import LogTable
from tests.ingest.office import Office

RUN = """
    import os, signal, sys
    from pathlib import Path
    from features.ingest import IngestSettings, ingest, reading, staging
    from features.records import log as log_module
    from features.settings import Home
    from tests.ingest.office import RECEIVED
    real = log_module.write_deltalake
    chosen = IngestSettings()
    if {in_parts}:
        reading.PART_CHARACTERS, staging.ROWS_AT_ONCE = 100, 1
        chosen = IngestSettings(long_megabytes=0.000_001)

    def write(path, rows, **options):
        real(path, rows, **options)
        if Path(path).name == {after!r}:
            os.kill(os.getpid(), signal.SIGKILL)

    log_module.write_deltalake = write
    ingest(Path(sys.argv[1]), Home(Path(sys.argv[2])), RECEIVED, chosen)
"""


def run_until_killed(office: Office, after: str, *, in_parts: bool = False) -> Path:
    folder = office.write()
    script = textwrap.dedent(RUN.format(after=after, in_parts=in_parts))
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


def with_two_schools(office: Office) -> None:
    """Absence of two schools, which a long file brings to the log in two pieces."""
    office.files["schools.csv"] += b"90CD00,De Brug,po,midden\n"
    office.files["codes.csv"] += b"90CD00,Z,sick,yes\n"
    office.files["pupils.csv"] += b"90CD00,1,Lot,,Vis,2016-03,5,5A,2026-08-01,,\n"
    office.files["absence.csv"] += b"90CD00,z1,1,2026-09-15T08:30,,,Z,,no\n"


def test_a_long_file_killed_between_its_pieces_is_as_if_it_never_came(office: Office) -> None:
    office.deliver()
    before = {table: office.versions(table) for table in LogTable}
    with_two_schools(office)
    office.change("absence.csv", ",,O,2026-09-14T09:00:00", ",,Z,2026-09-16T08:00:00")
    run_until_killed(office, "absence", in_parts=True)
    assert (office.home.records / "staging").exists()
    assert {table: office.versions(table) for table in LogTable} == before
    assert office.deliver().new_versions == 5
    assert not (office.home.records / "staging").exists()
    assert len(office.versions(LogTable.ABSENCE)) == 5


def state(office: Office) -> tuple[int, ...]:
    return tuple(len(office.versions(table)) for table in LogTable)


@pytest.mark.parametrize("in_parts", [False, True])
@pytest.mark.parametrize("wait", [0, 0.03, 0.1])
def test_a_run_killed_from_outside_leaves_all_of_a_delivery_or_nothing(
    office: Office, wait: float, in_parts: bool
) -> None:
    """Not at a chosen place, but some time after it began to write, wherever that is."""
    with_two_schools(office)
    killed_after(office, wait, in_parts=in_parts)
    assert state(office) in ((0,) * len(LogTable), (2, 4, 1, 2, 4, 4, 1, 0))
    office.deliver()
    assert state(office) == (2, 4, 1, 2, 4, 4, 1, 0)


@pytest.mark.slow
def test_killed_at_forty_random_moments_it_always_completes_in_the_end(office: Office) -> None:
    with_two_schools(office)
    random = np.random.default_rng(5)
    whole = (2, 4, 1, 2, 4, 4, 1, 0)
    for number in range(40):
        killed_after(office, random.uniform(0, 0.4), in_parts=number % 2 == 1)
        assert state(office) in ((0,) * len(LogTable), whole)
        if state(office) == whole:
            shutil.rmtree(office.home.root)
    office.deliver()
    assert state(office) == whole


def killed_after(office: Office, wait: float, *, in_parts: bool) -> None:
    """Start an import and kill it `wait` seconds after it began to write."""
    script = textwrap.dedent(RUN.format(after="never", in_parts=in_parts))
    process = subprocess.Popen(
        [sys.executable, "-c", script, str(office.write()), str(office.home.root)],
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])},
    )
    while not (office.home.records / "pending.json").exists() and process.poll() is None:
        time.sleep(0.002)
    time.sleep(wait)
    process.kill()
    process.wait()
