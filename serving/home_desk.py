"""The desk for pupils who are at home already, and for leavers without a known next school."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from features.errors import NotThere
from features.vocabulary import PupilKey
from serving.accounts import Account
from serving.beside import BesideStore, Place, SideRow
from serving.decisions import Decision, Decisions
from serving.identity import PupilName
from serving.lists import ListStore
from serving.notes import note_problems
from serving.premises import Premises
from serving.tables import ACCOUNTS, CARE_ENTRIES, writing

LONGEST_IN_CHARGE = 100


class Offer(StrEnum):
    """Whether there is education or support that fits; for a leaver, whether a school is known."""

    NOT_YET = "not_yet"
    TALKED_ABOUT = "talked_about"
    PARTLY = "partly"
    FITS = "fits"
    NEXT_SCHOOL_KNOWN = "next_school_known"

    @property
    def label(self) -> str:
        """The Dutch words on the form."""
        return _OFFER_LABELS[self]


_OFFER_LABELS = {
    Offer.NOT_YET: "Er is nog geen aanbod",
    Offer.TALKED_ABOUT: "Er wordt over een aanbod gesproken",
    Offer.PARTLY: "Er is een aanbod voor een deel van de tijd",
    Offer.FITS: "Er is een passend aanbod",
    Offer.NEXT_SCHOOL_KNOWN: "De volgende school is bekend",
}
AT_HOME_OFFERS = (Offer.NOT_YET, Offer.TALKED_ABOUT, Offer.PARTLY, Offer.FITS)
LEAVER_OFFERS = (Offer.NOT_YET, Offer.NEXT_SCHOOL_KNOWN)


@dataclass(frozen=True)
class CareEntry:
    """Who is in charge of a pupil, and whether there is an offer, as entered by somebody."""

    in_charge: str
    offer: Offer
    entered_by: str
    entered_at: datetime


@dataclass(frozen=True)
class HomeView:
    """The pupils at home of one school on its newest Monday."""

    school: str
    school_name: str
    as_of: date
    data_until: date
    at_home: tuple[SideRow, ...]
    out_of_sight: tuple[SideRow, ...]
    names: Mapping[PupilKey, PupilName]
    entries: Mapping[PupilKey, CareEntry]
    decisions: Mapping[PupilKey, list[Decision]]


class HomeDesk:
    """The only way for a page to pupils at home; asks for access and logs every look and entry."""

    def __init__(self, premises: Premises) -> None:
        self._premises = premises
        self._lists = ListStore(premises.engine)
        self._beside = BesideStore(premises.engine)
        self._decisions = Decisions(premises.engine)

    def view(self, account: Account, school: str, moment: datetime) -> HomeView | None:
        """Who is at home now, as known on the newest Monday; None when there is no list yet."""
        self._premises.enter(account, school, moment)
        weeks = self._lists.weeks(school)
        if not weeks:
            return None
        rows = self._beside.rows(school, weeks[0])
        at_home = tuple(row for row in rows if row.place is Place.AT_HOME)
        leavers = tuple(row for row in rows if row.place is Place.OUT_OF_SIGHT)
        entries = self._entries(school)
        keys = [row.pupil_key for row in (*at_home, *leavers)]
        week = {"as_of": weeks[0].isoformat()}
        return HomeView(
            school=school,
            school_name=self._premises.school_name(school, moment),
            as_of=weeks[0],
            data_until=self._lists.data_until(school, weeks[0]),
            at_home=at_home,
            out_of_sight=tuple(row for row in leavers if not _is_seen(entries.get(row.pupil_key))),
            names=self._premises.names.look(
                account, school, keys, moment, "at_home_seen", detail=week
            ),
            entries=entries,
            decisions=self._decisions.of_school(school),
        )

    def enter(
        self, account: Account, row_id: str, in_charge: str, offer: Offer, moment: datetime
    ) -> SideRow:
        """Keep who is in charge and what the offer is; the row it was about."""
        row = self._beside.row(row_id)
        self._premises.enter(account, row.school, moment)
        if row.place not in (Place.AT_HOME, Place.OUT_OF_SIGHT):
            raise NotThere("this row is not about a pupil at home")
        self._premises.write_down(
            account,
            "care_entered",
            moment,
            subject=row.pupil_key,
            school=row.school,
            detail={"offer": offer.value},
        )
        with writing(self._premises.engine) as connection:
            connection.execute(
                CARE_ENTRIES.insert(),
                {
                    "entry_id": secrets.token_hex(16),
                    "school": row.school,
                    "pupil_key": row.pupil_key,
                    "account_id": account.account_id,
                    "entered_at": moment,
                    "in_charge": in_charge,
                    "offer": offer.value,
                },
            )
        return row

    def school_of(self, account: Account, row_id: str, moment: datetime) -> str:
        """The school of a row, for who may see it."""
        row = self._beside.row(row_id)
        self._premises.enter(account, row.school, moment)
        return row.school

    def _entries(self, school: str) -> dict[PupilKey, CareEntry]:
        """The newest entry per pupil."""
        query = (
            sa.select(CARE_ENTRIES, ACCOUNTS.c.name.label("entered_by"))
            .join_from(CARE_ENTRIES, ACCOUNTS)
            .where(CARE_ENTRIES.c.school == school)
            .order_by(CARE_ENTRIES.c.entered_at)
        )
        with self._premises.engine.begin() as connection:
            return {PupilKey(row.pupil_key): _entry(row) for row in connection.execute(query)}


def in_charge_problem(in_charge: str) -> str:
    """What is wrong with the name of who is in charge, in Dutch; empty when nothing is.

    >>> in_charge_problem("mentor 3b"), in_charge_problem("a@b.example")
    ('', 'Vul hier alleen een naam of functie in.')
    """
    if len(in_charge) > LONGEST_IN_CHARGE or note_problems(in_charge):
        return "Vul hier alleen een naam of functie in."
    return ""


def _is_seen(entry: CareEntry | None) -> bool:
    return entry is not None and entry.offer is Offer.NEXT_SCHOOL_KNOWN


def _entry(row: sa.Row[Any]) -> CareEntry:
    return CareEntry(row.in_charge, Offer(row.offer), row.entered_by, row.entered_at)
