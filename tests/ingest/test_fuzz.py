"""Mutated files of every profile: a full import, a quarantine that adds up, or one refusal."""

import atexit
import functools
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from features.errors import DeliveryRefused
from features.ingest import ImportReport, IngestSettings, ingest, splitting
from features.ingest.forms import read_forms
from features.settings import Home
from tests.ingest.office import RECEIVED, Office, new_office, plain, workbook

CANARY = "Kanarie7Geheim"
KEEP_HOME = 40
"""Deliveries into one home before it is made fresh: a home of its own for each takes too long."""

_PUPILS = (
    "Roepnaam;Tussenvoegsel;Achternaam;Geboortemaand;Jaargroep;Groep;"
    "Datum inschrijving;Datum uitschrijving;Bestemming"
)
TEXTS = {
    "canonical": """
        school,record_id,pupil_number,starts_at,ends_at,minutes,code,recorded_at,withdrawn,opmerking
        90AB00,r1,00123,2026-09-07T08:30,2026-09-07T14:45,,Z,2026-09-07T09:15:00,no,{canary}
        90AB00,r2,00123,2026-09-14T08:30,,50,{canary},2026-09-14T09:00:00+02:00,no,
        90AB00,{canary},124,2026-06-01T08:30,2026-06-01T12:00,210,V,,no,"{canary} ""zei"" ja"
    """,
    "po_half_day": """
        Verzuimoverzicht De Linde
        Vestiging;Leerlingnummer;Datum;Dagdeel;Reden;Mutatienummer;Gewijzigd op;Vervallen
        90AB00;0123;07-09-2026;ochtend;Z;501;07-09-2026 09:10;N
        90AB00;0123;07-09-2026;middag;{canary};502;07-09-2026 09:10;N
        90AB00;124;08-06-2026;middag;O;{canary};09-06-2026 16:45;J
        Totaal;3;;;;;;
    """,
    "po_day": """
        Schoolcode;Leerlingnr;Verzuimdatum;Dagdeel;Redencode;Omschrijving;Verzuimnr;Mutatiedatum
        90AB00;0123;07-09-2026;D;Z;{canary};1;07-09-2026 09:10
        90AB00;0123;8-9-26;O;{canary};;2;
        90AB00;124;08-06-2026;M;O;;{canary};
    """,
    "vo_lesson": """
        Vestiging;Stamnummer;Datum;Lesuur;Begin;Eind;Code;Minuten;Invoermoment;Registratienummer;Ingetrokken
        90AB00;0123;7-9-2026;1;8:30;9:20;Z;50,0;07-09-2026 08:41;9001;Nee
        90AB00;0123;7-9-2026;2;9.20;10:10;{canary};12,5;07-09-2026 09:33;{canary};Ja
    """,
    "vo_reports": """
        Vestiging;Leerlingnummer;Melding;Begin;Einde;Absentiesoort;Reden;Geoorloofd;Ingevoerd op;Wie
        90AB00;0123;m1;2026-09-07;;Absent;Z;Ja;2026-09-07T10:00:00.000+02:00;{canary}
        90AB00;0123;m2;2026-09-21;2026-09-22;Absent;{canary};Nee;2026-09-21T10:00:00.000+02:00;
        90AB00;0123;m3;2026-09-28T08:30;2026-09-28T08:40;Telaat;TL;Nee;;
    """,
    "vo_reports observed": """
        Vestiging;Leerlingnummer;Waarneming;Begin;Einde;Soort waarneming;Ingevoerd op;Afspraak
        90AB00;0123;w1;2026-09-07T08:30:00.000+02:00;2026-09-07T09:20:00.000+02:00;Afwezig;;{canary}
        90AB00;0123;{canary};2026-09-10T08:30;2026-09-10T09:20;Aanwezig;2026-09-10T08:41:00+02:00;
        90AB00;0123;w3;2026-09-14T08:30;2026-09-14T09:20;Afwezig;2026-09-14T08:41:00+02:00;
    """,
    "vo_accounting": """
        Locatie;Stamnr;Verantwoording;Datum;Lesuur;Start;Eind;Type;Code;Geoorloofd;Invoer;Opmerking
        90AB00;0123;1;7-9-2026;1;8:30;9:20;1;{canary};N;07-09-2026 08:41;{canary}
        90AB00;0123;2;8-9-2026;1;8:30;9:20;3;Z;J;;
        90AB00;0123;3;9-9-2026;1;8:30;9:20;7;BV;N;;
    """,
    "mbo_lesson_range": """
        datumvan;ovnr;deelnemernaam;groepnaam;typeomschrijving;lesuurbegin;lesuureind;tijdvan2;tijdtot2;opmerking
        7-9-2026;0123;{canary};5A;Z;1;4;;;{canary}
        46273;0123;{canary};5A;{canary};3;3;10:00;10:45;
    """,
    "oso_year": """
        vestiging;leerlingnummer;peildatum;dagdelengeoorloofd;dagdelenongeoorloofd;urengeoorloofd;frequentie;meerdan25percent
        90AB00;0123;01-08-2026;12;3;40,5;7;J
        90AB00;124;2026-07-31;0;0;;;N
    """,
    "po_half_day pupils": f"""
        Vestiging;Leerlingnummer;{_PUPILS}
        90AB00;0123;{{canary}};;Brûlée;03-2016;5;5A;01-08-2026;;
        90AB00;9999;Sam;van;{{canary}};07-2016;5;5A;01-08-2025;31-07-2026;andere school
    """,
}
CELLS = st.sampled_from(
    [
        b"",
        b" ",
        b'"',
        b'""',
        b"'",
        b"\x00",
        b"\xff\xfe",
        b"\xef\xbb\xbf",
        b"\x81",
        b"\xc3\xa9",
        b";",
        b",",
        b"\t",
        b"\n",
        b"\r\n",
        b"\n\n",
        b"99999999999999999999",
        b"-1",
        b"1e308",
        b"NaN",
        b"inf",
        b"0,5",
        b"31-02-2026",
        b"00-00-0000",
        b"9999-12-31T23:59:59+99:99",
        b"2026-10-25T02:30",
        b"2026-03-29T02:30",
        b"46272.999999",
        b"24:00",
        b"J",
        b"yes",
        b"90AB00",
        b"Totaal",
        b"BSN",
        b"111222333",
        b"=1+1",
        b"\\N",
        b"null",
        b"\xe2\x80\xa8",
        b"\xf0\x9f\xa6\x86",
        CANARY.encode(),
        b"x" * 5000,
    ]
)
MUTATION = st.one_of(
    st.tuples(st.just("insert"), st.integers(0, 2000), CELLS),
    st.tuples(st.just("delete"), st.integers(0, 2000), st.integers(1, 60)),
    st.tuples(st.just("byte"), st.integers(0, 2000), st.integers(0, 255)),
    st.tuples(st.just("double"), st.integers(0, 2000), st.integers(1, 200)),
    st.tuples(st.just("cell"), st.integers(0, 60), CELLS),
    st.tuples(st.just("swap"), st.integers(0, 60), st.integers(0, 60)),
    st.tuples(st.just("line"), st.integers(0, 8), st.integers(0, 8)),
    st.tuples(st.just("cut"), st.integers(0, 2000), st.just(0)),
    st.tuples(
        st.just("encode"),
        st.integers(0, 0),
        st.sampled_from(["utf-16", "utf-16-le", "cp1252", "utf-8-sig", "utf-32"]),
    ),
)


def mutated(content: bytes, how: str, place: int, what: object) -> bytes:
    """`content` with one thing wrong with it."""
    at = place % (len(content) + 1)
    match how, what:
        case "insert", bytes():
            return content[:at] + what + content[at:]
        case "delete", int():
            return content[:at] + content[at + what :]
        case "byte", int():
            return content[:at] + bytes([what]) + content[at + 1 :]
        case "double", int():
            return content[: at + what] + content[at:]
        case "cut", _:
            return content[:at]
        case "encode", str():
            return content.decode("utf-8", "ignore").encode(what, "ignore")
        case "line", int():
            lines = content.split(b"\n")
            one, other = place % len(lines), what % len(lines)
            lines[one], lines[other] = lines[other], lines[one]
            return b"\n".join(lines)
    separator = b"," if content.count(b",") > content.count(b";") else b";"
    cells = content.split(separator)
    one = place % len(cells)
    if how == "swap" and isinstance(what, int):
        other = what % len(cells)
        cells[one], cells[other] = cells[other], cells[one]
    elif isinstance(what, bytes):
        cells[one] = what
    return separator.join(cells)


@dataclass
class Mill:
    """A home with a school in it, fresh now and then, into which mutated files are delivered."""

    root: Path
    base: Path
    outcomes: Counter[str] = field(default_factory=Counter)
    given: int = 0

    def home(self) -> Home:
        home = self.root / "home"
        if self.given % KEEP_HOME == 0:
            shutil.rmtree(home, ignore_errors=True)
            shutil.copytree(self.base, home)
        self.given += 1
        return Home(home)

    def deliver(self, files: dict[str, bytes], chosen: IngestSettings) -> None:
        """Take in `files`; counts how it ended, and fails on anything but the three good ends."""
        home, folder = self.home(), self.root / "delivery"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        for name, content in files.items():
            (folder / name).write_bytes(content)
        try:
            report = ingest(folder, home, RECEIVED, chosen)
        except DeliveryRefused as problem:
            self.outcomes["refused"] += 1
            assert CANARY not in str(problem)
            assert problem.__cause__ is None or CANARY not in str(problem.__cause__)
            return
        self.check(report)

    def check(self, report: ImportReport) -> None:
        assert all(count.adds_up for count in report.files), report.files
        assert CANARY not in report.to_json() + "".join(report.lines())
        quarantined = sum(count.quarantined for count in report.files)
        self.outcomes["quarantined" if quarantined else "whole"] += 1


@functools.cache
def _base() -> Path:
    """A home of which only `school`, pupils and codes are known; made once."""
    folder = Path(tempfile.mkdtemp(prefix="tijdig-fuzz-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    office: Office = new_office(folder)
    office.only("schools.csv", "pupils.csv", "codes.csv")
    office.deliver()
    return office.home.root


@contextmanager
def mill() -> Iterator[Mill]:
    with tempfile.TemporaryDirectory() as folder:
        yield Mill(Path(folder), _base())


SCHOOLS = b"school,name,sector,region\n90AB00,De Linde,po,midden\n"


def run(name: str, examples: int) -> Counter[str]:
    """Deliver `examples` mutations of one file; how they ended."""
    pristine = plain(TEXTS[name].format(canary=CANARY)).encode()
    with mill() as one:

        @settings(
            max_examples=examples,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        )
        @given(st.lists(MUTATION, min_size=1, max_size=4), st.booleans(), st.booleans())
        def grind(mutations: list[tuple[str, int, object]], in_parts: bool, as_words: bool) -> None:
            content = pristine
            for how, place, what in mutations:
                content = mutated(content, how, place, what)
            files = {"export.csv": content}
            if name == "mbo_lesson_range":
                files["schools.csv"] = SCHOOLS
            with pytest.MonkeyPatch.context() as patch:
                # As in a large file, whose columns of few different texts are read as words.
                patch.setattr(splitting, "SAMPLE_BYTES", len(content) // 2 if as_words else 1 << 30)
                one.deliver(files, IngestSettings(long_megabytes=0.000_001 if in_parts else 64.0))

        grind()
        return one.outcomes


def test_every_profile_has_a_file_here() -> None:
    assert {name.split()[0] for name in TEXTS} == {form.profile for form in read_forms()}


@pytest.mark.parametrize("name", TEXTS)
def test_an_unspoiled_file_is_taken_in_without_a_value_in_the_report(name: str) -> None:
    with mill() as one:
        files = {"export.csv": plain(TEXTS[name].format(canary=CANARY)).encode()}
        one.deliver(files | {"schools.csv": SCHOOLS}, IngestSettings())
        assert one.outcomes == {"whole": 1}


@pytest.mark.parametrize("name", TEXTS)
def test_a_mutated_file_ends_in_one_of_three_ways(name: str) -> None:
    outcomes = run(name, 40)
    assert outcomes["refused"] > 0
    assert outcomes["whole"] + outcomes["quarantined"] > 0


@pytest.mark.slow
@pytest.mark.parametrize("name", TEXTS)
def test_two_thousand_mutated_files_end_in_one_of_three_ways(
    name: str, record_property: Callable[[str, object], None]
) -> None:
    outcomes = run(name, 2000)
    record_property("outcomes", dict(outcomes))
    assert outcomes.total() >= 2000
    assert min(outcomes["refused"], outcomes["quarantined"], outcomes["whole"]) > 0


FLIPS = st.lists(st.tuples(st.integers(0, 4000), st.integers(0, 255)), max_size=6)


def run_spreadsheets(examples: int) -> Counter[str]:
    """Deliver `examples` mutations of one XLSX: of its cells and of its bytes."""
    lines = plain(TEXTS["mbo_lesson_range"].format(canary=CANARY)).strip().split("\n")
    with mill() as one:

        @settings(
            max_examples=examples,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        )
        @given(FLIPS, st.lists(st.tuples(st.integers(0, 30), CELLS), max_size=4))
        def grind(flips: list[tuple[int, int]], cells: list[tuple[int, bytes]]) -> None:
            rows: list[list[object]] = [list(line.split(";")) for line in lines]
            for place, text in cells:
                row = rows[place % len(rows)]
                row[place % len(row)] = _typable(text)
            book = bytearray(workbook(rows))
            for place, byte in flips:
                book[place % len(book)] = byte
            one.deliver({"export.xlsx": bytes(book), "schools.csv": SCHOOLS}, IngestSettings())

        grind()
        return one.outcomes


def _typable(text: bytes) -> str:
    letters = text.decode("utf-8", "ignore")
    return "".join(one for one in letters if one.isalnum() or one in " ;,.-:")


def test_a_mutated_spreadsheet_ends_in_one_of_three_ways() -> None:
    outcomes = run_spreadsheets(100)
    assert outcomes["refused"] > 0
    assert outcomes["whole"] + outcomes["quarantined"] > 0


@pytest.mark.slow
def test_two_thousand_mutated_spreadsheets_end_in_one_of_three_ways(
    record_property: Callable[[str, object], None],
) -> None:
    outcomes = run_spreadsheets(2000)
    record_property("outcomes", dict(outcomes))
    assert outcomes.total() >= 2000
    assert min(outcomes["refused"], outcomes["quarantined"], outcomes["whole"]) > 0
