"""Commands around deliveries: what a profile makes of a file, and the nearest profile for it."""

from pathlib import Path

import click

from serving.commands.context import Work

FILE = click.Path(exists=True, path_type=Path)


def preview_all(work: Work, paths: tuple[Path, ...]) -> None:
    """Show how each delivery would be read; nothing is stored."""
    from features.ingest import IngestSettings
    from features.ingest.preview import preview

    settings = work.settings.section("ingest", IngestSettings)
    for path in paths:
        for one in preview(path, work.home, work.clock(), settings):
            for line in one.lines():
                work.say(line)


@click.group()
def profile() -> None:
    """The forms in which source systems deliver."""


@profile.command("check")
@click.argument("path", type=FILE)
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write the proposed profile here, for instance var/profiles/ours.toml.",
)
@click.pass_obj
def check(work: Work, path: Path, out: Path | None) -> None:
    """Say which profile FILE is nearest to, and propose a start for one of its own."""
    from features.errors import DeliveryRefused
    from features.ingest import IngestSettings
    from features.ingest.preview import check_profile

    settings = work.settings.section("ingest", IngestSettings)
    found = check_profile(path, work.home, settings)
    for one in found:
        for line in one.lines():
            work.say(line)
        if out is None:
            click.echo("\n" + one.toml)
    if out is not None:
        if out.exists() or len(found) != 1:
            raise DeliveryRefused(f"{out}: exists already, or {path} holds more than one table.")
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(found[0].toml, encoding="utf-8")
        work.say(f"a start for a profile stands in {out}; look at every line before it is used")


COMMANDS = (profile,)
