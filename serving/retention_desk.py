"""Terms of keeping for who may see them: what is due, what was taken out, and the pseudonyms."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

import sqlalchemy as sa

from features.governance.audit import AuditChain
from features.governance.renewals import Renewal, Renewals, due_since, local_day
from features.governance.retention import RetentionSettings
from features.settings import Home
from serving.access import Area, Guard
from serving.accounts import Account
from serving.retention import Due, Proofs, Retention, Run


@dataclass(frozen=True)
class Keeping:
    """How it stands with what is kept. `renewal_due`: pseudonyms should be renewed since then."""

    rules: tuple[Due, ...]
    runs: tuple[Run, ...]
    problems: tuple[str, ...]
    renewals: tuple[Renewal, ...]
    renewal_due: date | None


class RetentionDesk:
    """The way for a page to terms and proofs; a look at them and a run are written down."""

    def __init__(
        self,
        home: Home,
        environ: Mapping[str, str],
        app: sa.Engine,
        ledger: sa.Engine,
        settings: RetentionSettings,
    ) -> None:
        self._rules = Retention(home, app, ledger, settings)
        self._proofs = Proofs(ledger)
        self._renewals = Renewals(ledger)
        self._environ = environ
        self._audit = AuditChain(ledger)
        self._guard = Guard(self._audit)

    def state(self, account: Account, moment: datetime) -> Keeping:
        """Each rule with what is due today (nothing is taken out), and the proofs."""
        self._guard.area(account, Area.RETENTION, moment)
        self._audit.append(moment, account.email, account.role, "retention_seen")
        renewals = self._renewals.all()
        first = self._audit.first()
        last = renewals[-1].moment if renewals else first.moment if first else None
        return Keeping(
            rules=self._rules.due(moment),
            runs=tuple(self._proofs.all()),
            problems=(*self._proofs.verify(), *self._renewals.verify()),
            renewals=tuple(reversed(renewals)),
            renewal_due=due_since(local_day(moment), local_day(last) if last else None),
        )

    def run(self, account: Account, moment: datetime) -> Mapping[str, int]:
        """Take out what is due; rows by rule."""
        self._guard.area(account, Area.RETENTION, moment)
        return self._rules.run(self._environ, account.email, account.role, moment)
