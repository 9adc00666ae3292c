"""The lists of a region's schools from their records: part by part, on all cores, in order."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import pyarrow as pa

from features.absence import MondaySchools, SchoolDays
from features.build import KeptParts, MondayPart, read_monday
from features.records import RecordLog
from features.records.partition import PartitionTables, apart
from features.records.parts import parts_of, through
from features.school_weeks import AMSTERDAM
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
    log: RecordLog,
    terms: ListTerms,
    schools: Mapping[str, SchoolTerms],
    kept: KeptParts | None = None,
) -> Iterator[MadeList]:
    """The lists of `schools`; from the records only, no database is touched.

    Schools that are in `kept` come first and are not read again. The same list comes of both.
    """

    def read(part: MondayPart | Sequence[str]) -> MondayPart:
        if isinstance(part, MondayPart):
            return part
        return read_monday(log, part, terms.as_of, AHEAD)

    def make(_: MondayPart | Sequence[str], part: MondayPart) -> list[MadeList]:
        return list(_of_part(part, terms, schools))

    for made in through(_parts(log, schools, kept), read, make):
        yield from made


def _parts(
    log: RecordLog, schools: Collection[str], kept: KeptParts | None
) -> Iterator[MondayPart | Sequence[str]]:
    done: set[str] = set()
    if kept is not None:
        for part in kept.hand_over(log.head(), schools):
            done.update(part.schools)
            yield part
    yield from parts_of(log, [school for school in schools if school not in done])


def _of_part(
    part: MondayPart, terms: ListTerms, schools: Mapping[str, SchoolTerms]
) -> Iterator[MadeList]:
    default = terms.as_of - timedelta(days=1)
    for number, (name, own) in enumerate(apart(part.tables, part.schools)):
        if name in schools:
            # The days of a school are laid out once, for the reasons and for what stands beside.
            days, until = part.monday.days(number), part.recorded_until.get(name)
            last = until.astimezone(AMSTERDAM).date() if until else default
            published = _list(own, part.monday, days, terms, schools[name], last)
            yield MadeList(
                published, _content(own, part.monday, days, terms, schools[name], published)
            )


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
