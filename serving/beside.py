"""What a school's week holds beside the published list: more rows, who is gone, what is missing."""

import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import date, datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from features.errors import NotThere
from features.vocabulary import AbsenceKind, PupilKey
from serving.tables import ENROLLED, SIDE_ROWS, WEEK_FACTS, WEEK_GONE, writing


class Place(StrEnum):
    """Where a row beside the published list stands."""

    ADDED = "added"
    BY_APPOINTMENT = "by_appointment"
    AT_HOME = "at_home"
    OUT_OF_SIGHT = "out_of_sight"

    @property
    def label(self) -> str:
        """The Dutch heading that people read."""
        return _PLACE_LABELS[self]


_PLACE_LABELS = {
    Place.ADDED: "Zelf toegevoegd",
    Place.BY_APPOINTMENT: "Terug op afspraak",
    Place.AT_HOME: "Al in beeld",
    Place.OUT_OF_SIGHT: "Uit beeld",
}


class AddedBecause(StrEnum):
    """Why somebody put a pupil on the list by hand."""

    CONCERN_AT_SCHOOL = "concern_at_school"
    SIGNAL_FROM_PARENTS = "signal_from_parents"
    SIGNAL_FROM_PUPIL = "signal_from_pupil"
    OTHER = "other"

    @property
    def label(self) -> str:
        """The Dutch words on the form."""
        return _ADDED_LABELS[self]


_ADDED_LABELS = {
    AddedBecause.CONCERN_AT_SCHOOL: "Zorg van leerkracht, mentor of uzelf",
    AddedBecause.SIGNAL_FROM_PARENTS: "Vraag of zorg van ouders",
    AddedBecause.SIGNAL_FROM_PUPIL: "Vraag van de leerling zelf",
    AddedBecause.OTHER: "Een andere reden",
}


class GoneBecause(StrEnum):
    """Why a pupil of the last list is not on this one."""

    AT_HOME = "at_home"
    LEFT = "left"
    LESS_STANDS_OUT = "less_stands_out"

    @property
    def label(self) -> str:
        """The Dutch words on the list."""
        return _GONE_LABELS[self]


_GONE_LABELS = {
    GoneBecause.AT_HOME: "staat nu bij ‘Al in beeld’",
    GoneBecause.LEFT: "niet meer ingeschreven op deze school",
    GoneBecause.LESS_STANDS_OUT: "er valt nu minder op dan bij de leerlingen op deze lijst",
}


@dataclass(frozen=True)
class SideRow:
    """One pupil beside the published list.

    For a pupil at home: `since`, the missed `school_days` and the `days_at_school` in between, the
    two clocks, the `kinds` of absence, what support is `running` and the `last_contact`. For a
    leaver: `since` is the last day. For an appointment: `since` is the day agreed. The store gives
    the `row_id`.
    """

    school: str
    as_of: date
    pupil_key: PupilKey
    place: Place
    group: str
    since: date | None = None
    school_days: int = 0
    days_at_school: int = 0
    four_weeks_on: date | None = None
    three_months_on: date | None = None
    over_holiday: bool = False
    kinds: tuple[AbsenceKind, ...] = ()
    running: tuple[str, ...] = ()
    last_contact: date | None = None
    because: AddedBecause | None = None
    added_by: str = ""
    row_id: str = field(default="", compare=False)


@dataclass(frozen=True)
class Gone:
    """One pupil of the last list who is not on this one."""

    pupil_key: PupilKey
    group: str
    because: GoneBecause


@dataclass(frozen=True)
class WeekFacts:
    """What was known of a school's week beside its rows.

    `unregistered` holds groups with the number of the last 12 school weeks in which nothing was
    registered; `without_reason` counts pupils with absence of which the reason is not recorded.
    `objections` is how many pupils are left out on request: a number, never a name.
    """

    school: str
    as_of: date
    pupils: int
    unregistered: tuple[tuple[str, int], ...] = ()
    without_reason: int = 0
    objections: int = 0
    gone: tuple[Gone, ...] = ()


class BesideStore:
    """Rows and facts beside the lists, in the app database."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def place(
        self, rows: Iterable[SideRow], moment: datetime, account_id: str | None = None
    ) -> list[SideRow]:
        """Keep these rows; one that stands there already stays. They come back with their ids."""
        with writing(self._engine) as connection:
            return [place_row(connection, row, moment, account_id) for row in rows]

    def row(self, row_id: str) -> SideRow:
        """One row by the id in the address of its page."""
        found = self._rows(SIDE_ROWS.c.row_id == row_id)
        if not found:
            raise NotThere("no list has this row; open it from the list of the week")
        return found[0]

    def rows(self, school: str, as_of: date) -> list[SideRow]:
        """The rows of a school's week."""
        return self._rows(SIDE_ROWS.c.school == school, SIDE_ROWS.c.as_of == as_of)

    def facts(self, school: str, as_of: date) -> WeekFacts | None:
        """What was known of this week; None for a list from before this was kept."""
        with self._engine.begin() as connection:
            content = connection.scalar(
                sa.select(WEEK_FACTS.c.content).where(
                    WEEK_FACTS.c.school == school, WEEK_FACTS.c.as_of == as_of
                )
            )
            gone = connection.execute(
                sa.select(WEEK_GONE)
                .where(WEEK_GONE.c.school == school, WEEK_GONE.c.as_of == as_of)
                .order_by(WEEK_GONE.c.pupil_key)
            ).all()
        if content is None:
            return None
        return WeekFacts(
            school=school,
            as_of=as_of,
            pupils=content["pupils"],
            unregistered=tuple((group, weeks) for group, weeks in content["unregistered"]),
            without_reason=content["without_reason"],
            objections=content["objections"],
            gone=tuple(
                Gone(PupilKey(row.pupil_key), row.group_name, GoneBecause(row.because))
                for row in gone
            ),
        )

    def gone(self, school: str, as_of: date) -> list[PupilKey]:
        """Whom the list of this week tells of as gone from it."""
        query = sa.select(WEEK_GONE.c.pupil_key).where(
            WEEK_GONE.c.school == school, WEEK_GONE.c.as_of == as_of
        )
        with self._engine.begin() as connection:
            return [PupilKey(key) for key in connection.scalars(query)]

    def enrolled(self, school: str) -> dict[PupilKey, str]:
        """The pupils of the newest Monday, with their group."""
        query = sa.select(ENROLLED.c.pupil_key, ENROLLED.c.group_name)
        with self._engine.begin() as connection:
            rows = connection.execute(query.where(ENROLLED.c.school == school)).all()
            return {PupilKey(key): group for key, group in rows}

    def _rows(self, *conditions: sa.ColumnElement[bool]) -> list[SideRow]:
        query = sa.select(SIDE_ROWS).where(*conditions).order_by(SIDE_ROWS.c.row_id)
        with self._engine.begin() as connection:
            return [_side_row(row) for row in connection.execute(query)]


def publish_week(
    connection: sa.Connection,
    facts: WeekFacts,
    rows: Iterable[SideRow],
    enrolled: Mapping[PupilKey, str],
    moment: datetime,
) -> None:
    """Keep what belongs to a new list, in the transaction that publishes the list."""
    content = asdict(facts)
    week = {"school": content.pop("school"), "as_of": content.pop("as_of")}
    gone = content.pop("gone")
    connection.execute(WEEK_FACTS.insert(), {**week, "content": content})
    if gone:
        connection.execute(
            WEEK_GONE.insert(),
            [
                {
                    **week,
                    "pupil_key": one["pupil_key"],
                    "group_name": one["group"],
                    "because": one["because"].value,
                }
                for one in gone
            ],
        )
    for row in rows:
        place_row(connection, row, moment, None)
    connection.execute(ENROLLED.delete().where(ENROLLED.c.school == facts.school))
    pupils = [
        {"school": facts.school, "pupil_key": key, "group_name": group}
        for key, group in enrolled.items()
    ]
    if pupils:
        connection.execute(ENROLLED.insert(), pupils)


def place_row(
    connection: sa.Connection, row: SideRow, moment: datetime, account_id: str | None
) -> SideRow:
    """Keep one row, unless the pupil stands in that place already; with its id."""
    same = sa.and_(
        SIDE_ROWS.c.school == row.school,
        SIDE_ROWS.c.as_of == row.as_of,
        SIDE_ROWS.c.pupil_key == row.pupil_key,
        SIDE_ROWS.c.place == row.place.value,
    )
    known = connection.scalar(sa.select(SIDE_ROWS.c.row_id).where(same))
    row_id = known or secrets.token_hex(16)
    if known is None:
        connection.execute(
            SIDE_ROWS.insert(),
            {
                "row_id": row_id,
                "school": row.school,
                "as_of": row.as_of,
                "pupil_key": row.pupil_key,
                "place": row.place.value,
                "group_name": row.group,
                "detail": _detail(row),
                "account_id": account_id,
                "placed_at": moment,
            },
        )
    return replace(row, row_id=row_id)


def _detail(row: SideRow) -> dict[str, Any]:
    days = ("since", "four_weeks_on", "three_months_on", "last_contact")
    plain = ("school_days", "days_at_school", "over_holiday", "because", "added_by")
    return {
        **{name: day.isoformat() for name in days if (day := getattr(row, name))},
        **{name: getattr(row, name) for name in plain if getattr(row, name)},
        "kinds": [kind.value for kind in row.kinds],
        "running": list(row.running),
    }


def _side_row(row: sa.Row[Any]) -> SideRow:
    detail: Mapping[str, Any] = row.detail

    def day(name: str) -> date | None:
        return date.fromisoformat(detail[name]) if name in detail else None

    return SideRow(
        school=row.school,
        as_of=row.as_of,
        pupil_key=PupilKey(row.pupil_key),
        place=Place(row.place),
        group=row.group_name,
        since=day("since"),
        school_days=detail.get("school_days", 0),
        days_at_school=detail.get("days_at_school", 0),
        four_weeks_on=day("four_weeks_on"),
        three_months_on=day("three_months_on"),
        over_holiday=detail.get("over_holiday", False),
        kinds=tuple(AbsenceKind(kind) for kind in detail.get("kinds", ())),
        running=tuple(detail.get("running", ())),
        last_contact=day("last_contact"),
        because=AddedBecause(detail["because"]) if "because" in detail else None,
        added_by=detail.get("added_by", ""),
        row_id=row.row_id,
    )


def gone_from(
    last: Mapping[PupilKey, str],
    now: Sequence[PupilKey],
    at_home: Iterable[PupilKey],
    enrolled: Iterable[PupilKey],
    objecting: Iterable[PupilKey],
) -> tuple[Gone, ...]:
    """Who of the `last` list (with their group) is not on this one, and why.

    Whoever objected is not named at all.
    """
    home, here, silent = set(at_home), set(enrolled), set(objecting)
    gone = []
    for key, group in sorted(last.items()):
        if key in now or key in silent:
            continue
        because = GoneBecause.LESS_STANDS_OUT
        if key in home:
            because = GoneBecause.AT_HOME
        elif key not in here:
            because = GoneBecause.LEFT
        gone.append(Gone(key, group, because))
    return tuple(gone)
