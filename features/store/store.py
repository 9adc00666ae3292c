"""Feature values in and out: first the gate is asked, then the ledger written, then data move."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import Engine

from features.catalogue import CATALOGUE, Feature
from features.errors import NotThere
from features.governance import open_ledger
from features.governance.approvals import ContractDecision
from features.governance.contracts import read_contracts
from features.governance.gate import Decision, Gate
from features.governance.ledger import Ledger
from features.governance.use import Action, Use
from features.records import RecordLog
from features.school_weeks import as_of_moment
from features.settings import Home
from features.store.definitions import (
    JOIN_KEY,
    TIMESTAMP,
    Service,
    definitions,
    definitions_hash,
)
from features.store.offline import NO_LOG, OfflineRows
from features.store.online import LABEL, OnlineLabel, listed_table
from features.store.production import (
    CONFIGURATION,
    SPARK,
    StoreSettings,
    configuration,
)
from features.store.rows import (
    ENTITY_FIELDS,
    checked,
    in_store_order,
    moments,
    rows_without_values,
    with_features,
)
from features.store.standing import LOG_HEAD, standing
from features.vocabulary import PupilKey

if TYPE_CHECKING:
    from features.store.feast_repo import FeastRepo
    from features.store.pages import Application

RISK_SERVICE = "risk_v1"


class FeatureStore:
    """The feature tables of one installation.

    A row of Monday `as_of` holds what was known before that Monday 06:00 in Amsterdam. An undefined
    value is NaN; a row that was never built raises `NotThere`.
    """

    def __init__(
        self,
        home: Home,
        gate: Gate,
        ledger: Ledger,
        catalogue: Sequence[Feature] = CATALOGUE,
        settings: StoreSettings | None = None,
    ) -> None:
        self._home = home
        self._settings = settings
        self._opened: tuple[object, FeastRepo] | None = None
        self._gate = gate
        self._ledger = ledger
        self._stored = tuple(catalogue)
        self._offline = OfflineRows(home.offline, definitions_hash(catalogue))
        self._log = RecordLog(home.records)

    @classmethod
    def at(cls, home: Home, settings: StoreSettings | None = None) -> FeatureStore:
        """The store of the installation at `home`, behind its contracts, gate and ledger.

        `settings` say where registry and online store are; applying writes it down, and from then
        on the store is found there without them.
        """
        engine = open_ledger(home)
        return cls.behind(home, engine, settings)

    @classmethod
    def behind(
        cls, home: Home, engine: Engine, settings: StoreSettings | None = None
    ) -> FeatureStore:
        """The store at `home`, with the gate and the ledger of a ledger database that is open."""
        return cls(home, Gate(read_contracts(), engine), Ledger(engine), settings=settings)

    def service(self, name: str = RISK_SERVICE) -> Service:
        """The features that service `name` offers: all but those a privacy officer set aside."""
        if name != RISK_SERVICE:
            raise NotThere(f"no feature service is called {name!r}; known: {RISK_SERVICE}")
        aside = self.set_aside
        return Service(name, tuple(one for one in self._stored if one.name not in aside))

    @property
    def set_aside(self) -> Mapping[str, ContractDecision]:
        """The features that were switched off or refused, with the decision."""
        return self._gate.set_aside

    def permit(self, use: Use, service: str = RISK_SERVICE) -> Decision:
        """Ask the gate for a use of every feature of a service, before any is read for it."""
        return self._gate.check(self.service(service).definitions, use)

    def contract_hash(self, name: str = RISK_SERVICE) -> str:
        """The version of the contracts of service `name`, as its ledger rows carry it."""
        return self.service(name).contract_hash(self._gate.contracts)

    def apply(self, use: Use) -> None:
        """Make the Feast repository say what catalogue and contracts say; idempotent.

        When anything changed, the online values go: they belong to the older definitions.
        """
        asked = self.service()
        self._gate.check(asked.definitions, replace(use, action=Action.APPLY))
        files = {CONFIGURATION: self._configuration(), "definitions.py": self._definitions()}
        from features.store.feast_repo import FeastRepo, is_applied, open_repo

        folder = self._home.feast
        if is_applied(folder):
            repo = open_repo(folder)
            if repo.holds(files) and self._in_force(repo, asked):
                return
        FeastRepo.create(folder, files)

    def plan(self) -> list[str]:
        """What `apply` would change in Feast's registry, a line each; none: nothing."""
        from features.store.feast_repo import open_repo

        return open_repo(self._home.feast).plan(self._definitions())

    def pages(self) -> Application:
        """Feast's own pages about the definitions, as an ASGI application; no values."""
        from features.store.pages import definition_pages

        return definition_pages(self._home.feast)

    def write(
        self, table: pa.Table, mondays: Collection[date], schools: Collection[str] | None = None
    ) -> None:
        """Make `table` the rows of these schools and Mondays; seen whole, or not at all.

        `schools` are the schools the table answers for (default: those in it). Name them when one
        may have no pupils on any of the Mondays: it then counts as built nevertheless. A table
        that says up to which delivery it knew the log stands until a later one says otherwise.
        """
        rows = checked(table, [one.name for one in self._stored], mondays, schools)
        answered = schools if schools is not None else pc.unique(rows["school"]).to_pylist()
        head = int((table.schema.metadata or {}).get(LOG_HEAD, NO_LOG))
        covers = {(school, monday): head for school in answered for monday in mondays}
        if covers:
            self._offline.write(rows, covers)

    def built(self, schools: Collection[str] | None = None) -> frozenset[date]:
        """The Mondays that stand for each of `schools` (default: each school of the store).

        A Monday that was built stands until a later delivery adds something that was known before
        it; then it counts as not built. What stands equals, bit for bit, what a build would make.
        """
        covers = self._offline.generation().covers
        asked = set(schools) if schools is not None else {school for school, _ in covers}
        there: dict[date, set[str]] = {}
        for school, monday in standing(covers, self._log):
            there.setdefault(monday, set()).add(school)
        return frozenset(monday for monday, found in there.items() if asked <= found)

    def entities(
        self, mondays: Collection[date], schools: Collection[str] | None = None
    ) -> pa.Table:
        """Which pupils there are on these Mondays, in order of Monday, school and pupil."""
        missing = sorted(set(mondays) - self.built(schools))
        if missing:
            raise NotThere(
                f"the features of {len(missing)} Monday(s) were not built for every school, or a "
                f"later delivery changed what was known then, the first {missing[0]}; run "
                "`tijdig features build`"
            )
        columns = [field.name for field in ENTITY_FIELDS]
        return in_store_order(self._offline.read(columns, mondays=mondays, schools=schools))

    def retrieve(self, entities: pa.Table, service: str, use: Use) -> pa.Table:
        """The rows of `entities` (with `pupil_key` and `as_of`) and the features as known then.

        Same rows, same order; features are float32. Asks the gate, writes the ledger, and only
        then lets Feast join.
        """
        asked = self.service(service)
        decision = self._gate.check(asked.definitions, use)
        repo = self._repo(asked)
        with self._offline.reading() as generation:
            if not generation.parts:
                raise NotThere(
                    f"{self._home.offline}: nothing was built yet; run `tijdig features`"
                )
            mondays = pc.unique(entities["as_of"]).to_pylist()
            self._record(entities[JOIN_KEY], mondays, asked, use, decision)
            if not entities.num_rows:
                return with_features(entities, None, asked.names)
            return self._joined(repo, entities, asked)

    def record_rebuild(self, table: pa.Table, use: Use, service: str = RISK_SERVICE) -> None:
        """Account for values that were made again from the records, past the stored tables.

        Asks the gate and writes the ledger like a retrieval of the same rows: verifying a list
        reads as much about pupils as making it.
        """
        asked = self.service(service)
        decision = self._gate.check(asked.definitions, use)
        pupils = pc.unique(table[JOIN_KEY])
        schools = sorted(pc.unique(table["school"]).to_pylist())
        self._ledger.record(
            use,
            asked.name,
            asked.names,
            decision.contract_hash,
            pupils.to_pylist(),
            schools,
            decision,
        )

    def put_online(
        self, table: pa.Table, as_of: date, use: Use, service: str = RISK_SERVICE
    ) -> None:
        """Replace everything online by the rows of `table`: the listed pupils of one Monday."""
        asked = self.service(service)
        decision = self._gate.check(asked.definitions, use)
        repo = self._repo(asked)
        rows = table.select([JOIN_KEY, *asked.names]).to_pandas()
        rows[TIMESTAMP] = as_of_moment(as_of)
        self._record(table[JOIN_KEY], [as_of], asked, use, decision)
        self._label.unlink(missing_ok=True)  # a run that is cut short leaves values of no Monday
        repo.replace_online(rows, service)
        tables = repo.online_tables(service)
        OnlineLabel(as_of, self._versions(asked), tables).write(self._label)

    def read_online(
        self,
        pupil_keys: Sequence[str],
        use: Use,
        service: str = RISK_SERVICE,
        schools: Collection[str] | None = None,
    ) -> pa.Table:
        """These pupils' online values and their Monday, `as_of`; `NotThere` if one is not listed.

        In the order asked, without features that were set aside. Who knows the `schools` of the
        pupils says so, for the ledger: finding them goes through the rows of the region.
        """
        asked = self.service(service)
        keys = pa.chunked_array([pa.array(pupil_keys, pa.string())])
        decision = self._gate.check(asked.definitions, use)
        label = OnlineLabel.read(self._label)
        mondays = None if label is None else [label.as_of]
        self._record(keys, mondays, asked, use, decision, schools)
        if not pupil_keys:
            return with_features(pa.table({JOIN_KEY: keys}), None, asked.names)
        if label is None:
            raise NotThere("nothing is online; the next weekly run puts this week's values there")
        return self._online(label, pupil_keys, asked)

    def erase(self, pupil_key: str) -> dict[str, int]:
        """Take a pupil out of the feature tables and the online store; rows gone from each."""
        return {
            "feature_rows": self._offline.erase(pupil_key),
            "online_values": self._erase_online(pupil_key),
        }

    def renew(self, renewed: Mapping[PupilKey, PupilKey]) -> int:
        """Let the rows go by the new pseudonyms of their pupils; how many rows that were.

        What is online goes: `put_online` puts it back under the new ones. Can be done again.
        """
        if (self._home.feast / CONFIGURATION).exists():
            from features.store.feast_repo import is_applied, open_repo

            if is_applied(self._home.feast):
                open_repo(self._home.feast).clear_online(RISK_SERVICE)
        return self._offline.rename(renewed)

    def online_as_of(self) -> date | None:
        """The Monday whose listed pupils are online; None before the first."""
        label = OnlineLabel.read(self._label)
        return label.as_of if label else None

    def drop_before(self, day: date) -> int:
        """Take the rows of Mondays before `day` out, whose term is over; how many went."""
        return self._offline.drop_before(day)

    def built_before(self, day: date) -> int:
        """How many Mondays before `day` are built for some school."""
        return len({monday for _, monday in self._offline.generation().covers if monday < day})

    def _erase_online(self, pupil_key: str) -> int:
        if not (self._home.feast / CONFIGURATION).exists():
            return 0  # nothing was ever applied; importing Feast to hear that takes seconds
        from features.store.feast_repo import is_applied, open_repo

        folder = self._home.feast
        return open_repo(folder).erase_online(pupil_key) if is_applied(folder) else 0

    def _configuration(self) -> str:
        """What the settings say; without settings what was applied before, or else files."""
        applied = self._home.feast / CONFIGURATION
        if self._settings is None and applied.exists():
            return applied.read_text(encoding="utf-8")
        return configuration(self._settings or StoreSettings())

    def _definitions(self) -> str:
        on_spark = SPARK in self._configuration()
        return definitions(
            self._home, self._offline.live, self.service(), self._gate.contracts, on_spark
        )

    @property
    def _label(self) -> Path:
        return self._home.feast / LABEL

    def _versions(self, asked: Service) -> dict[str, str]:
        contracts = self._gate.contracts
        return {
            feature.name: f"{feature.definition_hash} {contracts[feature.name].content_hash()}"
            for feature in asked.features
        }

    def _online(self, label: OnlineLabel, pupil_keys: Sequence[str], asked: Service) -> pa.Table:
        label.refuse_others(self._versions(asked))
        if label.tables:
            found, absent = listed_table(self._home.feast, label, pupil_keys, asked.names)
        else:
            found = self._repo(asked).online(pupil_keys, asked.name).select(asked.names)
            absent = rows_without_values(found)
        if absent:
            raise NotThere(
                f"{absent} of {len(pupil_keys)} pupils are not in the online store; it holds only "
                "the pupils of this week's list"
            )
        if OnlineLabel.read(self._label) != label:
            raise NotThere("what is online is being replaced at this moment; ask again")
        monday = pa.array([label.as_of] * len(pupil_keys), pa.date32())
        pupils = pa.table({JOIN_KEY: pa.array(pupil_keys, pa.string()), "as_of": monday})
        return with_features(pupils, found, asked.names)

    def _repo(self, asked: Service) -> FeastRepo:
        # Kept open until anything on disk changes: opening takes far longer than reading a pupil.
        from features.store.feast_repo import open_repo, stamp

        now = (stamp(self._home.feast), asked.name, self.contract_hash(asked.name))
        if self._opened is not None and self._opened[0] == now:
            return self._opened[1]
        repo = open_repo(self._home.feast)
        if not self._in_force(repo, asked):
            raise NotThere(
                f"{self._home.feast}: was applied with other definitions, contracts or folders "
                "than those in force; run `tijdig features build` to apply again"
            )
        self._opened = now, repo
        return repo

    def _in_force(self, repo: FeastRepo, asked: Service) -> bool:
        tags = repo.tags(asked.name)
        return (
            tags.get("definitions_hash") == definitions_hash(asked.features)
            and tags.get("contract_hash") == self.contract_hash(asked.name)
            and repo.source_paths(asked.name) == {str(self._offline.live.absolute())}
        )

    def _record(
        self,
        pupil_keys: pa.ChunkedArray,
        mondays: Collection[date] | None,
        asked: Service,
        use: Use,
        decision: Decision,
        schools: Collection[str] | None = None,
    ) -> None:
        pupils = pc.unique(pupil_keys)
        if schools is None:
            schools = self._offline.schools_of(pupils, mondays)
        about = (asked.names, decision.contract_hash, pupils.to_pylist(), sorted(schools))
        self._ledger.record(use, asked.name, *about, decision)

    def _joined(self, repo: FeastRepo, entities: pa.Table, asked: Service) -> pa.Table:
        found = repo.historical(entities[JOIN_KEY], moments(entities["as_of"]), asked.name)
        missing = found[asked.names[0]].null_count
        if missing:
            raise NotThere(
                f"{missing} of {entities.num_rows} asked rows are not in the feature tables; run "
                "`tijdig features` for these Mondays"
            )
        return with_features(entities, found, asked.names)
