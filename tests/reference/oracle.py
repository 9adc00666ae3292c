"""Every feature again, slow and obvious: loops over the records as they were known that Monday.

It shares nothing with the build but the catalogue's names, the holidays and the words of the
vocabulary. Where the two differ, one of them misreads the definition in the catalogue.
"""

import itertools
from collections import defaultdict
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from features.school_weeks import known_school_years, national_school_days
from features.vocabulary import (
    ABSENCE_PRIORITY,
    ABSENT_KINDS,
    CONTACT_KINDS,
    RUNNING_KINDS,
    UNAUTHORISED_KINDS,
    AbsenceKind,
    Region,
    SupportKind,
)

NAN = float("nan")
DAY = timedelta(days=1)
Row = dict[str, Any]

AMSTERDAM = ZoneInfo("Europe/Amsterdam")
OTHER_AUTHORISED = {
    AbsenceKind.MEDICAL_VISIT,
    AbsenceKind.LEAVE,
    AbsenceKind.SUSPENSION,
    AbsenceKind.EXEMPTION,
}


def features(tables: Any, school: str, monday: date) -> dict[str, dict[str, float]]:
    """Per pupil enrolled at `school` on `monday` every feature, as known at 06:00 that day."""
    known = Known(tables, school, monday)
    if not known.schools:
        return {}
    pupils = [key for key in known.pupil_keys if known.placement(key, monday) is not None]
    shares = {w: {key: Pupil(known, key).share(w) for key in pupils} for w in (1, 4, 12)}
    return {key: Pupil(known, key).features(shares) for key in pupils}


def newest_known(versions: list[Row], moment: datetime) -> list[Row]:
    """Per record its newest version known before `moment`, unless that one withdraws it."""
    newest: dict[str, Row] = {}
    for row in sorted(versions, key=lambda row: (row["known_at"], row["sequence"])):
        if row["known_at"] < moment:
            newest[row["record_key"]] = row
    return [newest[key] for key in sorted(newest) if not newest[key]["withdrawn"]]


class Known:
    """The records of one school as known on one Monday, and its days and weeks."""

    def __init__(self, tables: Any, school: str, monday: date) -> None:
        self.monday = monday
        moment = datetime.combine(monday, time(6), AMSTERDAM).astimezone(UTC)
        rows = {
            name: [row for row in table.to_pylist() if row["school"] == school]
            for name, table in vars(tables).items()
        }
        self.absence_versions = rows["absence"]
        self.schools = newest_known(rows["schools"], moment)
        self.calendar = newest_known(rows["calendar"], moment)
        self.timetable = newest_known(rows["timetable"], moment)
        self.placements = newest_known(rows["placements"], moment)
        self.absence = newest_known(rows["absence"], moment)
        self.support = newest_known(rows["support"], moment)
        self.pupil_keys = sorted({row["pupil_key"] for row in self.placements})
        first = date(known_school_years()[0], 8, 1)
        while first.weekday() != 0:
            first += DAY
        self.first_monday = first
        self.weeks = []
        while first < monday:
            self.weeks.append(first)
            first += 7 * DAY
        self.by_chance: dict[tuple[date, str], float] = {}
        self.cache: dict[Any, Any] = {}

    # Days and weeks ---------------------------------------------------------------------------

    def is_school_day(self, day: date) -> bool:
        if day not in self.cache:
            own = [row["kind"] == "school_day" for row in self.calendar if row["date"] == day]
            region = Region(self.schools[-1]["region"])
            on_file = day >= self.first_monday
            national = on_file and bool(national_school_days(region, day, day)[0])
            self.cache[day] = own[-1] if own and on_file else national
        return bool(self.cache[day])

    def is_school_week(self, monday: date) -> bool:
        return any(self.is_school_day(day) for day in days_of([monday]))

    def days_apart(self, one: date, other: date) -> int:
        """From one school day to another; by setting a holiday is a week-end, but in summer."""
        if not self.schools[-1]["episodes_over_holidays"]:
            return (other - one).days
        apart = 0
        free: list[date] = []
        for number in range(1, (other - one).days + 1):
            day = one + number * DAY
            if self.is_school_day(day):
                is_summer = any((day.month, day.day) == (8, 1) for day in free)
                apart += 1 + (len(free) if is_summer else min(2, len(free)))
                free = []
            else:
                free.append(day)
        return apart

    def last_school_weeks(self, count: int) -> list[date]:
        """The weeks from the first of the last `count` school weeks on."""
        weeks: list[date] = []
        for week in reversed(self.weeks):
            if count == 0:
                break
            count -= self.is_school_week(week)
            weeks.insert(0, week)
        return weeks

    def weeks_that_begin(self, first: date, end: date) -> list[date]:
        return [week for week in self.weeks if first <= week < end]

    def school_year(self) -> int:
        return self.monday.year if self.monday.month >= 8 else self.monday.year - 1

    def school_weeks_begun_since(self, day: date) -> float:
        if day < self.first_monday:
            return float("inf")
        return sum(self.is_school_week(week) for week in self.weeks if week >= day)

    # Planned time -----------------------------------------------------------------------------

    def placement(self, key: str, day: date) -> Row | None:
        held = [
            row
            for row in self.placements
            if row["pupil_key"] == key
            and row["enrolled_on"] <= day
            and (row["left_on"] is None or day <= row["left_on"])
        ]
        held.sort(key=lambda row: (row["enrolled_on"], row["record_key"]))
        return held[-1] if held else None

    def planned(self, key: str, day: date) -> int:
        if (key, day) not in self.cache:
            self.cache[key, day] = self._planned(key, day)
        return int(self.cache[key, day])

    def _planned(self, key: str, day: date) -> int:
        placement = self.placement(key, day)
        if placement is None or not self.is_school_day(day):
            return 0
        hold = [
            row
            for row in self.timetable
            if row["weekday"] == day.isoweekday()
            and row["valid_from"] <= day
            and (row["valid_to"] is None or day <= row["valid_to"])
        ]
        own = [row for row in hold if row["pupil_key"] == key]
        group = [
            row for row in hold if row["pupil_key"] is None and row["group"] == placement["group"]
        ]
        rows = sorted(own or group, key=lambda row: (row["valid_from"], row["record_key"]))
        return int(rows[-1]["planned_minutes"]) if rows else 0

    def group_in_week(self, key: str, week: date) -> str | None:
        planned = [day for day in days_of([week]) if self.planned(key, day) > 0]
        placement = self.placement(key, planned[-1]) if planned else None
        return None if placement is None else str(placement["group"])

    def is_silent(self, week: date, group: str) -> bool:
        """Nothing was registered for the group, which by chance happens once in 100 times."""
        if (week, group) not in self.by_chance:
            size = records = others = others_with = 0
            for key in self.pupil_keys:
                theirs = self.group_in_week(key, week)
                has_record = any(
                    row["pupil_key"] == key and row["starts_at"].date() in days_of([week])
                    for row in self.absence
                )
                if theirs == group:
                    size += 1
                    records += has_record
                elif theirs is not None:
                    others += 1
                    others_with += has_record
            silent = size > 0 and records == 0 and others > 0
            self.by_chance[week, group] = (1 - others_with / others) ** size if silent else 1.0
        return self.by_chance[week, group] < 0.01


def days_of(weeks: list[date]) -> list[date]:
    return [week + number * DAY for week in weeks for number in range(7)]


class Pupil:
    """One pupil on one Monday."""

    def __init__(self, known: Known, key: str) -> None:
        self.known = known
        self.key = key
        self.records = [row for row in known.absence if row["pupil_key"] == key]
        self.placement = known.placement(key, known.monday)

    # One day ----------------------------------------------------------------------------------

    def touching(self, day: date) -> list[tuple[Row, int | None]]:
        """The records on `day`, each with its minute of start if it lies within one day."""
        found: list[tuple[Row, int | None]] = []
        for row in self.records:
            first, minute = row["starts_at"].date(), minute_of(row["starts_at"])
            if row["kind"] in ("late_arrival", "sent_out"):
                if first == day:
                    found.append((row, minute))
            elif row["ends_at"] is None and row["minutes"] is None:
                if first <= day < self.known.monday:
                    found.append((row, None))
            else:
                last = first if row["ends_at"] is None else max(first, row["ends_at"].date())
                if first <= day <= last:
                    found.append((row, minute if first == last else None))
        return found

    def kinds(self, day: date) -> dict[str, float]:
        """Minutes per timed kind on `day`, and how often late or sent out."""
        if ("kinds", self.key, day) in self.known.cache:
            return dict(self.known.cache["kinds", self.key, day])
        planned = self.known.planned(self.key, day)
        longest: dict[tuple[str, int | None], float] = defaultdict(float)
        for row, start in self.touching(day):
            place = (row["kind"], start)
            longest[place] = max(longest[place], self.amount(row, start))
        settled: dict[str, float] = {}
        left = float(planned)
        for kind in ABSENCE_PRIORITY:
            asked = sum(amount for (one, _), amount in longest.items() if one == kind)
            settled[kind] = min(asked, left)
            left -= settled[kind]
        for kind in (AbsenceKind.LATE_ARRIVAL, AbsenceKind.SENT_OUT):
            settled[kind] = sum(one == kind for one, _ in longest) if planned else 0
        self.known.cache["kinds", self.key, day] = settled
        return settled

    def amount(self, row: Row, start: int | None) -> float:
        whole_day = 24 * 60
        if start is None:
            return whole_day
        if row["minutes"] is not None:
            return float(min(row["minutes"], whole_day))
        if row["ends_at"] is None:
            return whole_day
        duration = int((row["ends_at"] - row["starts_at"]).total_seconds() // 60)
        return duration if duration > 0 else whole_day

    def absent(self, day: date) -> float:
        return sum(minutes for kind, minutes in self.kinds(day).items() if kind in ABSENT_KINDS)

    def is_unregistered(self, week: date) -> bool:
        group = self.known.group_in_week(self.key, week)
        if group is None or not self.known.is_silent(week, group):
            return False
        return not any(sum(self.kinds(day).values()) for day in days_of([week]))

    def counted(self, weeks: list[date]) -> list[date]:
        """The days with planned time, outside unregistered weeks."""
        place = ("counted", self.key, tuple(weeks))
        if place not in self.known.cache:
            registered = [week for week in weeks if not self.is_unregistered(week)]
            self.known.cache[place] = [
                day for day in days_of(registered) if self.known.planned(self.key, day) > 0
            ]
        return list(self.known.cache[place])

    def is_absent_day(self, day: date) -> bool:
        return 2 * self.absent(day) >= self.known.planned(self.key, day) > 0

    # Windows ----------------------------------------------------------------------------------

    def last(self, weeks: int) -> list[date]:
        return self.known.last_school_weeks(weeks)

    def share(self, weeks: int) -> float:
        return self.share_of(ABSENT_KINDS, self.last(weeks))

    def share_of(self, kinds: Any, weeks: list[date]) -> float:
        days = self.counted(weeks)
        if not days:
            return NAN
        minutes = sum(self.kinds(day)[kind] for day in days for kind in kinds)
        return minutes / sum(self.known.planned(self.key, day) for day in days)

    def count(self, weeks: list[date], of_day: Any) -> float:
        days = self.counted(weeks)
        return float(sum(of_day(day) for day in days)) if days else NAN

    def runs(self, weeks: list[date], flag: Any) -> list[int]:
        """Lengths of all runs of counted days with `flag`; the last one may be 0."""
        lengths = [0]
        for day in self.counted(weeks):
            if flag(day):
                lengths[-1] += 1
            else:
                lengths.append(0)
        return lengths

    def longest_run(self, weeks: list[date], flag: Any = None) -> float:
        runs = self.runs(weeks, flag or self.is_absent_day)
        return float(max(runs)) if self.counted(weeks) else NAN

    def current_run(self, flag: Any) -> float:
        return float(self.runs(self.last(40), flag)[-1]) if self.counted(self.last(40)) else NAN

    def sick_episodes(self, weeks: list[date]) -> float:
        if not self.counted(weeks):
            return NAN
        number, before = 0, None
        for day in self.counted(weeks):
            if self.kinds(day)[AbsenceKind.SICK] > 0:
                is_same = (
                    before is not None and before[1] and self.known.days_apart(before[0], day) <= 5
                )
                number += not is_same
                before = (day, True)
            else:
                before = (day, False)
        return float(number)

    # Features ---------------------------------------------------------------------------------

    def features(self, shares: dict[int, dict[str, float]]) -> dict[str, float]:
        return {
            **self.volumes(),
            **self.runs_and_patterns(),
            **self.earlier(),
            **{f"group_deviation_{w}w": self.deviation(shares[w]) for w in shares},
            **self.support(),
            **self.career(),
            **self.quality(),
        }

    def volumes(self) -> dict[str, float]:
        last_4, last_12 = self.last(4), self.last(12)
        before = last_12[: len(last_12) - len(last_4)]
        year = self.this_year()
        hours = self.count(
            last_4, lambda day: sum(self.kinds(day)[kind] for kind in UNAUTHORISED_KINDS)
        )
        found: dict[str, float] = {"unauthorised_hours_4w": hours / 60}
        for w in (1, 4, 12, 26, 40):
            found[f"sick_share_{w}w"] = self.share_of([AbsenceKind.SICK], self.last(w))
        for w in (4, 12):
            found[f"other_authorised_share_{w}w"] = self.share_of(OTHER_AUTHORISED, self.last(w))
            found[f"unverified_share_{w}w"] = self.share_of([AbsenceKind.UNVERIFIED], self.last(w))
        found["unauthorised_share_26w"] = self.share_of(UNAUTHORISED_KINDS, self.last(26))
        for w in (4, 12, 40):
            found[f"unauthorised_share_{w}w"] = self.share_of(UNAUTHORISED_KINDS, self.last(w))
            found[f"late_arrivals_{w}w"] = self.count(
                self.last(w), lambda day: self.kinds(day)[AbsenceKind.LATE_ARRIVAL]
            )
        for w in (1, 2, 4, 8, 12, 26, 40):
            found[f"absent_share_{w}w"] = self.share(w)
        for w in (12, 40):
            found[f"sent_out_{w}w"] = self.count(
                self.last(w), lambda day: self.kinds(day)[AbsenceKind.SENT_OUT]
            )
        found["absent_days_4w"] = self.count(last_4, self.is_absent_day)
        found["absent_days_8w_before"] = self.count(before, self.is_absent_day)
        found["absent_days_12w"] = self.count(last_12, self.is_absent_day)
        found["part_days_12w"] = self.count(last_12, self.is_part_day)
        found["absent_slope"] = self.share(4) - self.share_of(ABSENT_KINDS, before)
        for stem, kinds in (("sick", [AbsenceKind.SICK]), ("unauthorised", UNAUTHORISED_KINDS)):
            found[f"{stem}_slope"] = self.share_of(kinds, last_4) - self.share_of(kinds, before)
        found["sick_days_this_year"] = self.count(year, self.is_sick_day)
        found["medical_visit_days_12w"] = self.count(
            last_12, lambda day: self.kinds(day)[AbsenceKind.MEDICAL_VISIT] > 0
        )
        september = [
            date(self.known.school_year(), 9, 1),
            date(self.known.school_year(), 10, 1),
        ]
        found["september_share"] = self.share_of(
            ABSENT_KINDS, self.known.weeks_that_begin(*september)
        )
        return found

    def is_part_day(self, day: date) -> bool:
        return self.absent(day) > 0 and not self.is_absent_day(day)

    def is_sick_day(self, day: date) -> bool:
        return self.kinds(day)[AbsenceKind.SICK] > 0

    def this_year(self) -> list[date]:
        return self.known.weeks_that_begin(date(self.known.school_year(), 8, 1), self.known.monday)

    def runs_and_patterns(self) -> dict[str, float]:
        last_12, last_40 = self.last(12), self.last(40)
        episodes = self.sick_episodes(last_40)
        sick_days = self.count(last_40, self.is_sick_day)
        days = self.counted(last_12)
        single = [
            day
            for place, day in enumerate(days)
            if self.is_absent_day(day)
            and not (place > 0 and self.is_absent_day(days[place - 1]))
            and not (place + 1 < len(days) and self.is_absent_day(days[place + 1]))
        ]
        edge = [
            day
            for day in single
            if not self.known.is_school_day(day - DAY) or not self.known.is_school_day(day + DAY)
        ]
        with_absence = [day.weekday() for day in days if self.absent(day) > 0]
        most = max((with_absence.count(weekday) for weekday in with_absence), default=0)
        part_days = [day for day in days if self.is_part_day(day)]
        early = [day for day in part_days if self.starts_early(day)]
        return {
            "current_run_days": self.current_run(lambda day: self.absent(day) > 0),
            "current_absence_run": self.current_run(self.is_absent_day),
            "longest_run_12w": self.longest_run(last_12),
            "longest_run_40w": self.longest_run(last_40),
            "longest_sick_run_12w": self.longest_run(last_12, self.is_sick_day),
            "weeks_since_full_week": self.weeks_since_full_week(),
            "sick_episodes_12w": self.sick_episodes(last_12),
            "sick_episodes_40w": episodes,
            "sick_episodes_this_year": self.sick_episodes(self.this_year()),
            "mean_sick_episode_days_40w": sick_days / episodes if episodes > 0 else NAN,
            "one_day_absences_12w": float(len(single)) if days else NAN,
            "edge_absences_12w": float(len(edge)) if days else NAN,
            "weekday_concentration_12w": (
                most / len(with_absence) if len(with_absence) >= 4 else NAN
            ),
            "first_hour_share_12w": len(early) / len(part_days) if part_days else NAN,
            "kinds_mixed_12w": self.kinds_mixed(last_12),
        }

    def starts_early(self, day: date) -> bool:
        return any(
            row["kind"] in ABSENT_KINDS and start is not None and 0 < start < 9 * 60 + 30
            for row, start in self.touching(day)
        )

    def weeks_since_full_week(self) -> float:
        own = [week for week in self.last(40) if self.counted([week])]
        if not own:
            return NAN
        passed = 0
        for week in own:
            is_full = not any(self.absent(day) for day in self.counted([week]))
            passed = 0 if is_full else passed + 1
        return float(passed)

    def kinds_mixed(self, weeks: list[date]) -> float:
        if not self.counted(weeks):
            return NAN
        sorts: list[Any] = [
            [AbsenceKind.SICK],
            OTHER_AUTHORISED,
            UNAUTHORISED_KINDS,
            [AbsenceKind.UNVERIFIED],
            [AbsenceKind.LATE_ARRIVAL, AbsenceKind.SENT_OUT],
        ]
        days = self.counted(weeks)
        return float(
            sum(any(self.kinds(day)[kind] for day in days for kind in sort) for sort in sorts)
        )

    def earlier(self) -> dict[str, float]:
        year = self.known.school_year()
        weeks = self.known.weeks_that_begin(date(year - 1, 8, 1), date(year, 8, 1))
        return {
            "absent_share_previous_year": self.share_of(ABSENT_KINDS, weeks),
            "sick_share_previous_year": self.share_of([AbsenceKind.SICK], weeks),
            "unauthorised_share_previous_year": self.share_of(UNAUTHORISED_KINDS, weeks),
            "longest_run_previous_year": self.longest_run(weeks),
            "late_arrivals_previous_year": self.count(
                weeks, lambda day: self.kinds(day)[AbsenceKind.LATE_ARRIVAL]
            ),
        }

    def deviation(self, shares: dict[str, float]) -> float:
        assert self.placement is not None
        others = []
        for key, share in shares.items():
            placement = self.known.placement(key, self.known.monday)
            assert placement is not None
            is_classmate = key != self.key and placement["group"] == self.placement["group"]
            if is_classmate and share == share:  # NaN is not itself
                others.append(share)
        return shares[self.key] - sum(others) / len(others) if len(others) >= 8 else NAN

    def support(self) -> dict[str, float]:
        known, today = self.known, self.known.monday
        records = [row for row in known.support if row["pupil_key"] == self.key]
        open_still = [row for row in records if row["ends_on"] is None or row["ends_on"] >= today]
        running = [
            row
            for row in open_still
            if row["kind"] in RUNNING_KINDS
            and row["status"] == "running"
            and (row["starts_on"] is None or row["starts_on"] <= today)
        ]
        starts = [row["starts_on"] for row in running if row["starts_on"] is not None]
        waiting = [
            row["starts_on"]
            for row in open_still
            if row["kind"] == "tlv_request"
            and row["status"] == "requested"
            and row["starts_on"] is not None
            and row["starts_on"] <= today
        ]
        asked = [
            row
            for row in open_still
            if row["kind"] in RUNNING_KINDS | {SupportKind.TLV_REQUEST}
            and row["status"] in ("requested", "planned")
        ]
        ends = [
            row["ends_on"]
            for row in records
            if row["kind"] in RUNNING_KINDS
            and row["status"] in ("running", "done")
            and row["ends_on"] is not None
            and row["ends_on"] < today
        ]
        took_place = [
            row
            for row in records
            if row["status"] in ("running", "done")
            and row["starts_on"] is not None
            and row["starts_on"] < today
        ]
        contacts = [row["starts_on"] for row in took_place if row["kind"] in CONTACT_KINDS]
        reports = [row["starts_on"] for row in took_place if row["kind"] == "duo_report"]
        asked_since = [
            row["starts_on"]
            for row in asked
            if row["starts_on"] is not None and row["starts_on"] <= today
        ]
        since_end = known.school_weeks_begun_since(max(ends)) if ends and not running else NAN
        since_contact = known.school_weeks_begun_since(max(contacts)) if contacts else NAN
        return {
            "support_running": float(len(running)),
            "support_running_weeks": self.capped(min(starts, default=None)),
            "reduced_timetable_running": float(
                any(row["kind"] == "reduced_timetable" for row in running)
            ),
            "support_requested": float(len(asked)),
            "support_waiting_weeks": self.capped(min(asked_since, default=None)),
            "weeks_since_support_ended": since_end if since_end <= 40 else NAN,
            "tlv_waiting_weeks": self.capped(min(waiting, default=None)),
            "contacts_12w": float(sum(day >= self.window_begin(12) for day in contacts)),
            "weeks_since_contact": since_contact if since_contact <= 40 else NAN,
            "duo_reports_40w": float(sum(day >= self.window_begin(40) for day in reports)),
        }

    def capped(self, day: date | None) -> float:
        return NAN if day is None else min(40.0, self.known.school_weeks_begun_since(day))

    def window_begin(self, weeks: int) -> date:
        return [*self.last(weeks), self.known.monday][0]

    def career(self) -> dict[str, float]:
        known, today = self.known, self.known.monday
        assert self.placement is not None
        mine = sorted(
            (row for row in known.placements if row["pupil_key"] == self.key),
            key=lambda row: (row["enrolled_on"], row["record_key"]),
        )
        start = mine[0]["enrolled_on"]
        for before, row in itertools.pairwise(mine):
            if row["enrolled_on"] > self.placement["enrolled_on"]:
                break
            left = before["left_on"]
            if left is not None and (row["enrolled_on"] - left).days - 1 > 60:
                start = row["enrolled_on"]
        number = self.year_group_number()
        year = known.school_year()
        last_year = [
            found
            for row in mine
            if row["enrolled_on"] < date(year, 8, 1)
            and (row["left_on"] is None or row["left_on"] >= date(year - 1, 8, 1))
            and (found := self.year_group_number(row)) == found  # NaN is not itself
        ]
        repeats = NAN
        if last_year and number == number and self.placement["enrolled_on"] >= date(year, 8, 1):
            repeats = float(max(last_year) >= number)
        was_there = start == min(row["enrolled_on"] for row in known.placements)
        weeks = self.capped(start)
        changed = 0.0
        if start >= date(known.school_year(), 8, 1):
            changed = float(number not in (1, 2, 11))
            if was_there or number != number:  # NaN is not itself
                changed = NAN
        transition = float(number == 11)
        if known.schools[-1]["sector"] not in ("vo", "vso", "pro", "mbo"):
            transition = 0.0
        elif number != number:  # NaN is not itself
            transition = NAN
        born = self.placement["born_on"]
        return {
            "transition_year": transition,
            "weeks_since_enrolment": NAN if was_there and weeks < 40 else weeks,
            "year_group_number": number,
            "changed_school": changed,
            "repeats_year": repeats,
            "age_months": (
                NAN if born is None else (today.year - born.year) * 12 + today.month - born.month
            ),
        }

    def year_group_number(self, placement: Row | None = None) -> float:
        held = placement or self.placement
        assert held is not None
        digits = ""
        for letter in held["year_group"] or "":
            if letter.isdigit():
                digits += letter
            elif digits:
                break
        number = int(digits or 0)
        if self.known.schools[-1]["sector"] in ("vo", "vso", "pro", "mbo"):
            if 1 <= number <= 6:
                return number + 10
            return number if 11 <= number <= 16 else NAN
        return number if 1 <= number <= 8 else NAN

    def quality(self) -> dict[str, float]:
        last_12 = self.last(12)
        days = set(days_of(last_12))
        timed = late = corrected = recorded = 0
        for row in self.records:
            if row["starts_at"].date() not in days:
                continue
            versions = [
                other
                for other in self.known.absence_versions
                if other["record_key"] == row["record_key"]
                and (other["known_at"], other["sequence"]) <= (row["known_at"], row["sequence"])
            ]
            versions.sort(key=lambda other: (other["known_at"], other["sequence"]))
            recorded += 1
            corrected += any(
                other["withdrawn"]
                or (other["kind"], other["starts_at"], other["minutes"])
                != (row["kind"], row["starts_at"], row["minutes"])
                for other in versions[:-1]
            )
            if versions[0]["known_at_basis"] == "recorded":
                timed += 1
                wait = versions[0]["known_at"].astimezone(UTC).date() - row["starts_at"].date()
                late += wait.days > 7
        weeks_of_history = [
            week
            for week in self.last(40)
            if any(self.known.planned(self.key, day) for day in days_of([week]))
        ]
        return {
            "late_recorded_share_12w": late / timed if timed else NAN,
            "corrected_share_12w": corrected / recorded if recorded else NAN,
            "unregistered_weeks_12w": float(sum(map(self.is_unregistered, last_12))),
            "weeks_of_history": float(len(weeks_of_history)),
            "planned_minutes_4w": float(
                sum(self.known.planned(self.key, day) for day in self.counted(self.last(4)))
            ),
        }


def minute_of(moment: datetime) -> int:
    return moment.hour * 60 + moment.minute
