"""How far a long piece of work is: bars on a terminal, a line per tenth elsewhere."""

import contextlib
from collections.abc import Callable, Iterator

from rich.progress import Progress, TaskID

from serving.commands.context import Work

Told = Callable[[str, float], None]


@contextlib.contextmanager
def progress_shown(work: Work, *, plain_lines: bool = True) -> Iterator[Told]:
    """A function to tell which step is how far, from 0 to 1.

    Without `plain_lines` nothing is said where there is no terminal: a script reads the outcome.
    """
    if not work.console.is_terminal:
        yield _Lines(work.say) if plain_lines else _nothing
        return
    with Progress(console=work.console, transient=True) as bars:
        yield Bars(bars)


class Bars:
    """A bar for each step under way; a step that is done leaves its line to the next.

    Lines that stayed would run off a small screen, where they cannot be wiped any more.
    """

    def __init__(self, bars: Progress) -> None:
        self._bars = bars
        self._tasks: dict[str, TaskID] = {}

    def __call__(self, step: str, done: float) -> None:
        if done >= 1:
            if step in self._tasks:
                self._bars.remove_task(self._tasks.pop(step))
            return
        # A step of which only is known that it began shows that it lives.
        total = 1.0 if done > 0 else None
        if step not in self._tasks:
            self._tasks[step] = self._bars.add_task(step, total=total)
        self._bars.update(self._tasks[step], total=total, completed=done)


class _Lines:
    """Says each tenth of each step once."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._tenths: dict[str, int] = {}

    def __call__(self, step: str, done: float) -> None:
        tenth = int(done * 10)
        if tenth > self._tenths.get(step, 0):
            self._tenths[step] = tenth
            self._say(f"{step}: {tenth * 10} %")


def _nothing(step: str, done: float) -> None:
    """Nobody reads along."""
