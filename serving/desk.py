"""What a care coordinator sees and keeps: through access, and always in the audit chain."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

import sqlalchemy as sa

from features.errors import NotThere
from features.governance.audit import AuditChain
from features.records import RecordLog
from features.settings import Home
from features.vocabulary import PupilKey
from serving.access import Area, Guard
from serving.accounts import Account
from serving.decisions import Decision, Decisions, Draft
from serving.facts import PupilFacts, read_facts, school_names
from serving.identity import Names, PupilName
from serving.lists import Block, ListStore, PublishedList, PublishedRow


@dataclass(frozen=True)
class WeekView:
    """The list of one week with the names and decisions that belong beside it."""

    published: PublishedList
    school_name: str
    weeks: tuple[date, ...]
    names: Mapping[PupilKey, PupilName]
    decisions: Mapping[PupilKey, list[Decision]]
    memberships: Mapping[PupilKey, Mapping[date, Block | None]]


@dataclass(frozen=True)
class PupilView:
    """One pupil as of the Monday of a list, with everything that the page shows."""

    listed: PublishedRow
    school_name: str
    access_reason: str
    name: PupilName
    facts: PupilFacts
    decisions: tuple[Decision, ...]
    memberships: Mapping[date, Block | None]


class Desk:
    """The only way for a page to lists, pupils and decisions.

    Each method asks for access first and logs the look or the entry before it returns anything.
    """

    def __init__(
        self, home: Home, environ: Mapping[str, str], engine: sa.Engine, audit: AuditChain
    ) -> None:
        self._log_root = home.records
        self._audit = audit
        self._guard = Guard(audit)
        self._lists = ListStore(engine)
        self._decisions = Decisions(engine)
        self._names = Names(home, environ, audit)
        self._school_names: dict[str, str] = {}

    def enter(self, account: Account, moment: datetime) -> None:
        """Refuse who has no lists at all."""
        self._guard.area(account, Area.LIST, moment)

    def school_name(self, school: str, moment: datetime) -> str:
        """The name of a school; its code where the name is not known (yet)."""
        if school not in self._school_names:
            self._school_names.update(school_names(RecordLog(self._log_root), moment))
        return self._school_names.get(school, school)

    def week(
        self, account: Account, school: str, as_of: date | None, moment: datetime
    ) -> WeekView | None:
        """The list of `as_of` (None: the newest) with names; None when the school has no list."""
        self._guard.school(account, school, moment)
        weeks = tuple(self._lists.weeks(school))
        if not weeks:
            return None
        published = self._lists.get(school, as_of or weeks[0])
        keys = [row.pupil_key for row in published.rows]
        week = published.as_of.isoformat()
        names = self._names.look(account, school, keys, moment, "list_seen", detail={"as_of": week})
        return WeekView(
            published=published,
            school_name=self.school_name(school, moment),
            weeks=weeks,
            names=names,
            decisions=self._decisions.of_school(school),
            memberships={key: self._lists.membership(school, key) for key in keys},
        )

    def pupil(self, account: Account, row_id: str, moment: datetime) -> PupilView:
        """The page of one row of a list, facts as known on that list's Monday."""
        listed = self._lists.row(row_id)
        reason = self._guard.school(account, listed.school, moment)
        key = listed.row.pupil_key
        week = listed.as_of.isoformat()
        names = self._names.look(
            account, listed.school, [key], moment, "pupil_seen", key, {"as_of": week}
        )
        log = RecordLog(self._log_root, head=listed.log_head or None)
        return PupilView(
            listed=listed,
            school_name=self.school_name(listed.school, moment),
            access_reason=reason,
            name=names[key],
            facts=read_facts(log, listed.school, key, listed.as_of),
            decisions=tuple(self._decisions.of_school(listed.school).get(key, ())),
            memberships=self._lists.membership(listed.school, key),
        )

    def decide(
        self, account: Account, row_id: str, draft: Draft, decision_id: str, moment: datetime
    ) -> PublishedRow:
        """Keep a checked draft about one row, and say so in the chain; which list to go back to."""
        listed = self._lists.row(row_id)
        self._guard.school(account, listed.school, moment)
        self._audit.append(
            moment,
            account.email,
            account.role,
            "decision_kept",
            subject=listed.row.pupil_key,
            school=listed.school,
            detail={"as_of": listed.as_of.isoformat(), "kind": draft.kind},
        )
        self._decisions.decide(row_id, draft, account.account_id, moment, decision_id)
        return listed

    def first_school(self, account: Account, moment: datetime) -> str:
        """The school to begin with; most people have one."""
        self.enter(account, moment)
        if not account.schools:
            raise NotThere("this account has no school; ask the administrator to add one")
        return min(account.schools)
