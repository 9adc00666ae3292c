"""The pages of a school of 2,000 under 20 users at once, beside a bare FastAPI page.

`measure()` gives the rows of a table; run as a module it prints them. The bare page answers with
as many bytes and does nothing else. Each is served from a process of its own; each user asks for
one page after the other, without a pause.
"""

import os
import re
import resource
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlencode

USERS, PAGES_PER_USER, PUPILS, LISTED = 20, 25, 2_000, 20
SCHOOL, MONDAY = "90AB00", date(2026, 11, 16)
NOW = datetime(2026, 11, 16, 9, tzinfo=UTC)
EMAIL, PASSWORD = "ib@voorbeeld.invalid", "vier losse woorden samen"


@dataclass(frozen=True)
class Load:
    """One page under load: times in milliseconds, and the server's processor time per page."""

    page: str
    median: float
    p95: float
    cpu: float
    ratio: float
    """Processor time as a multiple of the bare page with as many bytes, in the same run."""


def build(root: Path, pupils: int = PUPILS) -> None:
    """A home with one school: names in the vault, a record log, one published list."""
    import pyarrow as pa

    from features.governance.vault import Identity, Vault
    from features.records import DeliveryRows, LogTable, RecordLog, schema_of
    from features.settings import Home
    from features.vocabulary import Role, Theme
    from models.reasons import Evidence, Explanation, Reason
    from serving.accounts import Accounts
    from serving.beside import Place, SideRow, WeekFacts, publish_week
    from serving.lists import Block, ListRow, ListStore, Newness, PublishedList
    from serving.tables import open_app

    home = Home(root)
    vault = Vault.open(home, {})
    numbers = [str(10_000 + number) for number in range(pupils)]
    vault.remember(SCHOOL, [Identity("Voornaam", "", f"Naam{one}", one) for one in numbers])
    keys = [key for key in vault.keys_for(SCHOOL, numbers) if key is not None]

    def table(name: LogTable, rows: list[dict[str, object]]) -> pa.Table:
        schema = schema_of(name)
        fields = [schema.field(f) for f in schema.names if f not in ("delivery", "sequence")]
        shared = {"known_at": NOW - timedelta(days=400), "known_at_basis": "assumed"}
        content = [
            shared | {"record_key": f"{name}{n}", "withdrawn": False, "fingerprint": str(n)} | row
            for n, row in enumerate(rows)
        ]
        return pa.Table.from_pylist(content, schema=pa.schema(fields))

    in_school = {"school": SCHOOL}
    start = datetime(2026, 9, 7, 8, 30)  # noqa: DTZ001  (local time of the school)
    records: dict[LogTable, list[dict[str, object]]] = {
        LogTable.SCHOOLS: [in_school | {"name": "Groot", "sector": "vo", "region": "midden"}],
        LogTable.TIMETABLE: [
            in_school
            | {"group": "1A", "weekday": day, "valid_from": MONDAY.replace(year=2024)}
            | {"planned_minutes": 330}
            for day in range(1, 6)
        ],
        LogTable.PLACEMENTS: [
            in_school
            | {"pupil_key": key, "born_on": date(2013, 3, 1), "year_group": "1", "group": "1A"}
            | {"enrolled_on": date(2025, 8, 1)}
            for key in keys
        ],
        LogTable.ABSENCE: [
            in_school
            | {"pupil_key": key, "kind": "sick", "starts_at": start + timedelta(days=day)}
            | {"ends_at": start + timedelta(days=day, hours=6)}
            for key in keys
            for day in range(0, 60, 7)
        ],
    }
    log = RecordLog(home.records)
    with log.writing():
        tables = {name: table(name, rows) for name, rows in records.items()}
        head = log.append(DeliveryRows(received_at=NOW, digest="f" * 64, tables=tables))
    reason = Reason(
        Theme.ABSENCE,
        "In de laatste 4 schoolweken 4 dagen afwezig; in de 8 schoolweken daarvoor 5.",
        tuple(Evidence(MONDAY - timedelta(days=day), "ziek", "hele dag") for day in (7, 14, 21)),
        "Meer dan 21 van de 23 klasgenoten.",
    )
    rows = tuple(
        ListRow(
            key,
            Block.DISCUSS if place < LISTED // 2 else Block.FOLLOW,
            Newness.NEW,
            place,
            Explanation(key, (reason, reason), (), ()),
            "1A",
        )
        for place, key in enumerate(keys[:LISTED])
    )
    engine = open_app(home)
    side = [
        SideRow(SCHOOL, MONDAY, key, Place.AT_HOME, "1A", since=date(2026, 10, 1), school_days=27)
        for key in keys[LISTED : LISTED + 12]
    ]
    groups = dict.fromkeys(keys, "1A")
    ListStore(engine).publish(
        [
            PublishedList(
                SCHOOL, MONDAY, NOW, "1", "0" * 64, "risk_v1", MONDAY, LISTED, rows, {}, head
            )
        ],
        lambda connection, _one: publish_week(
            connection, WeekFacts(SCHOOL, MONDAY, pupils), side, groups, NOW
        ),
    )
    accounts = Accounts(engine)
    accounts.add(EMAIL, "I. Begeleider", Role.CARE_COORDINATOR, [SCHOOL], NOW)
    accounts.use_link(accounts.make_link(EMAIL, NOW), PASSWORD, NOW)


def serve(root: Path, port: int) -> None:
    """The pages of `root`, or with no folder there the bare page of as many bytes as its name."""
    import uvicorn
    from fastapi import FastAPI
    from fastapi.responses import HTMLResponse

    if root.is_dir():
        from features.settings import Home, Settings
        from serving.web.app import create_app

        app = create_app(Home(root), Settings({}), lambda: NOW, {})
    else:
        app, text = FastAPI(), "x" * int(root.name)

        @app.get("/")
        def bare() -> HTMLResponse:
            return HTMLResponse(text)

    uvicorn.run(app, host="127.0.0.1", port=port, log_level="error")


def measure(users: int = USERS, pages: int = PAGES_PER_USER) -> list[Load]:
    """Every page under the same load, each beside a bare page of its size."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "home"
        build(root)
        found = []
        with _served(root, 18_351) as server:
            cookie = _sign_in(18_351)
            text = _get(18_351, f"/lijst/{SCHOOL}", cookie)[1]
            row = re.search(rb"/leerling/[0-9a-f]{32}", text)
            assert row is not None
            for address in (
                f"/lijst/{SCHOOL}",
                row.group().decode(),
                f"/al-in-beeld/{SCHOOL}",
                f"/lijst/{SCHOOL}/toevoegen?naam=naam1",
                f"/zorgteam/{SCHOOL}",
                "/uitleg",
            ):
                size = len(_get(18_351, address, cookie)[1])
                ours = _load(18_351, address, cookie, users, pages, server)
                with _served(Path(folder) / str(size), 18_352) as bare:
                    theirs = _load(18_352, "/", "", users, pages, bare)
                name = address.split("?")[0].replace(SCHOOL, "…")[:24]
                ratio = ours[2] / theirs[2]
                found += [Load(name, *ours, ratio), Load(f"  bare, {size} bytes", *theirs, 1.0)]
        return found


def table(loads: Sequence[Load]) -> str:
    """The rows as Markdown."""
    head = "| page | median ms | p95 ms | CPU ms a page | ratio of CPU |\n|---|---|---|---|---|"
    rows = (
        f"| {one.page} | {one.median:.0f} | {one.p95:.0f} | {one.cpu:.1f} | {one.ratio:.1f} |"
        for one in loads
    )
    return "\n".join([head, *rows])


@contextmanager
def _served(root: Path, port: int) -> Iterator[int]:
    words = [sys.executable, "-m", "experiments.benchmarks.pages", str(root), str(port)]
    server = subprocess.Popen(words)
    try:
        for _ in range(1200):
            try:
                _get(port, "/gezond", "")
                break
            except OSError:
                time.sleep(0.1)
        yield server.pid
    finally:
        server.terminate()
        server.wait()


def _get(port: int, address: str, cookie: str) -> tuple[int, bytes]:
    connection = HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("GET", address, headers={"Cookie": cookie})
    answer = connection.getresponse()
    return answer.status, answer.read()


def _sign_in(port: int) -> str:
    connection = HTTPConnection("127.0.0.1", port, timeout=60)
    form = urlencode({"email": EMAIL, "password": PASSWORD})
    headers = {
        "Sec-Fetch-Site": "same-origin",
        "Content-Type": "application/x-www-form-urlencoded",
    }
    connection.request("POST", "/inloggen", form, headers)
    return (connection.getresponse().getheader("set-cookie") or "").split(";")[0]


def _load(
    port: int, address: str, cookie: str, users: int, pages: int, server: int
) -> tuple[float, float, float]:
    """Median and 95th percentile of the answers, and the server's processor time, all in ms."""
    times: list[float] = []

    def one_user() -> None:
        connection = HTTPConnection("127.0.0.1", port, timeout=60)
        for _ in range(pages):
            started = time.perf_counter()
            connection.request("GET", address, headers={"Cookie": cookie})
            answer = connection.getresponse()
            answer.read()
            assert answer.status == 200, (address, answer.status)
            times.append(1000 * (time.perf_counter() - started))

    before = _cpu(server)
    threads = [threading.Thread(target=one_user) for _ in range(users)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    spent = 1000 * (_cpu(server) - before) / len(times)
    return statistics.median(times), statistics.quantiles(times, n=20)[-1], spent


def _cpu(process: int) -> float:
    """Processor seconds of a running process (Linux)."""
    words = Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if len(sys.argv) == 3:
        serve(Path(sys.argv[1]), int(sys.argv[2]))
    else:
        print(table(measure()))
