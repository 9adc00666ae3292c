"""Settings: read `tijdig.toml`, let the environment override, and refuse what nobody knows.

Each package owns and validates its own section as a frozen dataclass; this module only reads,
merges and converts. An environment variable `TIJDIG_SECTION_KEY` overrides `key` of `[section]`.
"""

import dataclasses
import tomllib
import typing
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote, urlsplit, urlunsplit

from features.errors import SettingsError

T = TypeVar("T")


@dataclasses.dataclass(frozen=True)
class Settings:
    """The merged sections, still as plain values; `section` turns one into its dataclass."""

    sections: Mapping[str, Mapping[str, Any]]

    def section(self, name: str, kind: type[T]) -> T:
        """Section `name` as an instance of the frozen dataclass `kind`, with its defaults.

        All problems of the section are reported together.

        >>> @dataclasses.dataclass(frozen=True)
        ... class Serving:
        ...     capacity: int = 10
        >>> Settings({"serving": {"capacity": "12"}}).section("serving", Serving)
        Serving(capacity=12)
        >>> Settings({"serving": {"capcity": 12}}).section("serving", Serving)
        Traceback (most recent call last):
        ...
        features.errors.SettingsError: [serving] capcity: unknown setting; known are capacity
        """
        types = typing.get_type_hints(kind)
        values: dict[str, Any] = {}
        problems: list[str] = []
        for key, raw in self.sections.get(name, {}).items():
            if key not in types:
                problems.append(
                    f"[{name}] {key}: unknown setting; known are {', '.join(sorted(types))}"
                )
                continue
            try:
                values[key] = _convert(raw, types[key])
            except ValueError:
                wanted = getattr(types[key], "__name__", str(types[key]))
                problems.append(f"[{name}] {key} = {raw!r}: expected {wanted}")
        if problems:
            raise SettingsError("; ".join(problems))
        try:
            return kind(**values)
        except (TypeError, ValueError) as problem:
            raise SettingsError(f"[{name}] {problem}") from problem


def read_settings(path: Path | None, environ: Mapping[str, str]) -> Settings:
    """Merge the file at `path` (none: defaults only) with `TIJDIG_SECTION_KEY` variables.

    >>> read_settings(None, {"TIJDIG_WEB_PORT": "8080", "HOME": "/root"}).sections
    {'web': {'port': '8080'}}
    """
    sections: dict[str, dict[str, Any]] = {}
    if path is not None:
        try:
            document = tomllib.loads(path.read_text(encoding="utf-8"))
        except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as problem:
            raise SettingsError(f"{path}: cannot be read as TOML ({problem})") from problem
        for name, section in document.items():
            if not isinstance(section, dict):
                raise SettingsError(f"{path}: {name} stands outside a [section]; move it into one")
            sections[name] = dict(section)
    for variable, value in environ.items():
        words = variable.removeprefix("TIJDIG_").lower().split("_", 1)
        if variable.startswith("TIJDIG_") and len(words) == 2:
            sections.setdefault(words[0], {})[words[1]] = value
    return Settings(sections)


def _convert(raw: Any, wanted: Any) -> Any:
    origin = typing.get_origin(wanted)
    if origin is tuple:
        items = raw.split(",") if isinstance(raw, str) else raw
        if not isinstance(items, list):
            raise ValueError
        return tuple(_convert(item, typing.get_args(wanted)[0]) for item in items)
    if wanted is bool:
        known = {"true": True, "yes": True, "false": False, "no": False}
        if isinstance(raw, str) and raw.lower() in known:
            return known[raw.lower()]
        if not isinstance(raw, bool):
            raise ValueError
        return raw
    if isinstance(raw, bool | dict | list):
        raise ValueError
    return wanted(raw)


@dataclasses.dataclass(frozen=True)
class Tracking:
    """Section `[tracking]`: where MLflow keeps runs and models, when not below the home.

    `uri` is a PostgreSQL database (`postgresql://user@host:5432/name`) without its password, which
    comes from the environment (TIJDIG_TRACKING_PASSWORD). `artifacts` is an absolute folder or the
    address of an object store; that one's credentials come from its own environment. Both empty:
    SQLite and a folder below the home. Over a network the connection is encrypted, unless `uri`
    says another `sslmode`.

    >>> Tracking(uri="postgresql://tijdig:secret@db/mlflow")
    Traceback (most recent call last):
    ...
    ValueError: uri holds a password; leave it out and set TIJDIG_TRACKING_PASSWORD
    >>> Tracking(uri="mysql://db/mlflow")
    Traceback (most recent call last):
    ...
    ValueError: uri begins with 'mysql'; it can be postgresql://user@host:port/name, or empty
    """

    uri: str = ""
    artifacts: str = ""
    password: str = dataclasses.field(default="", repr=False)

    def __post_init__(self) -> None:
        parts = urlsplit(self.uri)
        if parts.password is not None:
            raise ValueError("uri holds a password; leave it out and set TIJDIG_TRACKING_PASSWORD")
        if self.uri and (parts.scheme != "postgresql" or not parts.hostname):
            raise ValueError(
                f"uri begins with {parts.scheme!r}; it can be postgresql://user@host:port/name, or "
                "empty"
            )
        scheme = urlsplit(self.artifacts).scheme
        if scheme not in ("", *OBJECT_STORES) or (
            self.artifacts and not scheme and not self.artifacts.startswith("/")
        ):
            raise ValueError(
                f"artifacts = {self.artifacts!r}; it can be an absolute folder, or an address that "
                f"begins with {', '.join(f'{each}://' for each in OBJECT_STORES)}"
            )

    @property
    def address(self) -> str:
        """The database with its password, for SQLAlchemy; never to be shown or stored.

        >>> Tracking("postgresql://tijdig@127.0.0.1/mlflow", password="a b").address
        'postgresql+psycopg://tijdig:a%20b@127.0.0.1/mlflow'
        >>> Tracking("postgresql://tijdig@db.example/mlflow").address
        'postgresql+psycopg://tijdig@db.example/mlflow?sslmode=require'
        """
        parts = urlsplit(self.uri)
        user, _, host = parts.netloc.rpartition("@")
        secret = f":{quote(self.password, safe='')}" if self.password else ""
        query = parts.query
        if "sslmode=" not in query and parts.hostname not in ("localhost", "127.0.0.1", "::1"):
            query = f"{query}&sslmode=require".lstrip("&")
        netloc = f"{user}{secret}@{host}" if user else host
        return urlunsplit(("postgresql+psycopg", netloc, parts.path, query, ""))


OBJECT_STORES = {"s3": "boto3", "gs": "google.cloud.storage", "wasbs": "azure.storage.blob"}
"""Addresses that MLflow reads and writes, and the library that each needs beside it."""


@dataclasses.dataclass(frozen=True)
class Home:
    """Where one installation keeps its data; every store has its own place below `root`.

    `tracking` says where MLflow keeps its data, when that is elsewhere.

    >>> Home(Path("var")).records
    PosixPath('var/records')
    """

    root: Path
    tracking: Tracking = Tracking()

    @property
    def records(self) -> Path:
        """The record log (Delta tables)."""
        return self.root / "records"

    @property
    def vault(self) -> Path:
        """Names and pupil numbers, sealed; a file of its own."""
        return self.root / "vault.db"

    @property
    def key(self) -> Path:
        """The master key of the vault (mode 0600), unless the environment holds it."""
        return self.root / "keys" / "master.key"

    @property
    def ledger(self) -> Path:
        """Ledger of feature use, gate decisions and the audit chain."""
        return self.root / "ledger.db"

    @property
    def app(self) -> Path:
        """Accounts, sessions, published lists and decisions."""
        return self.root / "app.db"

    @property
    def offline(self) -> Path:
        """Feature tables."""
        return self.root / "features"

    @property
    def feast(self) -> Path:
        """The Feast repository: its configuration, registry and online store."""
        return self.root / "feast"

    @property
    def mlflow(self) -> Path:
        """MLflow's database and artifacts."""
        return self.root / "mlflow"

    @property
    def quarantine(self) -> Path:
        """Import reports and the places of quarantined rows."""
        return self.root / "quarantine"

    @property
    def truth(self) -> Path:
        """What the simulator knows and no school would: only to judge models on invented pupils."""
        return self.root / "truth"
