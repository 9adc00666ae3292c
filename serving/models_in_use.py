"""What the registered models need and weigh, for the registers: names and shares, no pupils."""

import contextlib
import functools
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from features.errors import NotThere, TijdigError
from features.settings import Home
from models.bundle import Bundle
from models.registry import Registry

_FileState = tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class KnownModel:
    """One registered version. `importance` is each feature's share of what the trees gain."""

    version: int
    run_id: str
    in_use: bool
    features: tuple[str, ...]
    service: str
    contract_hash: str
    bundle_hash: str
    importance: Mapping[str, float]


class ModelsInUse:
    """Reads the registry; a version never changes, so each is read once."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._known: dict[str, tuple[tuple[str, ...], str, str, Mapping[str, float]]] = {}
        self._read: tuple[_FileState, tuple[KnownModel, ...]] | None = None

    def all(self) -> tuple[KnownModel, ...]:
        """Every registered version, the newest first; none before anything was trained.

        Every page asks for it: it is read again when the registry's file was written to.
        """
        state = _state_of(self._home.mlflow / "mlflow.db")
        if not state:
            return ()
        if self._read is None or self._read[0] != state:
            self._read = (state, self._versions())
        return self._read[1]

    def _versions(self) -> tuple[KnownModel, ...]:
        found = []
        for one in reversed(self._registry.versions()):
            facts = self._facts(one.number, one.bundle_hash)
            features, service, contracts, importance = facts
            found.append(
                KnownModel(
                    version=one.number,
                    run_id=one.run_id,
                    in_use=bool(one.aliases),
                    features=features,
                    service=service,
                    contract_hash=contracts,
                    bundle_hash=one.bundle_hash,
                    importance=importance,
                )
            )
        return tuple(found)

    def importance(self) -> Mapping[str, float]:
        """Each feature's share in the model in use; nothing when none is."""
        return next((one.importance for one in self.all() if one.in_use), {})

    def needing(self, feature: str) -> tuple[KnownModel, ...]:
        """The versions that cannot score without this feature."""
        return tuple(one for one in self.all() if feature in one.features)

    @functools.cached_property
    def _registry(self) -> Registry:
        return Registry.at(self._home)

    def _facts(
        self, number: int, digest: str
    ) -> tuple[tuple[str, ...], str, str, Mapping[str, float]]:
        if digest not in self._known:
            try:
                model = self._registry.bundle(number)
            except (NotThere, TijdigError):
                # A version whose files are gone or damaged is told as one that needs nothing
                # known; the page of the dossier says what is missing.
                return (), "", "", {}
            about = model.metadata
            self._known[digest] = (
                model.features,
                about.feature_service,
                about.contract_hash,
                _shares(model),
            )
        return self._known[digest]


def _state_of(path: Path) -> _FileState:
    """When the file and its write-ahead log were last written, and how long; empty without one."""
    found = []
    for each in (path, path.with_name(f"{path.name}-wal")):
        with contextlib.suppress(FileNotFoundError):
            stat = each.stat()
            found.append((stat.st_mtime_ns, stat.st_size))
    return tuple(found)


def _shares(model: object) -> Mapping[str, float]:
    if not isinstance(model, Bundle):
        return {}
    gains = np.asarray(model.booster.feature_importance("gain"), dtype=np.float64)
    total = gains.sum()
    if not total:
        return {}
    return dict(zip(model.features, (gains / total).tolist(), strict=True))
