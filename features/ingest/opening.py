"""Open a delivery: a folder, a zip or one file, as bytes by name; damaged ones are refused."""

import contextlib
import hashlib
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from lzma import LZMAError
from pathlib import Path, PurePosixPath
from typing import IO

from features.errors import DeliveryRefused

TEXT_SUFFIXES = frozenset({".csv", ".txt", ".tsv"})
SHEET_SUFFIXES = frozenset({".xlsx", ".xlsm", ".xls", ".ods"})


_BLOCK = 1 << 22


@dataclass(frozen=True)
class RawFile:
    """One file as it came in; `name` is its path within the delivery, `size` in bytes unpacked.

    It stays where it is: `open` gives a stream, so that a large file is never whole in memory.
    """

    name: str
    size: int
    open: Callable[[], AbstractContextManager[IO[bytes]]]

    @property
    def content(self) -> bytes:
        """All bytes; for files of a moderate size."""
        with self.open() as stream:
            return stream.read()

    @property
    def is_sheet(self) -> bool:
        """Whether this is a spreadsheet rather than text."""
        return PurePosixPath(self.name.lower()).suffix in SHEET_SUFFIXES


@dataclass(frozen=True)
class Delivery:
    """What came in together and is stored together, or not at all.

    `digest` is the SHA-256 of the names and bytes of its files.
    """

    name: str
    files: tuple[RawFile, ...]
    ignored: tuple[str, ...]
    digest: str

    @property
    def size(self) -> int:
        """Bytes in all files, unpacked."""
        return sum(file.size for file in self.files)


def open_delivery(path: Path, max_bytes: int) -> Delivery:
    """Read all files of the delivery at `path`, refusing what is damaged or larger than allowed."""
    if path.is_dir():
        files = _in_folder(path)
    elif path.suffix.lower() == ".zip":
        files = _in_zip(path)
    elif path.is_file():
        files = [RawFile(path.name, path.stat().st_size, partial(_file, path))]
    else:
        raise DeliveryRefused(f"{path}: does not exist. Give a folder, a zip, a CSV or an XLSX.")
    _refuse_too_large(path.name, sum(file.size for file in files), max_bytes)
    used, ignored = _sorted_out(files)
    if not used:
        raise DeliveryRefused(
            f"{path.name}: holds no CSV or XLSX file; nothing was stored. "
            "A delivery is a folder or zip with files such as pupils.csv and absence.csv."
        )
    try:
        digest = _digest(used)
    except _DAMAGED as problem:
        raise DeliveryRefused(
            f"{path.name}: the zip is damaged or cut off; nothing was stored. "
            "Copy it from the source again."
        ) from problem
    except RuntimeError as problem:  # how zipfile says that a password is needed
        raise DeliveryRefused(
            f"{path.name}: the zip is locked with a password; nothing was stored. "
            "Deliver it without, over a safe connection."
        ) from problem
    return Delivery(path.name, tuple(used), tuple(ignored), digest)


_DAMAGED = (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, LZMAError)


def _file(path: Path) -> IO[bytes]:
    return path.open("rb")


def _in_folder(path: Path) -> list[RawFile]:
    found = [entry for entry in path.rglob("*") if entry.is_file()]
    return [
        RawFile(entry.relative_to(path).as_posix(), entry.stat().st_size, partial(_file, entry))
        for entry in found
    ]


def _in_zip(path: Path) -> list[RawFile]:
    try:
        with zipfile.ZipFile(path) as archive:
            members = [entry for entry in archive.infolist() if not entry.is_dir()]
    except _DAMAGED as problem:
        raise DeliveryRefused(
            f"{path.name}: the zip is damaged or cut off; nothing was stored. "
            "Copy it from the source again."
        ) from problem
    # Of two members with one name only the last can be opened.
    unique = {entry.filename: entry.file_size for entry in members}
    return [RawFile(name, size, partial(_member, path, name)) for name, size in unique.items()]


@contextlib.contextmanager
def _member(path: Path, name: str) -> Iterator[IO[bytes]]:
    with zipfile.ZipFile(path) as archive, archive.open(name) as stream:
        yield stream


def _digest(files: list[RawFile]) -> str:
    """Reads every file to its end: damage shows here, before anything is done with it."""
    total = hashlib.sha256()
    for file in files:
        total.update(f"{file.name}\0{file.size}\0".encode())
        with file.open() as stream:
            while block := stream.read(_BLOCK):
                total.update(block)
    return total.hexdigest()


def _refuse_too_large(name: str, size: int, max_bytes: int) -> None:
    if size > max_bytes:
        raise DeliveryRefused(
            f"{name}: {size / 1e6:.0f} MB unpacked, more than the {max_bytes / 1e6:.0f} MB that "
            "[ingest] max_megabytes allows; nothing was stored. Deliver in parts or raise it."
        )


def _sorted_out(files: list[RawFile]) -> tuple[list[RawFile], list[str]]:
    """The files to read, and the names of those that are of no known kind."""
    used: list[RawFile] = []
    ignored: list[str] = []
    for file in sorted(files, key=lambda one: one.name):
        parts = PurePosixPath(file.name).parts
        if any(part.startswith((".", "__MACOSX", "~$")) for part in parts):
            continue
        if PurePosixPath(file.name.lower()).suffix in TEXT_SUFFIXES | SHEET_SUFFIXES:
            used.append(file)
        else:
            ignored.append(file.name)
    return used, ignored
