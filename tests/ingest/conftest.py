"""A small invented school, as files of a delivery, to spoil in one way per test."""

import dataclasses
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from features.ingest import ImportReport, ingest
from features.settings import Home

RECEIVED = datetime(2026, 11, 2, 6, tzinfo=UTC)

FILES = {
    "schools.csv": """
        school,name,sector,region
        90AB00,De Linde,po,midden
    """,
    "codes.csv": """
        school,code,category,authorised
        90AB00,Z,sick,yes
        90AB00,O,unauthorised,no
        90AB00,V,leave,yes
    """,
    "calendar.csv": """
        school,date,kind
        90AB00,2026-09-18,study_day
    """,
    "timetable.csv": """
        school,group,pupil_number,weekday,valid_from,valid_to,planned_minutes
        90AB00,5A,,1,2026-08-01,,330
        90AB00,5A,00123,1,2026-08-01,,210
    """,
    "pupils.csv": """
        school,pupil_number,given_name,name_prefix,family_name,birth_month,year_group,group,enrolled_on,left_on,left_to
        90AB00,00123,Noor,van der,Meerveld,2016-03,5,5A,2026-08-01,,
        90AB00,124,Sam,,Okafor,2016-07,5,5A,2025-08-01,2026-07-31,school
    """,
    "absence.csv": """
        school,record_id,pupil_number,starts_at,ends_at,minutes,code,recorded_at,withdrawn
        90AB00,r1,00123,2026-09-07T08:30,2026-09-07T14:45,,Z,2026-09-07T09:15:00,no
        90AB00,r2,00123,2026-09-14T08:30,,,O,2026-09-14T09:00:00,no
        90AB00,r3,124,2026-06-01T08:30,2026-06-01T12:00,210,V,,no
    """,
    "support.csv": """
        school,record_id,pupil_number,kind,status,starts_on,ends_on,recorded_at,withdrawn
        90AB00,s1,00123,parent_talk,done,2026-09-20,2026-09-20,2026-09-20T16:00:00,no
    """,
}


def plain(text: str) -> str:
    return "\n".join(line.strip() for line in text.strip().splitlines()) + "\n"


@dataclasses.dataclass
class Office:
    """A school's office: writes a delivery to a folder and takes it in."""

    root: Path
    files: dict[str, bytes]
    taken: int = 0

    @property
    def home(self) -> Home:
        return Home(self.root / "home")

    def put(self, name: str, text: str, encoding: str = "utf-8") -> None:
        self.files[name] = plain(text).encode(encoding)

    def change(self, name: str, old: str, new: str) -> None:
        text = self.files[name].decode()
        assert old in text
        self.files[name] = text.replace(old, new).encode()

    def only(self, *names: str) -> None:
        self.files = {name: self.files[name] for name in names}

    def write(self) -> Path:
        self.taken += 1
        folder = self.root / f"delivery {self.taken}"
        folder.mkdir()
        for name, content in self.files.items():
            (folder / name).write_bytes(content)
        return folder

    def deliver(self, received_at: datetime = RECEIVED) -> ImportReport:
        report = ingest(self.write(), self.home, received_at)
        assert all(count.adds_up for count in report.files)
        return report


@pytest.fixture
def office(tmp_path: Path) -> Office:
    return Office(tmp_path, {name: plain(text).encode() for name, text in FILES.items()})


@pytest.fixture
def stored_bytes() -> Callable[[Home], bytes]:
    """Everything on disk below a home, in one."""

    def read(home: Home) -> bytes:
        return b"".join(path.read_bytes() for path in home.root.rglob("*") if path.is_file())

    return read
