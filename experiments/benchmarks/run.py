"""`make bench`: each job beside a named alternative in one run, with memory, as a Markdown table.

    python -m experiments.benchmarks.run [--pupils 3000 10000 30000] [--subject history …]

The rows go into README.md, beside this file. Big sizes are one command: `--pupils 300000`.
"""

import argparse
import platform
import tempfile
from collections.abc import Iterator
from pathlib import Path

from experiments.benchmarks import (
    explaining,
    history,
    ingest,
    monday,
    pages,
    retrieval,
    training,
)
from experiments.benchmarks.measuring import Row
from features.cores import cores

SUBJECTS = {"history": history, "monday": monday, "retrieval": retrieval, "explaining": explaining}
NAMES = (*SUBJECTS, "ingest", "pages", "training")
README = Path(__file__).with_name("README.md")
BEGIN, END = "<!-- measured: {} -->", "<!-- end of {} -->"
HEAD = (
    "| size | job | s | CPU s | peak MiB | beside | s | CPU s | peak MiB | ratio of CPU |\n"
    "|---|---|---|---|---|---|---|---|---|---|"
)


def main() -> None:
    """Measure the subjects asked for at every size, print the rows and put them in the README."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--pupils", type=int, nargs="+", default=[3_000, 10_000, 30_000])
    parser.add_argument("--subject", nargs="+", choices=NAMES, default=list(NAMES))
    asked = parser.parse_args()
    note = f"{cores()} cores, Python {platform.python_version()}"
    for name in asked.subject:
        print(name, flush=True)
        lines = []
        for line in OWN_SIZES[name]() if name in OWN_SIZES else lines_of(name, asked.pupils):
            print(line, flush=True)
            lines.append(line)
        text = "\n".join([*lines, "", f"*{note}*"])
        README.write_text(with_rows(README.read_text("utf-8"), name, text), encoding="utf-8")


def ingest_lines() -> Iterator[str]:
    """The table of ingest, which has its own sizes: rows in one file."""
    yield ingest.table(ingest.measure())


def page_lines() -> Iterator[str]:
    """The table of the pages: one region of 60,000, 20 users."""
    yield pages.table(pages.measure())


OWN_SIZES = {"ingest": ingest_lines, "pages": page_lines, "training": training.lines}


def lines_of(name: str, sizes: list[int]) -> Iterator[str]:
    """The lines of the table of one subject."""
    yield HEAD
    for size in sizes:
        with tempfile.TemporaryDirectory() as folder:
            for row in SUBJECTS[name].measure(size, Path(folder)):
                yield as_line(row)


def as_line(row: Row) -> str:
    """One line of the table."""
    sides = [f"{one.seconds:.1f} | {one.cpu:.1f} | {one.mib:.0f}" for one in (row.ours, row.theirs)]
    return f"| {row.size} | {row.job} | {sides[0]} | {row.beside} | {sides[1]} | {row.ratio:.2f} |"


def with_rows(text: str, name: str, rows: str) -> str:
    """`text` with what stands between the markers of `name` made anew."""
    begin, end = BEGIN.format(name), END.format(name)
    before, rest = text.split(begin)
    return f"{before}{begin}\n\n{rows}\n\n{end}{rest.split(end)[1]}"


if __name__ == "__main__":
    main()
