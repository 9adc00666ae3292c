"""Dossiers for who may see them; taking one out of the system is written down."""

from collections.abc import Callable, Mapping
from datetime import datetime

import sqlalchemy as sa

from features.governance.approvals import Approvals
from features.governance.audit import AuditChain
from features.governance.contracts import read_contracts
from features.settings import Home
from serving.access import Area, Guard
from serving.accounts import Account
from serving.dossier import Dossier, Dossiers
from serving.dossier_files import to_html, to_pdf, to_yaml
from serving.models_in_use import KnownModel, ModelsInUse
from serving.proportionality import Proportionalities, Proportionate

FILES: Mapping[str, tuple[Callable[[Dossier], str | bytes], str]] = {
    "yaml": (to_yaml, "application/yaml"),
    "pdf": (to_pdf, "application/pdf"),
    "html": (to_html, "text/html; charset=utf-8"),
}


class DossierDesk:
    """The way for a page to dossiers and to what each theme is worth."""

    def __init__(self, home: Home, ledger: sa.Engine, models: ModelsInUse) -> None:
        self._proportionalities = Proportionalities(home, models)
        self._approvals = Approvals(ledger)
        self._dossiers = Dossiers(home, ledger, models)
        self._audit = AuditChain(ledger)
        self._guard = Guard(self._audit)

    def versions(self, account: Account, moment: datetime) -> tuple[KnownModel, ...]:
        """The versions with a dossier, the newest first."""
        self._guard.area(account, Area.DOSSIER, moment)
        return self._dossiers.versions()

    def of(self, account: Account, version: int, moment: datetime) -> Dossier:
        """The dossier of one version."""
        self._guard.area(account, Area.DOSSIER, moment)
        return self._dossiers.of(version, moment)

    def file(
        self, account: Account, version: int, kind: str, moment: datetime
    ) -> tuple[str | bytes, str]:
        """The dossier as a file of a kind of `FILES`, and its media type."""
        dossier = self.of(account, version, moment)
        detail: dict[str, str | int] = {"version": version, "kind": kind}
        self._audit.append(moment, account.email, account.role, "dossier_exported", detail=detail)
        make, media_type = FILES[kind]
        return make(dossier), media_type

    def proportionality(self, account: Account, moment: datetime) -> Proportionate | None:
        """What the model loses without each theme and feature; None while it was not measured."""
        self._guard.area(account, Area.DOSSIER, moment)
        return self._proportionalities.newest(self._approvals.in_force(read_contracts()))
