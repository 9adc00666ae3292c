"""Commands of the weekly run: week and list."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime

import click

from features.governance.use import Action, Purpose, Use
from features.vocabulary import Role
from serving.commands.context import Work
from serving.lists import Block, PublishedList

DATE = click.DateTime(formats=["%Y-%m-%d"])


@click.command()
@click.option("--as-of", type=DATE, required=True, help="The Monday to reason for.")
@click.pass_obj
def week(work: Work, as_of: datetime) -> None:
    """Build, score, explain, cut at each school's capacity and publish the lists of one Monday."""
    publish_week(work, as_of.date())


def publish_week(work: Work, monday: date) -> None:
    """Publish the lists of `monday`; those that are there stay as they are."""
    from serving.week import WeeklyRun

    use = Use("weekly run", Role.JOB, Purpose.EARLY_WARNING, Action.SCORE, work.clock())
    run = WeeklyRun.at(work.home, use)
    for line in run.publish(monday, work.say).lines():
        work.say(line)


@click.command("list")
@click.option("--as-of", type=DATE, required=True)
@click.option("--school", help="Six-character code; all schools when left out.")
@click.option("--verify", is_flag=True, help="Make the list again from the records and compare.")
@click.pass_obj
def print_list(work: Work, as_of: datetime, school: str | None, verify: bool) -> None:
    """Print published lists (with pseudonyms: names are for the pages), or verify them."""
    from serving.lists import ListStore
    from serving.tables import open_app

    work.need(work.home.app, "run `tijdig week` first")
    monday = as_of.date()
    store = ListStore(open_app(work.home))
    schools = [school] if school else store.schools()
    if verify:
        _verify(work, monday, schools)
        return
    for one in schools:
        for line in list_lines(store.get(one, monday)):
            click.echo(line)


def _verify(work: Work, monday: date, schools: Sequence[str]) -> None:
    """Make the lists of these schools again, in one run: opening all that it needs takes long."""
    from serving.week import WeeklyRun

    use = Use(work.operator, Role.JOB, Purpose.EARLY_WARNING, Action.SCORE, work.clock())
    run = WeeklyRun.at(work.home, use)
    for school in schools:
        work.say(run.verify(monday, school))


def list_lines(published: PublishedList) -> Iterator[str]:
    """A list as plain lines: no name, no score, no place."""
    yield (
        f"school {published.school}, week of {published.as_of}: room for {published.capacity}, "
        f"records until {published.data_until}, model version {published.model_version}"
    )
    for block in Block:
        rows = sorted(
            (row for row in published.rows if row.block is block), key=lambda row: row.pupil_key
        )
        yield f"{block.label} ({len(rows)})"
        for row in rows:
            yield f"  {row.pupil_key[:10]}  groep {row.group}  {row.newness.value}"
            for reason in row.explanation.reasons:
                yield f"      {reason.theme.label}: {reason.sentence}"


COMMANDS = (week, print_list)
