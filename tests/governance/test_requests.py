"""The term of a request is a calendar month; handling is kept once; an erased pupil is let go."""

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import Engine

from features.errors import NotAllowed
from features.governance.audit import AuditChain
from features.governance.requests import Request, RequestKind, Requests, urgent
from features.vocabulary import PupilKey, Role

MOMENT = datetime(2026, 11, 16, 7, 30, tzinfo=UTC)
ANNA = PupilKey("p1" + "a" * 26)


def take(engine: Engine, received_on: date | None = None) -> Request:
    return Requests(engine).take(
        RequestKind.ACCESS, "90AB00", ANNA, "fg", Role.PRIVACY_OFFICER, MOMENT, received_on
    )


def test_the_answer_is_due_a_month_after_receipt(engine: Engine) -> None:
    assert take(engine).due_on == date(2026, 12, 16)
    assert take(engine, date(2026, 10, 31)).due_on == date(2026, 11, 30)
    with pytest.raises(NotAllowed, match="after today"):
        take(engine, date(2026, 11, 17))


def test_what_is_due_first_stands_on_top_and_what_is_late_is_told(engine: Engine) -> None:
    later, sooner = take(engine), take(engine, date(2026, 10, 20))
    everything = Requests(engine).all()
    assert [one.request_id for one in everything] == [sooner.request_id, later.request_id]
    assert urgent(everything, date(2026, 11, 16)) == [sooner]
    assert urgent(everything, date(2026, 11, 12)) == []
    assert sooner.days_left(date(2026, 11, 21)) == -1


def test_a_request_is_handled_once_with_an_outcome(engine: Engine) -> None:
    asked, desk = take(engine), Requests(engine)
    with pytest.raises(NotAllowed, match="an outcome"):
        desk.handle(asked.request_id, " ", "fg", Role.PRIVACY_OFFICER, MOMENT)
    for outcome in ("given", "something else"):
        desk.handle(asked.request_id, outcome, "fg", Role.PRIVACY_OFFICER, MOMENT + timedelta(1))
    assert desk.get(asked.request_id).outcome == "given"
    events = [row.event for row in AuditChain(engine).rows(subject=ANNA)]
    assert events == ["request_handled", "request_taken"]
    assert urgent(desk.all(), date(2027, 1, 1)) == []


def test_an_erased_pupil_is_let_go_and_the_request_stays(engine: Engine) -> None:
    asked, desk = take(engine), Requests(engine)
    assert desk.forget(ANNA) == 1
    assert desk.all(ANNA) == []
    assert desk.get(asked.request_id).pupil_key == ""
