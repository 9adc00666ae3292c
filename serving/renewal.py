"""Renew all pseudonyms: every store, journalled, so that a run cut short can be finished.

While the journal is there, ledger, vault and pages refuse, so that nobody reads old and new mixed.
Each store changes in one step and can be done again; the vault, which alone knows which pseudonym
became which, comes last and destroys that knowledge together with the old key.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa

from features.errors import GateRefused, NotAllowed, NotThere
from features.governance.audit import AuditChain
from features.governance.database import as_text, open_ledger, rewrite_sqlite
from features.governance.journal import (
    Journal,
    Seals,
    journal_of,
    read_journal,
    write_journal,
)
from features.governance.renewals import Renewals, due_since, local_day
from features.governance.use import Action, Purpose, Use
from features.ingest.renewing import renew_records
from features.records import LogTable, RecordLog, schema_of
from features.settings import Home
from features.store import RISK_SERVICE, FeatureStore
from features.vocabulary import PupilKey, Role
from serving.identity import RenewedVault, open_for_renewal
from serving.lists import Block, ListStore
from serving.tables import LISTS, METADATA, open_app, writing

Say = Callable[[str], None]
Renewed = Mapping[PupilKey, PupilKey]
_ABOUT_PUPILS = tuple(table for table in LogTable if "pupil_key" in schema_of(table).names)


@dataclass(frozen=True)
class RenewalPlan:
    """What a renewal would do. `due_since` None: not before `next_on`."""

    version: int
    last: date | None
    due_since: date | None
    next_on: date
    begun: bool
    rows: Mapping[str, int]


class PseudonymRenewal:
    """The yearly renewal of the pseudonyms of one installation."""

    def __init__(self, home: Home, environ: Mapping[str, str]) -> None:
        self._home = home
        self._environ = environ
        self._ledger = open_ledger(home, while_renewing=True)
        self._log = RecordLog(home.records)
        self._app = open_app(home)

    def plan(self, moment: datetime) -> RenewalPlan:
        """What stands under pseudonyms now, and whether it is time; nothing is changed."""
        renewals = Renewals(self._ledger).all()
        today, last = local_day(moment), self._last()
        due = due_since(today, last)
        next_on = due or date(today.year + (today.month >= 8), 8, 1)
        rows = {f"pupils in {table.value}": len(self._keys_in(table)) for table in _ABOUT_PUPILS}
        with self._app.begin() as connection:
            for table in _with_pupils():
                rows[f"rows of {table.name} (app)"] = _count(connection, table)
        version = renewals[-1].version if renewals else 1
        return RenewalPlan(version, last, due, next_on, read_journal(self._home) is not None, rows)

    def run(self, operator: str, reason: str, moment: datetime, say: Say) -> Mapping[str, int]:
        """Renew, or finish what was begun; rows changed per store.

        Without being due it needs a `reason`: a key that may have leaked, for instance.
        """
        journal = read_journal(self._home)
        if journal is None and not reason.strip():
            if due_since(local_day(moment), self._last()) is None:
                raise NotAllowed(
                    "pseudonyms are renewed once a year, from 1 August on, and that was done or "
                    "is not due yet; to do it now nevertheless, say why (--reason)"
                )
            reason = "yearly"
        with self._log.writing():
            if journal is None:
                vault = open_for_renewal(self._home, self._environ)
                journal = Journal(vault.version + 1, as_text(moment), reason)
                write_journal(self._home, journal)
            else:
                say(f"finishing the renewal that was begun on {journal.moment[:10]}")
            changed = self._carry_out(journal, operator, say)
        self._back_online(operator, moment, say)
        return changed

    def _carry_out(self, journal: Journal, operator: str, say: Say) -> Mapping[str, int]:
        vault = open_for_renewal(self._home, self._environ)
        renewed = vault.renewed()
        if journal.lists is None:
            renewed = renewed or vault.begin(self._strays(vault))
            journal = self._before_the_app(journal, vault, renewed, say)
        if renewed:
            _renew_app(self._app, renewed, journal.lists or {})
            say(f"app: {sum(map(len, (journal.lists or {}).values()))} lists resealed")
            Renewals(self._ledger).complete(journal, renewed, operator, Role.JOB)
            vault.finish()
            say("vault: the old key is destroyed")
        for path in (self._home.app, self._home.ledger, self._home.vault):
            rewrite_sqlite(path)
        journal_of(self._home).unlink()
        done = Renewals(self._ledger).all()
        return done[-1].changed if done else {}

    def _before_the_app(
        self, journal: Journal, vault: RenewedVault, renewed: Renewed, say: Say
    ) -> Journal:
        """Records, features and invented outcomes; then the seals of the lists are worked out."""
        changed = {
            f"records_{table}": rows
            for table, rows in renew_records(self._log, vault.vault, renewed).items()
        }
        say(f"records: {sum(changed.values()):,} rows")
        changed["features"] = FeatureStore.behind(self._home, self._ledger).renew(renewed)
        say(f"features: {changed['features']:,} rows")
        if self._home.truth.exists():
            changed["invented_outcomes"] = _renew_truth(self._home.truth, renewed)
        journal = replace(journal, changed=changed, lists=_seals(ListStore(self._app), renewed))
        write_journal(self._home, journal)
        return journal

    def _strays(self, vault: RenewedVault) -> set[PupilKey]:
        """Pseudonyms in the log or the app of nobody the vault knows."""
        found = {key for table in _ABOUT_PUPILS for key in self._keys_in(table)}
        with self._app.begin() as connection:
            for one in _with_pupils():
                found |= set(connection.scalars(sa.select(one.c.pupil_key).distinct()))
        return {PupilKey(key) for key in found} - vault.known()

    def _keys_in(self, table: LogTable) -> list[str]:
        keys = pc.unique(self._log.read_versions(table)["pupil_key"]).to_pylist()
        return [key for key in keys if key is not None]

    def _last(self) -> date | None:
        """The day of the last renewal, or else of the first thing that was written down here."""
        if renewals := Renewals(self._ledger).all():
            return local_day(renewals[-1].moment)
        first = AuditChain(self._ledger).first()
        return local_day(first.moment) if first else None

    def _back_online(self, operator: str, moment: datetime, say: Say) -> None:
        """This week's values of the listed pupils, under their new pseudonyms."""
        store = FeatureStore.at(self._home)
        monday = store.online_as_of()
        if monday is None:
            return
        use = Use(operator, Role.JOB, Purpose.EARLY_WARNING, Action.SHOW, moment, "renewal")
        lists = ListStore(self._app)
        keys = [
            key
            for school in lists.schools()
            for key, block in lists.members(school).get(monday, {}).items()
            if block is not Block.TOO_LITTLE_DATA
        ]
        try:
            rows = store.entities([monday])
            listed = rows.filter(pc.is_in(rows["pupil_key"], pa.array(keys, pa.string())))
            store.put_online(store.retrieve(listed, RISK_SERVICE, use), monday, use)
        except (GateRefused, NotThere) as problem:
            say(f"nothing is online until the next weekly run: {problem}")


def _with_pupils() -> list[sa.Table]:
    return [table for table in METADATA.sorted_tables if "pupil_key" in table.c]


def _count(connection: sa.Connection, table: sa.Table) -> int:
    return connection.scalar(sa.select(sa.func.count()).select_from(table)) or 0


def _seals(store: ListStore, renewed: Renewed) -> Seals:
    """The fingerprint of every list as it is, and as it will be."""
    seals: dict[str, dict[str, tuple[str, str]]] = {}
    for school in store.schools():
        for week in store.weeks(school):
            one = store.get(school, week)
            rows = tuple(
                replace(row, pupil_key=renewed.get(row.pupil_key, row.pupil_key))
                for row in one.rows
            )
            after = replace(one, rows=rows).content_hash
            seals.setdefault(school, {})[week.isoformat()] = (one.content_hash, after)
    return seals


def _renew_app(app: sa.Engine, renewed: Renewed, seals: Seals) -> None:
    """All tables about pupils and the seals of the lists, in one transaction; can be repeated."""
    with writing(app) as connection:
        for table in _with_pupils():
            _rename(connection, table, renewed)
        for school, weeks in seals.items():
            for week, (_, after) in weeks.items():
                connection.execute(
                    LISTS.update()
                    .where(LISTS.c.school == school, LISTS.c.as_of == date.fromisoformat(week))
                    .values(content_hash=after)
                )


def _rename(connection: sa.Connection, table: sa.Table, renewed: Renewed) -> None:
    """By primary key: a table of many pupils is not searched again for each of them."""
    names = [column.name for column in table.primary_key.columns]
    columns = [*(table.c[name] for name in names), table.c.pupil_key.label("_old")]
    changes = [
        {**{f"is_{name}": row[name] for name in names}, "_new": renewed[row["_old"]]}
        for row in connection.execute(sa.select(*columns)).mappings()
        if row["_old"] in renewed
    ]
    if changes:
        same = [table.c[name] == sa.bindparam(f"is_{name}") for name in names]
        change = table.update().where(*same).values(pupil_key=sa.bindparam("_new"))
        connection.execute(change, changes)


def _renew_truth(folder: Path, renewed: Renewed) -> int:
    changed = 0
    for path in sorted(folder.glob("*.parquet")):
        frame = pl.read_parquet(path)
        if "pupil_key" in frame.columns:
            changed += len(frame.filter(pl.col("pupil_key").is_in(list(renewed))))
            draft = path.with_suffix(".next")
            frame.with_columns(pl.col("pupil_key").replace(dict(renewed))).write_parquet(draft)
            draft.replace(path)
    return changed
