"""Feast's own pages show definitions and contracts; what its server gives beside them is shut."""

import sys
from collections.abc import Callable
from datetime import date

import pyarrow as pa
import pytest

from features.errors import NotThere
from features.governance.ledger import Ledger
from features.governance.use import Use
from features.settings import Home
from features.store import FeatureStore
from features.store.feast_repo import open_repo
from tests.store.page_visitor import API, Visitor

Rows = Callable[..., pa.Table]
PUPIL = "p190ab000"


@pytest.fixture
def ready(store: FeatureStore, rows: Rows, mondays: tuple[date, ...], use: Use) -> FeatureStore:
    """A store that holds rows of three pupils."""
    pytest.importorskip("grpc", reason="the extra `ui` is not installed")
    store.apply(use)
    store.write(rows("90AB00"), mondays)
    return store


@pytest.fixture
def pages(ready: FeatureStore) -> Visitor:
    return Visitor(ready.pages())


pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")


def test_they_show_views_and_contracts(pages: Visitor) -> None:
    assert "<title>Feast" in pages.get("/").text
    [project] = pages.get("/projects-list.json").json()["projects"]
    assert project["id"] == "tijdig"
    found = pages.get(f"{API}/feature_views", params={"project": "tijdig"}).text
    assert "sick_share_4w" in found
    assert "AVG 6(1)(e)" in found


def test_nothing_is_read_put_in_or_taken_away_but_definitions(
    pages: Visitor, ledger: Ledger
) -> None:
    paths = pages.get(f"{API}/openapi.json").json()["paths"]
    others = [
        (method, path)
        for path, methods in paths.items()
        for method in methods
        if method not in ("get", "head")
    ]
    assert ("post", "/list-labels") in others
    assert len(others) > 20
    for method, path in others:
        asked = {"feature_view": "absence", "entity_keys": {"pupil_key": [PUPIL]}}
        answer = pages.request(method, f"{API}{path.format_map(Anything())}", json=asked)
        assert answer.status_code == 405, path
        assert PUPIL not in answer.text
    for path, methods in paths.items():
        if "get" in methods:
            answer = pages.get(f"{API}{path.format_map(Anything())}", params={"project": "tijdig"})
            assert PUPIL not in answer.text, path
    assert ledger.rows() == []


def test_feast_by_itself_gives_the_rows_of_pupils_away(ready: FeatureStore, home: Home) -> None:
    """What is shut is there: without `reading_only` everybody on the machine reads the values."""
    from feast.ui_server import get_app

    feast = open_repo(home.feast).for_pages()
    bare = Visitor(get_app(feast, feast.project))
    found = bare.request("POST", f"{API}/list-labels", json={"feature_view": "absence"})
    assert PUPIL in found.text


def test_without_the_extra_it_says_what_to_install(
    store: FeatureStore, use: Use, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.apply(use)
    monkeypatch.setitem(sys.modules, "feast.ui_server", None)
    with pytest.raises(NotThere, match=r"need the extra `ui`; run `pip install tijdig\[ui\]`"):
        store.pages()


class Anything(dict[str, str]):
    """Some name for every part of a path that wants one."""

    def __missing__(self, key: str) -> str:
        return "absence"
