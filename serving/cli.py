"""`tijdig …`: the composition root; the only module that reads the clock and the environment."""

import getpass
import logging
import os
import sys
import warnings
from datetime import UTC, datetime
from pathlib import Path

import click
from rich.console import Console

import features
from features.errors import NotThere, TijdigError
from features.settings import Home, Tracking, read_settings
from serving.commands import (
    deliveries,
    demo,
    feature_tables,
    models,
    pages,
    privacy,
    records,
    registration,
    weekly,
)
from serving.commands.context import Work

SETTINGS_FILE = "tijdig.toml"


def now() -> datetime:
    """The present moment; `TIJDIG_NOW` (ISO, for demos and tests) stands in for it when set."""
    fixed = os.environ.get("TIJDIG_NOW")
    if fixed:
        return datetime.fromisoformat(fixed).astimezone(UTC)
    return datetime.now(UTC)  # noqa: TID251  (the one place that may)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--home",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("var"),
    envvar="TIJDIG_HOME",
    show_default=True,
    help="Folder that holds all data of this installation.",
)
@click.option("--verbose", is_flag=True, help="Log what the libraries say.")
@click.pass_context
def tijdig(context: click.Context, home: Path, verbose: bool) -> None:
    """Early warning for school absence: from deliveries to Monday's list."""
    logging.basicConfig(level=logging.INFO if verbose else logging.ERROR)
    if not verbose:
        warnings.simplefilter(
            "ignore"
        )  # library deprecations are for the test suite, not for users
    settings_path = Path(SETTINGS_FILE)
    settings = read_settings(settings_path if settings_path.exists() else None, os.environ)
    placed = Home(home, settings.section("tracking", Tracking))
    context.obj = Work(placed, settings, now, getpass.getuser(), os.environ)


for module in (
    deliveries,
    demo,
    feature_tables,
    models,
    pages,
    privacy,
    records,
    registration,
    weekly,
):
    for command in module.COMMANDS:
        tijdig.add_command(command)


def check_origin() -> None:
    """Refuse to run with another package of the name `features` on the path."""
    expected = Path(__file__).resolve().parents[1] / "features"
    found = Path(str(features.__file__)).resolve().parent
    if found != expected:
        raise NotThere(f"'features' comes from {found}, not from {expected}; mend PYTHONPATH")


def main() -> None:
    """Run, and turn what a user can cause into one line and an exit code per kind."""
    for name in ("MLFLOW_DISABLE_TELEMETRY", "DO_NOT_TRACK"):
        os.environ.setdefault(name, "true")
    os.environ.setdefault("FEAST_USAGE", "False")
    os.environ["MLFLOW_ALLOW_PICKLE_DESERIALIZATION"] = "false"
    try:
        check_origin()
        tijdig(standalone_mode=True)
    except TijdigError as problem:
        Console(stderr=True).print(
            f"tijdig: {problem}", style="bold", highlight=False, markup=False
        )
        sys.exit(problem.exit_code)
