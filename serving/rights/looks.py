"""Who looked at one person: at the own page, and at every page on which the person stood."""

from collections.abc import Iterator, Sequence
from datetime import date, datetime

import sqlalchemy as sa

from features.governance.audit import AuditChain, AuditRow
from features.school_weeks import AMSTERDAM
from models.sections import Section, section
from serving.beside import Place
from serving.rights.subject import Subject
from serving.tables import DECISIONS, LIST_ROWS, LISTS, SIDE_ROWS, WEEK_GONE

_Week = tuple[str, str]
_ON_THE_LIST = (Place.ADDED, Place.BY_APPOINTMENT)
_AT_HOME = (Place.AT_HOME, Place.OUT_OF_SIGHT)
LOOKS = {
    "list_seen": "bespreeklijst bekeken",
    "pupil_seen": "pagina van de leerling bekeken",
    "values_seen": "alle tellingen van de leerling bekeken",
    "at_home_seen": "al in beeld bekeken",
    "team_overview_seen": "zorgteam-overzicht bekeken",
    "exported": "zorgteam-overzicht als bestand gemaakt",
    "pupils_searched": "op naam gezocht in de school",
    "pupil_searched": "op naam of nummer gezocht voor een verzoek",
    "pupil_added": "op de lijst gezet",
    "decision_kept": "besluit bewaard",
    "outcome_kept": "uitkomst bewaard",
    "care_entered": "zorg bij verzuim vastgelegd",
    "objection_made": "bezwaar vastgelegd",
    "objection_withdrawn": "bezwaar ingetrokken",
    "request_taken": "verzoek aangenomen",
    "request_handled": "verzoek afgehandeld",
    "access_package_made": "inzagepakket gemaakt",
    "request_opened": "verzoek geopend",
}
_SEARCHES = ("pupils_searched", "pupil_searched")


def looks(
    ledger: sa.Engine, app: sa.Engine, subject: Subject, schools: Sequence[str], *, staff: bool
) -> Section:
    """Every event about this person in the chain, and of the pages that showed it with others.

    `schools` are those where the person is or was; `staff`: with the accounts that looked. Whom a
    search found is not kept, so every search of such a school counts.
    """
    chain = AuditChain(ledger)
    found = {row.sequence: row for key in subject.keys for row in chain.rows(subject=key)}
    found |= {row.sequence: row for row in _with_others(chain, app, subject, schools)}
    columns = ["Wanneer", "Rol", "Wat"]
    if staff:
        columns.append("Wie")
    return section(
        "Wie heeft gekeken",
        "Elke keer dat iemand deze leerling opende, of een lijst of overzicht met deze leerling. "
        "Wie bij zoeken op naam gevonden is, wordt niet bewaard: elke zoekvraag in de school staat "
        "er daarom bij.",
        columns,
        [_look(found[number], staff=staff) for number in sorted(found, reverse=True)],
    )


def _look(row: AuditRow, *, staff: bool) -> list[object]:
    words = LOOKS.get(row.event, row.event.replace("_", " "))
    told: list[object] = [row.moment, row.role.label, words]
    return [*told, row.actor] if staff else told


def _with_others(
    chain: AuditChain, app: sa.Engine, subject: Subject, schools: Sequence[str]
) -> Iterator[AuditRow]:
    with app.begin() as connection:
        listed = {*_listed(connection, subject), *_beside(connection, subject, _ON_THE_LIST)}
        at_home = set(_beside(connection, subject, _AT_HOME))
        decided = _decided(connection, subject)
    for event, weeks in (("list_seen", listed), ("at_home_seen", at_home)):
        for row in chain.rows(event=event):
            if (row.school, row.detail.get("as_of")) in weeks:
                yield row
    for event in ("team_overview_seen", "exported"):
        for row in chain.rows(event=event):
            if any(_covers(row, school, moment) for school, moment in decided):
                yield row
    for event in _SEARCHES:
        yield from (row for row in chain.rows(event=event) if row.school in schools)


def _listed(connection: sa.Connection, subject: Subject) -> Iterator[_Week]:
    """The weeks in which the person stood on a list, or among those gone from it."""
    on_list = (
        sa.select(LISTS.c.school, LISTS.c.as_of)
        .join_from(LISTS, LIST_ROWS)
        .where(LIST_ROWS.c.pupil_key.in_(subject.keys))
    )
    gone = sa.select(WEEK_GONE.c.school, WEEK_GONE.c.as_of).where(
        WEEK_GONE.c.pupil_key.in_(subject.keys)
    )
    for query in (on_list, gone):
        yield from (_week(row.school, row.as_of) for row in connection.execute(query))


def _beside(
    connection: sa.Connection, subject: Subject, places: Sequence[Place]
) -> Iterator[_Week]:
    query = sa.select(SIDE_ROWS.c.school, SIDE_ROWS.c.as_of).where(
        SIDE_ROWS.c.pupil_key.in_(subject.keys),
        SIDE_ROWS.c.place.in_([place.value for place in places]),
    )
    yield from (_week(row.school, row.as_of) for row in connection.execute(query))


def _week(school: str, as_of: date) -> _Week:
    return school, as_of.isoformat()


def _decided(connection: sa.Connection, subject: Subject) -> list[tuple[str, datetime]]:
    query = sa.select(DECISIONS.c.school, DECISIONS.c.decided_at).where(
        DECISIONS.c.pupil_key.in_(subject.keys)
    )
    return [(row.school, row.decided_at) for row in connection.execute(query)]


def _covers(row: AuditRow, school: str, decided_at: datetime) -> bool:
    """Whether an overview of some days showed a decision of that school and moment."""
    day = decided_at.astimezone(AMSTERDAM).date().isoformat()
    first, last = str(row.detail.get("first", "")), str(row.detail.get("last", ""))
    return row.school == school and first <= day <= last and decided_at <= row.moment
