"""The access package: all that Tijdig holds about one pupil, what it did with it, who looked."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime

import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa

from features.catalogue import CATALOGUE, feature
from features.errors import NotThere
from features.governance.approvals import Approvals
from features.governance.contracts import read_contracts
from features.governance.ledger import LedgerRow
from features.governance.requests import Requests
from features.governance.use import Use
from features.records import RecordLog
from features.settings import Home
from features.store import RISK_SERVICE, FeatureStore
from features.vocabulary import PupilKey
from models.sections import Section, cell, from_records, section
from serving.lists import ListStore, PublishedList
from serving.rights.looks import looks
from serving.rights.records import (
    Correction,
    corrected_since,
    corrections,
    record_sections,
    schools_of,
)
from serving.rights.subject import Subject
from serving.rights.uses import trained_on, uses_of
from serving.steps import DecisionKind
from serving.tables import ACCOUNTS, METADATA


@dataclass(frozen=True)
class AccessPackage:
    """Everything about one pupil. `gaps` says what could not be read, and why."""

    subject: Subject
    made_at: datetime
    sections: tuple[Section, ...]
    gaps: tuple[str, ...]


@dataclass(frozen=True)
class Sources:
    """The stores a package is made from."""

    home: Home
    app: sa.Engine
    ledger: sa.Engine


def gather(sources: Sources, subject: Subject, use: Use, *, staff: bool) -> AccessPackage:
    """Make the package as things stand at `use.moment`; `staff`: with the accounts that looked.

    `use` is for the purpose of rights: the gate lets it pass and the ledger tells of it.
    """
    gaps: list[str] = []
    lists = _lists(sources.app, subject)
    uses = uses_of(sources.ledger, subject.keys)
    log = RecordLog(sources.home.records)
    sections = [
        _terms(sources.ledger),
        *record_sections(log, subject),
        *_features(sources.home, schools_of(log, subject), subject, use, gaps),
        _listed(lists, subject.keys, corrections(log, subject)),
        *_kept_in_app(sources.app, subject),
        looks(sources.ledger, sources.app, subject, schools_of(log, subject), staff=staff),
        _uses(uses),
        _models(sources.home, uses),
        _requests(sources.ledger, subject),
    ]
    return AccessPackage(subject, use.moment, tuple(sections), tuple(gaps))


def _terms(ledger: sa.Engine) -> Section:
    contracts = Approvals(ledger).in_force(read_contracts())
    rows = []
    for one in CATALOGUE:
        if contract := contracts.get(one.name):
            purposes = ", ".join(purpose.label for purpose in contract.purpose)
            rows.append(
                (
                    one.label_nl,
                    purposes,
                    contract.legal_basis,
                    contract.special_category or "nee",
                    contract.retention_value,
                )
            )
    return section(
        "Waarvoor, op welke grond en hoelang",
        "Tijdig berekent deze kenmerken uit wat de school zelf vastlegt. Er is geen andere bron. "
        "Niemand buiten de school en het samenwerkingsverband krijgt ze. Een mens beslist altijd.",
        ("Kenmerk", "Doel", "Grondslag", "Bijzonder gegeven", "Bewaartermijn"),
        rows,
    )


def _features(
    home: Home, schools: Sequence[str], subject: Subject, use: Use, gaps: list[str]
) -> Iterator[Section]:
    try:
        store = FeatureStore.at(home)
        built = {school: sorted(store.built([school])) for school in schools}
        if not any(built.values()):
            raise NotThere("er is voor deze school niets berekend")
        rows_of = [store.entities(built[school], [school]) for school in schools if built[school]]
        theirs = pa.concat_tables(rows_of).filter(pc.field("pupil_key").isin(list(subject.keys)))
        values = store.retrieve(theirs.select(["pupil_key", "as_of"]), RISK_SERVICE, use)
    except NotThere as problem:
        gaps.append(f"De berekende kenmerken zijn niet te lezen: {problem}")
        return
    weeks: list[date] = values["as_of"].to_pylist()
    newest_first = sorted(range(len(weeks)), key=lambda row: weeks[row], reverse=True)
    names = [name for name in values.column_names if name not in ("pupil_key", "as_of")]
    rows = []
    for name in names:
        column, known = values[name].to_pylist(), feature(name)
        rows.append([known.label_nl, *(known.figure(column[row]) for row in newest_first)])
    yield section(
        "Berekende kenmerken per maandag",
        "Wat Tijdig op elke maandag om 6 uur berekende, nieuwste eerst.",
        ("Kenmerk", *(cell(weeks[row]) for row in newest_first)),
        rows,
    )


def _lists(app: sa.Engine, subject: Subject) -> list[PublishedList]:
    store = ListStore(app)
    on = [
        (school, week)
        for school in store.schools()
        for week, members in store.members(school).items()
        if any(key in members for key in subject.keys)
    ]
    return [store.get(*place) for place in sorted(on, key=lambda place: place[1], reverse=True)]


def _listed(
    lists: Sequence[PublishedList], keys: Sequence[PupilKey], corrected: Sequence[Correction]
) -> Section:
    rows: list[tuple[object, ...]] = []
    for published in lists:
        row = next(one for one in published.rows if one.pupil_key in keys)
        told = [f"{reason.theme.label}: {reason.sentence}" for reason in row.explanation.reasons]
        facts = [
            f"{cell(item.day)} {item.label} {item.detail}".strip()
            for reason in row.explanation.reasons
            for item in reason.evidence
        ]
        also = [*row.explanation.counter_evidence, *row.explanation.support]
        improved = corrected_since(corrected, published)
        rows.append(
            (
                published.as_of,
                row.block.label,
                " ".join(told),
                "; ".join(facts),
                " ".join(also),
                f"versie {published.model_version}",
                f"daarna verbeterd: {improved}" if improved else "nee",
            )
        )
    return section(
        "Op welke lijsten, met welke redenen",
        "De bespreeklijst helpt het team kiezen wie het deze week bespreekt. Zij is geen besluit. "
        "Een lijst blijft staan zoals zij is getoond; de laatste kolom zegt of zij rust op "
        "gegevens die de school later heeft verbeterd.",
        (
            "Week van",
            "Deel",
            "Reden zoals getoond",
            "Feiten daarbij",
            "Ook getoond",
            "Model",
            "Later verbeterd",
        ),
        rows,
    )


_APP_TABLES = {
    "decisions": "Wat het team besloot",
    "care_entries": "Wie de leiding heeft en of er een aanbod is",
    "side_rows": "Naast de lijst: zelf toegevoegd, terug of thuis",
    "week_gone": "Niet meer op de lijst",
    "enrolled": "Ingeschreven op de laatste maandag",
}
_APP_LABELS = {
    "as_of": "Week van",
    "decided_at": "Wanneer",
    "entered_at": "Wanneer",
    "placed_at": "Wanneer",
    "kind": "Wat",
    "place": "Plaats",
    "group_name": "Groep",
    "because": "Omdat",
    "no_action_because": "Waarom niet",
    "owner": "Wie doet het",
    "in_charge": "Wie heeft de leiding",
    "offer": "Aanbod",
    "look_back_on": "Terugkijken op",
    "note": "Aantekening",
    "detail": "Bijzonderheden",
    "account_id": "Door",
}


def _kept_in_app(app: sa.Engine, subject: Subject) -> Iterator[Section]:
    with app.begin() as connection:
        people = {
            row.account_id: row.name
            for row in connection.execute(sa.select(ACCOUNTS.c.account_id, ACCOUNTS.c.name))
        }
        for table in METADATA.sorted_tables:
            if "pupil_key" not in table.c or table.name == "list_rows":
                continue
            query = sa.select(table).where(table.c.pupil_key.in_(subject.keys))
            rows = [dict(row) for row in connection.execute(query).mappings()]
            for row in rows:
                row["account_id"] = people.get(row.get("account_id"), "")
                if table.name == "decisions":
                    row["kind"] = DecisionKind(row["kind"]).label
            heading = _APP_TABLES.get(table.name, table.name)
            yield from_records(heading, "Zoals het in de app is bewaard.", _APP_LABELS, rows)


def _uses(uses: Sequence[LedgerRow]) -> Section:
    return section(
        "Waarvoor de kenmerken zijn opgehaald",
        "Elke keer dat Tijdig de kenmerken van deze leerling las, met doel en handeling.",
        ("Wanneer", "Doel", "Handeling", "Kenmerken", "Leerlingen in dezelfde keer", "Besluit"),
        [
            (
                row.moment,
                row.purpose.label,
                row.action.label,
                len(row.features),
                row.pupils,
                row.decision,
            )
            for row in uses
        ],
    )


def _models(home: Home, uses: Sequence[LedgerRow]) -> Section:
    return section(
        "Modellen die mede van deze leerling leerden",
        "Een model bewaart geen gegevens van een leerling; het leert van velen tegelijk.",
        ("Model",),
        [(name,) for name in trained_on(home, uses)],
    )


def _requests(ledger: sa.Engine, subject: Subject) -> Section:
    return section(
        "Verzoeken",
        "Wat u of iemand namens u heeft gevraagd.",
        ("Ontvangen", "Verzoek", "Antwoord uiterlijk", "Afgehandeld", "Uitkomst"),
        [
            (one.received_at, one.kind.label, one.due_on, one.handled_at, one.outcome)
            for key in subject.keys
            for one in Requests(ledger).all(key)
        ],
    )
