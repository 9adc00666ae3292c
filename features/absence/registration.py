"""Weeks in which a group was not registered, as known at every moment.

A group-week is *silent* when no record of the group starts in it, while that would happen by
chance less than once in 100 times: each pupil of the group having no record with the probability
seen among the other pupils of the school that week. It is unregistered for the pupils of the group
without anything on their days in it. Missing registration is not presence: such a week is left
out, of the planned time as well.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from features.absence.planning import group_of_week, plan_changes, plan_days
from features.absence.plans import OwnTimetables, Plans
from features.absence.pupil import Pupil, write_events
from features.absence.pupils import Placements
from features.absence.versions import Versions
from features.compiled import compiled

CHANCE_OF_NOTHING = 0.01
"""A group-week without any record counts as not registered below this probability."""

_WEEK = 7 * 24 * 60 * 60 * 1_000_000


class Known(NamedTuple):
    """What was known of one school and its pupils, as far as it comes from records.

    `today` is the day number of each moment, the first that is not over; `weeks_over` how many
    weeks of the span are.
    """

    plans: Plans
    placements: Placements
    own: OwnTimetables
    versions: Versions
    today: NDArray[np.int64]
    weeks_over: NDArray[np.int64]


class Silence(NamedTuple):
    """Which group-weeks are silent at each moment, [moments, weeks, groups].

    The weeks where that differs from the moment before are `weeks[begin[k] : begin[k + 1]]`. Weeks
    that are not over at a moment are never silent.
    """

    is_silent: NDArray[np.bool_]
    begin: NDArray[np.int64]
    weeks: NDArray[np.int64]


class _Counts(NamedTuple):
    """Pupils with planned days and those of them with a record, [moments, weeks, groups].

    What each moment changes to them at first, then what they are.
    """

    pupils: NDArray[np.int32]
    recorded: NDArray[np.int32]
    is_touched: NDArray[np.bool_]


def silence(known: Known, first: int, end: int, room: Pupil) -> Silence:
    """The silent group-weeks of the school of the pupils from number `first` up to `end`."""
    moments, (_, groups, days) = len(known.today), known.plans.minutes.shape
    weeks, shape = days // 7, (moments, days // 7, groups)
    counts = _Counts(
        np.zeros(shape, np.int32), np.zeros(shape, np.int32), np.zeros((moments, weeks), bool)
    )
    _count(known, first, end, counts, room)
    _add_up(counts)
    silent = Silence(
        np.zeros(shape, bool), np.zeros(moments + 1, np.int64), np.zeros(moments * weeks, np.int64)
    )
    _decide(counts, known.weeks_over, silent)
    return silent


@compiled
def week_of_start(versions: Versions, version: int) -> int:
    """The number of the week in which a record starts; it may lie outside the span."""
    return versions.starts_at[version] // _WEEK  # type: ignore[no-any-return]


@compiled
def _count(known: Known, first: int, end: int, counts: _Counts, room: Pupil) -> None:
    for pupil in range(first, end):
        write_events(known.versions, pupil, room.events)
        for week in range(len(room.weeks.group)):
            room.weeks.group[week] = -1
            room.weeks.records[week] = 0
        for moment in range(len(known.today)):
            if plan_changes(known.plans, known.placements, known.own, pupil, moment):
                _regroup(known, pupil, moment, counts, room)
            _count_records(known.versions, pupil, moment, counts, room)


@compiled
def _regroup(known: Known, pupil: int, moment: int, counts: _Counts, room: Pupil) -> None:
    """Count a pupil in another group from `moment` on, in the weeks where that is so."""
    days, weeks = room.days, room.weeks
    plan_days(known.plans, known.placements, known.own, pupil, moment, days.minutes, days.group)
    for week in range(len(weeks.group)):
        before, after = weeks.group[week], group_of_week(days.minutes, days.group, week)
        if before != after:
            has_record = weeks.records[week] > 0
            counts.is_touched[moment, week] = True
            if before >= 0:
                counts.pupils[moment, week, before] -= 1
                counts.recorded[moment, week, before] -= has_record
            if after >= 0:
                counts.pupils[moment, week, after] += 1
                counts.recorded[moment, week, after] += has_record
            weeks.group[week] = after


@compiled
def _count_records(
    versions: Versions, pupil: int, moment: int, counts: _Counts, room: Pupil
) -> None:
    """Count a pupil with a record, or without, from `moment` on, in the weeks where that is so."""
    weeks, records = room.weeks, room.weeks.records
    event = room.events.first[moment]
    while event >= 0:
        week = week_of_start(versions, versions.order[versions.begin[pupil] + event // 2])
        if 0 <= week < len(records):
            had = records[week] > 0
            records[week] += 1 - 2 * (event % 2)
            has = records[week] > 0
            if had != has and weeks.group[week] >= 0:
                counts.is_touched[moment, week] = True
                counts.recorded[moment, week, weeks.group[week]] += 1 if has else -1
        event = room.events.following[event]


@compiled
def _add_up(counts: _Counts) -> None:
    moments, weeks, groups = counts.pupils.shape
    for moment in range(1, moments):
        for week in range(weeks):
            for group in range(groups):
                counts.pupils[moment, week, group] += counts.pupils[moment - 1, week, group]
                counts.recorded[moment, week, group] += counts.recorded[moment - 1, week, group]


@compiled
def _decide(counts: _Counts, weeks_over: NDArray[np.int64], silent: Silence) -> None:
    number, over = 0, 0
    moments, _, groups = counts.pupils.shape
    for moment in range(moments):
        if moment > 0:
            for week in range(over):
                for group in range(groups):
                    before = silent.is_silent[moment - 1, week, group]
                    silent.is_silent[moment, week, group] = before
        for week in range(weeks_over[moment]):
            is_news = counts.is_touched[moment, week] or week >= over
            if is_news and _decide_week(counts, moment, week, silent.is_silent[moment, week]):
                silent.weeks[number] = week
                number += 1
        over = weeks_over[moment]
        silent.begin[moment + 1] = number


@compiled
def _decide_week(counts: _Counts, moment: int, week: int, is_silent: NDArray[np.bool_]) -> bool:
    """Decide for every group in one week; whether any is other than it was."""
    pupils, recorded = 0, 0
    for group in range(len(is_silent)):
        pupils += counts.pupils[moment, week, group]
        recorded += counts.recorded[moment, week, group]
    is_changed = False
    for group in range(len(is_silent)):
        size = counts.pupils[moment, week, group]
        now = False
        if size > 0 and counts.recorded[moment, week, group] == 0 and pupils > size:
            now = (1 - recorded / (pupils - size)) ** np.float64(size) < CHANCE_OF_NOTHING
        is_changed |= now != is_silent[group]
        is_silent[group] = now
    return is_changed
