"""Every sentence of a reason read again, slowly, from the records as they were known that Monday.

It shares nothing with the making of reasons but the words: each clause must be one of the forms
below, and its figures are counted with the slow reference of the features. A clause that is not
recognised is an error, so that no figure goes unread.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from features.vocabulary import (
    ABSENT_KINDS,
    CONTACT_KINDS,
    RUNNING_KINDS,
    UNAUTHORISED_KINDS,
    AbsenceKind,
    SupportKind,
)
from tests.reference.oracle import Known, Pupil, days_of, minute_of

MONTHS = (
    *("januari", "februari", "maart", "april", "mei", "juni"),
    *("juli", "augustus", "september", "oktober", "november", "december"),
)
WEEKDAYS = ("maandag", "dinsdag", "woensdag", "donderdag", "vrijdag", "zaterdag", "zondag")
LABELS = {kind.label: kind for kind in AbsenceKind}
SUPPORT_LABELS = {kind.label: kind for kind in SupportKind}
SINCE = r"(?: \(sinds (?P<since>[^)]+)\))?"
LAST = rf"In de laatste (?P<weeks>\d+) schoolweken{SINCE} "
EARLIER = r"in de (?P<before_weeks>\d+) schoolweken daarvoor (?P<before>[\d,]+)"
BEFORE = rf"(?:; {EARLIER}(?: %| dagen| dag)?)?\."
Quantity = Callable[[Pupil, list[date]], float]


class School(Known):
    """The records of one school as known on a Monday, some of them looked up by pupil."""

    def __init__(self, tables: Any, school: str, monday: date) -> None:
        super().__init__(tables, school, monday)
        self._recorded = {
            (row["pupil_key"], _monday(row["starts_at"].date())) for row in self.absence
        }
        self._groups: dict[date, dict[str, str | None]] = {}
        self._placed: dict[str, list[Any]] = {}
        for row in self.placements:
            self._placed.setdefault(row["pupil_key"], []).append(row)
        self.pupils: dict[str, Pupil] = {}

    def pupil(self, key: str) -> Pupil:
        if key not in self.pupils:
            self.pupils[key] = Pupil(self, key)
        return self.pupils[key]

    def placement(self, key: str, day: date) -> Any:
        """As in `Known`, over the pupil's own rows."""
        everyone, self.placements = self.placements, self._placed.get(key, [])
        try:
            return super().placement(key, day)
        finally:
            self.placements = everyone

    def is_silent(self, week: date, group: str) -> bool:
        """As in `Known`, over the same records, looked up instead of searched."""
        if (week, group) not in self.by_chance:
            if week not in self._groups:
                self._groups[week] = {k: self.group_in_week(k, week) for k in self.pupil_keys}
            groups = self._groups[week]
            own = [key for key, theirs in groups.items() if theirs == group]
            others = [key for key, theirs in groups.items() if theirs not in (None, group)]
            records = sum((key, week) in self._recorded for key in own)
            others_with = sum((key, week) in self._recorded for key in others)
            silent = bool(own) and records == 0 and bool(others)
            self.by_chance[week, group] = (
                (1 - others_with / len(others)) ** len(own) if silent else 1.0
            )
        return self.by_chance[week, group] < 0.01

    def classmates(self, key: str) -> list[Pupil]:
        mine = self.placement(key, self.monday)
        assert mine is not None
        found = []
        for other in self.pupil_keys:
            placed = self.placement(other, self.monday)
            if other != key and placed is not None and placed["group"] == mine["group"]:
                found.append(self.pupil(other))
        return found

    def previous_year(self) -> list[date]:
        year = self.school_year()
        return self.weeks_that_begin(date(year - 1, 8, 1), date(year, 8, 1))


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())


# What can be counted ---------------------------------------------------------------------------


def absent_days(pupil: Pupil, weeks: list[date]) -> float:
    return pupil.count(weeks, pupil.is_absent_day)


def part_days(pupil: Pupil, weeks: list[date]) -> float:
    return pupil.count(weeks, pupil.is_part_day)


def episodes(pupil: Pupil, weeks: list[date]) -> float:
    return pupil.sick_episodes(weeks)


def longest(pupil: Pupil, weeks: list[date]) -> float:
    return pupil.longest_run(weeks)


def minutes_of(kinds: Any) -> Quantity:
    def counted(pupil: Pupil, weeks: list[date]) -> float:
        return pupil.count(weeks, lambda day: sum(pupil.kinds(day)[kind] for kind in kinds))

    return counted


def hours(pupil: Pupil, weeks: list[date]) -> float:
    return minutes_of(UNAUTHORISED_KINDS)(pupil, weeks) / 60


def percent(kinds: Any) -> Quantity:
    return lambda pupil, weeks: 100 * pupil.share_of(kinds, weeks)


def single(pupil: Pupil, weeks: list[date]) -> float:
    return float(len(single_days(pupil, weeks))) if pupil.counted(weeks) else float("nan")


def edge(pupil: Pupil, weeks: list[date]) -> float:
    near = timedelta(days=1)
    known = pupil.known
    return float(
        sum(
            not known.is_school_day(day - near) or not known.is_school_day(day + near)
            for day in single_days(pupil, weeks)
        )
    )


def single_days(pupil: Pupil, weeks: list[date]) -> list[date]:
    days = pupil.counted(weeks)
    flags = [False, *map(pupil.is_absent_day, days), False]
    return [
        day
        for at, day in enumerate(days, start=1)
        if flags[at] and not (flags[at - 1] or flags[at + 1])
    ]


def current_run(pupil: Pupil, _: list[date]) -> float:
    return pupil.current_run(lambda day: pupil.absent(day) > 0)


NUMBER = r"(?P<number>[\d,]+)"
FORMS: dict[str, Quantity] = {
    rf"{LAST}{NUMBER} dag(?:en)? afwezig{BEFORE}": absent_days,
    rf"{LAST}{NUMBER} dag(?:en)? minder dan de helft van de dag afwezig{BEFORE}": part_days,
    rf"{LAST}{NUMBER} ziekteperioden?{BEFORE}": episodes,
    rf"{LAST}was de langste reeks {NUMBER} schooldag(?:en)? op rij afwezig\.": longest,
    rf"{LAST}{NUMBER} keer precies één dag afwezig\.": single,
    rf"{LAST}{NUMBER} keer precies één dag afwezig, "
    r"vlak voor of na een weekend of vrije dag\.": edge,
    rf"{LAST}{NUMBER} uur ongeoorloofd afwezig \(meldgrens: 16 uur\){BEFORE}": hours,
    rf"{LAST}{NUMBER} % van de lestijd ongeoorloofd afwezig{BEFORE}": percent(UNAUTHORISED_KINDS),
    rf"{LAST}{NUMBER} % van de lestijd afwezig zonder bekende reden{BEFORE}": percent(
        [AbsenceKind.UNVERIFIED]
    ),
    rf"{LAST}{NUMBER} keer te laat{BEFORE}": minutes_of([AbsenceKind.LATE_ARRIVAL]),
    rf"{LAST}{NUMBER} keer uit de les gestuurd{BEFORE}": minutes_of([AbsenceKind.SENT_OUT]),
    rf"Nu {NUMBER} schooldag(?:en)? op rij \(deels\) afwezig\.": current_run,
    rf"Vorig schooljaar {NUMBER} dag(?:en)? afwezig\.": absent_days,
    rf"Vorig schooljaar was de langste reeks {NUMBER} schooldag(?:en)? op rij afwezig\.": longest,
    rf"Vorig schooljaar {NUMBER} keer te laat\.": minutes_of([AbsenceKind.LATE_ARRIVAL]),
}


@dataclass
class Reading:
    """What was read: how many figures, and what did not agree with the records."""

    figures: int = 0
    wrong: list[str] | None = None

    def hold(self, said: object, counted: object, text: str) -> None:
        self.figures += 1
        if said != counted:
            self.wrong = [*(self.wrong or []), f"{text!r}: said {said}, counted {counted}"]


def read_explanation(school: School, key: str, explained: Any, reading: Reading) -> None:
    """Count every figure of one explanation again."""
    pupil = school.pupil(key)
    for reason in explained.reasons:
        first: tuple[Quantity, list[date]] | None = None
        for clause in _clauses(reason.sentence):
            found = _read_clause(pupil, clause, reading)
            first = first or found
        if reason.comparison:
            assert first is not None, reason.comparison
            _read_comparison(pupil, reason.comparison, first, reading)
        for line in reason.evidence:
            _read_line(pupil, line, reading)
    for text in explained.counter_evidence:
        _read_counter(pupil, text, reading)
    for text in explained.support:
        _read_support(pupil, text, reading)


def _clauses(sentence: str) -> list[str]:
    return [part.strip() for part in re.findall(r".+?\.(?= [A-Z]|$)", sentence)]


def _read_clause(pupil: Pupil, clause: str, reading: Reading) -> tuple[Quantity, list[date]] | None:
    school = pupil.known
    assert isinstance(school, School)
    for form, quantity in FORMS.items():
        found = re.fullmatch(form, clause)
        if not found:
            continue
        said = found.groupdict()
        weeks = school.previous_year()
        if said.get("weeks"):
            size = int(said["weeks"])
            weeks = school.last_school_weeks(size)
            if said.get("since"):
                reading.hold(said["since"], dutch(weeks[0], school.monday), clause)
            if said.get("before"):
                more = int(said["before_weeks"])
                earlier = school.last_school_weeks(size + more)
                earlier = earlier[: len(earlier) - len(weeks)]
                reading.hold(said["before"], figure(quantity(pupil, earlier)), clause)
        reading.hold(said["number"], figure(quantity(pupil, weeks)), clause)
        return quantity, weeks
    _read_other(pupil, clause, reading)
    return None


def _read_other(pupil: Pupil, clause: str, reading: Reading) -> None:
    known, today = pupil.known, pupil.known.monday
    if found := re.fullmatch(
        rf"In de laatste 12 schoolweken{SINCE} vielen (\d+) van de (\d+) dagen met "
        r"afwezigheid op een (\w+)\.",
        clause,
    ):
        days = [day for day in pupil.counted(pupil.last(12)) if pupil.absent(day) > 0]
        weekday = WEEKDAYS.index(found[4])
        reading.hold(int(found[2]), sum(day.weekday() == weekday for day in days), clause)
        reading.hold(int(found[3]), len(days), clause)
        if found["since"]:
            reading.hold(found["since"], dutch(pupil.last(12)[0], today), clause)
    elif found := re.fullmatch(r"Ondersteuning geëindigd op (.+): (.+)\.", clause):
        ends = [
            (row["ends_on"], row["kind"])
            for row in _support(pupil)
            if row["kind"] in RUNNING_KINDS
            and row["status"] in ("running", "done")
            and row["ends_on"] is not None
            and row["ends_on"] < today
        ]
        day, kind = max(ends)
        reading.hold((found[1], found[2]), (dutch(day, today), SupportKind(kind).label), clause)
    elif clause == "Er is geen vervolg vastgelegd.":
        going = [
            row
            for row in _support(pupil)
            if row["kind"] in RUNNING_KINDS | {SupportKind.TLV_REQUEST}
            and row["status"] in ("running", "requested", "planned")
            and (row["ends_on"] is None or row["ends_on"] >= today)
            and not (row["status"] == "running" and row["kind"] not in RUNNING_KINDS)
        ]
        reading.hold(0, len(going), clause)
    elif found := re.fullmatch(
        r"Op (.+) is een toelaatbaarheidsverklaring \(TLV\) aangevraagd; "
        r"er is nog geen besluit vastgelegd\.",
        clause,
    ):
        asked = [
            dutch(row["starts_on"], today)
            for row in _support(pupil)
            if row["kind"] == "tlv_request" and row["status"] == "requested" and row["starts_on"]
        ]
        reading.hold(True, found[1] in asked, clause)
    elif found := re.fullmatch(
        r"In de laatste 40 schoolweken (\d+) keer een verzuimmelding gedaan\.", clause
    ):
        reading.hold(found[1], figure(pupil.support()["duo_reports_40w"]), clause)
    elif found := re.fullmatch(r"Sinds (.+) op deze school\.", clause):
        starts = [
            dutch(row["enrolled_on"], today)
            for row in known.placements
            if row["pupil_key"] == pupil.key
        ]
        reading.hold(True, found[1] in starts, clause)
    elif clause == "Zit in het eerste leerjaar na de basisschool.":
        reading.hold(11, pupil.year_group_number(), clause)
    else:
        raise AssertionError(f"no reading for {clause!r}")


def _read_comparison(
    pupil: Pupil, text: str, said: tuple[Quantity, list[date]], reading: Reading
) -> None:
    quantity, weeks = said
    school = pupil.known
    assert isinstance(school, School)
    own = quantity(pupil, weeks)
    others = [quantity(other, weeks) for other in school.classmates(pupil.key)]
    others = [value for value in others if value == value]  # NaN is not itself
    below = sum(value < own for value in others)
    found = re.search(r": meer dan (?:alle (\d+)|(\d+) van de (\d+)) klasgenoten\.$", text)
    assert found, text
    numbers = (found[1], found[1]) if found[1] else (found[2], found[3])
    reading.hold(numbers, (str(below), str(len(others))), text)
    reading.hold(True, len(others) >= 10, text)


def _read_line(pupil: Pupil, line: Any, reading: Reading) -> None:
    text, school = f"{line.day} {line.label} {line.detail}", pupil.known
    assert isinstance(school, School)
    kind = LABELS.get(line.label)
    if found := re.fullmatch(r"(\d+) schooldag(?:en, tot en met (.+))?", line.detail):
        days = pupil.counted(school.previous_year())
        run = days[days.index(line.day) :][: int(found[1])]
        reading.hold(True, all(pupil.is_absent_day(day) for day in run), text)
        if found[2]:
            reading.hold(found[2], dutch(run[-1], school.monday), text)
    elif found := re.fullmatch(r"(\d+) keer in (\w+) (\d+)", line.detail):
        month = MONTHS.index(found[2]) + 1
        assert kind is not None
        counted = sum(
            pupil.kinds(day)[kind]
            for day in pupil.counted(school.previous_year())
            if (day.year, day.month) == (int(found[3]), month)
        )
        reading.hold(found[1], figure(counted), text)
    elif kind is None or line.label == "ingeschreven":
        _read_dated(pupil, line, reading, text)
    elif line.detail == "hele dag":
        reading.hold(True, pupil.kinds(line.day)[kind] >= school.planned(pupil.key, line.day), text)
    elif found := re.fullmatch(r"(\d+) keer", line.detail):
        reading.hold(found[1], figure(pupil.kinds(line.day)[kind]), text)
    elif found := re.fullmatch(r"(\d+) minu(?:ut|ten)(?: \((\d+) (?:les|lessen)\))?", line.detail):
        reading.hold(found[1], figure(pupil.kinds(line.day)[kind]), text)
        if found[2]:
            starts = {
                minute_of(row["starts_at"])
                for row, start in pupil.touching(line.day)
                if row["kind"] == kind and start is not None
            }
            reading.hold(int(found[2]), len(starts), text)
    else:
        raise AssertionError(f"no reading for {text!r}")


def _read_dated(pupil: Pupil, line: Any, reading: Reading, text: str) -> None:
    rows = [row for row in _support(pupil) if SupportKind(row["kind"]).label == line.label]
    days = {row["ends_on" if line.detail == "geëindigd" else "starts_on"] for row in rows}
    if line.label == "ingeschreven":
        mine = [row for row in pupil.known.placements if row["pupil_key"] == pupil.key]
        days = {row["enrolled_on"] for row in mine}
    reading.hold(True, line.day in days, text)


def _read_counter(pupil: Pupil, text: str, reading: Reading) -> None:
    today = pupil.known.monday
    if found := re.fullmatch(
        r"In de laatste (?:(\d+) schoolweken|schoolweek) volledig aanwezig\.", text
    ):
        own = [week for week in pupil.last(12) if any(_planned(pupil, week))]
        number = int(found[1] or 1)
        for week in own[len(own) - number :]:
            reading.hold(True, bool(pupil.counted([week])), text)
            reading.hold(0, sum(pupil.absent(day) for day in pupil.counted([week])), text)
    elif found := re.fullmatch(
        r"Minder afwezig dan eerst: in de laatste 4 schoolweken (geen dag|\d+ dag(?:en)?), "
        r"in de 8 schoolweken daarvoor (\d+)\.",
        text,
    ):
        last, both = pupil.last(4), pupil.last(12)
        said = found[1].split()[0].replace("geen", "0")
        reading.hold(said, figure(absent_days(pupil, last)), text)
        before = both[: len(both) - len(last)]
        reading.hold(found[2], figure(absent_days(pupil, before)), text)
    elif found := re.match(r"Op (.+?) (?:is|was)", text):
        held = {
            dutch(row["starts_on"], today)
            for row in _support(pupil)
            if row["kind"] in CONTACT_KINDS
            and row["status"] in ("running", "done")
            and row["starts_on"] is not None
            and row["starts_on"] < today
        }
        reading.hold(True, found[1] in held, text)
    else:
        assert text == "In de laatste 12 schoolweken geen ongeoorloofde afwezigheid vastgelegd."
        kinds = {*UNAUTHORISED_KINDS, AbsenceKind.UNVERIFIED}
        reading.hold(0.0, minutes_of(kinds)(pupil, pupil.last(12)), text)
        reading.hold(True, minutes_of(ABSENT_KINDS)(pupil, pupil.last(12)) > 0, text)


def _read_support(pupil: Pupil, text: str, reading: Reading) -> None:
    found = re.fullmatch(
        r"(Ondersteuning loopt|Aangevraagd|Gepland): (.+?)(?:, (?:sinds|op|vanaf) (.+))?\.", text
    )
    assert found, text
    statuses = {"Ondersteuning loopt": "running", "Aangevraagd": "requested", "Gepland": "planned"}
    today = pupil.known.monday
    rows = [
        (SupportKind(row["kind"]).label, row["starts_on"] and dutch(row["starts_on"], today))
        for row in _support(pupil)
        if row["status"] == statuses[found[1]]
        and (row["ends_on"] is None or row["ends_on"] >= today)
    ]
    reading.hold(True, (found[2], found[3]) in rows, text)


def _planned(pupil: Pupil, week: date) -> list[bool]:
    return [pupil.known.planned(pupil.key, day) > 0 for day in days_of([week])]


def _support(pupil: Pupil) -> list[Any]:
    return [row for row in pupil.known.support if row["pupil_key"] == pupil.key]


def figure(value: float) -> str:
    """A number as people read it."""
    text = f"{round(value, 1):.1f}".replace(".", ",")
    return text.removesuffix(",0")


def dutch(day: date, today: date) -> str:
    """A date as people write it."""
    year = today.year if today.month >= 8 else today.year - 1
    same = (day.year if day.month >= 8 else day.year - 1) == year
    text = f"{day.day} {MONTHS[day.month - 1]}"
    return text if same else f"{text} {day.year}"
