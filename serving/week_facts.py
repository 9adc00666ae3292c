"""What the weekly run publishes beside a list: pupils at home, leavers, who is gone, what lacks."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from features.absence import DayGrid, MondaySchools, SchoolDays, possible_runs
from features.catalogue import COHORT_FEATURES
from features.records.partition import PartitionTables
from features.school_weeks import as_of_moment, first_day_of, school_year_of
from features.vocabulary import RUNNING_KINDS, PupilKey, SupportKind, SupportStatus
from models.cohort import Cohort
from serving.at_home import MonthCounts, Spell, current_spells, month_counts
from serving.beside import Place, SideRow, WeekFacts, gone_from
from serving.decisions import Decision, appointments
from serving.lists import Block, PublishedList

FOR_LEAVERS = timedelta(days=365)
AHEAD = timedelta(weeks=26)
"""So far ahead the calendar is looked at: for the day on which a clock will have run."""
UNKNOWN = "unknown"


@dataclass(frozen=True)
class WeekContent:
    """All that is kept beside one published list."""

    facts: WeekFacts
    rows: tuple[SideRow, ...]
    enrolled: Mapping[PupilKey, str]
    months: tuple[MonthCounts, ...]


@dataclass(frozen=True)
class SchoolMonday:
    """One school on one Monday: its record versions, its days, and the feature rows.

    `tables` need no absence: that is in `days`, which are those of this school in `monday`.
    `enrolled` has a row per enrolled pupil: pupil_key, group and every feature; pupils who objected
    are in none of it but `objecting`, and are counted only.
    """

    tables: PartitionTables
    monday: MondaySchools
    days: SchoolDays
    school: str
    as_of: date
    enrolled: pa.Table
    objecting: Collection[PupilKey]

    @property
    def moment(self) -> datetime:
        """The moment for which we reason."""
        return as_of_moment(self.as_of)

    def groups(self) -> dict[PupilKey, str]:
        """Every enrolled pupil with the group."""
        keys, groups = (self.enrolled[name].to_pylist() for name in ("pupil_key", "group"))
        return {PupilKey(key): group for key, group in zip(keys, groups, strict=True)}

    def visible(self, versions: pa.Table) -> pa.Table:
        """The versions that counted at the moment."""
        moment = pa.scalar(self.moment, versions["known_at"].type)
        is_newest = pc.or_kleene(
            pc.is_null(versions["superseded_at"]),
            pc.greater_equal(versions["superseded_at"], moment),
        )
        known = pc.less(versions["known_at"], moment)
        return versions.filter(pc.and_(pc.and_(known, is_newest), pc.invert(versions["withdrawn"])))


def week_content(
    monday: SchoolMonday,
    published: PublishedList,
    last: Mapping[PupilKey, Block],
    decisions: Mapping[PupilKey, Sequence[Decision]],
    cohort: Cohort,
) -> WeekContent:
    """What is kept beside `published`; `last` is who stood on the list before it."""
    groups = monday.groups()
    counted_from = first_day_of(school_year_of(monday.as_of) - 1)
    in_view = _in_view(monday, cohort)
    keys = pa.array(sorted(in_view), pa.string())
    is_in_view = pc.is_in(monday.days.keys, keys).to_numpy(zero_copy_only=False)
    grid = monday.monday.grid(monday.days, possible_runs(monday.days.days) | is_in_view)
    at_home = tuple(_at_home(monday, grid, groups, in_view))
    listed = [row.pupil_key for row in published.rows]
    home_keys = [row.pupil_key for row in at_home]
    due = {
        key: decision
        for key, decision in appointments(decisions, monday.as_of).items()
        if key in groups and key not in listed and key not in home_keys
    }
    was_listed = {
        key: groups.get(key, "")
        for key, block in last.items()
        if block is not Block.TOO_LITTLE_DATA
    }
    facts = WeekFacts(
        school=monday.school,
        as_of=monday.as_of,
        pupils=len(groups),
        unregistered=tuple(_unregistered(monday.enrolled)),
        without_reason=_above_zero(monday.enrolled, "unverified_share_4w"),
        objections=len(set(monday.objecting)),
        gone=gone_from(was_listed, listed, home_keys, groups, monday.objecting),
    )
    rows = (*at_home, *_leavers(monday), *_by_appointment(monday, due, groups))
    months = month_counts(grid, monday.as_of, counted_from, monday.days.days.planned)
    return WeekContent(facts, rows, groups, tuple(months))


def _in_view(monday: SchoolMonday, cohort: Cohort) -> dict[PupilKey, int]:
    """The pupils at home, with the number of days that they have been."""
    status = {
        name: monday.enrolled[name].combine_chunks().to_numpy(zero_copy_only=False)
        for name in COHORT_FEATURES
    }
    rows = np.flatnonzero(cohort.in_view(status))
    keys = monday.enrolled["pupil_key"].take(pa.array(rows)).to_pylist()
    days = status["current_absence_run"][rows].tolist()
    return {PupilKey(key): int(number) for key, number in zip(keys, days, strict=True)}


def _at_home(
    monday: SchoolMonday,
    grid: DayGrid,
    groups: Mapping[PupilKey, str],
    chosen: Mapping[PupilKey, int],
) -> Iterator[SideRow]:
    found = current_spells(grid, monday.as_of, chosen)
    running, contact = _support(monday, chosen)
    for key, days in chosen.items():
        yield _home_row(
            monday, key, groups[key], days, found.get(key), running.get(key, ()), contact.get(key)
        )


def _home_row(
    monday: SchoolMonday,
    key: PupilKey,
    group: str,
    days: int,
    spell: Spell | None,
    running: tuple[str, ...],
    contact: date | None,
) -> SideRow:
    """Of granted leave, and behind an unregistered week, only the number of days is known."""
    return SideRow(
        school=monday.school,
        as_of=monday.as_of,
        pupil_key=key,
        place=Place.AT_HOME,
        group=group,
        since=spell.since if spell else None,
        school_days=max(days, spell.school_days if spell else 0),
        days_at_school=spell.days_at_school if spell else 0,
        four_weeks_on=spell.four_weeks_on if spell else None,
        three_months_on=spell.three_months_on if spell else None,
        over_holiday=spell.over_holiday if spell else False,
        kinds=spell.kinds if spell else (),
        running=running,
        last_contact=contact,
    )


def _support(
    monday: SchoolMonday, keys: Collection[PupilKey]
) -> tuple[dict[PupilKey, tuple[str, ...]], dict[PupilKey, date]]:
    """What runs for these pupils, and the day of the last talk that was held."""
    running: dict[PupilKey, tuple[str, ...]] = {}
    contact: dict[PupilKey, date] = {}
    wanted = pc.is_in(monday.tables.support["pupil_key"], pa.array(sorted(keys), pa.string()))
    for row in monday.visible(monday.tables.support.filter(wanted)).to_pylist():
        key, kind = PupilKey(row["pupil_key"]), SupportKind(row["kind"])
        begun = row["starts_on"] is not None and row["starts_on"] < monday.as_of
        if kind.is_contact and begun and row["status"] == SupportStatus.DONE:
            contact[key] = max(contact.get(key, row["starts_on"]), row["starts_on"])
        ended = row["ends_on"] is not None and row["ends_on"] < monday.as_of
        if kind in RUNNING_KINDS and row["status"] == SupportStatus.RUNNING and not ended:
            running[key] = tuple(sorted({*running.get(key, ()), kind.label}))
    return running, contact


def _leavers(monday: SchoolMonday) -> Iterator[SideRow]:
    """Who left in the past year without a known next school, and did not come back."""
    last: dict[str, dict[str, object]] = {}
    placements = monday.tables.placements
    # Few leave so: the placements of the others need not be looked at one by one.
    unknown = placements.filter(pc.equal(placements["left_to"], UNKNOWN))["pupil_key"]
    theirs = placements.filter(pc.is_in(placements["pupil_key"], pc.unique(unknown)))
    for row in monday.visible(theirs).sort_by("enrolled_on").to_pylist():
        last[row["pupil_key"]] = row
    for key, row in sorted(last.items()):
        left_on = row["left_on"]
        if (
            isinstance(left_on, date)
            and row["left_to"] == UNKNOWN
            and monday.as_of - FOR_LEAVERS <= left_on < monday.as_of
            and key not in monday.objecting
        ):
            yield SideRow(
                school=monday.school,
                as_of=monday.as_of,
                pupil_key=PupilKey(key),
                place=Place.OUT_OF_SIGHT,
                group=str(row["group"] or ""),
                since=left_on,
            )


def _by_appointment(
    monday: SchoolMonday, due: Mapping[PupilKey, Decision], groups: Mapping[PupilKey, str]
) -> Iterator[SideRow]:
    for key, decision in sorted(due.items()):
        yield SideRow(
            school=monday.school,
            as_of=monday.as_of,
            pupil_key=key,
            place=Place.BY_APPOINTMENT,
            group=groups[key],
            since=decision.look_back_on,
        )


def _unregistered(enrolled: pa.Table) -> Iterator[tuple[str, int]]:
    """Groups with weeks in which nothing was registered, as far as half the group tells so."""
    per_group: dict[str, list[float]] = {}
    weeks = enrolled["unregistered_weeks_12w"].to_pylist()
    for group, number in zip(enrolled["group"].to_pylist(), weeks, strict=True):
        if number is not None and number == number:
            per_group.setdefault(group, []).append(number)
    for group, numbers in sorted(per_group.items()):
        typical = int(np.median(numbers))
        if typical:
            yield group, typical


def _above_zero(enrolled: pa.Table, name: str) -> int:
    values = enrolled[name].combine_chunks().to_numpy(zero_copy_only=False)
    return int((values > 0).sum())
