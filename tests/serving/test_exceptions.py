"""Looks that stand out: at night, in bulk, exports, searches, refusals; day work is not told."""

from datetime import UTC, datetime, timedelta

import pytest

from features.governance.audit import AuditRow
from features.vocabulary import Role
from serving.exceptions import _LOOKS, _OUTSIDE, BULK_PUPILS, Exceptional, noticed
from serving.web.register_words import EVENTS

NOON = datetime(2026, 11, 16, 11, tzinfo=UTC)


def row(event: str, moment: datetime = NOON, subject: str = "p1", actor: str = "ib") -> AuditRow:
    return AuditRow(1, moment, actor, Role.CARE_COORDINATOR, event, subject, "90AB00", {}, "h")


def test_a_day_of_ordinary_work_is_not_told() -> None:
    events = ("list_seen", "pupil_seen", "decision_kept", "signed_in", "ledger_seen")
    assert noticed([row(event) for event in events]) == ()


@pytest.mark.parametrize(
    ("moment", "told"),
    [
        (datetime(2026, 11, 16, 20, 59, tzinfo=UTC), 0),  # 21:59 in Amsterdam
        (datetime(2026, 11, 16, 21, 0, tzinfo=UTC), 1),
        (datetime(2026, 11, 17, 4, 59, tzinfo=UTC), 1),
        (datetime(2026, 11, 17, 5, 0, tzinfo=UTC), 0),
    ],
)
def test_the_night_is_told_by_the_clock_of_amsterdam(moment: datetime, told: int) -> None:
    found = noticed([row("pupil_seen", moment)])
    assert [one.why for one in found] == [Exceptional.NIGHT] * told


@pytest.mark.parametrize("event", sorted(_LOOKS))
def test_any_look_at_pupils_at_night_is_told(event: str) -> None:
    found = noticed([row(event, datetime(2026, 11, 16, 23, tzinfo=UTC))])
    assert Exceptional.NIGHT in {one.why for one in found}


def test_what_is_watched_for_is_what_pages_write() -> None:
    """A name of an event that nobody writes would watch for nothing."""
    assert set(EVENTS) >= _LOOKS | _OUTSIDE


def test_many_pupils_on_one_day_are_told_once() -> None:
    def looks(pupils: int) -> list[AuditRow]:
        return [
            row("pupil_seen", NOON + timedelta(minutes=number % 60), f"p{number}")
            for number in range(pupils)
        ]

    assert noticed(looks(BULK_PUPILS - 1)) == ()
    assert noticed([row("pupil_seen")] * 100) == (), "one pupil a hundred times is not bulk"
    (found,) = noticed(looks(BULK_PUPILS))
    assert (found.why, found.count) == (Exceptional.BULK, BULK_PUPILS)


@pytest.mark.parametrize(
    ("event", "why"),
    [
        ("access_refused", Exceptional.REFUSED),
        ("pupil_searched", Exceptional.SEARCH),
        ("pupils_searched", Exceptional.OUTSIDE_GROUP),
        ("pupil_added", Exceptional.OUTSIDE_GROUP),
        ("exported", Exceptional.EXPORT),
        ("access_package_made", Exceptional.EXPORT),
        ("ledger_exported", Exceptional.EXPORT),
        ("dossier_exported", Exceptional.EXPORT),
    ],
)
def test_what_leaves_or_is_refused_is_told(event: str, why: Exceptional) -> None:
    (found,) = noticed([row(event), row(event, NOON + timedelta(hours=1))])
    assert (found.why, found.count, found.moment) == (why, 2, NOON + timedelta(hours=1))
