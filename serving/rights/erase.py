"""Erase one pupil from every store, and say what went, what lawfully stays and why."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path

import polars as pl
import sqlalchemy as sa

from features.governance import objections
from features.governance.audit import AuditChain
from features.governance.database import rewrite_sqlite
from features.governance.database import writing as writing_ledger
from features.governance.erasures import Erasure, Erasures
from features.governance.log_names import LogNames
from features.governance.requests import Requests
from features.records import LogTable, RecordLog
from features.records.erasing import erase_pupils
from features.store import FeatureStore
from features.vocabulary import PupilKey
from serving.accounts import Account
from serving.identity import Names
from serving.lists import ListStore
from serving.rights.package import Sources
from serving.rights.records import TABLES
from serving.rights.uses import effect_of_retraining, trained_on, uses_of
from serving.tables import LISTS, METADATA, writing


@dataclass(frozen=True)
class ErasureReport:
    """What an erasure did. `removed` counts rows by place, in words for people.

    `effect` says of each model which share of its training this pupil was, and `measure` how to
    find out what training it again changes: which experiment, and which versions to compare.
    """

    moment: datetime
    school: str
    removed: Mapping[str, int]
    stays: tuple[str, ...]
    models: tuple[str, ...]
    effect: tuple[str, ...] = ()
    measure: tuple[str, ...] = ()


def erase(
    sources: Sources,
    names: Names,
    account: Account,
    school: str,
    pupil_key: PupilKey,
    moment: datetime,
) -> ErasureReport:
    """Erase everywhere; the vault goes last, so that a run cut short can be done again.

    A pupil who changed school goes under every pseudonym and from the lists of every school.
    The audit chain keeps its rows about the pupil's name in the log: they account for what people
    did. What led from the pseudonym to that name goes, so nothing leads to a person any more.
    """
    home, ledger = sources.home, sources.ledger
    keys = names.known_as(account, pupil_key)
    uses = uses_of(ledger, keys)
    models = trained_on(home, uses)
    effects = effect_of_retraining(home, ledger, uses)
    lists, in_app = _from_app(sources.app, keys)
    removed: dict[str, int] = {
        f"gegevens: {TABLES[LogTable(table)].lower()}": rows
        for table, rows in erase_pupils(RecordLog(home.records), keys).items()
    }
    store = FeatureStore.at(home)
    removed |= _in_words(_added_up([store.erase(key) for key in keys]))
    removed["rijen in de app (lijsten, besluiten)"] = in_app
    removed["bezwaren"] = sum(objections.erase(ledger, key) for key in keys)
    requests = Requests(ledger)
    removed["verzoeken zonder leerling bewaard"] = sum(requests.forget(key) for key in keys)
    if home.truth.exists():
        removed["verzonnen uitkomsten"] = _from_truth(home.truth, keys)
    told = tuple(_stays(ledger, keys, models))
    with writing_ledger(ledger) as connection:
        removed["verwijzing naar het inzagelog"] = sum(
            LogNames(ledger).forget(connection, key) for key in keys
        )
    removed["naam en nummer in de kluis"] = names.forget(account, keys)
    for place in sorted({school, *lists}):
        erasure = Erasure(moment, place, removed if place == school else {}, lists.get(place, {}))
        Erasures(ledger).keep(erasure, account.email, account.role)
    for path in (home.app, home.ledger, home.vault):
        rewrite_sqlite(path)
    shares = tuple(share for share, _ in effects)
    ways = tuple(way for _, way in effects)
    return ErasureReport(moment, school, removed, told, tuple(models), shares, ways)


def _from_app(
    app: sa.Engine, keys: Sequence[PupilKey]
) -> tuple[dict[str, dict[date, tuple[str, str]]], int]:
    """Take the pupil out of all tables and seal the lists anew.

    Gives old and new seals per school and week, and how many rows are gone.
    """
    store = ListStore(app)
    before = {
        (school, week): store.get(school, week)
        for school in store.schools()
        for key in keys
        for week, block in store.membership(school, key).items()
        if block
    }
    seals: dict[str, dict[date, tuple[str, str]]] = {}
    with writing(app) as connection:
        gone = sum(_delete(connection, table, key) for table in _in_order() for key in keys)
        for (school, week), one in before.items():
            rows = tuple(row for row in one.rows if row.pupil_key not in keys)
            seal = replace(one, rows=rows).content_hash
            connection.execute(
                LISTS.update()
                .where(LISTS.c.school == school, LISTS.c.as_of == week)
                .values(content_hash=seal)
            )
            seals.setdefault(school, {})[week] = (one.content_hash, seal)
    return seals, gone


def _added_up(counts: Sequence[Mapping[str, int]]) -> dict[str, int]:
    return {name: sum(one[name] for one in counts) for name in counts[0]}


def _in_order() -> Iterator[sa.Table]:
    """The tables about pupils, those that others point at last."""
    for table in reversed(METADATA.sorted_tables):
        if "pupil_key" in table.c:
            yield table


def _delete(connection: sa.Connection, table: sa.Table, pupil_key: PupilKey) -> int:
    theirs = table.c.pupil_key == pupil_key
    gone = 0
    for other in METADATA.sorted_tables:
        for column in other.c:
            for key in column.foreign_keys:
                if key.column.table is table and "pupil_key" not in other.c:
                    pointed = sa.select(key.column).where(theirs)
                    result = connection.execute(other.delete().where(column.in_(pointed)))
                    gone += result.rowcount
    return gone + connection.execute(table.delete().where(theirs)).rowcount


def _from_truth(folder: Path, keys: Sequence[PupilKey]) -> int:
    gone = 0
    for path in sorted(folder.glob("*.parquet")):
        frame = pl.read_parquet(path)
        if "pupil_key" in frame.columns:
            kept = frame.filter(~pl.col("pupil_key").is_in(keys))
            gone += len(frame) - len(kept)
            kept.write_parquet(path)
    return gone


def _in_words(removed: Mapping[str, int]) -> dict[str, int]:
    words = {"feature_rows": "berekende kenmerken", "online_values": "kenmerken van deze week"}
    return {words[name]: rows for name, rows in removed.items()}


def _stays(ledger: sa.Engine, keys: Sequence[PupilKey], models: list[str]) -> Iterator[str]:
    rows = sum(len(AuditChain(ledger).rows(subject=key)) for key in keys)
    yield (
        f"{rows} regels in het inzagelog, onder een naam die naar niemand meer leidt: "
        "zij leggen verantwoording af over wie wat deed (AVG artikel 5 lid 2)."
    )
    yield (
        "Tellingen in het gebruiksregister, en verzegelde verzamelingen waaruit niet meer blijkt "
        "om wie het ging."
    )
    if models:
        yield (
            f"Modellen die mede van deze leerling leerden: {', '.join(models)}. Een model bewaart "
            "geen gegevens van een leerling. Bij een volgende training is de leerling er niet bij."
        )
    yield (
        "Gemiddelden van de groep in al berekende kenmerken van klasgenoten; daarin is deze "
        "leerling niet te herkennen."
    )
    yield (
        "De administratie van de school zelf. Levert de school de leerling opnieuw aan, dan komt "
        "die opnieuw binnen: laat de school de aanlevering eerst aanpassen."
    )
    yield "Reservekopieën, tot hun eigen bewaartermijn om is."
