"""Open a delivery: a folder, a zip or one file, as bytes by name; damaged ones are refused."""

import hashlib
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from features.errors import DeliveryRefused

TEXT_SUFFIXES = frozenset({".csv", ".txt", ".tsv"})
SHEET_SUFFIXES = frozenset({".xlsx", ".xlsm", ".xls", ".ods"})


@dataclass(frozen=True)
class RawFile:
    """One file as it came in; `name` is its path within the delivery."""

    name: str
    content: bytes

    @property
    def is_sheet(self) -> bool:
        """Whether this is a spreadsheet rather than text."""
        return PurePosixPath(self.name.lower()).suffix in SHEET_SUFFIXES


@dataclass(frozen=True)
class Delivery:
    """What came in together and is stored together, or not at all."""

    name: str
    files: tuple[RawFile, ...]
    ignored: tuple[str, ...]

    @property
    def digest(self) -> str:
        """SHA-256 of the names and bytes of its files."""
        total = hashlib.sha256()
        for file in self.files:
            total.update(f"{file.name}\0{len(file.content)}\0".encode())
            total.update(file.content)
        return total.hexdigest()


def open_delivery(path: Path, max_bytes: int) -> Delivery:
    """Read all files of the delivery at `path`, refusing what is damaged or larger than allowed."""
    if path.is_dir():
        delivery = _open_folder(path, max_bytes)
    elif path.suffix.lower() == ".zip":
        delivery = _open_zip(path, max_bytes)
    elif path.is_file():
        _refuse_too_large(path.name, path.stat().st_size, max_bytes)
        delivery = _sorted_out(path.name, {path.name: path.read_bytes()})
    else:
        raise DeliveryRefused(f"{path}: does not exist. Give a folder, a zip, a CSV or an XLSX.")
    if not delivery.files:
        raise DeliveryRefused(
            f"{delivery.name}: holds no CSV or XLSX file; nothing was stored. "
            "A delivery is a folder or zip with files such as pupils.csv and absence.csv."
        )
    return delivery


def _open_folder(path: Path, max_bytes: int) -> Delivery:
    found = [entry for entry in sorted(path.rglob("*")) if entry.is_file()]
    _refuse_too_large(path.name, sum(entry.stat().st_size for entry in found), max_bytes)
    contents = {entry.relative_to(path).as_posix(): entry.read_bytes() for entry in found}
    return _sorted_out(path.name, contents)


def _open_zip(path: Path, max_bytes: int) -> Delivery:
    try:
        with zipfile.ZipFile(path) as archive:
            members = [entry for entry in archive.infolist() if not entry.is_dir()]
            _refuse_too_large(path.name, sum(entry.file_size for entry in members), max_bytes)
            contents = {entry.filename: archive.read(entry) for entry in members}
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError) as problem:
        raise DeliveryRefused(
            f"{path.name}: the zip is damaged or cut off; nothing was stored. "
            "Copy it from the source again."
        ) from problem
    except RuntimeError as problem:  # how zipfile says that a password is needed
        raise DeliveryRefused(
            f"{path.name}: the zip is locked with a password; nothing was stored. "
            "Deliver it without, over a safe connection."
        ) from problem
    return _sorted_out(path.name, contents)


def _refuse_too_large(name: str, size: int, max_bytes: int) -> None:
    if size > max_bytes:
        raise DeliveryRefused(
            f"{name}: {size / 1e6:.0f} MB unpacked, more than the {max_bytes / 1e6:.0f} MB that "
            "[ingest] max_megabytes allows; nothing was stored. Deliver in parts or raise it."
        )


def _sorted_out(name: str, contents: dict[str, bytes]) -> Delivery:
    files: list[RawFile] = []
    ignored: list[str] = []
    for file, content in sorted(contents.items()):
        parts = PurePosixPath(file).parts
        if any(part.startswith((".", "__MACOSX", "~$")) for part in parts):
            continue
        if PurePosixPath(file.lower()).suffix in TEXT_SUFFIXES | SHEET_SUFFIXES:
            files.append(RawFile(file, content))
        else:
            ignored.append(file)
    return Delivery(name, tuple(files), tuple(ignored))
