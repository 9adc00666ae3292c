"""A small invented school, as files of a delivery, to spoil in one way per test."""

import dataclasses
import io
import struct
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from features.errors import DeliveryRefused
from features.ingest import ImportReport, IngestSettings, ingest
from features.records import LogTable, RecordLog
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

    def deliver(
        self, received_at: datetime = RECEIVED, settings: IngestSettings | None = None
    ) -> ImportReport:
        report = ingest(self.write(), self.home, received_at, settings)
        assert all(count.adds_up for count in report.files)
        return report

    def refusal(self) -> str:
        """The message with which this delivery is refused; nothing of it may be left anywhere."""
        before = self.stored()
        with pytest.raises(DeliveryRefused) as problem:
            self.deliver()
        assert self.stored() == before
        return str(problem.value)

    def stored(self) -> dict[str, bytes]:
        """Every file below the home, except the empty lock."""
        found = (path for path in self.home.root.rglob("*") if path.is_file())
        return {path.name: path.read_bytes() for path in found if path.name != "writer.lock"}

    def newest(self, table: LogTable) -> list[dict[str, Any]]:
        """What the log holds at the end of time."""
        found = RecordLog(self.home.records).read_as_of(table, datetime.max.replace(tzinfo=UTC))
        rows: list[dict[str, Any]] = found.to_pylist()
        return rows

    def versions(self, table: LogTable) -> list[dict[str, Any]]:
        """All versions in the log."""
        rows: list[dict[str, Any]] = RecordLog(self.home.records).read_versions(table).to_pylist()
        return rows


def new_office(root: Path) -> Office:
    """An office whose delivery has no fault in it."""
    return Office(root, {name: plain(text).encode() for name, text in FILES.items()})


def workbook(rows: list[list[object]], sheet: str = "Blad1") -> bytes:
    """A minimal XLSX with one sheet; dates are stored as Excel does: a number with a date style."""
    cells = "".join(
        f'<row r="{number}">{"".join(_cell(value) for value in row)}</row>'
        for number, row in enumerate(rows, start=1)
    )
    main = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
    rel = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    package = "http://schemas.openxmlformats.org/package/2006"
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{package}/content-types">'
        '<Default Extension="rels" '
        'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        '<Default Extension="xml" ContentType="application/xml"/></Types>',
        "_rels/.rels": f'<Relationships xmlns="{package}/relationships">'
        f'<Relationship Id="r1" Type="{rel}/officeDocument" Target="xl/workbook.xml"/>'
        "</Relationships>",
        "xl/workbook.xml": f'<workbook {main} xmlns:r="{rel}"><sheets>'
        f'<sheet name="{sheet}" sheetId="1" r:id="r1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{package}/relationships">'
        f'<Relationship Id="r1" Type="{rel}/worksheet" Target="worksheets/sheet1.xml"/>'
        f'<Relationship Id="r2" Type="{rel}/styles" Target="styles.xml"/></Relationships>',
        "xl/styles.xml": f'<styleSheet {main}><cellXfs count="2"><xf numFmtId="0"/>'
        '<xf numFmtId="22" applyNumberFormat="1"/></cellXfs></styleSheet>',
        "xl/worksheets/sheet1.xml": f"<worksheet {main}><sheetData>{cells}</sheetData></worksheet>",
    }
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for name, text in parts.items():
            archive.writestr(name, f'<?xml version="1.0" encoding="UTF-8"?>{text}')
    return target.getvalue()


def _cell(value: object) -> str:
    match value:
        case None | "":
            return "<c/>"
        case datetime():
            days = (value - datetime(1899, 12, 30)) / timedelta(days=1)
            return f'<c s="1"><v>{days}</v></c>'
        case int() | float():
            return f"<c><v>{value}</v></c>"
        case _:
            return f'<c t="inlineStr"><is><t>{value}</t></is></c>'


def old_workbook(rows: list[list[str | float]]) -> bytes:
    """A minimal XLS (BIFF8 in a compound file) with one sheet of texts and numbers."""
    name = "Blad1".encode("utf-16-le")
    front = _begin(0x0005)
    start = len(front) + len(name) + 16
    front += _record(0x0085, struct.pack("<IHBB", start, 0, 5, 1) + name) + _record(0x000A)
    cells = (
        _old_cell(row, column, value)
        for row, values in enumerate(rows)
        for column, value in enumerate(values)
        if value != ""
    )
    book = front + _begin(0x0010) + b"".join(cells) + _record(0x000A)
    sectors = max(8, -(-len(book) // 512))
    free, end = 0xFFFFFFFF, 0xFFFFFFFE
    chain = [0xFFFFFFFD, end, *range(3, sectors + 2), end]
    root = _entry("Root Entry", 5, 1, end, 0)
    directory = (root + _entry("Workbook", 2, free, 2, sectors * 512)).ljust(512, b"\0")
    header = bytes.fromhex("d0cf11e0a1b11ae1").ljust(24, b"\0")
    header += struct.pack("<HHHHH", 0x3E, 3, 0xFFFE, 9, 6) + bytes(6)
    header += struct.pack("<IIIIIIIII", 0, 1, 1, 0, 4096, end, 0, end, 0)
    header += struct.pack("<109I", 0, *[free] * 108)
    table = struct.pack("<128I", *chain, *[free] * (128 - len(chain)))
    return header + table + directory + book.ljust(sectors * 512, b"\0")


def _begin(what: int) -> bytes:
    return _record(0x0809, struct.pack("<HHHHII", 0x0600, what, 0, 0, 0, 0))


def _record(kind: int, body: bytes = b"") -> bytes:
    return struct.pack("<HH", kind, len(body)) + body


def _old_cell(row: int, column: int, value: str | float) -> bytes:
    place = struct.pack("<HHH", row, column, 0)
    if isinstance(value, str):
        text = struct.pack("<HB", len(value), 1) + value.encode("utf-16-le")
        return _record(0x0204, place + text)
    return _record(0x0203, place + struct.pack("<d", value))


def _entry(name: str, kind: int, child: int, first: int, size: int) -> bytes:
    raw = f"{name}\0".encode("utf-16-le")
    free = 0xFFFFFFFF
    links = struct.pack("<HBBIII", len(raw), kind, 1, free, free, child)
    return raw.ljust(64, b"\0") + links + bytes(36) + struct.pack("<IQ", first, size)
