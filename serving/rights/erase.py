"""Erase one pupil from every store, and say what went, what lawfully stays and why."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path

import polars as pl
import sqlalchemy as sa

from features.governance import objections
from features.governance.audit import AuditChain
from features.governance.database import rewrite_sqlite
from features.governance.erasures import Erasure, Erasures
from features.governance.ledger import Ledger
from features.governance.requests import Requests
from features.records import RecordLog
from features.records.erasing import erase_pupils
from features.store import FeatureStore
from features.vocabulary import PupilKey
from serving.accounts import Account
from serving.identity import Names
from serving.lists import ListStore
from serving.rights.package import Sources, trained_on
from serving.tables import LISTS, METADATA, writing


@dataclass(frozen=True)
class ErasureReport:
    """What an erasure did. `removed` counts rows by place, in words for people."""

    moment: datetime
    school: str
    removed: Mapping[str, int]
    stays: tuple[str, ...]
    models: tuple[str, ...]


def erase(
    sources: Sources,
    names: Names,
    account: Account,
    school: str,
    pupil_key: PupilKey,
    moment: datetime,
) -> ErasureReport:
    """Erase everywhere; the vault goes last, so that a run cut short can be done again.

    The audit chain keeps its rows about the pseudonym: they account for what people did, and
    nothing leads from them to a person any more.
    """
    home, ledger = sources.home, sources.ledger
    models = trained_on(home, Ledger(ledger).about(pupil_key))
    lists, in_app = _from_app(sources.app, school, pupil_key)
    removed: dict[str, int] = {
        f"gegevens ({table})": rows
        for table, rows in erase_pupils(RecordLog(home.records), [pupil_key]).items()
    }
    removed |= _in_words(FeatureStore.at(home).erase(pupil_key))
    removed["rijen in de app (lijsten, besluiten)"] = in_app
    removed["bezwaren"] = objections.erase(ledger, pupil_key)
    removed["verzoeken zonder leerling bewaard"] = Requests(ledger).forget(pupil_key)
    if home.truth.exists():
        removed["verzonnen uitkomsten"] = _from_truth(home.truth, pupil_key)
    removed["naam en nummer in de kluis"] = names.forget(account, pupil_key)
    erasure = Erasure(moment, school, removed, lists)
    Erasures(ledger).keep(erasure, account.email, account.role)
    for path in (home.app, home.ledger, home.vault):
        rewrite_sqlite(path)
    told = tuple(_stays(ledger, pupil_key, models))
    return ErasureReport(moment, school, removed, told, tuple(models))


def _from_app(
    app: sa.Engine, school: str, pupil_key: PupilKey
) -> tuple[dict[date, tuple[str, str]], int]:
    """Take the pupil out of all tables and seal the lists anew; old and new seals, rows gone."""
    store = ListStore(app)
    before = {
        week: store.get(school, week)
        for week, block in store.membership(school, pupil_key).items()
        if block
    }
    after = {
        week: replace(one, rows=tuple(row for row in one.rows if row.pupil_key != pupil_key))
        for week, one in before.items()
    }
    with writing(app) as connection:
        gone = sum(_delete(connection, table, pupil_key) for table in _in_order())
        for week, one in after.items():
            connection.execute(
                LISTS.update()
                .where(LISTS.c.school == school, LISTS.c.as_of == week)
                .values(content_hash=one.content_hash)
            )
    seals = {week: (one.content_hash, after[week].content_hash) for week, one in before.items()}
    return seals, gone


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


def _from_truth(folder: Path, pupil_key: PupilKey) -> int:
    gone = 0
    for path in sorted(folder.glob("*.parquet")):
        frame = pl.read_parquet(path)
        if "pupil_key" in frame.columns:
            kept = frame.filter(pl.col("pupil_key") != pupil_key)
            gone += len(frame) - len(kept)
            kept.write_parquet(path)
    return gone


def _in_words(removed: Mapping[str, int]) -> dict[str, int]:
    words = {"feature_rows": "berekende kenmerken", "online_values": "kenmerken van deze week"}
    return {words[name]: rows for name, rows in removed.items()}


def _stays(ledger: sa.Engine, pupil_key: PupilKey, models: list[str]) -> Iterator[str]:
    rows = len(AuditChain(ledger).rows(subject=pupil_key))
    yield (
        f"{rows} regels in het inzagelog, onder een pseudoniem dat naar niemand meer leidt: "
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
