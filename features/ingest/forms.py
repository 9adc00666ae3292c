"""The forms in which records come in: one TOML profile per source system, read from profiles/.

A profile is data that a school can adapt: which heading means which field, and how the source
writes dates, times, numbers and choices.
"""

import datetime as dt
import functools
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from features.errors import SettingsError
from features.ingest.fields import fields_of
from features.ingest.notation import Reader
from features.records import LogTable

PACKAGED = Path(__file__).with_name("profiles")


@dataclass(frozen=True)
class HalfDay:
    """A half day of a primary school, as wall-clock times and minutes of education.

    Without `minutes` it is a whole day: as many as the timetable plans.
    """

    starts: dt.time
    ends: dt.time
    minutes: int | None = None


@dataclass(frozen=True)
class Lessons:
    """Lesson numbers as times: when lesson 1 starts, and how long each takes."""

    starts: dt.time
    minutes: int


@dataclass(frozen=True)
class FileForm:
    """One kind of file of one profile: what its headings mean.

    `columns` goes from heading to field; headings in `optional` may be missing; those in `unused`
    are known and left out on purpose. `observations` marks lessons in which pupils were seen or
    missed, as apart from reports that give a reason; `school` is for files that do not say which.
    """

    profile: str
    table: LogTable
    file: str
    columns: Mapping[str, str]
    optional: frozenset[str] = frozenset()
    unused: frozenset[str] = frozenset()
    values: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    half_days: Mapping[str, HalfDay] = field(default_factory=dict)
    lessons: Lessons | None = None
    observations: bool = False
    school: str = ""
    reader: Reader = field(default_factory=Reader)

    @property
    def fields(self) -> frozenset[str]:
        """The fields that this form has a heading for."""
        return frozenset(self.columns.values())

    @property
    def required(self) -> list[str]:
        """The headings that must be there."""
        return [heading for heading in self.columns if heading not in self.optional]

    def heading(self, field_name: str) -> str:
        """The heading behind a field, for a message about a place in a file."""
        return next((one for one, name in self.columns.items() if name == field_name), field_name)


def read_forms(extra: Path | None = None) -> tuple[FileForm, ...]:
    """The forms of the packaged profiles, and of those a school keeps in the folder `extra`.

    A school's own come first, and one with the name of a packaged profile replaces it.

    >>> [form.file for form in read_forms() if form.profile == "po_half_day"]
    ['verzuim.csv', 'leerlingen.csv']
    """
    own = sorted(extra.glob("*.toml")) if extra else []
    replaced = {path.name for path in own}
    paths = own + [path for path in sorted(PACKAGED.glob("*.toml")) if path.name not in replaced]
    problems: list[str] = []
    forms: list[FileForm] = []
    for path in paths:
        try:
            document = _packaged(path) if path.parent == PACKAGED else _document(path)
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as problem:
            problems.append(f"{path.name}: cannot be read as TOML ({problem})")
            continue
        forms += _forms_of(path.stem, document, problems)
    if problems:
        raise SettingsError("profiles: " + "; ".join(problems))
    return tuple(forms)


def _document(path: Path) -> dict[str, Any]:
    return tomllib.loads(path.read_text(encoding="utf-8"))


_packaged = functools.cache(_document)
"""Packaged profiles do not change while we run."""

_PROFILE_KEYS = {"files", "dates", "moments", "months", "decimal"}
_FILE_KEYS = {
    "file",
    "table",
    "columns",
    "optional",
    "unused",
    "values",
    "half_days",
    "lessons",
    "observations",
    "school",
}


def _forms_of(name: str, document: Mapping[str, Any], problems: list[str]) -> list[FileForm]:
    problems += [f"{name}: {key} is not known" for key in sorted(set(document) - _PROFILE_KEYS)]
    reader = Reader(
        dates=tuple(document.get("dates", ())),
        moments=tuple(document.get("moments", ())),
        months=tuple(document.get("months", ())),
        decimal=str(document.get("decimal", ".")),
    )
    forms = []
    for kind, entry in document.get("files", {}).items():
        where = f"{name} [files.{kind}]"
        table = str(entry.get("table", kind))
        wrong = _problems_of(where, table, entry)
        problems += wrong
        if not wrong:
            forms.append(_form(name, table, entry, reader))
    return forms


def _problems_of(where: str, table: str, entry: Mapping[str, Any]) -> list[str]:
    if table not in list(LogTable):
        return [f"{where}: no such table; known are {', '.join(LogTable)}"]
    problems = [f"{where}: {key} is not known" for key in sorted(set(entry) - _FILE_KEYS)]
    problems += [f"{where}: {key} is missing" for key in ("file", "columns") if key not in entry]
    columns = entry.get("columns", {})
    known = fields_of(LogTable(table))
    for heading, name in columns.items():
        if name not in known:
            problems.append(f"{where}: {heading} means {name}, which is no field of {table}")
    for needed in _missing_fields(LogTable(table), set(columns.values())):
        problems.append(f"{where}: no heading for {needed}")
    for heading in set(entry.get("optional", ())) - set(columns):
        problems.append(f"{where}: optional heading {heading} is not among the columns")
    for name, words in entry.get("values", {}).items():
        meant = known[name].choices if name in known else None
        for written, word in words.items():
            if word not in (meant or {}):
                problems.append(f"{where}: {name} {written} means {word}, which is no {name}")
    for word, half_day in entry.get("half_days", {}).items():
        types = {key: type(value) for key, value in half_day.items()}
        if types not in (_HALF_DAY, _WHOLE_DAY):
            problems.append(f"{where}: {word} needs starts = 08:30:00, ends = 12:00:00, minutes")
    lessons = {key: type(value) for key, value in entry.get("lessons", _NO_LESSONS).items()}
    if lessons != {key: type(value) for key, value in _NO_LESSONS.items()}:
        problems.append(f"{where}: lessons needs starts = 08:30:00 and minutes = 50")
    if "lesson_from" in columns.values() and "lessons" not in entry:
        problems.append(f"{where}: lesson numbers need lessons = {{ starts = …, minutes = … }}")
    return problems


_WHOLE_DAY = {"starts": dt.time, "ends": dt.time}
_HALF_DAY = {**_WHOLE_DAY, "minutes": int}
_NO_LESSONS: dict[str, Any] = {"starts": dt.time(), "minutes": 0}
_WAYS_TO_SAY_WHEN = (
    {"starts_at"},
    {"day", "half_day"},
    {"day", "starts", "ends"},
    {"day", "lesson_from", "lesson_to"},
    {"day"},
)


def _missing_fields(table: LogTable, given: set[str]) -> list[str]:
    missing = [
        name
        for name, known in fields_of(table).items()
        if known.required and name not in given and name != "school"
    ]
    if table is LogTable.ABSENCE:
        if not any(way <= given for way in _WAYS_TO_SAY_WHEN):
            missing.append("starts_at or day")
        if ("starts" in given) != ("ends" in given):
            missing.append("ends" if "starts" in given else "starts")
        if not {"code", "source_kind"} & given:
            missing.append("code")
    return missing


def _form(name: str, table: str, entry: Mapping[str, Any], reader: Reader) -> FileForm:
    return FileForm(
        profile=name,
        table=LogTable(table),
        file=str(entry["file"]),
        columns=dict(entry["columns"]),
        optional=frozenset(entry.get("optional", ())),
        unused=frozenset(entry.get("unused", ())),
        values={key: dict(value) for key, value in entry.get("values", {}).items()},
        half_days={key: HalfDay(**value) for key, value in entry.get("half_days", {}).items()},
        lessons=Lessons(**entry["lessons"]) if "lessons" in entry else None,
        observations=bool(entry.get("observations", False)),
        school=str(entry.get("school", "")).upper(),
        reader=reader,
    )
