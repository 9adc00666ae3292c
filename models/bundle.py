"""A fitted model as text and JSON, never a pickle, with a hash that loading verifies."""

import functools
import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, Protocol

import lightgbm
import numpy as np
from numpy.typing import NDArray

from features.errors import NotThere, VerificationFailed
from models.calibration import Calibrator
from models.preparation import Preparation
from models.tree_threads import tree_threads

MODEL_FILE = "model.txt"
BUNDLE_FILE = "bundle.json"
FORMAT_VERSION = 1


class Scorer(Protocol):
    """Anything that gives each row of features a calibrated probability of an onset."""

    @property
    def features(self) -> tuple[str, ...]:
        """The columns of `x`, in order."""
        ...

    def score(self, x: NDArray[np.float32]) -> NDArray[np.float64]:
        """One probability per row; missing values are NaN."""
        ...


@dataclass(frozen=True)
class Metadata:
    """What a model was made of: names, dates, hashes and counts; nothing about one pupil."""

    feature_service: str = ""
    contract_hash: str = ""
    label: str = ""
    trained_until: date | None = None
    calibrated_until: date | None = None
    seed: int = 0
    rows: int = 0
    positives: int = 0
    parameters: Mapping[str, float | int | str | bool] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Plain values; dates in ISO form."""
        document = asdict(self)
        for name in ("trained_until", "calibrated_until"):
            document[name] = document[name] and document[name].isoformat()
        return document

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> "Metadata":
        """The metadata that `to_json` wrote."""
        values = dict(document)
        for name in ("trained_until", "calibrated_until"):
            values[name] = values[name] and date.fromisoformat(values[name])
        return cls(**values)


@dataclass(frozen=True)
class Bundle:
    r"""A LightGBM model with its preparation and calibrator: all that scoring needs.

    >>> text = "\n".join([
    ...     "tree", "version=v4", "num_class=1", "num_tree_per_iteration=1", "label_index=0",
    ...     "max_feature_idx=0", "objective=binary sigmoid:1", "feature_names=late_arrivals_4w",
    ...     "feature_infos=[0:9]", "tree_sizes=302", "", "Tree=0", "num_leaves=2", "num_cat=0",
    ...     "split_feature=0", "split_gain=1", "threshold=2.5", "decision_type=2", "left_child=-1",
    ...     "right_child=-2", "leaf_value=-5 -3", "leaf_weight=1 1", "leaf_count=90 10",
    ...     "internal_value=0", "internal_weight=0", "internal_count=100", "is_linear=0",
    ...     "shrinkage=1", "", "", "end of trees", ""])
    >>> bundle = Bundle(
    ...     model_text=text,
    ...     features=("late_arrivals_4w",),
    ...     preparation=Preparation((0.0,), (9.0,), (1.0,)),
    ...     calibrator=Calibrator("sigmoid", (0.0,), (1.0,), 1.0, 1.0),
    ... )
    >>> bundle.margin(np.array([[2.0], [3.0], [np.nan]], dtype=np.float32))
    array([-5., -3., -5.])
    >>> bundle.score(np.array([[2.0], [3.0]], dtype=np.float32)).round(3)
    array([0.018, 0.119])
    """

    model_text: str
    features: tuple[str, ...]
    preparation: Preparation
    calibrator: Calibrator
    metadata: Metadata = Metadata()

    @functools.cached_property
    def booster(self) -> lightgbm.Booster:
        """The trees, ready to predict."""
        return lightgbm.Booster(model_str=self.model_text)

    def prepared(self, x: NDArray[np.float32]) -> NDArray[np.float32]:
        """What the trees see of `x`: the same values are scored and explained."""
        return self.preparation.apply(x)

    def margin(self, x: NDArray[np.float32]) -> NDArray[np.float64]:
        """Log-odds before calibration, one per row; this is what explanations add up to."""
        if not len(x):  # LightGBM cannot predict nothing
            return np.zeros(0)
        return self._predicted(x, raw_score=True)

    def parts(self, x: NDArray[np.float32]) -> NDArray[np.float64]:
        """What each feature adds to the margin of each row; the last column is the base."""
        if not len(x):
            return np.zeros((0, len(self.features) + 1))
        return self._predicted(x, pred_contrib=True)

    def _predicted(self, x: NDArray[np.float32], **what: bool) -> NDArray[np.float64]:
        booster, prepared = self.booster, self.prepared(x)
        with tree_threads() as number:
            found = booster.predict(prepared, num_threads=number, **what)
        return np.asarray(found, dtype=np.float64)

    def score(self, x: NDArray[np.float32]) -> NDArray[np.float64]:
        """Calibrated probability of an onset within the horizon, one per row."""
        return self.calibrator.apply(self.margin(x))

    @functools.cached_property
    def content_hash(self) -> str:
        """SHA-256 over the trees and everything that stands beside them."""
        return content_hash(self._document(), self.model_text)

    def _document(self) -> dict[str, Any]:
        return {
            "kind": "lightgbm",
            "features": list(self.features),
            "preparation": asdict(self.preparation),
            "calibrator": self.calibrator.to_json(),
            "metadata": self.metadata.to_json(),
        }

    def save(self, folder: Path) -> None:
        """Write `model.txt` and `bundle.json` into `folder`; nothing else."""
        folder.mkdir(parents=True, exist_ok=True)
        (folder / MODEL_FILE).write_bytes(self.model_text.encode())
        write_document(folder, self._document(), self.content_hash)

    @classmethod
    def load(cls, folder: Path) -> "Bundle":
        """Read a bundle and verify that it is the one that was saved."""
        document = read_document(folder, "lightgbm")
        try:
            text = (folder / MODEL_FILE).read_bytes().decode()
        except OSError as problem:
            raise NotThere(f"{folder / MODEL_FILE}: cannot be read ({problem})") from problem
        verify(folder, document, text)
        preparation = document["preparation"]
        return cls(
            model_text=text,
            features=tuple(document["features"]),
            preparation=Preparation(
                tuple(preparation["lower"]), tuple(preparation["upper"]), tuple(preparation["step"])
            ),
            calibrator=Calibrator.from_json(document["calibrator"]),
            metadata=Metadata.from_json(document["metadata"]),
        )


def content_hash(document: Mapping[str, Any], model_text: str = "") -> str:
    """SHA-256 over a bundle's document (the order of its keys does not count) and its model text.

    >>> content_hash({"a": 1, "b": 2}) == content_hash({"b": 2, "a": 1})
    True
    >>> content_hash({"a": 1}, "tree") == content_hash({"a": 1}, "treE")
    False
    """
    canonical = json.dumps(document, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(canonical.encode() + b"\0" + model_text.encode()).hexdigest()


def write_document(folder: Path, document: Mapping[str, Any], digest: str) -> None:
    """Write `bundle.json`: the document, the version of its form and the hash of the whole."""
    whole = {"version": FORMAT_VERSION, **document, "content_hash": digest}
    text = json.dumps(whole, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False)
    (folder / BUNDLE_FILE).write_text(text + "\n", encoding="utf-8")


def read_document(folder: Path, kind: str) -> dict[str, Any]:
    """Read `bundle.json` of a model of this `kind`; the hash is still to be verified."""
    path = folder / BUNDLE_FILE
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except OSError as problem:
        raise NotThere(f"{path}: cannot be read ({problem})") from problem
    except ValueError as problem:
        raise VerificationFailed(f"{path}: is not JSON; restore the bundle") from problem
    found = (document.get("version"), document.get("kind")) if isinstance(document, dict) else None
    if found != (FORMAT_VERSION, kind):
        raise VerificationFailed(
            f"{path}: version and kind are {found}, this Tijdig reads {(FORMAT_VERSION, kind)}; "
            "use the Tijdig that wrote it, or train again"
        )
    return dict(document)


def verify(folder: Path, document: Mapping[str, Any], model_text: str = "") -> None:
    """Refuse a bundle whose content is not what its hash says."""
    content = {key: document[key] for key in document if key not in ("version", "content_hash")}
    if content_hash(content, model_text) != document.get("content_hash"):
        raise VerificationFailed(
            f"{folder}: the model is not the one that was saved (its hash differs); "
            "restore the folder or promote another version"
        )
