"""A stop holds until it is lifted; an objection until it is withdrawn; both since a moment."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine, text

from features.errors import NotAllowed
from features.governance import objections
from features.governance.audit import AuditChain
from features.governance.objections import object_to_processing, objected, withdraw_objection
from features.governance.stops import EVERYWHERE, EmergencyStops
from features.vocabulary import PupilKey, Role

MOMENT = datetime(2026, 11, 16, 7, 30, tzinfo=UTC)
HOUR = timedelta(hours=1)
ANNA, BRAM = PupilKey("p1" + "a" * 26), PupilKey("p1" + "b" * 26)


def stop(engine: Engine, school: str, hours: int = 0) -> None:
    EmergencyStops(engine).stop(
        school, "figures in doubt", "fg", Role.PRIVACY_OFFICER, MOMENT + hours * HOUR
    )


def test_a_stop_is_for_one_school_or_for_all(engine: Engine) -> None:
    stops = EmergencyStops(engine)
    assert stops.of("90AB00") is None
    stop(engine, "90AB00")
    standing = stops.of("90AB00")
    assert standing is not None and standing.reason == "figures in doubt"
    assert stops.of("90AB01") is None
    stop(engine, EVERYWHERE, 1)
    assert stops.of("90AB01") is not None
    stops.lift(EVERYWHERE, "checked", "fg", Role.PRIVACY_OFFICER, MOMENT + 2 * HOUR)
    assert stops.of("90AB01") is None and stops.of("90AB00") is not None
    assert set(stops.standing(MOMENT + HOUR + HOUR / 2)) == {"90AB00", EVERYWHERE}


def test_a_stop_taken_away_by_hand_is_found(engine: Engine) -> None:
    stop(engine, "90AB00")
    with engine.begin() as connection:
        connection.execute(text("DELETE FROM stop_events"))
    assert EmergencyStops(engine).verify() == ("stop_events row 1: was removed",)


@pytest.mark.parametrize("role", [Role.CARE_COORDINATOR, Role.DATA_SCIENTIST, Role.JOB])
def test_only_a_privacy_officer_stops_and_with_a_reason(engine: Engine, role: Role) -> None:
    with pytest.raises(NotAllowed, match="may not stop"):
        EmergencyStops(engine).stop("90AB00", "x", "ib", role, MOMENT)
    with pytest.raises(NotAllowed, match="needs its reason"):
        EmergencyStops(engine).stop("90AB00", " ", "fg", Role.PRIVACY_OFFICER, MOMENT)


def test_an_objection_counts_from_the_next_moment_until_withdrawn(engine: Engine) -> None:
    object_to_processing(engine, ANNA, "90AB00", "ib", Role.CARE_COORDINATOR, MOMENT)
    object_to_processing(engine, BRAM, "90AB01", "fg", Role.PRIVACY_OFFICER, MOMENT + HOUR)
    assert objected(engine, MOMENT) == frozenset()
    assert objected(engine, MOMENT + HOUR) == {ANNA}
    assert objected(engine, MOMENT + 2 * HOUR) == {ANNA, BRAM}
    withdraw_objection(engine, ANNA, "90AB00", "fg", Role.PRIVACY_OFFICER, MOMENT + 3 * HOUR)
    assert objected(engine, MOMENT + 4 * HOUR) == {BRAM}
    assert objected(engine, MOMENT + HOUR) == {ANNA}, "what was published stays as it was"
    events = [row.event for row in AuditChain(engine).rows(subject=ANNA)]
    assert events == ["objection_withdrawn", "objection_made"]


def test_an_erased_pupil_is_not_among_the_objections(engine: Engine) -> None:
    object_to_processing(engine, ANNA, "90AB00", "ib", Role.CARE_COORDINATOR, MOMENT)
    assert objections.erase(engine, ANNA) == 1
    assert objected(engine, MOMENT + HOUR) == frozenset()
