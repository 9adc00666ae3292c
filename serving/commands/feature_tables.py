"""Commands on features: the catalogue, one feature in full, and the feature tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields
from datetime import date, datetime
from typing import TYPE_CHECKING

import click
import pyarrow as pa

from features.errors import NotThere
from features.school_weeks import mondays_between
from features.vocabulary import Role
from serving.commands.context import Work
from serving.commands.progress import progress_shown

if TYPE_CHECKING:
    from features.records import RecordLog
    from features.store import FeatureStore

    Todo = Mapping[str, list[date]]

DATE = click.DateTime(formats=["%Y-%m-%d"])
ENGINES = ("local", "spark")
SCHOOLS_AT_ONCE = 50
"""How many schools' rows come back from Spark together, so that they fit in memory here."""


@click.group()
def features() -> None:
    """The feature catalogue and the feature tables."""


@features.command("list")
@click.option("--view", help="Only the features of one view.")
def list_features(view: str | None) -> None:
    """Every feature in one line: name, view, window in school weeks, Dutch label."""
    from features.catalogue import CATALOGUE, by_view

    if view is not None and view not in by_view():
        raise NotThere(f"no view is called {view!r}; known: {', '.join(by_view())}")
    for feature in CATALOGUE:
        if view in (None, feature.view):
            weeks = "" if feature.window is None else f"{feature.window}w"
            click.echo(f"{feature.name:32} {feature.view:12} {weeks:>4}  {feature.label_nl}")


@features.command("plan")
@click.pass_obj
def plan_features(work: Work) -> None:
    """What catalogue, contracts and decisions of now would change in Feast's registry."""
    from features.store import FeatureStore, StoreSettings

    store = FeatureStore.at(work.home, work.settings.section("store", StoreSettings))
    lines = store.plan()
    for line in lines or ["nothing would change: Feast's registry is up to date"]:
        click.echo(line)


@features.command("ui")
@click.option("--port", type=int, default=8888, show_default=True)
@click.pass_obj
def show_ui(work: Work, port: int) -> None:
    """Open Feast's own pages on this machine only: views, services, contracts as tags.

    They show definitions. Feast's ways to values, past the gate, are shut.
    """
    import uvicorn

    from features.store import FeatureStore

    work.need(work.home.feast, "run `tijdig features build` first")
    pages = FeatureStore.at(work.home).pages()
    work.say(f"Feast's pages: http://127.0.0.1:{port}, until Ctrl+C")
    uvicorn.run(pages, host="127.0.0.1", port=port, log_level="warning")


@features.command("show")
@click.argument("name")
def show_feature(name: str) -> None:
    """What one feature measures, from which columns, and the contract it is used under."""
    for line in feature_lines(name):
        click.echo(line)


def feature_lines(name: str) -> Iterator[str]:
    """The definition and the contract of feature `name`, a line each."""
    from features.catalogue import feature
    from features.governance.contracts import read_contracts

    one = feature(name)
    for field in fields(one):
        yield _line(field.name, getattr(one, field.name))
    yield _line("definition_hash", one.definition_hash)
    contract = read_contracts().get(name)
    if contract is None:
        yield "no contract: the gate refuses this feature"
        return
    yield "contract"
    for field in fields(contract):
        if field.name not in ("name", "sources", "definition_hash"):
            yield "  " + _line(field.name, getattr(contract, field.name))
    if contract.definition_hash != one.definition_hash:
        yield (
            "  the definition or the code that computes it changed since it was approved: the gate "
            "refuses this feature"
        )


def _line(name: str, value: object) -> str:
    """A name and its value.

    >>> _line("sources", ("absence.kind", "placements.group"))
    'sources: absence.kind, placements.group'
    >>> _line("window", None)
    'window: -'
    """
    text = ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)
    return f"{name}: {'-' if value is None or text == '' else text}"


@features.command("build")
@click.option("--from", "first", type=DATE, required=True)
@click.option("--to", "last", type=DATE, required=True)
@click.option("--engine", type=click.Choice(ENGINES), default="local", show_default=True)
@click.pass_obj
def build_command(work: Work, first: datetime, last: datetime, engine: str) -> None:
    """Build the feature tables for every Monday between two dates, as known then.

    What was built before and still stands is left alone: a Monday is built again only when a later
    delivery brought something that was known before it.
    """
    mondays = mondays_between(first.date(), last.date())
    if not mondays:
        raise click.BadParameter("there is no Monday between these dates", param_hint="--to")
    build_tables(work, mondays, engine)


def build_tables(work: Work, mondays: list[date], engine: str = "local") -> None:
    """Build and store what does not stand, one school after another; safe to interrupt."""
    from features.governance.use import Action, Purpose, Use
    from features.records import RecordLog
    from features.store import FeatureStore, StoreSettings

    work.need(work.home.records, "run `tijdig ingest` first")
    log, store = (
        RecordLog(work.home.records),
        FeatureStore.at(work.home, work.settings.section("store", StoreSettings)),
    )
    use = Use("feature build", Role.JOB, Purpose.EARLY_WARNING, Action.APPLY, work.clock())
    store.apply(use)
    schools = log.schools()
    todo = {
        school: missing
        for school in schools
        if (missing := sorted(set(mondays) - store.built([school])))
    }
    build_missing = _build_on_spark if engine == "spark" else _build_locally
    build_missing(work, log, store, todo)
    built = sum(len(missing) for missing in todo.values())
    work.say(
        f"features of {len(mondays)} Mondays stand for {len(schools)} schools; "
        f"{built} of {len(mondays) * len(schools)} school weeks were built now"
    )


def _build_locally(work: Work, log: RecordLog, store: FeatureStore, todo: Todo) -> None:
    from features.build import build

    with progress_shown(work) as show:
        done = 0
        show("features", 0.0)
        for mondays, schools in _alike(todo):
            built = build(log, mondays, schools)
            for school, table in zip(schools, built, strict=True):
                store.write(table, mondays, [school])
                done += 1
                show("features", done / len(todo))


def _alike(todo: Todo) -> Iterator[tuple[tuple[date, ...], list[str]]]:
    """The Mondays to build, and the schools for which these are the ones."""
    schools: dict[tuple[date, ...], list[str]] = {}
    for school, missing in todo.items():
        schools.setdefault(tuple(missing), []).append(school)
    yield from schools.items()


def _build_on_spark(work: Work, log: RecordLog, store: FeatureStore, todo: Todo) -> None:
    from features.build.spark import SparkSettings, build_on_spark, spark_session

    if not todo:
        return
    session = spark_session(work.settings.section("spark", SparkSettings))
    for mondays, schools in _alike(todo):
        for number in range(0, len(schools), SCHOOLS_AT_ONCE):
            part = schools[number : number + SCHOOLS_AT_ONCE]
            tables = list(build_on_spark(session, log, mondays, part))
            store.write(pa.concat_tables(tables), mondays, part)
    session.stop()


COMMANDS = (features,)
