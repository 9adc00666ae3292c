"""What stands in each row of the list, in which block, order and selection."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from features.vocabulary import PupilKey
from serving.beside import Place, SideRow
from serving.decisions import Decision
from serving.desk import WeekView
from serving.lists import Block, ListRow, Newness
from serving.web.contexts.week_list import ListBlock, ListLine
from serving.web.dutch import local_day, table_day, within

# At the start of a school year everyone who is new has too little data.
LONGEST_OPEN = 10

_NOTHING_STANDS_OUT = "Geen enkel feit valt op. Kijk zelf naar de gegevens."
_NO_REASON = {
    Block.DISCUSS: _NOTHING_STANDS_OUT,
    Block.FOLLOW: _NOTHING_STANDS_OUT,
    Block.TOO_LITTLE_DATA: "Te weinig geregistreerd.",
}


@dataclass(frozen=True)
class Entry:
    """One row with what it is sorted by."""

    block: Block | Place
    line: ListLine
    name_key: tuple[str, str]


@dataclass(frozen=True)
class _Part:
    block: Block | Place
    label: str
    explanation: str


_PARTS = (
    _Part(
        Place.BY_APPOINTMENT,
        "Terug op afspraak",
        "Bij deze leerlingen hebt u afgesproken om deze week terug te kijken.",
    ),
    _Part(
        Block.DISCUSS,
        "Bespreken",
        "Bespreek deze leerlingen deze week. Begin met: klopt de registratie?",
    ),
    _Part(
        Block.FOLLOW,
        "Volgen",
        "Hier is deze week geen gesprek voor nodig. Kijk volgende week opnieuw.",
    ),
    _Part(
        Place.ADDED,
        "Zelf toegevoegd",
        "U of een collega zette deze leerlingen zelf op de lijst.",
    ),
    _Part(
        Block.TOO_LITTLE_DATA,
        "Te weinig gegevens",
        "Voor deze leerlingen is te weinig geregistreerd om iets te kunnen zeggen. "
        "Dat is geen geruststelling.",
    ),
)

Sorting = Callable[[Entry], tuple[Any, ...]]
# Ties go by name, never by the order in which the model put them.
SORTINGS: Mapping[str, tuple[str, str, Sorting]] = {
    "naam": ("Leerling", "naam", lambda _entry: ()),
    "groep": ("Groep", "groep", lambda entry: (entry.line.group,)),
    "wat": ("Wat valt op", "wat opvalt", lambda entry: (entry.line.theme,)),
    "nieuw": ("Op de lijst", "nieuw op de lijst", lambda entry: (not entry.line.is_new,)),
    "loopt": ("Loopt al", "wat er al loopt", lambda entry: (entry.line.running,)),
    "status": ("Status", "status", lambda entry: (not entry.line.is_open, entry.line.status)),
}
DEFAULT_SORT = "nieuw"

_Selection = Callable[[Entry], bool]
SELECTIONS: Mapping[str, tuple[str, _Selection]] = {
    "": ("Iedereen", lambda _entry: True),
    "open": ("Nog geen besluit", lambda entry: entry.line.is_open),
    "nieuw": ("Nieuw", lambda entry: entry.line.is_new),
    "zonder": ("Er loopt nog niets", lambda entry: not entry.line.running),
}


def entries_of(view: WeekView) -> list[Entry]:
    """Every row of the week: those of the published list, and those beside it."""
    listed = [_listed(view, row) for row in view.published.rows]
    return listed + [_beside(view, row) for row in view.side]


def in_order(entries: list[Entry], sort: str, direction: str) -> list[Entry]:
    """Sorted as asked; ties by name, the same way in both directions."""
    key = SORTINGS[sort][2]
    by_name = sorted(entries, key=lambda entry: entry.name_key)
    if sort == "naam":
        return by_name[::-1] if direction == "af" else by_name
    return sorted(by_name, key=key, reverse=direction == "af")


def blocks_of(view: WeekView, entries: list[Entry]) -> tuple[ListBlock, ...]:
    """The blocks in the order in which one works; an empty one is left out, but for the first."""
    blocks = []
    for part in _PARTS:
        lines = tuple(entry.line for entry in entries if entry.block == part.block)
        if not lines and part.block is not Block.DISCUSS:
            continue
        frequency = (
            view.published.frequencies.get(part.block, "") if isinstance(part.block, Block) else ""
        )
        is_long = part.block == Block.TOO_LITTLE_DATA and len(lines) > LONGEST_OPEN
        blocks.append(
            ListBlock(
                key=part.block.value,
                heading=part.label,
                explanation=part.explanation,
                frequency=frequency,
                folded=f"Toon deze {len(lines)} leerlingen" if is_long else "",
                lines=lines,
            )
        )
    return tuple(blocks)


def _listed(view: WeekView, row: ListRow) -> Entry:
    reason = row.explanation.reasons[0] if row.explanation.reasons else None
    newness = _newness(view, row.pupil_key, row.newness)
    return _entry(
        view,
        row.block,
        row.pupil_key,
        row.row_id,
        group=row.group,
        theme=reason.theme.label if reason else "",
        remark=reason.sentence if reason else _NO_REASON[row.block],
        newness=newness,
        newness_detail=_newness_detail(view, row),
        is_new=row.newness == Newness.NEW,
        running=row.explanation.support,
    )


def _beside(view: WeekView, row: SideRow) -> Entry:
    return _entry(
        view,
        row.place,
        row.pupil_key,
        row.row_id,
        group=row.group,
        theme="",
        remark=_why_beside(view, row),
        newness=row.place.label,
        newness_detail="",
        is_new=False,
        running=row.running,
    )


def _why_beside(view: WeekView, row: SideRow) -> str:
    if row.place is Place.ADDED:
        because = row.because.label if row.because else "Een andere reden"
        return f"{because} (toegevoegd: {row.added_by})." if row.added_by else f"{because}."
    agreed = view.due.get(row.pupil_key)
    day = f" op {table_day(row.since)}" if row.since else ""
    if agreed is None:
        return f"Afgesproken om{day} terug te kijken."
    owner = f" ({agreed.owner})" if agreed.owner else ""
    return f"Afgesproken: {within(agreed.kind.label)}{owner}; terugkijken{day}."


def _entry(
    view: WeekView,
    block: Block | Place,
    pupil_key: PupilKey,
    row_id: str,
    *,
    group: str,
    theme: str,
    remark: str,
    newness: str,
    newness_detail: str,
    is_new: bool,
    running: tuple[str, ...],
) -> Entry:
    name = view.names[pupil_key]
    decisions = view.decisions.get(pupil_key, [])
    here = [one for one in decisions if one.as_of == view.published.as_of]
    earlier = [one for one in decisions if one.as_of < view.published.as_of]
    line = ListLine(
        row_id=row_id,
        name=name.full,
        group=group or "–",
        theme=theme,
        remark=remark,
        newness=newness,
        newness_detail=newness_detail,
        is_new=is_new,
        running=running,
        status=here[0].kind.label if here else "Nog geen besluit",
        is_open=not here,
        status_detail=_detail(here[0]) if here else "",
        earlier=_earlier(earlier[0]) if earlier and not here else "",
    )
    return Entry(block, line, name.sort_key)


def _newness(view: WeekView, pupil_key: PupilKey, newness: Newness) -> str:
    if newness == Newness.NEW:
        return "Nieuw"
    if newness == Newness.BACK:
        return "Terug"
    weeks = _weeks_on_end(view, pupil_key)
    return f"{weeks}e week" if weeks > 1 else "Opnieuw"


def _newness_detail(view: WeekView, row: ListRow) -> str:
    """Since when, for who is back; and whether this was agreed."""
    parts = []
    if row.newness == Newness.BACK:
        earlier = (
            monday
            for monday, members in view.memberships.items()
            if monday < view.published.as_of and row.pupil_key in members
        )
        parts += [f"eerder {table_day(monday)}" for monday in list(earlier)[:1]]
    if row.pupil_key in view.due:
        parts.append("op afspraak")
    return ", ".join(parts)


def _weeks_on_end(view: WeekView, pupil_key: PupilKey) -> int:
    weeks = 0
    for monday, members in view.memberships.items():
        if monday > view.published.as_of:
            continue
        if pupil_key not in members:
            break
        weeks += 1
    return weeks


def _detail(decision: Decision) -> str:
    parts = [decision.owner] if decision.owner else []
    if decision.look_back_on:
        parts.append(f"terugkijken op {table_day(decision.look_back_on)}")
    return ", ".join(parts)


def _earlier(decision: Decision) -> str:
    day: date = local_day(decision.decided_at)
    parts = [f"Vorige keer ({table_day(day)}): {within(decision.kind.label)}"]
    if decision.outcome:
        parts.append(within(decision.outcome.label))
    if decision.look_back_on:
        parts.append(f"terugkijken op {table_day(decision.look_back_on)}")
    return ", ".join(parts)
