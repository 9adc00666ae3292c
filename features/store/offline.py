"""The offline rows: one row per pupil and Monday, in Parquet; a write is seen whole or not at all.

Files never change. Each write makes a *generation*: a folder with the new file and hard links to
the files that stay, plus `coverage.json`, which says which (school, Monday)s each file holds. Then
the link `current` is moved to it in one step. Feast reads `current/rows`, so it sees live files
only.
A write that is killed leaves a folder nobody points at; the next write clears it away. Nothing here
is irreplaceable: the record log can build it again.
"""

import fcntl
import json
import os
import shutil
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from functools import reduce
from operator import or_
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
import pyarrow.parquet as pq

from features.vocabulary import PupilKey

SchoolMonday = tuple[str, date]
Covers = Mapping[SchoolMonday, int]
"""Which schools and Mondays rows answer for, each with the number of the last delivery of the
record log that they knew; NO_LOG for rows that were not built from the log."""
NO_LOG = 0

SMALL_ROWS = 20_000
MANY_SMALL_FILES = 64
"""A write merges the small files when there are this many: weekly runs add one each."""


@dataclass(frozen=True)
class Part:
    """One Parquet file: how many rows, and for which schools and Mondays it is the answer."""

    rows: int
    covers: Covers


@dataclass(frozen=True)
class Generation:
    """What the store holds at one moment; `definitions` is the hash of the catalogue it holds."""

    number: int = 0
    definitions: str = ""
    parts: Mapping[str, Part] = field(default_factory=dict)

    @property
    def covers(self) -> Covers:
        """All (school, Monday)s that were built, also those without a pupil."""
        return {place: head for part in self.parts.values() for place, head in part.covers.items()}


class OfflineRows:
    """The rows below `root`, for one catalogue; rows built for another count as not there."""

    def __init__(self, root: Path, definitions: str) -> None:
        self._root = root
        self._definitions = definitions

    @property
    def live(self) -> Path:
        """The folder with the live Parquet files; the same path for every generation."""
        return self._root / "current" / "rows"

    def generation(self) -> Generation:
        """What is there now."""
        path = self._root / "current" / "coverage.json"
        if not path.exists():
            return Generation()
        document = json.loads(path.read_text(encoding="utf-8"))
        if document["definitions"] != self._definitions:
            return Generation(document["number"])
        parts = {
            name: Part(part["rows"], _from_json(part["covers"]))
            for name, part in document["parts"].items()
        }
        return Generation(document["number"], self._definitions, parts)

    @contextmanager
    def reading(self) -> Iterator[Generation]:
        """Keep this generation in place until the end of the block; writers wait."""
        with self._locked(fcntl.LOCK_SH):
            yield self.generation()

    def read(
        self,
        columns: Collection[str],
        *,
        mondays: Collection[date],
        schools: Collection[str] | None = None,
    ) -> pa.Table:
        """The rows of these Mondays (and schools), in no particular order."""
        wanted = ds.field("as_of").isin(pa.array(sorted(mondays), pa.date32()))
        if schools is not None:
            wanted &= ds.field("school").isin(sorted(schools))
        with self.reading() as generation:
            asked = frozenset(mondays)
            places = None if schools is None else frozenset(schools)
            files = [
                str(self.live / name)
                for name, part in generation.parts.items()
                if any(
                    monday in asked and (places is None or school in places)
                    for school, monday in part.covers
                )
            ]
            return ds.dataset(files, format="parquet").to_table(list(columns), filter=wanted)

    def schools_of(
        self, pupil_keys: pa.Array, mondays: Collection[date] | None = None
    ) -> list[str]:
        """The schools at which these pupils have rows (of these Mondays).

        A row group at a time, and of it only the schools are kept: the store may hold a country.
        """
        found: set[str] = set()
        days = None if mondays is None else frozenset(mondays)
        with self.reading() as generation:
            for name, part in generation.parts.items():
                covered = {school for school, day in part.covers if days is None or day in days}
                if not covered <= found:
                    found |= _schools_in(self.live / name, pupil_keys, days)
        return sorted(found)

    def write(self, rows: pa.Table, covers: Covers) -> None:
        """Make `rows` the answer for `covers`; what was there for those is gone, all at once."""
        with self._locked(fcntl.LOCK_EX):
            before = self.generation()
            self._clear_leftovers()
            number = before.number + 1
            folder = self._folder(number) / "rows"
            folder.mkdir(parents=True)
            parts: dict[str, Part] = {}
            for name, part in before.parts.items():
                stays = {place: head for place, head in part.covers.items() if place not in covers}
                if len(stays) == len(part.covers):
                    _link(self.live / name, folder / name)
                    parts[name] = part
                elif stays:
                    old = pq.read_table(self.live / name)
                    kept = old.filter(~_matches(part.covers.keys() & covers))
                    _add(folder, parts, f"{number:06d}-{name}", kept, stays)
            _add(folder, parts, f"{number:06d}.parquet", rows, covers)
            _merge_small(folder, parts, f"{number:06d}-merged.parquet")
            self._publish(Generation(number, self._definitions, parts))

    def erase(self, pupil_key: str) -> int:
        """Write the rows anew without those of one pupil, in all files; how many rows went.

        Rows that were built for another catalogue count as not there, and go altogether.
        """
        return self._keep(pc.field("pupil_key") != pupil_key)

    def rename(self, renewed: Mapping[PupilKey, PupilKey]) -> int:
        """Write the rows anew under the new pseudonyms, in all files; how many rows that were."""
        old, new = pa.array(list(renewed), pa.string()), pa.array(list(renewed.values()))

        def named(rows: pa.Table) -> tuple[pa.Table, int]:
            found = pc.index_in(rows["pupil_key"], old)
            keys = pc.coalesce(pc.take(new, found), rows["pupil_key"])
            place = rows.schema.get_field_index("pupil_key")
            changed = rows.set_column(place, rows.schema.field(place), keys)
            order = [(name, "ascending") for name in ("as_of", "school", "pupil_key")]
            return changed.sort_by(order), rows.num_rows - found.null_count

        return self._rewrite(named) if renewed else 0

    def drop_before(self, day: date) -> int:
        """Take out the rows of Mondays before `day`, which count as not built; how many went."""
        return self._keep(pc.field("as_of") >= pa.scalar(day, pa.date32()), day)

    def _keep(self, wanted: pc.Expression, since: date = date.min) -> int:
        def kept(rows: pa.Table) -> tuple[pa.Table, int]:
            left = rows.filter(wanted)
            return left, rows.num_rows - left.num_rows

        return self._rewrite(kept, since)

    def _rewrite(
        self, change: Callable[[pa.Table], tuple[pa.Table, int]], since: date = date.min
    ) -> int:
        """Change the files in which `change` counts rows, all at once; how many rows those were."""
        with self._locked(fcntl.LOCK_EX):
            before = self.generation()
            self._clear_leftovers()
            folder = self._folder(before.number + 1) / "rows"
            folder.mkdir(parents=True)
            parts: dict[str, Part] = {}
            total = 0
            for name, part in before.parts.items():
                rows, count = change(pq.read_table(self.live / name))
                covers = {place: head for place, head in part.covers.items() if place[1] >= since}
                if count:
                    total += count
                    _add(folder, parts, f"{before.number + 1:06d}-{name}", rows, covers)
                else:
                    _link(self.live / name, folder / name)
                    parts[name] = Part(part.rows, covers)
            self._publish(Generation(before.number + 1, self._definitions, parts))
            return total

    def _publish(self, generation: Generation) -> None:
        folder = self._folder(generation.number)
        document = {
            "number": generation.number,
            "definitions": generation.definitions,
            "parts": {
                name: {"rows": part.rows, "covers": _to_json(part.covers)}
                for name, part in generation.parts.items()
            },
        }
        (folder / "coverage.json").write_text(json.dumps(document), encoding="utf-8")
        link = self._root / "current.next"
        link.symlink_to(folder.relative_to(self._root), target_is_directory=True)
        link.replace(self._root / "current")
        self._clear_leftovers()

    def _clear_leftovers(self) -> None:
        """Remove what no reader can see: older generations and those of a write that was killed."""
        (self._root / "current.next").unlink(missing_ok=True)
        current = self._root / "current"
        live = current.readlink().name if current.is_symlink() else ""
        generations = self._root / "generations"
        for folder in generations.iterdir() if generations.exists() else ():
            if folder.name != live:
                shutil.rmtree(folder)

    def _folder(self, number: int) -> Path:
        return self._root / "generations" / f"{number:06d}"

    @contextmanager
    def _locked(self, kind: int) -> Iterator[None]:
        self._root.mkdir(parents=True, exist_ok=True)
        # The lock is the process's: a killed writer leaves none behind.
        with (self._root / "lock").open("a") as handle:
            fcntl.flock(handle, kind)
            yield


def _add(folder: Path, parts: dict[str, Part], name: str, rows: pa.Table, covers: Covers) -> None:
    pq.write_table(rows, folder / name, compression="zstd")
    parts[name] = Part(rows.num_rows, covers)


def _link(source: Path, target: Path) -> None:
    try:
        os.link(source.resolve(), target)
    except OSError:  # a file system without hard links
        shutil.copyfile(source, target)


def _schools_in(path: Path, pupil_keys: pa.Array, mondays: Collection[date] | None) -> set[str]:
    # As dictionaries: a pupil's text is looked up once per row group, not once per row.
    columns = ["pupil_key", "school"]
    days = None if mondays is None else pa.array(sorted(mondays), pa.date32())
    found: set[str] = set()
    with pq.ParquetFile(path, read_dictionary=columns) as file:
        for number in range(file.num_row_groups):
            rows = file.read_row_group(number, columns=[*columns, "as_of"])
            if days is not None:
                rows = rows.filter(pc.is_in(rows["as_of"], days))
            keys = rows["pupil_key"].unify_dictionaries().combine_chunks()
            theirs = pc.is_in(keys.dictionary, pupil_keys).take(keys.indices)
            found.update(pc.unique(rows["school"].filter(theirs)).to_pylist())
    return found


def _merge_small(folder: Path, parts: dict[str, Part], name: str) -> None:
    small = [key for key, part in parts.items() if part.rows < SMALL_ROWS]
    if len(small) < MANY_SMALL_FILES:
        return
    rows = pa.concat_tables([pq.read_table(folder / key) for key in small])
    covers = {place: head for key in small for place, head in parts.pop(key).covers.items()}
    for key in small:
        (folder / key).unlink()
    _add(folder, parts, name, rows, covers)


def _matches(pairs: Collection[SchoolMonday]) -> pc.Expression:
    by_school: dict[str, list[date]] = {}
    for school, monday in sorted(pairs):
        by_school.setdefault(school, []).append(monday)
    return reduce(
        or_,
        (
            (ds.field("school") == school) & ds.field("as_of").isin(pa.array(mondays, pa.date32()))
            for school, mondays in by_school.items()
        ),
    )


def _to_json(covers: Covers) -> dict[str, dict[str, list[str]]]:
    """By school and delivery number: most Mondays of a school are built from one state of the log.

    >>> _to_json({("90AB00", date(2026, 11, 16)): 3})
    {'90AB00': {'3': ['2026-11-16']}}
    """
    document: dict[str, dict[str, list[str]]] = {}
    for (school, monday), head in sorted(covers.items()):
        document.setdefault(school, {}).setdefault(str(head), []).append(monday.isoformat())
    return document


def _from_json(document: Mapping[str, Mapping[str, Collection[str]]]) -> Covers:
    return {
        (school, date.fromisoformat(monday)): int(head)
        for school, heads in document.items()
        for head, mondays in heads.items()
        for monday in mondays
    }
