"""Terms of keeping, carried out: what is due, what a run took out, and the proof that it ran."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

import pyarrow as pa
import sqlalchemy as sa

from features.governance.database import as_text, canonical, retention_runs, rewrite_sqlite, writing
from features.governance.log_names import LogNames
from features.governance.retention import RULES, RetentionSettings, Rule, due_before
from features.governance.seals import SealedTable
from features.records import LogTable, RecordLog
from features.records.erasing import erase_pupils
from features.school_weeks import AMSTERDAM
from features.settings import Home
from features.store import FeatureStore
from features.vocabulary import PupilKey, Role
from serving.identity import forget_pupils
from serving.tables import LIST_ROWS, LISTS, METADATA
from serving.tables import writing as writing_app

RAN = "retention_run"


@dataclass(frozen=True)
class Due:
    """One rule on one day. `found` counts pupils, Mondays or lists; None: never taken out here."""

    rule: Rule
    term: str
    before: date
    found: int | None


@dataclass(frozen=True)
class Run:
    """One run that was: the terms it went by, and how many rows it took out per rule."""

    moment: datetime
    terms: Mapping[str, str]
    removed: Mapping[str, int]


class Proofs:
    """The runs that were, each sealed in the audit chain."""

    def __init__(self, ledger: sa.Engine) -> None:
        self.sealed = SealedTable(ledger, retention_runs, "retention", frozenset({RAN}))

    def all(self) -> list[Run]:
        """The runs, newest first; one whose seal does not fit is not among them."""
        return [
            Run(
                datetime.fromisoformat(row["moment"]),
                json.loads(row["terms"]),
                json.loads(row["removed"]),
            )
            for row in reversed(self.sealed.sealed_rows())
        ]

    def verify(self) -> tuple[str, ...]:
        """What is wrong with the proofs of earlier runs."""
        return self.sealed.verify()


class Retention:
    """The rules on the data of one installation."""

    def __init__(
        self, home: Home, app: sa.Engine, ledger: sa.Engine, settings: RetentionSettings
    ) -> None:
        self._home = home
        self._app = app
        self._settings = settings
        self._ledger = ledger
        self._runs = Proofs(ledger).sealed

    def due(self, moment: datetime) -> tuple[Due, ...]:
        """What a run at `moment` would take out; nothing is changed.

        The logs are never cut: the chain proves that nothing was removed. When their term is over,
        start a new ledger and keep the last signed head of the old one.
        """
        found = {
            "left_pupils": len(self._left(moment)),
            "feature_values": FeatureStore.at(self._home).built_before(
                self._before("feature_values", moment)
            ),
            "lists": len(self._old_lists(self._before("lists", moment))),
        }
        return tuple(
            Due(
                rule,
                getattr(self._settings, rule.name),
                self._before(rule.name, moment),
                found.get(rule.name),
            )
            for rule in RULES
        )

    def run(
        self, environ: Mapping[str, str], actor: str, role: Role, moment: datetime
    ) -> dict[str, int]:
        """Take out what is due, and seal in the chain what went; rows by rule."""
        left, store = self._left(moment), FeatureStore.at(self._home)
        removed = {"lists": self._drop_lists(self._before("lists", moment))}
        removed["feature_values"] = store.drop_before(self._before("feature_values", moment))
        gone = erase_pupils(RecordLog(self._home.records), left)
        removed["left_pupils"] = sum(gone.values())
        for key in left:
            removed["feature_values"] += sum(store.erase(key).values())
        removed["left_pupils"] += forget_pupils(self._home, environ, left)
        with writing(self._ledger) as connection:
            for key in left:
                LogNames(self._ledger).forget(connection, key)
        row = {
            "moment": as_text(moment),
            "terms": canonical({rule.name: getattr(self._settings, rule.name) for rule in RULES}),
            "removed": canonical(removed),
        }
        with writing(self._ledger) as connection:
            self._runs.insert(connection, RAN, moment, actor, role, row, detail=removed)
        self._runs.chain.witness(moment)
        for path in (self._home.app, self._home.vault):
            rewrite_sqlite(path)
        return removed

    def _before(self, name: str, moment: datetime) -> date:
        today = moment.astimezone(AMSTERDAM).date()
        return due_before(getattr(self._settings, name), today)

    def _left(self, moment: datetime) -> list[PupilKey]:
        """Pupils whose last placement ended before the term."""
        placements = RecordLog(self._home.records).read_as_of(LogTable.PLACEMENTS, moment)
        before = self._before("left_pupils", moment)
        return sorted(
            PupilKey(key) for key, last in _last_days(placements).items() if last < before
        )

    def _old_lists(self, before: date) -> list[str]:
        with self._app.begin() as connection:
            query = sa.select(LISTS.c.list_id).where(LISTS.c.as_of < before)
            return list(connection.scalars(query))

    def _drop_lists(self, before: date) -> int:
        old = sa.select(LISTS.c.list_id).where(LISTS.c.as_of < before)
        gone = 0
        with writing_app(self._app) as connection:
            for table in reversed(METADATA.sorted_tables):
                if table is LIST_ROWS:
                    taken = connection.execute(table.delete().where(table.c.list_id.in_(old)))
                elif "as_of" in table.c:
                    taken = connection.execute(table.delete().where(table.c.as_of < before))
                elif "decision_id" in table.c:
                    decisions = METADATA.tables["decisions"]
                    theirs = sa.select(decisions.c.decision_id).where(decisions.c.as_of < before)
                    taken = connection.execute(
                        table.delete().where(table.c.decision_id.in_(theirs))
                    )
                else:
                    continue
                gone += taken.rowcount
        return gone


def _last_days(placements: pa.Table) -> dict[str, date]:
    """Per pupil the day it left for good; one who is still there is not among them."""
    last: dict[str, date] = {}
    for row in placements.select(["pupil_key", "left_on"]).to_pylist():
        left = row["left_on"] or date.max
        last[row["pupil_key"]] = max(left, last.get(row["pupil_key"], date.min))
    return {key: day for key, day in last.items() if day < date.max}
