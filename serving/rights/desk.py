"""Answering requests of pupils and parents: find, take, give access, correct, object, erase."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import sqlalchemy as sa

from features.errors import NotAllowed
from features.governance.audit import AuditChain
from features.governance.objections import object_to_processing, objected, withdraw_objection
from features.governance.requests import Request, RequestKind, Requests
from features.governance.use import Action, Purpose, Use
from features.records import RecordLog
from features.settings import Home
from features.vocabulary import PupilKey
from serving.access import Area, Guard
from serving.accounts import Account
from serving.facts import school_names
from serving.identity import FoundPupil, Names
from serving.rights.erase import ErasureReport, erase
from serving.rights.package import AccessPackage, Sources, gather
from serving.rights.subject import Subject
from serving.rights.uses import trained_on, uses_of


@dataclass(frozen=True)
class OpenedRequest:
    """One request with who it is about; `pupil` is None once the pupil was erased."""

    request: Request
    school_name: str
    pupil: FoundPupil | None
    has_objected: bool
    models: tuple[str, ...]


class RightsDesk:
    """The only way for a page to answer a request; asks for access first, and writes it down."""

    def __init__(
        self, home: Home, environ: Mapping[str, str], app: sa.Engine, ledger: sa.Engine
    ) -> None:
        self._sources = Sources(home, app, ledger)
        self._audit = AuditChain(ledger)
        self._guard = Guard(self._audit)
        self._names = Names(home, environ, self._audit)
        self._requests = Requests(ledger)
        self._log_root = home.records

    def all(self, account: Account, moment: datetime) -> list[Request]:
        """Every request, those that are due first on top; no names."""
        self._enter(account, moment)
        return self._requests.all()

    def schools(self, account: Account, moment: datetime) -> list[tuple[str, str]]:
        """Code and name of every school."""
        self._enter(account, moment)
        return sorted(school_names(RecordLog(self._log_root), moment).items())

    def find(self, account: Account, school: str, asked: str, moment: datetime) -> list[FoundPupil]:
        """The pupils of one school with this name or number; the search is logged."""
        self._enter(account, moment)
        return self._names.find(account, school, asked, moment)

    def take(
        self,
        account: Account,
        kind: RequestKind,
        school: str,
        pupil_key: PupilKey,
        received_on: date | None,
        moment: datetime,
    ) -> Request:
        """Keep a request about a pupil who was found; its term begins on the day it came in."""
        self._enter(account, moment)
        self._names.of_request(account, school, pupil_key, moment, "request_opened")
        return self._requests.take(
            kind, school, pupil_key, account.email, account.role, moment, received_on
        )

    def open(self, account: Account, request_id: str, moment: datetime) -> OpenedRequest:
        """One request with the name it is about."""
        self._enter(account, moment)
        asked = self._requests.get(request_id)
        names = school_names(RecordLog(self._log_root), moment)
        pupil: FoundPupil | None = None
        models: tuple[str, ...] = ()
        is_against = False
        if asked.pupil_key:
            pupil = self._names.of_request(
                account, asked.school, asked.pupil_key, moment, "request_opened"
            )
            just_after = moment + timedelta(microseconds=1)  # what was kept now counts
            keys = self._names.known_as(account, asked.pupil_key)
            is_against = bool(objected(self._sources.ledger, just_after) & set(keys))
            models = tuple(trained_on(self._sources.home, uses_of(self._sources.ledger, keys)))
        name = names.get(asked.school, asked.school)
        return OpenedRequest(asked, name, pupil, is_against, models)

    def package(
        self, account: Account, request_id: str, moment: datetime, *, staff: bool
    ) -> AccessPackage:
        """The access package of a request; making it is written down like an export."""
        asked = self._of_a_pupil(account, request_id, moment)
        found = self._names.of_request(
            account, asked.school, asked.pupil_key, moment, "access_package_made"
        )
        name = school_names(RecordLog(self._log_root), moment).get(asked.school, asked.school)
        keys = self._names.known_as(account, asked.pupil_key)
        subject = Subject(keys, asked.school, name, found.name.full, found.pupil_number)
        use = Use(account.email, account.role, Purpose.RIGHTS, Action.SHOW, moment, request_id)
        return gather(self._sources, subject, use, staff=staff)

    def handle(self, account: Account, request_id: str, outcome: str, moment: datetime) -> None:
        """Close a request with its outcome."""
        self._enter(account, moment)
        self._requests.handle(request_id, outcome, account.email, account.role, moment)

    def accept_objection(self, account: Account, request_id: str, moment: datetime) -> None:
        """From the next list and the next training on, the pupil is left out."""
        self._settle(object_to_processing, account, request_id, moment)

    def withdraw_objection(self, account: Account, request_id: str, moment: datetime) -> None:
        """The pupil takes part again from the next list and training on."""
        self._settle(withdraw_objection, account, request_id, moment)

    def erase(self, account: Account, request_id: str, moment: datetime) -> ErasureReport:
        """Erase the pupil of a request from every store; the request stays, without the pupil."""
        asked = self._of_a_pupil(account, request_id, moment)
        if asked.kind is not RequestKind.ERASURE:
            raise NotAllowed("this request does not ask for erasure; nothing was erased")
        return erase(self._sources, self._names, account, asked.school, asked.pupil_key, moment)

    def _settle(
        self, settle: Callable[..., None], account: Account, request_id: str, moment: datetime
    ) -> None:
        """Keep an objection or its end under every pseudonym: a person objects, not a key."""
        asked = self._of_a_pupil(account, request_id, moment)
        for key in self._names.known_as(account, asked.pupil_key):
            settle(self._sources.ledger, key, asked.school, account.email, account.role, moment)

    def _of_a_pupil(self, account: Account, request_id: str, moment: datetime) -> Request:
        self._enter(account, moment)
        asked = self._requests.get(request_id)
        if not asked.pupil_key:
            raise NotAllowed("the pupil of this request was erased; there is nothing left to do")
        return asked

    def _enter(self, account: Account, moment: datetime) -> None:
        self._guard.area(account, Area.RIGHTS, moment)
