"""A job in a process of its own: seconds, processor seconds (children too) and peak memory."""

import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True)
class Measured:
    """What one job took: wall time, processor time (both seconds), and peak memory in MiB."""

    seconds: float
    cpu: float
    mib: float


@dataclass(frozen=True)
class Row:
    """One line of the table: our way beside another, on the same input."""

    size: str
    job: str
    ours: Measured
    beside: str
    theirs: Measured

    @property
    def ratio(self) -> float:
        """How many times as long the other way took, in processor time.

        Processor time, because it says the same on a busy machine as on an idle one.
        """
        return self.theirs.cpu / self.ours.cpu


def measured(job: Callable[..., float | None], *arguments: object) -> Measured:
    """Run `job`, a function of a module here, in a new process.

    A job that does a sample only gives the factor to the whole of it. What it names in its
    attribute `imports` is imported before the clock starts.
    """
    words = [job.__module__, job.__name__, *map(str, arguments)]
    command = [sys.executable, "-m", "experiments.benchmarks.measuring", *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{job.__name__} ended with {done.returncode}: {done.stderr[-2000:]}")
    return Measured(**json.loads(done.stdout.splitlines()[-1]))


def _run(module: str, name: str, *arguments: str) -> Measured:
    import importlib

    job = getattr(importlib.import_module(module), name)
    for library in getattr(job, "imports", ()):
        importlib.import_module(library)
    before, started = _cpu(), time.perf_counter()
    factor = job(*map(_read, arguments)) or 1.0
    seconds, cpu = time.perf_counter() - started, _cpu() - before
    return Measured(seconds * factor, cpu * factor, peak_mib())


def peak_mib() -> float:
    """The most memory that this process held at once, its children's not included, in MiB.

    Not `ru_maxrss`: that begins with what the process that started this one held.
    """
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def _cpu() -> float:
    spent = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in spent)


def _read(argument: str) -> Path | int:
    return int(argument) if argument.isdigit() else Path(argument)


if __name__ == "__main__":
    print(json.dumps(asdict(_run(*sys.argv[1:]))))
