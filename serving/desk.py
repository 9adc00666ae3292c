"""The desk of a care coordinator: the list of a week, a pupil, and what was decided."""

import functools
import hashlib
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from features.errors import NotThere
from features.governance.objections import object_to_processing
from features.records import RecordLog
from features.school_weeks import monday_of
from features.vocabulary import PupilKey
from models.reasons import Explanation
from serving.accounts import Account
from serving.beside import AddedBecause, BesideStore, Place, SideRow, WeekFacts
from serving.decisions import Decision, Decisions, Draft, RowAddress, appointments
from serving.facts import PupilFacts, read_facts
from serving.identity import PupilName
from serving.lists import Block, ListRow, ListStore, Newness, PublishedList, PublishedRow
from serving.premises import Premises
from serving.steps import DecisionKind, Outcome

_ASCII_WORD = re.compile(r"[a-z0-9]+")
SHORTEST_SEARCH = 2
MOST_FOUND = 20
MOST_FACTS = 2000
"""Pupils whose facts are kept at hand: the lists of a few weeks of a large school."""


@dataclass(frozen=True)
class WeekView:
    """The list of one week with the names and decisions that belong beside it.

    `side` holds the rows by hand and by appointment. `facts` is None for a list from before it
    was kept. `due` are the appointments of this week, also of pupils on the list itself.
    """

    published: PublishedList
    school_name: str
    weeks: tuple[date, ...]
    names: Mapping[PupilKey, PupilName]
    decisions: Mapping[PupilKey, list[Decision]]
    memberships: Mapping[date, Mapping[PupilKey, Block]]
    side: tuple[SideRow, ...]
    facts: WeekFacts | None
    due: Mapping[PupilKey, Decision]
    at_home: tuple[SideRow, ...]

    @property
    def is_newest(self) -> bool:
        """Whether this is the list to work on now."""
        return self.published.as_of == self.weeks[0]


@dataclass(frozen=True)
class PupilView:
    """One pupil as of the Monday of a list, with everything that the page shows.

    `side` is the row beside the list when the pupil was opened from there.
    """

    listed: PublishedRow
    side: SideRow | None
    school_name: str
    access_reason: str
    name: PupilName
    facts: PupilFacts
    decisions: tuple[Decision, ...]
    memberships: Mapping[date, Block | None]
    owners: tuple[str, ...]

    @property
    def address(self) -> RowAddress:
        """The row that a decision is about."""
        row = self.listed.row
        return RowAddress(row.row_id, self.listed.school, row.pupil_key, self.listed.as_of)


@dataclass(frozen=True)
class FoundPupil:
    """One pupil of one's own school, found by name; `handle` stands in for the pupil in a form."""

    handle: str
    name: PupilName
    group: str


class Desk:
    """The only way for a page to lists, pupils and decisions.

    Each method asks for access first and logs the look or the entry before it returns anything.

    The row of the chain is committed before the vault is opened or a fact, a reason or a decision
    is read; what comes first is only whom the look is about (pseudonyms), for the row has to tell.
    The chain is a file of its own, so the row and the read are not one transaction; this order is
    stricter than one: nothing that fails afterwards takes the row back, and whoever is stopped in
    between leaves a row without a read, never a read without a row.
    """

    def __init__(self, premises: Premises) -> None:
        self._premises = premises
        self._lists = ListStore(premises.engine)
        self._beside = BesideStore(premises.engine)
        self._decisions = Decisions(premises.engine)
        self._log = RecordLog(premises.log_root)
        # As of a Monday and a delivery, facts never change; reading the record log takes long.
        self._facts = functools.lru_cache(MOST_FACTS)(self._read_facts)

    def prepare(self, moment: datetime) -> None:
        """Do what only the first look at a pupil has to wait for; about nobody, so not logged.

        What lays out days is compiled code: loading it takes a second, making it after an upgrade
        half a minute.
        """
        read_facts(self._log, "", PupilKey(""), monday_of(moment.date()))

    def week(
        self, account: Account, school: str, as_of: date | None, moment: datetime
    ) -> WeekView | None:
        """The list of `as_of` (None: the newest) with names; None when the school has no list."""
        self._premises.enter(account, school, moment)
        memberships = self._lists.members(school)
        weeks = tuple(memberships)
        if not weeks:
            return None
        monday = as_of or weeks[0]
        if monday not in memberships:
            raise NotThere(f"no list of school {school} for {monday}; choose one of its weeks")
        side = self._beside.rows(school, monday)
        shown = tuple(row for row in side if row.place in (Place.ADDED, Place.BY_APPOINTMENT))
        keys = dict.fromkeys(
            [
                *memberships.get(monday, ()),
                *(row.pupil_key for row in shown),
                *self._beside.gone(school, monday),
            ]
        )
        names = self._premises.names.look(
            account, school, list(keys), moment, "list_seen", detail={"as_of": monday.isoformat()}
        )
        published = self._lists.get(school, monday)
        decisions = self._decisions.of_school(school)
        return WeekView(
            published=published,
            school_name=self._premises.school_name(school, moment),
            weeks=weeks,
            names=names,
            decisions=decisions,
            memberships=memberships,
            side=shown,
            facts=self._beside.facts(school, monday),
            due=appointments(decisions, monday),
            at_home=tuple(row for row in side if row.place is Place.AT_HOME),
        )

    def pupil(self, account: Account, row_id: str, moment: datetime) -> PupilView:
        """The page of one row of a list, facts as known on that list's Monday."""
        listed, side = self._row(row_id)
        school, key = listed.school, listed.row.pupil_key
        reason = self._premises.enter(account, school, moment)
        week = {"as_of": listed.as_of.isoformat()}
        names = self._premises.names.look(account, school, [key], moment, "pupil_seen", key, week)
        read = self._facts if listed.log_head else self._read_facts
        return PupilView(
            listed=listed,
            side=side,
            school_name=self._premises.school_name(school, moment),
            access_reason=reason,
            name=names[key],
            facts=read(listed.log_head, school, key, listed.as_of),
            decisions=tuple(self._decisions.of_pupil(school, key)),
            memberships=self._lists.membership(school, key),
            owners=tuple(self._decisions.owners(school)),
        )

    def decide(
        self, account: Account, row_id: str, draft: Draft, decision_id: str, moment: datetime
    ) -> PublishedRow:
        """Keep a checked draft about one row, and say so in the chain; which list to go back to."""
        listed, _side = self._row(row_id)
        address = RowAddress(row_id, listed.school, listed.row.pupil_key, listed.as_of)
        self._premises.enter(account, listed.school, moment)
        self._premises.write_down(
            account,
            "decision_kept",
            moment,
            subject=address.pupil_key,
            school=address.school,
            detail={"as_of": address.as_of.isoformat(), "kind": draft.kind},
        )
        kept = self._decisions.decide(address, draft, account.account_id, moment, decision_id)
        if kept and draft.kind == DecisionKind.OBJECTION:
            object_to_processing(
                self._premises.ledger,
                address.pupil_key,
                address.school,
                account.email,
                account.role,
                moment,
            )
        return listed

    def record_outcome(
        self, account: Account, decision_id: str, outcome: Outcome, moment: datetime
    ) -> None:
        """Keep how it went with one decision."""
        decision = self._decisions.find(decision_id)
        self._premises.enter(account, decision.school, moment)
        self._premises.write_down(
            account,
            "outcome_kept",
            moment,
            subject=decision.pupil_key,
            school=decision.school,
            detail={"kind": outcome.value},
        )
        self._decisions.record_outcome(decision_id, outcome, account.account_id, moment)

    def find(
        self, account: Account, school: str, words: str, secret: str, moment: datetime
    ) -> list[FoundPupil]:
        """Pupils of one's own school with names that begin with `words`, by name; at most twenty.

        The chain gets how many were found, not what was typed. `secret` is the session's: handles
        of one session are of no use in another.
        """
        self._premises.enter(account, school, moment)
        wanted = plain_words(words)
        if sum(map(len, wanted)) < SHORTEST_SEARCH:
            return []
        groups = self._beside.enrolled(school)
        names = self._premises.names.look_for(
            account,
            school,
            list(groups),
            moment,
            "pupils_searched",
            lambda name: _is_asked_for(plain_words(name), wanted),
        )
        first = sorted(names, key=lambda key: names[key].sort_key)[:MOST_FOUND]
        return [FoundPupil(_handle(secret, key), names[key], groups[key]) for key in first]

    def add(
        self,
        account: Account,
        school: str,
        handle: str,
        because: AddedBecause,
        secret: str,
        moment: datetime,
    ) -> SideRow:
        """Put a pupil that `find` gave on the newest list by hand."""
        self._premises.enter(account, school, moment)
        groups = self._beside.enrolled(school)
        key = next((key for key in groups if _handle(secret, key) == handle), None)
        weeks = self._lists.weeks(school)
        if key is None or not weeks:
            raise NotThere("this pupil is not on the newest list of pupils; search again")
        self._premises.write_down(
            account,
            "pupil_added",
            moment,
            subject=key,
            school=school,
            detail={"as_of": weeks[0].isoformat(), "because": because.value},
        )
        row = SideRow(
            school=school,
            as_of=weeks[0],
            pupil_key=key,
            place=Place.ADDED,
            group=groups[key],
            because=because,
            added_by=account.name,
        )
        return self._beside.place([row], moment, account.account_id)[0]

    def _read_facts(
        self, log_head: int, school: str, pupil_key: PupilKey, as_of: date
    ) -> PupilFacts:
        return read_facts(self._log.up_to(log_head or None), school, pupil_key, as_of)

    def _row(self, row_id: str) -> tuple[PublishedRow, SideRow | None]:
        try:
            return self._lists.row(row_id), None
        except NotThere:
            side = self._beside.row(row_id)
        # Nothing was weighed for a row beside the list, so there is nothing to explain.
        row = ListRow(
            pupil_key=side.pupil_key,
            block=Block.FOLLOW,
            newness=Newness.NEW,
            order=0,
            explanation=Explanation(side.pupil_key, (), (), ()),
            group=side.group,
        )
        listed = self._lists.beside(side.school, side.as_of, replace(row, row_id=row_id))
        return listed, side


def plain_words(text: str) -> list[str]:
    """The words of `text` without capitals and accents, to search with.

    >>> plain_words("  Çelik, DAAN ")
    ['celik', 'daan']
    """
    if text.isascii():  # most names: a search reads those of a whole school
        return _ASCII_WORD.findall(text.lower())
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    letters = "".join(
        letter if letter.isalnum() else " "
        for letter in decomposed
        if not unicodedata.combining(letter)
    )
    return letters.split()


def _is_asked_for(parts: Sequence[str], wanted: Sequence[str]) -> bool:
    """Whether every word asked for is the beginning of a part of the name: "an" is not "van"."""
    text = f" {' '.join(parts)}"
    return all(f" {word}" in text for word in wanted)


def _handle(secret: str, pupil_key: PupilKey) -> str:
    return hashlib.sha256(f"handle:{secret}:{pupil_key}".encode()).hexdigest()[:32]
