"""An office that delivers, for every test of ingest."""

from pathlib import Path

import pytest

from tests.ingest.office import Office, new_office


@pytest.fixture
def office(tmp_path: Path) -> Office:
    return new_office(tmp_path)
