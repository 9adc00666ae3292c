"""What every command gets: where the data is, the settings, the clock, and a way to say things."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from rich.console import Console

from features.errors import NotThere
from features.settings import Home, Settings


@dataclass(frozen=True)
class Work:
    """One invocation of the command line. `clock` gives the present moment, in UTC."""

    home: Home
    settings: Settings
    clock: Callable[[], datetime]
    operator: str
    environ: Mapping[str, str]
    console: Console = field(default_factory=Console)

    def say(self, line: str) -> None:
        """One line of progress; plain text when nobody is looking."""
        if self.console.is_terminal:
            self.console.print(f"[dim]·[/dim] {line}", highlight=False)
        else:
            self.console.print(line, highlight=False, markup=False, soft_wrap=True)

    def need(self, path: Path, next_step: str) -> Path:
        """`path`, or a clear word on how to get it.

        >>> Work(Home(Path("/nowhere")), Settings({}), lambda: None, "me", {}).need(
        ...     Path("/nowhere/records"), "run `tijdig ingest`")
        Traceback (most recent call last):
        ...
        features.errors.NotThere: /nowhere/records does not exist yet; run `tijdig ingest`
        """
        if not path.exists():
            raise NotThere(f"{path} does not exist yet; {next_step}")
        return path
