"""Visitors of the pages: a clock one can set, and a browser of their own for each."""

import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from argon2 import PasswordHasher
from fastapi import FastAPI

from tests.serving.invented_school import NOW

with warnings.catch_warnings():
    # It asks for a successor of httpx that is not in the lock file.
    warnings.simplefilter("ignore")
    from starlette.testclient import TestClient

CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
OWN_PAGES = {"Sec-Fetch-Site": "same-origin"}

Browser = TestClient
Visit = Callable[[str], TestClient]


@dataclass
class Clock:
    """The present moment, as the test says."""

    now: datetime = field(default=NOW)

    def __call__(self) -> datetime:
        return self.now


def client_of(app: FastAPI, base_url: str = "http://localhost") -> TestClient:
    """A browser of one's own for `app`; redirects are for the test to follow."""
    return TestClient(
        app,
        base_url=base_url,
        headers=OWN_PAGES,
        follow_redirects=False,
        raise_server_exceptions=False,
    )
