"""The schools of one Monday as read from the log, once: for their features and for their lists."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from features.absence import MondaySchools
from features.records import RecordLog
from features.records.partition import PartitionTables, read_for_features
from features.school_weeks import as_of_moment


@dataclass(frozen=True)
class MondayPart:
    """Some schools as known on a Monday, when the log had `head` deliveries.

    `tables` hold no absence: that is in `monday`. `recorded_until` is, of
    each school with absence on record, when the newest version became known.
    """

    schools: Sequence[str]
    head: int
    tables: PartitionTables
    monday: MondaySchools
    recorded_until: Mapping[str, datetime]

    @property
    def nbytes(self) -> int:
        """About how much memory it holds."""
        known = self.monday.known_schools
        arrays = (*known.versions, *known.pupils.placements)
        tables = (*vars(self.tables).values(), known.pupils.table)
        return int(sum(one.nbytes for one in (*arrays, *tables)))


def read_monday(
    log: RecordLog, schools: Sequence[str], as_of: date, ahead: timedelta
) -> MondayPart:
    """`schools` as known on the Monday `as_of`, with days up to `ahead` after it."""
    # Before reading: a delivery that comes in meanwhile then counts as not known.
    head = log.head()
    tables = read_for_features(log, schools, known_before=as_of_moment(as_of))
    newest = tables.absence.group_by("school").aggregate([("known_at", "max")])
    until = zip(*(newest[name].to_pylist() for name in ("school", "known_at_max")), strict=True)
    monday = MondaySchools(tables, schools, as_of, ahead)
    rest = replace(tables, absence=tables.absence.schema.empty_table())
    return MondayPart(schools, head, rest, monday, dict(until))


class KeptParts:
    """The first parts that were read for one Monday, as many as fit in `room` bytes.

    Reading a part takes as long as all that is made of it; a whole country does not fit.
    """

    def __init__(self, room: int) -> None:
        self._room, self._parts, self._is_full = room, list[MondayPart](), False

    def keep(self, part: MondayPart) -> None:
        """Keep a part, if there is room and there was for all before it."""
        self._is_full = self._is_full or part.nbytes > self._room
        if not self._is_full:
            self._room -= part.nbytes
            self._parts.append(part)

    def hand_over(self, head: int, schools: Collection[str]) -> Iterator[MondayPart]:
        """The parts with any of `schools`, each once, that knew the log up to delivery `head`."""
        while self._parts:
            part = self._parts.pop(0)
            if part.head == head and not set(part.schools).isdisjoint(schools):
                yield part
