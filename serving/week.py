"""One weekly run: build, retrieve, score, explain, cut, publish; running it twice changes nothing.

Whatever stops a run halfway leaves feature tables that the next run reuses and no list, or all
lists: publishing is one transaction.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime

import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import Connection, Engine

from features.build import KeptParts, build_monday, build_partition
from features.errors import NotAllowed, NotThere, VerificationFailed
from features.governance import open_ledger
from features.governance.approvals import missing_features
from features.governance.audit import AuditChain
from features.governance.erasures import Erasure, Erasures
from features.governance.objections import objected
from features.governance.renewals import Renewal, Renewals
from features.governance.stops import EVERYWHERE, EmergencyStops
from features.governance.use import Action, Use
from features.records import RecordLog
from features.records.partition import read_partition
from features.school_weeks import as_of_moment
from features.settings import Home
from features.store import RISK_SERVICE, FeatureStore
from models.in_use import check_in_use
from models.registry import Registry
from models.stored import RiskModel
from serving.beside import publish_week
from serving.decisions import Decisions
from serving.earlier_lists import EarlierLists
from serving.evaluation import FILE_NAME
from serving.frequencies import frequencies
from serving.list_making import ListTerms, MadeList, SchoolTerms, make_lists
from serving.lists import Block, ListStore, PublishedList
from serving.region import keep_months
from serving.scoring import CutMonday, ScoredMonday, score_monday
from serving.shortened import without_predecessors
from serving.tables import open_app
from serving.week_facts import AHEAD

Report = Callable[[str], None]
ROOM = 3 << 29
"""Bytes: so much of what was read for the features is kept for the lists."""


@dataclass(frozen=True)
class WeekResult:
    """What a weekly run did, in counts."""

    as_of: date
    schools: int
    published: int
    listed: int
    passed_over: int
    too_little_data: int

    def lines(self) -> Iterator[str]:
        """For people and logs."""
        again = "" if self.published else " (they were there already; nothing changed)"
        yield (
            f"{self.as_of}: {self.published} of {self.schools} lists published{again}; "
            f"{self.listed} pupils to discuss or follow, {self.too_little_data} too new to say, "
            f"{self.passed_over} passed over: nothing in their records to point at"
        )


@dataclass(frozen=True)
class WeeklyRun:
    """The stores and rules of one run."""

    home: Home
    store: FeatureStore
    lists: ListStore
    decisions: Decisions
    ledger: Engine
    use: Use
    models: dict[int, RiskModel] = field(default_factory=dict, compare=False)

    @classmethod
    def at(cls, home: Home, use: Use) -> "WeeklyRun":
        """The run of the installation at `home`."""
        if not home.records.exists():
            raise NotThere(f"{home.records} does not exist yet; run `tijdig ingest` first")
        store, app = FeatureStore.at(home), open_app(home)
        lists, decisions, ledger = ListStore(app), Decisions(app), open_ledger(home)
        return cls(home, store, lists, decisions, ledger, use)

    def publish(self, as_of: date, report: Report) -> WeekResult:
        """Publish the lists of `as_of` for every school."""
        as_of_moment(as_of)  # refuses a day that is no Monday
        self._refuse_the_past(as_of)
        log = RecordLog(self.home.records)
        stops = EmergencyStops(self.ledger).standing()
        if EVERYWHERE in stops:
            raise NotAllowed(f"all lists are stopped: {stops[EVERYWHERE].reason}")
        version, bundle = Registry.at(self.home).champion()
        check_in_use(AuditChain(self.ledger), version, bundle)
        missing_features(bundle.features, self.store.set_aside, f"model version {version}")
        kept = KeptParts(ROOM)
        table = self._features(log, as_of, stops, kept, report)
        report(f"scoring {table.num_rows:,} pupils with version {version}")
        scored = score_monday(as_of, table, bundle)
        earlier = EarlierLists(self.lists.engine, as_of)
        cut = scored.cut(earlier.counting())
        # What is published stays: a later delivery or model changes the next Monday, not this one.
        there = self.lists.schools_of(as_of)
        missing = [name for name in scored.schools if name not in there]
        known = frequencies(self.home.root / FILE_NAME)
        terms = self._terms(scored, str(version), known, log.head())
        decided = self.decisions.schools()
        schools = {name: self._school(cut, earlier, name, name in decided) for name in missing}
        report(f"making the lists of {len(schools):,} schools")
        made = {one.published.school: one for one in make_lists(log, terms, schools, kept)}
        published = self._publish(made)
        lists = [
            made[name].published if name in made else self.lists.get(name, as_of)
            for name in scored.schools
        ]
        if as_of == max(self.lists.mondays()):
            self._show_online(scored, lists)
        blocks = [row.block for one in lists for row in one.rows]
        little = blocks.count(Block.TOO_LITTLE_DATA)
        over = cut.passed_over()
        result = WeekResult(as_of, len(lists), published, len(blocks) - little, over, little)
        AuditChain(self.ledger).append(
            self.use.moment,
            self.use.actor,
            self.use.role,
            "lists_published",
            f"week {as_of}",
            detail={
                "lists": published,
                # After a run that was killed once it had published: what it left no row of.
                "lists_there": len(lists),
                "pupils": result.listed,
                "passed_over": result.passed_over,
                "model_version": version,
            },
        )
        return result

    def verify(self, as_of: date, school: str) -> str:
        """Make the list of `school` again from the log, without any stored feature, and compare."""
        stored = self.lists.get(school, as_of)
        log = RecordLog(self.home.records, head=stored.log_head)
        bundle = self._model(int(stored.model_version))
        model = f"model version {stored.model_version}"
        missing_features(bundle.features, self.store.set_aside, model)
        tables = read_partition(log, school, known_before=as_of_moment(as_of))
        table = build_partition(tables, [as_of])
        objecting = objected(self.ledger, before=stored.published_at)
        table = _without(table, objecting)
        self.store.record_rebuild(table, self.use)
        scored = score_monday(as_of, table, bundle)
        terms = self._terms(scored, stored.model_version, stored.frequencies, log.head())
        earlier = EarlierLists(self.lists.engine, as_of, school)
        asked = self._school(scored.cut(earlier.counting()), earlier, school)
        (made,) = (one.published for one in make_lists(log, terms, {school: asked}))
        if made.content_hash != stored.content_hash:
            if erased := Erasures(self.ledger).of(school, after=stored.published_at):
                return _lawfully_changed(stored, erased, Renewals(self.ledger).all())
            if told := without_predecessors(self.lists, self.ledger, stored, made):
                return told
            raise VerificationFailed(
                f"the list of school {school} for {as_of} cannot be made again: "
                f"{_difference(stored, made)}. An erased pupil, or lists before it that had their "
                "term, would be lawful reasons; neither is so. Look in the audit chain for what "
                "changed"
            )
        return (
            f"{school} {as_of}: made again from the records, identical ({stored.content_hash[:12]})"
        )

    def _model(self, version: int) -> RiskModel:
        """A stored model, read once: opening the registry takes longer than verifying a list."""
        if version not in self.models:
            self.models[version] = Registry.at(self.home).bundle(version)
        return self.models[version]

    def _refuse_the_past(self, as_of: date) -> None:
        """What is new on a list follows from the lists before it, so Mondays come in order."""
        mondays = self.lists.mondays()
        newest = max(mondays, default=as_of)
        if as_of < newest and as_of not in mondays:
            raise NotAllowed(
                f"lists of {newest} are published; {as_of} lies before them and can no longer "
                "be published. Publish Mondays in order"
            )

    def _features(
        self,
        log: RecordLog,
        as_of: date,
        stops: Collection[str],
        kept: KeptParts,
        report: Report,
    ) -> pa.Table:
        if as_of not in self.store.built(log.schools()):
            report(f"building the features of {as_of}")
            built = pa.concat_tables(build_monday(log, as_of, AHEAD, kept))
            self.store.write(built, [as_of], log.schools())
        self.store.apply(self.use)  # what the privacy officer decided since the last run counts
        # Reasons show what the features say: what may not be shown stops the list, and no later.
        self.store.permit(replace(self.use, action=Action.SHOW))
        objecting = objected(self.ledger, before=self.use.moment)
        entities = _without(self.store.entities([as_of]), objecting)
        for school in sorted(stops):
            report(f"school {school}: its lists are stopped; nothing of it is read")
            entities = entities.filter(pc.field("school") != school)
        if not entities.num_rows:
            raise NotThere(f"no pupil is enrolled on {as_of}, as far as the records go")
        return self.store.retrieve(entities, RISK_SERVICE, self.use)

    def _terms(
        self, scored: ScoredMonday, version: str, known: Mapping[Block, str], log_head: int
    ) -> ListTerms:
        return ListTerms(
            as_of=scored.as_of,
            published_at=self.use.moment,
            model_version=version,
            bundle_hash=scored.bundle.content_hash,
            frequencies=known,
            log_head=log_head,
            cohort=scored.cohort,
            objecting=objected(self.ledger, self.use.moment),
        )

    def _school(
        self, cut: CutMonday, earlier: EarlierLists, school: str, has_decisions: bool = True
    ) -> SchoolTerms:
        listed = cut.listed(school)
        return SchoolTerms(
            school=school,
            capacity=cut.places(school),
            listed=listed,
            newness=earlier.newness(school, [one.pupil_key for one in listed]),
            enrolled=cut.scored.of_school(school),
            last=earlier.members(school),
            decisions=self.decisions.of_school(school) if has_decisions else {},
        )

    def _publish(self, made: Mapping[str, MadeList]) -> int:
        def alongside(connection: Connection, one: PublishedList) -> None:
            beside = made[one.school].content
            moment = self.use.moment
            publish_week(connection, beside.facts, beside.rows, beside.enrolled, moment)
            keep_months(connection, one.school, beside.months)

        return self.lists.publish((one.published for one in made.values()), alongside)

    def _show_online(self, scored: ScoredMonday, lists: list[PublishedList]) -> None:
        keys = pa.array(
            [
                row.pupil_key
                for one in lists
                for row in one.rows
                if row.block is not Block.TOO_LITTLE_DATA
            ],
            pa.string(),
        )
        shown = scored.table.filter(pc.is_in(scored.table["pupil_key"], keys))
        self.store.put_online(shown, scored.as_of, replace(self.use, action=Action.SHOW))


def _without(table: pa.Table, pupil_keys: Collection[str]) -> pa.Table:
    """The rows of all but these pupils: whoever objected is not read and not scored."""
    objecting = pa.array(sorted(pupil_keys), pa.string())
    return table.filter(pc.invert(pc.is_in(table["pupil_key"], objecting)))


def _lawfully_changed(
    stored: PublishedList, erased: Sequence[Erasure], renewals: Sequence[Renewal]
) -> str:
    """What can still be said of a list from before an erasure: who is left stands as sealed.

    Sealed when the pupil was erased, or since then under the renewed pseudonyms of the others.
    """
    changes: list[tuple[datetime, str]] = [
        (one.moment, one.lists[stored.as_of][1]) for one in erased if stored.as_of in one.lists
    ]
    for renewal in renewals:
        weeks = renewal.lists.get(stored.school, {})
        if stored.as_of in weeks:
            changes.append((renewal.moment, weeks[stored.as_of][1]))
    if changes and max(changes)[1] != stored.content_hash:
        raise VerificationFailed(
            f"the list of school {stored.school} for {stored.as_of} is not the one that was sealed "
            "when a pupil was erased from it; look in the audit chain for what changed"
        )
    return (
        f"{stored.school} {stored.as_of}: {len(erased)} pupil(s) of this school were erased on "
        f"request, the last on {erased[-1].moment:%Y-%m-%d}; the list can lawfully not be made "
        f"again. What is left of it stands as sealed ({stored.content_hash[:12]})"
    )


def _difference(stored: PublishedList, made: PublishedList) -> str:
    """Where two lists differ, in counts."""
    keys = [{row.pupil_key for row in one.rows} for one in (stored, made)]
    if keys[0] != keys[1]:
        return f"{len(keys[0] - keys[1])} pupils are missing and {len(keys[1] - keys[0])} are new"
    changed = sum(old != new for old, new in zip(stored.rows, made.rows, strict=True))
    return f"{changed} rows have another place or other reasons"
