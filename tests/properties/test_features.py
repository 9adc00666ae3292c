"""Every feature equals the slow reference, and nothing known later, or in another order, counts."""

import math
from datetime import date
from types import ModuleType
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from features.build import build_partition
from features.catalogue import CATALOGUE

TOLERANCE = 1e-5
Row = dict[str, Any]


def by_pupil_and_monday(table: Any) -> dict[tuple[str, date], Row]:
    return {(row["pupil_key"], row["as_of"]): row for row in table.to_pylist()}


def differences(built: Row, expected: dict[str, float]) -> dict[str, tuple[float, float]]:
    """Features that differ: what was built, and what was expected."""
    return {
        name: (built[name], value)
        for name, value in expected.items()
        if not math.isclose(built[name], value, rel_tol=TOLERANCE, abs_tol=TOLERANCE)
        and not (math.isnan(built[name]) and math.isnan(value))
    }


@given(data=st.data())
def test_every_feature_equals_the_reference(
    data: Any, schools: Any, history: ModuleType, oracle: ModuleType
) -> None:
    versions, mondays = data.draw(schools)
    tables = history.partition(**versions)
    built = by_pupil_and_monday(build_partition(tables, mondays))
    expected = {
        (key, monday): row
        for monday in mondays
        for key, row in oracle.features(tables, history.SCHOOL, monday).items()
    }
    assert built.keys() == expected.keys()
    for place, row in expected.items():
        assert row.keys() == {feature.name for feature in CATALOGUE}
        assert differences(built[place], row) == {}, place
