"""The pages of a region of 60,000 pupils under 20 users at once, beside a bare FastAPI page.

`measure()` gives the rows of a table; run as a module it prints them. Thirty schools of 2,000; each
user is the care coordinator of another school, one is the coordinator of the region. Two loads:

- *reading*: after each answer a user reads for 3 to 7 seconds, then opens the next page of the
  round (list, pupil, at home, search, care team, explanation). That is quicker than anyone works.
- *without a pause*: every user asks for the same page again at once, so that 20 requests always
  wait; the answer time is then twenty times the processor time of one page.

The bare page answers with as many bytes and does nothing else, under the same two loads. Each is
served from a process of its own.
"""

import math
import os
import random
import re
import resource
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from http.client import HTTPConnection
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlencode

if TYPE_CHECKING:
    import pyarrow as pa
    import sqlalchemy as sa

    from features.records import LogTable
    from features.vocabulary import PupilKey
    from serving.lists import PublishedList

USERS, SCHOOLS, PUPILS, LISTED = 20, 30, 2_000, 20
READING = (3.0, 7.0)
"""Seconds between an answer and the next page."""
READING_SECONDS, PAGES_WITHOUT_PAUSE = 90.0, 15
MONDAY, WEEKS = date(2026, 11, 16), 10
NOW = datetime(2026, 11, 16, 9, tzinfo=UTC)
PHRASE = "vier losse woorden samen"
PORT, BARE_PORT = 18_351, 18_352
OWN_FORM = {
    "Sec-Fetch-Site": "same-origin",
    "Content-Type": "application/x-www-form-urlencoded",
}
COORDINATOR = "regio@voorbeeld.invalid"


@dataclass(frozen=True)
class Load:
    """One page under a load: times in milliseconds; processor time of the server per page.

    `cpu` is None where pages of several kinds were asked for together. `ratio` is to the bare page
    under the same load: of the median while reading, of processor time without a pause.
    """

    load: str
    page: str
    answers: int
    median: float
    p95: float
    cpu: float | None
    ratio: float


def school_code(number: int) -> str:
    """The code of an invented school.

    >>> school_code(3)
    '90AD00'
    """
    return f"90{chr(65 + number // 26)}{chr(65 + number % 26)}00"


def email_of(school: str) -> str:
    """The account of the care coordinator of a school."""
    return f"ib-{school.lower()}@voorbeeld.invalid"


def build(root: Path, schools: int = SCHOOLS, pupils: int = PUPILS) -> None:
    """A home: names in the vault, a record log, lists of ten weeks, months, decisions, accounts."""
    from features.governance.vault import Identity, Vault
    from features.records import DeliveryRows, RecordLog
    from features.settings import Home
    from features.vocabulary import Role
    from serving.accounts import Accounts
    from serving.tables import open_app

    home = Home(root)
    vault, log, engine = Vault.open(home, {}), RecordLog(home.records), open_app(home)
    accounts = Accounts(engine)
    codes = [school_code(number) for number in range(schools)]
    numbers = [str(10_000 + number) for number in range(pupils)]
    for code in codes:
        vault.remember(code, [Identity("Voornaam", "", f"Naam{one}", one) for one in numbers])
        keys = [key for key in vault.keys_for(code, numbers) if key is not None]
        with log.writing():
            digest = f"{code:f<64}"
            head = log.append(
                DeliveryRows(received_at=NOW, digest=digest, tables=records(code, keys))
            )
        who = accounts.add(email_of(code), "I. Begeleider", Role.CARE_COORDINATOR, [code], NOW)
        publish(engine, code, keys, head, who.account_id)
        accounts.use_link(accounts.make_link(email_of(code), NOW), PHRASE, NOW)
    accounts.add(COORDINATOR, "R. Regio", Role.REGION_COORDINATOR, codes, NOW)
    accounts.use_link(accounts.make_link(COORDINATOR, NOW), PHRASE, NOW)


def records(school: str, keys: "Sequence[PupilKey]") -> "dict[LogTable, pa.Table]":
    """What the log holds of one school: nine sick days of each pupil."""
    import pyarrow as pa

    from features.records import LogTable, schema_of

    def table(name: LogTable, rows: list[dict[str, object]]) -> pa.Table:
        schema = schema_of(name)
        fields = [schema.field(f) for f in schema.names if f not in ("delivery", "sequence")]
        shared = {"known_at": NOW - timedelta(days=400), "known_at_basis": "assumed"}
        content = [
            shared | {"record_key": f"{school}{n}", "withdrawn": False, "fingerprint": str(n)} | row
            for n, row in enumerate(rows)
        ]
        return pa.Table.from_pylist(content, schema=pa.schema(fields))

    here = {"school": school}
    start = datetime(2026, 9, 7, 8, 30)  # noqa: DTZ001  (local time of the school)
    rows: dict[LogTable, list[dict[str, object]]] = {
        LogTable.SCHOOLS: [here | {"name": f"Groot {school}", "sector": "vo", "region": "midden"}],
        LogTable.TIMETABLE: [
            here
            | {"group": "1A", "weekday": day, "valid_from": MONDAY.replace(year=2024)}
            | {"planned_minutes": 330}
            for day in range(1, 6)
        ],
        LogTable.PLACEMENTS: [
            here
            | {"pupil_key": key, "born_on": date(2013, 3, 1), "year_group": "1", "group": "1A"}
            | {"enrolled_on": date(2025, 8, 1)}
            for key in keys
        ],
        LogTable.ABSENCE: [
            here
            | {"pupil_key": key, "kind": "sick", "starts_at": start + timedelta(days=day)}
            | {"ends_at": start + timedelta(days=day, hours=6)}
            for key in keys
            for day in range(0, 60, 7)
        ],
    }
    return {name: table(name, content) for name, content in rows.items()}


def publish(
    engine: "sa.Engine", school: str, keys: "Sequence[PupilKey]", head: int, account_id: str
) -> None:
    """Ten weeks of lists, pupils at home, counts by month and a decision on every second row."""
    from serving.at_home import MonthCounts
    from serving.beside import Place, SideRow, WeekFacts, publish_week
    from serving.decisions import Decisions, Draft, RowAddress
    from serving.lists import ListStore
    from serving.region import keep_months

    at_home = keys[LISTED : LISTED + 12]
    groups = dict.fromkeys(keys, "1A")
    months = [
        MonthCounts(date(2025 + (m > 4), (m + 7) % 12 + 1, 1), MONDAY, len(keys), 12, 3, 4, 3, 1)
        for m in range(16)
    ]

    def beside(connection: "sa.Connection", one: "PublishedList") -> None:
        side = [
            SideRow(school, one.as_of, key, Place.AT_HOME, "1A", date(2026, 10, 1), 27)
            for key in at_home
        ]
        publish_week(connection, WeekFacts(school, one.as_of, len(keys)), side, groups, NOW)
        keep_months(connection, school, months)

    store, decisions = ListStore(engine), Decisions(engine)
    for back in reversed(range(WEEKS)):
        monday = MONDAY - timedelta(weeks=back)
        store.publish([week_list(school, monday, keys, head)], beside)
        if back:
            for row in store.get(school, monday).rows[::2]:
                address = RowAddress(row.row_id, school, row.pupil_key, monday)
                draft = Draft(kind="plan_talk", owner="mentor")
                decisions.decide(address, draft, account_id, NOW)


def week_list(school: str, monday: date, keys: "Sequence[PupilKey]", head: int) -> "PublishedList":
    """A list of 20 with two reasons each."""
    from features.vocabulary import Theme
    from models.reasons import Evidence, Explanation, Reason
    from serving.lists import Block, ListRow, Newness, PublishedList

    reason = Reason(
        Theme.ABSENCE,
        "In de laatste 4 schoolweken 4 dagen afwezig; in de 8 schoolweken daarvoor 5.",
        tuple(Evidence(monday - timedelta(days=day), "ziek", "hele dag") for day in (7, 14, 21)),
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
    return PublishedList(
        school, monday, NOW, "1", "0" * 64, "risk_v1", monday, LISTED, rows, {}, head
    )


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


def measure(
    users: int = USERS,
    schools: int = SCHOOLS,
    pupils: int = PUPILS,
    seconds: float = READING_SECONDS,
) -> list[Load]:
    """Both loads on the pages, then the same on a bare page."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "home"
        build(root, schools, pupils)
        with _served(root, PORT) as server:
            visitors = [_visitor(PORT, school_code(n % schools)) for n in range(users - 1)]
            visitors.append(_coordinator(PORT))
            reading = _reading(PORT, visitors, seconds)
            one = visitors[0]
            sizes = {name: len(_answer(PORT, at, one.cookie)[1]) for name, at in one.pages.items()}
            pressed = {
                name: _pressed(PORT, [one] * users, at, server) for name, at in one.pages.items()
            }
        return [*_beside_bare(Path(folder), users, seconds, reading, pressed, sizes)]


def _beside_bare(
    folder: Path,
    users: int,
    seconds: float,
    reading: Mapping[str, list[float]],
    pressed: Mapping[str, tuple[list[float], float]],
    sizes: Mapping[str, int],
) -> Iterator[Load]:
    size = round(statistics.mean(sizes.values()))
    with _served(folder / str(size), BARE_PORT) as bare:
        nobody = [Visitor("", {"bare": Asked("/")})] * users
        theirs = _reading(BARE_PORT, nobody, seconds)["bare"]
        times, cpu = _pressed(BARE_PORT, nobody, Asked("/"), bare)
    everything = [each for found in reading.values() for each in found]
    median = statistics.median(theirs)
    for name, found in {"all pages together": everything, **reading, "bare": theirs}.items():
        ratio = statistics.median(found) / median
        yield Load("reading", name, len(found), *_figures(found), None, ratio)
    for name, (found, spent) in {**pressed, "bare": (times, cpu)}.items():
        yield Load("without a pause", name, len(found), *_figures(found), spent, spent / cpu)


def _figures(times: list[float]) -> tuple[float, float]:
    ordered = sorted(times)
    return statistics.median(ordered), ordered[math.ceil(0.95 * len(ordered)) - 1]


def table(loads: Sequence[Load]) -> str:
    """The rows as Markdown."""
    head = (
        "| load | page | answers | median ms | p95 ms | CPU ms a page | ratio to bare |\n"
        "|---|---|---|---|---|---|---|"
    )
    rows = (
        f"| {one.load} | {one.page} | {one.answers} | {one.median:.0f} | {one.p95:.0f} | "
        f"{'' if one.cpu is None else format(one.cpu, '.1f')} | {one.ratio:.1f} |"
        for one in loads
    )
    return "\n".join([head, *rows])


@dataclass(frozen=True)
class Asked:
    """What a browser asks for: an address, and a form to send there (empty: only to look)."""

    address: str
    form: str = ""


@dataclass(frozen=True)
class Visitor:
    """One user: a session, and the pages of the round by name."""

    cookie: str
    pages: Mapping[str, Asked]


def _visitor(port: int, school: str) -> Visitor:
    cookie = _sign_in(port, email_of(school))
    text = _answer(port, Asked(f"/lijst/{school}"), cookie)[1]
    row = re.search(rb"/leerling/[0-9a-f]{32}", text)
    token = re.search(rb'name="form_token" value="([0-9a-f]+)"', text)
    assert row is not None and token is not None
    name = urlencode({"form_token": token.group(1).decode(), "naam": "naam1"})
    return Visitor(
        cookie,
        {
            "list": Asked(f"/lijst/{school}"),
            "pupil": Asked(row.group().decode()),
            "at home": Asked(f"/al-in-beeld/{school}"),
            "search a name": Asked(f"/lijst/{school}/toevoegen/zoek", name),
            "care team": Asked(f"/zorgteam/{school}"),
            "explanation": Asked("/uitleg"),
        },
    )


def _coordinator(port: int) -> Visitor:
    return Visitor(
        _sign_in(port, COORDINATOR), {"region": Asked("/regio"), "explanation": Asked("/uitleg")}
    )


def _reading(port: int, visitors: Sequence[Visitor], seconds: float) -> dict[str, list[float]]:
    """Answer times by page while every visitor reads between two pages."""
    found: dict[str, list[float]] = {}
    end = time.monotonic() + seconds

    def one_user(number: int) -> None:
        draw, visitor = random.Random(number), visitors[number]  # noqa: S311  (a pause, no secret)
        names = list(visitor.pages)
        time.sleep(draw.uniform(0, READING[1]))
        turn = number
        while time.monotonic() < end:
            name = names[turn % len(names)]
            found.setdefault(name, []).append(_ask(port, visitor.pages[name], visitor.cookie))
            turn += 1
            time.sleep(draw.uniform(*READING))

    _at_once(one_user, len(visitors))
    return found


def _pressed(
    port: int, visitors: Sequence[Visitor], asked: Asked, server: int
) -> tuple[list[float], float]:
    """Answer times of one page that all visitors ask for without a pause, and its cost."""
    times: list[float] = []

    def one_user(number: int) -> None:
        for _ in range(PAGES_WITHOUT_PAUSE):
            times.append(_ask(port, asked, visitors[number].cookie))

    before = _cpu(server)
    _at_once(one_user, len(visitors))
    return times, 1000 * (_cpu(server) - before) / len(times)


def _at_once(one_user: Callable[[int], None], users: int) -> None:
    threads = [threading.Thread(target=one_user, args=(number,)) for number in range(users)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _ask(port: int, asked: Asked, cookie: str) -> float:
    """Milliseconds until the whole answer is there."""
    started = time.perf_counter()
    status, _body = _answer(port, asked, cookie)
    assert status == 200, (asked.address, status)
    return 1000 * (time.perf_counter() - started)


@contextmanager
def _served(root: Path, port: int) -> Iterator[int]:
    words = [sys.executable, "-m", "experiments.benchmarks.pages", str(root), str(port)]
    server = subprocess.Popen(words)
    try:
        for _ in range(1200):
            try:
                _answer(port, Asked("/gezond"), "")
                break
            except OSError:
                time.sleep(0.1)
        yield server.pid
    finally:
        server.terminate()
        server.wait()


def _answer(port: int, asked: Asked, cookie: str) -> tuple[int, bytes]:
    connection = HTTPConnection("127.0.0.1", port, timeout=60)
    how = "POST" if asked.form else "GET"
    connection.request(how, asked.address, asked.form or None, {"Cookie": cookie, **OWN_FORM})
    answer = connection.getresponse()
    return answer.status, answer.read()


def _sign_in(port: int, email: str) -> str:
    connection = HTTPConnection("127.0.0.1", port, timeout=60)
    form = urlencode({"email": email, "password": PHRASE})
    connection.request("POST", "/inloggen", form, OWN_FORM)
    return (connection.getresponse().getheader("set-cookie") or "").split(";")[0]


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
