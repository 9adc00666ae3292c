"""Commands on records and features: simulate, ingest, features."""

import json
from datetime import date, datetime
from pathlib import Path

import click
from rich.progress import Progress

from features.school_weeks import mondays_between
from features.vocabulary import Role
from serving.commands.context import Work

DATE = click.DateTime(formats=["%Y-%m-%d"])
LAST_DAY = "2026-11-15"


@click.command()
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), required=True)
@click.option("--pupils", type=click.IntRange(200), default=10_000, show_default=True)
@click.option("--years", type=click.IntRange(1, 3), default=3, show_default=True)
@click.option("--seed", type=int, default=1, show_default=True)
@click.option("--end", type=DATE, default=LAST_DAY, show_default=True, help="Last recorded day.")
@click.pass_obj
def simulate(work: Work, out: Path, pupils: int, years: int, seed: int, end: datetime) -> None:
    """Write the deliveries of an invented region, and apart from them the truth about it."""
    from features.synthetic import simulate as simulate_region

    simulate_region(out, pupils, years, seed, end.date(), work.say)


@click.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print the import reports as JSON.")
@click.pass_obj
def ingest(work: Work, paths: tuple[Path, ...], as_json: bool) -> None:
    """Read deliveries (folders, zips, CSV or XLSX files) into the record log."""
    for report in ingest_all(work, paths):
        if as_json:
            click.echo(json.dumps(report.to_json(), ensure_ascii=False))
        else:
            for line in report.lines():
                work.say(line)


def ingest_all(work: Work, paths: tuple[Path, ...]):  # type: ignore[no-untyped-def]
    """Ingest each path as a delivery of its own; yields the import reports."""
    from features.ingest import ingest as ingest_delivery

    with Progress(console=work.console, transient=True) as progress:
        for path in progress.track(paths, description="ingest"):
            yield ingest_delivery(path, work.home, work.clock())


@click.group()
def features() -> None:
    """The feature catalogue and the feature tables."""


@features.command("list")
def list_features() -> None:
    """Every feature in one line."""
    from features.catalogue import CATALOGUE

    for feature in CATALOGUE:
        click.echo(f"{feature.name:32} {feature.view:12} {feature.label_nl}")


@features.command("build")
@click.option("--from", "first", type=DATE, required=True)
@click.option("--to", "last", type=DATE, required=True)
@click.pass_obj
def build_command(work: Work, first: datetime, last: datetime) -> None:
    """Build the feature tables for every Monday between two dates, as known then."""
    build_tables(work, mondays_between(first.date(), last.date()))


def build_tables(work: Work, mondays: list[date]) -> None:
    """Build and store what is not there yet, one school after another; safe to interrupt."""
    from features.build import build
    from features.governance.use import Action, Purpose, Use
    from features.records import RecordLog
    from features.store import FeatureStore

    work.need(work.home.records, "run `tijdig ingest` first")
    log, store = RecordLog(work.home.records), FeatureStore.at(work.home)
    use = Use("feature build", Role.JOB, Purpose.EARLY_WARNING, Action.APPLY, work.clock())
    store.apply(use)
    todo = [school for school in log.schools() if not set(mondays) <= store.built([school])]
    with Progress(console=work.console, transient=True) as progress:
        for school in progress.track(todo, description="features"):
            for table in build(log, mondays, [school]):
                store.write(table, mondays, [school])
    work.say(f"features of {len(mondays)} Mondays stand for {len(log.schools())} schools")


COMMANDS = (simulate, ingest, features)
