"""Commands on records: simulate, ingest."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from serving.commands.context import Work
from serving.commands.deliveries import preview_all
from serving.commands.progress import progress_shown
from serving.commands.registration import say_after_ingest

if TYPE_CHECKING:
    from features.ingest import ImportReport

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
@click.option("--preview", is_flag=True, help="Show how the files would be read; store nothing.")
@click.pass_obj
def ingest(work: Work, paths: tuple[Path, ...], as_json: bool, preview: bool) -> None:
    """Read deliveries (folders, zips, CSV or XLSX files) into the record log."""
    if preview:
        preview_all(work, paths)
        return
    numbers = []
    for report in ingest_all(work, paths, plain_lines=not as_json):
        numbers.append(report.number)
        if as_json:
            click.echo(report.to_json())
        else:
            for line in report.lines():
                work.say(line)
    if not as_json:
        say_after_ingest(work, numbers)


def ingest_all(
    work: Work, paths: tuple[Path, ...], *, plain_lines: bool = True
) -> Iterator["ImportReport"]:
    """Ingest each path as a delivery of its own; yields the import reports.

    Long files tell how far they are; without a terminal only where `plain_lines`.
    """
    from features.ingest import IngestSettings
    from features.ingest import ingest as ingest_delivery

    settings = work.settings.section("ingest", IngestSettings)
    with progress_shown(work, plain_lines=plain_lines) as show:
        whole = "deliveries" if len(paths) > 1 else paths[0].name
        for number, path in enumerate(paths):
            show(whole, number / len(paths))

            def show_step(step: str, done: float, of: str = path.name) -> None:
                show(f"{of}: {step}", done)

            yield ingest_delivery(path, work.home, work.clock(), settings, work.environ, show_step)
        if len(paths) > 1:
            show(whole, 1.0)


COMMANDS = (simulate, ingest)
