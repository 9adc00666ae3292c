"""Who may see what, and why: role by area, role by school; every refusal is logged."""

from datetime import datetime
from enum import StrEnum

from features.errors import NotAllowed
from features.governance.audit import AuditChain
from features.vocabulary import Role
from serving.accounts import Account


class Area(StrEnum):
    """A part of the site; what is not granted to a role is refused."""

    LIST = "list"
    AT_HOME = "at_home"
    TEAM = "team"
    REGION = "region"
    EXPORT = "export"
    REGISTER = "register"
    LEDGER = "ledger"
    AUDIT = "audit"
    MODEL = "model"
    CONTRACTS = "contracts"
    RIGHTS = "rights"
    DOSSIER = "dossier"
    RETENTION = "retention"


_AREAS = {
    Role.CARE_COORDINATOR: frozenset({Area.LIST, Area.AT_HOME, Area.TEAM}),
    Role.REGION_COORDINATOR: frozenset({Area.REGION}),
    Role.DATA_SCIENTIST: frozenset({Area.MODEL, Area.REGISTER, Area.DOSSIER}),
    Role.PRIVACY_OFFICER: frozenset(
        {
            Area.REGISTER,
            Area.LEDGER,
            Area.AUDIT,
            Area.CONTRACTS,
            Area.RIGHTS,
            Area.DOSSIER,
            Area.RETENTION,
        }
    ),
}


def may_visit(account: Account, area: Area) -> bool:
    """Whether the role of `account` has this part of the site.

    >>> someone = Account("1", "a@b.example", "A", Role.REGION_COORDINATOR, frozenset({"90AB00"}))
    >>> may_visit(someone, Area.LIST)
    False
    """
    return area in _AREAS.get(account.role, frozenset())


def reason_for_access(account: Account, school: str) -> str | None:
    """Why `account` may see the pupils of `school`, in words for the page; None: not allowed.

    >>> someone = Account("1", "a@b.example", "A", Role.CARE_COORDINATOR, frozenset({"90AB00"}))
    >>> reason_for_access(someone, "90AB00")
    'U bent intern begeleider van deze school.'
    >>> reason_for_access(someone, "90AB01") is None
    True
    """
    if may_visit(account, Area.LIST) and school in account.schools:
        return f"U bent {account.role.label} van deze school."
    return None


class Guard:
    """Asks the rules above, and writes every refusal into the audit chain."""

    def __init__(self, audit: AuditChain) -> None:
        self._audit = audit

    def area(self, account: Account, area: Area, moment: datetime) -> None:
        """Let through, or refuse."""
        if not may_visit(account, area):
            self._refuse(account, area, "", moment)

    def school(self, account: Account, school: str, moment: datetime) -> str:
        """The reason for access to the pupils of `school`, or refuse."""
        reason = reason_for_access(account, school)
        if reason is None:
            self._refuse(account, Area.LIST, school, moment)
            raise AssertionError("a refusal raises")
        return reason

    def export(self, account: Account, school: str, moment: datetime) -> None:
        """Let through who may take pupils of `school` out of the pages, or refuse."""
        self.school(account, school, moment)
        if not account.may_export:
            self._refuse(account, Area.EXPORT, school, moment)

    def _refuse(self, account: Account, area: Area, school: str, moment: datetime) -> None:
        self._audit.append(
            moment,
            account.email,
            account.role,
            "access_refused",
            school=school,
            detail={"area": area.value},
        )
        raise NotAllowed(
            f"role {account.role} has no access to {area.value}{' of ' + school if school else ''}"
        )
