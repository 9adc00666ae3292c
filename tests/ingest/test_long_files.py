"""A file read in parts means the same as one read whole, and takes no more memory when it grows."""

import subprocess
import sys
import tempfile
import textwrap
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.errors import DeliveryRefused
from features.ingest import IngestSettings, reading, splitting, staging
from features.records import LogTable
from tests.ingest.office import RECEIVED, Office, new_office

IN_PARTS = IngestSettings(long_megabytes=0.000_001)
HEADINGS = "school,record_id,pupil_number,starts_at,ends_at,minutes,code,recorded_at,withdrawn\n"
LINES = st.sampled_from(
    [
        "90AB00,r1,00123,2026-09-07T08:30,,,Z,2026-09-07T09:15:00,no",
        "90AB00,r1,00123,2026-09-07T08:30,,,O,2026-09-08T09:15:00,no",
        "90AB00,r2,124,2026-09-08T08:30,,,XQ,,no",
        "90AB00,r2,124,2026-09-08T08:30,,,Z,,no",
        "90AB00,r3,00123,2026-09-09T08:30,,,V,2026-09-07T09:15:00,yes",
        "90CD00,r4,00123,2026-09-09T08:30,,,Z,2026-09-07T09:15:00,no",
        "90AB00,r5,999,2026-09-09T08:30,,,Z,,no",
        "90AB00,r6,00123,gisteren,,,Z,,no",
        "90AB00,r7,00123",
        '90AB00,"r\n8",00123,2026-09-10T08:30,,,"a ""b"" c",,no',
        '90AB00,r9"x,00123,2026-09-11T08:30,,,Z,,no',
        "",
        ",,,,,,,,",
        "Totaal,3,,,,,,,",
        "Totaal,3",
    ]
)


@pytest.fixture(autouse=True)
def _small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "PART_CHARACTERS", 100)
    monkeypatch.setattr(staging, "ROWS_AT_ONCE", 1)
    monkeypatch.setattr(splitting, "SAMPLE_BYTES", 150)


def outcome(office: Office, chosen: IngestSettings | None) -> tuple[Any, ...]:
    try:
        report = office.deliver(settings=chosen)
    except DeliveryRefused as problem:
        return (str(problem).split(":", 2)[-1],)
    return report.files, sorted(map(str, report.places)), report.unknown_codes, content(office)


def content(office: Office) -> list[str]:
    names = ("starts_at", "kind", "authorised", "code", "known_at", "known_at_basis", "withdrawn")
    rows = office.versions(LogTable.ABSENCE)
    return sorted(
        str([str(row[name])[:1] if name == "code" else row[name] for name in names]) for row in rows
    )


def without_hash(found: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(part for place, part in enumerate(found) if place != 2)


@settings(max_examples=(settings.default or settings()).max_examples // 4)
@given(st.lists(LINES, max_size=14), st.integers(30, 400), st.integers(30, 400))
def test_in_parts_or_whole_as_text_or_as_words_the_outcome_is_the_same(
    lines: list[str], part: int, sample: int
) -> None:
    found = []
    for chosen, looked_at in (
        (None, 1 << 30),
        (IN_PARTS, 1 << 30),
        (None, sample),
        (IN_PARTS, sample),
    ):
        with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
            patch.setattr(reading, "PART_CHARACTERS", part)
            patch.setattr(splitting, "SAMPLE_BYTES", looked_at)
            office = new_office(Path(folder))
            office.files["absence.csv"] = (HEADINGS + "\n".join(lines)).encode()
            found.append(without_hash(outcome(office, chosen)))
    assert found[1:] == found[:1] * 3


@pytest.mark.parametrize("encoding", ["utf-8-sig", "cp1252", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_every_encoding_can_be_read_in_parts(office: Office, encoding: str, line_end: str) -> None:
    text = office.files["absence.csv"].decode().replace(",Z,", ",Zoë,")
    office.change("codes.csv", "90AB00,Z,", "90AB00,Zoë,")
    office.files["absence.csv"] = text.replace("\n", line_end).encode(encoding)
    report = office.deliver(settings=IN_PARTS)
    assert report.places == ()
    assert report.unknown_codes == ()
    assert {row["kind"] for row in office.newest(LogTable.ABSENCE)} == {
        "sick",
        "unauthorised",
        "leave",
    }


def test_a_second_delivery_in_parts_adds_nothing(office: Office) -> None:
    first = office.deliver(settings=IN_PARTS)
    before = office.versions(LogTable.ABSENCE)
    assert len(before) == 3
    assert office.deliver(settings=IN_PARTS).new_versions == 0
    assert office.deliver().new_versions == 0
    assert office.versions(LogTable.ABSENCE) == before
    assert first.new_versions == 13


def test_nothing_is_left_aside_afterwards(office: Office) -> None:
    office.deliver(settings=IN_PARTS)
    assert not (office.home.records / "staging").exists()


def test_a_mark_never_closed_is_refused_in_parts_too(office: Office) -> None:
    office.change("absence.csv", "90AB00,r2", '90AB00,"r2')
    with pytest.raises(DeliveryRefused, match="row 3 opens a quotation mark"):
        office.deliver(settings=IN_PARTS)
    assert office.versions(LogTable.SCHOOLS) == []


def test_progress_is_told_and_ends(office: Office) -> None:
    from features.ingest import ingest

    told: list[tuple[str, float]] = []
    ingest(
        office.write(),
        office.home,
        RECEIVED,
        IN_PARTS,
        progress=lambda step, done: told.append((step, done)),
    )
    assert {step for step, _ in told} == {"absence.csv", "compare"}
    assert told[-1] == ("compare", 1.0)
    assert all(0 <= done <= 1 for _, done in told)


MEASURE = """
    import sys
    from pathlib import Path
    from experiments.benchmarks.measuring import peak_mib
    from features.ingest import IngestSettings, ingest, reading, staging
    from features.settings import Home
    from tests.ingest.office import RECEIVED
    reading.PART_CHARACTERS = 2_000_000
    staging.ROWS_AT_ONCE = 20_000
    report = ingest(Path(sys.argv[1]), Home(Path(sys.argv[2])), RECEIVED,
                    IngestSettings(long_megabytes=1))
    assert report.new_versions == report.rows_read, report
    print(int(peak_mib()))
"""


def peak_megabytes(office: Office, rows: int) -> int:
    """Memory of an import of so many rows over three schools, in a process of its own."""
    schools = ("90AB00", "90CD00", "90EF00")
    office.files["schools.csv"] = (
        "school,name,sector,region\n" + "".join(f"{one},S,po,midden\n" for one in schools)
    ).encode()
    office.files["pupils.csv"] = (
        b"school,pupil_number,birth_month,year_group,group,enrolled_on,left_on,left_to\n"
        + b"".join(f"{one},123,2016-03,5,5A,2026-08-01,,\n".encode() for one in schools)
    )
    office.files["absence.csv"] = (
        HEADINGS
        + "".join(
            f"{schools[n % 3]},{n},123,2026-09-07T08:30,2026-09-07T09:20,50,Z,,no\n"
            for n in range(rows)
        )
    ).encode()
    office.only("schools.csv", "pupils.csv", "absence.csv")
    script = textwrap.dedent(MEASURE)
    done = subprocess.run(
        [sys.executable, "-c", script, str(office.write()), str(office.home.root)],
        env={"PYTHONPATH": str(Path(__file__).parents[2]), "PATH": "", "POLARS_MAX_THREADS": "2"},
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()[-500:]
    return int(done.stdout)


@pytest.mark.slow
def test_four_times_the_rows_take_hardly_more_memory(tmp_path: Path) -> None:
    found = {}
    for rows in (250_000, 1_000_000):
        (tmp_path / str(rows)).mkdir()
        found[rows] = peak_megabytes(new_office(tmp_path / str(rows)), rows)
    small, large = found.values()
    assert large < 1.2 * small
