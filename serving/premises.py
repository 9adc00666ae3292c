"""What all desks share: who may look, under which name, and that every look is written down."""

from collections.abc import Mapping
from datetime import datetime

import sqlalchemy as sa

from features.errors import NotAllowed, NotThere
from features.governance.audit import AuditChain
from features.governance.stops import EmergencyStops
from features.records import RecordLog
from features.settings import Home
from serving.access import Area, Guard
from serving.accounts import Account
from serving.facts import school_names
from serving.identity import Names


class ListsStopped(NotAllowed):
    """The privacy officer stopped the lists of this school."""


class Premises:
    """The home behind the desks, with its guard and the names of its pupils and schools.

    `engine` is the app database, `ledger` that of the audit chain, objections and stops.
    """

    def __init__(
        self, home: Home, environ: Mapping[str, str], engine: sa.Engine, ledger: sa.Engine
    ) -> None:
        self.log_root = home.records
        self.engine = engine
        self.ledger = ledger
        self._audit = AuditChain(ledger)
        self.guard = Guard(self._audit)
        self.names = Names(home, environ, self._audit)
        self._stops = EmergencyStops(ledger)
        self._school_names: dict[str, str] = {}

    def enter(self, account: Account, school: str, moment: datetime) -> str:
        """The reason for access to the pupils of `school`; refuse, also when lists are stopped."""
        reason = self.guard.school(account, school, moment)
        if self._stops.of(school) is not None:
            raise ListsStopped(f"the lists of school {school} are stopped")
        return reason

    def school_name(self, school: str, moment: datetime) -> str:
        """The name of a school; its code where the name is not known (yet)."""
        if school not in self._school_names:
            self._school_names.update(school_names(RecordLog(self.log_root), moment))
        return self._school_names.get(school, school)

    def first_school(self, account: Account, moment: datetime) -> str:
        """The school to begin with; most people have one."""
        self.guard.area(account, Area.LIST, moment)
        if not account.schools:
            raise NotThere("this account has no school; ask the administrator to add one")
        return min(account.schools)

    def write_down(
        self,
        account: Account,
        event: str,
        moment: datetime,
        subject: str = "",
        school: str = "",
        detail: Mapping[str, str | int] | None = None,
    ) -> None:
        """One event of this account into the audit chain."""
        self._audit.append(
            moment,
            account.email,
            account.role,
            event,
            subject=subject,
            school=school,
            detail=detail,
        )
