"""A real Chromium on a real server; skipped, with the reason, where there is no Chromium."""

import os
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
import uvicorn
from playwright.sync_api import Browser, Page, sync_playwright

from features.settings import Settings
from serving.web.app import create_app
from tests.serving import invented_school
from tests.serving.invented_school import NOW, PASSWORD, InventedSchool
from tests.serving.visitors import CHEAP, Clock

CHROMIUM = Path("/usr/bin/chromium")
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

SignIn = Callable[..., Page]


@dataclass(frozen=True)
class Served:
    """An address where the pages of an invented school answer."""

    address: str
    school: InventedSchool
    clock: Clock

    def wait(self, minutes: int) -> None:
        """Let time go by."""
        self.clock.now += timedelta(minutes=minutes)

    def next_week(self) -> None:
        """The same moment on the next Monday."""
        self.clock.now += timedelta(weeks=1)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    if not CHROMIUM.exists() and not os.environ.get("CI"):
        pytest.skip(f"{CHROMIUM} is not there; install Debian's package chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def built_school(tmp_path_factory: pytest.TempPathFactory) -> InventedSchool:
    school = invented_school.build(tmp_path_factory.mktemp("school") / "home")
    invented_school.put_values_online(school)
    return school


@pytest.fixture
def served(built_school: InventedSchool, tmp_path: Path) -> Iterator[Served]:
    """A copy of the home for each test, because a journey writes in it."""
    school = built_school.copied(tmp_path / "home")
    clock = Clock(NOW + timedelta(minutes=5))
    app = create_app(school.home, Settings({}), clock, {}, CHEAP)
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="warning"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    deadline = time.monotonic() + 30
    while not server.started:
        assert thread.is_alive() and time.monotonic() < deadline, "the server did not start"
        time.sleep(0.02)
    port = server.servers[0].sockets[0].getsockname()[1]
    yield Served(f"http://127.0.0.1:{port}", school, clock)
    server.should_exit = True
    thread.join(timeout=10)


@pytest.fixture
def sign_in(chromium: Browser, served: Served) -> Iterator[SignIn]:
    """A page in a window of its own, with someone signed in or nobody."""
    windows = []

    def open_page(email: str | None = None, width: int = 1280, height: int = 900) -> Page:
        window = chromium.new_context(
            viewport={"width": width, "height": height}, locale="nl-NL", base_url=served.address
        )
        windows.append(window)
        page = window.new_page()
        page.set_default_timeout(15_000)
        if email is not None:
            page.goto(f"/welkom/{served.school.set_up_tokens[email]}")
            if page.locator("#password").count():
                page.fill("#password", PASSWORD)
                page.click("main button[type=submit]")
            else:
                page.goto("/inloggen")
                page.fill("#email", email)
                page.fill("#password", PASSWORD)
                page.click("main button[type=submit]")
            page.get_by_role("button", name="Uitloggen").wait_for()
        return page

    yield open_page
    for window in windows:
        window.close()
