"""Support, contacts and school career of a pupil in sentences, and what speaks against a signal."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from features.catalogue import feature
from features.school_weeks import school_year_of
from features.vocabulary import RUNNING_KINDS, AbsenceKind, SupportKind, SupportStatus
from models import quantities as q
from models.evidence import Evidence, PupilRecords, SupportRecord, dutch_date
from models.facts import Fact

RECENT_WEEKS = 12
MOST_CONTACTS = 2
FEWEST_DAYS_BEFORE = 4
"""Fewer days absent in the eight school weeks before are nothing to recover from."""
_CONTACTS = {
    SupportKind.PARENT_TALK: "Op {day} is met ouders gesproken.",
    SupportKind.ATTENDANCE_TALK: "Op {day} is een verzuimgesprek gevoerd.",
    SupportKind.SUPPORT_TEAM: "Op {day} is de leerling besproken in het ondersteuningsteam.",
    SupportKind.MULTI_AGENCY_MEETING: "Op {day} was er een multidisciplinair overleg.",
    SupportKind.SCHOOL_DOCTOR: "Op {day} was er een consult bij de jeugdarts.",
    SupportKind.ATTENDANCE_OFFICER: "Op {day} is overlegd met leerplicht.",
}
"""A statutory report is no contact that speaks against a signal; it stands under a reason."""


def support_facts(records: PupilRecords, values: Mapping[str, float]) -> list[Fact]:
    """Support that ended without a next step, or is waited for; never support that runs.

    Told only where the features of the row, `values`, hold what it rests on (`support_told`).
    """
    known = support_told(values)
    found = (
        _ended(records) if "ended" in known else None,
        _waiting(records) if "waiting" in known else None,
        _reported(records) if "reported" in known else None,
    )
    return [fact for fact in found if fact is not None]


def support_told(columns: Mapping[str, Any]) -> dict[str, Any]:
    """Which facts about support hold, decided on features; those that cannot be are left out.

    >>> import numpy as np
    >>> support_told({"tlv_waiting_weeks": np.array([np.nan, 0.0])})
    {'waiting': array([False,  True])}
    """
    told = {}
    if {"weeks_since_support_ended", "support_requested"} <= set(columns):
        ended, asked = columns["weeks_since_support_ended"], columns["support_requested"]
        told["ended"] = (ended >= 0) & (asked == 0)
    if "tlv_waiting_weeks" in columns:
        told["waiting"] = columns["tlv_waiting_weeks"] >= 0
    if "duo_reports_40w" in columns:
        told["reported"] = columns["duo_reports_40w"] > 0
    return told


def career_facts(records: PupilRecords, values: Mapping[str, float]) -> list[Fact]:
    """Arrival from another school this year, or the first year after primary school."""
    day = dutch_date(records.enrolled_on, records.as_of)
    this_year = school_year_of(records.enrolled_on) == school_year_of(records.as_of)
    if values.get("changed_school") == 1 and this_year:
        line = Evidence(records.enrolled_on, "ingeschreven", "van een andere school gekomen")
        return [Fact("arrival", 1.0, f"Sinds {day} op deze school.", (line,), alone=False)]
    if values.get("transition_year") == 1:
        line = Evidence(records.enrolled_on, "ingeschreven", f"leerjaar {records.year_group}")
        sentence = "Zit in het eerste leerjaar na de basisschool."
        return [Fact("arrival", 1.0, sentence, (line,), alone=False)]
    return []


def support_lines(records: PupilRecords) -> tuple[str, ...]:
    """What runs, and what is asked for or planned; shown beside the reasons, never as one."""
    running = [item for item in records.support if _is_running(item, records.as_of)]
    asked = [item for item in records.support if _is_asked(item, records.as_of)]
    lines = [_line("Ondersteuning loopt", "sinds", item, records.as_of) for item in running]
    lines += [
        _line("Aangevraagd", "op", item, records.as_of)
        if item.status is SupportStatus.REQUESTED
        else _line("Gepland", "vanaf", item, records.as_of)
        for item in asked
    ]
    return tuple(dict.fromkeys(lines))


def counter_evidence(records: PupilRecords) -> tuple[str, ...]:
    """What speaks against a signal: full weeks, less absence, contact, nothing unauthorised."""
    sentences = []
    weeks = full_weeks(records)
    if weeks:
        period = "laatste schoolweek" if weeks == 1 else f"laatste {weeks} schoolweken"
        sentences.append(f"In de {period} volledig aanwezig.")
    sentences += _recovery(records)
    held = [item for item in _contacts(records, RECENT_WEEKS) if item.kind in _CONTACTS]
    newest = {item.kind: item for item in held}  # ascending: the last of each kind stays
    for item in sorted(newest.values(), key=_start, reverse=True)[:MOST_CONTACTS]:
        day = dutch_date(_start(item), records.as_of)
        sentences.append(_CONTACTS[item.kind].format(day=day))
    if _only_excused(records):
        sentences.append("In de laatste 12 schoolweken geen ongeoorloofde afwezigheid vastgelegd.")
    return tuple(sentences)


def full_weeks(records: PupilRecords) -> int:
    """School weeks on end, up to now, with lessons and without absence; at most twelve.

    A week in which the group was not registered ends the row: that is not presence.
    """
    days = records.own
    number = 0
    for week in reversed(
        range(days.last_weeks(RECENT_WEEKS).start // 7, days.planned.shape[1] // 7)
    ):
        span = slice(week * 7, week * 7 + 7)
        if not days.planned[0, span].any():
            continue
        if not days.counted[0, span].any() or days.absent[0, span].any():
            break
        number += 1
    return number


def _recovery(records: PupilRecords) -> list[str]:
    """Less than half as often absent in the last 4 school weeks as in the 8 before."""
    recent = q.total(q.is_absent, q.last(4))(records.own)[0]
    before = q.total(q.is_absent, q.last(8, skip=4))(records.own)[0]
    if not before >= FEWEST_DAYS_BEFORE or not 4 * recent < before:
        return []
    days = {0: "geen dag", 1: "1 dag"}.get(int(recent), f"{int(recent)} dagen")
    return [
        f"Minder afwezig dan eerst: in de laatste 4 schoolweken {days}, "
        f"in de 8 schoolweken daarvoor {int(before)}."
    ]


def _only_excused(records: PupilRecords) -> bool:
    """Some absence in 12 school weeks, none of it unauthorised or unexplained, nothing missing."""
    days = records.own
    window = days.last_weeks(RECENT_WEEKS)
    planned = days.planned[0, window] > 0
    unexplained = days.minutes[AbsenceKind.UNVERIFIED] + days.unauthorised
    return bool(
        days.absent[0, window].any()
        and not unexplained[0, window].any()
        and (days.counted[0, window] == planned).all()
    )


def _ended(records: PupilRecords) -> Fact | None:
    as_of = records.as_of
    if any(_is_running(item, as_of) or _is_asked(item, as_of) for item in records.support):
        return None
    first = records.own.date_of(records.own.last_weeks(q.MOST_WEEKS).start)
    ended = [
        (item.ends_on, item.kind)
        for item in records.support
        if item.kind in RUNNING_KINDS
        and item.status in (SupportStatus.RUNNING, SupportStatus.DONE)
        and item.ends_on is not None
        and first <= item.ends_on < as_of
    ]
    if not ended:
        return None
    day, kind = max(ended)
    sentence = (
        f"Ondersteuning geëindigd op {dutch_date(day, as_of)}: {kind.label}. "
        "Er is geen vervolg vastgelegd."
    )
    return Fact("ended", 1.0, sentence, (Evidence(day, kind.label, "geëindigd"),))


def _waiting(records: PupilRecords) -> Fact | None:
    waiting = [
        item
        for item in records.support
        if item.kind is SupportKind.TLV_REQUEST
        and item.status is SupportStatus.REQUESTED
        and item.starts_on is not None
        and item.starts_on <= records.as_of
        and _has_not_ended(item, records.as_of)
    ]
    if not waiting:
        return None
    day, kind = _start(waiting[0]), waiting[0].kind
    sentence = (
        f"Op {dutch_date(day, records.as_of)} is een toelaatbaarheidsverklaring (TLV) aangevraagd; "
        "er is nog geen besluit vastgelegd."
    )
    return Fact("waiting", 2.0, sentence, (Evidence(day, kind.label, "aangevraagd"),))


def _reported(records: PupilRecords) -> Fact | None:
    reports = [
        item for item in _contacts(records, q.MOST_WEEKS) if item.kind is SupportKind.DUO_REPORT
    ]
    if not reports:
        return None
    lines = tuple(
        Evidence(_start(item), item.kind.label, item.status.label) for item in reversed(reports)
    )
    sentence = feature("duo_reports_40w").sentence(len(reports))
    return Fact("reported", float(len(reports)), sentence, lines)


def _contacts(records: PupilRecords, weeks: int) -> list[SupportRecord]:
    """Talks, meetings and reports that took place in the last school weeks, oldest first."""
    first = records.own.date_of(records.own.last_weeks(weeks).start)
    return [
        item
        for item in records.support
        if item.kind.is_contact
        and item.status in (SupportStatus.RUNNING, SupportStatus.DONE)
        and item.starts_on is not None
        and first <= item.starts_on < records.as_of
    ]


def _is_running(item: SupportRecord, as_of: date) -> bool:
    has_begun = item.starts_on is None or item.starts_on <= as_of
    return (
        item.kind in RUNNING_KINDS
        and item.status is SupportStatus.RUNNING
        and has_begun
        and _has_not_ended(item, as_of)
    )


def _is_asked(item: SupportRecord, as_of: date) -> bool:
    return (
        item.kind in RUNNING_KINDS | {SupportKind.TLV_REQUEST}
        and item.status in (SupportStatus.REQUESTED, SupportStatus.PLANNED)
        and _has_not_ended(item, as_of)
    )


def _has_not_ended(item: SupportRecord, as_of: date) -> bool:
    return item.ends_on is None or item.ends_on >= as_of


def _start(item: SupportRecord) -> date:
    assert item.starts_on is not None
    return item.starts_on


def _line(state: str, since: str, item: SupportRecord, as_of: date) -> str:
    text = f"{state}: {item.kind.label}"
    return f"{text}, {since} {dutch_date(item.starts_on, as_of)}." if item.starts_on else f"{text}."
