"""The lists of a region's schools from their records: part by part, on all cores, in order."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

import pyarrow as pa

from features.absence import MondaySchools, SchoolDays
from features.records import RecordLog
from features.records.partition import PartitionTables, apart, read_for_features
from features.records.parts import parts_of, through
from features.school_weeks import AMSTERDAM, as_of_moment
from features.store import RISK_SERVICE
from features.vocabulary import PupilKey
from models.cohort import Cohort
from models.evidence import SchoolRecords
from models.reasons import Explanation, reasons_for
from serving.decisions import Decision
from serving.lists import Block, ListRow, Newness, PublishedList
from serving.scoring import ListedPupil
from serving.week_facts import AHEAD, SchoolMonday, WeekContent, week_content


@dataclass(frozen=True)
class ListTerms:
    """What holds for every list of one run. `objecting` are the pupils who are on none."""

    as_of: date
    published_at: datetime
    model_version: str
    bundle_hash: str
    frequencies: Mapping[Block, str]
    log_head: int
    cohort: Cohort
    objecting: Collection[PupilKey]


@dataclass(frozen=True)
class SchoolTerms:
    """What is settled of one school before its records are read: who is listed, and as what.

    `enrolled` has a row per enrolled pupil who did not object; `last` is the list of before.
    """

    school: str
    capacity: int
    listed: Sequence[ListedPupil]
    newness: Mapping[PupilKey, Newness]
    enrolled: pa.Table
    last: Mapping[PupilKey, Block]
    decisions: Mapping[PupilKey, Sequence[Decision]]


@dataclass(frozen=True)
class MadeList:
    """A list that is ready to be published, with what belongs beside it."""

    published: PublishedList
    content: WeekContent


def make_lists(
    log: RecordLog, terms: ListTerms, schools: Mapping[str, SchoolTerms]
) -> Iterator[MadeList]:
    """The lists of `schools`, in order; from the records only, no database is touched."""
    moment = as_of_moment(terms.as_of)

    def read(part: Sequence[str]) -> PartitionTables:
        return read_for_features(log, part, known_before=moment)

    def make(part: Sequence[str], tables: PartitionTables) -> list[MadeList]:
        return list(_of_part(tables, terms, [schools[name] for name in part]))

    for made in through(parts_of(log, list(schools)), read, make):
        yield from made


def _of_part(
    tables: PartitionTables, terms: ListTerms, schools: Sequence[SchoolTerms]
) -> Iterator[MadeList]:
    names = [one.school for one in schools]
    # The days of a school are laid out once, for the reasons and for what stands beside them.
    monday = MondaySchools(tables, names, terms.as_of, AHEAD)
    until = _data_until(tables.absence)
    # Absence stays together: its rows are found by pupil.
    rest = replace(tables, absence=tables.absence.slice(0, 0))
    for number, (one, (name, own)) in enumerate(zip(schools, apart(rest, names), strict=True)):
        days = monday.days(number)
        default = terms.as_of - timedelta(days=1)
        published = _list(own, monday, days, terms, one, until.get(name, default))
        yield MadeList(published, _content(own, monday, days, terms, one, published))


def _list(
    tables: PartitionTables,
    monday: MondaySchools,
    days: SchoolDays,
    terms: ListTerms,
    school: SchoolTerms,
    data_until: date,
) -> PublishedList:
    keys = [one.pupil_key for one in school.listed]
    known = monday.known(days)
    records = SchoolRecords(tables, school.school, terms.as_of, keys, known)
    rows = tuple(
        ListRow(
            pupil_key=one.pupil_key,
            block=one.block,
            newness=school.newness[one.pupil_key],
            order=one.order,
            explanation=_explain(records, one),
            group=one.group,
        )
        for one in school.listed
    )
    return PublishedList(
        school=school.school,
        as_of=terms.as_of,
        published_at=terms.published_at,
        model_version=terms.model_version,
        bundle_hash=terms.bundle_hash,
        feature_service=RISK_SERVICE,
        data_until=data_until,
        capacity=school.capacity,
        rows=rows,
        frequencies=terms.frequencies,
        log_head=terms.log_head,
    )


def _content(
    tables: PartitionTables,
    monday: MondaySchools,
    days: SchoolDays,
    terms: ListTerms,
    school: SchoolTerms,
    published: PublishedList,
) -> WeekContent:
    """What belongs beside a new list: pupils at home, appointments, who is gone."""
    return week_content(
        SchoolMonday(
            tables=tables,
            monday=monday,
            days=days,
            school=school.school,
            as_of=terms.as_of,
            enrolled=school.enrolled,
            objecting=terms.objecting,
        ),
        published,
        last=school.last,
        decisions=school.decisions,
        cohort=terms.cohort,
    )


def _explain(records: SchoolRecords, one: ListedPupil) -> Explanation:
    if one.block is Block.TOO_LITTLE_DATA:
        return Explanation(one.pupil_key, (), (), ())
    return reasons_for(records.of(one.pupil_key), one.parts, one.values)


def _data_until(absence: pa.Table) -> dict[str, date]:
    """Of each school the last day on which it recorded anything before the Monday."""
    newest = absence.group_by("school").aggregate([("known_at", "max")])
    known = zip(*(newest[name].to_pylist() for name in ("school", "known_at_max")), strict=True)
    return {school: moment.astimezone(AMSTERDAM).date() for school, moment in known}
