"""Looks that stand out: at night, in bulk, exports, searches, refused, or a school not one's own.

A sign to ask about, never a verdict: a care coordinator may have good reasons to work late.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time
from enum import StrEnum

from features.governance.audit import AuditRow
from features.school_weeks import AMSTERDAM
from features.vocabulary import Role

NIGHT_FROM, NIGHT_UNTIL = time(22), time(6)
BULK_PUPILS = 25
"""Different pupils opened by one account on one day from which it is told."""

_LOOKS = frozenset(
    {
        "list_seen",
        "pupil_seen",
        "values_seen",
        "at_home_seen",
        "team_overview_seen",
        "pupils_searched",
        "pupil_searched",
        "request_opened",
        "access_package_made",
    }
)
_OF_ONE_PUPIL = ("pupil_seen", "values_seen")
_EXPORTS = ("exported", "export", "downloaded")


class Exceptional(StrEnum):
    """Why a look is told."""

    NIGHT = "night"
    BULK = "bulk"
    EXPORT = "export"
    REFUSED = "refused"
    SEARCH = "search"
    OUTSIDE_GROUP = "outside_group"

    @property
    def label(self) -> str:
        """The Dutch words that people read.

        >>> Exceptional.NIGHT.label
        "'s nachts"
        """
        return _LABELS[self]


_LABELS = {
    Exceptional.NIGHT: "'s nachts",
    Exceptional.BULK: "veel leerlingen op één dag",
    Exceptional.EXPORT: "afdruk of uitvoer",
    Exceptional.REFUSED: "geweigerd",
    Exceptional.SEARCH: "leerling gezocht",
    Exceptional.OUTSIDE_GROUP: "buiten de eigen lijst: gezocht of zelf toegevoegd",
}
_OUTSIDE = frozenset({"pupil_added", "pupils_searched"})


@dataclass(frozen=True)
class Noticed:
    """One event, or the events of one account on one day, and why it is told."""

    moment: datetime
    actor: str
    role: Role
    why: Exceptional
    event: str
    school: str
    count: int


def noticed(rows: Iterable[AuditRow]) -> tuple[Noticed, ...]:
    """What stands out among the events, newest first; the same on one day is told once."""
    grouped: dict[tuple[date, str, Exceptional, str], list[AuditRow]] = {}
    opened: dict[tuple[date, str], dict[str, AuditRow]] = {}
    for row in rows:
        day = row.moment.astimezone(AMSTERDAM).date()
        if row.event in _OF_ONE_PUPIL:
            opened.setdefault((day, row.actor), {})[row.subject] = row
        for why in _reasons(row):
            grouped.setdefault((day, row.actor, why, row.event), []).append(row)
    for (day, actor), pupils in opened.items():
        if len(pupils) >= BULK_PUPILS:
            grouped[day, actor, Exceptional.BULK, "pupil_seen"] = list(pupils.values())
    found = [
        Noticed(
            moment=max(row.moment for row in members),
            actor=actor,
            role=members[0].role,
            why=why,
            event=event,
            school=", ".join(sorted({row.school for row in members if row.school})),
            count=len(members),
        )
        for (_, actor, why, event), members in grouped.items()
    ]
    return tuple(sorted(found, key=lambda one: one.moment, reverse=True))


def _reasons(row: AuditRow) -> Iterator[Exceptional]:
    clock = row.moment.astimezone(AMSTERDAM).time()
    if row.event in _LOOKS and (clock >= NIGHT_FROM or clock < NIGHT_UNTIL):
        yield Exceptional.NIGHT
    if row.event == "access_refused":
        yield Exceptional.REFUSED
    if row.event == "pupil_searched":
        yield Exceptional.SEARCH
    if row.event in _OUTSIDE:
        yield Exceptional.OUTSIDE_GROUP
    if row.event.endswith(_EXPORTS) or row.event == "access_package_made":
        yield Exceptional.EXPORT
