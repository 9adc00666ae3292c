"""Building only what no longer stands equals building everything, bit for bit."""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import given, settings
from hypothesis import strategies as st

from features.build import build
from features.records import DeliveryRows, LogTable, RecordLog
from features.school_weeks import as_of_moment
from features.settings import Home
from features.store import FeatureStore

SCHOOL = "90AB00"
Row = dict[str, Any]
Versions = dict[str, list[Row]]


class Installation:
    """A record log and a feature store below a folder, filled delivery by delivery."""

    def __init__(self, root: Path, history: ModuleType) -> None:
        self.home = Home(root)
        self.log = RecordLog(self.home.records)
        self.store = FeatureStore.at(self.home)
        self._history = history

    def deliver(self, versions: Versions, received_at: datetime) -> None:
        """One delivery with these versions, whatever their own `known_at`."""
        rows = {
            LogTable(name): table.drop_columns(["superseded_at", "delivery", "sequence"])
            for name, table in vars(self._history.partition(**versions)).items()
        }
        with self.log.writing():
            self.log.append(DeliveryRows(received_at, f"{self.log.head() + 1:064x}", rows))

    def build_what_is_missing(self, mondays: Sequence[date]) -> list[date]:
        """Build the Mondays that do not stand; which they were."""
        missing = sorted(set(mondays) - self.store.built([SCHOOL]))
        if missing:
            (table,) = build(self.log, missing, [SCHOOL])
            self.store.write(table, missing, [SCHOOL])
        return missing

    def stored(self) -> pa.Table:
        """The live rows."""
        return pq.read_table(self.home.offline / "current" / "rows")


@contextmanager
def installation(history: ModuleType) -> Iterator[Installation]:
    with tempfile.TemporaryDirectory() as folder:
        yield Installation(Path(folder), history)


def as_bytes(table: pa.Table) -> list[tuple[Any, ...]]:
    """Rows in one order; features as the bytes of their float32, so that NaN equals NaN."""
    ordered = table.sort_by([("as_of", "ascending"), ("pupil_key", "ascending")])
    columns = [
        [value.tobytes() for value in column.to_numpy()]
        if pa.types.is_float32(column.type)
        else column.to_pylist()
        for column in ordered.columns
    ]
    return list(zip(*columns, strict=True))


def split(versions: Versions, received: Sequence[int]) -> list[Versions]:
    """The versions by delivery number; no version comes before an older one of its record."""
    parts: list[Versions] = [{} for _ in range(max(received) + 1)]
    number = iter(received)
    for name, rows in versions.items():
        newest: dict[str, int] = {}
        for at, row in enumerate(rows):
            key = row.get("record_key") or f"{name}-{at}"
            newest[key] = max(next(number), newest.get(key, 0))
            parts[newest[key]].setdefault(name, []).append({**row, "record_key": key})
    return parts


@settings(max_examples=10)
@given(data=st.data())
def test_what_stands_is_reused_and_the_rest_equals_a_full_build(
    data: Any, schools: Any, history: ModuleType
) -> None:
    versions, mondays = data.draw(schools)
    total = sum(len(rows) for rows in versions.values())
    received = data.draw(st.lists(st.integers(0, 2), min_size=total, max_size=total))
    with installation(history) as here:
        for week, part in enumerate(split(versions, [*received, 2])):
            here.deliver(part, datetime(2026, 1, 1 + week, tzinfo=UTC))
            if here.log.schools():
                here.build_what_is_missing(mondays)
        (anew,) = build(here.log, mondays, [SCHOOL])
        assert here.build_what_is_missing(mondays) == []
        assert as_bytes(here.stored()) == as_bytes(anew)


MONDAYS = [date(2026, 10, 26) + timedelta(weeks=week) for week in range(4)]


def small(history: ModuleType) -> Versions:
    return {
        "schools": [{"name": "De Proef", "sector": "po", "region": "midden"}],
        "timetable": history.plain_week("5a"),
        "placements": [
            {"pupil_key": "p1", "group": "5a", "year_group": "5", "enrolled_on": date(2024, 8, 1)}
        ],
    }


def sick(day: date, known_at: datetime, **more: Any) -> Row:
    start = datetime.combine(day, datetime.min.time())
    return {
        "record_key": "a",
        "pupil_key": "p1",
        "starts_at": start,
        "ends_at": start,
        "kind": "sick",
        "known_at": known_at,
        **more,
    }


def test_only_the_mondays_after_the_earliest_news_are_built_again(history: ModuleType) -> None:
    moments = [as_of_moment(monday) for monday in MONDAYS]
    with installation(history) as here:
        here.deliver(small(history), moments[0])
        assert here.build_what_is_missing(MONDAYS) == MONDAYS
        # Nothing new: nothing to do.
        here.deliver({}, moments[1])
        assert here.build_what_is_missing(MONDAYS) == []
        # Recorded before the third Monday and delivered after it.
        here.deliver({"absence": [sick(date(2026, 10, 19), moments[1])]}, moments[3])
        assert here.build_what_is_missing(MONDAYS) == MONDAYS[2:]
        # Known at the last Monday 06:00 itself, so not before it.
        withdrawn = sick(date(2026, 10, 19), moments[3], withdrawn=True)
        here.deliver({"absence": [withdrawn]}, moments[3])
        assert here.build_what_is_missing(MONDAYS) == []
        next_monday = MONDAYS[-1] + timedelta(weeks=1)
        assert here.build_what_is_missing([*MONDAYS, next_monday]) == [next_monday]


def test_a_school_that_changes_its_setting_keeps_the_mondays_of_before(
    history: ModuleType,
) -> None:
    """Sick on the last day before the autumn holiday and on the first one after it."""
    moments = [as_of_moment(monday) for monday in MONDAYS]
    about = small(history)["schools"][0] | {"record_key": "school"}
    versions = small(history) | {"schools": [about]}
    versions["absence"] = [
        sick(date(2026, 10, day), moments[0], record_key=f"a{day}") for day in (16, 26)
    ]
    with installation(history) as here:
        here.deliver(versions, moments[0])
        assert here.build_what_is_missing(MONDAYS) == MONDAYS
        change = {**about, "episodes_over_holidays": True, "known_at": moments[2]}
        here.deliver({"schools": [change]}, moments[3])
        assert here.build_what_is_missing(MONDAYS) == MONDAYS[3:]
        stored = here.stored().sort_by("as_of")["sick_episodes_12w"].to_pylist()
        assert stored == [0, 2, 2, 1]
        (anew,) = build(here.log, MONDAYS, [SCHOOL])
        assert as_bytes(here.stored()) == as_bytes(anew)


def test_news_of_one_school_leaves_the_others_alone(history: ModuleType) -> None:
    with installation(history) as here:
        here.deliver(small(history), as_of_moment(MONDAYS[0]))
        here.build_what_is_missing(MONDAYS)
        elsewhere = {
            name: [
                {**row, "school": "90AC00", "record_key": f"{name}{at}"}
                for at, row in enumerate(rows)
            ]
            for name, rows in small(history).items()
        }
        here.deliver(elsewhere, as_of_moment(MONDAYS[3]))
        assert here.build_what_is_missing(MONDAYS) == []
        assert here.store.built([SCHOOL, "90AC00"]) == frozenset()
