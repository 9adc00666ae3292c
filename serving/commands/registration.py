"""Groups of which nothing was registered in a week: a data problem of a school, told in lines."""

import json
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

import click

from features.errors import NotThere, SettingsError
from serving.commands.context import Work

if TYPE_CHECKING:
    from features.absence.unregistered import UnregisteredWeek
    from features.records import RecordLog

WEEKS = 12
SCHOOLS_AFTER_INGEST = 30
"""Of so many schools it is told at the end of an import; of a country's it would take as long."""
_READ_TOGETHER = 32


@click.command()
@click.option("--school", "schools", multiple=True, help="Six-character code; may be repeated.")
@click.option("--weeks", type=click.IntRange(1, 40), default=WEEKS, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print them as JSON.")
@click.pass_obj
def unregistered(work: Work, schools: tuple[str, ...], weeks: int, as_json: bool) -> None:
    """Say of which groups nothing was registered in which of the last school weeks.

    Such a week counts as not known, never as presence. Nothing is said about pupils.
    """
    from features.records import RecordLog

    work.need(work.home.records, "run `tijdig ingest` first")
    log = RecordLog(work.home.records)
    asked = _known(log, schools)
    found = list(found_in(work, log, asked, weeks))
    if as_json:
        rows = [
            {"school": one.school, "monday": one.monday.isoformat(), "groups": one.groups}
            for one in found
        ]
        click.echo(json.dumps(rows, indent=1, ensure_ascii=False))
        return
    for line in lines(found, len(asked), weeks):
        work.say(line)


def say_after_ingest(work: Work, deliveries: Sequence[int]) -> None:
    """The same at the end of an import, of the schools that deliveries of these numbers spoke of.

    Silent where nothing is missing.
    """
    from features.records import RecordLog

    log = RecordLog(work.home.records)
    rows = log.deliveries().to_pylist()
    spoken_of = {one for row in rows if row["number"] in deliveries for one in row["schools"]}
    schools = sorted(spoken_of & set(log.schools()))
    if len(schools) > SCHOOLS_AFTER_INGEST:
        work.say("`tijdig unregistered` tells of which groups nothing was registered in a week")
        return
    try:
        found = list(found_in(work, log, schools, WEEKS))
    except SettingsError as problem:
        # The delivery is stored: this is no reason to end as if it were not.
        work.say(f"whether groups were registered was not looked at: {problem}")
        return
    for line in lines(found, len(schools), WEEKS) if found else ():
        work.say(line)


def found_in(
    work: Work, log: "RecordLog", schools: Sequence[str], weeks: int
) -> "Iterator[UnregisteredWeek]":
    """The unregistered weeks of `schools`, by all that is known now."""
    from features.absence.unregistered import unregistered_weeks
    from features.records.partition import read_each

    just_after = work.clock() + timedelta(microseconds=1)
    for school, tables in read_each(log, schools, just_after, _READ_TOGETHER):
        yield from unregistered_weeks(tables, school, just_after, weeks)


def lines(found: "Sequence[UnregisteredWeek]", schools: int, weeks: int) -> Iterator[str]:
    """What was found for people: a line per school and week, then what it means.

    >>> list(lines([], 2, 12))
    ['no group without registration in the last 12 school weeks, at 2 schools']
    """
    period = f"in the last {weeks} school weeks" if weeks > 1 else "in the last school week"
    where = f"at {schools} school{'' if schools == 1 else 's'}"
    if not found:
        yield f"no group without registration {period}, {where}"
        return
    for one in found:
        names = ", ".join(name or "(no name)" for name in one.groups)
        kind = "group" if len(one.groups) == 1 else f"{len(one.groups)} groups:"
        yield f"{one.school}, week of {one.monday}: nothing was registered of {kind} {names}"
    number = sum(len(one.groups) for one in found)
    yield (
        f"{number} group-week{'' if number == 1 else 's'} {period}, {where}, while the rest of the "
        "school was registered: they count as not known, not as presence. Were these registers "
        "kept? Once they are, deliver them again."
    )


def _known(log: "RecordLog", schools: Sequence[str]) -> list[str]:
    known = log.schools()
    unknown = sorted(set(schools) - set(known))
    if unknown:
        raise NotThere(f"no school {', '.join(unknown)} in the records; known: {', '.join(known)}")
    return sorted(set(schools)) or known


COMMANDS = (unregistered,)
