"""What is done before the first question is answered: about nobody, and on an empty home too."""

from pathlib import Path

import numba
from fastapi import FastAPI

from features.absence import laid_out
from features.governance import open_ledger
from features.governance.audit import AuditChain
from features.settings import Home, Settings
from serving.web.app import create_app
from tests.serving.invented_school import InventedSchool
from tests.serving.visitors import CHEAP, Browser, Clock


def test_starting_lays_nobody_out_and_logs_nothing(app: FastAPI, school: InventedSchool) -> None:
    chain = AuditChain(open_ledger(school.home))
    before = len(chain.rows())
    with Browser(app):
        assert len(chain.rows()) == before
    compiled = laid_out._lay_out
    assert isinstance(compiled, numba.core.registry.CPUDispatcher)
    assert compiled.signatures, "the first who looks at a pupil would wait for the compiler"


def test_pages_start_on_a_home_without_records(tmp_path: Path, clock: Clock) -> None:
    app = create_app(Home(tmp_path / "empty"), Settings({}), clock, {}, CHEAP)
    with Browser(app, base_url="http://127.0.0.1") as visitor:
        assert visitor.get("/inloggen").status_code == 200
