"""Every feature, defined once: name, window, unit, source, theme, Dutch text."""

from features.catalogue import absence_features, circumstance_features, pattern_features
from features.catalogue.feature import Feature, Unit
from features.errors import NotThere

__all__ = [
    "CATALOGUE",
    "COHORT_FEATURES",
    "MODEL_FEATURES",
    "Feature",
    "Unit",
    "by_view",
    "feature",
]

CATALOGUE: tuple[Feature, ...] = (
    *absence_features.FEATURES,
    *pattern_features.FEATURES,
    *circumstance_features.FEATURES,
)
MODEL_FEATURES: tuple[str, ...] = tuple(f.name for f in CATALOGUE if f.role == "model")
COHORT_FEATURES: tuple[str, ...] = tuple(f.name for f in CATALOGUE if f.role == "cohort")

_BY_NAME = {f.name: f for f in CATALOGUE}
assert len(_BY_NAME) == len(CATALOGUE), "two features have the same name"


def feature(name: str) -> Feature:
    """The definition of feature `name`.

    >>> feature("absent_share_4w").window
    4
    """
    if name not in _BY_NAME:
        raise NotThere(f"no feature is called {name!r}; features.catalogue lists them")
    return _BY_NAME[name]


def by_view() -> dict[str, tuple[Feature, ...]]:
    """The features of each view, in the order of the catalogue.

    >>> [f.name for f in by_view()["group"]]
    ['group_deviation_1w', 'group_deviation_4w', 'group_deviation_12w']
    """
    views = dict.fromkeys(f.view for f in CATALOGUE)
    return {view: tuple(f for f in CATALOGUE if f.view == view) for view in views}
