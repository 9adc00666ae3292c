"""The bespreeklijst of one school and week, its order, and what stands in each row."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlencode

from fastapi import APIRouter, HTTPException
from fastapi.responses import RedirectResponse, Response

from features.vocabulary import PupilKey
from serving.access import Area
from serving.decisions import Decision
from serving.desk import WeekView
from serving.lists import Block, ListRow, Newness
from serving.web.contexts.frame import Option
from serving.web.contexts.week_list import Column, ListBlock, ListLine, ListPage, NoListPage
from serving.web.dutch import counted, full_day, local_day, long_day, moment, table_day, week_number
from serving.web.services import SignedIn, TheSite

router = APIRouter()

KEEP = timedelta(days=13)
# At the start of a school year everyone who is new has too little data.
LONGEST_OPEN = 10

_EXPLANATIONS = {
    Block.DISCUSS: "Bespreek deze leerlingen deze week. Begin met: klopt de registratie?",
    Block.FOLLOW: "Hier is deze week geen gesprek voor nodig. Kijk volgende week opnieuw.",
    Block.TOO_LITTLE_DATA: (
        "Voor deze leerlingen is te weinig geregistreerd om iets te kunnen zeggen. "
        "Dat is geen geruststelling."
    ),
}


@dataclass(frozen=True)
class _Entry:
    row: ListRow
    line: ListLine
    name_key: tuple[str, str]


_Sorting = Callable[[_Entry], tuple[Any, ...]]
# Ties go by name, never by the order in which the model put them.
_SORTINGS: Mapping[str, tuple[str, str, _Sorting]] = {
    "naam": ("Leerling", "naam", lambda _entry: ()),
    "groep": ("Groep", "groep", lambda entry: (entry.line.group,)),
    "wat": ("Wat valt op", "wat opvalt", lambda entry: (entry.line.theme,)),
    "nieuw": ("Op de lijst", "nieuw op de lijst", lambda entry: (not entry.line.is_new,)),
    "loopt": ("Loopt al", "wat er al loopt", lambda entry: (entry.line.running,)),
    "status": ("Status", "status", lambda entry: (not entry.line.is_open, entry.line.status)),
}
DEFAULT_SORT = "nieuw"


@router.get("/lijst")
def own_list(site: TheSite, session: SignedIn) -> Response:
    """To the list of one's own school."""
    school = site.desk.first_school(session.account, site.clock())
    return RedirectResponse(f"/lijst/{school}", 303)


@router.get("/lijst/{school}")
def week_list(
    site: TheSite,
    session: SignedIn,
    school: str,
    week: str = "",
    sorteer: str = DEFAULT_SORT,
    richting: str = "op",
    bewaard: str = "",
) -> Response:
    """The list of one week; without a week, the newest."""
    now = site.clock()
    view = site.desk.week(session.account, school, _monday(week), now)
    if view is None:
        frame = site.frame("Nog geen bespreeklijst", session, Area.LIST)
        return site.render(NoListPage(frame, site.desk.school_name(school, now)))
    sort = sorteer if sorteer in _SORTINGS else DEFAULT_SORT
    direction = "af" if richting == "af" else "op"
    entries = _sorted([_entry(view, row) for row in view.published.rows], sort, direction)
    published = view.published
    number = week_number(published.as_of)
    own = sorted(session.account.schools)
    page = ListPage(
        frame=site.frame(f"Bespreeklijst week {number}", session, Area.LIST),
        school=school,
        school_name=view.school_name,
        schools=tuple(
            Option(code, site.desk.school_name(code, now), code == school)
            for code in (own if len(own) > 1 else ())
        ),
        week=number,
        week_of=full_day(published.as_of),
        weeks=tuple(
            Option(
                monday.isoformat(),
                f"week {week_number(monday)}, {table_day(monday)}",
                monday == published.as_of,
            )
            for monday in view.weeks
        ),
        sort=sort,
        direction=direction,
        count=counted(len(entries), "leerling", "leerlingen"),
        open_count=counted(sum(entry.line.is_open for entry in entries), "leerling", "leerlingen"),
        capacity=published.capacity,
        data_until=full_day(published.data_until),
        published=moment(published.published_at),
        model_version=published.model_version,
        columns=_columns(school, published.as_of, sort, direction),
        blocks=_blocks(view, entries),
        keep_until=long_day(published.as_of + KEEP),
        saved=_saved(entries, bewaard),
    )
    return site.render(page)


_NO_REASON = {
    Block.DISCUSS: "Geen enkel feit valt op. Kijk zelf naar de gegevens.",
    Block.FOLLOW: "Geen enkel feit valt op. Kijk zelf naar de gegevens.",
    Block.TOO_LITTLE_DATA: "Te weinig geregistreerd.",
}


def _monday(week: str) -> date | None:
    if not week:
        return None
    try:
        return date.fromisoformat(week)
    except ValueError as problem:
        raise HTTPException(404) from problem


def _entry(view: WeekView, row: ListRow) -> _Entry:
    name = view.names[row.pupil_key]
    decisions = view.decisions.get(row.pupil_key, [])
    here = [decision for decision in decisions if decision.row_id == row.row_id]
    earlier = [decision for decision in decisions if decision.as_of < view.published.as_of]
    reason = row.explanation.reasons[0] if row.explanation.reasons else None
    line = ListLine(
        row_id=row.row_id,
        name=name.full,
        group=row.group or "–",
        theme=reason.theme.label if reason else "",
        remark=reason.sentence if reason else _NO_REASON[row.block],
        newness=_newness(view, row.pupil_key, row.newness),
        is_new=row.newness == Newness.NEW,
        running=row.explanation.support,
        status=here[0].kind.label if here else "Nog geen besluit",
        is_open=not here,
        status_detail=_detail(here[0]) if here else "",
        earlier=_earlier(earlier[0]) if earlier and not here else "",
    )
    return _Entry(row, line, name.sort_key)


def _newness(view: WeekView, pupil_key: PupilKey, newness: Newness) -> str:
    if newness == Newness.NEW:
        return "Nieuw"
    if newness == Newness.BACK:
        return "Terug"
    weeks = 0
    for monday, block in view.memberships[pupil_key].items():
        if monday > view.published.as_of:
            continue
        if block is None:
            break
        weeks += 1
    return f"{weeks}e week" if weeks > 1 else "Opnieuw"


def _detail(decision: Decision) -> str:
    parts = [decision.owner] if decision.owner else []
    if decision.look_back_on:
        parts.append(f"terugkijken op {table_day(decision.look_back_on)}")
    return ", ".join(parts)


def _earlier(decision: Decision) -> str:
    day = table_day(local_day(decision.decided_at))
    parts = [f"Vorige keer ({day}): {decision.kind.label.lower()}"]
    if decision.look_back_on:
        parts.append(f"terugkijken op {table_day(decision.look_back_on)}")
    return ", ".join(parts)


def _sorted(entries: list[_Entry], sort: str, direction: str) -> list[_Entry]:
    key = _SORTINGS[sort][2]
    by_name = sorted(entries, key=lambda entry: entry.name_key, reverse=False)
    if sort == "naam":
        return by_name[::-1] if direction == "af" else by_name
    return sorted(by_name, key=key, reverse=direction == "af")


def _columns(school: str, as_of: date, sort: str, direction: str) -> tuple[Column, ...]:
    columns = []
    for name, (label, what, _key) in _SORTINGS.items():
        turned = "af" if name == sort and direction == "op" else "op"
        query = urlencode({"week": as_of.isoformat(), "sorteer": name, "richting": turned})
        aria = ""
        if name == sort:
            aria = "ascending" if direction == "op" else "descending"
        hint = f"sorteer op {what}" + (", omgekeerd" if turned == "af" else "")
        columns.append(Column(label, f"/lijst/{school}?{query}", aria, hint))
    return tuple(columns)


def _blocks(view: WeekView, entries: list[_Entry]) -> tuple[ListBlock, ...]:
    blocks = []
    for block in Block:
        lines = tuple(entry.line for entry in entries if entry.row.block == block)
        # "Too little data" is only worth a heading when it holds someone.
        if lines or block == Block.DISCUSS:
            frequency = view.published.frequencies.get(block, "")
            is_long = block == Block.TOO_LITTLE_DATA and len(lines) > LONGEST_OPEN
            folded = f"Toon deze {len(lines)} leerlingen" if is_long else ""
            explanation = _EXPLANATIONS[block]
            blocks.append(
                ListBlock(block.value, block.label, explanation, frequency, folded, lines)
            )
    return tuple(blocks)


def _saved(entries: list[_Entry], row_id: str) -> str:
    for entry in entries:
        if entry.line.row_id == row_id and not entry.line.is_open:
            return f"Besluit bewaard voor {entry.line.name}: {entry.line.status.lower()}."
    return ""
