"""The calendar of a pupil's page: weeks by days with letters, the support under it, a summary."""

from collections.abc import Sequence
from datetime import date, timedelta

from serving.facts import Day, Mark, PupilFacts, SupportItem, Week, absent_days
from serving.web.contexts.pupil import CalendarLine, CalendarPart, Cell, WeekHead
from serving.web.dutch import (
    WEEKDAYS,
    counted,
    listing,
    short_day,
    table_day,
    week_number,
)

WEEKS_IN_PART = 10

_STYLES = {
    Mark.SICK: "sick",
    Mark.MEDICAL_VISIT: "excused",
    Mark.LEAVE: "excused",
    Mark.SUSPENSION: "excused",
    Mark.UNAUTHORISED: "unexcused",
    Mark.UNVERIFIED: "unknown",
    Mark.LATE: "moment",
    Mark.SENT_OUT: "moment",
}
_MOMENTS = frozenset({Mark.LATE, Mark.SENT_OUT})


def calendar_parts(facts: PupilFacts) -> tuple[CalendarPart, ...]:
    """The weeks in parts of ten, oldest first, each a table of its own."""
    weeks = facts.weeks
    starts = range(0, len(weeks), WEEKS_IN_PART)
    return tuple(_part(weeks[start : start + WEEKS_IN_PART], facts.support) for start in starts)


def _part(weeks: Sequence[Week], support: Sequence[SupportItem]) -> CalendarPart:
    first, last = weeks[0].monday, weeks[-1].days[-1].day
    ending = table_day(last)
    beginning = table_day(first) if first.year != last.year else short_day(first)
    return CalendarPart(
        caption=f"{beginning} t/m {ending}",
        weeks=tuple(
            WeekHead(
                week_number(week.monday),
                f"week {week_number(week.monday)}{', na een vakantie' * week.after_holiday}",
                week.after_holiday,
            )
            for week in weeks
        ),
        days=tuple(
            CalendarLine(
                WEEKDAYS[number][:2],
                WEEKDAYS[number],
                tuple(_day_cell(week.days[number], week.after_holiday) for week in weeks),
            )
            for number in range(5)
        ),
        support=tuple(
            CalendarLine(
                str(number),
                f"nummer {number}: {item.kind.label}",
                tuple(_support_cell(item, week) for week in weeks),
            )
            for number, item in enumerate(support, start=1)
            if any(_touches(item, week) for week in weeks)
        ),
    )


def _day_cell(day: Day, after_holiday: bool) -> Cell:
    gap = " gap" if after_holiday else ""
    if not day.is_planned:
        return Cell("", f"day off{gap}", "geen les")
    if day.mark is None:
        return Cell("·", f"day here{gap}", "aanwezig")
    style = _STYLES[day.mark]
    if day.mark in _MOMENTS:
        return Cell(day.mark.value, f"day {style}{gap}", day.mark.label)
    if day.is_most:
        return Cell(day.mark.value, f"day {style}{gap}", day.mark.label)
    letter = day.mark.value.lower()
    return Cell(letter, f"day {style} part{gap}", f"{day.mark.label}, minder dan een halve dag")


def _touches(item: SupportItem, week: Week) -> bool:
    first, last = week.monday, week.monday + timedelta(days=6)
    if item.starts_on is None or item.starts_on > last:
        return False
    if item.ends_on is not None:
        return item.ends_on >= first
    return item.starts_on >= first or item.is_open


def _support_cell(item: SupportItem, week: Week) -> Cell:
    if not _touches(item, week):
        return Cell("", "none", "niets")
    if item.kind.is_contact:
        return Cell("●", "contact", item.kind.label)
    if item.runs:
        return Cell("", "running", "loopt")
    return Cell("", "waiting", "wacht")


def legend() -> tuple[Cell, ...]:
    """What the letters and patterns mean."""
    days = [
        Cell(mark.value, f"day {_STYLES[mark]}", mark.label) for mark in Mark if mark != Mark.LATE
    ]
    days.insert(6, Cell(Mark.LATE.value, f"day {_STYLES[Mark.LATE]}", Mark.LATE.label))
    return (
        *days,
        Cell("z", "day sick part", "kleine letter: minder dan een halve dag"),
        Cell("·", "day here", "aanwezig"),
    )


def summary(facts: PupilFacts) -> tuple[str, ...]:
    """The calendar in a few sentences, for who does not see or wish to read the cells."""
    if not facts.weeks:
        return ("Er zijn nog geen schoolweken van deze leerling bekend.",)
    days = [day for week in facts.weeks for day in week.days if day.is_planned]
    missed = [day for day in days if day.is_most]
    kinds = absent_days(facts)
    lines = [
        f"In de laatste {counted(len(facts.weeks), 'schoolweek', 'schoolweken')} "
        f"{counted(len(missed), 'dag', 'dagen')} een halve dag of langer afwezig"
        + (f": {listing([f'{n} {mark.label}' for mark, n in kinds.items()])}." if kinds else ".")
    ]
    edges = sum(day.day.weekday() in (0, 4) for day in missed)
    if len(missed) >= 5:
        lines.append(f"Daarvan {edges} op maandag of vrijdag.")
    part = sum(
        day.mark is not None and not day.is_most and day.mark not in _MOMENTS for day in days
    )
    late = sum(day.mark is Mark.LATE for day in days)
    sent_out = sum(day.mark is Mark.SENT_OUT for day in days)
    others = [
        (part, "keer een deel van de dag afwezig"),
        (late, "keer te laat"),
        (sent_out, "keer uit de les gestuurd"),
    ]
    told = [f"{number} {words}" for number, words in others if number]
    if told:
        lines.append(f"{listing(told)}.")
    last = _last_missed(missed)
    if last:
        lines.append(f"Laatste dag afwezig: {table_day(last)}.")
    return tuple(lines)


def _last_missed(missed: Sequence[Day]) -> date | None:
    return max((day.day for day in missed), default=None)
