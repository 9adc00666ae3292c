"""The lists before the one of a Monday: who stays, who is new, who comes back."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

import sqlalchemy as sa

from features.school_weeks import school_year_of
from features.vocabulary import PupilKey
from serving.lists import Block, Newness
from serving.tables import LIST_ROWS, LISTS


@dataclass(frozen=True)
class LastList:
    """Who stood where on the last list of one school before some Monday."""

    as_of: date
    members: dict[PupilKey, Block] = field(default_factory=dict)

    def counts_for(self, as_of: date) -> frozenset[PupilKey] | None:
        """Who stood on it, for the list of `as_of`; None in the first week of a school year.

        Those too new to say anything about stood on no list: they take no place.
        """
        if school_year_of(self.as_of) != school_year_of(as_of):
            return None
        listed = (key for key, at in self.members.items() if at is not Block.TOO_LITTLE_DATA)
        return frozenset(listed)


class EarlierLists:
    """Published lists of before the Monday `as_of`, of one `school` or (None) of all.

    Read once for a whole region; what was published for `as_of` or later changes nothing here.
    """

    def __init__(self, engine: sa.Engine, as_of: date, school: str | None = None) -> None:
        self._engine, self._as_of = engine, as_of
        self.last = self._read(school)

    def counting(self) -> dict[str, frozenset[PupilKey]]:
        """Who stood on the list before, of each school that had one in this school year."""
        counting = {school: one.counts_for(self._as_of) for school, one in self.last.items()}
        return {school: keys for school, keys in counting.items() if keys is not None}

    def members(self, school: str) -> dict[PupilKey, Block]:
        """Who stood where on the last list of `school`; nobody when it had none."""
        return self.last[school].members if school in self.last else {}

    def newness(self, school: str, pupil_keys: Sequence[PupilKey]) -> dict[PupilKey, Newness]:
        """What each pupil would be on the list of the Monday."""
        last = self.members(school)
        others = [key for key in pupil_keys if key not in last]
        ever = self._ever_on(school, others) if school in self.last and others else frozenset()
        return {
            key: Newness.AGAIN if key in last else Newness.BACK if key in ever else Newness.NEW
            for key in pupil_keys
        }

    def _read(self, school: str | None) -> dict[str, LastList]:
        newest = sa.select(LISTS.c.school, sa.func.max(LISTS.c.as_of).label("as_of"))
        newest = newest.where(LISTS.c.as_of < self._as_of).group_by(LISTS.c.school)
        if school is not None:
            newest = newest.where(LISTS.c.school == school)
        last = newest.subquery()
        same = sa.and_(LISTS.c.school == last.c.school, LISTS.c.as_of == last.c.as_of)
        query = (
            sa.select(LISTS.c.school, LISTS.c.as_of, LIST_ROWS.c.pupil_key, LIST_ROWS.c.block)
            .join_from(last, LISTS, same)
            .join(LIST_ROWS, LIST_ROWS.c.list_id == LISTS.c.list_id, isouter=True)
        )
        found: dict[str, LastList] = {}
        with self._engine.begin() as connection:
            for name, monday, key, block in connection.execute(query):
                members = found.setdefault(name, LastList(monday)).members
                if key is not None:  # a week in which nobody was listed
                    members[PupilKey(key)] = Block(block)
        return found

    def _ever_on(self, school: str, pupil_keys: Sequence[PupilKey]) -> frozenset[PupilKey]:
        """Who of these stood on any list of the school before the Monday."""
        query = (
            sa.select(LIST_ROWS.c.pupil_key)
            .join_from(LIST_ROWS, LISTS)
            .where(
                LISTS.c.school == school,
                LISTS.c.as_of < self._as_of,
                LIST_ROWS.c.pupil_key.in_(pupil_keys),
            )
        )
        with self._engine.begin() as connection:
            return frozenset(PupilKey(key) for key in connection.scalars(query))
