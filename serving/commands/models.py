"""Commands on models: train, search, report, compare, promote, monitor, what a theme is worth."""

from __future__ import annotations

import subprocess
import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click
from rich.console import Console
from rich.table import Table

from features.governance.use import Action, Purpose, Use
from features.vocabulary import Role
from serving.commands.context import Work

if TYPE_CHECKING:
    from training.monitor import Listed


@click.command()
@click.argument("experiment", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.pass_obj
def train(work: Work, experiment: Path) -> None:
    """Fit and judge what EXPERIMENT (a TOML file) asks, beside the rules on the same rows."""
    from training.fit import train as train_experiment

    use = Use(work.operator, Role.DATA_SCIENTIST, Purpose.EARLY_WARNING, Action.TRAIN, work.clock())
    result = train_experiment(experiment, work.home, use, work.say)
    print_comparison(work, result.table)
    work.say("Paired differences on the same rows, with the same resamples of pupils:")
    for line in result.lines:
        work.say(f"  {line}")


def print_comparison(work: Work, rows: list[dict[str, str]]) -> None:
    """The table that puts a model beside the rules and, on an invented region, the oracle.

    In two parts, so that it fits a terminal: what the list does, and how the scores order.
    """
    name, *headings = rows[0]
    half = headings.index("new names") + 1
    for part in (headings[:half], headings[half:]):
        table = Table(box=None, pad_edge=False)
        table.add_column(name, max_width=36)
        for heading in part:
            table.add_column(heading, justify="right", min_width=10)
        for row in rows:
            table.add_row(row[name], *(row[heading] for heading in part))
        # Rich takes 80 columns where there is no terminal; a log may be wider.
        console = work.console if work.console.width >= 118 else Console(width=118)
        console.print(table)


@click.command()
@click.argument("run", default="latest")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="Where to write it.")
@click.pass_obj
def report(work: Work, run: str, out: Path | None) -> None:
    """Write the HTML report of a RUN: "latest", a version, or the id of a run in MLflow."""
    from training.report import render
    from training.summary import find_summary

    summary = find_summary(work.home, run)
    path = out or work.home.root / "reports" / f"version-{summary.model_version}.html"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(render(summary), encoding="utf-8")
    work.say(f"report of version {summary.model_version}: {path}")


@click.command()
@click.argument("a")
@click.argument("b")
@click.argument("rules", nargs=-1)
@click.pass_obj
def compare(work: Work, a: str, b: str, rules: tuple[str, ...]) -> None:
    """Compare model B with model A (and RULES) on the same rows; versions, runs or "champion"."""
    from training.duel import compare_versions, save
    from training.duel_report import lines, render

    use = Use(work.operator, Role.DATA_SCIENTIST, Purpose.EARLY_WARNING, Action.TRAIN, work.clock())
    found = compare_versions(work.home, a, b, rules, use, work.say)
    for line in lines(found):
        work.say(line)
    work.say(f"written to {save(found, work.home, render(found))}")


@click.command()
@click.argument("version", default="latest")
@click.option("--signed-by", multiple=True, help="Two different people; twice.")
@click.option("--rollback", "back", is_flag=True, help="Put back what was in use before.")
@click.pass_obj
def promote(
    work: Work, version: str = "latest", signed_by: tuple[str, ...] = (), back: bool = False
) -> None:
    """Make a registered model VERSION the champion, if the gate lets it."""
    from training.promote import promote as promote_version
    from training.promote import rollback

    use = _promotion(work)
    done = rollback(work.home, use) if back else promote_version(work.home, version, signed_by, use)
    for line in done:
        work.say(line)


@click.command()
@click.argument("experiment", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), required=True)
@click.pass_obj
def search(work: Work, experiment: Path, out: Path) -> None:
    """Search better parameters for EXPERIMENT within its budget; writes a new experiment file."""
    from training.search import search as search_parameters

    use = Use(work.operator, Role.DATA_SCIENTIST, Purpose.EARLY_WARNING, Action.TRAIN, work.clock())
    found = search_parameters(experiment, work.home, use, work.say)
    out.write_text(found.text, encoding="utf-8")
    verdict = "better than" if found.improved else "no better than"
    work.say(
        f"{found.trials} trials, {found.pruned} pruned; trial {found.number} finds "
        f"{100 * found.best:.1f} % early, {verdict} the file itself ({100 * found.started:.1f} %)"
    )
    work.say(f"written to {out}; now `tijdig train {out}` measures it on the test year")


@click.command()
@click.option("--as-of", type=click.DateTime(formats=["%Y-%m-%d"]), required=True)
@click.pass_obj
def monitor(work: Work, as_of: datetime) -> None:
    """Say what changed since earlier years, and what came of past lists; 1 on an alarm."""
    from training.monitor import realised, watch

    use = Use(work.operator, Role.DATA_SCIENTIST, Purpose.EARLY_WARNING, Action.TRAIN, work.clock())
    watched = watch(work.home, as_of.date(), use)
    years = ", ".join(str(day) for day in watched.compared_with)
    work.say(f"{watched.tests} comparisons of {watched.monday} with {years}")
    for each in watched.alarms:
        work.say(f"  {each.line()}")
    outcomes = realised(work.home, past_names(work), use)
    for outcome in outcomes:
        work.say(f"  {'ALARM: ' if outcome.alarms else ''}{outcome.line()}")
    if not outcomes:
        work.say("no past list has a known outcome yet")
    if watched.alarms or any(outcome.alarms for outcome in outcomes):
        work.say("look at the alarms above before the next list")
        raise SystemExit(1)
    work.say("no alarm")


def past_names(work: Work) -> list[Listed]:
    """Every name that a model put on a published list."""
    from serving.lists import Block, ListStore
    from serving.tables import open_app
    from training.monitor import Listed

    if not work.home.app.exists():
        return []
    store = ListStore(open_app(work.home))
    published = (
        store.get(school, day) for school in store.schools() for day in store.weeks(school)
    )
    return [
        Listed(one.school, row.pupil_key, one.as_of, int(one.model_version))
        for one in published
        for row in one.rows
        if row.block is not Block.TOO_LITTLE_DATA
    ]


@click.command()
@click.argument("experiment", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--by", type=click.Choice(["term", "school_year"]), default="term", show_default=True)
@click.pass_obj
def roll(work: Work, experiment: Path, by: Literal["term", "school_year"]) -> None:
    """Ask EXPERIMENT at every earlier term or school year; the final test year is not read."""
    from training.rolling import roll as roll_experiment
    from training.rolling import verdict

    use = Use(work.operator, Role.DATA_SCIENTIST, Purpose.EARLY_WARNING, Action.TRAIN, work.clock())
    work.say(verdict(roll_experiment(experiment, work.home, by, use, work.say)))


@click.command()
@click.argument("run", default="latest")
@click.option("--each-feature", is_flag=True, help="Also without each feature: some 80 fits more.")
@click.option(
    "--smallest/--no-smallest",
    default=True,
    show_default=True,
    help="Seek the smallest set of features that finds as much.",
)
@click.option(
    "--margin",
    type=click.FloatRange(0, 0.5),
    default=0.01,
    show_default=True,
    help="The loss of recall (a share) that counts as small.",
)
@click.pass_obj
def proportionality(
    work: Work, run: str, each_feature: bool, smallest: bool, margin: float
) -> None:
    """Fit the model of RUN again without each theme: what do the lists find less, or later?"""
    from training.proportionality import Asked, lines, measure

    use = Use(work.operator, Role.DATA_SCIENTIST, Purpose.EARLY_WARNING, Action.TRAIN, work.clock())
    found = measure(work.home, run, Asked(each_feature, smallest, margin), use, work.say)
    for line in lines(found):
        work.say(line)
    if not found.same_model:
        work.say("the records or settings changed since: the whole model was fitted anew as well")
    work.say(f"kept with the run of version {found.model_version}, for the page Evenredigheid")


def try_out_latest(work: Work) -> None:
    """Use the newest model without promoting it; only on an invented region."""
    from training.promote import try_out

    for line in try_out(work.home, "latest", _promotion(work)):
        work.say(line)


def _promotion(work: Work) -> Use:
    return Use(
        work.operator, Role.DATA_SCIENTIST, Purpose.EARLY_WARNING, Action.PROMOTE, work.clock()
    )


@click.command()
@click.option("--port", type=int, default=5000, show_default=True)
@click.pass_obj
def mlflow(work: Work, port: int) -> None:
    """Open MLflow's own pages on this machine only."""
    from models.registry import Registry

    registry = Registry.at(work.home)
    if registry.is_local:
        work.need(work.home.mlflow, "run `tijdig train` first")
    registry.champion_number()  # says what is wrong, if it cannot be reached
    arguments = [sys.executable, "-m", "mlflow", "ui", "--host", "127.0.0.1", "--port", str(port)]
    # By the environment, because everybody on the machine reads the words of a command.
    environ = {**work.environ, "MLFLOW_BACKEND_STORE_URI": registry.tracking_uri}
    subprocess.run(arguments, check=True, env=environ)  # noqa: S603  (our own interpreter, no shell)


COMMANDS = (train, roll, search, report, compare, proportionality, promote, monitor, mlflow)
